"""A process that is killed at every point of the creation of a task, and the run after it: one task, which it knows."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.emulator import Emulator
from tests.conftest import settings_for
from tests.support.engine_resources import wait_until
from tests.support.resource_bench import SEED

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PROGRAM = "tests.support.create_program"


@pytest.fixture
def service() -> Iterator[Emulator]:
    """Return a service that has the packages of the bench."""
    with Emulator(SEED) as emulator:
        yield emulator


def start(service: Emulator) -> subprocess.Popen[str]:
    """Start the creation of the task."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    environment = {**kept, **settings_for(service)}
    return subprocess.Popen(
        [sys.executable, "-m", PROGRAM], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )


def sequence(service: Emulator) -> list[str]:
    """Return the operations that one undisturbed run sends, in order."""
    with start(service) as run:
        assert run.wait() == 0
    operations = [str(request.operation) for request in service.requests]
    service.reset()
    return operations


def killed_in(service: Emulator, number: int, *, accepted: bool) -> None:
    """Kill a run in a request, which is held back until the process is gone. Then it is handled, or dropped."""
    service.reset()
    gone = threading.Event()
    service.faults.add(nth=number, before=gone.wait, accept=accepted, wire="whole" if accepted else "drop")
    run = start(service)
    wait_until(lambda: len(service.requests) >= number)
    run.send_signal(signal.SIGKILL)
    run.communicate()
    gone.set()


@pytest.mark.parametrize("accepted", [False, True], ids=["before it was handled", "after it was handled"])
def test_killed_at_every_request(service: Emulator, accepted: bool) -> None:
    """Whichever request a run was killed in, before the service saw it or after, the next run ends with one task."""
    operations = sequence(service)
    assert operations[-1] == "CreateBatchTask"

    for number, operation in enumerate(operations, start=1):
        killed_in(service, number, accepted=accepted)
        if accepted and operation == "CreateBatchTask":
            wait_until(lambda: service.tasks)
        assert len(service.tasks) == int(accepted and operation == "CreateBatchTask")

        with start(service) as again:
            known = again.communicate()[0].splitlines()[-1]
        assert [task["task_id"] for task in service.tasks] == [known], operation
