"""Plan an upgrade: what a package does to the devices on each version. Sends nothing, and writes no error text."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal

from pulumi_iotda_ota.selection.rules import Keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pulumi_iotda_ota.iotda.models import OtaPackage
    from pulumi_iotda_ota.selection.paths import UpgradePath

    Outcome = Literal["upgrade", "up_to_date", "downgrade", "needs_hops", "unsupported", "unknown"]

MAX_DEVICES = 100
#: The outcomes, those that need attention first:
#:
#: * ``unsupported``: no package leads from the version to the target.
#: * ``needs_hops``: other packages must be installed first.
#: * ``unknown``: the version is not known.
#: * ``downgrade``: the version is above the target, and the package supports it.
#: * ``upgrade``: the package can be installed.
#: * ``up_to_date``: the devices run the target version.
OUTCOMES: tuple[Outcome, ...] = ("unsupported", "needs_hops", "unknown", "downgrade", "upgrade", "up_to_date")
_INCAPABLE: tuple[Outcome, ...] = ("unsupported", "needs_hops")


@dataclass(frozen=True)
class PlannedVersion:
    """What the package does to the devices on one version.

    Attributes:
        version: the version; empty for devices whose version is not known.
        devices: how many devices run it.
        outcome: one of :data:`OUTCOMES`.
        path: the packages to install, in order. Empty if none is needed, or no path is known.
    """

    version: str
    devices: int
    outcome: Outcome
    path: tuple[OtaPackage, ...] = ()


@dataclass(frozen=True)
class PlannedDevice:
    """What the package does to one device; ``version`` is empty if it is not known."""

    device_id: str
    version: str
    outcome: Outcome


@dataclass(frozen=True)
class UpgradePlan:
    """A plan.

    Attributes:
        package: the target.
        total: how many devices there are.
        counts: how many devices have each outcome; every outcome is a key.
        by_version: the versions: those that need attention first, then the most devices first.
        devices: the first 100 devices, in the order of the outcomes. Empty if devices were only counted.
        truncated: whether there are more devices than in ``devices``.
        method: how the devices were read.
        requests: how many requests it took.
    """

    package: OtaPackage
    total: int
    counts: Mapping[Outcome, int]
    by_version: tuple[PlannedVersion, ...]
    devices: tuple[PlannedDevice, ...]
    truncated: bool
    method: str
    requests: int

    @property
    def incapable(self) -> int:
        """Return how many devices cannot take the package: a gate counts these."""
        return sum(self.counts[outcome] for outcome in _INCAPABLE)


@dataclass(frozen=True)
class VersionCounts:
    """Which versions devices run.

    Attributes:
        versions: how many devices run each version.
        unknown: how many devices have no known version.
        devices: the version of each device, empty if it is not known; nothing if devices were only counted.
        method: how the devices were read.
        requests: how many requests it took.
    """

    versions: Mapping[str, int]
    unknown: int = 0
    devices: Mapping[str, str] | None = None
    method: str = ""
    requests: int = 0


def plan_upgrade(
    target: OtaPackage, paths: Iterable[UpgradePath], counted: VersionCounts, *, version_scheme: str = "loose"
) -> UpgradePlan:
    """Return what a package does to devices.

    Args:
        target: the package.
        paths: the path of each version. A version that the scheme cannot read has none.
        counted: the devices.
        version_scheme: how versions are ordered.
    """
    keys = Keys(version_scheme)
    known = {path.source_version: path for path in paths}
    planned = {
        version: _planned(version, devices, known.get(version), target, keys)
        for version, devices in counted.versions.items()
        if devices
    }
    if counted.unknown:
        planned[""] = PlannedVersion("", counted.unknown, "unknown")
    counts: Counter[Outcome] = Counter(dict.fromkeys(OUTCOMES, 0))
    for one in planned.values():
        counts[one.outcome] += one.devices
    listed = counted.devices or {}
    devices = sorted(
        (PlannedDevice(device_id, version, planned[version].outcome) for device_id, version in listed.items()),
        key=lambda one: (OUTCOMES.index(one.outcome), one.device_id),
    )
    total = counts.total()
    return UpgradePlan(
        package=target,
        total=total,
        counts=dict(counts),
        by_version=tuple(
            sorted(planned.values(), key=lambda one: (OUTCOMES.index(one.outcome), -one.devices, one.version))
        ),
        devices=tuple(islice(devices, MAX_DEVICES)),
        truncated=total > min(len(devices), MAX_DEVICES),
        method=counted.method,
        requests=counted.requests,
    )


def _planned(version: str, devices: int, path: UpgradePath | None, target: OtaPackage, keys: Keys) -> PlannedVersion:
    outcome = _outcome(version, path, target, keys)
    hops = path.hops if path is not None and outcome != "unsupported" else ()
    return PlannedVersion(version, devices, outcome, hops or ((target,) if outcome in ("upgrade", "downgrade") else ()))


def _outcome(version: str, path: UpgradePath | None, target: OtaPackage, keys: Keys) -> Outcome:
    if version == target.version:
        return "up_to_date"
    is_supported = not target.support_source_versions or version in target.support_source_versions
    key, target_key = keys.find(version), keys.find(target.version)
    if is_supported:
        return "downgrade" if key is not None and target_key is not None and key > target_key else "upgrade"
    # A hop of the target's version can be another package than the target.
    return "needs_hops" if path is not None and (path.hops or path.hops_needed) else "unsupported"
