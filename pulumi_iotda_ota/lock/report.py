"""Describes outcomes and entries: text for a pull request, values for programs, and why a package was selected."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.references import PYTHON, Spelling
from pulumi_iotda_ota.iotda.sanitize import plural, sanitize
from pulumi_iotda_ota.lock.entry import differing_fields
from pulumi_iotda_ota.selection.choose import UNREADABLE
from pulumi_iotda_ota.selection.rules import Keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pulumi_iotda_ota.lock.entry import Entry, Outcome
    from pulumi_iotda_ota.lookup.find import Found
    from pulumi_iotda_ota.lookup.query import PackageLookup
    from pulumi_iotda_ota.selection.choose import Skipped
    from pulumi_iotda_ota.selection.policy import Policy

_SHORT_ID = 12
_END = 4
_VERSIONS = 4
# In a pull request or a commit message, other characters can be Markdown, a mention or a command such as [skip ci].
_UNDOCUMENTED = re.compile(r"[^A-Za-z0-9_.-]")


_MOST_NAMED = 3
_CUT = 60  # characters of a version
# Packages of other scopes, ties, lower versions and versions that the scheme cannot read are not newer.
_NOT_NEWER = ("package_type", "app_id", "product_id", "module_name", "highest_version", "most_recent", "version_scheme")
# The lock file stores the reason for every interface, so it names no argument.
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
_LIST_VALUES = 4  # of a list


def news_text(outcome: Outcome, spelling: Spelling = PYTHON) -> str:
    """Return an outcome as text for a pull request."""
    before, now = outcome.before, outcome.now
    if outcome.status == "added" and now is not None:
        return entry_text(now) if before is None else _moved(before, now)
    if outcome.status in ("newer", "changed", "gone") and before is not None and now is not None:
        return _moved(before, now)
    return state_text(outcome, spelling)


def state_text(outcome: Outcome, spelling: Spelling = PYTHON) -> str:
    """Return the state of a name in one line, followed by the error if it failed."""
    version = _escape(outcome.before.version) if outcome.before else ""
    matches = f"{_matching(outcome, outcome.now)} matches now" if outcome.now else "nothing matches now"
    states = {
        "current": f"{version} is current",
        "newer": f"{version} is locked, {matches}",
        "changed": _change(outcome.before, outcome.now) if outcome.before and outcome.now else "",
        "gone": f"{version} is gone, {matches}",
        "elsewhere": f"{version} is locked in another place, and was skipped",
        "removed": f"{version} is not locked any more",
    }
    if outcome.status == "failed" and outcome.error is not None:
        return f"{outcome.name}: failed, {version} stays locked\n  " + outcome.error.rendered(spelling).replace(
            "\n", "\n  "
        )
    return f"{outcome.name}: {states[outcome.status]}"


def _matching(outcome: Outcome, now: Entry) -> str:
    """Return the version that matches now. If it is equal, it is of another package."""
    same = outcome.before is not None and outcome.before.version == now.version
    return f"another {_escape(now.version)}, package {_short(now.package_id)}," if same else _escape(now.version)


def entry_text(entry: Entry) -> str:
    """Return an entry as text for a pull request."""
    return "\n".join(
        [
            f"{entry.name}: {_escape(entry.version)}",
            f"  package {_short(entry.package_id)}, {_described(entry)}",
            f"  because: {_reason_of(entry)}",
        ]
    )


def entry_values(entry: Entry | None) -> dict[str, Any] | None:
    """Return an entry as plain values, in the names of the file."""
    if entry is None:
        return None
    fields = {"selection": entry.selection, "place": entry.place, "package": entry.package}
    return {
        "name": entry.name,
        **{name: dict(value) for name, value in fields.items()},
        "locked_at": entry.locked_at,
        "reason": entry.reason,
    }


def outcome_values(outcome: Outcome, spelling: Spelling = PYTHON) -> dict[str, Any]:
    """Return an outcome as plain values."""
    values: dict[str, Any] = {
        "name": outcome.name,
        "status": outcome.status,
        "locked": entry_values(outcome.before),
        "now": entry_values(outcome.now),
    }
    if outcome.unreadable_count:
        values["unreadable_records"] = outcome.unreadable_count
    return {**values, "error": outcome.error.rendered(spelling)} if outcome.error is not None else values


def _moved(before: Entry, now: Entry) -> str:
    ids = _short(now.package_id)
    if before.package_id != now.package_id:
        ids = f"{_short(before.package_id)} -> {ids}"
    return "\n".join(
        [
            f"{now.name}: {_change(before, now)}",
            f"  package {ids}, {_described(now)}",
            f"  because: {_reason_of(now)}",
        ]
    )


def _change(before: Entry, now: Entry) -> str:
    if before.package_id != now.package_id:
        return f"{_escape(before.version)} -> {_escape(now.version)}"
    fields = ", ".join(differing_fields(now.package, before.package))
    return f"{_escape(now.version)} has changed: {fields}" if fields else f"{_escape(now.version)}, as before"


def _described(entry: Entry) -> str:
    package = entry.package
    return f"uploaded {_escape(str(package['created_at'])[:10])}, {_supports(package)}, sha256 {_signed(package)}"


def _supports(package: Mapping[str, Any]) -> str:
    versions = [_escape(version) for version in package["support_source_versions"]]
    rest = len(versions) - _VERSIONS
    listed = ", ".join(versions[:_VERSIONS])
    return f"supports {listed}{f' and {rest} more' if rest > 0 else ''}" if versions else "supports every version"


def _signed(package: Mapping[str, Any]) -> str:
    location = (package.get("file_location") or {}).get("obs_location") or {}
    return "yes" if location.get("sign") else "no"


def _reason_of(entry: Entry) -> str:
    return sanitize(entry.reason, limit=1_000)


def _short(package_id: str) -> str:
    short = package_id if len(package_id) <= _SHORT_ID else f"{package_id[:_END]}…{package_id[-_END:]}"
    return "…".join(_escape(part) for part in short.split("…"))


def _escape(text: object) -> str:
    """Return a version, an id or a day. Characters that the API documents for none of them are escaped."""
    return _UNDOCUMENTED.sub(lambda found: f"\\u{ord(found[0]):04x}", sanitize(text))


# The reason that an entry stores, for the reviewer of a change.


def reason(lookup: PackageLookup, found: Found) -> str:
    """Return why a lookup selected its package: the request, and the higher versions that it skipped.

    Args:
        lookup: the lookup.
        found: its result, with all packages that it skipped.
    """
    if lookup.package_id is not None:
        return "requested by its id"
    newer = list(_newer(lookup.policy, found))
    notes = []
    if newer:
        named = ", ".join(f"{_cut(one.version)} {_why_not(lookup.policy, one)}" for one in newer[:_MOST_NAMED])
        rest = len(newer) - _MOST_NAMED
        notes.append(f"skipped {len(newer):,} newer: {named}{f' and {rest:,} more' if rest > 0 else ''}")
    notes += _unreadable(lookup.policy, (one for one in found.selection.skipped if one not in newer))
    chosen = _choice(lookup.policy, found)
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


def _choice(policy: Policy, found: Found) -> str:
    matched = " and ".join(_set_ones(policy, _MATCHED))
    wanted = " ".join([*([f"that matches {matched}"] if matched else []), *_set_ones(policy, _LIMITED)])
    preferred = _preferred(found)
    if preferred:
        return f"{_cut(preferred)}, a preferred version{' ' * bool(wanted)}{wanted}"
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
    """Yield the skipped packages with a higher version, the highest first."""
    keys = Keys(policy.version_scheme)
    chosen = keys.find(found.package.version)
    if chosen is None:
        return
    placed = [(key, one) for one in found.selection.skipped if (key := keys.find(one.version)) is not None]
    newer = [(key, one) for key, one in placed if key > chosen and one.rule not in _NOT_NEWER]
    yield from (one for _, one in sorted(newer, key=lambda pair: pair[0], reverse=True))


def _why_not(policy: Policy, skipped: Skipped) -> str:
    # A version that cannot be read is never newer, so the upload time is the cause.
    rule = "most_recent" if skipped.unreadable else skipped.rule
    return _SKIPPED[rule].format(_value(policy, rule) if rule != UNREADABLE else "")


def _value(policy: Policy, name: str) -> str:
    value = getattr(policy, name)
    if not isinstance(value, tuple):
        return _cut(str(value))
    rest = len(value) - _LIST_VALUES
    return f"{', '.join(map(_cut, value[:_LIST_VALUES]))}{f' and {rest} more' if rest > 0 else ''}"


def _cut(version: str) -> str:
    return sanitize(version, limit=_CUT)
