"""Paging against a plain model: whatever the records, marker, offset and limit, the page is the model's."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from pulumi_iotda_ota.emulator.behavior import Switches
from pulumi_iotda_ota.emulator.paging import PageQuery, RecordIds, cut_page, parse_page, record_text

RECORDS = st.integers(min_value=0, max_value=60)


@dataclass(frozen=True)
class Item:
    """A record and nothing else."""

    record: int


@given(
    records=st.sets(RECORDS),
    marker=st.one_of(st.none(), RECORDS),
    offset=st.integers(min_value=0, max_value=20),
    limit=st.integers(min_value=1, max_value=50),
)
def test_a_page_is_what_the_documents_say(records: set[int], marker: int | None, offset: int, limit: int) -> None:
    """Records strictly below the marker, largest first, without the first ``offset``, at most ``limit``."""
    query = {"offset": str(offset), "limit": str(limit)}
    if marker is not None:
        query["marker"] = record_text(marker)
    ordered = [Item(record) for record in sorted(records, reverse=True)]
    found, info = cut_page(ordered, parse_page(query), Switches())
    below = [item for item in ordered if marker is None or item.record < marker]
    assert found == below[offset : offset + limit]
    assert info["count"] == len(records)


@given(records=st.sets(RECORDS), short=st.integers(min_value=1, max_value=7), limit=st.integers(1, 50))
def test_a_walk_by_markers_meets_every_record_once(records: set[int], short: int, limit: int) -> None:
    """Short pages or not, following the marker visits all records in order."""
    ordered = [Item(record) for record in sorted(records, reverse=True)]
    seen: list[Item] = []
    marker = "f" * 24
    while True:
        found, info = cut_page(ordered, PageQuery(limit, marker, 0), Switches(short_pages=short))
        if not found:
            break
        seen += found
        marker = info["marker"]
    assert seen == ordered


@given(times=st.lists(st.floats(min_value=0, max_value=4e9), max_size=30))
def test_record_ids_only_grow(times: list[float]) -> None:
    """Whatever the clock does, each record id is larger than the one before, and has 24 digits."""
    ids = RecordIds()
    given_out = [ids.next(at) for at in times]
    assert given_out == sorted(set(given_out))
    assert all(len(record_text(record)) == 24 for record in given_out)
