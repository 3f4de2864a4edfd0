"""UpgradeTask: what a change of its inputs does to the existing task, which is read by its id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.emulator.behavior import Switches
from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError, ServiceError
from pulumi_iotda_ota.lifecycle.base import UNKNOWN
from pulumi_iotda_ota.lifecycle.upgrade_task.resource import UpgradeTask

if TYPE_CHECKING:
    from tests.support.resource_bench import Bench

SCHEDULE = "2026-11-24T00:00:00Z"
LATER = "2026-11-26T00:00:00Z"
BEFORE: dict[str, Any] = {"schedule_time": SCHEDULE, "retry_count": 2, "retry_interval": 5, "need_confirm": True}


def statuses(bench: Bench) -> list[str]:
    """Return the status of every task on the service, newest first."""
    return [task["status"] for task in bench.emulator.tasks]


# What the service reads once -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        ({"schedule_time": LATER}, f'set schedule_time="{SCHEDULE}" again'),
        ({"schedule_time": None}, f'set schedule_time="{SCHEDULE}" again'),
        ({"retry_count": 3}, "set retry_count=2 again"),
        ({"retry_interval": 6}, "set retry_interval=5 again"),
        ({"need_confirm": False}, "set need_confirm=True again"),
        ({"need_confirm": None}, "set need_confirm=True again"),
        ({"retry_count": None, "retry_interval": None}, "set retry_count=2, retry_interval=5 again"),
    ],
    ids=str,
)
def test_what_the_service_reads_once_is_refused(bench: Bench, change: dict[str, Any], reported: str) -> None:
    """Until the task has ended, the preview refuses a change that would have no effect, and the error has a fix."""
    created = bench.created(**BEFORE)
    bench.time.sleep(10)
    bench.emulator.forget_requests()

    with pytest.raises(InputError) as caught:
        bench.compared(created, **{**BEFORE, **change})

    text = " ".join(str(caught.value).split())
    assert f"upgrade task {created.outputs['task_name']} has not ended" in text
    assert f"task_id {created.id}, status Waitting" in text
    assert reported in text
    assert "change triggers" in text
    assert [request.operation for request in bench.emulator.requests] == ["ShowBatchTask"]


def test_what_was_not_given_before_is_left_out_again(bench: Bench) -> None:
    """If the old value is none, the fix is to leave the input out."""
    bench.hang()
    created = bench.created()
    bench.time.sleep(10)

    with pytest.raises(InputError, match=r"remove retry_count and retry_interval"):
        bench.compared(created, retry_count=1, retry_interval=1)


def test_the_advice_helps(bench: Bench) -> None:
    """The old value is not a change. New triggers with replace_running start a new task with the new value."""
    created = bench.created(**BEFORE)
    bench.time.sleep(10)
    assert not bench.compared(created, **BEFORE).changes

    change = {**BEFORE, "schedule_time": LATER, "triggers": [2], "replace_running": True}
    assert bench.compared(created, **change).replaces == ("triggers",)
    UpgradeTask.delete(bench.context, created.id, created.outputs)
    bench.created(**change)

    assert bench.emulator.tasks[0]["task_policy"]["schedule_time"] == "20261126T000000Z"
    assert statuses(bench) == ["Initializing", "Stopped"]


@pytest.mark.parametrize("how", ["ended", "gone"])
def test_what_has_ended_takes_no_notice(bench: Bench, how: str) -> None:
    """After the end the new value is stored with a warning; nothing is changed on the service."""
    created = bench.created()
    bench.time.sleep(60)
    if how == "gone":
        bench.emulator.reset()
    bench.emulator.forget_requests()

    change = {"retry_count": 1, "retry_interval": 5}
    diff = bench.compared(created, **change)
    state = UpgradeTask.update(bench.context, created.id, created.outputs, bench.checked(created.outputs, **change))

    assert (diff.changes, diff.replaces) == (True, ())
    assert state == {**created.outputs, **change}
    (warning,) = bench.warnings
    said = "is gone" if how == "gone" else "has ended"
    assert f"{said}, so a change of retry_count and retry_interval has no effect on it" in warning
    assert [request.operation for request in bench.emulator.requests] == ["ShowBatchTask"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"schedule_time": SCHEDULE}, {"schedule_time": "20261124T000000Z"}),
        ({"schedule_time": SCHEDULE}, {"schedule_time": "2026-11-24T01:00:00+01:00"}),
        ({}, {"need_confirm": False}),
        ({"need_confirm": False}, {}),
    ],
    ids=str,
)
def test_what_means_the_same_is_no_change(bench: Bench, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Another spelling of the same value is stored without a request."""
    created = bench.created(**before)
    bench.emulator.forget_requests()

    assert bench.compared(created, **after).replaces == ()
    assert (bench.count(), bench.warnings) == (0, [])


def test_what_is_not_known_yet_is_judged_when_it_is(bench: Bench) -> None:
    """A preview with an unknown value sends nothing; the update refuses the value."""
    created = bench.created(**BEFORE)
    bench.emulator.forget_requests()

    assert bench.compared(created, **{**BEFORE, "schedule_time": UNKNOWN}).changes
    assert bench.count() == 0
    with pytest.raises(InputError):
        bench.compared(created, **{**BEFORE, "schedule_time": LATER})


