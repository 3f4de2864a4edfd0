"""Look up the paths by which devices reach a target package. Only reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.iotda.models import PackageQuery, UnreadableRecord
from pulumi_iotda_ota.iotda.retry import Deadline
from pulumi_iotda_ota.lookup.error_messages import not_judged
from pulumi_iotda_ota.lookup.find import find_package
from pulumi_iotda_ota.lookup.query import PackageLookup, query_id
from pulumi_iotda_ota.schema.validation import require_valid
from pulumi_iotda_ota.selection.paths import find_paths
from pulumi_iotda_ota.selection.policy import Policy
from pulumi_iotda_ota.selection.rules import keeps_prereleases
from pulumi_iotda_ota.selection.versions import scheme

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.models import OtaPackage
    from pulumi_iotda_ota.lookup.session import Run
    from pulumi_iotda_ota.selection.paths import UpgradePath

_DEFAULT_HOPS = 5
# The arguments that rule hops, so that they may stand beside the id of the target.
_OF_HOPS = ("version_scheme", "include_prereleases", "allow_downgrade")


@dataclass(frozen=True)
class UpgradePathLookup:
    """The checked arguments of get_upgrade_path; see :meth:`from_arguments`.

    Attributes:
        target: the lookup of the target.
        hops: the rules of a hop: version scheme, prereleases and downgrades.
        source_versions: the versions that devices run, each once.
        max_hops: the most hops of a path.
        id: the id of the query.
    """

    target: PackageLookup
    hops: Policy
    source_versions: tuple[str, ...]
    max_hops: int
    id: str

    @classmethod
    def from_arguments(cls, values: Mapping[str, Any]) -> UpgradePathLookup:
        """Return the checked lookup.

        Raises:
            InputError: a value breaks its rule, or two contradict each other. Nothing was sent.
        """
        require_valid(schema.GET_UPGRADE_PATH, values)
        left_out = ("source_versions", "max_hops", *(_OF_HOPS if values.get("package_id") is not None else ()))
        values = {name: given for name, given in values.items() if given is not None}
        target = PackageLookup.from_arguments({name: given for name, given in values.items() if name not in left_out})
        given = values["source_versions"]
        sources = tuple(dict.fromkeys(given if isinstance(given, (list, tuple)) else sorted(given)))
        name = values.get("version_scheme", "loose")
        for source in sources:
            scheme(name).key_of("source_versions", source)
        return cls(
            target=target,
            hops=Policy(
                version_scheme=name,
                # Hops may be prereleases if the target may.
                include_prereleases=values.get("include_prereleases", keeps_prereleases(target.policy) or None),
                allow_downgrade=values.get("allow_downgrade", False),
            ),
            source_versions=sources,
            max_hops=values.get("max_hops", _DEFAULT_HOPS),
            id=query_id("get_upgrade_path", schema.GET_UPGRADE_PATH, values),
        )


@dataclass(frozen=True)
class FoundPaths:
    """The target, and the path of each source version."""

    target: OtaPackage
    paths: tuple[UpgradePath, ...]
    unreadable_records: int
    id: str


def find_upgrade_paths(run: Run, connection: ResolvedConnection, lookup: UpgradePathLookup) -> FoundPaths:
    """Return for each source version its path to the target.

    Raises:
        PackageNotFound: no package matches the selection of the target.
        MultiplePackages: several packages match it.
        IotdaOtaError: the list could not be read to its end.
    """
    # One deadline for the target and the list.
    deadline = Deadline.start(run.clock, connection.deadline)
    connection = run.completed(connection, deadline=deadline)
    found = find_package(run, connection, lookup.target, deadline=deadline)
    if found is None:
        raise AssertionError("a lookup that may not miss returns a package")
    target, policy = found.package, lookup.target.policy
    scheme(lookup.hops.version_scheme).key_of("package_id", target.version)
    listed = found.listed
    if not listed or policy.version is not None:
        # The lookup of the target read no list, or only the packages of one version.
        query = PackageQuery(target.package_type, target.app_id, target.product_id)
        listed = run.packages(connection, query, deadline=deadline).packages
    records = [record for record in listed if isinstance(record, UnreadableRecord)]
    if records and policy.strict_versions:
        raise not_judged(policy, len(records), records[0])
    paths = find_paths(
        (package for package in listed if not isinstance(package, UnreadableRecord)),
        target,
        lookup.source_versions,
        replace(lookup.hops, version=target.version),
        max_hops=lookup.max_hops,
    )
    return FoundPaths(target, tuple(paths), len(records), lookup.id)
