"""Services that page in every way, documented or not, for the walks that read them: a model without a socket."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from pulumi_iotda_ota.iotda.paging.marker import Page
from tests.support.paged_service import TOP, marker_of

if TYPE_CHECKING:
    from random import Random

    from pulumi_iotda_ota.iotda.paging.scheduler import Place

COUNTS = ("exact", "high", "low", "capped", "page", "below", "unknown", "zero at the end")
MARKERS = ("last", "inclusive", "first", "stuck", "rising", "falling", "none", "nonsense")
OFFSETS = ("documented", "ignored", "refused", "without the marker", "pages", "one more", "one less")


@dataclass(frozen=True)
class Record:
    """A record: its hidden number, and whether it shows an id."""

    number: int
    is_named: bool = True


def id_of(record: Record) -> str:
    """Return the id of a record, empty if it has none."""
    return str(record.number) if record.is_named else ""


@dataclass
class WalkService:
    """Records by descending number, shown in pages.

    Attributes:
        ids: the numbers that are there.
        nameless: the numbers of those that show no id.
        limit: how many records a page is requested to hold.
        sizes: how many it holds at most, for one request after the other; from the first one again at the end.
        count: how it counts, one of ``COUNTS``.
        amount: by how much the count is wrong, or where it is capped.
        marker: which marker ends a page, one of ``MARKERS``. None of them skips records: no client could notice.
        offset: how offsets are read, one of ``OFFSETS``.
        has_list: whether an empty page has a list.
        churn: what comes and goes after one request after the other: None adds a record, a number removes one.
    """

    ids: list[int]
    nameless: frozenset[int] = frozenset()
    limit: int = 4
    sizes: tuple[int, ...] = (50,)
    count: str = "exact"
    amount: int = 1
    marker: str = "last"
    offset: str = "documented"
    has_list: bool = True
    churn: tuple[tuple[int | None, ...], ...] = ()
    requests: int = 0
    deleted: set[int] = field(default_factory=set)
    ever: set[int] = field(default_factory=set)
    at_start: set[int] = field(default_factory=set)
    first_count: int | None = None
    shown: list[Page[Record]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ever |= set(self.ids)

    @property
    def stayed(self) -> set[int]:
        """Return the numbers that were there during the whole walk."""
        return self.at_start - self.deleted

    def serve(self, place: Place) -> Page[Record] | None:
        """Return a page as of now, or None if it is refused; then let records come and go."""
        if place.offset and self.offset == "refused":
            self.requests += 1
            return None
        page = self._page(place)
        if place.marker is None and not self.shown:
            self.at_start, self.first_count = set(self.ids), page.count
        self.shown.append(page)
        self._change()
        self.requests += 1
        return page

    def _page(self, place: Place) -> Page[Record]:
        bound = int(TOP if place.marker is None or self._forgets(place) else place.marker, 16)
        reach = bound + 1 if self.marker == "inclusive" else bound
        below = [number for number in sorted(self.ids, reverse=True) if number < reach]
        offsets = {"ignored": 0, "pages": place.offset * self.limit, "one more": place.offset + 1}
        start = offsets.get(self.offset, max(0, place.offset - 1) if self.offset == "one less" else place.offset)
        size = min(self.limit, self.sizes[self.requests % len(self.sizes)])
        numbers = below[(start if place.offset else 0) :][:size]
        records = tuple(Record(number, number not in self.nameless) for number in numbers)
        return Page(
            records,
            self._count(below, numbers),
            self._marker(numbers, bound),
            self.limit,
            has_list=bool(numbers) or self.has_list,
        )

    def _forgets(self, place: Place) -> bool:
        return self.offset == "without the marker" and place.offset > 0

    def _count(self, below: list[int], numbers: list[int]) -> int | None:
        total = len(self.ids)
        counts = {
            "high": total + self.amount,
            "low": max(0, total - self.amount),
            "capped": min(total, self.amount),
            "page": len(numbers),
            "below": len(below),
            "unknown": None,
            "zero at the end": total if numbers else 0,
        }
        return counts.get(self.count, total)

    def _marker(self, numbers: list[int], bound: int) -> str | None:
        if self.marker in ("none", "nonsense") or not numbers:
            return "nonsense" if self.marker == "nonsense" else None
        first = self.shown[0].records[-1:] if self.shown else ()
        stuck = first[0].number if first else numbers[-1]
        places = {"first": numbers[0], "stuck": stuck, "rising": bound + 1, "falling": max(bound - 1, numbers[-1])}
        return marker_of(min(places.get(self.marker, numbers[-1]), int(TOP, 16)))

    def _change(self) -> None:
        for change in self.churn[self.requests] if self.requests < len(self.churn) else ():
            if change is None:
                self.ids.append(max(self.ever, default=1000) + 1)
                self.ever.add(self.ids[-1])
            elif self.ids:
                self.deleted.add(self.ids.pop(change % len(self.ids)))


_CHANGES = st.lists(st.one_of(st.none(), st.integers(0, 99)), max_size=3)


@st.composite
def services(draw: st.DrawFn, *, documented: bool = False) -> WalkService:
    """Return any service; documented ones take the markers and offsets of the documents."""
    total = draw(st.integers(0, 60))
    ids = list(range(1000, 1000 + total))
    nameless = draw(st.one_of(st.just(set()), st.sets(st.sampled_from(ids), max_size=9) if ids else st.just(set())))
    return WalkService(
        ids,
        frozenset(nameless),
        limit=draw(st.integers(2, 8)),
        sizes=tuple(draw(st.one_of(st.just([50]), st.lists(st.integers(1, 9), min_size=1, max_size=4)))),
        count=draw(st.sampled_from(COUNTS)),
        amount=draw(st.integers(1, 40)),
        marker="last" if documented else draw(st.sampled_from(MARKERS)),
        offset="documented" if documented else draw(st.sampled_from(OFFSETS)),
        has_list=draw(st.booleans()),
        churn=tuple(
            tuple(changes)
            for changes in draw(
                st.lists(
                    st.lists(st.one_of(st.none(), st.integers(0, 99)), max_size=3), max_size=draw(st.integers(0, 40))
                )
            )
        ),
    )


def in_any_order(service: WalkService, places: list[Place], random: Random) -> list[tuple[Place, Page[Record] | None]]:
    """Return the answers to requests that are served one after the other, in an order that is drawn."""
    random.shuffle(places)
    answers = [(place, service.serve(place)) for place in places]
    random.shuffle(answers)
    return answers
