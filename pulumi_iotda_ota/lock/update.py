"""Adds, updates, checks and removes entries of the lock file.

A name that fails stops no other name. All changes are written together at the end.
"""

from __future__ import annotations

import sys
from dataclasses import replace as changed
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.errors import LockError, PackageNotFound
from pulumi_iotda_ota.iotda.errors import CredentialsError, InputError, IotdaOtaError, ServiceError
from pulumi_iotda_ota.iotda.limits import LOCK_NAME
from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.iotda.sanitize import quoted
from pulumi_iotda_ota.lock import errors
from pulumi_iotda_ota.lock.entry import Entry, Outcome, differing_fields, differing_places, differing_words, place_of
from pulumi_iotda_ota.lock.files import change, load
from pulumi_iotda_ota.lock.report import reason
from pulumi_iotda_ota.lookup.find import find_package
from pulumi_iotda_ota.lookup.query import PackageLookup, words
from pulumi_iotda_ota.selection.choose import UNREADABLE
from pulumi_iotda_ota.serialization import package_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.lookup.session import Run


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
        run: the memory of the run.
        connection: the connection to the service.
        path: the lock file. It is created if it does not exist.
        name: the name of the entry.
        selection: the arguments of the lookup.
        replace: whether the name may exist already.

    Raises:
        InputError: the name is not allowed.
        LockError: the name exists already, or the file cannot be read or written.
        IotdaOtaError: the lookup failed; nothing was written.
    """
    if problem := LOCK_NAME.problem(name):
        raise InputError(f"{argument('name')} {problem}, not {quoted(name)}", argument="name")
    before = (load(path) or {}).get(name)
    _require_free(before, path, replace=replace)
    found, entry = _resolve(run, connection, name, selection)
    if before is not None and _is_same(before, entry):
        return changed(found, status="current", before=before, now=before)

    def edit(entries: dict[str, Entry]) -> dict[str, Entry]:
        _require_free(entries.get(name), path, replace=replace)
        return {**entries, name: entry}

    change(path, edit)
    return changed(found, status="added", before=before)


def update(run: Run, connection: ResolvedConnection, path: Path, names: Sequence[str] = ()) -> list[Outcome]:
    """Resolve locked lookups again, and write what has changed; see :func:`check`.

    Raises:
        LockError: a name is not locked, or the file cannot be read or written, or was changed meanwhile.
    """
    outcomes = check(run, connection, path, names)
    moved = {one.name: one for one in outcomes if one.now is not None and one.status in ("newer", "changed", "gone")}

    def edit(entries: dict[str, Entry]) -> dict[str, Entry]:
        other = [name for name, one in moved.items() if entries.get(name) != one.before]
        if other:
            facts = [("file", str(path)), ("fix", "run it again")]
            raise LockError(f"{quoted(other[0])} was changed by another program meanwhile", facts=facts)
        return {**entries, **{name: one.now for name, one in moved.items() if one.now is not None}}

    if moved:
        change(path, edit)
    return outcomes


def check(run: Run, connection: ResolvedConnection, path: Path, names: Sequence[str] = ()) -> list[Outcome]:
    """Compare locked packages with the service; change nothing.

    Args:
        run: the memory of the run.
        connection: the connection to the service. An entry of another place is skipped, unless it is named.
        path: the lock file.
        names: the names, or none for all.

    Raises:
        LockError: a name is not locked, all are locked in other places, or the file cannot be read.
    """
    entries = _named(load(path), names, path)
    # Entries with the same query share one list.
    shared = run.remembering()
    connection = shared.completed(connection)
    outcomes = [_outcome(shared, connection, entry, path, named=bool(names)) for entry in entries]
    if outcomes and all(one.status == "elsewhere" for one in outcomes):
        raise _elsewhere(entries[0], connection, path)
    return outcomes


def remove(path: Path, names: Sequence[str]) -> list[Outcome]:
    """Remove names from the lock file.

    Raises:
        LockError: a name does not exist; then none is removed.
    """
    outcomes: list[Outcome] = []

    def edit(entries: dict[str, Entry]) -> dict[str, Entry]:
        outcomes[:] = [Outcome(entry.name, "removed", entry) for entry in _named(entries, names, path)]
        return {name: entry for name, entry in entries.items() if name not in names}

    change(path, edit)
    return outcomes


def locked(path: Path) -> list[Entry]:
    """Return the entries in the order of their names.

    Raises:
        LockError: there is no file, or it cannot be read.
    """
    return _named(load(path), (), path)


def _outcome(run: Run, connection: ResolvedConnection, entry: Entry, path: Path, *, named: bool) -> Outcome:
    if differing_places(connection.identity, entry.place):
        error = _elsewhere(entry, connection, path)
        return Outcome(entry.name, "failed", entry, error=error) if named else Outcome(entry.name, "elsewhere", entry)
    try:
        found, now = _resolve(run, connection, entry.name, entry.selection)
        if now.package_id != entry.package_id:
            return changed(found, status="newer" if _exists(run, connection, entry) else "gone", before=entry)
        if differing_fields(now.package, entry.package):
            return changed(found, status="changed", before=entry)
        return changed(found, status="current", before=entry, now=entry)
    except PackageNotFound as error:
        return _without_match(run, connection, entry, error)
    except CredentialsError:
        raise  # the next name would fail as well
    except IotdaOtaError as error:
        return Outcome(entry.name, "failed", entry, error=error)


def _without_match(run: Run, connection: ResolvedConnection, entry: Entry, error: PackageNotFound) -> Outcome:
    """Return the outcome of a lookup without a match: the locked package was deleted, or does not match any more."""
    try:
        status = "failed" if _exists(run, connection, entry) else "gone"
    except IotdaOtaError as failed:
        return Outcome(entry.name, "failed", entry, error=failed)
    return Outcome(entry.name, status, entry, error=error)


def _exists(run: Run, connection: ResolvedConnection, entry: Entry) -> bool:
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


def _is_same(before: Entry, now: Entry) -> bool:
    """Return whether an entry is the same but for its time and reason."""
    return (
        not differing_words(now.selection, before.selection)
        and now.place == before.place
        and now.package_id == before.package_id
        and not differing_fields(now.package, before.package)
    )


def _elsewhere(entry: Entry, connection: ResolvedConnection, path: Path) -> LockError:
    known = connection.identity
    return errors.other_place(entry, known, differing_places(known, entry.place), path)


def _resolve(
    run: Run, connection: ResolvedConnection, name: str, selection: Mapping[str, Any]
) -> tuple[Outcome, Entry]:
    """Return the entry that a lookup makes now, also in an outcome whose status the caller sets.

    Raises:
        IotdaOtaError: as of ``lookup.find.find_package``.
    """
    query = words(selection)
    lookup = PackageLookup.from_arguments({**query, "include_file_location": True})
    connection = run.completed(connection)
    found = find_package(run, connection, lookup, most_skipped=sys.maxsize)
    if found is None:  # only with on_missing="none", which no entry stores
        raise PackageNotFound("no OTA package matches")
    entry = Entry(
        name=name,
        selection=query,
        place=place_of(connection.identity),
        package=package_values(found.package),
        locked_at=f"{run.clock.now():%Y-%m-%dT%H:%M:%SZ}",
        reason=reason(lookup, found),
    )
    records = tuple(map(str, found.selection.first_records))
    outcome = Outcome(
        name, "", now=entry, unreadable=records, unreadable_count=found.selection.skipped_counts[UNREADABLE]
    )
    return outcome, entry
