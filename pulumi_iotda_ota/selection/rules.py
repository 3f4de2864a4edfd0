"""The rules of a selection, in the order in which they apply: each skips a package with a reason, or lets it be.

The order is part of the interface, because the first rule that a package breaks is the one that is reported:

1. the exact filters: ``package_type``, ``app_id``, ``product_id``, ``version``, ``module_name``
2. the window: ``created_after``, ``created_before`` (the upload time must be readable)
3. the devices: ``source_versions``, then ``allow_downgrade``
4. the version: ``version_regex``, ``version_scheme`` (it must be readable), ``version_constraint``,
   ``include_prereleases``
5. the order by upload: ``most_recent`` or ``order_by`` (the time must be readable)

What then fits is ordered: ``preferred_versions``, then the version or the upload time. A single lookup requests
checksums (``require_checksum``) last, in that order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.models import read_service_time
from pulumi_iotda_ota.iotda.sanitize import quoted
from pulumi_iotda_ota.selection.constraints import parse
from pulumi_iotda_ota.selection.keys import Keys
from pulumi_iotda_ota.selection.regexes import whole_match
from pulumi_iotda_ota.selection.versions import about_unknown_word, is_prerelease, release_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from pulumi_iotda_ota.iotda.models import OtaPackage
    from pulumi_iotda_ota.selection.policy import Policy

    Reason = Callable[[OtaPackage], str | None]

_TOLD_SOURCES = 4
#: The exact filters. The service applies them too, except for ``module_name``.
EXACT = ("package_type", "app_id", "product_id", "version", "module_name")
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
    """One rule of a selection.

    Attributes:
        argument: the argument that it comes from.
        reason: returns what speaks against a package, or None.
        reads: whether the rule skips what it cannot read, which ``strict_versions`` makes an error.
    """

    argument: str
    reason: Reason
    reads: bool = False


def rules_of(policy: Policy, keys: Keys | None = None) -> list[Rule]:
    """Return the rules of a policy, in the order in which they apply.

    Args:
        policy: what is preferred.
        keys: where the keys of versions are remembered.

    Raises:
        InputError: a pattern, a constraint or a source version cannot be read.
    """
    keys = keys or Keys(policy.version_scheme)
    return [
        *_exact(policy),
        *_window(policy, keys),
        *_devices(policy, keys),
        *_versions(policy, keys),
        *_order(policy, keys),
    ]


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


def _window(policy: Policy, keys: Keys) -> Iterator[Rule]:
    if policy.created_after is not None:
        earliest = _bound(policy.created_after)
        yield _timed("created_after", keys)
        yield Rule("created_after", _uploaded(keys, lambda time: time < earliest))
    if policy.created_before is not None:
        end = _bound(policy.created_before)
        yield _timed("created_before", keys)
        yield Rule("created_before", _uploaded(keys, lambda time: time >= end))


def _order(policy: Policy, keys: Keys) -> Iterator[Rule]:
    if policy.order_by == "create_time":
        yield _timed("most_recent" if policy.most_recent else "order_by", keys)


def _timed(argument: str, keys: Keys) -> Rule:
    """Return the rule that skips a package whose upload time cannot be read: it has no place in time."""

    def reason(package: OtaPackage) -> str | None:
        return None if keys.created(package) else f"create_time {quoted(package.create_time)} cannot be read"

    return Rule(argument, reason, reads=True)


def _bound(text: str) -> datetime:
    """Return the time of a window, which the lookup has checked."""
    time = read_service_time(text)
    if time is None:
        raise ValueError(text)
    return time


def _uploaded(keys: Keys, outside: Callable[[datetime], bool]) -> Reason:
    def reason(package: OtaPackage) -> str | None:
        time = keys.created(package)
        return f"uploaded {package.created_at}" if time is not None and outside(time) else None

    return reason


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
        if key is None or key >= highest:
            return None
        word = about_unknown_word(key) if release_of(key) >= release_of(highest) else ""
        return f"below {sources[highest]}, which devices run{word}"

    return reason


def _versions(policy: Policy, keys: Keys) -> Iterator[Rule]:
    if policy.version_regex is not None:
        matches = whole_match("version_regex", policy.version_regex)
        yield Rule("version_regex", lambda package: None if matches(package.version) else "does not match")
    yield Rule("version_scheme", lambda package: keys.trouble(package.version), reads=True)
    # From here on every version has a key.
    if policy.version_constraint is not None:
        outside = parse(policy.version_constraint, keys.scheme).reason
        yield Rule("version_constraint", lambda package: outside(keys.key(package.version)))
    if not keeps_prereleases(policy):
        yield Rule(
            "include_prereleases",
            lambda package: "prerelease" if is_prerelease(keys.key(package.version)) else None,
        )
