"""Holds requests back, for the whole process: how many go at a time, and that refused credentials are not used again.

* At most 8 requests are in flight per endpoint, over all clients; after a throttle answer one, until 10 were clean.
  Walks that ask for several pages at once share these 8 evenly, so that no long one holds up the others.
* The first request of a credential goes alone until one was let in, at each endpoint and by each signature anew. After
  a 401 nothing more is sent with it anywhere, because the account locks after five failures and a program may make
  twenty lookups at once.

The state is the process's, not a client's, because the service sees neither clients nor programs but one machine and
one account. Credentials are known here by a digest only. This module sends nothing.
"""

from __future__ import annotations

import copy
import hashlib
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.errors import CredentialsError, ServiceError
from pulumi_iotda_ota.iotda.retry import is_throttle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.retry import Deadline

_MOST_IN_FLIGHT = 8
_CLEAN_AFTER_THROTTLE = 10
_SERVER_ERRORS = 500


@dataclass
class _Lane:
    """One endpoint: how many requests are in flight, and how many may be."""

    in_flight: int = 0
    limit: int = _MOST_IN_FLIGHT
    clean: int = 0
    walks: int = 0

    def throttled(self) -> None:
        self.limit, self.clean = 1, 0

    def answered(self) -> None:
        self.clean += 1
        if self.clean >= _CLEAN_AFTER_THROTTLE:
            self.limit = _MOST_IN_FLIGHT


@dataclass
class _Standing:
    """One credential: in which ways it was let in, whether another one is being tried, and what refused it."""

    on_accepted: set[tuple[str, ...]] = field(default_factory=set)
    on_trial: bool = False
    refusal: CredentialsError | None = None


@dataclass(frozen=True)
class _Place:
    """What one request holds while it is out.

    Args:
        lane: the endpoint.
        standing: the credential.
        way: what decides beside the credential whether it is let in.
        on_trial: whether nothing was let in this way yet.
    """

    lane: _Lane
    standing: _Standing
    way: tuple[str, ...]
    on_trial: bool


class RequestLimiter:
    """Lets requests through; one object serves the whole process, tests make their own."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._lanes: dict[str, _Lane] = {}
        self._standings: dict[str, _Standing] = {}

    @contextmanager
    def passage(self, connection: ResolvedConnection, *, deadline: Deadline, doing: str) -> Iterator[None]:
        """Hold one place for one request, from before it is sent until its answer was read.

        How the block ends tells how the request went: with the error that the answer was read as, or without one.

        Args:
            connection: where the request goes, and with what credential.
            deadline: how long to wait for a place.
            doing: what the request does, for an error.

        Raises:
            CredentialsError: the credential was refused before.
            DeadlineExceeded: no place became free in time.
        """
        place = self._enter(connection, deadline, doing)
        failure: BaseException | None = None
        try:
            yield
        except BaseException as error:
            failure = error
            raise
        finally:
            with self._changed:
                place.lane.in_flight -= 1
                if place.on_trial:
                    place.standing.on_trial = False
                _learn(place, failure)
                self._changed.notify_all()

    @contextmanager
    def walking(self, connection: ResolvedConnection) -> Iterator[Callable[[], int]]:
        """Count a walk over several pages while it lasts, and give it the number of its requests that may be out now.

        That is its even share of what the endpoint takes, rounded up, and one after a throttle answer. It reserves
        nothing: every request still waits for its own :meth:`passage`.

        Args:
            connection: where the walk asks.
        """
        with self._changed:
            lane = self._lane(connection)
            lane.walks += 1
        try:
            yield lambda: -(-lane.limit // max(1, lane.walks))
        finally:
            with self._changed:
                lane.walks -= 1

    def forget(self) -> None:
        """Forget every refusal, as after a credential or an account was put right while the process ran on.

        The first request of each credential goes alone again.
        """
        with self._changed:
            # Dropped, not emptied: what is still under way tells of the time before, and nobody is to hear it.
            self._standings.clear()
            self._changed.notify_all()

    def _enter(self, connection: ResolvedConnection, deadline: Deadline, doing: str) -> _Place:
        way = (connection.endpoint, connection.algorithm, connection.region)
        with self._changed:
            lane = self._lane(connection)
            while not _may_enter(lane, standing := self._standing(connection), way):
                deadline.check(doing)
                self._changed.wait(deadline.remaining())
            lane.in_flight += 1
            place = _Place(lane, standing, way, on_trial=way not in standing.on_accepted)
            standing.on_trial |= place.on_trial
        return place

    def _lane(self, connection: ResolvedConnection) -> _Lane:
        return self._lanes.setdefault(connection.endpoint, _Lane())

    def _standing(self, connection: ResolvedConnection) -> _Standing:
        return self._standings.setdefault(_digest(connection.credential.parts), _Standing())


def _may_enter(lane: _Lane, standing: _Standing, way: tuple[str, ...]) -> bool:
    if standing.refusal is not None:
        # A copy, because each raise writes its own traceback into the error.
        raise copy.copy(standing.refusal)
    return lane.in_flight < lane.limit and (way in standing.on_accepted or not standing.on_trial)


def _learn(place: _Place, failure: BaseException | None) -> None:
    """Draw the conclusions of one request for those that follow."""
    if isinstance(failure, CredentialsError):
        place.standing.refusal = failure
    elif isinstance(failure, ServiceError) and is_throttle(failure.status, failure.error_code):
        place.lane.throttled()
    elif failure is None or (isinstance(failure, ServiceError) and failure.status < _SERVER_ERRORS):
        place.lane.answered()
        # A refusal for another reason shows that the credential was let in, where it is one of the service itself: a
        # gateway, or whatever stands at a wrong address, may answer without asking who it is.
        if failure is None or failure.by_service:
            place.standing.on_accepted.add(place.way)


def _digest(parts: tuple[str, ...]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


# The one piece of state that outlives a client; why it must is said above.
PROCESS_LIMITER = RequestLimiter()
