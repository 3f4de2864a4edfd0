"""Packages, completions and confirmations through the plugin's process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from pulumi_iotda_ota.emulator import Switches
from tests.support.engine_resources import wait_until
from tests.support.plugin_process import UNKNOWN, Plugin, plain, urn
from tests.support.plugin_resources import NONE, SOME, TASK, task
from tests.support.plugin_upgrade_tasks import LOCATION, METER

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator import Emulator
    from tests.support.plugin_process import Engine

PACKAGE, DONE = urn("OtaPackage", "meter"), urn("UpgradeTaskCompletion", "healthy")
APPROVED = urn("UpgradeTaskConfirmation", "approved")


def test_the_life_of_a_package(started: Plugin, start: Callable[[], Plugin], emulator: Emulator) -> None:
    """A package is created of its object, found by a lookup of the same run, replaced by another file and deleted."""
    assert started.answer("getOtaPackage", **query(), onMissing="none") == {"found": False}
    inputs = started.checked(PACKAGE, METER)
    assert started.create(PACKAGE, inputs, preview=True)[1]["packageId"] == UNKNOWN
    id_, state = started.create(PACKAGE, inputs)
    assert (state["packageId"], state["exists"], state["obsLocation"]) == (id_, True, LOCATION)

    assert started.answer("getOtaPackage", **query())["packageId"] == id_
    assert started.diff(PACKAGE, id_, state, started.checked(PACKAGE, METER, inputs)).changes == NONE
    other = started.checked(PACKAGE, {**METER, "obsLocation": {**LOCATION, "objectKey": "meter/other.bin"}}, inputs)
    assert list(started.diff(PACKAGE, id_, state, other).replaces) == ["obsLocation"]
    assert plain(started.read(PACKAGE, id_, state).properties)["exists"] is True
    with start() as destroying:
        destroying.delete(PACKAGE, id_, state)

    assert not [found for found in emulator.packages if found["package_id"] == id_]


def query() -> dict[str, Any]:
    """Return the lookup of that package."""
    return {name: METER[name] for name in ("packageType", "productId", "version")}


def test_a_field_of_an_object_is_told_by_its_path(plugin: Plugin) -> None:
    """A problem in an object is reported for the object, with the field, in the names of the schema."""
    _, problems = plugin.check(PACKAGE, {**METER, "obsLocation": {**LOCATION, "sign": "short", "bucketName": "B"}})

    assert [name for name, _ in problems] == ["obsLocation"] * 2
    assert [reason.split()[0] for _, reason in problems] == ["bucketName", "sign"]


def running(plugin: Plugin, emulator: Emulator, **more: Any) -> str:
    """Create a task, and return its id."""
    return plugin.create(TASK, plugin.checked(TASK, task(emulator, **more)))[0]


def test_a_completion_that_passes(plugin: Plugin, emulator: Emulator, engine: Engine) -> None:
    """A completion waits for the end, reports progress beside its resource, and sends nothing afterwards."""
    emulator.set_device("d1", outcome="hang")
    task_id = running(plugin, emulator)
    inputs = plugin.checked(DONE, {"taskId": task_id, "timeout": "1m"})
    assert plugin.create(DONE, inputs, preview=True)[1]["failedCount"] == UNKNOWN

    with ThreadPoolExecutor() as pool:
        creation = pool.submit(plugin.create, DONE, inputs)
        wait_until(lambda: any(line.startswith("Ctrl-C stops the wait") for _, line in engine.lines))
        emulator.set_device("d1", outcome="success")
        id_, state = creation.result()

    assert (state["status"], state["failedCount"], state["progress"]["success"]) == ("Success", 0, 2)
    assert any(at == DONE and line.startswith("2 of 2 done") for at, line in engine.lines)
    assert sum(line.startswith("Ctrl-C stops the wait, not the task") for _, line in engine.lines) == 1
    emulator.forget_requests()
    raised = plugin.checked(DONE, {"taskId": task_id, "maxFailedPercent": 2.5}, inputs)
    assert plugin.diff(DONE, id_, state, raised).changes == SOME
    assert plugin.update(DONE, id_, state, raised, preview=True)["status"] == "Success"
    assert plugin.update(DONE, id_, state, raised)["maxFailedPercent"] == 2.5
    again = plugin.update(DONE, id_, state, {**raised, "taskId": "ab"}, preview=True)
    assert (again["taskId"], again["status"]) == ("ab", UNKNOWN)
    assert emulator.requests == []


def test_a_completion_that_fails(plugin: Plugin, emulator: Emulator) -> None:
    """A task with too many failures fails the create, with the library's error in the names of the plugin."""
    emulator.set_device("d1", outcome="fail")
    task_id = running(plugin, emulator)

    with pytest.raises(grpc.RpcError) as caught:
        plugin.create(DONE, plugin.checked(DONE, {"taskId": task_id}))

    reported = caught.value.details()
    assert "1 of 2 devices" in reported.splitlines()[0]
    assert "maxFailedDevices" in reported
    assert "max_failed_devices" not in reported


