"""The parallel walk against a model of the service: any order of answers, any insert and delete between them.

The walk decides and joins without I/O, so that the tests drive it request by request: each is asked, then served by
the model as its list is at that moment, then answered, in whatever order they draw.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pulumi_iotda_ota.iotda.errors import ProtocolError
from pulumi_iotda_ota.iotda.paging.marker import Page, walk
from pulumi_iotda_ota.iotda.paging.scheduler import PageScheduler, Place
from tests.support.fuzzing import examples

if TYPE_CHECKING:
    from collections.abc import Callable

TOP = "f" * 24


def marker_of(number: int) -> str:
    """Return a record's marker."""
    return f"{number:024x}"


@dataclass
class Service:
    """Records by descending id, by the documented rules: strictly below the marker, then the offset, then the limit.

    Attributes:
        ids: the records that are there.
        limit: records a page.
        quirk: in which way it does not keep to the documents, or empty.
    """

    ids: list[int]
    limit: int = 50
    quirk: str = ""
    asked: list[Place] = field(default_factory=list)

    def serve(self, place: Place) -> Page[int] | None:
        """Return a page as of now, or None where it is refused."""
        self.asked.append(place)
        marker, offset = place.marker, place.offset
        if self.quirk == "refuses offsets" and offset:
            return None
        if self.quirk == "ignores offsets":
            offset = 0
        if self.quirk == "ignores the marker beside an offset" and offset:
            marker = None
        if self.quirk == "offsets are pages":
            offset *= self.limit
        below = [number for number in sorted(self.ids, reverse=True) if number < int(marker or TOP, 16)]
        limit = min(self.limit, 2) if self.quirk == "short pages" else self.limit
        found = tuple(below[offset : offset + limit])
        counts = {
            "counts what is below": len(below),
            "counts too few": 1,
            "counts one too few": max(1, len(self.ids) - 1),
            "counts no further than two pages": min(len(self.ids), 2 * self.limit),
            "counts too many": len(self.ids) + 70,
        }
        count = counts.get(self.quirk, len(self.ids)) if self.ids else 0
        return Page(found, count, marker_of(found[-1]) if found else self._marker_of_nothing, self.limit)

    def page(self, place: Place) -> Page[int]:
        """Return a page that is not refused."""
        page = self.serve(place)
        assert page is not None
        return page

    @property
    def _marker_of_nothing(self) -> str | None:
        return "nonsense" if self.quirk == "nonsense below the end" else None


QUIRKS = (
    "",
    "short pages",
    "ignores offsets",
    "refuses offsets",
    "ignores the marker beside an offset",
    "offsets are pages",
    "counts what is below",
    "counts too few",
    "counts one too few",
    "counts no further than two pages",
    "counts too many",
    "nonsense below the end",
)


