"""How a completion waits: polling, outages, late counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.iotda.errors import DeadlineExceeded
from tests.support.completions import campaign, fails_first, failure, wait

if TYPE_CHECKING:
    from tests.support.resource_bench import Bench


def test_looks_are_quick_at_first_and_few(bench: Bench) -> None:
    """The end of a short task is noticed within a second, and a task of a day costs at most two requests a minute."""
    bench.emulator.set_device("dev-0001", seconds=3)
    wait(bench, campaign(bench, 1))
    assert sum(bench.time.slept) < 5
    assert set(bench.time.slept) == {0.5}

    bench.emulator.set_device("dev-0001", seconds=3600)
    wait(bench, campaign(bench, 1), timeout="2h")
    assert max(bench.time.slept) <= 30
    assert bench.time.slept == sorted(bench.time.slept)
    assert bench.count() < 170


def test_progress_is_told_when_it_changes(bench: Bench) -> None:
    """A line shows each change of the counts, once: the counts first, because a terminal cuts the end of a line."""
    bench.emulator.set_device("dev-0001", seconds=60)
    wait(bench, campaign(bench, 2))

    assert bench.reported == [
        f"{counts}: upgrade task canary_3f9a"
        for counts in (
            "0 of 0 done, 0 failed, 0 running, 0 waiting, Initializing",
            "0 of 2 done, 0 failed, 2 running, 0 waiting, Processing",
            "1 of 2 done, 0 failed, 1 running, 0 waiting, Processing",
            "2 of 2 done, 0 failed, 0 running, 0 waiting, Success",
        )
    ]


def test_a_campaign_that_takes_too_long(bench: Bench) -> None:
    """A task that does not end in time fails the wait, goes on by itself, and the next run waits on."""
    bench.emulator.set_device("dev-0001", seconds=90)
    task_id = campaign(bench, 2)

    with pytest.raises(DeadlineExceeded) as caught:
        wait(bench, task_id, timeout="1m")

    assert sum(bench.time.slept) == pytest.approx(60)
    reported = " ".join(str(caught.value).split())
    assert reported.startswith("upgrade task canary_3f9a did not end within 60 seconds found ")
    assert "1 of 2 devices done, 0 failed, 1 running" in reported
    assert "run pulumi up again: it continues to wait" in reported
    assert wait(bench, task_id, timeout=60)["status"] == "Success"


OUTAGES = {
    "dropped": {"wire": "drop"},
    "503": {"error": "iam_down"},
    "504": {"error": "gateway_timeout"},
    "429": {"error": "throttled"},
    "throttled as 403": {"error": "rate_limit"},
    "garbage": {"wire": "garbage"},
    "no JSON": {"status": 200, "body": "<html>"},
}


@pytest.mark.parametrize("fault", OUTAGES.values(), ids=OUTAGES)
def test_an_outage_is_endured(bench: Bench, fault: dict[str, Any]) -> None:
    """During an outage, requests are repeated until there is a response. One line reports the outage."""
    bench.emulator.faults.add(operation="ShowBatchTask", nth=2, times=20, **fault)

    assert wait(bench, campaign(bench))["status"] == "Success"

    assert len([line for line in bench.reported if "no response, trying again" in line]) == 1


def test_an_outage_that_does_not_end(bench: Bench) -> None:
    """If there is never a response, the wait ends at its timeout with the last error."""
    bench.emulator.faults.add(operation="ShowBatchTask", times=None, error="iam_down")
    task_id = campaign(bench)

    with pytest.raises(DeadlineExceeded, match=r"within 600 seconds[\s\S]*cause +Huawei Cloud failed to read"):
        wait(bench, task_id, timeout="10m")

    assert 600 <= sum(bench.time.slept) <= 620


def test_the_service_says_when_to_come_back(bench: Bench) -> None:
    """A Retry-After that is longer than the pause is kept to."""
    bench.emulator.faults.add(operation="ShowBatchTask", error="throttled", headers={"Retry-After": "120"})

    wait(bench, campaign(bench))

    assert bench.time.slept[0] == 120


@pytest.mark.parametrize("word", ["Waiting", "Queued", "processing"])
def test_a_status_that_is_not_documented_runs(bench: Bench, word: str) -> None:
    """Only a documented final state ends the wait."""
    task_id = campaign(bench)
    bench.emulator.faults.add(operation="ShowBatchTask", times=5, merge={"batchtask": {"status": word}})

    assert wait(bench, task_id)["status"] == "Success"


def test_counts_that_lag_behind_the_status(bench: Bench) -> None:
    """A task that has ended, and still counts a device that goes on, is looked at again before it is judged."""
    task_id = campaign(bench)
    bench.time.sleep(60)
    lagging = {"task_progress": {"success": 3, "processing": 1}}
    bench.emulator.faults.add(operation="ShowBatchTask", times=3, merge={"batchtask": lagging})

    assert wait(bench, task_id)["progress"]["success"] == 4

    bench.emulator.faults.add(operation="ShowBatchTask", times=None, merge={"batchtask": lagging})
    assert "failed: 1 of 4 devices" in failure(bench, task_id)
    assert sum(bench.time.slept) == pytest.approx(30)


def test_a_status_that_lags_behind_the_counts(bench: Bench) -> None:
    """After a retry the devices can go on before the task says so: it is not judged on its way."""
    task_id = fails_first(bench, 1)
    stale = {"status": "PartialSuccess"}
    bench.emulator.faults.add(operation="ShowBatchTask", nth=2, times=4, merge={"batchtask": stale})

    assert wait(bench, task_id, retry_failed=True)["status"] == "Success"


def test_a_service_that_asks_for_a_day(bench: Bench) -> None:
    """However long a pause the service requests, the end is noticed within minutes."""
    bench.emulator.faults.add(operation="ShowBatchTask", error="throttled", headers={"Retry-After": "100000"})

    wait(bench, campaign(bench))

    assert max(bench.time.slept) == 300
