"""With any response to a creation, and with late lists, a run owns one task and one package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.emulator.behavior import Switches
from pulumi_iotda_ota.iotda.errors import IotdaOtaError, OutcomeUnknown
from tests.support import resource_packages
from tests.support.resource_packages import create, created_ids

if TYPE_CHECKING:
    from tests.support.resource_bench import Bench

OTHERS_TASK = {"task_id": "5c8b00000000000000000001", "task_name": "others_1", "task_type": "firmwareUpgrade"}


@pytest.mark.parametrize("field", ["task_name", "task_type"])
def test_a_response_about_another_task(bench: Bench, field: str) -> None:
    """A response with another name or type is not stored: the task that this run created is found by its name."""
    merge = {"task_id": OTHERS_TASK["task_id"], field: {**OTHERS_TASK, "task_type": "softwareUpgrade"}[field]}
    bench.emulator.faults.add(operation="CreateBatchTask", merge=merge)

    created = bench.created()

    assert bench.posts == 1
    assert [task["task_id"] for task in bench.emulator.tasks] == [created.id]


def test_a_response_about_another_task_and_none_of_ours(bench: Bench) -> None:
    """If no task of ours appears, the error shows both names, and nothing is stored."""
    name = bench.checked()["task_name"]
    bench.emulator.faults.add(operation="CreateBatchTask", status=201, body={**OTHERS_TASK, "status": "Initializing"})

    with pytest.raises(OutcomeUnknown) as caught:
        bench.created()

    happened = " ".join(str(caught.value).split())
    assert f"the response is about another task: task_name is others_1, not {name}" in happened
    assert (bench.posts, bench.emulator.tasks) == (1, [])


@pytest.mark.parametrize(
    "other",
    [{"package_type": "softwarePackage"}, {"product_id": "gateway"}, {"version": "V8"}, {"app_id": "water"}],
    ids=lambda other: next(iter(other)),
)
def test_a_response_about_another_package(bench: Bench, other: dict[str, str]) -> None:
    """A response about another package is not stored: the package that this run created is found by its fields."""
    bench.emulator.faults.add(operation="CreateOtaPackage", merge={"package_id": "others", **other})

    created = create(bench.context)

    assert bench.count("CreateOtaPackage") == 1
    assert created_ids(bench) == [created.id]


def test_a_response_about_another_module(bench: Bench) -> None:
    """If the response names another module, it is not stored: the package that this run created is found."""
    module = {"package_type": "modulePackage", "module_name": "radio"}
    bench.emulator.faults.add(operation="CreateOtaPackage", merge={"package_id": "others", "module_name": "screen"})

    created = create(bench.context, **module)

    assert created_ids(bench) == [created.id]


def test_a_response_with_an_empty_module(bench: Bench) -> None:
    """An empty module in the response means that there is no module."""
    bench.emulator.faults.add(operation="CreateOtaPackage", merge={"module_name": ""})

    created = create(bench.context)

    assert (created_ids(bench), bench.warnings) == ([created.id], [])


@pytest.mark.parametrize("left_out", ["module_name", "support_source_versions", "description", "custom_info"])
def test_a_response_without_a_field(bench: Bench, left_out: str) -> None:
    """A field that is missing from the response is not compared."""
    module = {"package_type": "modulePackage", "module_name": "radio"}
    bench.emulator.faults.add(operation="CreateOtaPackage", merge={left_out: None})

    created = create(bench.context, **module)

    assert (created_ids(bench), bench.warnings) == ([created.id], [])


# Lists that are late ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lag", [5, 45, 110])
def test_a_lost_response_and_a_list_that_is_late(bench: Bench, lag: float) -> None:
    """A task whose response was lost is found although the list shows it late; it is not created twice."""
    bench.emulator.switches = Switches(list_lag=lag)
    bench.emulator.faults.add(operation="CreateBatchTask", accept=True, wire="drop")

    created = bench.created()

    assert bench.posts == 1
    assert [task["task_id"] for task in bench.emulator.tasks] == [created.id]


@pytest.mark.parametrize("lag", [5, 45, 110])
def test_a_lost_response_and_a_list_of_packages_that_is_late(bench: Bench, lag: float) -> None:
    """The same holds for a package."""
    bench.emulator.switches = Switches(list_lag=lag)
    bench.emulator.faults.add(operation="CreateOtaPackage", accept=True, wire="drop")

    created = create(bench.context)

    assert (bench.count("CreateOtaPackage"), created_ids(bench)) == (1, [created.id])


@pytest.mark.parametrize("thing", ["task", "package"])
def test_a_list_that_is_later_than_that(bench: Bench, thing: str) -> None:
    """The error says how long to wait. After that time the next run adopts the existing task."""
    bench.emulator.switches = Switches(list_lag=180)
    operation = "CreateBatchTask" if thing == "task" else "CreateOtaPackage"
    bench.emulator.faults.add(operation=operation, accept=True, wire="drop")

    with pytest.raises(OutcomeUnknown, match="wait 2 minutes, then run pulumi up again") as caught:
        bench.created() if thing == "task" else create(bench.context)
    assert ("found", "nothing in 120 seconds; it did not appear") in caught.value.facts
    bench.time.sleep(120)

    found = bench.created() if thing == "task" else create(bench.context)
    there = [task["task_id"] for task in bench.emulator.tasks] if thing == "task" else created_ids(bench)
    assert (there, bench.count(operation)) == ([found.id], 1)


def test_a_lost_response_takes_few_requests(bench: Bench) -> None:
    """While the lists are late, the pauses between requests become longer."""
    bench.emulator.faults.add(operation="CreateBatchTask", wire="drop")

    with pytest.raises(OutcomeUnknown):
        bench.created()

    assert sum(bench.time.slept) == pytest.approx(120)
    assert bench.count("ListBatchTasks") < 40


# What appears after a lost response is judged ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "reported"),
    [
        ({"document": {"package_ids": ["p2"]}}, r'with other inputs: package_ids is \["p2"\]'),
        ({"stopped": True}, "and was stopped"),
    ],
)
def test_what_appears_after_a_lost_response(bench: Bench, task: dict[str, Any], reported: str) -> None:
    """A task that appears with other packages, or that was stopped, is not adopted."""
    name = bench.checked()["task_name"]
    body = {"task_name": name, "task_type": "firmwareUpgrade", "targets": ["d1", "d2"]}
    planted = {**body, "document": {"package_ids": ["p1"]}, **task}

    def appear_later(_: Any) -> bool:
        bench.time.after(10, lambda: bench.emulator.add_task(**planted))
        return True

    bench.emulator.faults.add(operation="CreateBatchTask", match=appear_later, wire="drop")

    with pytest.raises(IotdaOtaError, match=reported):
        bench.created()
    assert bench.posts == 1


def test_a_package_that_appears_after_a_lost_response(bench: Bench) -> None:
    """A package that appears with another object is not adopted."""

    def appear_later(_: Any) -> bool:
        bench.time.after(
            10, lambda: resource_packages.add(bench, obs_location={**resource_packages.OBJECT, "object_key": "x.bin"})
        )
        return True

    bench.emulator.faults.add(operation="CreateOtaPackage", match=appear_later, wire="drop")

    with pytest.raises(IotdaOtaError, match="exists already"):
        create(bench.context)
    assert bench.count("CreateOtaPackage") == 1
