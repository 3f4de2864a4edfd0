"""The errors of a lock file that does not match: the requested and the locked values, and the command that fixes it.

A headline begins with the name of the entry, so that it also reads well behind the name of an argument.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.errors import LockError, PackageNotFound
from pulumi_iotda_ota.iotda.references import argument, field, setting
from pulumi_iotda_ota.iotda.sanitize import quoted, sanitize
from pulumi_iotda_ota.lock.files import VARIABLE
from pulumi_iotda_ota.message_rendering import command, options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.lock.entry import Entry

_MOST_NAMES = 8


def add_command(name: str, words: Mapping[str, Any], *, replace: bool = False) -> str:
    """Return the shell command that locks a lookup.

    Args:
        name: the name in the lock file.
        words: the arguments of the lookup. If there are none, the command says that they are missing.
        replace: whether the name exists already.
    """
    given = {word.name: words[word.name] for word in schema.SELECTION if words.get(word.name) is not None}
    start = command("lock", "add", name, *["--replace"] * replace)
    return f"{start} {options(given) if given else '--package-type … (and the other arguments of the lookup)'}"


def not_locked(name: str, names: Iterable[str] | None, path: Path, words: Mapping[str, Any]) -> LockError:
    """Return the error of a name that is not in the file.

    Args:
        name: the requested name.
        names: the existing names, or None if there is no file.
        path: the file.
        words: the arguments of the program beside the name.
    """
    if names is None:
        advice = f"lock it, and commit the file (or set {VARIABLE} to another file):\n{add_command(name, words)}"
        facts = [_file(path), ("fix", advice)]
        return LockError(f"{quoted(name)} is not locked: there is no {path.name}", facts=facts)
    known = sorted(names)
    listed = ", ".join(known[:_MOST_NAMES])
    rest = len(known) - _MOST_NAMES
    nearest = difflib.get_close_matches(name, known, n=1)
    corrected = f"use the name {nearest[0]}; or " if nearest else ""
    facts = [
        ("found", f"{listed}{f' and {rest:,} more' if rest > 0 else ''}" or "no entry"),
        *([("nearest", nearest[0])] if nearest else []),
        _file(path),
        ("fix", f"{corrected}lock it, and commit the file:\n{add_command(name, words)}"),
    ]
    return LockError(f"{quoted(name)} is not locked in {path.name}", facts=facts)


def no_file(path: Path) -> LockError:
    """Return the error of a command that needs a lock file."""
    facts = [
        _file(path),
        ("fix", f"create it with iotda-ota lock add, or set {VARIABLE} to another file"),
    ]
    return LockError(f"nothing is locked: there is no {path.name}", facts=facts)


def taken(entry: Entry, path: Path) -> LockError:
    """Return the error of an added name that exists already."""
    facts = [
        ("found", _kept_as(entry)),
        _file(path),
        ("fix", f"choose another name, or add --replace; to resolve it again: {_update_command(entry)}"),
    ]
    return LockError(f"{quoted(entry.name)} is locked already", facts=facts)


def other_query(entry: Entry, words: Mapping[str, Any], differing: Iterable[str], path: Path) -> LockError:
    """Return the error of a program whose lookup is not the locked one."""
    differing = tuple(differing)
    facts = [
        ("requested", _pairs(differing, words)),
        ("found", _pairs(differing, entry.selection)),
        ("", _kept_as(entry)),
        _file(path),
        (
            "fix",
            f"lock the lookup of the program, and commit the file:\n{add_command(entry.name, words, replace=True)}",
        ),
    ]
    return LockError(f"{quoted(entry.name)} is locked for another query", facts=facts)


def other_place(entry: Entry, known: Mapping[str, str], differing: Iterable[str], path: Path) -> LockError:
    """Return the error of a program whose connection leads to another place than the locked one."""
    differing = tuple(differing)
    facts = [
        ("requested", _pairs(differing, known, setting)),
        ("found", _pairs(differing, entry.place, setting)),
        ("", _kept_as(entry)),
        _file(path),
        (
            "fix",
            f"correct the connection; or use another name for this environment, or another file in {VARIABLE}",
        ),
    ]
    return LockError(f"{quoted(entry.name)} is locked for another endpoint, project or instance", facts=facts)


def unfit(entry: Entry, problem: str, path: Path) -> LockError:
    """Return the error of an entry whose package does not match its own query; ``problem`` names the argument."""
    advice = "restore the entry from the last commit; or resolve it again, and commit the file:"
    facts = [
        ("found", _kept_as(entry)),
        _file(path),
        ("cause", problem),
        ("fix", f"{advice}\n{_update_command(entry)}"),
    ]
    return LockError(f"{quoted(entry.name)} is locked with a package that does not match its own query", facts=facts)


def gone(entry: Entry, connection: ResolvedConnection) -> PackageNotFound:
    """Return the error of a locked package that was deleted."""
    facts = [
        ("found", _kept_as(entry)),
        ("endpoint", connection.described),
        ("fix", f"lock the package that matches now, and commit the file:\n{_update_command(entry)}"),
    ]
    return PackageNotFound(f"the locked package {sanitize(entry.package_id)} does not exist any more", facts=facts)


def changed(entry: Entry, now: Mapping[str, Any], differing: Iterable[str]) -> LockError:
    """Return the error of a package that has changed since it was locked."""
    facts = [
        ("found", _differences(differing, now, entry.package)),
        ("", _kept_as(entry)),
        (
            "fix",
            f"find out who changed it; or lock it as it is now, and commit the file:\n{_update_command(entry)}",
        ),
    ]
    return LockError(f"{quoted(entry.name)} is locked, and its package has changed since", facts=facts)


def _pairs(names: Iterable[str], values: Mapping[str, Any], refer: Callable[..., str] = argument) -> str:
    """Return the names with their values; a missing value is an argument that is not set."""
    return ", ".join(refer(name, values.get(name) or None) for name in names)


def _differences(names: Iterable[str], now: Mapping[str, Any], locked: Mapping[str, Any]) -> str:
    """Return the current and the locked value of each field."""
    return "\n".join(f"{field(name)}: {_field(now.get(name))}, locked {_field(locked.get(name))}" for name in names)


def _kept_as(entry: Entry) -> str:
    """Return the locked package in one line."""
    return f"{sanitize(entry.version)}, package {sanitize(entry.package_id)}, locked at {sanitize(entry.locked_at)}"


def _file(path: Path) -> tuple[str, str]:
    return "file", sanitize(path, limit=1_000)


def _update_command(entry: Entry) -> str:
    return command("lock", "update", entry.name)


def _field(value: Any) -> str:
    """Return the value of a field; of an object, all its parts."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_field(part)}" for name, part in value.items())
    return "none" if value in (None, []) else quoted(value)
