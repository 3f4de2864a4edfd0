"""Finds the upgrade steps (hops) to a version that the devices cannot install directly.

A package is an edge from every version that it supports to its own version. A package that lists no supported versions
is an edge from every version. Listed versions compare as text, as on the service.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pulumi_iotda_ota.selection.rules import Keys, keeps_prereleases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from pulumi_iotda_ota.iotda.models import OtaPackage
    from pulumi_iotda_ota.selection.policy import Policy
    from pulumi_iotda_ota.selection.versions import Key

_SCOPE = ("package_type", "product_id", "module_name", "app_id")


@dataclass(frozen=True)
class UpgradePath:
    """The path of devices on one version to the target.

    Attributes:
        source_version: the version that the devices run.
        hops: the packages to install, in order. Empty if the devices run the target version, or cannot reach it.
        reachable: whether the target can be reached within the allowed number of hops.
        hops_needed: how many hops the shortest path has, if it has more than allowed; otherwise 0.
        needs_downgrade: whether the devices run a version above the target, and downgrades are not allowed.
        nearest_version: if no package leads on: the highest version that the devices can reach, which can be their own.
        missing_versions: if no package leads on: the versions from which the target can be reached. A package from
            ``nearest_version`` to one of them, or to the target, would close the gap. The lowest version comes first.
    """

    source_version: str
    hops: tuple[OtaPackage, ...] = ()
    reachable: bool = True
    hops_needed: int = 0
    needs_downgrade: bool = False
    nearest_version: str = ""
    missing_versions: tuple[str, ...] = ()


def find_paths(
    packages: Iterable[OtaPackage], target: OtaPackage, sources: Sequence[str], policy: Policy, *, max_hops: int
) -> list[UpgradePath]:
    """Return the path with the fewest hops for each source version.

    Of two paths with equally many hops, the one with the higher version at the first difference is returned. Of several
    packages with one version, the first in the list counts; ``target`` comes before all of its version.

    Args:
        packages: the packages of the account, in the service's order.
        target: the package to install.
        sources: the versions that the devices run.
        policy: the version scheme, and whether prereleases and downgrades are allowed.
        max_hops: the most hops of a path.

    Raises:
        InputError: the scheme cannot read a source version.
    """
    keys = Keys(policy.version_scheme)
    for source in sources:
        keys.scheme.key_of("source_versions", source)
    graph = _Graph(_hops(packages, target, policy, keys), keys, allow_downgrade=policy.allow_downgrade)
    first_hops = graph.first_hops(target.version, sources)
    unreached = [source for source in sources if source not in first_hops and source != target.version]
    nearest = graph.highest_reachable(unreached, target.version) if unreached else {}
    missing = graph.in_order(first_hops) if unreached else ()
    paths = []
    for source in sources:
        hops = tuple(_walk(first_hops, source, target.version))
        if source in nearest and graph.is_downgrade(source, target.version):
            paths.append(UpgradePath(source, reachable=False, needs_downgrade=True))
        elif source in nearest:
            paths.append(
                UpgradePath(source, reachable=False, nearest_version=nearest[source], missing_versions=missing)
            )
        elif len(hops) > max_hops:
            paths.append(UpgradePath(source, reachable=False, hops_needed=len(hops)))
        else:
            paths.append(UpgradePath(source, hops))
    return paths


def _walk(first_hops: dict[str, OtaPackage], version: str, target: str) -> Iterator[OtaPackage]:
    while version != target and version in first_hops:
        package = first_hops[version]
        yield package
        version = package.version


def _hops(packages: Iterable[OtaPackage], target: OtaPackage, policy: Policy, keys: Keys) -> Iterator[OtaPackage]:
    """Yield the packages that a path may use: of the target's type and scope, with a readable version."""
    yield target
    scope = [getattr(target, name) for name in _SCOPE]
    prereleases = keeps_prereleases(policy)
    for package in packages:
        if package.package_id == target.package_id or [getattr(package, name) for name in _SCOPE] != scope:
            continue
        if keys.find(package.version) is None:
            continue
        if prereleases or not keys.is_prerelease(package.version) or package.version == target.version:
            yield package


