"""The clock of a provider process. Its waits end if the engine cancels or is gone, or if the time limit is over."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.retry import SYSTEM_CLOCK, Deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pulumi_iotda_ota.iotda.retry import Clock

# Together less than ten seconds, even if each connection takes as long as it may.
_POLL_SECONDS = 2.0
_CONNECT_SECONDS = 1.5
_MISSES = 2


class Interrupted(Exception):
    """A wait was ended from outside. It is no IotdaOtaError, so code that endures outages does not endure it."""


class Waiting:
    """A clock whose waits can be ended.

    Args:
        clock: the time. Its own ``sleep`` is not used.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._time = clock
        self._cancelled = threading.Event()
        self._cause = ""
        # A context variable, because each thread serves one call and waits for that call only.
        self._limit: ContextVar[Deadline | None] = ContextVar("limit", default=None)
        self.clock = replace(clock, sleep=self._sleep)

    def begin(self) -> None:
        """Allow waits again, because another run has begun."""
        self._cancelled.clear()

    def cancel(self, cause: str = "it was cancelled while it waited") -> None:
        """End every wait, also those that begin later. Each raises an error with the cause."""
        self._cause = cause
        self._cancelled.set()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Limit the waits of the block to the ``customTimeouts`` of a resource. 0 means no limit."""
        token = self._limit.set(Deadline.start(self._time, seconds) if seconds else None)
        try:
            yield
        finally:
            self._limit.reset(token)

    def _sleep(self, seconds: float) -> None:
        limit = self._limit.get()
        left = limit.remaining() if limit else seconds
        if self._cancelled.wait(min(seconds, left)):
            raise Interrupted(f"{self._cause}; run the command again to go on")
        if limit and left < seconds:
            raise Interrupted(
                f"it did not end within the {limit.seconds:g} s of customTimeouts; raise them, or run it again to go on"
            )


def watch_engine(address: str, on_gone: Callable[[], None]) -> None:
    """Call ``on_gone`` if the engine was reached and can no longer be reached.

    After ``kill -9`` of the engine a provider gets no signal. Its parent is a language host, which lives for minutes
    longer. So only the address of the engine shows that the engine is gone.

    Args:
        address: host and port of the engine. If it is empty or no address, nothing is watched.
        on_gone: is called in another thread.
    """
    host, _, port = address.rpartition(":")
    if host and port.isdigit():
        threading.Thread(target=_watch, args=[(host, int(port)), on_gone], daemon=True, name="engine-watch").start()


def _watch(address: tuple[str, int], on_gone: Callable[[], None]) -> None:
    pause = threading.Event()
    reached, misses = False, 0
    while misses < _MISSES:
        try:
            socket.create_connection(address, timeout=_CONNECT_SECONDS).close()
            reached, misses = True, 0
        except OSError:
            misses += reached
        pause.wait(_POLL_SECONDS)
    on_gone()
