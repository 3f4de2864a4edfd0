"""Plans: what a package does to the devices on each version, on values in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from pulumi_iotda_ota.selection.paths import find_paths
from pulumi_iotda_ota.selection.plan import MAX_DEVICES, OUTCOMES, UpgradePlan, VersionCounts, plan_upgrade
from pulumi_iotda_ota.selection.policy import Policy
from pulumi_iotda_ota.selection.versions import scheme
from tests.unit.test_paths import EDGES, VERSIONS, edge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

    from pulumi_iotda_ota.iotda.models import OtaPackage


def plan(
    packages: Sequence[OtaPackage],
    versions: Mapping[str, int],
    *,
    unknown: int = 0,
    devices: Mapping[str, str] | None = None,
    max_hops: int = 5,
    **rules: object,
) -> UpgradePlan:
    """Return the plan for the last package of the list."""
    paths = find_paths(packages, packages[-1], list(versions), Policy(**rules), max_hops=max_hops)  # type: ignore[arg-type]
    return plan_upgrade(packages[-1], paths, VersionCounts(versions, unknown, devices, "search", 3))


def outcomes(found: UpgradePlan) -> dict[str, str]:
    """Return the outcome of each version."""
    return {one.version: one.outcome for one in found.by_version}


def test_every_outcome() -> None:
    """Each version has the outcome that its path and its place beside the target lead to."""
    packages = [edge("2", "1"), edge("4", "2", "3", "6")]
    found = plan(packages, {"1": 2, "2": 1, "3": 5, "4": 7, "5": 3, "6": 1, "0": 4}, unknown=9)

    assert outcomes(found) == {
        "0": "unsupported",
        "5": "unsupported",
        "1": "needs_hops",
        "": "unknown",
        "6": "downgrade",
        "3": "upgrade",
        "2": "upgrade",
        "4": "up_to_date",
    }
    assert found.counts == {
        "unsupported": 7,
        "needs_hops": 2,
        "unknown": 9,
        "downgrade": 1,
        "upgrade": 6,
        "up_to_date": 7,
    }
    assert (found.total, found.incapable, found.method, found.requests) == (32, 9, "search", 3)
    assert [one.version for one in found.by_version] == ["0", "5", "1", "", "6", "3", "2", "4"]
    paths = {one.version: [hop.version for hop in one.path] for one in found.by_version}
    assert (paths["1"], paths["3"], paths["6"], paths["0"], paths["4"]) == (["2", "4"], ["4"], ["4"], [], [])


def test_more_hops_than_allowed_need_hops() -> None:
    """A version that needs more hops than allowed is not unsupported."""
    found = plan([edge("2", "1"), edge("3", "2"), edge("4", "3")], {"1": 1}, max_hops=2)
    assert outcomes(found) == {"1": "needs_hops"}


def test_another_package_of_the_version_is_a_hop() -> None:
    """If only another package of the target's version supports the devices, the target cannot be installed."""
    twin, target = edge("3", "1", package_id="twin"), edge("3", "2", package_id="target")
    found = plan([twin, target], {"1": 1, "2": 1})

    assert outcomes(found) == {"1": "needs_hops", "2": "upgrade"}
    assert [hop.package_id for hop in found.by_version[0].path] == ["twin"]


def test_a_version_that_the_scheme_cannot_read() -> None:
    """A version without a path is judged by the list of the package alone."""
    target = edge("2.0.0", "V1")
    counted = VersionCounts({"V1": 1, "V0": 1})
    assert outcomes(plan_upgrade(target, [], counted, version_scheme="semver")) == {
        "V0": "unsupported",
        "V1": "upgrade",
    }


def test_the_first_devices_need_attention() -> None:
    """The first 100 devices are those that need attention first. A plan without devices has none, and says so."""
    devices = {f"d{number:03}": "1" for number in range(150)} | {"x": "0", "y": ""}
    found = plan([edge("2", "1")], {"1": 150, "0": 1}, unknown=1, devices=devices)

    assert [(one.device_id, one.outcome) for one in found.devices[:3]] == [
        ("x", "unsupported"),
        ("y", "unknown"),
        ("d000", "upgrade"),
    ]
    assert (len(found.devices), found.truncated) == (MAX_DEVICES, True)
    assert plan([edge("2", "1")], {"1": 1}, devices={"d": "1"}).truncated is False
    assert plan([edge("2", "1")], {"1": 1}).truncated is True
    empty = plan([edge("2", "1")], {})
    assert (empty.total, empty.truncated, empty.by_version) == (0, False, ())


COUNTS = st.dictionaries(st.sampled_from((*VERSIONS, "0", "9")), st.integers(0, 50))


@given(EDGES, COUNTS, st.integers(0, 9), st.booleans())
def test_a_plan_accounts_for_every_device(
    packages: list[OtaPackage], versions: dict[str, int], unknown: int, downgrade: bool
) -> None:
    """Each device is counted once, and each outcome is what the package and the path of the version say."""
    found = plan(packages, versions, unknown=unknown, allow_downgrade=downgrade, max_hops=20)
    key, target = scheme("loose").key, packages[-1]

    assert found.total == sum(versions.values()) + unknown == sum(found.counts.values())
    assert tuple(found.counts) == OUTCOMES
    assert sum(one.devices for one in found.by_version) == found.total
    assert found.counts["unknown"] == unknown
    for one in found.by_version:
        supported = not target.support_source_versions or one.version in target.support_source_versions
        if one.outcome in ("upgrade", "downgrade"):
            assert supported
            assert (key(one.version) > key(target.version)) == (one.outcome == "downgrade")
        elif one.outcome == "needs_hops":
            assert not supported
            assert one.path[-1].version == target.version
        elif one.outcome == "unsupported":
            assert not supported
            assert one.path == ()


@given(EDGES, COUNTS, st.randoms())
def test_the_order_of_versions_and_devices_does_not_matter(
    packages: list[OtaPackage], versions: dict[str, int], random: Random
) -> None:
    """A plan is the same, in whichever order versions and devices come."""
    devices = {f"{version}-{number}": version for version, count in versions.items() for number in range(count)}
    shuffled = [*devices.items()]
    random.shuffle(shuffled)
    backwards = dict(reversed(versions.items()))
    assert plan(packages, versions, devices=devices) == plan(packages, backwards, devices=dict(shuffled))
