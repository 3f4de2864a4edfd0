"""The walk over pages, against a small model of the service's documented rules."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pulumi_iotda_ota.iotda.errors import ProtocolError, ServiceError
from pulumi_iotda_ota.iotda.paging.marker import Page, Records, walk
from pulumi_iotda_ota.iotda.sanitize import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 50


class Service:
    """Records by descending id; marker is strictly less, the page's marker is the id of its last record."""

    def __init__(self, count: int, *, limit: int = LIMIT) -> None:
        self.ids = list(range(1000, 1000 + count))
        self.limit = limit
        self.requests = 0
        self.ever = set(self.ids)

    def fetch(self, marker: str | None) -> Page[int]:
        """Return one page."""
        self.requests += 1
        below = [number for number in sorted(self.ids, reverse=True) if marker is None or number < int(marker, 16)]
        found = below[: self.limit]
        return Page(tuple(found), len(self.ids), f"{found[-1]:024x}" if found else None, self.limit)

    def insert(self) -> None:
        """Add a record, newer than all that ever were."""
        self.ids.append(max(self.ever, default=1000) + 1)
        self.ever.add(self.ids[-1])

    def delete(self, index: int) -> None:
        """Delete a record, if there is any."""
        if self.ids:
            self.ids.pop(index % len(self.ids))


def all_of(fetch: Callable[[str | None], Page[int]]) -> list[int]:
    """Return what a walk yields."""
    return list(walk(fetch, key=str))


@pytest.mark.parametrize(
    ("count", "requests"), [(0, 1), (1, 1), (49, 1), (50, 2), (51, 2), (500, 11), (501, 11), (551, 12), (5000, 101)]
)
def test_every_record_once_in_order(count: int, requests: int) -> None:
    """All records come once, newest first, with a request for each page, and one more where the last one is full."""
    service = Service(count)

    assert all_of(service.fetch) == sorted(service.ids, reverse=True)
    assert service.requests == requests


def test_a_short_page_ends_nothing() -> None:
    """A page with fewer records than requested is followed by the next one."""
    service = Service(100, limit=7)

    assert len(all_of(service.fetch)) == 100


@pytest.mark.parametrize("count", [100, 149])
def test_after_a_short_page_only_an_empty_one_ends_a_list(count: int) -> None:
    """If pages are shorter than requested, no count ends the list, because the count can have a cap."""
    service = Service(149, limit=20)

    def fetch(marker: str | None) -> Page[int]:
        return replace(service.fetch(marker), count=count, limit=50)

    assert all_of(fetch) == sorted(service.ids, reverse=True)
    assert service.requests == 9


def test_a_first_page_as_long_as_its_count_is_the_list() -> None:
    """One request is enough for a short first page that counts as many records as it holds."""
    service = Service(149, limit=20)

    def fetch(marker: str | None) -> Page[int]:
        return replace(service.fetch(marker), count=20, limit=50)

    assert len(all_of(fetch)) == 20
    assert service.requests == 1


@pytest.mark.parametrize(
    ("pages", "count"),
    [
        ([(9, 8), (7, 6, 5), (4,), (3,)], 6),
        ([(9, -1, 8), (7, 6, 5), (4,), (3,)], 6),
        ([(9, 8, 7), (6, -1), (5,)], 5),
    ],
    ids=["a short page before", "a record without an id before", "a record without an id on the page"],
)
def test_a_count_ends_no_list_after_an_odd_page(pages: list[tuple[int, ...]], count: int) -> None:
    """After a short page, or one with a record without an id, only an empty page ends the list, not its count."""
    left = [Page(page, count, f"{100 - number:024x}", 3) for number, page in enumerate(pages)]
    left.append(Page((), count, None, 3))

    found = list(walk(lambda _: left.pop(0), key=lambda record: str(record) if record > 0 else ""))

    assert found == [record for page in pages for record in page]
    assert left == []


def test_a_page_that_repeats_what_came_before_is_an_error() -> None:
    """Markers that fall while the records stay the same would be a walk without an end."""
    pages = [Page((6, 5), 9, f"{9 - number:024x}") for number in range(9)]

    with pytest.raises(ProtocolError, match="no record that is new and has an id"):
        all_of(lambda _: pages.pop(0))
    assert len(pages) == 6


def test_a_list_in_place_of_which_is_nothing() -> None:
    """A page without a list of records ends a list only if nothing is missing by the count."""
    first, lacking = Page((6, 5), 4, f"{5:024x}", 2), Page[int]((), 4, None, 2, has_list=False)
    second = Page((4, 3), 4, f"{3:024x}", 2)

    for count in (3, 4):
        with pytest.raises(ProtocolError, match="may be partial"):
            all_of(lambda marker, count=count: lacking if marker else replace(first, count=count))  # type: ignore[misc]
    pages = [first, second, lacking]
    assert all_of(lambda _: pages.pop(0)) == [6, 5, 4, 3]


def test_pages_are_fetched_as_they_are_used() -> None:
    """Who stops early causes no further request."""
    service = Service(500)

    next(walk(service.fetch, key=str))

    assert service.requests == 1


