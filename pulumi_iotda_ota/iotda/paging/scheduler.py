"""Decides which pages of a list are asked for at the same time, and joins their answers without a gap. No I/O.

The walk of ``marker.py`` asks a page when it has the marker of the one before: one round trip a page. Here pages are
asked for ahead, in windows. A window begins at a marker, and its pages at offsets from there: 0, 49, 98 … 490, so that
each begins with the record that the one before ends with. Its last page is asked for first, because that one's marker
begins the next window.

Why no package is missed: a page holds all records between its first and its last one. The page at offset 0 continues
the walk by its marker. Any other one continues it only where it shares a record with the page before; two such pieces
leave no gap, whatever was added or deleted between the two answers. What does not continue the walk is discarded, with
all that lies beyond it, and the walk goes on from the last marker that it reached.

That is a guess about speed alone, never about the answer. A service whose offsets work in another way, or that gives
shorter pages, costs a few requests in vain; then the walk asks for one page after the other.
Source: the API page ListOtaPackageInfo (marker, then offset of at most 500, then limit of at most 50).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from pulumi_iotda_ota.iotda.limits import MAX_OFFSET, MAX_PAGE
from pulumi_iotda_ota.iotda.paging.marker import ABOVE_ALL, Listed, Page, below, position_of

if TYPE_CHECKING:
    from collections.abc import Callable

Record = TypeVar("Record")


class Place(NamedTuple):
    """A page to ask for: below which marker, None for the newest records, and how many of those are passed over."""

    marker: str | None
    offset: int


@dataclass
class _Window(Generic[Record]):
    """Pages that begin at one marker.

    Attributes:
        marker: where they begin.
        position: the place of that marker in the order.
        left: how many records there may be below it.
        offsets: where its pages begin.
        alone: whether it is one page, which was asked for alone.
        pages: answers that wait for the pages before them.
        joined: how many of its pages continued the walk.
    """

    marker: str | None
    position: int
    left: int
    offsets: list[int]
    alone: bool = False
    pages: dict[int, Page[Record]] = field(default_factory=dict)
    joined: int = 0

    @property
    def place(self) -> Place:
        """Return the page that the walk waits for."""
        return Place(self.marker, self.offsets[self.joined])


class PageScheduler(Generic[Record]):
    """One walk: says which pages to ask for, takes their answers in any order, and gives each record once.

    Args:
        key: what makes a record unique.
        eager: whether all records will be used; where not, no more pages are asked for than were used already.
        limit: records a page.
        most: pages a window.
    """

    def __init__(
        self,
        *,
        key: Callable[[Record], str],
        eager: bool = True,
        limit: int = MAX_PAGE,
        most: int = 1 + MAX_OFFSET // (MAX_PAGE - 1),
    ) -> None:
        self.finished = False
        #: Whether the next page is asked for alone, because others have just failed.
        self.alone = False
        self._key = key
        self._eager = eager
        self._limit = limit
        # Where the pages of a whole window begin; each overlaps with the one before by one record.
        self._offsets = [number * (limit - 1) for number in range(most)]
        self._windows: dict[str | None, _Window[Record]] = {}
        self._queue: deque[Place] = deque()
        self._under_way = 0
        # How far the walk has come, and what it saw.
        self._marker: str | None = None
        self._position = ABOVE_ALL
        self._before: set[str] = set()
        self._listed = Listed(key)
        self._used = 0
        # Whether asking ahead may help here, and how many pages it has won and lost.
        self._ahead = False
        self._won = self._lost = 0

    def wanted(self, width: int) -> list[Place]:
        """Return the pages to ask for now.

        Args:
            width: how many may be under way at the same time, with those that already are; 1 asks for none ahead.
        """
        places: list[Place] = []
        while not self.finished and self._under_way < width:
            self._look_ahead(width)
            if not self._queue:
                break
            places.append(self._queue.popleft())
            self._under_way += 1
        return places

    def answer(self, place: Place, page: Page[Record]) -> list[Record]:
        """Take the answer of a page, and return the records that continue the walk now, in the service's order.

        Args:
            place: the page that was asked for.
            page: what it holds.

        Raises:
            ProtocolError: the page does not lead on to the next one, or the list may be partial.
        """
        self._under_way -= 1
        window = self._windows.get(place.marker)
        if self.finished or window is None or place.offset not in window.offsets[window.joined :]:
            return []
        window.pages[place.offset] = page
        return self._join()

    def needs(self, place: Place) -> bool:
        """Return whether a page is the one by which the walk goes on from page to page."""
        return place == Place(self._marker, 0)

    def failed(self, place: Place, *, refused: bool) -> None:
        """Hear that a page that was asked for ahead was not answered: the next one is asked for alone.

        What was asked for before it still counts; it, and what was not asked for yet, does not.

        Args:
            place: the page that was asked for.
            refused: whether it would be refused again: nothing is asked for ahead any more.
        """
        self._under_way -= 1
        self.alone = True
        self._ahead = self._ahead and not refused
        missing = {place, *self._queue}
        for window in self._windows.values():
            for number in range(window.joined, len(window.offsets)):
                if Place(window.marker, window.offsets[number]) in missing:
                    self._cut(window, number)
                    return

    def _look_ahead(self, width: int) -> None:
        """Open the next window, where its marker is known and there is too little else to ask for."""
        if not self._windows:
            self._open(self._marker, self._position, self._listed.left, width)
            return
        newest = next(reversed(self._windows.values()))
        opener = newest.pages.get(self._offsets[-1])
        left = newest.left - self._reach
        if opener is None or left <= 0 or width == 1 or len(self._queue) >= 2 * width or self.alone or not self._pays:
            return
        position = position_of(opener.marker)
        if opener.records and position is not None and position < newest.position:
            self._open(opener.marker, position, left, width)

    def _open(self, marker: str | None, position: int, left: int, width: int) -> None:
        offsets = self._offsets_for(left, width)
        self._windows[marker] = _Window(marker, position, left, offsets, self.alone)
        places = [Place(marker, offset) for offset in offsets]
        if len(places) == len(self._offsets) and self._eager:
            self._queue.appendleft(places.pop())
        self._queue.extend(places)

    def _offsets_for(self, left: int, width: int) -> list[int]:
        """Return where the pages of a window begin: no more of them than there can be records for."""
        if width == 1 or self.alone or not self._pays:
            return [0]
        # A page begins with the last record of the page before: it is worth asking for where there is one more.
        needed = [offset for offset in self._offsets if not offset or left > offset + 1]
        return needed if self._eager else needed[: min(width, self._used)]

    @property
    def _reach(self) -> int:
        """Return how many records a whole window holds."""
        return self._offsets[-1] + self._limit

    @property
    def _pays(self) -> bool:
        """Return whether to ask ahead: as long as it has not lost two windows more than it has won."""
        return self._ahead and self._lost < self._won + 2 * (len(self._offsets) - 1)

    def _join(self) -> list[Record]:
        fresh: list[Record] = []
        while self._windows and not self.finished:
            window = next(iter(self._windows.values()))
            page = window.pages.pop(window.place.offset, None)
            if page is None:
                break
            if not self._continues(window, page):
                self._cut(window, window.joined)
            else:
                fresh += self._take(window, page)
        return fresh

    def _continues(self, window: _Window[Record], page: Page[Record]) -> bool:
        """Return whether a page continues the walk: by its marker, or by a record that the page before has too."""
        if not window.joined:
            # It was opened at the end of an answer about the page before. A later one about it may end elsewhere: after
            # windows were discarded the walk can come to where one began, and ask while answers to it are under way.
            return window.marker == self._marker
        # A service that reads offsets in another way may repeat what is known, beside a package that came meanwhile.
        position = position_of(page.marker)
        leads_on = position is not None and position < self._position
        shared = self._shared(page)
        return leads_on and shared > 0 and any(map(self._key, page.records[shared:]))

    def _shared(self, page: Page[Record]) -> int:
        """Return how many records of a page go up to the last one that the page before has too."""
        shared = (number for number, record in enumerate(page.records, 1) if self._key(record) in self._before)
        return max(shared, default=0)

    def _take(self, window: _Window[Record], page: Page[Record]) -> list[Record]:
        """Return the records of a page that continues the walk, but for those seen before."""
        if self._listed.is_empty:
            # A shorter page that is not the whole answer: pages end elsewhere than offsets say.
            self._ahead = len(page.records) == self._limit
        # Up to what both share the page before has all there is; what else this one holds was deleted in between.
        fresh = self._listed.take(page, known=self._shared(page))
        self._before = {id_ for record in page.records if (id_ := self._key(record))}
        self._won += bool(window.joined)
        self._used += 1
        self.alone = self.alone and not window.alone
        self.finished = self._listed.ended
        if not self.finished:
            self._position, self._marker = below(page.marker, self._position), page.marker
            self._passed(window)
        return fresh

    def _passed(self, window: _Window[Record]) -> None:
        window.joined += 1
        if window.joined == len(window.offsets):
            del self._windows[window.marker]

    def _cut(self, window: _Window[Record], end: int) -> None:
        """Discard the pages of a window from one on, and all windows beyond it."""
        windows = list(self._windows.values())
        beyond = windows[windows.index(window) + 1 :]
        discarded = {Place(window.marker, offset) for offset in window.offsets[end:]}
        discarded |= {Place(other.marker, offset) for other in beyond for offset in other.offsets}
        self._lost += len(discarded - set(self._queue))
        self._queue = deque(place for place in self._queue if place not in discarded)
        window.offsets = window.offsets[:end]
        for other in beyond:
            del self._windows[other.marker]
        if window.joined == end:
            del self._windows[window.marker]
