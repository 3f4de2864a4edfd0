"""Make one call: its attempts, the waits between them, the deadline, and a line in the log for each attempt.

A request that is not repeatable is sent once. If it is unknown whether the service accepted it, the call ends with
OutcomeUnknown.
"""

from __future__ import annotations

import logging
import random
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pulumi_iotda_ota.iotda.api.protocol import read
from pulumi_iotda_ota.iotda.auth.refresh import REFRESHED_IN_VAIN
from pulumi_iotda_ota.iotda.errors import (
    CredentialsError,
    OutcomeUnknown,
    ProtocolError,
    ServiceError,
    TransportError,
)
from pulumi_iotda_ota.iotda.references import by_interface
from pulumi_iotda_ota.iotda.retry import backoff, is_retried, may_be_accepted

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.errors import IotdaOtaError
    from pulumi_iotda_ota.iotda.http.limiter import RequestLimiter
    from pulumi_iotda_ota.iotda.http.messages import Request, Response
    from pulumi_iotda_ota.iotda.retry import Clock, Deadline

Content = TypeVar("Content")

_log = logging.getLogger("pulumi_iotda_ota")
# After an attempt that hangs there is time for another one. A request that is sent once has the whole time.
_LONGEST_ATTEMPT = 20.0


class Transport(Protocol):
    """Sends a request: one attempt, no retry."""

    def send(self, request: Request[Any], *, connection: ResolvedConnection, timeout: float) -> Response:
        """Send a request once within ``timeout`` seconds; raises only errors of ``iotda.errors``."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


class Login(Protocol):
    """Provides the credential of requests."""

    def ready(self, deadline: Deadline) -> ResolvedConnection:
        """Return the connection with its project and a credential that signs requests."""
        ...

    def on_accepted(self, used: ResolvedConnection) -> None:
        """Record that the service accepted a credential."""
        ...

    def refreshed(self, used: ResolvedConnection, refusal: CredentialsError) -> bool:
        """Record that the service refused a credential, and return whether :meth:`ready` returns another one."""
        ...


class StaticCredentials:
    """Provides one fixed credential."""

    def __init__(self, connection: ResolvedConnection) -> None:
        self._connection = connection

    def ready(self, deadline: Deadline) -> ResolvedConnection:  # noqa: ARG002
        """Return the connection."""
        return self._connection

    def on_accepted(self, used: ResolvedConnection) -> None:
        """Do nothing."""

    def refreshed(self, used: ResolvedConnection, refusal: CredentialsError) -> bool:  # noqa: ARG002
        """Return that there is no other credential."""
        return False


class Caller:
    """Makes calls over one transport."""

    def __init__(
        self,
        connection: ResolvedConnection,
        transport: Transport,
        *,
        clock: Clock,
        limiter: RequestLimiter,
        login: Login,
    ) -> None:
        self._connection = connection
        self._transport = transport
        self._clock = clock
        self._limiter = limiter
        self._login = login

    def call(
        self, request: Request[Content], deadline: Deadline, *, once: bool = False, after: IotdaOtaError | None = None
    ) -> Content:
        """Send a request until it succeeds, or until another attempt cannot help.

        Args:
            request: the request.
            deadline: the end of all attempts and waits.
            once: whether it is sent only once.
            after: the error of a first attempt with ``once``. This call waits, and is the second attempt.

        Raises:
            CredentialsError: the service refuses the credential, now or earlier in this process. A credential of IAM is
                refreshed once before that.
            ServiceError: the service refuses, or fails at each attempt.
            TransportError: there is no response.
            ProtocolError: the response does not have the documented shape.
            DeadlineExceeded: the time is over; it names the last of the errors above.
            OutcomeUnknown: the service can have accepted a request that must not be sent twice.
        """
        if after is not None:
            self._clock.sleep(self._wait_before_next(request, after, 1, deadline))
        refreshed = False
        for attempt in count(1 if after is None else 2):
            deadline.check(request.doing)
            # Outside of the try: requests to IAM are retried separately.
            connection = self._login.ready(deadline)
            try:
                content = self._attempt(request, connection, deadline)
            except CredentialsError as refusal:
                self._require_another(request, connection, refusal, refreshed=refreshed)
                refreshed = True
                continue
            except (ServiceError, ProtocolError, TransportError) as error:
                if once:
                    raise
                if is_retried(error):
                    error.note("attempts", str(attempt))
                wait = self._wait_before_next(request, error, attempt, deadline)
            else:
                self._login.on_accepted(connection)
                return content
            self._clock.sleep(wait)
        raise AssertionError("counting does not end")

    def _require_another(
        self, request: Request[Any], used: ResolvedConnection, refusal: CredentialsError, *, refreshed: bool
    ) -> None:
        """Raise the refusal of a credential, unless another credential can be used."""
        if not self._login.refreshed(used, refusal):
            raise refusal
        if not request.repeatable and may_be_accepted(refusal):
            raise _unknown(request, refusal) from refusal
        if refreshed:
            # Other requests succeed with the new credential. This one was refused with both.
            refusal.note(*REFRESHED_IN_VAIN)
            raise refusal

    def _attempt(self, request: Request[Content], connection: ResolvedConnection, deadline: Deadline) -> Content:
        with self._limiter.slot(connection, deadline=deadline, doing=request.doing):
            left = deadline.remaining()
            if not left:
                # The limiter waited until the deadline.
                deadline.check(request.doing)
            answer = self._logged(request, connection, min(left, _patience(request, left)))
            return read(request, answer, connection=connection, now=self._clock.now())

    def _logged(self, request: Request[Any], connection: ResolvedConnection, timeout: float) -> Response:
        """Send a request and log one line, without query string, headers and body."""
        path = request.target(connection.project_id).partition("?")[0]
        began = self._clock.monotonic()
        outcome = "no response"
        try:
            answer = self._transport.send(request, connection=connection, timeout=timeout)
            redacted = replace(answer, body=b"").without(connection.secrets)
            outcome = f"{answer.status} request {redacted.request_id or '-'}"
        finally:
            milliseconds = round((self._clock.monotonic() - began) * 1000)
            _log.debug("%s %s %s %d ms", request.method, path, outcome, milliseconds)
        return answer

    def _wait_before_next(self, request: Request[Any], error: IotdaOtaError, attempt: int, deadline: Deadline) -> float:
        """Return the seconds until the next attempt, or raise the error if there is none."""
        if not request.repeatable and may_be_accepted(error):
            raise _unknown(request, error) from error
        if not is_retried(error):
            raise error
        wait = backoff(attempt, random=random.random)
        requested = error.retry_after if isinstance(error, ServiceError) else None
        if requested is not None and requested >= deadline.remaining() > 0:
            left = f"{deadline.remaining():.0f} s of the deadline of {deadline.seconds:g} s are left"
            error.note("retry after", f"the service requires a wait of {requested:g} s, and {left}")
            raise error
        wait = max(wait, requested or 0.0)
        # Before the number of attempts: if the time is over, the error says that.
        deadline.check(request.doing, last=error)
        if attempt >= self._connection.max_attempts:
            raise error
        deadline.check(request.doing, needed=wait, last=error)
        return wait


_CHECK_FIRST = by_interface(
    "check on the service whether it was accepted, before you send it again",
    command_line="check whether it was accepted (iotda-ota task list) before you send it again",
)


def _patience(request: Request[Any], left: float) -> float:
    """Return the seconds of one attempt."""
    if request.patience is not None:
        return request.patience
    return _LONGEST_ATTEMPT if request.repeatable else left


def _unknown(request: Request[Any], error: IotdaOtaError) -> OutcomeUnknown:
    return OutcomeUnknown(
        f"it is unknown whether the service accepted to {request.doing}",
        cause=error.message.headline,
        facts=[
            ("requested", request.requested),
            *((label, text) for label, text in error.message.facts if label not in ("requested", "cause", "fix")),
            ("cause", error.message.headline),
            *((label, text) for label, text in error.message.facts if label == "cause"),
            ("not repeated", "a second request could take effect twice"),
            ("fix", _CHECK_FIRST),
        ],
    )
