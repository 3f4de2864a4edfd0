"""UpgradeTaskCompletion: waits for the end of a task with few requests, and fails if the task failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.errors import UpgradeTaskFailed
from pulumi_iotda_ota.iotda.errors import CredentialsError, DeadlineExceeded, ServiceError
from pulumi_iotda_ota.iotda.references import render
from pulumi_iotda_ota.lifecycle.base import UNKNOWN
from pulumi_iotda_ota.lifecycle.completion import Completion
from tests.support.completions import campaign, failure, sent, wait

if TYPE_CHECKING:
    from tests.support.resource_bench import Bench

OFFLINE = "Waiting for the device online timeout"


# Waiting -------------------------------------------------------------------------------------------------------------


def test_a_good_end(bench: Bench) -> None:
    """When all devices are done, it is created with the result of the task. Only the task was read."""
    outputs = wait(bench, campaign(bench))

    assert (outputs["status"], outputs["task_name"], outputs["failed_count"]) == ("Success", "canary_3f9a", 0)
    assert outputs["progress"]["success"] == 4
    assert {request.operation for request in bench.emulator.requests} == {"ShowBatchTask"}
    assert all(request.query["limit"] == "1" for request in bench.emulator.requests)


def test_judging_now(bench: Bench) -> None:
    """timeout=0 waits for nothing: a task that has ended is judged, one that runs is an error."""
    task_id = campaign(bench)

    with pytest.raises(DeadlineExceeded, match="did not end yet, and timeout=0 does not wait"):
        wait(bench, task_id, timeout=0)
    assert (bench.count(), bench.time.slept) == (1, [])

    bench.time.sleep(60)
    assert wait(bench, task_id, timeout=0)["status"] == "Success"
    assert (bench.count(), bench.time.slept) == (1, [])


def test_a_task_that_awaits_its_confirmation(bench: Bench) -> None:
    """While devices wait for a confirmation the progress says so, and so does the error when it does not come."""
    with pytest.raises(DeadlineExceeded) as caught:
        wait(bench, campaign(bench, need_confirm=True), timeout="5m")

    assert ", 4 waiting for the task to be confirmed, Waitting: " in bench.reported[-1]
    assert "4 devices wait for the task to be confirmed" in str(caught.value)
    assert "UpgradeTaskConfirmation" in str(caught.value)


# Outages -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"error": "task_missing"}, ServiceError),
        ({"error": "denied"}, ServiceError),
        ({"status": 401}, CredentialsError),
    ],
)
def test_a_refusal_is_final(bench: Bench, fault: dict[str, Any], error: type[Exception]) -> None:
    """A task that is not there, and credentials that may not read it, end the wait at once."""
    bench.emulator.faults.add(operation="ShowBatchTask", nth=2, times=None, **fault)

    with pytest.raises(error):
        wait(bench, campaign(bench))
    assert bench.count() == 2


# The verdict ---------------------------------------------------------------------------------------------------------


def test_what_a_person_reads(bench: Bench) -> None:
    """A failed task is reported with its counts, the first failed devices with their reasons, and the fix."""
    reported = failure(bench, campaign(bench, 40, failing=7))

    assert reported.splitlines() == [
        "upgrade task canary_3f9a failed: 7 of 40 devices (limit 0)",
        f"  dev-0007     {OFFLINE} (IOTDA.014112)",
        f"  dev-0006     {OFFLINE} (IOTDA.014112)",
        f"  dev-0005     {OFFLINE} (IOTDA.014112)",
        f"  dev-0004     {OFFLINE} (IOTDA.014112)",
        f"  dev-0003     {OFFLINE} (IOTDA.014112)",
        "               and 2 more devices",
        "  not started  everything that depends on this",
        "  fix          inspect these 7 devices; retry them: set retry_failed=True;",
        "               change triggers of the task to start a new one; to accept the",
        "               failures: max_failed_devices=7",
    ]


@pytest.mark.parametrize(
    ("limits", "passes"),
    [
        ({}, False),
        ({"max_failed_devices": 1}, False),
        ({"max_failed_devices": 2}, True),
        ({"max_failed_percent": 4.9}, False),
        ({"max_failed_percent": 5}, True),
        ({"max_failed_percent": 100}, True),
        ({"max_failed_devices": 2, "min_devices": 41}, False),
        ({"max_failed_devices": 2, "min_devices": 40}, True),
    ],
)
def test_limits(bench: Bench, limits: dict[str, Any], passes: bool) -> None:
    """It passes with as many failures as may be, and no more; two of forty are 5 %."""
    task_id = campaign(bench, 40, failing=2)

    if passes:
        outputs = wait(bench, task_id, **limits)
        assert (outputs["status"], outputs["failed_count"]) == ("PartialSuccess", 2)
    else:
        failure(bench, task_id, **limits)


def test_the_same_task_is_judged_again(bench: Bench) -> None:
    """With the limit that the error names, the next run succeeds without another task."""
    task_id = campaign(bench, 30, failing=1)
    assert "max_failed_percent=3.34" in failure(bench, task_id, max_failed_percent=1)

    assert wait(bench, task_id, max_failed_percent=3.34)["failed_count"] == 1
    assert (sent(bench), len(bench.emulator.tasks)) == ([], 1)


def test_a_campaign_for_nobody_fails(bench: Bench) -> None:
    """A group without devices is no success, unless min_devices says that there may be none."""
    bench.emulator.set_group("empty", [])
    task_id = campaign(bench, targets=None, targets_filter={"group_ids": ["empty"]})

    assert "has 0 devices, and min_devices is 1" in failure(bench, task_id)
    wait(bench, task_id, min_devices=0)


def test_removed_devices_have_failed(bench: Bench) -> None:
    """A device that was removed counts as failed, even if the service does not count such devices."""
    task_id = campaign(bench, failing=1, outcome="removed")
    assert "failed: 1 of 4 devices" in failure(bench, task_id)

    older = bench.emulator.faults.add(times=None, merge={"batchtask": {"task_progress": {"removed": None}}})
    assert "failed: 1 of 4 devices" in failure(bench, task_id)
    bench.emulator.faults.remove(older)
    wait(bench, task_id, max_failed_devices=1)


@pytest.mark.parametrize("status", ["Fail", "PartialSuccess"])
def test_a_failure_that_nothing_counts(bench: Bench, status: str) -> None:
    """What the service calls a failure is never taken for a success, though it counts no failed device."""
    answer = {"batchtask": {"status": status, "task_progress": None}}
    bench.emulator.faults.add(operation="ShowBatchTask", times=None, merge=answer)

    task_id = campaign(bench)

    for limits in ({}, {"max_failed_percent": 100}, {"max_failed_devices": 9}):
        reported = failure(bench, task_id, min_devices=0, **limits)
        assert f"ended as {status}, and the service counts none of its devices" in reported


def test_a_device_that_will_be_tried_again_has_not_failed(bench: Bench) -> None:
    """While a device waits for a retry, the task runs, and is not stopped because of it."""
    bench.emulator.set_device("dev-0001", fails_first=1)
    policy = {"retry_count": 1, "retry_interval": 1}

    assert wait(bench, campaign(bench, 2, task_policy=policy), stop_when_exceeded=True)["status"] == "Success"
    assert sent(bench) == []


def test_more_devices_than_an_offset_reaches(bench: Bench) -> None:
    """Of 600 failing devices the first are named and the others counted, with one request for them."""
    reported = failure(bench, campaign(bench, 600, failing=600))

    assert "failed: 600 of 600 devices" in reported
    assert "and 595 more" in reported
    assert len([request for request in bench.emulator.requests if "task_detail_status" in request.query]) == 1


def test_devices_that_can_not_be_read(bench: Bench) -> None:
    """If the failed devices cannot be read, the task is still judged, and the error has the reason."""
    task_id = campaign(bench, failing=1)

    def for_devices(request: Any) -> bool:
        return "task_detail_status" in request.query

    bench.emulator.faults.add(operation="ShowBatchTask", match=for_devices, times=None, error="denied")

    assert "devices      could not be read: Huawei Cloud refused" in failure(bench, task_id)


def test_what_devices_say_is_escaped_and_their_output_unread(bench: Bench) -> None:
    """A reason cannot forge a line of the log, and the output of a device is in no message."""
    bench.emulator.set_device("dev-0001", outcome="fail", error_msg="\x1b[31mx\n::error::forged", output="secret")

    reported = failure(bench, campaign(bench, 1))

    assert "\x1b" not in reported
    assert "\n::error::" not in reported
    assert "secret" not in repr((reported, bench.reported))


# Stopping ------------------------------------------------------------------------------------------------------------


# Retrying ------------------------------------------------------------------------------------------------------------


# Inputs and life -----------------------------------------------------------------------------------------------------


def test_all_that_is_wrong_is_told_at_once(bench: Bench) -> None:
    """Every wrong input is reported, and nothing is sent."""
    wrong = {
        "task_id": "Not a task",
        "max_failed_devices": -1,
        "max_failed_percent": 101,
        "min_devices": 1.5,
        "timeout": "soon",
        "retry_failed": "yes",
    }
    problems = Completion.check(bench.silent().context, {}, wrong).problems

    assert {problem.argument for problem in problems} == {*wrong}
    assert "max_failed_devices and max_failed_percent: set one of them" in [
        render(problem.text) for problem in problems
    ]
    assert bench.count() == 0


def test_what_is_not_known_yet_is_taken_to_be_right(bench: Bench) -> None:
    """A task that is yet to be created passes the preview, which sends nothing."""
    checked = Completion.check(bench.silent().context, {}, {"task_id": UNKNOWN, "timeout": UNKNOWN})

    assert (checked.problems, checked.inputs["task_id"]) == ([], UNKNOWN)


def test_only_the_task_and_triggers_wait_again(bench: Bench) -> None:
    """Once created, other limits alter the state alone; another task, or other triggers, are waited for."""
    inputs: dict[str, Any] = {"task_id": campaign(bench), "triggers": [1]}
    state = wait(bench, **inputs)
    silent = bench.silent().context

    other = {**inputs, "max_failed_devices": 3}
    diff = Completion.diff(silent, "completion", state, other)
    assert (diff.changes, diff.replaces) == (True, ())
    assert Completion.update(silent, "completion", state, other) == {**state, "max_failed_devices": 3}

    again = {"task_id": campaign(bench, failing=1, document={"package_ids": ["p2"]})}
    assert Completion.diff(silent, "completion", state, again).changes
    with pytest.raises(UpgradeTaskFailed):
        Completion.update(bench.context, "completion", state, again)
    assert Completion.update(bench.context, "completion", state, {**inputs, "triggers": [2]})["triggers"] == [2]


def test_what_owns_nothing_needs_no_credentials(bench: Bench) -> None:
    """A refresh and a destroy send nothing and need no settings."""
    state = wait(bench, campaign(bench))
    bench.emulator.forget_requests()
    silent = bench.silent().context

    assert Completion.read(silent, "completion", state) == state
    assert not Completion.diff(silent, "completion", state, state).changes
    Completion.delete(silent, "completion", state)
    assert bench.count() == 0


# Odd answers --------------------------------------------------------------------------------------------------------


def test_a_share_of_devices_that_are_not_known_yet(bench: Bench) -> None:
    """While a task initializes its first failures are a share of nothing, and it is not stopped for them."""
    task_id = campaign(bench, 10, failing=1)
    early = {"status": "Initializing", "task_progress": {"total": 1, "fail": 1}}
    bench.emulator.faults.add(operation="ShowBatchTask", times=3, merge={"batchtask": early})

    wait(bench, task_id, stop_when_exceeded=True, max_failed_percent=30)

    assert sent(bench) == []


def test_a_task_that_is_not_there(bench: Bench) -> None:
    """A task that does not exist is reported with the place of the request."""
    with pytest.raises(ServiceError, match=r"there is no upgrade task abc\n  endpoint"):
        wait(bench, "abc")
