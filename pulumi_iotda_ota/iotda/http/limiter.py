"""Limit the concurrent requests of the whole process, and stop requests with a refused credential.

* At most 8 requests are in flight per endpoint, over all clients. After a throttling response it is one, until 10
  requests in a row were not throttled. Walks that fetch several pages at once share these 8 evenly.
* Until the service accepts a credential, only one request with it is in flight, for each endpoint and kind of
  signature. After a 401 nothing more is sent with it, because the account locks after five failures, and a program can
  make twenty lookups at once.

The state belongs to the process, because the service sees one machine and one account. It has only digests of
credentials.
"""

from __future__ import annotations

import copy
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.auth.credentials import digest
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
class _Endpoint:
    """The concurrency of one endpoint."""

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
class _CredentialState:
    """How the service received one credential.

    Attributes:
        accepted: the uses, by endpoint, algorithm and region, in which it was accepted.
        has_first: whether its first request is in flight.
        refusal: the error that refused it, or None.
    """

    accepted: set[tuple[str, ...]] = field(default_factory=set)
    has_first: bool = False
    refusal: CredentialsError | None = None


@dataclass(frozen=True)
class _InFlight:
    """One request in flight.

    Attributes:
        endpoint: its endpoint.
        credential: its credential.
        use: the endpoint, algorithm and region of the credential.
        is_first: whether the credential was not accepted in this use before.
    """

    endpoint: _Endpoint
    credential: _CredentialState
    use: tuple[str, ...]
    is_first: bool


class RequestLimiter:
    """Limits requests. One object serves the whole process; tests make their own."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._endpoints: dict[str, _Endpoint] = {}
        self._credentials: dict[str, _CredentialState] = {}

    @contextmanager
    def slot(self, connection: ResolvedConnection, *, deadline: Deadline, doing: str) -> Iterator[None]:
        """Count one request as in flight during the block, which sends it and reads its response.

        The block raises the error of the response, or ends without one.

        Args:
            connection: where the request goes, and with what credential.
            deadline: how long to wait for a place.
            doing: what the request does, for an error.

        Raises:
            CredentialsError: the credential was refused earlier.
            DeadlineExceeded: the limit was reached until the deadline.
        """
        request = self._enter(connection, deadline, doing)
        failure: BaseException | None = None
        try:
            yield
        except BaseException as error:
            failure = error
            raise
        finally:
            with self._changed:
                request.endpoint.in_flight -= 1
                if request.is_first:
                    request.credential.has_first = False
                _record(request, failure)
                self._changed.notify_all()

    @contextmanager
    def walking(self, connection: ResolvedConnection) -> Iterator[Callable[[], int]]:
        """Count a walk over several pages during the block, and return its share of the concurrency limit.

        The share is rounded up, and is one after a throttling response. Each request still needs a :meth:`slot`.
        """
        with self._changed:
            endpoint = self._endpoint(connection)
            endpoint.walks += 1
        try:
            yield lambda: -(-endpoint.limit // max(1, endpoint.walks))
        finally:
            with self._changed:
                endpoint.walks -= 1

    def forget(self) -> None:
        """Forget every refusal, because a credential or an account may have been corrected since."""
        with self._changed:
            # In-flight requests update discarded objects.
            self._credentials.clear()
            self._changed.notify_all()

    def _enter(self, connection: ResolvedConnection, deadline: Deadline, doing: str) -> _InFlight:
        use = (connection.endpoint, connection.algorithm, connection.region)
        with self._changed:
            endpoint = self._endpoint(connection)
            while not _may_enter(endpoint, credential := self._credential(connection), use):
                deadline.check(doing)
                self._changed.wait(deadline.remaining())
            endpoint.in_flight += 1
            is_first = use not in credential.accepted
            credential.has_first |= is_first
        return _InFlight(endpoint, credential, use, is_first)

    def _endpoint(self, connection: ResolvedConnection) -> _Endpoint:
        return self._endpoints.setdefault(connection.endpoint, _Endpoint())

    def _credential(self, connection: ResolvedConnection) -> _CredentialState:
        return self._credentials.setdefault(digest(connection.credential.parts), _CredentialState())


def _may_enter(endpoint: _Endpoint, credential: _CredentialState, use: tuple[str, ...]) -> bool:
    if credential.refusal is not None:
        # A copy, because each raise writes its own traceback into the error.
        raise copy.copy(credential.refusal)
    return endpoint.in_flight < endpoint.limit and (use in credential.accepted or not credential.has_first)


def _record(request: _InFlight, failure: BaseException | None) -> None:
    """Record the result of one request for those that follow."""
    if isinstance(failure, CredentialsError):
        request.credential.refusal = failure
    elif isinstance(failure, ServiceError) and is_throttle(failure.status, failure.error_code):
        request.endpoint.throttled()
    elif failure is None or (isinstance(failure, ServiceError) and failure.status < _SERVER_ERRORS):
        request.endpoint.answered()
        # If the service itself refuses for another reason, it has accepted the credential. A gateway, or a server at a
        # wrong address, can refuse without checking it.
        if failure is None or failure.by_service:
            request.credential.accepted.add(request.use)


# With the token cache, this is the only state that outlives a client.
PROCESS_LIMITER = RequestLimiter()
