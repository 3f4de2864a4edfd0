"""A change of an existing task on the real engine: in Python and in YAML, with lists that are late."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.emulator import Switches
from tests.support.engine_resources import HEAD, ok, package_of, wait_until
from tests.support.plugins import resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator import Emulator
    from tests.engine.conftest import Done, Project

TASK = f"""{HEAD}
task = iotda_ota.UpgradeTask(
    "rollout",
    package_ids=["PACKAGE"],
    targets=["meter-0001"],
    schedule_time=config.get("at"),
    triggers=[config.get_int("wave") or 1],
    replace_running=config.get_bool("replace"),
)
"""
CONFIRMED = f"""{HEAD}
task = iotda_ota.UpgradeTask("rollout", package_ids=["PACKAGE"], targets=["meter-0001"], need_confirm=True)
iotda_ota.UpgradeTaskConfirmation("approved", task_id=task.task_id, approved_package_ids=["PACKAGE"])
"""


def ahead(days: int) -> str:
    """Return a time some days ahead."""
    return f"{datetime.now(timezone.utc) + timedelta(days=days):%Y-%m-%dT00:00:00Z}"


def count(emulator: Emulator, operation: str) -> int:
    """Return how many requests of an operation came."""
    return sum(request.operation == operation for request in emulator.requests)


def require_clean_refusal(refused: Done, *told: str) -> None:
    """Make sure that a command failed with our message, and without a traceback of ours."""
    assert refused.code != 0
    text = " ".join(refused.text.replace("|", " ").split())
    for words in told:
        assert words in text, refused.text
    assert "pulumi_iotda_ota/" not in refused.text
    # Pulumi interrupts the program of Python, which prints its own KeyboardInterrupt and nothing else.
    assert refused.text.count("Traceback") <= refused.text.count("KeyboardInterrupt")


@pytest.fixture
def project(make_project: Callable[..., Project], emulator: Emulator) -> Project:
    """Return a project with a task, before its first update."""
    return make_project(TASK.replace("PACKAGE", package_of(emulator)))


def test_a_schedule_that_is_moved(project: Project, emulator: Emulator) -> None:
    """Preview and update refuse another time for a waiting task, and both fixes that the error names work."""
    first, second = ahead(2), ahead(4)
    project.set("at", first)
    ok(project.up())
    wait_until(lambda: emulator.tasks[0]["status"] == "Waitting")
    project.set("at", second)

    for refused in (project.preview(), project.up()):
        require_clean_refusal(
            refused,
            "schedule_time cannot change: upgrade task",
            f'set schedule_time="{first}" again',
            "change triggers",
        )
    assert [task["task_policy"]["schedule_time"] for task in emulator.tasks] == [
        f"{first:.10}".replace("-", "") + "T000000Z"
    ]

    project.set("at", first)
    ok(project.up("--expect-no-changes"))
    project.set("at", second)
    project.set("wave", "2")
    project.set("replace", "true")
    ok(project.up())
    assert [task["status"] for task in emulator.tasks] == ["Waitting", "Stopped"]


def test_a_schedule_after_the_end(project: Project, emulator: Emulator) -> None:
    """After the end another time is stored, and a warning says that it has no effect."""
    ok(project.up())
    wait_until(lambda: emulator.tasks[0]["status"] == "Success")
    project.set("at", ahead(2))

    assert "a change of schedule_time has no effect on it" in ok(project.up())

    assert (len(emulator.tasks), count(emulator, "CreateBatchTask")) == (1, 1)
    ok(project.preview("--expect-no-changes"))


def test_a_schedule_that_is_moved_in_yaml(make_yaml: Callable[..., Project], emulator: Emulator) -> None:
    """The plugin refuses it with its own spelling of the arguments."""
    program = {"packageIds": [package_of(emulator)], "targets": ["meter-0001"]}
    first = ahead(2)
    project = make_yaml(resources={"rollout": resource("UpgradeTask", **program, scheduleTime=first)})
    ok(project.up())
    wait_until(lambda: emulator.tasks[0]["status"] == "Waitting")
    text = (project.folder / "Pulumi.yaml").read_text()
    project.write(text.replace(first, ahead(4)), "Pulumi.yaml")

    require_clean_refusal(
        project.up(), "scheduleTime cannot change: upgrade task", f'set scheduleTime: "{first}" again'
    )
    assert len(emulator.tasks) == 1


def test_a_list_that_is_late(project: Project, emulator: Emulator) -> None:
    """If the list does not show the running task yet, no second task is started."""
    emulator.switches = Switches(list_lag=3600)
    emulator.set_device("meter-0001", outcome="hang")
    ok(project.up())
    wait_until(lambda: emulator.tasks[0]["status"] == "Processing")
    project.set("wave", "2")

    refused = project.up()
    require_clean_refusal(
        refused, "a change of triggers starts a new upgrade task", "is still running", "replace_running=True"
    )
    assert [task["status"] for task in emulator.tasks] == ["Processing"]


def test_a_confirmation_of_what_counts_no_device(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """If a task counts only its total, it is confirmed and its devices start."""
    emulator.switches = Switches(waiting_counts=False)
    project = make_project(CONFIRMED.replace("PACKAGE", package_of(emulator)))

    ok(project.up())

    assert count(emulator, "ConfirmBatchTask") == 1
    wait_until(lambda: emulator.tasks[0]["status"] == "Success")
    ok(project.preview("--expect-no-changes"))
