"""Which pages the scheduler takes, and in which order it requests them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_iotda_ota.iotda.errors import ProtocolError
from pulumi_iotda_ota.iotda.paging.marker import Page, walk
from pulumi_iotda_ota.iotda.paging.scheduler import PageScheduler, Place
from tests.support.fuzzing import examples
from tests.support.paged_service import QUIRKS, TOP, Service, marker_of

if TYPE_CHECKING:
    from collections.abc import Callable


def run(
    service: Service, width: int = 8, *, eager: bool = True, between: Callable[[], None] = lambda: None
) -> tuple[list[int], int]:
    """Return what a walk yields, and in how many round trips, where responses come in the order of the requests."""
    scheduler: PageScheduler[int] = PageScheduler(key=str, eager=eager, limit=service.limit)
    found: list[int] = []
    rounds = 0
    while not scheduler.finished:
        places = scheduler.wanted(width)
        rounds += 1
        for place, page in [(place, service.serve(place)) for place in places]:
            if page is None:
                scheduler.failed(place, refused=True)
            else:
                found += scheduler.answer(place, page)
        between()
    return found, rounds


def records(count: int, quirk: str = "") -> Service:
    """Return a service with so many records."""
    return Service(list(range(1, count + 1)), quirk=quirk)


@pytest.mark.parametrize(
    ("count", "requests", "rounds"),
    [
        (0, 1, 1),
        (1, 1, 1),
        (49, 1, 1),
        (50, 2, 2),
        (51, 2, 2),
        (99, 2, 2),
        (100, 3, 3),
        (101, 3, 2),
        (148, 3, 2),
        (442, 9, 2),
        (589, 12, 3),
        (590, 13, 4),
        (2250, 46, 7),
        (5000, 102, 14),
    ],
)
def test_how_many_requests_in_how_many_round_trips(count: int, requests: int, rounds: int) -> None:
    """A list costs a request a page, one more where its last page is full. The pages of 46 are requested by eights."""
    service = records(count)

    assert run(service) == (list(range(count, 0, -1)), rounds)
    assert len(service.asked) == requests
    assert len(set(service.asked)) == requests


@given(count=st.integers(0, 2500), width=st.integers(1, 8))
@examples(100)
def test_it_gives_what_the_walk_from_page_to_page_gives(count: int, width: int) -> None:
    """The same records in the same order, for no more than two pages in fifty more, as the reference walk."""
    together, alone = records(count), records(count)

    def fetch(marker: str | None) -> Page[int]:
        return alone.page(Place(marker, 0))

    assert run(together, width)[0] == list(walk(fetch, key=str))
    assert len(together.asked) <= len(alone.asked) + 1 + len(alone.asked) // 25


def test_alone_it_asks_for_what_the_reference_asks_for() -> None:
    """If only one request may be out, pages are requested by their markers alone."""
    service = records(2240)

    assert run(service, width=1) == (list(range(2240, 0, -1)), 45)
    assert {place.offset for place in service.asked} == {0}


def test_no_offset_is_beyond_the_documented_one() -> None:
    """The offsets are 0, 49, 98 and so on up to 490, and the last page of a window is requested first."""
    service = records(2000)
    run(service)

    assert service.asked[1].offset == 490
    assert {place.offset for place in service.asked} == set(range(0, 491, 49))


@pytest.mark.parametrize("quirk", QUIRKS)
def test_a_service_of_another_kind_costs_requests_and_no_packages(quirk: str) -> None:
    """If offsets do not work as documented, the walk goes on from page to page after a few useless requests."""
    service = records(2000, quirk)
    together, _ = run(service)

    pages = 1000 if quirk == "short pages" else 40
    assert together == list(range(2000, 0, -1))
    assert len(service.asked) <= pages + 41


def test_a_deletion_costs_what_was_asked_for_beyond_it() -> None:
    """After a package was deleted under the walk it requests pages ahead again, from where it was."""
    service = records(3000)
    doomed = [2600, 1800, 900]

    def delete() -> None:
        if doomed:
            service.ids.remove(doomed.pop(0))

    together, rounds = run(service, between=delete)

    assert set(together) >= set(service.ids)
    assert rounds < 25


def test_a_page_that_lies_elsewhere_is_not_taken() -> None:
    """Seven packages deleted between two responses leave a gap between their pages, which is requested anew."""
    service = records(200)
    scheduler: PageScheduler[int] = PageScheduler(key=str)
    found: list[int] = []
    for page in scheduler.wanted(8):
        found += scheduler.answer(page, service.page(page))
    first, *others = scheduler.wanted(8)
    early = service.page(first)
    service.ids = [number for number in service.ids if not 143 <= number < 150]
    late = [(place, service.page(place)) for place in others]
    for place, answer in [*late, (first, early)]:
        found += scheduler.answer(place, answer)

    while not scheduler.finished:
        for page in scheduler.wanted(8):
            found += scheduler.answer(page, service.page(page))
    assert set(service.ids) <= set(found)


def test_an_answer_that_comes_late_moves_no_window() -> None:
    """Where one page is answered twice, the window beyond it begins at the end that counts, and no record is lost."""
    service = Service(list(range(1, 20)), limit=3)
    scheduler: PageScheduler[int] = PageScheduler(key=str, limit=3, most=3)
    asked: list[Place] = []
    found: list[int] = []

    def ask() -> None:
        asked.extend(scheduler.wanted(8))

    def served(record: int, offset: int) -> tuple[Place, Page[int]]:
        place = Place(marker_of(record), offset)
        asked.remove(place)
        return place, service.page(place)

    def hear(*answers: tuple[Place, Page[int]]) -> None:
        for place, page in answers:
            found.extend(scheduler.answer(place, page))
        ask()

    hear(*[(place, service.page(place)) for place in scheduler.wanted(8)])
    hear(served(17, 4))
    late = served(10, 4)
    # Record 10 is reached by a shorter way, so that all beyond it is discarded, and requested once more.
    service.ids = [number for number in service.ids if number not in (14, 13)]
    hear(served(17, 0), served(17, 2))
    early = [served(10, 0), served(10, 2)]
    service.ids = [number for number in service.ids if number not in (6, 5)]
    hear(served(10, 4))
    hear(late, *early)

    while not scheduler.finished:
        place = asked.pop(0)
        hear((place, service.page(place)))
    assert set(service.ids) <= set(found)


@pytest.mark.parametrize("marker", [None, "", "xyz", TOP])
def test_a_marker_that_leads_nowhere_ends_the_walk(marker: str | None) -> None:
    """A page that comes next and whose marker is none, or does not fall, is an error at once."""
    service = records(60)
    scheduler: PageScheduler[int] = PageScheduler(key=str)
    scheduler.answer(scheduler.wanted(8)[0], service.page(Place(None, 0)))
    (second,) = scheduler.wanted(8)

    with pytest.raises(ProtocolError, match="marker"):
        scheduler.answer(second, Page((9,), 60, marker))


def test_records_that_are_counted_and_not_shown_are_an_error() -> None:
    """A first page that counts records and holds none is no empty answer."""
    scheduler: PageScheduler[int] = PageScheduler(key=str)

    with pytest.raises(ProtocolError, match="counts 3"):
        scheduler.answer(scheduler.wanted(8)[0], Page((), 3, None))


def test_what_the_walk_can_not_do_without() -> None:
    """The page that comes next by its marker is needed, one at an offset is not."""
    service = records(500)
    scheduler: PageScheduler[int] = PageScheduler(key=str)
    (first,) = scheduler.wanted(8)
    assert scheduler.needs(first)
    scheduler.answer(first, service.page(first))

    assert [place.offset for place in scheduler.wanted(8) if scheduler.needs(place)] == [0]


def test_after_a_failure_one_page_is_asked_for_alone() -> None:
    """Pages that are already requested still count. Nothing else is requested until a single page has come."""
    service = records(2000)
    scheduler: PageScheduler[int] = PageScheduler(key=str)
    (first,) = scheduler.wanted(8)
    found = scheduler.answer(first, service.page(first))
    *others, last = scheduler.wanted(8)

    scheduler.failed(last, refused=False)
    assert scheduler.wanted(8) == []
    for place in others:
        found += scheduler.answer(place, service.page(place))
    (alone,) = scheduler.wanted(8)
    assert scheduler.needs(alone)
    assert scheduler.alone
    found += scheduler.answer(alone, service.page(alone))

    assert not scheduler.alone
    assert len(scheduler.wanted(8)) == 8
    assert found == list(range(2000, 2000 - len(found), -1))
    assert len(found) == 50 + 1 + 6 * 49 + 50


def test_who_may_stop_early_is_asked_for_no_more_than_was_used() -> None:
    """Useless pages are never more than used pages."""
    service = records(2000)
    scheduler: PageScheduler[int] = PageScheduler(key=str, eager=False)
    used = 0
    while used < 12:
        for place in scheduler.wanted(8):
            used += bool(scheduler.answer(place, service.page(place)))
            assert len(service.asked) <= 2 * used + 1
