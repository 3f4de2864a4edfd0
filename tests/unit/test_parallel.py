"""The threads of the parallel walk: how many there are, what ends them, and what an error in one of them does."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.iotda.errors import (
    CredentialsError,
    DeadlineExceeded,
    IotdaOtaError,
    ProtocolError,
    ServiceError,
    TransportError,
)
from pulumi_iotda_ota.iotda.paging.marker import Page, Records
from pulumi_iotda_ota.iotda.paging.parallel import walk_together
from pulumi_iotda_ota.iotda.retry import is_retried
from pulumi_iotda_ota.iotda.sanitize import REDACTED, redacting, sanitize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pulumi_iotda_ota.iotda.paging.parallel import PageRequest
    from pulumi_iotda_ota.iotda.paging.scheduler import Place

WIDTH = 8


class Service:
    """A list that is served to several threads, each request after ``before`` it.

    Args:
        count: how many records it has.
        before: is called with each request, and raises what is to be answered in its place.
    """

    def __init__(self, count: int, before: Callable[[Place], None] = lambda place: None) -> None:
        self.ids = range(count, 0, -1)
        self.asked: list[Place] = []
        self.tried: list[PageRequest] = []
        self.threads: set[threading.Thread] = set()
        self._before = before

    def fetch(self, asked: PageRequest) -> Page[int]:
        """Return a page."""
        place = asked.place
        self.asked.append(place)
        self.tried.append(asked)
        self.threads.add(threading.current_thread())
        self._before(place)
        begin = len(self.ids) - int(place.marker, 16) + 1 if place.marker else 0
        found = tuple(self.ids[begin + place.offset :][:50])
        return Page(found, len(self.ids), f"{found[-1]:024x}" if found else None)

    def hold_ended(self) -> None:
        """Hold every thread of the walk to its end."""
        for thread in self.threads - {threading.current_thread()}:
            thread.join(10)
            assert not thread.is_alive()


def records(service: Service, *, width: int = WIDTH, **changes: Any) -> Records[PageRequest, int]:
    """Return the records of a walk."""
    stopped = threading.Event()
    return Records(
        service.fetch, lambda fetch: walk_together(fetch, key=str, width=lambda: width, stopped=stopped, **changes)
    )


@pytest.fixture(autouse=True)
def no_threads_are_left() -> Iterator[None]:
    """No thread of a walk outlives the test."""
    yield
    for thread in threading.enumerate():
        if thread.name == "iotda-ota-page":
            # An interruption can come while a thread is being started: it ends as soon as it runs.
            while thread.ident is None:
                threading.Event().wait(0.01)
            thread.join(10)
    assert not [thread for thread in threading.enumerate() if thread.name == "iotda-ota-page"]


def test_every_record_once_in_order() -> None:
    """All records come once, newest first, over as many threads as may be under way."""
    service = Service(5000)
    found = records(service)

    assert list(found) == list(range(5000, 0, -1))
    assert found.requests == len(service.asked) == 102
    assert 1 < len(service.threads) <= WIDTH + 1
    service.hold_ended()


@pytest.mark.parametrize("count", [0, 20, 50, 99])
def test_a_short_list_makes_no_thread(count: int) -> None:
    """If one page comes after the other, the thread of the caller requests it."""
    service = Service(count)

    assert len(list(records(service))) == count
    assert service.threads == {threading.current_thread()}


def test_alone_it_makes_no_thread() -> None:
    """A walk that may have one request out sends it in the thread of the caller."""
    service = Service(2000)

    assert len(list(records(service, width=1))) == 2000
    assert service.threads == {threading.current_thread()}


def test_so_many_are_under_way_and_no_more() -> None:
    """Pages are requested together, up to the number that may be out at a time."""
    together = threading.Barrier(WIDTH, timeout=10)
    first_ones = iter(range(WIDTH))

    def meet(place: Place) -> None:
        if place.marker and next(first_ones, None) is not None:
            together.wait()

    service = Service(5000, meet)

    assert len(list(records(service))) == 5000


@pytest.mark.parametrize("most", [0, 1, 3])
def test_a_machine_that_gives_no_more_threads(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """If no more threads can start, the existing threads request the pages.

    Without any thread, the user of the records requests them.
    """
    started: list[threading.Thread] = []
    start = threading.Thread.start

    def give(thread: threading.Thread) -> None:
        if len(started) == most:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", give)
    service = Service(5000)

    assert list(records(service)) == list(range(5000, 0, -1))
    assert len(service.threads) <= most + 1
    service.hold_ended()


FOR_GOOD = [
    TransportError("no"),
    ServiceError("no", status=503),
    ServiceError("no", status=429),
    ServiceError("no", status=403, error_code="IOTDA.021101"),
    ServiceError("no", status=404),
    CredentialsError("no"),
    DeadlineExceeded("no"),
    ProtocolError("no"),
]


@pytest.mark.parametrize("failure", FOR_GOOD, ids=repr)
def test_an_error_that_stays_ends_the_walk(failure: IotdaOtaError) -> None:
    """A failure that also occurs alone ends the walk for good. No request repeats it again and again before."""

    def fail(place: Place) -> None:
        if place.marker:
            raise failure

    service = Service(5000, fail)
    found = records(service)

    with pytest.raises(type(failure), match="no"):
        list(found)
    service.hold_ended()
    assert len(service.asked) <= 1 + WIDTH + 1
    for _ in range(2):
        with pytest.raises(type(failure), match="no"):
            next(found)
    assert len(service.asked) <= 1 + WIDTH + 1


@pytest.mark.parametrize("failure", FOR_GOOD, ids=repr)
@pytest.mark.parametrize("offset", [49, 490])
def test_a_failure_of_asking_ahead_is_none_of_the_walk(failure: IotdaOtaError, offset: int) -> None:
    """A page that fails ahead is requested alone, after the same wait as any second attempt."""

    def fail(place: Place) -> None:
        if place.offset == offset:
            raise failure

    service = Service(2000, fail)

    assert list(records(service)) == list(range(2000, 0, -1))
    assert not [asked for asked in service.tried if asked.ahead and asked.after]
    assert {type(asked.after) for asked in service.tried if asked.after} == (
        {type(failure)} if is_retried(failure) else set()
    )


@pytest.mark.parametrize("failure", [OSError("no"), SystemExit("no")], ids=repr)
def test_a_fault_of_ours_ends_the_walk_at_once(failure: BaseException) -> None:
    """An error that is not of a request is raised unchanged, from every thread."""

    def fail(place: Place) -> None:
        if place.offset == 490:
            raise failure

    with pytest.raises(type(failure), match="no"):
        list(records(Service(5000, fail)))


def test_a_refusal_of_asking_ahead_is_no_error() -> None:
    """If a service takes no offset beside a marker, the walk requests one page after the other."""

    def refuse(place: Place) -> None:
        if place.offset:
            raise ServiceError("no", status=400)

    service = Service(2000, refuse)

    assert list(records(service)) == list(range(2000, 0, -1))
    assert len(service.asked) <= 40 + 20


def test_a_refusal_of_what_comes_next_is_an_error() -> None:
    """What is refused by its marker alone is refused."""

    def refuse(place: Place) -> None:
        if place.marker:
            raise ServiceError("no", status=400)

    with pytest.raises(ServiceError):
        list(records(Service(2000, refuse)))


def test_what_is_hidden_is_hidden_in_every_page() -> None:
    """What no error may show where the walk is used, its threads do not show either."""
    service, told = Service(1000), set()

    def fetch(asked: PageRequest) -> Page[int]:
        told.add(sanitize("refused: sesame-open"))
        return service.fetch(asked)

    with redacting(("sesame-open",)):
        walk = walk_together(fetch, key=str, width=lambda: WIDTH, stopped=threading.Event())
        assert len(list(walk)) == 1000

    assert told == {f"refused: {REDACTED}"}


def test_closing_ends_the_walk() -> None:
    """A caller that has enough closes the walk. It requests nothing more, and its threads end."""
    service = Service(5000)
    found = records(service)
    for _ in range(120):
        next(found)

    found.close()
    service.hold_ended()
    asked = len(service.asked)

    assert list(found) == []
    assert len(service.asked) == asked < 40


def test_an_abandoned_walk_ends() -> None:
    """A walk without a user, as after an error of its caller, requests nothing more. Its threads end."""
    service = Service(5000)

    def use() -> None:
        for number, _ in enumerate(records(service)):
            if number == 120:
                raise LookupError

    with pytest.raises(LookupError):
        use()
    service.hold_ended()
    assert len(service.asked) < 40


def test_pages_that_wait_for_a_thread_are_not_sent_once_the_walk_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """If only one thread can start, other pages wait for it. When the walk is closed, they are never requested."""
    start, closed = threading.Thread.start, threading.Event()
    started: list[threading.Thread] = []

    def start_one(thread: threading.Thread) -> None:
        if started:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    def hold(place: Place) -> None:
        if len(service.asked) == 4:
            closed.wait(10)

    monkeypatch.setattr(threading.Thread, "start", start_one)
    service = Service(5000, hold)
    found = records(service)
    for _ in range(60):
        next(found)

    found.close()
    closed.set()
    service.hold_ended()
    assert len(service.asked) == 4


def test_ctrl_c_ends_the_walk() -> None:
    """An interruption of a caller that waits for pages leaves no thread that requests more of them."""
    held = threading.Event()

    def interrupt() -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    # Once, when all are under way: a thread that is just being started could not be joined yet.
    together = threading.Barrier(WIDTH, action=interrupt, timeout=10)

    def hold(place: Place) -> None:
        if place.marker:
            together.wait()
            # A signal that came just before the wait for a response is noticed with the response.
            held.wait(1)

    service = Service(5000, hold)

    with pytest.raises(KeyboardInterrupt):
        list(records(service))
    held.set()
    service.hold_ended()
    assert len(service.asked) <= 1 + WIDTH
