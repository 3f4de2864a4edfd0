"""Says when the engine of a run is gone, so that no process stays behind with credentials and waits for hours.

After ``kill -9`` a provider gets no signal. Its parent is a language host, which lives for minutes longer, so only the
engine's own address shows it.
"""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Together less than ten seconds, also if each connection takes as long as it may.
_INTERVAL = 2.0
_SECONDS = 1.5
_MISSES = 2


def watch_engine(address: str, on_gone: Callable[[], None]) -> None:
    """Call ``on_gone`` once the engine was there and no connection to it is possible any more.

    An engine that was never reached is not gone: then nothing is called.

    Args:
        address: host and port of the engine; nothing is watched if it is empty or no address.
        on_gone: is called in a thread of its own.
    """
    host, _, port = address.rpartition(":")
    if host and port.isdigit():
        threading.Thread(target=_watch, args=[(host, int(port)), on_gone], daemon=True, name="engine-watch").start()


def _watch(address: tuple[str, int], on_gone: Callable[[], None]) -> None:
    pause = threading.Event()
    reached, misses = False, 0
    while misses < _MISSES:
        try:
            socket.create_connection(address, timeout=_SECONDS).close()
            reached, misses = True, 0
        except OSError:
            misses += reached
        pause.wait(_INTERVAL)
    on_gone()