class _Graph:
    """Packages as edges between versions."""

    def __init__(self, packages: Iterable[OtaPackage], keys: Keys, *, allow_downgrade: bool) -> None:
        self._keys = keys
        self._allow_downgrade = allow_downgrade
        self._to: dict[str, list[OtaPackage]] = defaultdict(list)
        for package in packages:
            self._to[package.version].append(package)

    def first_hops(self, target: str, sources: Iterable[str]) -> dict[str, OtaPackage]:
        """Return the first hop of the best path for each version from which the target can be reached."""
        best: dict[str, OtaPackage] = {}
        self._place(target, best, self._waiting(sources))
        return best

    def highest_reachable(self, sources: Iterable[str], target: str) -> dict[str, str]:
        """Return the highest version that each source can reach and that is not above the target."""
        sources, limit = list(sources), self._key(target)
        placed: dict[str, OtaPackage] = {}
        waiting = self._waiting(sources)
        highest = {source: source for source in sources}
        for version in sorted(self._to, key=self._order, reverse=True):
            # A placed version leads to a higher one, so it needs no other search.
            if version not in placed and self._key(version) <= limit:
                for source in self._place(version, placed, waiting):
                    if source in highest and (
                        self._key(highest[source]) > limit or self._order(highest[source]) < self._order(version)
                    ):
                        highest[source] = version
        return highest

    def _place(self, target: str, best: dict[str, OtaPackage], waiting: _Waiting) -> list[str]:
        """Add the first hop of the best path for each version that reaches the target, and return these versions.

        The search goes back from the target level by level, and within a level from the highest package down. So the
        first package that places a version is the best one.
        """
        added: list[str] = []
        level = [target]
        while level:
            placed: list[str] = []
            for version in sorted(level, key=self._order, reverse=True):
                for package in self._to[version]:
                    limit = None if self._allow_downgrade else self._key(version)
                    for source in package.support_source_versions or waiting.up_to(limit):
                        if source != target and source not in best and self._allows(source, version):
                            best[source] = package
                            placed.append(source)
            added += placed
            level = [version for version in placed if version in self._to]
        return added

    def _waiting(self, sources: Iterable[str]) -> _Waiting:
        return _Waiting(sorted({*self._to, *sources}, key=self._order), self._key)

    def in_order(self, versions: Iterable[str]) -> tuple[str, ...]:
        """Return versions, the lowest first."""
        return tuple(sorted(versions, key=self._order))

    def is_downgrade(self, source: str, version: str) -> bool:
        """Return whether a step leads to a lower version, and is not allowed."""
        return not self._allows(source, version)

    def _allows(self, source: str, version: str) -> bool:
        """Return whether a hop is allowed. A downgrade is only allowed by the policy."""
        if self._allow_downgrade:
            return True
        below = self._keys.find(source)
        return below is None or below <= self._key(version)

    def _key(self, version: str) -> Key:
        return self._keys.find(version) or ()

    def _order(self, version: str) -> tuple[Key, str]:
        """Return the sort key of a version. The text decides between ties."""
        return self._key(version), version


class _Waiting:
    """The versions that are not placed yet by a package for every version. Each is returned once, lowest first."""

    def __init__(self, versions: Sequence[str], key: Callable[[str], Key]) -> None:
        self._versions = versions
        self._keys = [key(version) for version in versions]
        self._start = 0

    def up_to(self, limit: Key | None) -> Sequence[str]:
        """Remove and return the versions that are not above a limit, or all."""
        end = len(self._keys) if limit is None else max(self._start, bisect_right(self._keys, limit))
        start, self._start = self._start, end
        return self._versions[start:end]