@settings(max_examples=300, deadline=None)
@given(
    count=st.integers(0, 60),
    limit=st.integers(1, 8),
    changes=st.lists(st.lists(st.one_of(st.just(None), st.integers(0, 100)), max_size=4), max_size=70),
)
def test_what_is_there_all_along_is_given_once(count: int, limit: int, changes: list[list[int | None]]) -> None:
    """Whatever comes and goes between pages, nothing that stays is missed, and nothing is made up or repeated."""
    service = Service(count, limit=limit)
    deleted: set[int] = set()
    at_start = set(service.ids)

    def fetch(marker: str | None) -> Page[int]:
        page = service.fetch(marker)
        for change in changes[service.requests - 1] if service.requests <= len(changes) else []:
            before = set(service.ids)
            service.insert() if change is None else service.delete(change)
            deleted.update(before - set(service.ids))
        return page

    given_ids = all_of(fetch)

    assert len(given_ids) == len(set(given_ids))
    assert at_start - deleted <= set(given_ids) <= at_start


def test_a_record_that_comes_twice_is_given_once() -> None:
    """Pages that overlap give each record once, and the count is of different records."""
    pages: dict[str | None, Page[int]] = {
        None: Page((5, 4), 3, f"{4:024x}"),
        f"{4:024x}": Page((4, 3), 3, f"{3:024x}"),
        f"{3:024x}": Page((), 3, None),
    }

    assert all_of(lambda marker: pages[marker]) == [5, 4, 3]


def test_the_count_of_later_pages_is_not_read() -> None:
    """A count that shrinks with the marker, as some services do it, ends nothing."""
    counts = [5, 3, 1]
    pages = [Page((count, count - 1)[:count], count, f"{max(1, count - 1):024x}", 2) for count in counts]

    assert all_of(lambda marker: pages.pop(0)) == [5, 4, 3, 2, 1]


def test_a_count_that_is_too_small_hides_nothing() -> None:
    """A count below the first page's own length was taken too early: only an empty page ends the walk then."""
    pages = [Page((6, 5), 1, f"{5:024x}"), Page((4,), 1, f"{4:024x}"), Page[int]((), 1, None)]

    assert all_of(lambda marker: pages.pop(0)) == [6, 5, 4]


@pytest.mark.parametrize("counted", [50, 100, 119])
def test_a_count_of_another_moment_hides_nothing(counted: int) -> None:
    """A count that is taken before or after its page, or that ends at a cap, ends no walk at a page that is full."""
    service = Service(120)

    def fetch(marker: str | None) -> Page[int]:
        return replace(service.fetch(marker), count=counted)

    assert all_of(fetch) == sorted(service.ids, reverse=True)


@pytest.mark.parametrize("marker", [None, "", "xyz", "5c90fa7d3c4e4405e852507", "5c90fa7d3c4e4405e85250790", 7])
def test_a_marker_that_is_none_stops_the_walk(marker: str | None) -> None:
    """A page with records whose marker is not 24 hexadecimal digits is an error, never an end."""
    with pytest.raises(ProtocolError, match=rf"the marker {quoted(marker)}, which is not 24 hexadecimal digits"):
        all_of(lambda _: Page((2,), 9, marker))


@pytest.mark.parametrize("second", [f"{9:024x}", f"{10:024X}", "f" * 24])
def test_a_marker_that_does_not_fall_stops_the_walk(second: str) -> None:
    """Equal and rising markers would repeat pages for ever; both are an error at once."""
    pages = [Page((2,), 9, f"{9:024x}"), Page((1,), 9, second)]

    with pytest.raises(ProtocolError, match=f'the marker "{second}", which is not smaller'):
        all_of(lambda _: pages.pop(0))


def test_the_marker_of_an_empty_page_is_not_read() -> None:
    """An empty page is the end, whatever its marker is."""
    pages = [Page((2,), 9, f"{9:024x}"), Page[int]((), 9, "nonsense")]

    assert all_of(lambda _: pages.pop(0)) == [2]


def test_records_that_are_counted_and_not_shown_are_an_error() -> None:
    """A first page that counts records and holds none is no empty answer."""
    with pytest.raises(ProtocolError, match="counts 3"):
        all_of(lambda _: Page((), 3, None))


def test_a_filter_outside_of_the_count_may_leave_nothing() -> None:
    """Where the count is not that of these records, an empty first page is an empty answer."""
    assert list(walk(lambda _: Page[int]((), 3, None), key=str, counts_records=False)) == []


def test_records_count_their_requests() -> None:
    """The walk reports the number of requested pages."""
    records: Records[str | None, int] = Records(Service(120).fetch, lambda counted: walk(counted, key=str))

    assert len(list(records)) == 120
    assert records.requests == 3


@pytest.mark.parametrize("failure", [ServiceError("no"), OSError("no"), KeyboardInterrupt()], ids=repr)
def test_a_failed_walk_never_looks_like_a_finished_one(failure: BaseException) -> None:
    """Going on after an error raises the error again, not the end, whosever error it was."""
    service = Service(120)

    def fetch(marker: str | None) -> Page[int]:
        if marker:
            raise failure
        return service.fetch(marker)

    records: Records[str | None, int] = Records(fetch, lambda counted: walk(counted, key=str))
    with pytest.raises(type(failure)):
        list(records)

    with pytest.raises(type(failure)):
        list(records)
