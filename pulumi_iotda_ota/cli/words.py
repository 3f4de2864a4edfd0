"""How the command line words what people read: arguments are options, and what to do is done in a shell."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.iotda.auth.settings import SETTINGS
from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError, ProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: What the other doors advise, and what does the same here.
PHRASES = {
    "run pulumi up again: it goes on waiting": "watch it again: it goes on by itself",
    "confirm it, with an UpgradeTaskConfirmation or on the console, and run pulumi up again": (
        "confirm it (iotda-ota task confirm), and watch it again"
    ),
    "run pulumi up again: it confirms what still waits": "run the command again: it confirms what still waits",
    'wait for its end, or set on_destroy="retain" to leave it alone, and run again': "wait for its end",
    "set retry_failed=True": "iotda-ota task retry",
    "change triggers of the task for a new campaign": "start a new campaign",
    "look for it on the service before asking for it again": (
        "see how it stands (iotda-ota task get) before asking for it again"
    ),
    "create it with need_confirm=True, or leave this out": "watch it: it has begun by itself",
}
# Lines that are about a program.
_OF_PROGRAMS = ("not started",)
# Lines that list places where settings are given, each with the names that it has there.
_PLACES = ("looked in", "credentials", "given", *(setting.name for setting in SETTINGS))
# Lines in the words of the service, or of a device: a word that is also the name of an argument is none of ours there.
_OF_SERVICE = ("answered", "begins with", "failing", "not retried", "refused for")
# What a headline repeats of the service or of what was given: a name, or a value that was refused.
_REPEATED = re.compile(r"(\bupgrade task \S+|\bpackage \S+|(?<=, not )\".*\")")
# No part of the other credentials is an option.
_OFFERED = "options: --oidc-token-file + --idp-id\n"


def long_option(name: str) -> str:
    """Return the long option of an argument or a setting; a list is an option in the singular that is repeated."""
    return f"--{(name[:-1] if name in _plurals() else name).replace('_', '-')}"


@cache
def _plurals() -> frozenset[str]:
    """Return the names of lists."""
    tables = (schema.GET_OTA_PACKAGE, schema.UPGRADE_TASK, schema.UPGRADE_TASK_CONFIRMATION, SETTINGS)
    return frozenset(item.name for table in tables for item in table if item.type == "list of strings")


def worded(text: str) -> str:
    """Return a message or a description in the words of the command line.

    Args:
        text: the text in the words of Python.
    """
    for theirs, ours in PHRASES.items():
        text = text.replace(theirs, ours)
    text = _with_options(text)
    names = "|".join(name for name in _options() if "_" in name)
    text = re.sub(rf"(?<![\w-])({names})=True\b", lambda found: long_option(found[1]), text)
    text = re.sub(rf"(?<![\w-])({names})=\"?(\w+)\"?", lambda found: f"{long_option(found[1])} {found[2]}", text)
    text = re.sub(r"\btimeout=0\b", "--timeout 0", text)
    return re.sub(rf"(?<![\w-])({names})(?![\w-])", lambda found: long_option(found[1]), text)


def reword(error: IotdaOtaError) -> None:
    """Turn the message of an error into the words of the command line, but for what it repeats of the service."""
    named = error.argument if isinstance(error, InputError) else ""
    # That of an answer which can not be read names the fields of the answer.
    if not isinstance(error, ProtocolError):
        error.headline = _around_repeated(of_option(named, error.headline))
    error.facts = tuple(_of_facts(error.facts))


def of_option(name: str, headline: str) -> str:
    """Return a headline that begins with the option where it begins with the name of one."""
    return re.sub(rf"^{name}\b", long_option(name), headline) if name in _options() else headline


def _around_repeated(headline: str) -> str:
    parts = enumerate(_REPEATED.split(headline))
    return "".join(part if number % 2 else worded(part) for number, part in parts)


def _of_facts(facts: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    of = ""
    for label, text in facts:
        of = label or of  # a line without a label goes on with the one above
        if label not in _OF_PROGRAMS:
            yield label, text if of in _OF_SERVICE else _of_fact(label, text)


def _of_fact(label: str, text: str) -> str:
    if (label, text) == ("given by", "argument"):
        return "the option"
    return _with_options(text) if label in _PLACES else worded(text)


def _with_options(text: str) -> str:
    """Return a list of places where something can be given: of those the argument alone is an option here."""
    text = re.sub(r"^argument: (?:[^\n]|\n  )*\n", _OFFERED, text, flags=re.MULTILINE)
    names = "|".join(_options())
    text = re.sub(rf"\bargument ({names})\b", lambda found: f"option {long_option(found[1])}", text)
    return re.sub(rf"\b({names}) \(argument\)", lambda found: f"{long_option(found[1])} (option)", text)


@cache
def _options() -> tuple[str, ...]:
    """Return the names of all that is an option, the longest first."""
    tables = (
        schema.GET_OTA_PACKAGE,
        schema.GET_OTA_PACKAGES,
        schema.UPGRADE_TASK_COMPLETION,
        schema.UPGRADE_TASK_CONFIRMATION,
    )
    names = {argument.name for table in tables for argument in table} - {"task_id", "triggers"}
    names.add("target")  # of `task retry`, which no table has
    names |= {setting.name for setting in SETTINGS if not setting.secret}
    return tuple(sorted(names, key=len, reverse=True))
