"""Both walks against services that page in every way: a list is complete or an error, and no walk is endless."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_iotda_ota.iotda.errors import ProtocolError
from pulumi_iotda_ota.iotda.paging.marker import walk
from pulumi_iotda_ota.iotda.paging.scheduler import PageScheduler, Place
from tests.support.fuzzing import examples
from tests.support.walk_services import Record, WalkService, id_of, in_any_order, services

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from pulumi_iotda_ota.iotda.paging.marker import Page


def read_in_sequence(service: WalkService) -> list[Record]:
    """Return what the walk from page to page yields."""

    def fetch(marker: str | None) -> Page[Record]:
        page = service.serve(Place(marker, 0))
        assert page is not None
        assert service.requests < 500, "the walk does not end"
        return page

    return list(walk(fetch, key=id_of))


def read_together(service: WalkService, random: Random, width: int, *, eager: bool) -> list[Record]:
    """Return what the walk yields that requests several pages at a time, whose responses come in any order."""
    scheduler: PageScheduler[Record] = PageScheduler(key=id_of, eager=eager, limit=service.limit, most=4)
    found: list[Record] = []
    while not scheduler.finished:
        places = scheduler.wanted(width)
        assert places, "the walk waits for nothing"
        assert service.requests < 1000, "the walk does not end"
        for place, page in in_any_order(service, places, random):
            if page is None:
                scheduler.failed(place, refused=True)
            else:
                found += scheduler.answer(place, page)
    return found


def require_complete(service: WalkService, found: list[Record]) -> None:
    """Fail if a list is partial, but for the documented case, or has a record twice or one that never was."""
    named = [record.number for record in found if record.is_named]
    assert len(named) == len(set(named))
    assert {record.number for record in found} <= service.ever
    missing = service.stayed - {record.number for record in found}
    if missing:
        # docs/limits.md: the first page that is shorter than requested ends the list, if the list then has as many
        # records as the first page counted.
        assert len(found) == service.first_count, f"partial: {sorted(missing)}"
        assert service.first_count < len(service.at_start)
        assert any(len(page.records) < page.limit for page in service.shown)


@given(service=services())
@examples(400)
def test_a_list_that_is_read_in_sequence(service: WalkService) -> None:
    """Whatever the service, the walk from page to page ends with the whole list, an error, or the documented case."""
    try:
        found = read_in_sequence(service)
    except ProtocolError:
        return
    require_complete(service, found)
    assert service.requests <= 2 * len(service.ever) + 2


@given(service=services(), random=st.randoms(use_true_random=False), width=st.integers(1, 8), eager=st.booleans())
@examples(400)
def test_a_list_that_is_read_together(service: WalkService, random: Random, width: int, *, eager: bool) -> None:
    """Whatever the service and the order of responses, the parallel walk ends in the same ways."""
    try:
        found = read_together(service, random, width, eager=eager)
    except ProtocolError:
        return
    require_complete(service, found)


@given(service=services(documented=True), random=st.randoms(use_true_random=False), width=st.integers(1, 8))
@examples(300)
def test_documented_markers_and_offsets_end_in_no_error(service: WalkService, random: Random, width: int) -> None:
    """If markers and offsets are as documented, no count, page size, odd record or churn makes an error.

    The exceptions can hide records: a first page that holds nothing but counts some, an empty page without a list while
    records are missing by the count, and two pages in a row that hold only records without an id.
    """
    contradicts = not service.has_list or service.nameless or (not service.ids and service.count == "high")
    with contextlib.suppress(ProtocolError) if contradicts else contextlib.nullcontext():
        require_complete(service, read_together(service, random, width, eager=True))


@pytest.mark.parametrize("read", [read_in_sequence, None], ids=["in sequence", "together"])
@pytest.mark.parametrize(
    ("total", "limit", "requests"), [(0, 8, 1), (1, 8, 1), (7, 8, 1), (8, 8, 2), (9, 8, 2), (15, 8, 2), (16, 8, 3)]
)
def test_an_ordinary_list_costs_no_more_requests(
    read: Callable[[WalkService], list[Record]] | None, total: int, limit: int, requests: int
) -> None:
    """One request is enough for a list that fills no page; only a list whose last page is full costs one more."""
    service = WalkService(list(range(total)), limit=limit)
    scheduler: PageScheduler[Record] = PageScheduler(key=id_of, limit=limit)

    if read:
        assert len(read(service)) == total
    else:
        while not scheduler.finished:
            for place in scheduler.wanted(8):
                page = service.serve(place)
                assert page is not None
                scheduler.answer(place, page)
    assert service.requests == requests


@pytest.mark.parametrize("odd", [1, 3])
def test_an_odd_record_costs_no_request_on_the_only_page(odd: int) -> None:
    """Records without an id on the only page cost no request more."""
    service = WalkService(list(range(5)), frozenset(range(odd)), limit=8)

    assert len(read_in_sequence(service)) == 5
    assert service.requests == 1


@pytest.mark.parametrize(("nameless", "is_error"), [(range(4, 8), False), (range(3), False), (range(8), True)])
def test_pages_without_any_id(nameless: range, *, is_error: bool) -> None:
    """If two pages in a row hold only records without an id, the list may be partial: an error."""
    service = WalkService(list(range(13)), frozenset(nameless), limit=4)

    if is_error:
        with pytest.raises(ProtocolError, match="2 pages in a row hold no record that is new and has an id"):
            read_in_sequence(service)
    else:
        assert len(read_in_sequence(service)) == 13
