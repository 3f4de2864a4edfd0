"""Why a lookup gave the package that it gave, in one line for whoever reviews a change. Sends nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.sanitize import plural, sanitize
from pulumi_iotda_ota.selection.choose import UNREADABLE
from pulumi_iotda_ota.selection.rules import Keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pulumi_iotda_ota.lookup.find import Found
    from pulumi_iotda_ota.lookup.query import PackageLookup
    from pulumi_iotda_ota.selection.choose import Skipped
    from pulumi_iotda_ota.selection.policy import Policy

_MOST_NAMED = 3
_SHOWN = 60  # characters of a version
# What other products have, what ties or is lower, and what no scheme can place, is not newer.
_NOT_NEWER = ("package_type", "app_id", "product_id", "module_name", "highest_version", "most_recent", "version_scheme")
# The reason is stored in the lock file, so it is in words and names no argument.
_MATCHED = {"version": "{}", "version_constraint": "{}", "version_regex": "the pattern {}"}
_LIMITED = {
    "source_versions": "for devices on {}",
    "created_after": "uploaded since {}",
    "created_before": "uploaded before {}",
    "require_checksum": "with a checksum",
}
_SKIPPED = {
    "version": "is another version",
    "created_after": "uploaded before {}",
    "created_before": "not uploaded before {}",
    "source_versions": "does not support {}",
    "allow_downgrade": "is below what devices run",
    "version_regex": "does not match the pattern",
    "version_constraint": "outside {}",
    "include_prereleases": "prerelease",
    "require_checksum": "without a checksum",
    "most_recent": "without a readable upload time",
    "preferred_versions": "is not preferred",
    UNREADABLE: "cannot be judged",
}
_VALUES = 4  # of a list


def reason(lookup: PackageLookup, found: Found) -> str:
    """Return why this package: what was requested, and which higher versions were skipped.

    Args:
        lookup: what was asked.
        found: what was found, with all that was passed over.
    """
    if lookup.package_id is not None:
        return "requested by its id"
    newer = list(_newer(lookup.policy, found))
    notes = []
    if newer:
        named = ", ".join(f"{_short(one.version)} {_why_not(lookup.policy, one)}" for one in newer[:_MOST_NAMED])
        rest = len(newer) - _MOST_NAMED
        notes.append(f"skipped {len(newer):,} newer: {named}{f' and {rest:,} more' if rest > 0 else ''}")
    notes += _unreadable(lookup.policy, (one for one in found.selection.skipped if one not in newer))
    chosen = _chosen(lookup.policy, found)
    return f"{chosen} ({'; '.join(notes)})" if notes else chosen


def _unreadable(policy: Policy, skipped: Iterable[Skipped]) -> Iterator[str]:
    """Yield how many of the skipped packages no rule could judge, because a version, a time or a record is odd."""
    rules = [one.rule for one in skipped if one.unreadable or one.rule == UNREADABLE]
    versions, records = rules.count("version_scheme"), rules.count(UNREADABLE)
    times = len(rules) - versions - records
    if versions:
        yield f"skipped {plural(versions, 'version')} that {policy.version_scheme} cannot read"
    if times:
        yield f"skipped {plural(times, 'package')} without a readable upload time"
    if records:
        yield f"skipped {plural(records, 'record')} that cannot be judged"


def _chosen(policy: Policy, found: Found) -> str:
    matched = " and ".join(_set_ones(policy, _MATCHED))
    wanted = " ".join([*([f"that matches {matched}"] if matched else []), *_set_ones(policy, _LIMITED)])
    preferred = _preferred(found)
    if preferred:
        return f"{_short(preferred)}, a preferred version{' ' * bool(wanted)}{wanted}"
    choice = "newest package" if policy.most_recent else "highest version" if policy.may_choose else "the only package"
    return f"{choice} {wanted or 'there is'}"


def _set_ones(policy: Policy, phrases: Mapping[str, str]) -> list[str]:
    return [phrase.format(_value(policy, name)) for name, phrase in phrases.items() if getattr(policy, name)]


def _preferred(found: Found) -> str:
    """Return the preferred version that the package has, or empty."""
    tiers = found.selection.tiers
    ids = {tier.preferred: [package.package_id for package in tier.packages] for tier in tiers}
    return next((preferred for preferred, those in ids.items() if found.package.package_id in those), "")


def _newer(policy: Policy, found: Found) -> Iterator[Skipped]:
    """Yield what was passed over though its version is higher, the highest first."""
    keys = Keys(policy.version_scheme)
    chosen = keys.find(found.package.version)
    if chosen is None:
        return
    placed = [(key, one) for one in found.selection.skipped if (key := keys.find(one.version)) is not None]
    newer = [(key, one) for key, one in placed if key > chosen and one.rule not in _NOT_NEWER]
    yield from (one for _, one in sorted(newer, key=lambda pair: pair[0], reverse=True))


def _why_not(policy: Policy, skipped: Skipped) -> str:
    # What the scheme cannot read is not listed, so it is the upload time.
    rule = "most_recent" if skipped.unreadable else skipped.rule
    return _SKIPPED[rule].format(_value(policy, rule) if rule != UNREADABLE else "")


def _value(policy: Policy, name: str) -> str:
    value = getattr(policy, name)
    if not isinstance(value, tuple):
        return _short(str(value))
    rest = len(value) - _VALUES
    return f"{', '.join(map(_short, value[:_VALUES]))}{f' and {rest} more' if rest > 0 else ''}"


def _short(version: str) -> str:
    return sanitize(version, limit=_SHOWN)
