"""What is done with a lock file: a lookup is added, brought up to date, held against the service, or removed.

One name that fails loses no other: what can be brought up to date is, and is written at once at the end.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.errors import LockError, PackageNotFound
from pulumi_iotda_ota.iotda.errors import CredentialsError, InputError, IotdaOtaError, ServiceError
from pulumi_iotda_ota.iotda.limits import LOCK_NAME
from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.iotda.sanitize import quoted
from pulumi_iotda_ota.lock import errors
from pulumi_iotda_ota.lock.entry import Entry, differing_fields, differing_places, differing_words, place_of
from pulumi_iotda_ota.lock.files import change, load
from pulumi_iotda_ota.lock.reason import reason
from pulumi_iotda_ota.lookup.find import find_package
from pulumi_iotda_ota.lookup.query import PackageLookup, words
from pulumi_iotda_ota.selection.choose import UNREADABLE
from pulumi_iotda_ota.serialization import package_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.lookup.session import Run


@dataclass(frozen=True)
class Outcome:
    """What became of one name, or what it is like.

    Attributes:
        name: the name.
        status: ``added``, ``current``, ``newer`` (another package fits now), ``changed`` (the same package has other
            fields), ``gone`` (the locked package is not there), ``elsewhere`` (locked in another place than is asked),
            ``removed`` or ``failed``.
        before: what was locked.
        now: what the lookup gives now, where it gives anything.
        error: why it failed.
        unreadable: the first records of the list that could not be judged, for people.
        unreadable_count: how many there were.
    """

    name: str
    status: str
    before: Entry | None = None
    now: Entry | None = None
    error: IotdaOtaError | None = None
    unreadable: tuple[str, ...] = ()
    unreadable_count: int = 0


@dataclass(frozen=True)
class Resolved:
    """What a lookup gives now.

    Attributes:
        entry: the entry of the lock file.
        unreadable: the first records of the list that could not be judged, for people.
        unreadable_count: how many there were.
    """

    entry: Entry
    unreadable: tuple[str, ...]
    unreadable_count: int

    def outcome(self, status: str, before: Entry | None, now: Entry | None) -> Outcome:
        """Return the outcome of the name, with the records that could not be judged."""
        return Outcome(self.entry.name, status, before, now, None, self.unreadable, self.unreadable_count)


def add(
    run: Run,
    connection: ResolvedConnection,
    path: Path,
    name: str,
    selection: Mapping[str, Any],
    *,
    replace: bool = False,
) -> Outcome:
    """Lock a lookup under a name.

    Args:
        run: what this run remembers.
        connection: where and as whom to ask.
        path: the lock file, which is made where there is none.
        name: the name.
        selection: the words of the selection.
        replace: whether the name may be there already.

    Raises:
        InputError: it can be no name.
        LockError: the name is there already, or the file cannot be read or written.
        IotdaOtaError: the lookup failed; nothing was written.
    """
    if problem := LOCK_NAME.problem(name):
        raise InputError(f"{argument('name')} {problem}, not {quoted(name)}", argument="name")
    before = (load(path) or {}).get(name)
    _require_free(before, path, replace=replace)
    found = resolved(run, connection, name, selection)
    entry = found.entry
    if before is not None and _same(before, entry):
        return found.outcome("current", before, before)

    def edit(there: dict[str, Entry]) -> dict[str, Entry]:
        _require_free(there.get(name), path, replace=replace)
        return {**there, name: entry}

    change(path, edit)
    return found.outcome("added", before, entry)


def update(run: Run, connection: ResolvedConnection, path: Path, names: Sequence[str] = ()) -> list[Outcome]:
    """Resolve what is locked again, and write what has changed; see :func:`check`.

    Raises:
        LockError: a name is not locked, or the file cannot be read or written, or has changed meanwhile.
    """
    outcomes = _outcomes(run, connection, path, names)
    moved = {one.name: one for one in outcomes if one.now is not None and one.status in ("newer", "changed", "gone")}

    def edit(there: dict[str, Entry]) -> dict[str, Entry]:
        other = [name for name, one in moved.items() if there.get(name) != one.before]
        if other:
            facts = [("file", str(path)), ("fix", "run it again")]
            raise LockError(f"{quoted(other[0])} was changed by another program meanwhile", facts=facts)
        return {**there, **{name: one.now for name, one in moved.items() if one.now is not None}}

    if moved:
        change(path, edit)
    return outcomes


def check(run: Run, connection: ResolvedConnection, path: Path, names: Sequence[str] = ()) -> list[Outcome]:
    """Hold what is locked against the service; change nothing.

    Args:
        run: what this run remembers.
        connection: where and as whom to ask. What is locked in another place is passed over, unless it is named.
        path: the lock file.
        names: the names, or none for all.

    Raises:
        LockError: a name is not locked, all are locked in other places, or the file cannot be read.
    """
    return _outcomes(run, connection, path, names)


def remove(path: Path, names: Sequence[str]) -> list[Outcome]:
    """Take names out of the lock file.

    Raises:
        LockError: one is not there; then none is removed.
    """
    outcomes: list[Outcome] = []

    def edit(there: dict[str, Entry]) -> dict[str, Entry]:
        outcomes[:] = [Outcome(entry.name, "removed", entry) for entry in _named(there, names, path)]
        return {name: entry for name, entry in there.items() if name not in names}

    change(path, edit)
    return outcomes


def locked(path: Path) -> list[Entry]:
    """Return what is locked, in the order of the names.

    Raises:
        LockError: there is no file, or it cannot be read.
    """
    return _named(load(path), (), path)


def _outcomes(run: Run, connection: ResolvedConnection, path: Path, names: Sequence[str]) -> list[Outcome]:
    entries = _named(load(path), names, path)
    # Names that ask for the same packages share one walk.
    asked = run.remembering()
    connection = asked.completed(connection)
    outcomes = [_outcome(asked, connection, entry, path, named=bool(names)) for entry in entries]
    if outcomes and all(one.status == "elsewhere" for one in outcomes):
        raise _elsewhere(entries[0], connection, path)
    return outcomes


def _outcome(run: Run, connection: ResolvedConnection, entry: Entry, path: Path, *, named: bool) -> Outcome:
    if differing_places(connection.identity, entry.place):
        error = _elsewhere(entry, connection, path)
        return Outcome(entry.name, "failed", entry, error=error) if named else Outcome(entry.name, "elsewhere", entry)
    try:
        found = resolved(run, connection, entry.name, entry.selection)
        now = found.entry
        if now.package_id == entry.package_id:
            status = "changed" if differing_fields(now.package, entry.package) else "current"
            return found.outcome(status, entry, now if status == "changed" else entry)
        return found.outcome("newer" if _is_there(run, connection, entry) else "gone", entry, now)
    except PackageNotFound as error:
        return _without_answer(run, connection, entry, error)
    except CredentialsError:
        raise  # the next name would be told the same
    except IotdaOtaError as error:
        return Outcome(entry.name, "failed", entry, error=error)


def _without_answer(run: Run, connection: ResolvedConnection, entry: Entry, error: PackageNotFound) -> Outcome:
    """Return the outcome of a lookup that finds nothing: what is locked is gone, or there and does not fit any more."""
    try:
        status = "failed" if _is_there(run, connection, entry) else "gone"
    except IotdaOtaError as failed:
        return Outcome(entry.name, "failed", entry, error=failed)
    return Outcome(entry.name, status, entry, error=error)


def _is_there(run: Run, connection: ResolvedConnection, entry: Entry) -> bool:
    try:
        run.package(connection, entry.package_id)
    except ServiceError as error:
        if not error.is_not_found:
            raise
        return False
    return True


def _named(entries: dict[str, Entry] | None, names: Iterable[str], path: Path) -> list[Entry]:
    """Return the entries of some names, or all."""
    for name in names:
        if name not in (entries or {}):
            raise errors.not_locked(name, entries, path, {})
    if entries is None:
        raise errors.no_file(path)
    return [entries[name] for name in dict.fromkeys(names)] or list(entries.values())


def _require_free(before: Entry | None, path: Path, *, replace: bool) -> None:
    if before is not None and not replace:
        raise errors.taken(before, path)


def _same(before: Entry, now: Entry) -> bool:
    """Return whether a lookup is what it was, so that nothing is to be written."""
    return (
        not differing_words(now.selection, before.selection)
        and now.place == before.place
        and now.package_id == before.package_id
        and not differing_fields(now.package, before.package)
    )


def _elsewhere(entry: Entry, connection: ResolvedConnection, path: Path) -> LockError:
    known = connection.identity
    return errors.other_place(entry, known, differing_places(known, entry.place), path)


# Makes an entry of the lock file: a lookup by its words, one more request for the file, and where, when and why.


def resolved(run: Run, connection: ResolvedConnection, name: str, selection: Mapping[str, Any]) -> Resolved:
    """Return what a lookup gives now, as an entry.

    Args:
        run: what this run remembers.
        connection: where and as whom to ask.
        name: what programs will call it.
        selection: the words of the selection.

    Raises:
        IotdaOtaError: as of ``lookup.find.find_package``.
    """
    query = words(selection)
    lookup = PackageLookup.from_arguments({**query, "include_file_location": True})
    connection = run.completed(connection)
    found = find_package(run, connection, lookup, most_skipped=sys.maxsize)
    if found is None:  # only where on_missing is "none", which is no word of a selection
        raise PackageNotFound("no OTA package matches")
    entry = Entry(
        name=name,
        selection=query,
        place=place_of(connection.identity),
        package=package_values(found.package),
        locked_at=f"{run.clock.now():%Y-%m-%dT%H:%M:%SZ}",
        reason=reason(lookup, found),
    )
    skipped = found.selection
    return Resolved(entry, tuple(map(str, skipped.first_records)), skipped.skipped_counts[UNREADABLE])
