"""Walks through all pages of a list, one after the other, and gives each record once.

Generic and without I/O: the caller says how a page is fetched and what makes a record unique.

The service orders records by a hidden id, newest first; a page ends with a marker, and the page after it holds the
records whose ids are strictly smaller. New records have larger ids and anything may be deleted meanwhile, so only the
marker is a safe place to go on from: an offset skips or repeats records, and ends at 500.
Source: the API page ListOtaPackageInfo.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from pulumi_iotda_ota.iotda.errors import ProtocolError
from pulumi_iotda_ota.iotda.limits import MARKER, MAX_PAGE
from pulumi_iotda_ota.iotda.sanitize import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

Record = TypeVar("Record")
# What a page is asked for by.
Requested = TypeVar("Requested")

#: The place of the default marker, ffffffffffffffffffffffff, which lies above every record.
ABOVE_ALL = (1 << 96) - 1
# How many pages in a row may show no new id. Each page of an endless walk shows none.
_MOST_IDLE = 2


@dataclass(frozen=True)
class Page(Generic[Record]):
    """One page of a list.

    Attributes:
        records: its records, with those that cannot be judged.
        count: how many records match in all, or None if the service does not say.
        marker: the marker to go on from.
        limit: how many records were requested.
        has_list: whether the response has a list of records; None in its place is no list.
    """

    records: tuple[Record, ...]
    count: int | None
    marker: str | None
    limit: int = MAX_PAGE
    has_list: bool = True


class Listed(Generic[Record]):
    """What a walk has read of its list, and whether that is all. Only this class decides where a list ends.

    A list is complete or an error. An empty page ends it. A page with records ends it only if all of this holds: it is
    the first page that is shorter than requested, and with it the list has as many records as its first page counted.
    If more pages follow a short page, only an empty page ends the list, because the count can have a cap.

    A record without an id can be any of the others. So it is counted on the first page only; after it, only an empty
    page ends the list. Two pages in a row without any new id are an error.

    Args:
        key: returns the id of a record; empty if it has none.
        counts_records: whether the count is that of these records. It is not if the count may ignore a filter.
    """

    def __init__(self, key: Callable[[Record], str], *, counts_records: bool = True) -> None:
        self.ended = False
        #: How many records the first page counted; None before it, and if the service does not say.
        self.count: int | None = None
        self._key = key
        self._counts_records = counts_records
        self._ids: set[str] = set()
        self._pages = self._idle = 0
        self._has_short = self._has_nameless = False

    @property
    def is_empty(self) -> bool:
        """Return whether no page was read yet."""
        return not self._pages

    @property
    def left(self) -> int:
        """Return how many records there are still, as far as the first page counted."""
        return (self.count or 0) - len(self._ids)

    def take(self, page: Page[Record], *, known: int = 0) -> list[Record]:
        """Read the page that comes next, and return its records without those that came before.

        Args:
            page: the page.
            known: how many of its records, from the first one, the page before holds too.

        Raises:
            ProtocolError: the list may be partial, or would never end.
        """
        if self.is_empty:
            self.count = page.count
        self._pages += 1
        if not page.records:
            self._require_nothing(page)
            self.ended = True
            return []
        before = len(self._ids)
        fresh = [record for record in page.records[known:] if self._is_new(record)]
        self._idle = self._idle + 1 if len(self._ids) == before else 0
        if self._idle == _MOST_IDLE:
            # Records without an id may be repeated ones: then the walk would be endless.
            raise ProtocolError(
                f"{_MOST_IDLE} pages in a row hold no record that is new and has an id, so the list may be partial",
                facts=[("why it stops", "going on from them could repeat pages without end")],
            )
        self.ended = self._is_last(page, [self._key(record) for record in page.records].count(""))
        return fresh

    def _is_new(self, record: Record) -> bool:
        id_ = self._key(record)
        is_new = not id_ or id_ not in self._ids
        if id_:
            self._ids.add(id_)
        return is_new

    def _is_last(self, page: Page[Record], nameless: int) -> bool:
        is_short = len(page.records) < page.limit
        is_sure = not self._has_short and not self._has_nameless
        self._has_short |= is_short
        self._has_nameless |= nameless > 0
        if self._pages > 1 and nameless:
            return False
        return is_short and is_sure and len(self._ids) + nameless == self.count

    def _require_nothing(self, page: Page[Record]) -> None:
        """Refuse a page without records if the list may hold more."""
        if not self._counts_records:
            return
        if self._pages == 1 and page.count:
            raise ProtocolError(f"the first page holds no records, though it counts {page.count}")
        if page.has_list or page.count == 0:
            return
        if self.count is None or self.left > 0:
            raise ProtocolError("a page holds no list of records, so the list may be partial")


def walk(
    fetch: Callable[[str | None], Page[Record]], *, key: Callable[[Record], str], counts_records: bool = True
) -> Generator[Record, None, None]:
    """Give every record that is there during the whole walk exactly once, in the service's order.

    The first page is requested without a marker. :class:`Listed` decides where the list ends.

    Args:
        fetch: returns the page below a marker, or the first page for None.
        key: what makes a record unique, or empty; a repeated record is skipped.
        counts_records: whether the count is that of these very records; False where a filter may not be in it.

    Raises:
        ProtocolError: a page does not lead on to the next one, or the list may be partial.
    """
    listed = Listed(key, counts_records=counts_records)
    page, position = fetch(None), ABOVE_ALL
    while True:
        yield from listed.take(page)
        if listed.ended:
            return
        position = below(page.marker, position)
        page = fetch(page.marker)


def position_of(marker: str | None) -> int | None:
    """Return the place of a marker in the order, or None where it is none."""
    return None if MARKER.problem(marker) else int(str(marker), 16)


def below(marker: str | None, position: int) -> int:
    """Return the place of a marker in the order, which must lie below the one before.

    Raises:
        ProtocolError: it is no marker, or does not lie below.
    """
    place = position_of(marker)
    if place is None:
        raise ProtocolError(f"a page ends with the marker {quoted(marker)}, which is not {MARKER.meaning}")
    if place >= position:
        raise ProtocolError(
            f"a page ends with the marker {quoted(marker)}, which is not smaller than the one before",
            facts=[("why it stops", "going on from it would repeat pages without end")],
        )
    return place


class _Counted(Generic[Requested, Record]):
    """Fetches pages for several threads, and counts them.

    It knows nothing of the records that it fetches for: the threads of a walk hold it, and must not hold a walk that is
    abandoned.
    """

    def __init__(self, fetch: Callable[[Requested], Page[Record]]) -> None:
        self.requests = 0
        self._lock = threading.Lock()
        self._fetch = fetch

    def __call__(self, asked: Requested) -> Page[Record]:
        with self._lock:
            self.requests += 1
        return self._fetch(asked)


class Records(Iterator[Record], Generic[Requested, Record]):
    """The records of a walk, fetched page by page as they are used; ``requests`` counts the pages so far.

    A walk that failed stays failed: it never looks like one that came to its end.

    Args:
        fetch: returns a page.
        walk: gives the records of the pages that it fetches, such as :func:`walk`.
    """

    def __init__(
        self,
        fetch: Callable[[Requested], Page[Record]],
        walk: Callable[[Callable[[Requested], Page[Record]]], Generator[Record, None, None]],
    ) -> None:
        self._counted = _Counted(fetch)
        self._failure: BaseException | None = None
        self._walk = walk(self._counted)

    @property
    def requests(self) -> int:
        """Return how many pages were asked for so far."""
        return self._counted.requests

    def __next__(self) -> Record:
        if self._failure is not None:
            raise self._failure
        try:
            return next(self._walk)
        except StopIteration:
            raise
        except BaseException as error:
            # Of any kind: a generator that raised has ended, and would say so from now on.
            self._failure = error
            raise

    def close(self) -> None:
        """Ask for no more pages."""
        self._walk.close()
