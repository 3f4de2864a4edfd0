"""Decide which pages of a list are fetched at the same time, and join them without a gap; without I/O.

The walk of ``marker.py`` needs one round trip for each page, because each page has the marker of the next one. Here
pages are fetched ahead, in windows. A window begins at a marker, and its pages have the offsets 0, 49, 98 … 490, so
that each page begins with the last record of the previous one. The last page is fetched first, because its marker
begins the next window.

No record is missed: a page has all records between its first and its last one. The page at offset 0 continues the walk
by its marker. Another page continues it only if it shares a record with the previous page. Two such pages leave no gap,
also if records are added or deleted between the two responses. A page that does not continue the walk is discarded,
with all later pages, and the walk continues at the last marker.

If offsets of a service work in another way, or its pages are shorter, a few requests are lost. Then the walk fetches
one page after the other. The result is the same.
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
    """A page: the marker above it, None for the newest records, and the number of skipped records."""

    marker: str | None
    offset: int


@dataclass
class _Window(Generic[Record]):
    """Pages that begin at one marker.

    Attributes:
        marker: the marker above them.
        position: the position of that marker in the order.
        left: how many records can be below it.
        offsets: the offsets of its pages.
        alone: whether it has one page, which was fetched alone.
        pages: the pages that wait for earlier pages.
        joined: how many of its pages have continued the walk.
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
        """Return the page that the walk needs next."""
        return Place(self.marker, self.offsets[self.joined])


class PageScheduler(Generic[Record]):
    """One walk: which pages to fetch next, and the records of the pages in any order.

    Args:
        key: returns the id of a record.
        eager: whether all records will be used; otherwise no more pages are fetched than were used already.
        limit: the records of a page.
        most: the pages of a window.
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
        #: Whether the next page is fetched alone, because others have failed.
        self.alone = False
        self._key = key
        self._eager = eager
        self._limit = limit
        # Each page of a window shares one record with the previous one.
        self._offsets = [number * (limit - 1) for number in range(most)]
        self._windows: dict[str | None, _Window[Record]] = {}
        self._queue: deque[Place] = deque()
        self._in_flight = 0
        # The progress of the walk.
        self._marker: str | None = None
        self._position = ABOVE_ALL
        self._before: set[str] = set()
        self._listed = Listed(key)
        self._used = 0
        # Whether to fetch pages ahead, and how many of these were useful and lost.
        self._ahead = False
        self._useful = self._lost = 0

    def wanted(self, width: int) -> list[Place]:
        """Return the pages to fetch now, so that at most ``width`` are in flight; with 1, none is fetched ahead."""
        places: list[Place] = []
        while not self.finished and self._in_flight < width:
            self._open_next(width)
            if not self._queue:
                break
            places.append(self._queue.popleft())
            self._in_flight += 1
        return places

    def answer(self, place: Place, page: Page[Record]) -> list[Record]:
        """Take a page, and return the records that continue the walk now, in the order of the service.

        Raises:
            ProtocolError: the page has no valid next marker, or the list can be partial.
        """
        self._in_flight -= 1
        window = self._windows.get(place.marker)
        if self.finished or window is None or place.offset not in window.offsets[window.joined :]:
            return []
        window.pages[place.offset] = page
        return self._join()

    def needs(self, place: Place) -> bool:
        """Return whether the walk cannot continue without a page."""
        return place == Place(self._marker, 0)

    def failed(self, place: Place, *, refused: bool) -> None:
        """Record that a page that was fetched ahead failed: the next one is fetched alone.

        Earlier pages still count. If the page was ``refused``, none is fetched ahead any more.
        """
        self._in_flight -= 1
        self.alone = True
        self._ahead = self._ahead and not refused
        missing = {place, *self._queue}
        for window in self._windows.values():
            for number in range(window.joined, len(window.offsets)):
                if Place(window.marker, window.offsets[number]) in missing:
                    self._cut(window, number)
                    return

    def _open_next(self, width: int) -> None:
        """Open the next window, if its marker is known and the queue is short."""
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
        """Return the offsets of a window: no more pages than there can be records for."""
        if width == 1 or self.alone or not self._pays:
            return [0]
        # A page begins with the last record of the previous page, so it is useful only with one more record.
        needed = [offset for offset in self._offsets if not offset or left > offset + 1]
        return needed if self._eager else needed[: min(width, self._used)]

    @property
    def _reach(self) -> int:
        """Return how many records a whole window has."""
        return self._offsets[-1] + self._limit

    @property
    def _pays(self) -> bool:
        """Return whether to fetch ahead: until two windows more were lost than useful."""
        return self._ahead and self._lost < self._useful + 2 * (len(self._offsets) - 1)

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
        """Return whether a page continues the walk: by its marker, or by a record of the previous page."""
        if not window.joined:
            # The window began at the marker of one response. A later response for that page can end elsewhere: after
            # windows are discarded, the walk can reach the same marker while old requests are in flight.
            return window.marker == self._marker
        # A service that reads offsets in another way can repeat known records beside a new one.
        position = position_of(page.marker)
        has_next = position is not None and position < self._position
        shared = self._shared(page)
        return has_next and shared > 0 and any(map(self._key, page.records[shared:]))

    def _shared(self, page: Page[Record]) -> int:
        """Return how many records of a page are before, or are, the last one that the previous page has too."""
        shared = (number for number, record in enumerate(page.records, 1) if self._key(record) in self._before)
        return max(shared, default=0)

    def _take(self, window: _Window[Record], page: Page[Record]) -> list[Record]:
        """Return the new records of a page that continues the walk."""
        if self._listed.is_empty:
            # If the first page is short but not the whole list, offsets do not match pages.
            self._ahead = len(page.records) == self._limit
        # The previous page has all records before the shared one. Others were deleted in between.
        fresh = self._listed.take(page, known=self._shared(page))
        self._before = {id_ for record in page.records if (id_ := self._key(record))}
        self._useful += bool(window.joined)
        self._used += 1
        self.alone = self.alone and not window.alone
        self.finished = self._listed.ended
        if not self.finished:
            self._position, self._marker = below(page.marker, self._position), page.marker
            self._join_page(window)
        return fresh

    def _join_page(self, window: _Window[Record]) -> None:
        window.joined += 1
        if window.joined == len(window.offsets):
            del self._windows[window.marker]

    def _cut(self, window: _Window[Record], end: int) -> None:
        """Discard the pages of a window from ``end``, and all later windows."""
        windows = list(self._windows.values())
        later = windows[windows.index(window) + 1 :]
        discarded = {Place(window.marker, offset) for offset in window.offsets[end:]}
        discarded |= {Place(other.marker, offset) for other in later for offset in other.offsets}
        self._lost += len(discarded - set(self._queue))
        self._queue = deque(place for place in self._queue if place not in discarded)
        window.offsets = window.offsets[:end]
        for other in later:
            del self._windows[other.marker]
        if window.joined == end:
            del self._windows[window.marker]
