"""A run that is killed while it creates a campaign, and the runs after it: one campaign."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from typing import TYPE_CHECKING

from tests.engine.test_resources import ids, ok, posts, rollout, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator import Emulator
    from tests.engine.conftest import Project


def is_of(session: int, pid: int) -> bool:
    """Return whether a process belongs to a session, and still runs."""
    try:
        return os.getsid(pid) == session
    except (ProcessLookupError, PermissionError):
        return False


def kill_session(command: subprocess.Popen[bytes]) -> None:
    """Kill a command and all it has started: the language host, the program and the providers."""
    # Providers have process groups of their own and outlive the CLI; they share its session.
    listed = subprocess.run(["ps", "-A", "-o", "pid="], check=True, capture_output=True, text=True).stdout
    members = [pid for pid in map(int, listed.split()) if is_of(command.pid, pid)]
    assert len(members) > 1
    for pid in members:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    command.wait()


def test_killed_while_the_request_is_under_way(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """After kill -9 in the middle of the create, the documented commands end with exactly one task, in the state."""
    project = rollout(make_project, emulator)
    emulator.faults.add(operation="CreateBatchTask", delay=0.5, accept=True)
    command = subprocess.Popen(
        ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"],
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_until(lambda: posts(emulator))
    kill_session(command)
    wait_until(lambda: emulator.tasks)
    assert "rollout" not in project.resources()

    ok(project.run("cancel", "--yes"))
    ok(project.run("refresh", "--yes", "--clear-pending-creates"))
    assert "is there already and is taken over" in ok(project.up())

    assert (posts(emulator), len(emulator.tasks)) == (1, 1)
    assert project.resources()["rollout"]["id"] == ids(emulator)[0]
    ok(project.preview("--expect-no-changes"))
