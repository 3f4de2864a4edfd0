"""The errors of a lock file that does not match: what is requested, what is locked, and the command that fixes it.

An entry is named by its name, so that a headline reads the same with and without the name of the argument before it.
Sends nothing.
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
    """Return the command that locks a lookup, for a shell.

    Args:
        name: the name in the lock file.
        words: the arguments of the lookup; without any the command says that they are missing.
        replace: whether the name is in the file already.
    """
    given = {word.name: words[word.name] for word in schema.SELECTION if words.get(word.name) is not None}
    start = command("lock", "add", name, *["--replace"] * replace)
    return f"{start} {options(given) if given else '--package-type … (and the other arguments of the lookup)'}"


def not_locked(name: str, names: Iterable[str] | None, path: Path, words: Mapping[str, Any]) -> LockError:
    """Return the error of a name that is not in the file.

    Args:
        name: the name.
        names: those that are, or None where there is no file.
        path: the file.
        words: the arguments of the program beside it.
    """
    if names is None:
        advice = f"lock it, and commit the file (or set {VARIABLE} to another file):\n{add_command(name, words)}"
        facts = [("file", sanitize(path, limit=1_000)), ("fix", advice)]
        return LockError(f"{quoted(name)} is not locked: there is no {path.name}", facts=facts)
    known = sorted(names)
    shown_names = ", ".join(known[:_MOST_NAMES])
    rest = len(known) - _MOST_NAMES
    near = difflib.get_close_matches(name, known, n=1)
    facts = [
        ("found", f"{shown_names}{f' and {rest:,} more' if rest > 0 else ''}" or "no entry"),
        *([("nearest", near[0])] if near else []),
        ("file", sanitize(path, limit=1_000)),
        ("fix", f"lock it, and commit the file:\n{add_command(name, words)}"),
    ]
    return LockError(f"{quoted(name)} is not locked in {path.name}", facts=facts)


def no_file(path: Path) -> LockError:
    """Return the error of a command that needs a lock file where there is none."""
    facts = [
        ("file", sanitize(path, limit=1_000)),
        ("fix", f"create it with iotda-ota lock add, or set {VARIABLE} to another file"),
    ]
    return LockError(f"nothing is locked: there is no {path.name}", facts=facts)


def taken(entry: Entry, path: Path) -> LockError:
    """Return the error of a name that is added, and exists already."""
    facts = [
        ("found", _kept_as(entry)),
        ("file", sanitize(path, limit=1_000)),
        ("fix", f"choose another name, or add --replace; to resolve it again: {_update_command(entry)}"),
    ]
    return LockError(f"{quoted(entry.name)} is locked already", facts=facts)


def other_query(entry: Entry, words: Mapping[str, Any], differing: Iterable[str], path: Path) -> LockError:
    """Return the error of a program whose lookup is not the one that is locked."""
    differing = tuple(differing)
    facts = [
        ("requested", _pairs(differing, words)),
        ("found", _pairs(differing, entry.selection)),
        ("", _kept_as(entry)),
        ("file", sanitize(path, limit=1_000)),
        (
            "fix",
            f"lock the lookup of the program, and commit the file:\n{add_command(entry.name, words, replace=True)}",
        ),
    ]
    return LockError(f"{quoted(entry.name)} is locked for another query", facts=facts)


def other_place(entry: Entry, known: Mapping[str, str], differing: Iterable[str], path: Path) -> LockError:
    """Return the error of a program that is configured for another place than the locked one."""
    differing = tuple(differing)
    facts = [
        ("requested", _pairs(differing, known, setting)),
        ("found", _pairs(differing, entry.place, setting)),
        ("", _kept_as(entry)),
        ("file", sanitize(path, limit=1_000)),
        (
            "fix",
            f"correct the connection; or use another name for this environment, or another file in {VARIABLE}",
        ),
    ]
    return LockError(f"{quoted(entry.name)} is locked for another endpoint, project or instance", facts=facts)


def unfit(entry: Entry, problem: str, path: Path) -> LockError:
    """Return the error of an entry whose package does not match its own query.

    Args:
        entry: what is locked.
        problem: the argument that the package does not match, and why.
        path: the file.
    """
    advice = "restore the entry from the last commit; or resolve it again, and commit the file:"
    facts = [
        ("found", _kept_as(entry)),
        ("file", sanitize(path, limit=1_000)),
        ("cause", problem),
        ("fix", f"{advice}\n{_update_command(entry)}"),
    ]
    return LockError(f"{quoted(entry.name)} is locked with a package that does not match its own query", facts=facts)


def gone(entry: Entry, connection: ResolvedConnection) -> PackageNotFound:
    """Return the error of a locked package that does not exist any more."""
    facts = [
        ("found", _kept_as(entry)),
        ("endpoint", connection.described),
        ("fix", f"lock the package that matches now, and commit the file:\n{_update_command(entry)}"),
    ]
    return PackageNotFound(f"the locked package {sanitize(entry.package_id)} is gone", facts=facts)


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
    """Return each field as the service describes it now, and as it is locked."""
    return "\n".join(f"{field(name)}: {_field(now.get(name))}, locked {_field(locked.get(name))}" for name in names)


def _kept_as(entry: Entry) -> str:
    """Return what is locked."""
    return f"{sanitize(entry.version)}, package {sanitize(entry.package_id)}, locked at {sanitize(entry.locked_at)}"


def _update_command(entry: Entry) -> str:
    return command("lock", "update", entry.name)


def _field(value: Any) -> str:
    """Return a field of a package; of an object, its parts one by one."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_field(part)}" for name, part in value.items())
    return "none" if value in (None, []) else quoted(value)
