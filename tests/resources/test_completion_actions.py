"""What a completion does about failures: stop, retry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.emulator.behavior import Switches
from tests.support.completions import campaign, fails_first, failure, sent, wait

if TYPE_CHECKING:
    from tests.support.resource_bench import Bench


@pytest.mark.parametrize("limits", [{}, {"max_failed_percent": 100}])
def test_a_stopped_task_fails(bench: Bench, limits: dict[str, Any]) -> None:
    """A task that was stopped fails, whatever the limits are."""
    reported = failure(bench, campaign(bench, stopped=True), **limits)

    assert "was stopped: 0 of 4 devices done, 4 failed" in reported
    assert "max_failed" not in reported


def test_a_campaign_that_goes_wrong_is_stopped(bench: Bench) -> None:
    """With stop_when_exceeded the task is stopped as soon as more devices have failed than may, and the wait fails."""
    bench.emulator.set_device("dev-0004", outcome="hang")
    reported = failure(bench, campaign(bench, failing=1), stop_when_exceeded=True)

    assert sent(bench) == ["StopBatchTask"]
    assert bench.emulator.tasks[0]["status"] == "Stopped"
    assert "was stopped: 2 of 4 devices done, 2 failed" in reported
    assert "1 of 4 devices had failed (limit 0)" in reported


def test_without_it_the_campaign_goes_on(bench: Bench) -> None:
    """Otherwise nothing is stopped, and the wait fails at the end, when all failures are known."""
    bench.emulator.set_device("dev-0004", seconds=600)

    assert "failed: 1 of 4 devices" in failure(bench, campaign(bench, failing=1))
    assert sent(bench) == []


def test_a_stop_that_is_refused(bench: Bench) -> None:
    """If a task cannot be stopped, the wait fails too, and the error says why the task still runs."""
    bench.emulator.switches = Switches(module_actions=False)
    bench.emulator.set_device("dev-0004", outcome="hang")
    task: dict[str, Any] = {"task_type": "moduleUpgrade", "document": {"package_ids": ["m1"]}}

    reported = failure(bench, campaign(bench, failing=1, **task), stop_when_exceeded=True)

    assert "not stopped  Huawei Cloud refused to stop an upgrade task" in reported
    assert "failed: 1 of 4 devices" in reported


def test_a_retry_leads_to_green(bench: Bench) -> None:
    """retry_failed retries the failed devices and waits for them. No new task is created."""
    assert wait(bench, fails_first(bench, 1), retry_failed=True)["status"] == "Success"

    assert (sent(bench), len(bench.emulator.tasks)) == (["RetryBatchTask"], 1)


def test_one_retry_a_run(bench: Bench) -> None:
    """What fails once more fails the run; the next run tries once more."""
    task_id = fails_first(bench, 2)

    reported = failure(bench, task_id, retry_failed=True)
    assert sent(bench) == ["RetryBatchTask"]
    assert "retry it: run pulumi up again" in " ".join(reported.split())

    assert wait(bench, task_id, retry_failed=True)["status"] == "Success"
    assert sent(bench) == ["RetryBatchTask"]


def test_what_is_good_enough_is_not_retried(bench: Bench) -> None:
    """Failures within the limit are no reason for another try."""
    wait(bench, fails_first(bench, 1), retry_failed=True, max_failed_devices=1)

    assert sent(bench) == []


@pytest.mark.parametrize("fault", [{"wire": "drop"}, {"error": "gateway_timeout"}, {"wire": "cut"}])
def test_a_retry_whose_answer_is_lost(bench: Bench, fault: dict[str, Any]) -> None:
    """If the response to a retry is lost, the task shows it, and it is not sent again."""
    task_id = fails_first(bench, 1)
    bench.emulator.faults.add(operation="RetryBatchTask", accept=True, **fault)

    assert wait(bench, task_id, retry_failed=True)["status"] == "Success"
    assert sent(bench) == ["RetryBatchTask"]


def test_a_retry_that_shows_late(bench: Bench) -> None:
    """A task that is unchanged right after the retry is not judged."""
    task_id = fails_first(bench, 1)
    before = bench.emulator.tasks[0]
    stale = bench.emulator.faults.add(operation="ShowBatchTask", nth=2, times=4, merge={"batchtask": before})

    assert wait(bench, task_id, retry_failed=True)["status"] == "Success"
    assert stale.hits == 4


def test_a_retry_that_is_refused(bench: Bench) -> None:
    """If the service refuses a retry, for all devices or for some, the error has the reason. Nothing is waited for."""
    task_id = fails_first(bench, 1)
    bench.emulator.faults.add(operation="RetryBatchTask", error="denied")
    assert "not retried  Huawei Cloud refused to retry an upgrade task" in failure(bench, task_id, retry_failed=True)

    busy = {"targets": [{"target": "dev-0001", "status": "failure", "error_msg": "Task Conflict"}]}
    bench.emulator.faults.add(operation="RetryBatchTask", status=200, body=busy)
    reported = failure(bench, task_id, retry_failed=True)
    assert "not retried  1 devices, dev-0001 first: Task Conflict" in reported
    assert bench.time.slept == []


def test_a_refused_retry_is_not_advised_again(bench: Bench) -> None:
    """If the service has just refused a retry, the error does not advise another one."""
    task_id = fails_first(bench, 1)
    bench.emulator.faults.add(operation="RetryBatchTask", error="denied")

    assert "once more" not in failure(bench, task_id, retry_failed=True)
