"""Carries one call through: attempts, the waits between them, the deadline over all, and a line in the log for each.

A request that must not be sent twice is not: whatever leaves open whether it was accepted ends the call as
OutcomeUnknown. How a request travels is not known here; the transport is given.
"""

from __future__ import annotations

import logging
import random
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pulumi_iotda_ota.iotda.api.protocol import read
from pulumi_iotda_ota.iotda.auth.refresh import RENEWED_IN_VAIN
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
# One attempt that hangs must leave time for another; a request that is sent once may take all the time there is.
_LONGEST_ATTEMPT = 20.0


class Transport(Protocol):
    """What carries a request: one attempt, no retry."""

    def send(self, request: Request[Any], *, connection: ResolvedConnection, timeout: float) -> Response:
        """Send a request once within ``timeout`` seconds; raises the errors of ``iotda.errors`` and no others."""
        ...

    def close(self) -> None:
        """Close what is open."""
        ...


class Login(Protocol):
    """What gives the credential that a request is signed with."""

    def ready(self, deadline: Deadline) -> ResolvedConnection:
        """Return the connection with a credential that is sent as it is, and with its project."""
        ...

    def on_accepted(self, used: ResolvedConnection) -> None:
        """Hear that a credential was let in."""
        ...

    def renewed(self, used: ResolvedConnection, refusal: CredentialsError) -> bool:
        """Hear that a credential was refused, and return whether :meth:`ready` has, or gets, another one."""
        ...


class StaticCredentials:
    """Gives a request the credential that it has."""

    def __init__(self, connection: ResolvedConnection) -> None:
        self._connection = connection

    def ready(self, deadline: Deadline) -> ResolvedConnection:  # noqa: ARG002
        """Return the connection."""
        return self._connection

    def on_accepted(self, used: ResolvedConnection) -> None:
        """Do nothing."""

    def renewed(self, used: ResolvedConnection, refusal: CredentialsError) -> bool:  # noqa: ARG002
        """Return that there is no other."""
        return False


class Caller:
    """Makes calls over one transport.

    Args:
        connection: where the calls go, and with what credential.
        transport: what carries a request.
        clock: the time.
        limiter: what holds requests back.
        login: what gives the credential.
    """

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
        """Send a request until it is answered, or until sending it again is of no use.

        Args:
            request: what to send.
            deadline: the end of all attempts and waits.
            once: whether whoever calls decides what is sent after a failure.
            after: what such a request has failed with: this one is its second attempt, after the same wait.

        Raises:
            CredentialsError: there is no credential, or the service refused it, now or earlier in this process; never
                retried, but for one that was obtained from IAM, which is obtained anew once.
            ServiceError: the service refused, or went on failing.
            TransportError: no answer came.
            ProtocolError: the answer is not of the documented shape.
            DeadlineExceeded: the time ran out; it names the last of the errors above.
            OutcomeUnknown: the request may have been accepted, and must not be sent twice.
        """
        if after is not None:
            self._clock.sleep(self._wait_before_next(request, after, 1, deadline))
        renewed = False
        for attempt in count(1 if after is None else 2):
            deadline.check(request.doing)
            # Outside of what is caught: who asks IAM has retried it already.
            connection = self._login.ready(deadline)
            try:
                content = self._attempt(request, connection, deadline)
            except CredentialsError as refusal:
                self._require_another(request, connection, refusal, renewed=renewed)
                renewed = True
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
        self, request: Request[Any], used: ResolvedConnection, refusal: CredentialsError, *, renewed: bool
    ) -> None:
        """Raise the refusal of a credential, unless the request may be sent again with another one."""
        if not self._login.renewed(used, refusal):
            raise refusal
        if not request.repeatable and may_be_accepted(refusal):
            raise _unknown(request, refusal) from refusal
        if renewed:
            # Others are let in with it, so for them it is good; for this request another one is no better.
            refusal.note(*RENEWED_IN_VAIN)
            raise refusal

    def _attempt(self, request: Request[Content], connection: ResolvedConnection, deadline: Deadline) -> Content:
        with self._limiter.passage(connection, deadline=deadline, doing=request.doing):
            left = deadline.remaining()
            if not left:
                # The place came free as the time ended.
                deadline.check(request.doing)
            answer = self._logged(request, connection, min(left, _patience(request, left)))
            return read(request, answer, connection=connection, now=self._clock.now())

    def _logged(self, request: Request[Any], connection: ResolvedConnection, timeout: float) -> Response:
        """Send a request and log one line; never a query string, a header or a body."""
        path = request.target(connection.project_id).partition("?")[0]
        began = self._clock.monotonic()
        outcome = "no answer"
        try:
            answer = self._transport.send(request, connection=connection, timeout=timeout)
            told = replace(answer, body=b"").without(connection.secrets)
            outcome = f"{answer.status} request {told.request_id or '-'}"
        finally:
            milliseconds = round((self._clock.monotonic() - began) * 1000)
            _log.debug("%s %s %s %d ms", request.method, path, outcome, milliseconds)
        return answer

    def _wait_before_next(self, request: Request[Any], error: IotdaOtaError, attempt: int, deadline: Deadline) -> float:
        """Return the seconds until the next attempt, or raise where there is none."""
        if not request.repeatable and may_be_accepted(error):
            raise _unknown(request, error) from error
        if not is_retried(error):
            raise error
        wait = backoff(attempt, random=random.random)
        asked = error.retry_after if isinstance(error, ServiceError) else None
        if asked is not None and asked >= deadline.remaining() > 0:
            left = f"{deadline.remaining():.0f} s of the deadline of {deadline.seconds:g} s are left"
            error.note("retry after", f"the service asks to wait {asked:g} s, and {left}")
            raise error
        wait = max(wait, asked or 0.0)
        # Before the count of attempts: when the time is over, that is what a person must hear.
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
    """Return the seconds that one attempt may take."""
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
            ("not repeated", "sent twice, it could take effect twice"),
            ("fix", _CHECK_FIRST),
        ],
    )
