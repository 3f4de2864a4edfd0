"""Walks through the pages of a list, several at a time, in threads of its own; which ones, ``scheduler.py`` says.

A page that is asked for ahead is tried once. Where that fails the walk goes on alone: the page that comes next is asked
for in the caller's own thread, with all the attempts that a request has, and what is really wrong shows there. So a
service in need is not asked eight times as often, and a short list costs no thread. The threads of a walk wait for the
service alone, never for those of another walk.
"""

from __future__ import annotations

import threading
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Generic, TypeVar

from pulumi_iotda_ota.iotda.errors import IotdaOtaError, ServiceError
from pulumi_iotda_ota.iotda.paging.scheduler import PageScheduler, Place
from pulumi_iotda_ota.iotda.retry import is_retried, is_throttle

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from pulumi_iotda_ota.iotda.paging.marker import Page

Record = TypeVar("Record")
_REFUSALS = range(400, 500)


@dataclass(frozen=True)
class PageRequest:
    """A page that is asked for.

    Attributes:
        place: which one.
        ahead: whether it is tried once.
        after: what a page that was asked for ahead has just failed with; to wait as after a first attempt.
    """

    place: Place
    ahead: bool = False
    after: IotdaOtaError | None = None


def walk_together(
    fetch: Callable[[PageRequest], Page[Record]],
    *,
    key: Callable[[Record], str],
    width: Callable[[], int],
    stopped: threading.Event,
    eager: bool = True,
) -> Generator[Record, None, None]:
    """Give every record that is there during the whole walk exactly once, in the service's order.

    Args:
        fetch: returns a page; called from several threads.
        key: what makes a record unique.
        width: how many pages may be under way now.
        stopped: is set when the walk is over, however it ends. Threads of it then ask for nothing more, and end as soon
            as what they wait for does.
        eager: whether all records will be used; where not, no more pages are asked for than were used already.

    Raises:
        ProtocolError: a page does not lead on to the next one, or the first one holds none of the records it counts.
    """
    scheduler: PageScheduler[Record] = PageScheduler(key=key, eager=eager)
    crew = _Crew(fetch, stopped)
    failure: IotdaOtaError | None = None
    try:
        while not scheduler.finished:
            places = scheduler.wanted(width())
            if len(places) == 1 and (scheduler.alone or crew.is_idle):
                answer = _Fetched.of(fetch, PageRequest(places[0], after=failure))
                failure = None
            else:
                answer = crew.next(places)
            if answer.page is not None:
                yield from scheduler.answer(answer.asked.place, answer.page)
            else:
                failure = _passed_over(scheduler, answer)
    finally:
        stopped.set()
        crew.dismiss()


@dataclass(frozen=True)
class _Fetched(Generic[Record]):
    """A page, or the error that came in its place."""

    asked: PageRequest
    page: Page[Record] | None = None
    error: BaseException | None = None

    @classmethod
    def of(cls, fetch: Callable[[PageRequest], Page[Record]], asked: PageRequest) -> _Fetched[Record]:
        """Fetch a page."""
        try:
            return cls(asked, fetch(asked))
        except BaseException as error:  # noqa: BLE001  it is raised where the records are used
            return cls(asked, error=error)


def _passed_over(scheduler: PageScheduler[Record], answer: _Fetched[Record]) -> IotdaOtaError | None:
    """Go on without a page, and return what the next one waits after; raise what the walk can not go on without."""
    place, error = answer.asked.place, answer.error
    assert error is not None  # noqa: S101  there is one where there is no page
    if not isinstance(error, IotdaOtaError):
        raise error
    again = answer.asked.ahead and is_retried(error)
    if not again and (scheduler.needs(place) or not (answer.asked.ahead or _is_refusal(error))):
        raise error
    scheduler.failed(place, refused=_is_refusal(error))
    return error if again else None


def _is_refusal(error: IotdaOtaError) -> bool:
    """Return whether the service says of the request itself that it will not answer it."""
    if not isinstance(error, ServiceError):
        return False
    return error.status in _REFUSALS and not is_throttle(error.status, error.error_code)


class _Crew(Generic[Record]):
    """Threads that fetch pages, as many as were ever under way at the same time."""

    def __init__(self, fetch: Callable[[PageRequest], Page[Record]], stopped: threading.Event) -> None:
        self._fetch = fetch
        self._stopped = stopped
        self._places: SimpleQueue[Place | None] = SimpleQueue()
        self._answers: SimpleQueue[_Fetched[Record]] = SimpleQueue()
        self._under_way = 0
        self._threads = 0

    @property
    def is_idle(self) -> bool:
        """Return whether nothing is under way."""
        return not self._under_way

    def next(self, places: list[Place]) -> _Fetched[Record]:
        """Ask for pages, and return the answer of one that was asked for, now or before."""
        for place in places:
            self._ask(place)
        answer = self._answers.get()
        self._under_way -= 1
        return answer

    def dismiss(self) -> None:
        """Let the threads end, each when it has an answer."""
        for _ in range(self._threads):
            self._places.put(None)

    def _ask(self, place: Place) -> None:
        self._under_way += 1
        if self._under_way > self._threads:
            self._hire()
        if self._threads:
            self._places.put(place)
        else:
            self._answers.put(_Fetched.of(self._fetch, PageRequest(place, ahead=True)))

    def _hire(self) -> None:
        """Start one more thread, where there is one to be had: a container may have too few for a whole crew."""
        # A daemon, so that the end of a program does not wait for an answer that nobody reads. In a context like that
        # of the walk, which says what no error may tell.
        work = partial(copy_context().run, self._work)
        # Counted before it starts: then an interruption in between leaves none that is not dismissed.
        self._threads += 1
        try:
            threading.Thread(target=work, name="iotda-ota-page", daemon=True).start()
        except RuntimeError:
            self._threads -= 1

    def _work(self) -> None:
        while (place := self._places.get()) is not None and not self._stopped.is_set():
            self._answers.put(_Fetched.of(self._fetch, PageRequest(place, ahead=True)))
