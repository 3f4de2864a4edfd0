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


@dataclass(frozen=True)
class Page(Generic[Record]):
    """One page: its records, how many match in all, the marker to go on from, and how many records were asked for."""

    records: tuple[Record, ...]
    count: int
    marker: str | None
    limit: int = MAX_PAGE


def walk(
    fetch: Callable[[str | None], Page[Record]], *, key: Callable[[Record], str], counts_records: bool = True
) -> Generator[Record, None, None]:
    """Give every record that is there during the whole walk exactly once, in the service's order.

    The first page is asked for without a marker. The end is an empty page, or what :func:`is_end` tells for one.

    Args:
        fetch: returns the page below a marker, or the first page for None.
        key: what makes a record unique; a record seen before is passed over.
        counts_records: whether the count is that of these very records; False where a filter may not be in it.

    Raises:
        ProtocolError: a page does not lead on to the next one, or the first one holds none of the records it counts.
    """
    page = fetch(None)
    count = page.count
    if counts_records:
        require_shown(page)
    seen: set[str] = set()
    position = ABOVE_ALL
    while page.records:
        for record in page.records:
            name = key(record)
            if name not in seen:
                seen.add(name)
                yield record
        if is_end(page, seen=len(seen), count=count):
            return
        position = below(page.marker, position)
        page = fetch(page.marker)


def is_end(page: Page[Record], *, seen: int, count: int) -> bool:
    """Return whether a page with records is the last one.

    It is where as many records were seen as the first page counted, and the page has room for more: records that come
    later lie before the first page, so nothing can be missing then. Neither is enough by itself. A service may give
    short pages, and may count a moment before or after it takes the page, or no further than some number: beyond a full
    page there may be records that its count does not know.

    Args:
        page: what continued the walk.
        seen: how many different records there were up to its end.
        count: how many the first page counted.
    """
    return seen == count and len(page.records) < page.limit


def require_shown(first: Page[Record]) -> None:
    """Refuse a first page that holds none of the records that it counts.

    Raises:
        ProtocolError: it is such a page.
    """
    if first.count > 0 and not first.records:
        raise ProtocolError(f"the first page holds no records, though it counts {first.count}")


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
