"""The time of a provider's process: waits that end at once if the engine cancels or is gone, or time is over."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.retry import SYSTEM_CLOCK, Deadline

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_iotda_ota.iotda.retry import Clock


class Interrupted(Exception):
    """A wait was ended from outside. No IotdaOtaError, so that what endures outages does not endure this."""


class Waiting:
    """A clock, and what ends its waits.

    Args:
        clock: the time itself; its own way to sleep is not used.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._time = clock
        self._cancelled = threading.Event()
        self._cause = ""
        # Of the thread that serves a call: its waits are made there.
        self._bound: ContextVar[Deadline | None] = ContextVar("bound", default=None)
        self.clock = replace(clock, sleep=self._sleep)

    def begin(self) -> None:
        """Let waits wait again: another run has begun."""
        self._cancelled.clear()

    def cancel(self, cause: str = "it was cancelled while it waited") -> None:
        """End every wait, also those to come.

        Args:
            cause: why, for the error of each wait.
        """
        self._cause = cause
        self._cancelled.set()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Bound the waits of the block; 0 does not.

        Args:
            seconds: the ``customTimeouts`` of the resource.
        """
        token = self._bound.set(Deadline.start(self._time, seconds) if seconds else None)
        try:
            yield
        finally:
            self._bound.reset(token)

    def _sleep(self, seconds: float) -> None:
        bound = self._bound.get()
        left = bound.remaining() if bound else seconds
        if self._cancelled.wait(min(seconds, left)):
            raise Interrupted(f"{self._cause}; run the command again to go on")
        if bound and left < seconds:
            raise Interrupted(
                f"it did not end within the {bound.seconds:g} s of customTimeouts; raise them, or run it again to go on"
            )
