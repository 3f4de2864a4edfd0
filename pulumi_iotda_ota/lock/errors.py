"""The errors of what is locked and does not answer: what was asked, what is locked, what to do. Sends nothing.

What is locked is told by its name, so that a headline says the same behind the name of the argument and without it.
"""

from __future__ import annotations

import difflib
import shlex
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.errors import LockError, PackageNotFound
from pulumi_iotda_ota.iotda.sanitize import quoted, sanitize
from pulumi_iotda_ota.lock.files import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.lock.entry import Entry

_MOST_NAMES = 8


def add_command(name: str, words: Mapping[str, Any], *, replace: bool = False) -> str:
    """Return the command that locks a lookup, for a shell.

    Args:
        name: the name in the lock file.
        words: what is asked; without any the command says that they are to be given.
        replace: whether the name is there already.
    """
    options = [option for word in schema.WORDS for option in _options(word.name, words.get(word.name))]
    given = " ".join([shlex.quote(name), *["--replace"] * replace, *options])
    return f"iotda-ota lock add {given}{'' if options else ' --package-type … (and what else selects it)'}"


def not_locked(name: str, names: Iterable[str] | None, path: Path, words: Mapping[str, Any]) -> LockError:
    """Return the error of a name that is not in the file.

    Args:
        name: the name.
        names: those that are, or None where there is no file.
        path: the file.
        words: what the program asks beside it.
    """
    if names is None:
        advice = f"lock it, and commit the file (or name another in {VARIABLE}):\n{add_command(name, words)}"
        facts = [("looked for", str(path)), ("what to do", advice)]
        return LockError(f"{quoted(name)} is not locked: there is no {path.name}", facts=facts)
    known = sorted(names)
    shown_names = ", ".join(known[:_MOST_NAMES])
    rest = len(known) - _MOST_NAMES
    near = difflib.get_close_matches(name, known, n=1)
    facts = [
        ("locked", f"{shown_names}{f' and {rest:,} more' if rest > 0 else ''}" or "nothing"),
        *([("nearest", near[0])] if near else []),
        ("file", str(path)),
        ("what to do", f"lock it, and commit the file:\n{add_command(name, words)}"),
    ]
    return LockError(f"{quoted(name)} is not locked in {path.name}", facts=facts)


def no_file(path: Path) -> LockError:
    """Return the error of a command that needs a lock file where there is none."""
    facts = [
        ("looked for", str(path)),
        ("what to do", f"make it with iotda-ota lock add, or name another one in {VARIABLE}"),
    ]
    return LockError(f"nothing is locked: there is no {path.name}", facts=facts)


def taken(entry: Entry, path: Path) -> LockError:
    """Return the error of a name that is to be added, and is there already."""
    facts = [
        ("locked", _kept_as(entry)),
        ("file", str(path)),
        ("what to do", f"choose another name, or --replace it; to resolve it again: {_update_command(entry)}"),
    ]
    return LockError(f"{quoted(entry.name)} is locked already", facts=facts)


def other_query(entry: Entry, words: Mapping[str, Any], differing: Iterable[str], path: Path) -> LockError:
    """Return the error of a program that asks for something else than what is locked."""
    facts = [
        _differs(differing, words, entry.asked, _word),
        ("locked", _kept_as(entry)),
        ("file", str(path)),
        (
            "what to do",
            f"lock what the program asks for, and commit the file:\n{add_command(entry.name, words, replace=True)}",
        ),
    ]
    return LockError(f"{quoted(entry.name)} is locked for another query", facts=facts)


def other_place(entry: Entry, known: Mapping[str, str], differing: Iterable[str], path: Path) -> LockError:
    """Return the error of a program that is configured for another place than what is locked."""
    facts = [
        _differs(differing, known, entry.place, _place),
        ("locked", _kept_as(entry)),
        ("file", str(path)),
        (
            "what to do",
            f"correct the connection; or give this environment a name of its own, or a file of its own in {VARIABLE}",
        ),
    ]
    return LockError(f"{quoted(entry.name)} is locked in another place", facts=facts)


def unfit(entry: Entry, problem: str, path: Path) -> LockError:
    """Return the error of an entry whose package is none that its own query can give.

    Args:
        entry: what is locked.
        problem: the word that the package breaks, and how.
        path: the file.
    """
    advice = "take the entry as it was committed; or resolve it again, and commit the file:"
    facts = [
        ("wrong", problem),
        ("locked", _kept_as(entry)),
        ("file", str(path)),
        ("what to do", f"{advice}\n{_update_command(entry)}"),
    ]
    return LockError(f"{quoted(entry.name)} is locked with a package that its own query does not give", facts=facts)


def gone(entry: Entry, connection: ResolvedConnection) -> PackageNotFound:
    """Return the error of a locked package that is not there any more."""
    facts = [
        ("locked", _kept_as(entry)),
        ("looked in", connection.described),
        ("what to do", f"lock what fits now, and commit the file:\n{_update_command(entry)}"),
    ]
    return PackageNotFound(f"the locked package {sanitize(entry.package_id)} is gone", facts=facts)


def changed(entry: Entry, now: Mapping[str, Any], differing: Iterable[str]) -> LockError:
    """Return the error of a package that is not what it was when it was locked."""
    facts = [
        _differs(differing, now, entry.package, _field),
        ("locked", _kept_as(entry)),
        (
            "what to do",
            f"find out who changed it; or take it as it is now, and commit the file:\n{_update_command(entry)}",
        ),
    ]
    return LockError(f"{quoted(entry.name)} is locked, and its package has changed since", facts=facts)


def _differs(
    names: Iterable[str], here: Mapping[str, Any], locked: Mapping[str, Any], word: Callable[[Any], str]
) -> tuple[str, str]:
    """Return the line of what differs: each name as it is here, and as it is locked."""
    lines = (f"{name}: {word(here.get(name))}, locked {word(locked.get(name))}" for name in names)
    return "differs", "\n".join(lines)


def _kept_as(entry: Entry) -> str:
    """Return in words what is locked."""
    return f"{sanitize(entry.version)}, package {sanitize(entry.package_id)}, since {sanitize(entry.locked_at)}"


def _update_command(entry: Entry) -> str:
    return f"iotda-ota lock update {shlex.quote(entry.name)}"


def _options(name: str, value: Any) -> list[str]:
    option = f"--{name.replace('_', '-')}"
    if value is None:
        return []
    if isinstance(value, bool):
        return [option if value else f"--no-{option[2:]}"]
    several = [value] if isinstance(value, str) else value
    # A value that begins with a dash would be taken for an option.
    return [f"{option}={_quoted(one)}" if str(one).startswith("-") else f"{option} {_quoted(one)}" for one in several]


def _quoted(value: object) -> str:
    return shlex.quote(sanitize(value, limit=1_024))


def _word(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(quoted(one) for one in value)
    return "not given" if value is None else quoted(value)


def _place(value: str | None) -> str:
    return sanitize(value) if value else "none"


def _field(value: Any) -> str:
    """Return a field of a package; of an object, its parts one by one."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_field(part)}" for name, part in value.items())
    return "none" if value in (None, []) else quoted(value)
