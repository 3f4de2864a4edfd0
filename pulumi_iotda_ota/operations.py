"""The operations that every interface calls. Arguments and results are plain values with Python's names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.iotda.errors import InputError, ServiceError
from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.lock import errors
from pulumi_iotda_ota.lock.entry import Entry, differing_fields, differing_places, differing_words
from pulumi_iotda_ota.lock.files import load, lock_path
from pulumi_iotda_ota.lock.format import misfit
from pulumi_iotda_ota.lookup.devices import DeviceVersionsLookup, find_device_versions
from pulumi_iotda_ota.lookup.find import find_package, find_packages
from pulumi_iotda_ota.lookup.paths import UpgradePathLookup, find_upgrade_paths
from pulumi_iotda_ota.lookup.query import PackageLookup, PackagesLookup, UpgradeTaskLookup, words
from pulumi_iotda_ota.lookup.tasks import find_upgrade_task
from pulumi_iotda_ota.schema.validation import require_valid
from pulumi_iotda_ota.selection.choose import MAX_SKIPPED
from pulumi_iotda_ota.serialization import (
    device_versions_values,
    found_values,
    listed_values,
    package_values,
    paths_values,
    task_values,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.context import Context
    from pulumi_iotda_ota.lookup.devices import Progress
    from pulumi_iotda_ota.lookup.session import Run


def get_package(
    run: Run, context: Context, values: Mapping[str, Any], *, most_skipped: int = MAX_SKIPPED
) -> dict[str, Any]:
    """Return the package that matches, with ``found``; only ``found: False`` if none does and that is allowed.

    If ``lock`` is set, the lock file has the package. Otherwise the service has it.

    Args:
        run: the memory of the run.
        context: the settings of the connection. A lock needs no credentials.
        values: the arguments by name, None for one that is not set.
        most_skipped: how many skipped packages are described. All of them are counted.

    Raises:
        LockError: the lock file has no matching entry.
        IotdaOtaError: as of ``lookup.find.find_package``.
    """
    if values.get("lock") is not None:
        return {"found": True, **_locked(run, context, values)}
    require_lock(values)
    found = find_package(run, run.resolved(context), PackageLookup.from_arguments(values), most_skipped=most_skipped)
    return {"found": False} if found is None else {"found": True, **found_values(found)}


def list_packages(run: Run, context: Context, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the packages that match. ``packages`` is an iterator, so that a long list is not copied.

    Raises:
        IotdaOtaError: as of ``lookup.find.find_packages``.
    """
    lookup = PackagesLookup.from_arguments(values)
    return listed_values(find_packages(run, run.resolved(context), lookup))


def get_device_versions(
    run: Run, context: Context, values: Mapping[str, Any], *, progress: Progress | None = None
) -> dict[str, Any]:
    """Return how many devices run each version.

    Args:
        run: the clients.
        context: the settings of the connection.
        values: the arguments by name, None for one that is not set.
        progress: receives how many devices are read, and how many there are.

    Raises:
        IotdaOtaError: as of ``lookup.devices.find_device_versions``.
    """
    lookup = DeviceVersionsLookup.from_arguments(values)
    return device_versions_values(find_device_versions(run, run.resolved(context), lookup, progress=progress))


def get_upgrade_path(run: Run, context: Context, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the target package, and the path of each source version to it.

    Raises:
        IotdaOtaError: as of ``lookup.paths.find_upgrade_paths``.
    """
    lookup = UpgradePathLookup.from_arguments(values)
    return paths_values(find_upgrade_paths(run, run.resolved(context), lookup))


def get_task(run: Run, context: Context, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the current state of an upgrade task, with the first of its failed devices.

    Raises:
        IotdaOtaError: as of ``lookup.tasks.find_upgrade_task``.
    """
    return task_values(find_upgrade_task(run, run.resolved(context), UpgradeTaskLookup.from_arguments(values)))


def locked_entry(context: Context, values: Mapping[str, Any]) -> Entry:
    """Return the entry that ``lock`` names. Selection arguments beside it must be those of the entry.

    Args:
        context: the settings of the connection, and the folder of the program.
        values: the arguments by name; each passed its own rule.

    Raises:
        LockError: there is no such entry, its query or place is another one, or its package does not match its query.
    """
    name, selection = values["lock"], words(values)
    path = lock_path(context.environ, context.folder)
    entries = load(path)
    entry = (entries or {}).get(name)
    if entry is None:
        raise errors.not_locked(name, entries, path, selection)
    if selection and (differing := differing_words(selection, entry.selection)):
        raise errors.other_query(entry, selection, differing, path)
    known = context.known_place()
    if differing := differing_places(known, entry.place):
        raise errors.other_place(entry, known, differing, path)
    if problem := misfit(entry):
        raise errors.unfit(entry, problem, path)
    return entry


def locked_fields(entry: Entry, *, include_file_location: bool) -> dict[str, Any]:
    """Return the fields of a locked package. The file location is among them if the lookup would have returned it."""
    located = include_file_location or bool(entry.selection.get("require_checksum"))
    return {name: value for name, value in entry.package.items() if located or name != "file_location"}


def require_lock(values: Mapping[str, Any]) -> None:
    """Refuse ``verify`` without ``lock``.

    Raises:
        InputError: only ``verify`` is set.
    """
    if values.get("verify"):
        facts = [("fix", f"set {argument('lock')}, or remove {argument('verify', True)}")]
        headline = (
            f"{argument('verify', True)} needs {argument('lock')}: without a lock every lookup queries the service"
        )
        raise InputError(headline, argument="verify", facts=facts)


def require_unchanged(run: Run, context: Context, entry: Entry) -> None:
    """Check with one request that a locked package still exists, unchanged.

    Args:
        run: the memory of the run.
        context: the settings of the connection, with credentials.
        entry: the entry.

    Raises:
        PackageNotFound: the package does not exist.
        LockError: the package has changed, or the connection leads to another place.
    """
    connection = run.completed(run.resolved(context))
    # IAM may have returned another project. There, a missing package does not mean that it was deleted.
    reached = context.reached_place(connection)
    if differing := differing_places(reached, entry.place):
        raise errors.other_place(entry, reached, differing, lock_path(context.environ, context.folder))
    try:
        package = run.package(connection, entry.package_id)
    except ServiceError as error:
        if not error.is_not_found:
            raise
        raise errors.gone(entry, connection) from None
    now = package_values(package)
    if differing := differing_fields(now, entry.package):
        raise errors.changed(entry, now, differing)


def _locked(run: Run, context: Context, values: Mapping[str, Any]) -> dict[str, Any]:
    require_valid(schema.GET_OTA_PACKAGE, values)
    entry = locked_entry(context, values)
    if values.get("verify"):
        require_unchanged(run, context, entry)
    # The id is that of the query, so it is the same as without the lock.
    query = {**entry.selection, **{name: values.get(name) for name in ("on_missing", "include_file_location")}}
    fields = locked_fields(entry, include_file_location=bool(values.get("include_file_location")))
    return {**fields, "id": PackageLookup.from_arguments(query).id, "skipped": [], "skipped_counts": {}}
