"""Ends a command with everything that it has started, as a runner that dies does."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess

__all__ = ["kill_session"]


def kill_session(command: subprocess.Popen[bytes]) -> None:
    """Kill a command that began a session, and all of it: the language host, the program and the providers.

    Args:
        command: was started with ``start_new_session``.
    """
    # Providers have separate process groups and outlive the CLI; they share its session.
    listed = subprocess.run(["ps", "-A", "-o", "pid="], check=True, capture_output=True, text=True).stdout
    members = [pid for pid in map(int, listed.split()) if _is_of(command.pid, pid)]
    assert len(members) > 1
    for pid in members:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    command.wait()


def _is_of(session: int, pid: int) -> bool:
    """Return whether a process belongs to a session, and still runs."""
    try:
        return os.getsid(pid) == session
    except (ProcessLookupError, PermissionError):
        return False
