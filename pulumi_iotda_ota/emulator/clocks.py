"""Time as the emulator sees it: a function that returns seconds since 1970, and the API's way to write them.

Nothing here waits: devices and tasks are computed from the clock when someone asks.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime, timezone

Clock = Callable[[], float]

_API_TIME = "%Y%m%dT%H%M%SZ"
_API_FORM = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z")


class ManualClock:
    """A clock that moves only when it is told to.

    Args:
        start: seconds since 1970; the present by default.
    """

    def __init__(self, start: float | None = None) -> None:
        self._now = time.time() if start is None else start

    def __call__(self) -> float:
        """Return the time."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._now += seconds


def api_time(seconds: float) -> str:
    """Return a time as ``yyyyMMdd'T'HHmmss'Z'``."""
    return datetime.fromtimestamp(seconds, tz=timezone.utc).strftime(_API_TIME)


def seconds_of(text: str) -> float:
    """Return the seconds since 1970 of ``yyyyMMdd'T'HHmmss'Z'``.

    Raises:
        ValueError: the text has another form.
    """
    # strptime would also take fewer digits, which the API's form does not have.
    found = _API_FORM.fullmatch(text)
    if found is None:
        raise ValueError("a time is yyyyMMdd'T'HHmmss'Z'")
    year, month, day, hour, minute, second = map(int, found.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc).timestamp()
