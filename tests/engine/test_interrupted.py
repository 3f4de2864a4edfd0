"""A run is killed while it creates an upgrade task. The runs after it leave one task."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from tests.support.engine_resources import HEAD, ids, ok, package_of, posts, rollout, wait_until
from tests.support.processes import kill_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator import Emulator
    from tests.engine.conftest import Project


def kill_in(project: Project, emulator: Emulator, operation: str) -> None:
    """Run an update, and kill it with everything it has started once an operation is under way."""
    command = project.start(new_session=True)
    wait_until(lambda: any(request.operation == operation for request in emulator.requests))
    kill_session(command)


def recover(project: Project) -> str:
    """Run the documented commands, and return what the last one printed."""
    ok(project.run("cancel", "--yes"))
    ok(project.run("refresh", "--yes", "--clear-pending-creates"))
    return ok(project.up())


def test_killed_while_a_task_is_created(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """After kill -9 in a create that the service accepts, the documented commands end with one task, in the state."""
    project = rollout(make_project, emulator)
    killed, ended = threading.Event(), threading.Event()

    def hold() -> None:
        killed.wait()
        ended.set()

    emulator.faults.add(operation="CreateBatchTask", before=hold, accept=True)
    kill_in(project, emulator, "CreateBatchTask")
    killed.set()
    # What is accepted is accepted after its sender is gone.
    assert ended.wait(60)
    wait_until(lambda: len(emulator.tasks) == 1)
    assert "rollout" not in project.resources()

    printed = recover(project)

    assert "exists already and is adopted" in printed
    assert project.resources()["rollout"]["id"] == ids(emulator)[0]
    assert len(emulator.tasks) == 1
    ok(project.preview("--expect-no-changes"))


def test_killed_while_it_waits(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """After kill -9 in the middle of a wait the same commands wait for the same task."""
    emulator.set_device("meter-0001", seconds=3)
    project = make_project(f"""{HEAD}
task = iotda_ota.UpgradeTask("canary", package_ids=["{package_of(emulator)}"], targets=["meter-0001"])
iotda_ota.UpgradeTaskCompletion("done", task_id=task.task_id)
""")
    kill_in(project, emulator, "ShowBatchTask")

    recover(project)

    assert (posts(emulator), project.resources()["canary"]["id"]) == (1, ids(emulator)[0])
    assert project.resources()["done"]["outputs"]["status"] == "Success"
