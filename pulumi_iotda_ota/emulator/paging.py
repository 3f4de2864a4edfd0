"""Records and pages: hidden ids that only grow, and the rules of marker, offset and limit of every list.

A record id is 24 hexadecimal digits that begin with the seconds since 1970. It is not the id of a package. Lists begin
with the largest record id.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pulumi_iotda_ota.emulator.messages import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi_iotda_ota.emulator.behavior import Switches

_LIMIT = range(1, 51)
_OFFSET = range(501)
_DEFAULT_LIMIT = "10"
# The ids of the records of lists.
_IDS = ("package_id", "task_id", "target", "device_id")
_DEFAULT_MARKER = "f" * 24
# The middle of an id: machine and process in the real thing, constant here so that ids can be quoted.
_MIDDLE = 0x3E4405E852


class Record(Protocol):
    """An element of a list."""

    @property
    def record(self) -> int:
        """Return the record id as a number."""


R = TypeVar("R", bound=Record)


class RecordIds:
    """Makes record ids; each is larger than all before, also if the clock goes back."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, at: float) -> int:
        """Return a new id for a record made at ``at``."""
        return self.take(max(self._last + 1, (int(at) << 64) | (_MIDDLE << 24)))

    def follow(self, other: RecordIds) -> None:
        """Make only ids that are larger than those of another one so far."""
        self.take(other._last)

    def take(self, record: int) -> int:
        """Record an id that a seed sets."""
        self._last = max(self._last, record)
        return record


@dataclass(frozen=True)
class PageQuery:
    """The part of a list that a request reads."""

    limit: int
    marker: str
    offset: int


def record_text(record: int) -> str:
    """Return a record id as its 24 digits."""
    return f"{record:024x}"


def parse_page(query: Mapping[str, str]) -> PageQuery:
    """Read ``limit``, ``marker`` and ``offset``, or refuse a value out of range."""
    marker = query.get("marker", _DEFAULT_MARKER)
    limit = _number(query.get("limit", _DEFAULT_LIMIT), _LIMIT, "limit")
    offset = _number(query.get("offset", "0"), _OFFSET, "offset")
    if not re.fullmatch(r"[0-9a-fA-F]{24}", marker):
        raise ApiError("invalid", "marker must be 24 hexadecimal digits.")
    return PageQuery(limit, marker, offset)


def listed(records: Sequence[R], switches: Switches, now: float) -> Sequence[R]:
    """Return the records that a list shows now. It shows a new record after ``list_lag`` seconds."""
    if not switches.list_lag:
        return records
    return [item for item in records if (item.record >> 64) + switches.list_lag <= now]


def cut_page(records: Sequence[R], page: PageQuery, switches: Switches) -> tuple[list[R], dict[str, Any]]:
    """Return a part of ``records`` (largest record id first) and the ``page`` object of the response."""
    # Strictly less than the marker, then the offset, then the limit. The default marker excludes nothing.
    start = bisect.bisect_right(records, -int(page.marker, 16), key=lambda item: -item.record)
    size = min(page.limit, switches.short_pages or page.limit)
    found = list(records[start + page.offset : start + page.offset + size])
    counts = {"all": len(records), "after_marker": len(records) - start, "page": len(found)}
    count = min(counts[switches.count], switches.count_cap or len(records))
    return found, {"count": str(count) if switches.count_as_text else count, **_marker_of(found, page, switches)}


def list_body(name: str, rows: Sequence[dict[str, Any]], info: dict[str, Any], switches: Switches) -> dict[str, Any]:
    """Return the body of a page as the switches require: its records under ``name``, and its ``page`` object."""
    body: dict[str, Any] = {name: [shown_as(row, switches) for row in rows], "page": info}
    if rows:
        return body
    body[name] = None if switches.empty_list == "null" else []
    if switches.empty_page == "null":
        body["page"] = None
    left_out = [name] * (switches.empty_list == "absent") + ["page"] * (switches.empty_page == "absent")
    return {key: value for key, value in body.items() if key not in left_out}


def shown_as(row: dict[str, Any], switches: Switches) -> dict[str, Any]:
    """Return a record as the switches require."""
    if not (switches.odd_fields or switches.absent_fields):
        return row
    id_ = next(row[key] for key in _IDS if key in row)
    absent = switches.absent_fields.get(id_, ())
    return {key: value for key, value in {**row, **switches.odd_fields.get(id_, {})}.items() if key not in absent}


def _marker_of(found: Sequence[Record], page: PageQuery, switches: Switches) -> dict[str, str]:
    if found:
        return {"marker": record_text(found[-1].record)}
    choices = {"absent": {}, "empty": {"marker": ""}, "echo": {"marker": page.marker}}
    return choices[switches.empty_marker]


def _number(text: str, allowed: range, name: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) not in allowed:
        raise ApiError(name)
    return int(text)
