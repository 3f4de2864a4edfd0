"""Reports what an update did to locked lookups: text for a pull request, values for programs. Sends nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.references import PYTHON, Spelling
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lock.entry import differing_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.lock.entry import Entry
    from pulumi_iotda_ota.lock.update import Outcome

_SHORT_ID = 12
_END = 4
_VERSIONS = 4
# In a pull request, or the commit under it, others can be Markdown, a mention, or a word to a pipeline: [skip ci].
_UNDOCUMENTED = re.compile(r"[^A-Za-z0-9_.-]")


def news_text(outcome: Outcome, spelling: Spelling = PYTHON) -> str:
    """Return what an update did to a name, or found, as text for a pull request."""
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
    told = {
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
    return f"{outcome.name}: {told[outcome.status]}"


def _matching(outcome: Outcome, now: Entry) -> str:
    """Return the version that matches now. If it is equal, it is of another package."""
    same = outcome.before is not None and outcome.before.version == now.version
    return f"another {_escape(now.version)}, package {_short(now.package_id)}," if same else _escape(now.version)


def entry_text(entry: Entry) -> str:
    """Return what is locked, as a pull request that adds it has it."""
    return "\n".join(
        [
            f"{entry.name}: {_escape(entry.version)}",
            f"  package {_short(entry.package_id)}, {_described(entry)}",
            f"  because: {_why(entry)}",
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
            f"  because: {_why(now)}",
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
    shown = ", ".join(versions[:_VERSIONS])
    return f"supports {shown}{f' and {rest} more' if rest > 0 else ''}" if versions else "supports every version"


def _signed(package: Mapping[str, Any]) -> str:
    location = (package.get("file_location") or {}).get("obs_location") or {}
    return "yes" if location.get("sign") else "no"


def _why(entry: Entry) -> str:
    return sanitize(entry.reason, limit=1_000)


def _short(package_id: str) -> str:
    short = package_id if len(package_id) <= _SHORT_ID else f"{package_id[:_END]}…{package_id[-_END:]}"
    return "…".join(_escape(part) for part in short.split("…"))


def _escape(text: object) -> str:
    """Return a version, an id or a day with every character written out that the API documents for none of them."""
    return _UNDOCUMENTED.sub(lambda found: f"\\u{ord(found[0]):04x}", sanitize(text))
