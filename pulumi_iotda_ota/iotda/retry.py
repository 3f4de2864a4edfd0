"""Decide whether a failed request is sent again, and when.

``Clock`` is the only access to the time in this package, so that no test waits. ``Deadline`` bounds one operation.

Only these conditions are retried: no connection, no complete response, a response that cannot be decoded, throttling
(429, or 403 with IOTDA.021101 or IOTDA.021102) and 500, 502, 503, 504. Every other error is final. After five responses
of 401 the account is locked.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda import references
from pulumi_iotda_ota.iotda.errors import (
    CredentialsError,
    DeadlineExceeded,
    ProtocolError,
    ServiceError,
    TransportError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.iotda.errors import IotdaOtaError

_THROTTLED_STATUS = 429
_THROTTLE_CODES = frozenset({"IOTDA.021101", "IOTDA.021102"})
# The prefixes of the codes of the service, of its gateway (shared and dedicated) and of IAM.
_CODES = ("IOTDA.", "APIGW.", "APIG.", "IAM.")
_FAILING_STATUSES = frozenset({500, 502, 503, 504})
_REFUSALS = range(400, 500)
_BACKOFF_BASE = 0.5  # seconds
_BACKOFF_CAP = 8.0  # seconds
# A longer number of seconds is no wait, and int() refuses very long ones.
_LONGEST_SECONDS = 9


@dataclass(frozen=True)
class Clock:
    """The time, for the rest of the package.

    Attributes:
        now: returns the time in UTC, for signatures.
        monotonic: returns seconds that never run backwards, for deadlines.
        sleep: waits for a number of seconds.
    """

    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]


SYSTEM_CLOCK = Clock(now=lambda: datetime.now(timezone.utc), monotonic=time.monotonic, sleep=time.sleep)


@dataclass(frozen=True)
class Deadline:
    """The end of one operation, with its connections, bodies, pages and waits.

    Attributes:
        clock: the time.
        seconds: how long the operation may take.
        ends: when it ends, in the clock's monotonic seconds.
        over: returns whether the operation was cancelled.
        raised_by: the cause of a longer deadline, for an error.
    """

    clock: Clock
    seconds: float
    ends: float
    over: Callable[[], bool] = lambda: False
    raised_by: str = references.setting("deadline")

    @classmethod
    def start(cls, clock: Clock, seconds: float) -> Deadline:
        """Return a deadline that ends ``seconds`` from now."""
        return cls(clock=clock, seconds=seconds, ends=clock.monotonic() + seconds)

    def remaining(self) -> float:
        """Return the seconds that are left, at least 0."""
        return 0.0 if self.over() else max(0.0, self.ends - self.clock.monotonic())

    def check(self, doing: str, *, needed: float = 0.0, last: IotdaOtaError | None = None) -> None:
        """Refuse to continue if less time is left than is needed.

        Args:
            doing: the action, such as ``list OTA packages``.
            needed: the seconds that the next step needs.
            last: the last error, or None.

        Raises:
            DeadlineExceeded: no time is left, or less than ``needed``.
        """
        left = self.remaining()
        if left > needed:
            return
        # The fix of the last error comes before the fix of the time; both are one line.
        facts = [("cause", last.message.headline), *last.message.facts] if last else []
        advised = [text for label, text in facts if label == "fix"]
        facts = [fact for fact in facts if fact[0] != "fix"]
        advice = ("fix", "; ".join([*advised, f"run it again, or raise {self.raised_by}"]))
        raise DeadlineExceeded(
            f"could not {doing} within the deadline of {self.seconds:g} s", facts=[*facts, advice]
        ) from last


def is_throttle(status: int, error_code: str) -> bool:
    """Return whether a response is one of throttling. IoTDA also uses 403 for it."""
    return status == _THROTTLED_STATUS or error_code in _THROTTLE_CODES


def is_retried(error: IotdaOtaError) -> bool:
    """Return whether the same request can succeed if it is sent again."""
    if isinstance(error, ServiceError):
        return error.status in _FAILING_STATUSES or is_throttle(error.status, error.error_code)
    if isinstance(error, TransportError):
        return error.temporary
    return isinstance(error, ProtocolError) and error.garbled


def is_transient(error: IotdaOtaError) -> bool:
    """Return whether a later operation can succeed: after an outage, or throttling."""
    return is_retried(error) or isinstance(error, DeadlineExceeded)


def may_be_accepted(error: IotdaOtaError) -> bool:
    """Return whether the service can have carried out the request in spite of the error.

    A refusal is certain if it has a code of the service, its gateway or IAM, and a status of 400 to 499. A page of a
    proxy or of a filter can replace the response to a request that was carried out. A throttling response is certain
    without such a code too.
    """
    if isinstance(error, (ServiceError, CredentialsError)) and error.status:
        is_refusal = error.error_code.startswith(_CODES) or is_throttle(error.status, error.error_code)
        return error.status not in _REFUSALS or not is_refusal
    if isinstance(error, TransportError):
        return error.sent
    return isinstance(error, ProtocolError)


def backoff(attempt: int, *, random: Callable[[], float]) -> float:
    """Return the random seconds to wait after a failed attempt, up to a bound that doubles each time.

    The whole range is used ("full jitter"), so that clients that failed together do not return together.
    """
    return random() * min(_BACKOFF_CAP, _BACKOFF_BASE * 2.0 ** min(attempt, 30))


def retry_after(value: str | None, *, now: datetime) -> float | None:
    """Return the seconds of a ``Retry-After`` header (RFC 9110, section 10.2.3), or None if it cannot be read.

    Args:
        value: seconds or an HTTP date (RFC 9110, section 10.2.3).
        now: the time that a date counts from.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text) if len(text) <= _LONGEST_SECONDS else float("inf")
    date = http_date(text)
    return max(0.0, (date - now).total_seconds()) if date else None


def http_date(text: str) -> datetime | None:
    """Return the time of an HTTP date, or None if it cannot be read."""
    try:
        date = parsedate_to_datetime(text)
        return date if date.tzinfo else date.replace(tzinfo=timezone.utc)
    except (TypeError, ValueError, OverflowError):
        return None
