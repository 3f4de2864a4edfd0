"""Upgrade tasks: how they run, and the effects of stop, retry, confirm and delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.emulator import Emulator, ManualClock
from pulumi_iotda_ota.emulator.behavior import api_time
from tests.support.emulator_callers import Caller, calling

if TYPE_CHECKING:
    from collections.abc import Callable

METERS = ("meter-0001", "meter-0002")
RETRY = {"retry_count": 2, "retry_interval": 5}


def _act(call: Caller, task_id: str, action: str, *targets: str) -> Any:
    response = call("POST", f"batchtasks/{task_id}/{action}", {"targets": list(targets)} if targets else {})
    assert response.status == 200, response.body
    return response.json["targets"]


def test_a_task_runs_from_initializing_to_success(call: Caller, clock: ManualClock) -> None:
    """A task goes through Initializing and Processing to Success, and its devices run the new version."""
    task_id = call.start(*METERS)
    assert call.status(task_id) == "Initializing"
    clock.advance(1)
    assert call.status(task_id) == "Processing"
    clock.advance(10)
    assert call.status(task_id) == "Success"
    assert call.details(task_id) == dict.fromkeys(METERS, "Success")
    assert call.emulator.device_versions["meter-0001"] == "V1.4.10"


def test_progress_counts_by_status(call: Caller, clock: ManualClock) -> None:
    """The progress has every documented key, waitting with its double t, and no devices while initializing."""
    task_id = call.start(*METERS)
    assert call.task(task_id)["batchtask"]["task_progress"]["total"] == 0
    clock.advance(1)
    assert call.task(task_id)["batchtask"]["task_progress"] == {
        "total": 2,
        "processing": 2,
        "success": 0,
        "fail": 0,
        "waitting": 0,
        "fail_wait_retry": 0,
        "stopped": 0,
        "removed": 0,
    }


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        (("success", "fail"), "PartialSuccess"),
        (("fail", "fail"), "Fail"),
        (("removed", "fail"), "Fail"),
        (("success", "removed"), "PartialSuccess"),
        (("success", "hang"), "Processing"),
    ],
)
def test_the_task_follows_its_devices(call: Caller, clock: ManualClock, outcomes: tuple[str, str], status: str) -> None:
    """The state of a task is made of the outcomes of its devices."""
    for name, outcome in zip(("d1", "d2"), outcomes, strict=True):
        call.emulator.set_device(name, outcome=outcome)
    task_id = call.start("d1", "d2")
    clock.advance(1000)
    assert call.status(task_id) == status


def test_a_failed_device_has_a_cause(call: Caller, clock: ManualClock) -> None:
    """A failure has the code, the text and the output of the device."""
    call.emulator.set_device("d1", outcome="fail", error_code="IOTDA.1", error_msg="Out of memory", output="password=x")
    call.emulator.set_device("d2", outcome="offline")
    task_id = call.start("d1", "d2")
    clock.advance(100)
    details = {detail["target"]: detail for detail in call.task(task_id)["task_details"]}
    assert details["d1"]["error"] == {"error_code": "IOTDA.1", "error_msg": "Out of memory"}
    assert details["d1"]["output"] == "password=x"
    assert details["d2"]["error"]["error_msg"] == "Waiting for the device online timeout"


def test_a_device_on_the_version_already_succeeds_at_once(call: Caller, clock: ManualClock) -> None:
    """A device that runs the target version is done as soon as the task is."""
    call.emulator.set_device("d1", version="V1.4.10")
    task_id = call.start("d1")
    clock.advance(1)
    assert call.task(task_id)["task_details"][0]["output"].startswith("The current version is the same")


def test_a_device_in_a_running_task_conflicts(call: Caller, clock: ManualClock) -> None:
    """A second task fails for a device that is in a running task. A retry after that task succeeds."""
    first = call.start("d1")
    second = call.start("d1", "d2", task_name="second")
    clock.advance(5)
    assert call.details(second) == {"d1": "Fail", "d2": "Processing"}
    assert call.details(first) == {"d1": "Processing"}
    clock.advance(10)
    _act(call, second, "retry")
    clock.advance(10)
    assert call.status(second) == "Success"


def test_targets_may_come_from_groups(call: Caller, clock: ManualClock) -> None:
    """A filter selects the members of its groups at the creation of the task."""
    task_id = call.start(targets_filter={"group_ids": ["canary"]})
    call.emulator.set_group("canary", [])
    clock.advance(1)
    assert sorted(call.details(task_id)) == [f"meter-000{number}" for number in range(1, 5)]


def test_targets_win_over_a_filter(call: Caller, clock: ManualClock) -> None:
    """If both are set, only the targets count, and there is no error."""
    task_id = call.start("d1", targets_filter={"group_ids": ["canary"]})
    clock.advance(1)
    assert list(call.details(task_id)) == ["d1"]


def test_an_empty_group_is_a_success_without_devices(call: Caller, clock: ManualClock) -> None:
    """A task without devices ends as Success, with a total of 0."""
    call.emulator.set_group("empty", [])
    task_id = call.start(targets_filter={"group_ids": ["empty"]})
    clock.advance(1)
    task = call.task(task_id)["batchtask"]
    assert (task["status"], task["task_progress"]["total"]) == ("Success", 0)


def test_a_schedule_is_waited_for(call: Caller, clock: ManualClock) -> None:
    """Until its schedule a task is Waitting, with all its devices."""
    task_id = call.start("d1", task_policy={"schedule_time": "20261122T130000Z"})
    clock.advance(3599)
    assert (call.status(task_id), call.details(task_id)) == ("Waitting", {"d1": "Waitting"})
    clock.advance(1)
    assert call.status(task_id) == "Processing"


def test_a_failed_device_is_retried_by_the_policy(call: Caller, clock: ManualClock) -> None:
    """With a retry policy a device waits and tries again; it ends as Success if a later attempt does."""
    call.emulator.set_device("d1", fails_first=2)
    call.emulator.set_device("d2", fails_first=3)
    task_id = call.start("d1", "d2", task_policy=RETRY)
    clock.advance(11)
    assert call.details(task_id) == {"d1": "FailWaitRetry", "d2": "FailWaitRetry"}
    assert call.status(task_id) == "Processing"
    clock.advance(2 * (300 + 10))
    assert call.details(task_id) == {"d1": "Success", "d2": "Fail"}
    assert call.status(task_id) == "PartialSuccess"


def test_minutes_can_be_made_short() -> None:
    """The emulator sets how long a minute of the retry interval lasts."""
    clock = ManualClock()
    quick = Emulator(clock=clock, device_seconds=1, initializing_seconds=0, minute_seconds=0.5)
    with calling(quick) as call:
        quick.set_device("d1", fails_first=1)
        task_id = call.start("d1", task_policy=RETRY)
        clock.advance(1 + 2.5 + 1)
        assert call.status(task_id) == "Success"


def test_a_task_waits_for_its_confirmation(call: Caller, clock: ManualClock) -> None:
    """With need_confirm every device waits. A confirmation while the task initializes has no effect."""
    task_id = call.start(*METERS, need_confirm=True)
    assert _act(call, task_id, "confirm") == []
    clock.advance(3600)
    assert call.status(task_id) == "Waitting"
    assert _act(call, task_id, "confirm", METERS[0]) == [{"target": METERS[0], "status": "success"}]
    assert call.status(task_id) == "Processing"
    assert call.details(task_id)[METERS[1]] == "Waitting"
    assert len(_act(call, task_id, "confirm")) == 1
    clock.advance(10)
    assert call.status(task_id) == "Success"


def test_a_confirmation_does_not_overtake_the_schedule(call: Caller, clock: ManualClock) -> None:
    """A confirmed task still waits for its time."""
    task_id = call.start("d1", need_confirm=True, task_policy={"schedule_time": "20261122T130000Z"})
    clock.advance(60)
    _act(call, task_id, "confirm")
    assert call.status(task_id) == "Waitting"
    clock.advance(3600)
    assert call.status(task_id) == "Success"


def test_stop_leads_through_stopping_to_stopped(call: Caller, clock: ManualClock) -> None:
    """A stop without targets stops every unfinished device, and the task passes through Stopping."""
    call.emulator.set_device("d1", seconds=2)
    task_id = call.start("d1", "d2")
    clock.advance(5)
    assert _act(call, task_id, "stop") == [{"target": "d2", "status": "success"}]
    assert call.status(task_id) == "Stopping"
    clock.advance(1)
    assert call.status(task_id) == "Stopped"
    assert call.details(task_id) == {"d1": "Success", "d2": "Stopped"}


def test_single_devices_can_be_stopped_and_retried(call: Caller, clock: ManualClock) -> None:
    """Stop and retry with targets act only on those. Each target in a wrong state is reported."""
    task_id = call.start("d1", "d2")
    clock.advance(1)
    responses = _act(call, task_id, "stop", "d1", "d9")
    assert [response["status"] for response in responses] == ["success", "failure"]
    assert responses[1]["error_code"] == "IOTDA.014219"
    clock.advance(10)
    assert call.status(task_id) == "PartialSuccess"
    assert _act(call, task_id, "retry", "d1") == [{"target": "d1", "status": "success"}]
    clock.advance(10)
    assert call.status(task_id) == "Success"


def test_a_task_of_stopped_devices_is_stopped(call: Caller, clock: ManualClock) -> None:
    """When each device was stopped by name, the task is Stopped."""
    task_id = call.start("d1")
    clock.advance(1)
    _act(call, task_id, "stop", "d1")
    assert call.status(task_id) == "Stopped"


def test_retry_runs_failed_devices_again(call: Caller, clock: ManualClock) -> None:
    """A retry on a failed task dispatches the failed devices, counting earlier attempts."""
    call.emulator.set_device("d1", fails_first=1)
    task_id = call.start("d1", "d2")
    clock.advance(20)
    assert call.status(task_id) == "PartialSuccess"
    assert _act(call, task_id, "retry") == [{"target": "d1", "status": "success"}]
    clock.advance(10)
    assert call.status(task_id) == "Success"
    assert call.emulator.device_versions["d1"] == "V1.4.10"


def _stopped(call: Caller, clock: ManualClock) -> str:
    task_id = call.start("d1")
    clock.advance(2)
    _act(call, task_id, "stop")
    clock.advance(2)
    return task_id


def _finished(call: Caller, clock: ManualClock) -> str:
    task_id = call.start("d1")
    clock.advance(20)
    return task_id


def _running(call: Caller, clock: ManualClock) -> str:
    task_id = call.start("d1")
    clock.advance(2)
    return task_id


def _stopping(call: Caller, clock: ManualClock) -> str:
    task_id = _running(call, clock)
    _act(call, task_id, "stop")
    return task_id


def _new(call: Caller, clock: ManualClock) -> str:
    return call.start("d1")


@pytest.mark.parametrize(
    ("make", "action"),
    [
        (_finished, "stop"),
        (_stopped, "stop"),
        (_stopping, "stop"),
        (_finished, "retry"),
        (_stopped, "retry"),
        (_stopping, "retry"),
        (_new, "retry"),
        (_finished, "confirm"),
        (_stopped, "confirm"),
        (_stopping, "confirm"),
    ],
)
def test_an_action_in_a_wrong_state_is_refused(
    call: Caller, clock: ManualClock, make: Callable[[Caller, ManualClock], str], action: str
) -> None:
    """Stop, retry and confirm are refused in the states the documents exclude."""
    response = call("POST", f"batchtasks/{make(call, clock)}/{action}", {})
    assert response.status == 403


@pytest.mark.parametrize("make", [_new, _running, _stopping])
def test_a_task_that_is_not_finished_cannot_be_deleted(
    call: Caller, clock: ManualClock, make: Callable[[Caller, ManualClock], str]
) -> None:
    """Delete is refused until a task is in a final state."""
    assert call("DELETE", f"batchtasks/{make(call, clock)}").status == 403


@pytest.mark.parametrize("make", [_finished, _stopped])
def test_a_finished_task_can_be_deleted(
    call: Caller, clock: ManualClock, make: Callable[[Caller, ManualClock], str]
) -> None:
    """Delete is 204. After it every operation on the task is 404, and the devices keep their versions."""
    task_id = make(call, clock)
    versions = call.emulator.device_versions
    assert call("DELETE", f"batchtasks/{task_id}").status == 204
    assert call("GET", f"batchtasks/{task_id}").status == 404
    assert call("DELETE", f"batchtasks/{task_id}").status == 404
    assert [call("POST", f"batchtasks/{task_id}/{a}", {}).status for a in ("stop", "retry", "confirm")] == [404] * 3
    assert call.emulator.device_versions == versions


def test_a_device_that_is_set_to_succeed_succeeds_on_retry(call: Caller, clock: ManualClock) -> None:
    """The behaviour of a device is read when it acts: set to fail and then to succeed, it succeeds on retry."""
    call.emulator.set_device("meter-0001", outcome="fail", error_msg="battery low")
    task_id = call.start("meter-0001")
    clock.advance(30)
    assert call.details(task_id) == {"meter-0001": "Fail"}

    call.emulator.set_device("meter-0001", outcome="success", error_msg=None)
    printed = call.task(task_id)["task_details"][0]["error"]["error_msg"]
    assert (call.details(task_id), printed) == ({"meter-0001": "Fail"}, "battery low")

    _act(call, task_id, "retry")
    clock.advance(30)
    assert call.status(task_id) == "Success"


@pytest.mark.parametrize("wait", ["for a confirmation", "for its time", "for another try", "in the middle"])
def test_a_device_behaves_as_it_was_set_last(call: Caller, clock: ManualClock, wait: str) -> None:
    """A new behaviour applies to what a device has not done yet, also in existing tasks."""
    call.emulator.set_device("meter-0001", outcome="fail")
    fields: dict[str, dict[str, Any]] = {
        "for a confirmation": {"need_confirm": True},
        "for its time": {"task_policy": {"schedule_time": api_time(clock() + 60)}},
        "for another try": {"task_policy": RETRY},
        "in the middle": {},
    }
    task_id = call.start("meter-0001", **fields[wait])
    clock.advance(12 if wait == "for another try" else 5)

    call.emulator.set_device("meter-0001", outcome="success")
    if wait == "for a confirmation":
        _act(call, task_id, "confirm")
    clock.advance(1000)

    assert call.details(task_id) == {"meter-0001": "Success"}


def test_a_device_that_hangs_can_be_set_to_continue(call: Caller, clock: ManualClock) -> None:
    """A device that hangs ends when its outcome is set. A device that has ended does not change."""
    call.emulator.set_device("meter-0001", outcome="hang")
    task_id = call.start(*METERS)
    clock.advance(500)
    assert call.details(task_id) == {"meter-0001": "Processing", "meter-0002": "Success"}

    for device in METERS:
        call.emulator.set_device(device, outcome="fail")

    assert call.details(task_id) == {"meter-0001": "Fail", "meter-0002": "Success"}
