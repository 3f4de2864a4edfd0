"""Upgrade tasks: the bodies that are accepted, the responses, and the filters of lists and devices."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pulumi_iotda_ota.emulator import ManualClock, Switches
from tests.support.emulator_callers import Caller, package_id_of, task_body


def test_a_created_task_repeats_the_body_without_the_space(call: Caller) -> None:
    """The response to a creation is the task, with an id of 24 digits, without app_id."""
    policy = {"retry_count": 1, "retry_interval": 5}
    body = task_body(call.emulator, targets=["d1"], app_id="energy", task_ext_info={"a": 1}, task_policy=policy)
    task = call("POST", "batchtasks", body).json
    assert len(task["task_id"]) == 24
    assert "app_id" not in task
    assert {name: task[name] for name in body if name != "app_id"} == {k: v for k, v in body.items() if k != "app_id"}
    assert task["create_time"] == "20261122T120000Z"


@pytest.mark.parametrize(
    ("schedule", "code"),
    [
        ("2026-11-22T13:00:00Z", "IOTDA.000009"),
        ("2026112T130000Z", "IOTDA.000009"),
        ("20261399T130000Z", "IOTDA.000009"),
        ("20261122T115900Z", "IOTDA.000006"),
        ("20261129T120100Z", "IOTDA.000006"),
    ],
)
def test_a_schedule_that_is_passed_or_far_is_400(call: Caller, schedule: str, code: str) -> None:
    """A schedule must be a time within the next seven days."""
    body = task_body(call.emulator, targets=["d1"], task_policy={"schedule_time": schedule})
    response = call("POST", "batchtasks", body)
    assert (response.status, response.code) == (400, code)


@pytest.mark.parametrize(
    "fields",
    [
        {"task_name": "has-hyphen"},
        {"task_name": "n" * 129},
        {"task_name": None},
        {"task_type": "createDevices"},
        {"document": None},
        {"document": {}},
        {"document": {"package_ids": []}},
        {"document": {"package_ids": ["a_b"]}},
        {"targets": None},
        {"targets": ["a b"]},
        {"targets": [f"d{number}" for number in range(30_001)]},
        {"targets": None, "targets_filter": {"group_ids": []}},
        {"task_mode": "DEVICE"},
        {"need_confirm": "yes"},
        {"task_ext_info": {"k": "v" * 512}},
        {"task_ext_info": "text"},
        {"task_policy": {"retry_count": 1}},
        {"task_policy": {"retry_interval": 1}},
        {"task_policy": {"retry_count": 6, "retry_interval": 5}},
        {"task_policy": {"retry_count": 1, "retry_interval": 1441}},
        {"task_type": "moduleUpgrade", "task_mode": "GATEWAY"},
    ],
)
def test_a_task_that_breaks_a_limit_is_400(call: Caller, fields: dict[str, Any]) -> None:
    """CreateBatchTask refuses each field that is out of its documented form."""
    body = task_body(call.emulator, **{"targets": ["d1"], **fields})
    response = call("POST", "batchtasks", body)
    assert (response.status, response.code) == (400, "IOTDA.000006")


def test_the_largest_task_is_taken(call: Caller, clock: ManualClock) -> None:
    """30,000 devices with names of 128 characters are one task."""
    task_id = call.start(*(f"{number:0128}" for number in range(30_000)))
    clock.advance(1)
    assert call.task(task_id)["batchtask"]["task_progress"]["total"] == 30_000


def test_names_may_be_chinese_and_need_not_be_unique(call: Caller) -> None:
    """A task name can have Chinese characters, and a second task can have the same name."""
    assert call.start("d1", task_name="升级_1") != call.start("d2", task_name="升级_1")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"app_id": "nowhere"}, 403),
        ({"document": {"package_ids": ["0" * 32]}}, 404),
        ({"targets": None, "targets_filter": {"group_ids": ["nowhere"]}}, 404),
    ],
)
def test_what_a_task_refers_to_must_exist(call: Caller, fields: dict[str, Any], status: int) -> None:
    """A missing space, package or group is refused."""
    body = task_body(call.emulator, **{"targets": ["d1"], **fields})
    assert call("POST", "batchtasks", body).status == status


def test_packages_of_a_task_can_be_restricted(call: Caller) -> None:
    """A switch decides whether a task accepts packages of another type or of several products."""
    meter, gateway = (
        package_id_of(call.emulator, *which) for which in (("smart-meter", "V1.4.10"), ("gateway", "V100R001C00SPC200"))
    )
    several = task_body(call.emulator, targets=["d1"], document={"package_ids": [meter, gateway]})
    wrong_type = task_body(call.emulator, targets=["d1"], task_type="softwareUpgrade")
    assert [call("POST", "batchtasks", body).status for body in (several, wrong_type)] == [201, 201]
    call.emulator.switches = Switches(mixed_packages="refuse")
    assert [call("POST", "batchtasks", body).status for body in (several, wrong_type)] == [400, 400]


@pytest.mark.parametrize(
    ("sent", "echo", "key"),
    [
        ("package_ids", "as_sent", "package_ids"),
        ("package_id", "as_sent", "package_id"),
        ("package_ids", "package_id", "package_id"),
        ("package_id", "package_ids", "package_ids"),
    ],
)
def test_the_key_of_the_document_is_a_switch(call: Caller, sent: str, echo: Any, key: str) -> None:
    """Both keys are accepted, and a switch selects the key in responses."""
    call.emulator.switches = Switches(document_echo=echo)
    package_id = package_id_of(call.emulator, "smart-meter", "V1.4.10")
    values = {"package_id": package_id, "package_ids": [package_id]}
    task_id = call.start("d1", document={sent: values[sent]})
    assert call.task(task_id)["batchtask"]["document"] == {key: values[key]}


def test_targets_can_be_missing_in_responses(call: Caller) -> None:
    """A switch decides whether the response of a task repeats its targets."""
    call.emulator.switches = Switches(echo_targets=False)
    assert "targets" not in call.task(call.start("d1"))["batchtask"]


def test_module_tasks_may_have_no_stop(call: Caller) -> None:
    """Whether stop and retry work on module upgrades is a switch; confirm is documented."""
    module = package_id_of(call.emulator, "water-valve", "1.0.0")
    task_id = call.start("d1", task_type="moduleUpgrade", document={"package_ids": [module]})
    call.emulator.switches = Switches(module_actions=False)
    responses = [call("POST", f"batchtasks/{task_id}/{action}", {}).status for action in ("stop", "retry", "confirm")]
    assert responses == [400, 400, 200]


def test_lists_filter_by_type_space_and_status(call: Caller, clock: ManualClock) -> None:
    """ListBatchTasks needs a type, filters by space and status, and has the newest first."""
    first = call.start("d1", app_id="water")
    clock.advance(20)
    second = call.start("d2")

    def listed(**query: str) -> list[str]:
        body = call("GET", "batchtasks", **{"task_type": "firmwareUpgrade", **query}).json
        assert body["page"]["count"] == len(body["batchtasks"])
        return [task["task_id"] for task in body["batchtasks"]]

    assert listed() == [second, first]
    assert listed(app_id="water") == [first]
    assert listed(status="Success") == [first]
    assert listed(task_type="softwareUpgrade") == []
    assert listed(task_type="createDevices") == []
    assert call("GET", "batchtasks").status == 400
    assert call("GET", "batchtasks", task_type="firmwareUpgrade", status="waiting").status == 400


def test_devices_of_a_task_are_filtered(call: Caller, clock: ManualClock) -> None:
    """ShowBatchTask narrows the devices by state and by name, the task itself stays whole."""
    call.emulator.set_device("d1", outcome="fail")
    task_id = call.start("d1", "d2")
    clock.advance(20)
    assert [d["target"] for d in call.task(task_id, task_detail_status="Fail")["task_details"]] == ["d1"]
    found = call.task(task_id, target="d2")
    assert [d["target"] for d in found["task_details"]] == ["d2"]
    assert found["batchtask"]["task_progress"]["total"] == 2


@pytest.mark.parametrize("targets", [[f"d{number}" for number in range(101)], "all"])
def test_actions_take_a_hundred_targets(call: Caller, targets: Any) -> None:
    """Stop, retry and confirm take at most 100 targets, as a list."""
    task_id = call.start("d1")
    assert call("POST", f"batchtasks/{task_id}/stop", {"targets": targets}).status == 400


def test_tasks_made_in_process_may_be_old(call: Caller) -> None:
    """add_task makes a task of any age, finished or stopped."""
    body = task_body(call.emulator, targets=["d1"])
    old = call.emulator.add_task(**body, create_time="20261101T000000Z", task_id="0123456789abcdef01234567")
    stopped = call.emulator.add_task(**body, create_time="20261101T000000Z", stopped=True)
    assert (old, call.status(old), call.status(stopped)) == ("0123456789abcdef01234567", "Success", "Stopped")
    assert [task["status"] for task in call.emulator.tasks] == ["Stopped", "Success"]
    with pytest.raises(ValueError, match="The package does not exist"):
        call.emulator.add_task(**{**body, "document": {"package_ids": ["gone"]}})


def test_tasks_are_json_all_through(call: Caller) -> None:
    """The tasks of the Python interface are those of the HTTP interface."""
    task_id = call.start("d1")
    assert json.loads(json.dumps(call.emulator.tasks[0])) == call.task(task_id)["batchtask"]
