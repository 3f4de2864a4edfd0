"""UpgradeTaskCompletion: when it tries failed devices again, and how it endures a service that comes and goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.iotda.errors import DeadlineExceeded
from tests.support.completions import campaign, fails_first, failure, sent, wait

if TYPE_CHECKING:
    from tests.support.resource_bench import Bench


def test_a_stopped_task_is_not_retried(bench: Bench) -> None:
    """A task that was stopped stays stopped, also with retry_failed."""
    failure(bench, campaign(bench, stopped=True), retry_failed=True)

    assert sent(bench) == []


def test_a_lost_retry_that_shows_late(bench: Bench) -> None:
    """If the response to a retry is lost and the task is unchanged, it is neither judged nor retried again."""
    task_id = fails_first(bench, 1)
    before = bench.emulator.tasks[0]
    bench.emulator.faults.add(operation="RetryBatchTask", accept=True, wire="drop")
    stale = bench.emulator.faults.add(operation="ShowBatchTask", nth=2, times=4, merge={"batchtask": before})

    assert wait(bench, task_id, retry_failed=True)["status"] == "Success"
    assert (stale.hits, sent(bench)) == (4, ["RetryBatchTask"])


def test_after_an_outage_all_is_as_before(bench: Bench) -> None:
    """After an outage, pauses are short again, and a second outage is reported like the first one."""
    bench.emulator.set_device("dev-0001", seconds=400)
    for nth in (2, 6):
        bench.emulator.faults.add(operation="ShowBatchTask", nth=nth, error="throttled", headers={"Retry-After": "120"})

    wait(bench, campaign(bench, 1), timeout="1h")

    assert bench.time.slept.count(120) == 2
    assert len([line for line in bench.reported if "no response, trying again" in line]) == 2


def test_an_outage_that_is_over_is_not_blamed(bench: Bench) -> None:
    """A wait that ends without an outage names none, although there was one before."""
    bench.emulator.set_device("dev-0001", outcome="hang")
    bench.emulator.faults.add(operation="ShowBatchTask", nth=2, error="iam_down")

    with pytest.raises(DeadlineExceeded) as caught:
        wait(bench, campaign(bench, 1), timeout="1m", connection={"max_attempts": 1})

    assert "cause" not in str(caught.value)


def test_one_request_that_runs_out_of_time(bench: Bench) -> None:
    """A wait endures that a single request runs out of its deadline, however its retries are spread."""
    bench.emulator.faults.add(operation="ShowBatchTask", nth=2, times=60, error="iam_down")

    outputs = wait(bench, campaign(bench), timeout="1h", connection={"deadline": 1, "max_attempts": 10})

    assert outputs["status"] == "Success"
    assert any("within the deadline" in line or "failed to read" in line for line in bench.reported)
