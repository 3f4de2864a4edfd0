"""Which devices of a task fail and why, and which requests that needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.iotda.errors import DeadlineExceeded, ServiceError
from pulumi_iotda_ota.iotda.failed_devices import FailingDevice, failing_devices
from pulumi_iotda_ota.iotda.retry import Deadline

if TYPE_CHECKING:
    from tests.support.resource_bench import Bench

OFFLINE = "Waiting for the device online timeout"


def failing(bench: Bench, task_id: str, **arguments: Any) -> tuple[FailingDevice, ...]:
    """Read a task and then its failing devices; only what the second step sends is counted."""
    client = bench.run.client(bench.context.resolve({}))
    progress = client.show_batch_task(task_id).task_progress
    bench.emulator.forget_requests()
    return failing_devices(client, task_id, progress, **arguments).devices


def add_task(bench: Bench, targets: list[str], **fields: Any) -> str:
    """Put a task onto the service and let it end."""
    document = {"package_ids": ["p1"]}
    task_id = bench.emulator.add_task(
        task_name="t", task_type="firmwareUpgrade", document=document, targets=targets, **fields
    )
    bench.time.sleep(60)
    return task_id


def requested(bench: Bench) -> list[str]:
    """Return the requested statuses, in order."""
    return [request.query["task_detail_status"] for request in bench.emulator.requests]


def test_a_task_without_failures_costs_nothing(bench: Bench) -> None:
    """If the progress counts no failed device, or is not known yet, nothing is sent."""
    assert failing(bench, add_task(bench, ["d1", "d2"])) == ()
    assert failing_devices(bench.run.client(bench.context.resolve({})), "abc", None).devices == ()
    assert bench.emulator.requests == []


def test_each_device_is_told_with_its_reason(bench: Bench) -> None:
    """Devices that failed, wait for a retry or were removed are returned. Each status that occurs costs one request."""
    bench.emulator.set_device("d1", outcome="offline", error_code="IOTDA.014112")
    bench.emulator.set_device("d2", outcome="removed")
    task_id = add_task(bench, ["d1", "d2", "d3"])

    assert failing(bench, task_id) == (
        FailingDevice("d1", "Fail", "IOTDA.014112", OFFLINE),
        FailingDevice("d2", "Removed"),
    )
    assert requested(bench) == ["Fail", "Removed"]


def test_a_device_that_is_tried_again_is_told(bench: Bench) -> None:
    """A device that waits for its next try is among them, with the reason of the last one."""
    bench.emulator.set_device("d1", outcome="offline")
    task_id = add_task(bench, ["d1"], task_policy={"retry_count": 1, "retry_interval": 60})

    assert failing(bench, task_id) == (FailingDevice("d1", "FailWaitRetry", "IOTDA.014290", OFFLINE),)


def test_a_stopped_task(bench: Bench) -> None:
    """Devices that were stopped have not got the package either."""
    task_id = add_task(bench, ["d1", "d2"], stopped=True)

    assert failing(bench, task_id) == (FailingDevice("d2", "Stopped"), FailingDevice("d1", "Stopped"))


def test_what_a_device_reports_back_is_not_read(bench: Bench) -> None:
    """The output of a device can have secrets, and is in no result."""
    bench.emulator.set_device("d1", outcome="fail", output="device-secret")

    assert "device-secret" not in repr(failing(bench, add_task(bench, ["d1"])))


@pytest.mark.parametrize(("most", "pages"), [(1, 1), (50, 1), (51, 2), (600, 12), (1000, 13)])
def test_more_devices_than_an_offset_reaches(bench: Bench, most: int, pages: int) -> None:
    """Of 600 failing devices as many are read as are wanted, page by page, each once; all end with an empty page."""
    targets = [f"d{number:03}" for number in range(600)]
    for target in targets:
        bench.emulator.set_device(target, outcome="fail")
    task_id = add_task(bench, targets)

    found = failing(bench, task_id, most=most)

    assert [device.target for device in found] == targets[::-1][:most]
    assert len(bench.emulator.requests) == pages


def test_only_the_statuses_that_are_wanted(bench: Bench) -> None:
    """Only the requested statuses are returned, and nothing is sent for others."""
    bench.emulator.set_device("d1", outcome="fail")
    bench.emulator.set_device("d2", outcome="removed")
    task_id = add_task(bench, ["d1", "d2"])

    assert [device.target for device in failing(bench, task_id, statuses=("Removed",))] == ["d2"]
    assert requested(bench) == ["Removed"]


def test_a_device_that_moves_on_meanwhile_is_told_once(bench: Bench) -> None:
    """A device that is in two responses is returned once, as the later response has it."""
    bench.emulator.set_device("d1", outcome="fail")
    bench.emulator.set_device("d2", outcome="removed")
    task_id = add_task(bench, ["d1", "d2"])

    def rename(answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "task_details": [{**detail, "target": "d1"} for detail in answer["task_details"]]}

    bench.emulator.faults.add(operation="ShowBatchTask", nth=3, edit=rename)

    assert failing(bench, task_id) == (FailingDevice("d1", "Removed"),)


def test_one_deadline_bounds_them_all(bench: Bench) -> None:
    """A deadline that is over sends nothing; a task that is gone is the service's 404."""
    bench.emulator.set_device("d1", outcome="fail")
    task_id = add_task(bench, ["d1"])

    with pytest.raises(DeadlineExceeded):
        failing(bench, task_id, deadline=Deadline(bench.time.clock, 1, bench.time.clock.monotonic()))
    assert bench.emulator.requests == []
    bench.emulator.faults.add(operation="ShowBatchTask", nth=2, error="task_missing")
    with pytest.raises(ServiceError, match="404"):
        failing(bench, task_id)
