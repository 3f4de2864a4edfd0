"""Undocumented behaviour of new records: lists show them late, and waiting devices are not counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.emulator import ManualClock, Switches

if TYPE_CHECKING:
    from tests.support.emulator_callers import Caller


def test_a_new_task_is_listed_late(call: Caller, clock: ManualClock) -> None:
    """With a lag, a list shows a new task only after the lag. A request by id returns it at once."""
    call.emulator.switches = Switches(list_lag=45)
    task_id = call.start("meter-0001")

    def listed() -> list[str]:
        page = call("GET", "batchtasks", task_type="firmwareUpgrade").json
        assert page["page"]["count"] == len(page["batchtasks"])
        return [task["task_id"] for task in page["batchtasks"]]

    assert (listed(), call.status(task_id)) == ([], "Initializing")
    clock.advance(44)
    assert listed() == []
    clock.advance(1)
    assert listed() == [task_id]


def test_a_new_package_is_listed_late(call: Caller, clock: ManualClock) -> None:
    """The same is true for a package."""
    call.emulator.switches = Switches(list_lag=45)
    package_id = call.emulator.add_package(version="V9.9.9")
    query = {"version": "V9.9.9"}

    assert call.packages(**query).json["packages"] == []
    assert call("GET", f"ota-upgrades/packages/{package_id}").status == 200
    clock.advance(45)
    (found,) = call.packages(**query).json["packages"]
    assert found["package_id"] == package_id


def test_waiting_devices_that_nothing_counts(call: Caller, clock: ManualClock) -> None:
    """Without counts of waiting devices, only the total includes them. Devices that have begun are counted."""
    call.emulator.switches = Switches(waiting_counts=False)
    task_id = call.start("meter-0001", "meter-0002", need_confirm=True)
    clock.advance(1)

    task = call.task(task_id)["batchtask"]
    assert task["status"] == "Waitting"
    assert {name: count for name, count in task["task_progress"].items() if count} == {"total": 2}

    call("POST", f"batchtasks/{task_id}/confirm", {})
    assert call.task(task_id)["batchtask"]["task_progress"]["processing"] == 2
