"""Makes an entry of the lock file: a lookup by its words, one more request for the file, and where, when and why."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.errors import PackageNotFound
from pulumi_iotda_ota.lock.entry import Entry, place_of
from pulumi_iotda_ota.lock.reason import reason
from pulumi_iotda_ota.lookup.find import find_package
from pulumi_iotda_ota.lookup.query import PackageLookup, words
from pulumi_iotda_ota.serialization import package_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.lookup.session import Run

__all__ = ["resolved"]


def resolved(run: Run, connection: ResolvedConnection, name: str, asked: Mapping[str, Any]) -> Entry:
    """Return what a lookup gives now, as an entry.

    Args:
        run: what this run remembers.
        connection: where and as whom to ask.
        name: what programs will call it.
        asked: the words of the selection.

    Raises:
        IotdaOtaError: as of ``lookup.find_package``.
    """
    query = words(asked)
    lookup = PackageLookup.from_arguments({**query, "with_file_location": True})
    connection = run.completed(connection)
    found = find_package(run, connection, lookup, most_skipped=sys.maxsize)
    if found is None:  # only where on_missing is "none", which is no word of a selection
        raise PackageNotFound("no OTA package fits")
    return Entry(
        name=name,
        asked=query,
        place=place_of(connection.identity),
        package=package_values(found.package),
        locked_at=f"{run.clock.now():%Y-%m-%dT%H:%M:%SZ}",
        why=reason(lookup, found),
    )
