"""The parallel walk against a model of the service: any order of answers, any insert and delete between them.

The walk decides and joins without I/O, so that the tests drive it request by request: each is sent, then served by
the model as its list is at that moment, then answered, in whatever order they draw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pulumi_iotda_ota.iotda.paging.scheduler import PageScheduler, Place
from tests.support.fuzzing import examples
from tests.support.paged_service import QUIRKS, Service

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.paging.marker import Page


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
        """Let the walk request what it wants."""
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
        """The walk yields each record once, in the service's order, and misses none that exists all along."""
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
