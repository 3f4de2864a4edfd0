"""Records that cannot be judged in the lists that decide whether a task or package is created."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.emulator import Switches
from pulumi_iotda_ota.iotda.errors import ProtocolError
from pulumi_iotda_ota.iotda.failed_devices import failing_devices
from pulumi_iotda_ota.iotda.models import UnreadableRecord
from tests.support.pins import NEWEST, pinned
from tests.support.resource_packages import add, create, created_ids, problems

if TYPE_CHECKING:
    from tests.support.resource_bench import Bench

FAILED = {"total": 3, "fail": 3}


def listed_as(bench: Bench, name: str, value: Any, **more: Any) -> None:
    """Show each task of a list with another value in a field. By their ids the service shows them unchanged."""

    def edit(page: dict[str, Any]) -> dict[str, Any]:
        return {**page, "batchtasks": [{**task, name: value, **more} for task in page["batchtasks"]]}

    bench.emulator.faults.add(operation="ListBatchTasks", edit=edit, times=None)


@pytest.mark.parametrize("name", ["status", "task_name"])
def test_an_odd_task_is_read_by_its_id(bench: Bench, name: str) -> None:
    """If the record of the own task cannot be judged in the list, it is read by its id, and no second one starts."""
    first = bench.created()
    listed_as(bench, name, None)

    again = bench.created()

    assert again.id == first.id
    assert bench.posts == 1


def test_an_odd_task_of_somebody_else_ends_nothing(bench: Bench) -> None:
    """A record that cannot be judged but has another name is not read, and ends no creation."""
    bench.emulator.add_task(
        task_name="another", task_type="firmwareUpgrade", document={"package_ids": ["p1"]}, targets=["d9"]
    )
    listed_as(bench, "status", None)

    bench.created()

    assert bench.posts == 1


@pytest.mark.parametrize("name", [None, "wanted"])
def test_a_task_without_an_id_may_be_the_wanted_one(bench: Bench, name: str | None) -> None:
    """A record that may be the own task and has no id is an error, and no task is created."""
    wanted = bench.created().outputs["task_name"]
    listed_as(bench, "task_id", None, task_name=wanted if name else None)

    with pytest.raises(ProtocolError, match=f"whether upgrade task {wanted} exists is not known"):
        bench.created()

    assert bench.posts == 1


def test_odd_devices_end_no_task(bench: Bench) -> None:
    """A device that cannot be judged is returned beside the others. Neither the list nor the read of the task fails."""
    for target in ("d1", "d2", "d3"):
        bench.emulator.set_device(target, outcome="fail")
    task_id = bench.emulator.add_task(
        task_name="t", task_type="firmwareUpgrade", document={"package_ids": ["p1"]}, targets=["d1", "d2", "d3"]
    )
    bench.time.sleep(60)
    bench.emulator.switches = Switches(odd_fields={"d3": {"target": None}, "d2": {"status": 7}})

    client = bench.run.client(bench.context.resolve({}))
    progress = client.show_batch_task(task_id).task_progress
    found = failing_devices(client, task_id, progress)

    assert [device.target for device in found.devices] == ["d1"]
    assert found.unreadable == (
        UnreadableRecord("", "", "target is null"),
        UnreadableRecord("d2", "", "status should be a valid string"),
    )


def test_a_pin_warns_of_what_cannot_be_judged(bench: Bench) -> None:
    """A pin passes such a record over, and warns, because it can be a better match."""
    ids = [package["package_id"] for package in bench.emulator.packages]
    newest = pinned(bench, NEWEST)["package_id"]
    bench.emulator.switches = Switches(odd_fields={newest: {"version": None}})

    moved = pinned(bench, NEWEST)["package_id"]

    assert moved in ids
    assert moved != newest
    assert bench.warnings == [
        f"1 package of the list cannot be judged and can be a better match: {newest} (version is null)"
    ]


def packages_as(bench: Bench, **changes: Any) -> None:
    """Show each package of a list with other values. By their ids the service shows them unchanged."""

    def edit(page: dict[str, Any]) -> dict[str, Any]:
        return {**page, "packages": [{**package, **changes} for package in page["packages"]]}

    bench.emulator.faults.add(operation="ListOtaPackageInfo", edit=edit, times=None)


@pytest.mark.parametrize("name", ["create_time", "version", "product_id"])
def test_an_odd_package_is_read_by_its_id(bench: Bench, name: str) -> None:
    """If the record of the own package cannot be judged in the list, it is read by its id and adopted."""
    there = add(bench)
    packages_as(bench, **{name: None})

    assert create(bench.context).id == there
    assert created_ids(bench) == [there]


def test_a_package_without_an_id_may_be_the_wanted_one(bench: Bench) -> None:
    """A record that may be the own package and has no id is an error, and no package is created."""
    there = add(bench)
    packages_as(bench, package_id=None)

    reported = problems(bench.context)

    assert "whether a firmwarePackage of product meter, version V7 exists is not known" in reported
    assert "a record without an id (package_id is null)" in reported
    assert created_ids(bench) == [there]


def test_a_twin_whose_detail_contradicts_the_list(bench: Bench) -> None:
    """If the detail of a package that may be adopted contradicts the list, nothing is adopted or created."""
    there = add(bench)
    bench.emulator.faults.add(operation="ShowOtaPackage", merge={"product_id": "valve"}, times=None)

    assert f"two responses of the service about package {there} contradict each other" in problems(bench.context)
    assert created_ids(bench) == [there]
