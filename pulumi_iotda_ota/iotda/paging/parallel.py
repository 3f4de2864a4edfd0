"""Read several pages of a list at a time, in threads; ``scheduler.py`` decides which pages.

A page that is fetched ahead has one attempt. If it fails, the next page is fetched in the thread of the caller, with
all attempts of a request and its error. So an overloaded service does not receive eight times as many requests, and a
short list needs no thread. The threads of a walk wait only for the service, never for those of another walk.
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
    """The request for a page.

    Attributes:
        place: the marker and the offset.
        ahead: whether it has one attempt, because it is fetched ahead.
        after: the error of the page that was fetched ahead, to wait as after a first attempt.
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
    """Yield each record that exists during the whole walk exactly once, in the order of the service.

    Args:
        fetch: returns a page; called from several threads.
        key: returns the id of a record.
        width: returns how many pages may be in flight now.
        stopped: is set at the end of the walk. Then its threads send nothing more, and end after their request.
        eager: whether all records will be used; otherwise no more pages are fetched than were used already.

    Raises:
        ProtocolError: a page has no valid next marker, or the list can be partial.
    """
    scheduler: PageScheduler[Record] = PageScheduler(key=key, eager=eager)
    workers = _Workers(fetch, stopped)
    failure: IotdaOtaError | None = None
    try:
        while not scheduler.finished:
            places = scheduler.wanted(width())
            if len(places) == 1 and (scheduler.alone or workers.is_idle):
                answer = _Fetched.of(fetch, PageRequest(places[0], after=failure))
                failure = None
            else:
                answer = workers.next(places)
            if answer.page is not None:
                yield from scheduler.answer(answer.request.place, answer.page)
            else:
                failure = _passed_over(scheduler, answer)
    finally:
        stopped.set()
        workers.dismiss()


@dataclass(frozen=True)
class _Fetched(Generic[Record]):
    """A page, or the error instead of it."""

    request: PageRequest
    page: Page[Record] | None = None
    error: BaseException | None = None

    @classmethod
    def of(cls, fetch: Callable[[PageRequest], Page[Record]], request: PageRequest) -> _Fetched[Record]:
        """Fetch a page."""
        try:
            return cls(request, fetch(request))
        except BaseException as error:  # noqa: BLE001  raised at the record
            return cls(request, error=error)


def _passed_over(scheduler: PageScheduler[Record], answer: _Fetched[Record]) -> IotdaOtaError | None:
    """Continue without a page, and return the error after which the next one waits, or raise it."""
    place, error = answer.request.place, answer.error
    assert error is not None  # noqa: S101  without a page there is an error
    if not isinstance(error, IotdaOtaError):
        raise error
    again = answer.request.ahead and is_retried(error)
    if not again and (scheduler.needs(place) or not (answer.request.ahead or _is_refusal(error))):
        raise error
    scheduler.failed(place, refused=_is_refusal(error))
    return error if again else None


def _is_refusal(error: IotdaOtaError) -> bool:
    """Return whether the service refuses the request itself."""
    if not isinstance(error, ServiceError):
        return False
    return error.status in _REFUSALS and not is_throttle(error.status, error.error_code)


class _Workers(Generic[Record]):
    """Threads that fetch pages, as many as there were requests in flight at once."""

    def __init__(self, fetch: Callable[[PageRequest], Page[Record]], stopped: threading.Event) -> None:
        self._fetch = fetch
        self._stopped = stopped
        self._places: SimpleQueue[Place | None] = SimpleQueue()
        self._answers: SimpleQueue[_Fetched[Record]] = SimpleQueue()
        self._in_flight = 0
        self._threads = 0

    @property
    def is_idle(self) -> bool:
        """Return whether no request is in flight."""
        return not self._in_flight

    def next(self, places: list[Place]) -> _Fetched[Record]:
        """Request pages, and return the next response of one that was requested, now or earlier."""
        for place in places:
            self._request(place)
        answer = self._answers.get()
        self._in_flight -= 1
        return answer

    def dismiss(self) -> None:
        """Let each thread end after its request."""
        for _ in range(self._threads):
            self._places.put(None)

    def _request(self, place: Place) -> None:
        self._in_flight += 1
        if self._in_flight > self._threads:
            self._start_thread()
        if self._threads:
            self._places.put(place)
        else:
            self._answers.put(_Fetched.of(self._fetch, PageRequest(place, ahead=True)))

    def _start_thread(self) -> None:
        """Start one more thread, if the system allows it; a container can have few."""
        # A daemon, so that the end of a program does not wait for an unused response. A copy of the context, so that
        # redaction applies.
        work = partial(copy_context().run, self._work)
        # Counted before it starts, so that after an interruption in between it is dismissed too.
        self._threads += 1
        try:
            threading.Thread(target=work, name="iotda-ota-page", daemon=True).start()
        except RuntimeError:
            self._threads -= 1

    def _work(self) -> None:
        while (place := self._places.get()) is not None and not self._stopped.is_set():
            self._answers.put(_Fetched.of(self._fetch, PageRequest(place, ahead=True)))
