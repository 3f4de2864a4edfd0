"""Read all pages of a list, one after the other, and return each record once; without I/O.

The service orders records by a hidden id, newest first. A page ends with a marker, and the next page has the records
with smaller ids. New records have larger ids, and records can be deleted during the walk. So only a marker is a safe
start of the next page: an offset can skip or repeat records, and ends at 500.
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
# The request for a page.
Requested = TypeVar("Requested")

#: The position of the default marker, ffffffffffffffffffffffff, above every record.
ABOVE_ALL = (1 << 96) - 1
# This many pages in a row without a new id are an endless walk.
_MOST_IDLE = 2


@dataclass(frozen=True)
class Page(Generic[Record]):
    """One page of a list.

    Attributes:
        records: its records, including those that cannot be judged.
        count: the number of all matching records, or None if the response has none.
        marker: the marker of the next page.
        limit: the number of requested records.
        has_list: whether the response has a list of records; null is no list.
    """

    records: tuple[Record, ...]
    count: int | None
    marker: str | None
    limit: int = MAX_PAGE
    has_list: bool = True


class Listed(Generic[Record]):
    """The records of a list that a walk has read. Only this class decides where a list ends.

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
        #: The count of the first page, or None.
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
        """Return how many records are left by the count of the first page."""
        return (self.count or 0) - len(self._ids)

    def take(self, page: Page[Record], *, known: int = 0) -> list[Record]:
        """Read the next page, and return its new records.

        Args:
            page: the page.
            known: how many of its first records the previous page has too.

        Raises:
            ProtocolError: the list can be partial, or would never end.
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
        """Refuse a page without records if the list can have more."""
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
    """Yield each record that exists during the whole walk exactly once, in the order of the service.

    The first page is requested without a marker. :class:`Listed` decides where the list ends.

    Args:
        fetch: returns the page below a marker, or the first page for None.
        key: returns the id of a record, or empty; a repeated record is skipped.
        counts_records: whether the count is that of these records; it is not if it can ignore a filter.

    Raises:
        ProtocolError: a page has no valid next marker, or the list can be partial.
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
    """Return the position of a marker in the order, or None if it is not valid."""
    return None if MARKER.problem(marker) else int(str(marker), 16)


def below(marker: str | None, position: int) -> int:
    """Return the position of a marker, which must be below ``position``.

    Raises:
        ProtocolError: it is not valid, or not below.
    """
    found = position_of(marker)
    if found is None:
        raise ProtocolError(f"a page ends with the marker {quoted(marker)}, which is not {MARKER.meaning}")
    if found >= position:
        raise ProtocolError(
            f"a page ends with the marker {quoted(marker)}, which is not smaller than the one before",
            facts=[("cause", "the next page would repeat records without end")],
        )
    return found


class _Counted(Generic[Requested, Record]):
    """Fetches pages for several threads, and counts them.

    It has no reference to the walk, so that the threads of an abandoned walk do not keep the walk.
    """

    def __init__(self, fetch: Callable[[Requested], Page[Record]]) -> None:
        self.requests = 0
        self._lock = threading.Lock()
        self._fetch = fetch

    def __call__(self, requested: Requested) -> Page[Record]:
        with self._lock:
            self.requests += 1
        return self._fetch(requested)


class Records(Iterator[Record], Generic[Requested, Record]):
    """The records of a walk; a page is fetched when it is needed.

    After an error each further step raises it again, so that a list that failed never looks complete.

    Args:
        fetch: returns a page.
        walk: yields the records of the pages that it fetches, such as :func:`walk`.
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
        """Return how many pages were requested so far."""
        return self._counted.requests

    def __next__(self) -> Record:
        if self._failure is not None:
            raise self._failure
        try:
            return next(self._walk)
        except StopIteration:
            raise
        except BaseException as error:
            # A generator that raised an error of any kind would end without one at the next step.
            self._failure = error
            raise

    def close(self) -> None:
        """Request no more pages."""
        self._walk.close()
