"""What is sent again, when, and until when."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_iotda_ota.iotda.errors import (
    CredentialsError,
    DeadlineExceeded,
    InputError,
    IotdaOtaError,
    ProtocolError,
    ServiceError,
    TransportError,
)
from pulumi_iotda_ota.iotda.retry import (
    SYSTEM_CLOCK,
    Deadline,
    backoff,
    is_retried,
    is_throttle,
    may_be_accepted,
    retry_after,
)
from tests.support.fault_helpers import NOW, FakeClock


@pytest.mark.parametrize(
    ("error", "again", "accepted"),
    [
        (ServiceError("", status=500), True, True),
        (ServiceError("", status=502), True, True),
        (ServiceError("", status=503), True, True),
        (ServiceError("", status=504), True, True),
        (ServiceError("", status=501), False, True),
        (ServiceError("", status=429), True, False),
        (ServiceError("", status=403, error_code="IOTDA.021101"), True, False),
        (ServiceError("", status=403, error_code="IOTDA.021102"), True, False),
        (ServiceError("", status=403, error_code="IOTDA.001000"), False, False),
        (ServiceError("", status=400, error_code="IOTDA.000006"), False, False),
        (ServiceError("", status=404, error_code="APIGW.0101"), False, False),
        (ServiceError("", status=400), False, True),
        (ServiceError("", status=404), False, True),
        (ServiceError("", status=302), False, True),
        (ServiceError("", status=101), False, True),
        (CredentialsError("", status=401, error_code="APIGW.0301"), False, False),
        (CredentialsError("", status=401), False, True),
        (CredentialsError(""), False, False),
        (TransportError("", sent=False), True, False),
        (TransportError("", sent=True), True, True),
        (TransportError("", sent=False, temporary=False), False, False),
        (ProtocolError("", garbled=True), True, True),
        (ProtocolError(""), False, True),
        (InputError(""), False, False),
    ],
    ids=lambda value: f"{type(value).__name__}-{vars(value)}" if isinstance(value, Exception) else str(value),
)
def test_only_named_conditions_are_retried(error: IotdaOtaError, again: bool, accepted: bool) -> None:
    """Each condition says whether it is worth another attempt, and whether the request may have been accepted."""
    assert is_retried(error) is again
    assert may_be_accepted(error) is accepted


def test_throttling_has_two_faces() -> None:
    """IoTDA says "too fast" with 403, the gateway with 429."""
    assert is_throttle(429, "APIGW.0308")
    assert is_throttle(403, "IOTDA.021102")
    assert not is_throttle(403, "IOTDA.000021")


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_the_wait_is_bounded_and_uses_the_whole_range(attempt: int, chance: float) -> None:
    """A wait lies between nothing and a bound that doubles up to 8 seconds."""
    bound = min(8.0, 0.5 * 2 ** min(attempt, 30))

    assert backoff(attempt, random=lambda: chance) == chance * bound


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0.0),
        ("7", 7.0),
        (" 7 ", 7.0),
        ("-7", None),
        ("7.5", None),
        ("soon", None),
        ("\u0667", None),
        ("9" * 5000, float("inf")),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("Sun, 22 Nov 2026 12:00:30", 30.0),
        ("Sun, 99 Nov 2026 12:00:30 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str | None, seconds: float | None) -> None:
    """Seconds and HTTP dates are read, absurd values never break, nonsense is as if it were not there."""
    assert retry_after(value, now=NOW) == seconds


def test_a_deadline_runs_on_the_monotonic_clock() -> None:
    """What is left falls with the clock and never below nothing."""
    clock = FakeClock()
    deadline = Deadline.start(clock.clock, 60)

    clock.seconds = 45
    assert deadline.remaining() == 15
    clock.seconds = 100
    assert deadline.remaining() == 0


def test_a_deadline_that_is_over_names_itself_and_the_last_error() -> None:
    """The error says the limit, what was under way, and what went wrong before."""
    clock = FakeClock()
    deadline = Deadline.start(clock.clock, 60)
    deadline.check("list OTA packages")
    clock.seconds = 60
    last = ServiceError("Huawei Cloud failed (503)", facts=[("attempts", "4")])

    with pytest.raises(DeadlineExceeded) as caught:
        deadline.check("list OTA packages", last=last)

    assert caught.value.headline == "could not list OTA packages within the deadline of 60 s"
    assert ("cause", "Huawei Cloud failed (503)") in caught.value.facts
    assert ("attempts", "4") in caught.value.facts
    assert caught.value.__cause__ is last


def test_a_deadline_keeps_the_advice_of_the_last_error() -> None:
    """What to do about the last error and about the time stand in one line, the error's first."""
    last = ServiceError("it failed", status=429, facts=[("fix", "run fewer programs"), ("requested", "x")])
    with pytest.raises(DeadlineExceeded) as caught:
        Deadline.start(FakeClock().clock, 0).check("wait", last=last)

    assert caught.value.facts == (
        ("cause", "it failed"),
        ("requested", "x"),
        ("fix", "run fewer programs; run it again, or raise deadline"),
    )


def test_a_deadline_refuses_a_wait_that_is_longer_than_itself() -> None:
    """A step that needs more than is left is not begun."""
    with pytest.raises(DeadlineExceeded):
        Deadline.start(FakeClock().clock, 5).check("wait", needed=5)


def test_the_system_clock_is_in_utc() -> None:
    """Signatures are made with UTC, whatever the machine's zone is."""
    assert SYSTEM_CLOCK.now().utcoffset() == timedelta(0)
