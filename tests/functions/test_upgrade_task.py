"""get_upgrade_task against a real socket: how an upgrade task stands, which devices fail and why."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pulumi
import pytest
from pulumi.output import Output

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota.emulator import Emulator, Switches
from pulumi_iotda_ota.functions import invoke
from tests.conftest import settings_for

if TYPE_CHECKING:
    from collections.abc import Iterator

OFFLINE = "Waiting for the device online timeout"
PACKAGE = {"package_id": "p1", "app_id": "a", "package_type": "firmwarePackage", "product_id": "meter", "version": "V1"}


class Time:
    """The time of devices; only a test moves it."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        """Return the time as the service reads it."""
        return self.now


@pytest.fixture
def time() -> Time:
    """Return a clock that stands still."""
    return Time()


@pytest.fixture
def service(time: Time, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Return a service with one package, whose devices take a minute each, and that the environment leads to."""
    seed = {"packages": [{**PACKAGE, "create_time": "20260101T000000Z"}]}
    with Emulator(seed, clock=time, device_seconds=60, initializing_seconds=5) as running:
        for name, value in settings_for(running).items():
            monkeypatch.setenv(name, value)
        yield running


def add_task(service: Emulator, *targets: str, **fields: Any) -> str:
    """Start an upgrade task; return its id."""
    document = {"package_ids": ["p1"]}
    return service.add_task(
        task_name="canary_1", task_type="firmwareUpgrade", document=document, targets=list(targets), **fields
    )


def asked(service: Emulator) -> list[str | None]:
    """Return the requested status of devices of each request, None for the task itself."""
    return [request.query.get("task_detail_status") for request in service.requests]


def test_a_running_task(service: Emulator, time: Time) -> None:
    """Each lookup of a task sends one request and returns its current state."""
    task_id = add_task(service, "d1", "d2", need_confirm=False)
    at_first = iotda_ota.get_upgrade_task(task_id=task_id)
    time.now += 10

    task = iotda_ota.get_upgrade_task(task_id=task_id)

    assert (at_first.status, task.status) == ("Initializing", "Processing")
    assert (task.task_id, task.task_name, task.task_type) == (task_id, "canary_1", "firmwareUpgrade")
    assert (task.package_ids, task.need_confirm, task.failed_devices) == (["p1"], False, [])
    assert task.progress is not None
    assert (task.progress.total, task.progress.processing, task.progress.fail) == (2, 2, 0)
    assert task.create_time == "20270115T080000Z"
    assert task.id == at_first.id != task_id
    assert asked(service) == [None, None]


def test_failing_devices_with_their_reasons(service: Emulator, time: Time) -> None:
    """If devices failed, they are returned with their reasons, for one more request per status."""
    service.set_device("d1", outcome="offline", error_code="IOTDA.014112", output="device-secret")
    service.set_device("d2", outcome="removed")
    task_id = add_task(service, "d1", "d2", "d3")
    time.now += 120

    task = iotda_ota.get_upgrade_task(task_id=task_id)

    assert task.status == "PartialSuccess"
    assert [device.to_dict() for device in task.failed_devices] == [
        {"target": "d1", "status": "Fail", "error_code": "IOTDA.014112", "error_msg": OFFLINE},
        {"target": "d2", "status": "Removed"},
    ]
    assert asked(service) == [None, "Fail", "Removed"]
    assert "device-secret" not in f"{task!r} {json.dumps(task.to_dict())}"


@pytest.mark.parametrize(("name", "target"), [("target", None), ("status", "d1")])
def test_a_device_that_cannot_be_judged_is_an_output(
    service: Emulator, time: Time, name: str, target: str | None
) -> None:
    """A record of a failed device that cannot be judged is in ``skipped_devices``, with the field that is wrong."""
    service.set_device("d1", outcome="removed")
    service.set_device("d2", outcome="removed")
    task_id = add_task(service, "d1", "d2")
    time.now += 120
    assert iotda_ota.get_upgrade_task(task_id=task_id).skipped_devices == []
    service.switches = Switches(odd_fields={"d1": {name: None}})

    task = iotda_ota.get_upgrade_task(task_id=task_id)

    assert [device.target for device in task.failed_devices] == ["d2"]
    (skipped,) = task.skipped_devices
    assert (skipped.target, skipped.reason) == (target, f"{name} is null")
    assert task["skipped_devices"] == task.skipped_devices