def test_an_approval(plugin: Plugin, emulator: Emulator) -> None:
    """A task that waits is confirmed if its packages are the approved ones, and refused otherwise."""
    task_id = running(plugin, emulator, needConfirm=True)
    packages = task(emulator)["packageIds"]
    with pytest.raises(grpc.RpcError, match="approvedPackageIds"):
        plugin.create(APPROVED, plugin.checked(APPROVED, {"taskId": task_id, "approvedPackageIds": ["other"]}))

    _, state = plugin.create(APPROVED, plugin.checked(APPROVED, {"taskId": task_id, "approvedPackageIds": packages}))

    assert state["taskId"] == task_id
    assert [request.operation for request in emulator.requests].count("ConfirmBatchTask") == 1


def test_what_is_found_later_is_approved_by_nobody(plugin: Plugin, emulator: Emulator) -> None:
    """Packages that are not known at the preview are no approval."""
    _, problems = plugin.check(APPROVED, {"taskId": UNKNOWN, "approvedPackageIds": [UNKNOWN]})

    assert problems == [("approvedPackageIds", "must be literal ids")]


def test_how_a_task_stands(plugin: Plugin, emulator: Emulator) -> None:
    """A task is looked up anew each time, with the devices that fail and why."""
    emulator.set_device("d1", outcome="fail")
    task_id = running(plugin, emulator)
    with pytest.raises(grpc.RpcError):
        plugin.create(DONE, plugin.checked(DONE, {"taskId": task_id}))

    found = plugin.answer("getUpgradeTask", taskId=task_id)

    assert (found["taskId"], found["status"]) == (task_id, "PartialSuccess")
    assert [device["target"] for device in found["failedDevices"]] == ["d1"]
    assert set(found["failedDevices"][0]) >= {"status", "errorCode", "errorMsg"}
    assert found["progress"]["failWaitRetry"] == 0
    assert found["skippedDevices"] == []
    emulator.switches = Switches(odd_fields={"d1": {"status": None}})
    skipped = plugin.answer("getUpgradeTask", taskId=task_id)["skippedDevices"]
    assert skipped == [{"target": "d1", "reason": "status is null"}]
    (failure,) = plugin.invoke("getUpgradeTask", taskId="no id").failures
    assert failure.property == "taskId"


@pytest.mark.parametrize(
    ("at", "inputs", "name", "output"),
    [
        (TASK, {"packageIds": ["pin"], "targets": ["d1"]}, "packageIds", "packageId"),
        (DONE, {"taskId": "completion"}, "taskId", "taskId"),
        (APPROVED, {"taskId": "confirmation", "approvedPackageIds": ["p1"]}, "taskId", "taskId"),
        (urn("OtaPackagePin"), {"packageId": "pin"}, "packageId", "packageId"),
    ],
)
def test_the_constant_id_of_a_resource_is_no_value(
    plugin: Plugin, at: str, inputs: dict[str, Any], name: str, output: str
) -> None:
    """The id of a resource that owns nothing is refused when it is checked, with the output that is meant."""
    _, problems = plugin.check(at, inputs)

    ((reported, reason),) = problems
    assert reported == name
    assert f"must be the output {output} of a resource instead of its id" in reason
