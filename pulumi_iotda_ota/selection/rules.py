"""The rules of a selection, in the order in which they apply: each passes a package over with a reason, or lets it be.

The order is part of the interface, because the first rule that a package breaks is the one that is told:

1. the exact filters: ``package_type``, ``app_id``, ``product_id``, ``version``, ``module_name``
2. the window: ``created_after``, ``created_before``
3. the devices: ``source_versions``, then ``allow_downgrade``
4. the version: ``version_regex``, ``version_scheme`` (it must be readable), ``version_constraint``,
   ``include_prereleases``

What then fits is ordered: ``preferred_versions``, then ``order_by``. A single lookup asks for checksums
(``require_checksum``) last, in that order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.models import parse_api_time
from pulumi_iotda_ota.selection.constraints import parse
from pulumi_iotda_ota.selection.keys import Keys
from pulumi_iotda_ota.selection.policy import EXACT
from pulumi_iotda_ota.selection.regexes import whole_match
from pulumi_iotda_ota.selection.versions import is_prerelease

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pulumi_iotda_ota.iotda.models import OtaPackage
    from pulumi_iotda_ota.selection.policy import Policy

    Reason = Callable[[OtaPackage], str | None]

_TOLD_SOURCES = 4
# A reason is a result too, so it names no argument.
_NOUNS = {
    "package_type": "type",
    "app_id": "resource space",
    "product_id": "product",
    "version": "version",
    "module_name": "module",
}


@dataclass(frozen=True)
class Rule:
    """One rule: the argument that it comes from, and what it says against a package, or None."""

    argument: str
    reason: Reason


def rules_of(policy: Policy, keys: Keys | None = None) -> list[Rule]:
    """Return the rules of a policy, in the order in which they apply.

    Args:
        policy: what is preferred.
        keys: where the keys of versions are remembered.

    Raises:
        InputError: a pattern, a constraint or a source version can not be read.
    """
    keys = keys or Keys(policy.version_scheme)
    return [*_exact(policy), *_window(policy), *_devices(policy, keys), *_versions(policy, keys)]


def keeps_prereleases(policy: Policy) -> bool:
    """Return whether prereleases are kept: as it was said, or where a prerelease is asked for by name."""
    if policy.include_prereleases is not None:
        return policy.include_prereleases
    keys = Keys(policy.version_scheme)
    if any(keys.is_prerelease(version) for version in (*policy.preferred_versions, policy.version) if version):
        return True
    constraint = policy.version_constraint
    return constraint is not None and parse(constraint, keys.scheme).names_prerelease


def _exact(policy: Policy) -> Iterator[Rule]:
    for name in EXACT:
        wanted = getattr(policy, name)
        if wanted is not None:
            yield Rule(name, _differs(name, wanted))


def _differs(name: str, wanted: str) -> Reason:
    def reason(package: OtaPackage) -> str | None:
        found = getattr(package, name)
        return None if found == wanted else f"{_NOUNS[name]} {found or 'not set'}"

    return reason


def _window(policy: Policy) -> Iterator[Rule]:
    if policy.created_after is not None:
        earliest = parse_api_time(policy.created_after)
        yield Rule("created_after", lambda package: _when(package) if package.created < earliest else None)
    if policy.created_before is not None:
        end = parse_api_time(policy.created_before)
        yield Rule("created_before", lambda package: _when(package) if package.created >= end else None)


def _when(package: OtaPackage) -> str:
    return f"uploaded {package.created_at}"


def _devices(policy: Policy, keys: Keys) -> Iterator[Rule]:
    sources = policy.source_versions
    if not sources:
        return

    needed = frozenset(sources)

    def unsupported(package: OtaPackage) -> str | None:
        supported = package.support_source_versions
        if not supported or needed.issubset(supported):
            return None
        told = ", ".join(supported[:_TOLD_SOURCES])
        return f"supports only {told}{' and others' * (len(supported) > _TOLD_SOURCES)}"

    yield Rule("source_versions", unsupported)
    if not policy.allow_downgrade:
        yield Rule("allow_downgrade", _below(policy, keys))


def _below(policy: Policy, keys: Keys) -> Reason:
    sources = {keys.scheme.key_of("source_versions", version): version for version in policy.source_versions}
    highest = max(sources)

    def reason(package: OtaPackage) -> str | None:
        key = keys.find(package.version)
        return f"below {sources[highest]}, which devices run" if key is not None and key < highest else None

    return reason


def _versions(policy: Policy, keys: Keys) -> Iterator[Rule]:
    if policy.version_regex is not None:
        matches = whole_match("version_regex", policy.version_regex)
        yield Rule("version_regex", lambda package: None if matches(package.version) else "does not match")
    yield Rule("version_scheme", lambda package: keys.trouble(package.version))
    # From here on every version has a key.
    if policy.version_constraint is not None:
        admits = parse(policy.version_constraint, keys.scheme).admits_key
        outside = f"outside {policy.version_constraint}"
        yield Rule("version_constraint", lambda package: None if admits(keys.key(package.version)) else outside)
    if not keeps_prereleases(policy):
        yield Rule(
            "include_prereleases",
            lambda package: "prerelease" if is_prerelease(keys.key(package.version)) else None,
        )