def test_a_large_campaign(service: Emulator, time: Time) -> None:
    """Of 600 failed devices the first 100 are returned for two requests; the progress counts all."""
    targets = [f"d{number:03}" for number in range(600)]
    for target in targets:
        service.set_device(target, outcome="fail")
    task_id = add_task(service, *targets)
    time.now += 120

    task = iotda_ota.get_upgrade_task(task_id=task_id)

    assert len({device.target for device in task.failed_devices}) == 100
    assert task.progress is not None
    assert task.progress.fail == 600
    assert asked(service) == [None, "Fail", "Fail"]


@pytest.mark.parametrize("echo", ["package_ids", "package_id"])
def test_either_shape_of_the_document_is_read(service: Emulator, echo: Any) -> None:
    """The package of a task with the older document is returned too."""
    service.switches = Switches(document_echo=echo)

    assert iotda_ota.get_upgrade_task(task_id=add_task(service, "d1")).package_ids == ["p1"]


def test_a_service_that_tells_little(service: Emulator) -> None:
    """What the service leaves out reads as None and is absent from exports."""
    service.faults.add(operation="ShowBatchTask", merge={"batchtask": {"task_progress": None, "create_time": None}})

    task = iotda_ota.get_upgrade_task(task_id=add_task(service, "d1"))

    assert (task.progress, task.create_time, task.task_mode) == (None, None, None)
    assert {
        "failed_devices",
        "id",
        "package_ids",
        "skipped_devices",
        "status",
        "task_id",
        "task_name",
        "task_type",
    } == set(task)


def test_a_missing_task_is_one_clear_error(service: Emulator) -> None:
    """A task that does not exist is an error with the service's status and the endpoint."""
    with pytest.raises(iotda_ota.ServiceError, match=r"^there is no upgrade task abc\n") as caught:
        iotda_ota.get_upgrade_task(task_id="abc")

    assert (caught.value.status, isinstance(caught.value, pulumi.RunError)) == (404, True)
    assert service.project_id in str(caught.value)
    assert "check task_id, project_id and instance_id" in str(caught.value)


def test_a_task_that_goes_while_it_is_read(service: Emulator, time: Time) -> None:
    """A task that is deleted before its devices are read does not exist; other refusals are reported unchanged."""
    service.set_device("d1", outcome="fail")
    task_id = add_task(service, "d1")
    time.now += 120
    service.faults.add(operation="ShowBatchTask", nth=2, error="task_missing")
    service.faults.add(operation="ShowBatchTask", nth=3, error="denied")

    with pytest.raises(iotda_ota.ServiceError, match=f"there is no upgrade task {task_id}"):
        iotda_ota.get_upgrade_task(task_id=task_id)
    with pytest.raises(iotda_ota.ServiceError, match="refused to read an upgrade task") as caught:
        iotda_ota.get_upgrade_task(task_id=task_id)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("task_id", "message"),
    [("ABC", "task_id must be 1 to 24 lower-case"), ("a/b", "task_id must"), (7, "task_id must be a string")],
)
def test_a_wrong_id_sends_nothing(service: Emulator, task_id: Any, message: str) -> None:
    """What is no id of a task is refused before anything is sent."""
    with pytest.raises(iotda_ota.InputError, match=message):
        iotda_ota.get_upgrade_task(task_id=task_id)
    assert service.requests == []


def test_an_output_wants_the_other_form(service: Emulator) -> None:
    """An Output is refused by the plain form, which names the form that takes it."""
    with pytest.raises(iotda_ota.OutputGiven, match="use get_upgrade_task_output"):
        iotda_ota.get_upgrade_task(task_id=Output.from_input("abc"))  # type: ignore[arg-type]


def test_a_stand_in_for_the_engine_is_answered(service: Emulator, time: Time) -> None:
    """The result in the plugin's spelling has all values of the result in Python."""
    service.set_device("d1", outcome="fail", error_msg="broken")
    task_id = add_task(service, "d1")
    time.now += 120

    answer = invoke.answer("iotda-ota:index:getUpgradeTask", {"taskId": task_id})

    assert answer["failedDevices"] == [
        {"target": "d1", "status": "Fail", "errorCode": "IOTDA.014290", "errorMsg": "broken"}
    ]
    assert (answer["taskId"], answer["progress"]["failWaitRetry"]) == (task_id, 0)
    assert "skipped" not in answer