def test_a_task_that_can_not_be_read(bench: Bench) -> None:
    """If the service does not say whether the task has ended, nothing is stored."""
    created = bench.created(**BEFORE)
    bench.emulator.forget_requests()
    bench.emulator.faults.add(operation="ShowBatchTask", error="denied")

    with pytest.raises(ServiceError):
        bench.compared(created, **{**BEFORE, "retry_count": 3})


def test_another_prefix_names_the_next_task(bench: Bench) -> None:
    """A new prefix is stored with a warning that the task keeps its name, and without a request."""
    created = bench.created()
    bench.emulator.forget_requests()

    assert bench.compared(created, task_name_prefix="other").changes

    assert bench.count() == 0
    assert "a change of task_name_prefix has no effect on it" in bench.warnings[-1]


# The task is read by its id --------------------------------------------------------------------------------------


def test_a_list_that_does_not_show_the_task_yet(bench: Bench) -> None:
    """If the list does not show the running task yet, no second task is started."""
    bench.emulator.switches = Switches(list_lag=3600)
    bench.hang()
    created = bench.created()
    bench.time.sleep(10)

    with pytest.raises(InputError, match=r"a change of package_ids starts a new upgrade task, but .* is still running"):
        bench.compared(created, package_ids=["p2"])
    with pytest.raises(InputError, match="has not ended"):
        bench.compared(created, retry_count=1, retry_interval=1)
    assert (bench.posts, statuses(bench)) == (1, ["Processing"])


def test_a_replacement_that_is_not_compared(bench: Bench) -> None:
    """With replace_with the engine compares nothing. The check without old inputs finds the task by name."""
    bench.hang()
    created = bench.created()
    bench.time.sleep(10)
    context = bench.context
    assert UpgradeTask.check(context, created.outputs, bench.inputs(triggers=[2])).problems == []

    (problem,) = UpgradeTask.check(context, {}, bench.inputs(triggers=[2])).problems

    assert "a change of triggers starts a new upgrade task" in problem.rendered()
    assert UpgradeTask.check(context, {}, bench.inputs(triggers=[2], replace_running=True)).problems == []


def test_a_compared_replacement_is_judged_once(bench: Bench) -> None:
    """Once the comparison has allowed the replacement, the check without old inputs does not judge it again."""
    created = bench.created()
    bench.time.sleep(60)
    context = bench.context
    checked = UpgradeTask.check(context, created.outputs, bench.inputs(triggers=[2]))
    assert UpgradeTask.diff(context, created.id, created.outputs, checked.inputs).replaces == ("triggers",)
    bench.emulator.forget_requests()

    assert UpgradeTask.check(context, {}, bench.inputs(triggers=[2])).problems == []
    assert bench.count("ListBatchTasks") == 0


def test_what_depends_on_a_replaced_package(bench: Bench) -> None:
    """If new inputs are not known yet, the comparison refuses nothing and sends nothing."""
    bench.hang()
    created = bench.created()
    bench.time.sleep(10)
    bench.emulator.forget_requests()

    diff = UpgradeTask.diff(bench.context, created.id, created.outputs, {**created.outputs, "package_ids": UNKNOWN})

    assert diff.replaces == ("package_ids",)
    assert bench.count() == 0


def test_a_new_task_that_a_killed_run_left_running(bench: Bench) -> None:
    """If the old task is gone and a killed run left the new one running, the new one is adopted."""
    old = bench.created()
    bench.time.sleep(60)
    bench.hang()
    new = bench.created(package_ids=["p2"])
    bench.time.sleep(10)
    bench.run.client(bench.context.resolve({})).delete_batch_task(old.id)

    assert bench.compared(old, package_ids=["p2"]).replaces == ("package_ids",)
    assert UpgradeTask.create(bench.context, bench.checked(old.outputs, package_ids=["p2"])).id == new.id
    assert bench.posts == 2


@pytest.mark.parametrize("error", ["denied", "invalid"])
def test_a_package_that_can_not_be_read(bench: Bench, error: str) -> None:
    """Only "not found" means that a package does not exist. Any other refusal is reported unchanged."""
    bench.emulator.faults.add(operation="ShowOtaPackage", error=error)

    reported = bench.problems()

    assert "Huawei Cloud refused to read an OTA package" in reported
    assert "there is no OTA package" not in reported


def test_a_deletion_that_is_refused(bench: Bench) -> None:
    """A delete that the service refuses while the task is still there is an error, and the task stays in the state."""
    created = bench.created(on_destroy="delete")
    bench.time.sleep(60)
    bench.emulator.faults.add(operation="DeleteBatchTask", error="denied")

    with pytest.raises(ServiceError, match="refused to delete an upgrade task"):
        UpgradeTask.delete(bench.context, created.id, created.outputs)
    assert statuses(bench) == ["Success"]


def test_the_old_task_in_another_place(bench: Bench) -> None:
    """Under another identity "not found" does not mean that the task has ended."""
    created = bench.created(**BEFORE)
    bench.emulator.reset()
    bench.environ["HW_IOTDA_INSTANCE_ID"] = "other"

    with pytest.raises(IotdaOtaError, match="is not in the place of this connection"):
        bench.compared(created, **{**BEFORE, "retry_count": 3})
