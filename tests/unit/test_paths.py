"""Upgrade paths: the fewest hops from each source version to the target, on packages in memory."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.selection.paths import UpgradePath, find_paths
from pulumi_iotda_ota.selection.policy import Policy
from pulumi_iotda_ota.selection.versions import scheme
from tests.support.packages import package

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi_iotda_ota.iotda.models import OtaPackage

VERSIONS = ("1", "2", "3", "4", "5")


def edge(version: str, *sources: str, **fields: str) -> OtaPackage:
    """Return a package that leads to a version; without sources it leads from every version."""
    fields.setdefault("package_id", f"to-{version}-from-{'-'.join(sources) or 'every'}")
    return package(version=version, support_source_versions=sources, **fields)


def path(packages: Sequence[OtaPackage], source: str, *, max_hops: int = 5, **rules: object) -> UpgradePath:
    """Return the path from one version to the last package of the list."""
    (found,) = find_paths(packages, packages[-1], [source], Policy(**rules), max_hops=max_hops)  # type: ignore[arg-type]
    return found


def versions(found: UpgradePath) -> list[str]:
    """Return the versions of the hops."""
    return [hop.version for hop in found.hops]


def test_one_hop_if_the_target_supports_the_version() -> None:
    """A package that supports a version, or names none, is one hop."""
    assert versions(path([edge("2", "1"), edge("3", "1")], "1")) == ["3"]
    assert versions(path([edge("3")], "1")) == ["3"]


def test_devices_that_run_the_target_need_no_hop() -> None:
    """A source version that is the target's needs nothing and is reachable."""
    found = path([edge("3", "2")], "3")

    assert (found.hops, found.reachable) == ((), True)


def test_the_higher_intermediate_version_wins_a_tie() -> None:
    """Of two paths with equally many hops the one through the higher version is taken."""
    target = edge("9", "2", "3")

    assert versions(path([edge("2", "1"), edge("3", "1"), target], "1")) == ["3", "9"]


def test_the_target_itself_comes_first_of_its_version() -> None:
    """If another package of the target's version supports a version too, the target is the hop."""
    twin, target = edge("3", "1", package_id="twin"), edge("3", "1", package_id="target")

    assert [hop.package_id for hop in path([twin, target], "1").hops] == ["target"]


def test_a_downgrade_is_a_hop_only_if_it_is_allowed() -> None:
    """A path goes through no lower version, unless downgrades are allowed."""
    packages = [edge("1", "2"), edge("3", "1")]

    assert not path(packages, "2").reachable
    assert path([edge("1", "2")], "2").needs_downgrade
    assert versions(path(packages, "2", allow_downgrade=True)) == ["1", "3"]


def test_a_prerelease_is_a_hop_only_if_prereleases_are_kept() -> None:
    """An intermediate version obeys the rule for prereleases that the target obeys."""
    packages = [edge("2-rc1", "1"), edge("3", "2-rc1")]

    assert not path(packages, "1").reachable
    assert versions(path(packages, "1", include_prereleases=True)) == ["2-rc1", "3"]


@pytest.mark.parametrize(
    "field", [{"product_id": "other"}, {"package_type": "softwarePackage"}, {"app_id": "other"}, {"module_name": "m"}]
)
def test_a_hop_is_of_the_same_product_type_space_and_module(field: dict[str, str]) -> None:
    """A package of another product, type, resource space or module is no hop."""
    assert not path([edge("2", "1", **field), edge("3", "2")], "1").reachable


def test_what_cannot_be_reached_names_both_ends_of_the_gap() -> None:
    """Without a path: the highest version that can be reached, and the versions that lead to the target."""
    found = path([edge("2", "1"), edge("3", "2"), edge("7", "6"), edge("8", "7")], "1")

    assert (found.reachable, found.nearest_version, found.missing_versions) == (False, "3", ("6", "7"))


def test_the_number_of_hops_is_limited() -> None:
    """A path that is longer than allowed is no path; how many hops it needs is known."""
    packages = [edge(str(number + 1), str(number)) for number in range(1, 8)]

    assert len(path(packages, "3").hops) == 5
    found = path(packages, "2")
    assert (found.reachable, found.hops, found.hops_needed) == (False, (), 6)
    assert len(path(packages, "2", max_hops=6).hops) == 6


def test_a_source_version_must_be_readable() -> None:
    """A source version that the scheme cannot read is an error that names the argument."""
    with pytest.raises(InputError, match="source_versions has 'V1'"):
        path([edge("2.0.0")], "V1", version_scheme="semver")


EDGES = st.lists(
    st.builds(
        lambda version, sources: edge(version, *sources),
        st.sampled_from(VERSIONS),
        st.lists(st.sampled_from(VERSIONS), max_size=3, unique=True),
    ),
    min_size=1,
    max_size=9,
)


@given(EDGES, st.sampled_from(VERSIONS), st.booleans())
def test_every_path_is_a_shortest_one(packages: list[OtaPackage], source: str, downgrade: bool) -> None:
    """Each hop supports the version before it, and no order of intermediate versions needs fewer hops."""
    key = scheme("loose").key

    def leads(package: OtaPackage, version: str) -> bool:
        supported = package.support_source_versions
        allowed = downgrade or key(version) <= key(package.version)
        return allowed and (not supported or version in supported)

    def shortest() -> int | None:
        """Try every order of intermediate versions."""
        target = packages[-1].version
        if source == target:
            return 0
        for length in range(len(VERSIONS)):
            for between in permutations([one for one in VERSIONS if one not in (source, target)], length):
                steps = list(zip((source, *between), (*between, target)))  # noqa: B905
                if all(any(one.version == to and leads(one, before) for one in packages) for before, to in steps):
                    return length + 1
        return None

    found = path(packages, source, max_hops=20, allow_downgrade=downgrade)

    expected = shortest()
    assert found.reachable == (expected is not None)
    if expected is not None:
        assert len(found.hops) == expected
        run = source
        for hop in found.hops:
            assert leads(hop, run)
            run = hop.version
        assert run == packages[-1].version
        return
    assert found.needs_downgrade == (not downgrade and key(source) > key(packages[-1].version))
    reached = {source}
    for _ in VERSIONS:
        reached |= {one.version for one in packages for version in reached if leads(one, version)}
    within = [version for version in reached if key(version) <= key(packages[-1].version)]
    nearest = "" if found.needs_downgrade else max(within, key=key, default=source)
    assert found.nearest_version == nearest