class Walk(RuleBasedStateMachine):
    """One parallel walk, with pages under way, over a list that changes."""

    @initialize(
        count=st.integers(0, 90),
        limit=st.integers(2, 6),
        most=st.integers(2, 6),
        width=st.integers(1, 8),
        eager=st.booleans(),
        quirk=st.sampled_from(QUIRKS),
    )
    def begin(self, count: int, limit: int, most: int, width: int, *, eager: bool, quirk: str) -> None:
        """Make a list, and a walk over it."""
        self.service = Service(list(range(1000, 1000 + count)), limit, quirk)
        self.scheduler: PageScheduler[int] = PageScheduler(key=str, eager=eager, limit=limit, most=most)
        self.width = width
        self.deleted: set[int] = set()
        self.newest = 1000 + count
        self.at_start: set[int] | None = None
        self.asked: list[Place] = []
        self.served: list[tuple[Place, Page[int] | None]] = []
        self.given: list[int] = []

    @rule(width=st.integers(1, 8))
    def share(self, width: int) -> None:
        """Give the walk more or fewer requests at a time, as other walks come and go."""
        self.width = width

    @rule()
    def ask(self) -> None:
        """Let the walk ask for what it wants."""
        self.asked += self.scheduler.wanted(self.width)

    @precondition(lambda self: self.asked)
    @rule(number=st.integers(0, 7))
    def serve(self, number: int) -> None:
        """Let the service look at one of the requests."""
        place = self.asked.pop(number % len(self.asked))
        if place.marker is None:
            self.at_start = set(self.service.ids)
        self.served.append((place, self.service.serve(place)))

    @precondition(lambda self: self.served)
    @rule(number=st.integers(0, 7))
    def answer(self, number: int) -> None:
        """Let one of the answers arrive."""
        place, page = self.served.pop(number % len(self.served))
        if page is None:
            self.scheduler.failed(place, refused=True)
        else:
            self.given += self.scheduler.answer(place, page)

    @precondition(lambda self: self.served)
    @rule(number=st.integers(0, 7), refused=st.booleans())
    def fail(self, number: int, *, refused: bool) -> None:
        """Let one of the answers be lost, or be a refusal; of the first page it would be the end."""
        place, _ = self.served.pop(number % len(self.served))
        if self.given:
            self.scheduler.failed(place, refused=refused)
        else:
            self.asked.append(place)

    @rule(number=st.integers(1, 5))
    def insert(self, number: int) -> None:
        """Upload packages."""
        self.service.ids += range(self.newest, self.newest + number)
        self.newest += number

    @precondition(lambda self: self.service.ids)
    @rule(place=st.integers(0, 120), number=st.integers(1, 9))
    def delete(self, place: int, number: int) -> None:
        """Delete packages that lie together."""
        ordered = sorted(self.service.ids, reverse=True)
        gone = ordered[place % len(ordered) :][:number]
        self.service.ids = [number for number in ordered if number not in gone]
        self.deleted |= set(gone)

    @invariant()
    def once_and_in_order(self) -> None:
        """What was given so far is in the service's order, without gaps of what is there all along, and once."""
        given = getattr(self, "given", [])
        assert given == sorted(set(given), reverse=True)
        if given:
            assert self.at_start is not None
            stayed = {number for number in self.at_start - self.deleted if number >= given[-1]}
            assert stayed <= set(given) <= self.at_start

    def teardown(self) -> None:
        """Bring the walk to its end: every package that was there all along was given."""
        if not hasattr(self, "plan"):
            return
        steps = 0
        while not self.scheduler.finished:
            self.ask()
            while self.asked:
                self.serve(steps)
            if self.served:
                self.answer(steps)
            steps += 1
            assert steps < 2000, "the walk does not end"
            self.once_and_in_order()
        if self.at_start is not None:
            assert self.at_start - self.deleted <= set(self.given)


class TestWalk(Walk.TestCase):  # type: ignore[misc,valid-type]  # made by hypothesis
    """Whatever the schedule: every package that was there all along once, and nothing that never was."""

    settings = examples(300)


def run(
    service: Service, width: int = 8, *, eager: bool = True, between: Callable[[], None] = lambda: None
) -> tuple[list[int], int]:
    """Return what a walk gives, and in how many round trips, where answers come in the order of the requests."""
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
    """A list costs a request a page, one more where its last page is full; 46 are asked for by eights."""
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
    """Where only one request may be out, pages are asked for by their markers alone."""
    service = records(2240)

    assert run(service, width=1) == (list(range(2240, 0, -1)), 45)
    assert {place.offset for place in service.asked} == {0}


def test_no_offset_is_beyond_the_documented_one() -> None:
    """The offsets are 0, 49, 98 and so on up to 490, and the last page of a window is asked for first."""
    service = records(2000)
    run(service)

    assert service.asked[1].offset == 490
    assert {place.offset for place in service.asked} == set(range(0, 491, 49))


@pytest.mark.parametrize("quirk", QUIRKS)
def test_a_service_of_another_kind_costs_requests_and_no_packages(quirk: str) -> None:
    """Where offsets do not work as documented, the walk goes on from page to page after a few requests in vain."""
    service = records(2000, quirk)
    together, _ = run(service)

    pages = 1000 if quirk == "short pages" else 40
    assert together == list(range(2000, 0, -1))
    assert len(service.asked) <= pages + 41


def test_a_deletion_costs_what_was_asked_for_beyond_it() -> None:
    """After a package was deleted under the walk it asks ahead again, from where it was."""
    service = records(3000)
    doomed = [2600, 1800, 900]

    def delete() -> None:
        if doomed:
            service.ids.remove(doomed.pop(0))

    together, rounds = run(service, between=delete)

    assert set(together) >= set(service.ids)
    assert rounds < 25


def test_a_page_that_lies_elsewhere_is_not_taken() -> None:
    """Seven packages deleted between two answers leave a gap between their pages, which is asked for anew."""
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
    # Record 10 is reached by a shorter way, so that all beyond it is discarded, and asked for once more.
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
    """What was asked for already still counts; nothing else is asked for until a page that was alone was answered."""
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
    """Pages in vain are never more than pages that were used."""
    service = records(2000)
    scheduler: PageScheduler[int] = PageScheduler(key=str, eager=False)
    used = 0
    while used < 12:
        for place in scheduler.wanted(8):
            used += bool(scheduler.answer(place, service.page(place)))
            assert len(service.asked) <= 2 * used + 1
