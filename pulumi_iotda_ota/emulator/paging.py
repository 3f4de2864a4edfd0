"""Records and pages: hidden ids that only grow, and the marker, offset and limit rules of every list.

A record id is 24 hexadecimal digits, seconds since 1970 first; it has nothing to do with the id users see of a
package. Lists go from the largest record id down. This module knows no operation.
"""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pulumi_iotda_ota.emulator.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi_iotda_ota.emulator.behavior import Switches

_LIMIT = range(1, 51)
_OFFSET = range(501)
_DEFAULT_LIMIT = "10"
# The ids of the records of lists.
_IDS = ("package_id", "task_id", "target", "module_id", "device_id")
_DEFAULT_MARKER = "f" * 24
# The middle of an id: machine and process in the real thing, constant here so that ids can be quoted.
_MIDDLE = 0x3E4405E852


class Record(Protocol):
    """Anything that has a place in a list."""

    @property
    def record(self) -> int:
        """Return the record id as a number."""


R = TypeVar("R", bound=Record)


class RecordIds:
    """Hands out record ids; each is larger than all before, whatever the clock does."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, at: float) -> int:
        """Return a new id for a record made at ``at``."""
        return self.take(max(self._last + 1, (int(at) << 64) | (_MIDDLE << 24)))

    def take(self, record: int) -> int:
        """Note an id that was chosen by hand."""
        self._last = max(self._last, record)
        return record


@dataclass(frozen=True)
class PageQuery:
    """Which part of a list is asked for."""

    limit: int
    marker: str
    offset: int


def record_text(record: int) -> str:
    """Return a record id as its 24 digits."""
    return f"{record:024x}"


def parse_page(query: Mapping[str, str]) -> PageQuery:
    """Read ``limit``, ``marker`` and ``offset``.

    Raises:
        ApiError: one of them is out of its range.
    """
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
    """Return the asked part of ``records`` (largest record id first) and the ``page`` object of the answer."""
    # Strictly less than the marker, then the offset, then the limit. The default marker excludes nothing.
    start = bisect.bisect_right(records, -int(page.marker, 16), key=lambda item: -item.record)
    size = min(page.limit, switches.short_pages or page.limit)
    found = list(records[start + page.offset : start + page.offset + size])
    counts = {"all": len(records), "after_marker": len(records) - start, "page": len(found)}
    count = min(counts[switches.count], switches.count_cap or len(records))
    return found, {"count": str(count) if switches.count_as_text else count, **_marker_of(found, page, switches)}


def list_body(name: str, rows: Sequence[dict[str, Any]], info: dict[str, Any], switches: Switches) -> dict[str, Any]:
    """Return a page of a list as the switches show it.

    Args:
        name: the key of the list.
        rows: its records.
        info: the ``page`` object.
        switches: how records and empty lists are shown.
    """
    shown: dict[str, Any] = {name: [shown_as(row, switches) for row in rows], "page": info}
    if rows:
        return shown
    shown[name] = None if switches.empty_list == "null" else []
    if switches.empty_page == "null":
        shown["page"] = None
    left_out = [name] * (switches.empty_list == "absent") + ["page"] * (switches.empty_page == "absent")
    return {key: value for key, value in shown.items() if key not in left_out}


def shown_as(row: dict[str, Any], switches: Switches) -> dict[str, Any]:
    """Return a record as the switches show it."""
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
