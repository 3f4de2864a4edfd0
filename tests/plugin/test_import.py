"""Import through the plugin's process: a task or package that exists already becomes a resource of the stack."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from pulumi_iotda_ota.emulator import Switches
from tests.support.plugin_process import SECONDS, plain, urn

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator import Emulator
    from tests.support.plugin_process import Engine, Plugin

PACKAGE, TASK, OTHER = urn("OtaPackage", "fw"), urn("UpgradeTask", "canary"), urn("UpgradeTask", "other")
NONE, SOME = provider_pb2.DiffResponse.DIFF_NONE, provider_pb2.DiffResponse.DIFF_SOME
LOCATION = {"region_name": "r", "bucket_name": "b-1", "object_key": "k.bin", "sign_method": "SHA256", "sign": "a" * 64}
#: What the plugin adds to the inputs: a program cannot give it.
ADDED = ("taskName", "unreadInputs")


@pytest.fixture
def package_id(emulator: Emulator) -> str:
    """Return a package of another owner."""
    fields: dict[str, Any] = {"package_type": "firmwarePackage", "app_id": "energy", "product_id": "smart-meter"}
    return emulator.add_package(
        **fields, version="V7", description="reads faster", file_location={"obs_location": LOCATION}
    )


@pytest.fixture
def make_task(emulator: Emulator, package_id: str) -> Callable[..., str]:
    """Return a function that starts a task as the console does, under another name, and returns its id."""

    def make(**fields: Any) -> str:
        for device in ("d1", "d2"):
            emulator.set_device(device, outcome="hang")
        body = {
            "task_name": "fleet_1",
            "task_type": "firmwareUpgrade",
            "targets": ["d1", "d2"],
            "document": {"package_ids": [package_id]},
            **fields,
        }
        return emulator.add_task(**{name: value for name, value in body.items() if value is not None})

    return make


def imported(plugin: Plugin, at: str, id_: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the inputs and the state of an import, as the engine requests it: without state and inputs."""
    answer = plugin.stub.Read(provider_pb2.ReadRequest(urn=at, id=id_), timeout=SECONDS)
    assert answer.id == id_
    return plain(answer.inputs), plain(answer.properties)


def got(plugin: Plugin, at: str, id_: str) -> dict[str, Any]:
    """Return the state of a resource that the program only reads, as the engine requests it: with empty inputs."""
    return plain(plugin.read(at, id_, {}, {}).properties)


def declared(inputs: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return what a generated program declares, with some inputs changed; None leaves one out."""
    given = {name: value for name, value in {**inputs, **changes}.items() if name not in ADDED}
    return {name: value for name, value in given.items() if value is not None}


def refusal(plugin: Plugin, id_: str, state: dict[str, Any], inputs: dict[str, Any], **changes: Any) -> str:
    """Return why a change of an imported task is refused, in a check or in the diff after it."""
    checked, problems = plugin.check(TASK, declared(inputs, **changes), inputs)
    if not problems:
        with pytest.raises(grpc.RpcError) as caught:
            plugin.diff(TASK, id_, state, checked)
        return " ".join(caught.value.details().split())
    return " ".join(" ".join(f"{name} {reason}" for name, reason in problems).split())


def test_a_package(started: Plugin, start: Callable[[], Plugin], package_id: str, emulator: Emulator) -> None:
    """An imported package has inputs that declare its present state, previews without a change and can be destroyed."""
    inputs, state = imported(started, PACKAGE, package_id)

    assert inputs == {
        "packageType": "firmwarePackage",
        "appId": "energy",
        "productId": "smart-meter",
        "version": "V7",
        "description": "reads faster",
        "obsLocation": {
            "regionName": "r",
            "bucketName": "b-1",
            "objectKey": "k.bin",
            "signMethod": "SHA256",
            "sign": "a" * 64,
        },
    }
    assert (state["packageId"], state["exists"], state["supportSourceVersions"]) == (package_id, True, [])
    checked = started.checked(PACKAGE, inputs, inputs)
    assert started.diff(PACKAGE, package_id, state, checked).changes == NONE
    assert plain(started.read(PACKAGE, package_id, state, inputs).properties) == state
    with start() as later:
        later.delete(PACKAGE, package_id, state)
    assert package_id not in [found["package_id"] for found in emulator.packages]


def test_a_task_keeps_its_name(plugin: Plugin, make_task: Callable[..., str], emulator: Emulator) -> None:
    """An imported task keeps its name, and the program that declares it changes nothing."""
    task_id = make_task(task_policy={"retry_count": 2, "retry_interval": 0}, need_confirm=True)

    # Until then the service counts no devices.
    while emulator.tasks[0]["status"] == "Initializing":
        time.sleep(0.02)

    inputs, state = imported(plugin, TASK, task_id)

    assert declared(inputs) == {
        "packageIds": emulator.tasks[0]["document"]["package_ids"],
        "targets": ["d1", "d2"],
        "taskType": "firmwareUpgrade",
        "retryCount": 2,
        "retryInterval": 0,
        "needConfirm": True,
        "onDestroy": "retain",
    }
    assert (state["taskId"], state["taskName"], state["progress"]["total"]) == (task_id, "fleet_1", 2)
    emulator.forget_requests()
    checked = plugin.checked(TASK, declared(inputs), inputs)
    assert checked == inputs
    assert plugin.diff(TASK, task_id, state, checked).changes == NONE
    assert emulator.requests == []
    assert plain(plugin.read(TASK, task_id, state, inputs).properties)["taskName"] == "fleet_1"


def test_a_destroy_does_what_the_program_says(
    plugin: Plugin, make_task: Callable[..., str], emulator: Emulator
) -> None:
    """A destroy leaves an imported task alone; if the program declares another on_destroy, it does that."""
    task_id = make_task()
    inputs, state = imported(plugin, TASK, task_id)

    plugin.delete(TASK, task_id, state)
    assert emulator.tasks[0]["status"] in {"Initializing", "Processing"}

    checked = plugin.checked(TASK, declared(inputs, onDestroy=None), inputs)
    change = plugin.diff(TASK, task_id, state, checked)
    assert (change.changes, list(change.replaces)) == (SOME, [])


def test_what_the_service_does_not_return_is_taken_once(
    beside: Callable[[], Plugin],
    start: Callable[[], Plugin],
    make_task: Callable[..., str],
    engine: Engine,
    emulator: Emulator,
) -> None:
    """The first value of an input that IoTDA does not return is stored. Any later value needs a new task."""
    emulator.switches = Switches(echo_targets=False)
    task_id = make_task(app_id="energy")
    with beside() as plugin:
        inputs, state = imported(plugin, TASK, task_id)
        assert "targets" not in inputs
        assert "IoTDA does not return the devices of upgrade task" in engine.lines[-1][1]

        first = {"groupIds": ["canary"], "appId": "energy", "taskNamePrefix": "fleet"}
        checked = plugin.checked(TASK, declared(inputs, **first), inputs)
        change = plugin.diff(TASK, task_id, state, checked)
        assert (change.changes, list(change.replaces)) == (SOME, [])
        stored = plugin.update(TASK, task_id, state, checked)
    assert {name: stored[name] for name in first} == first
    assert not {"app_id", "targets", "group_ids", "task_name_prefix"} & {*stored["unreadInputs"]}

    for name, value in (("triggers", [1]), ("appId", "water"), ("groupIds", ["fleet"]), ("targets", ["d9"])):
        with start() as plugin:
            changes = {name: value} | ({"groupIds": None} if name == "targets" else {})
            assert name in refusal(plugin, task_id, stored, checked, **changes)


@pytest.mark.parametrize("changes", [{"taskMode": "GATEWAY"}, {"taskExtInfo": {"ticket": "OPS-7"}}])
def test_what_the_task_was_created_without_is_a_change(
    plugin: Plugin, make_task: Callable[..., str], changes: dict[str, Any]
) -> None:
    """If IoTDA does not return an input that it returns whenever it is set, the input was not set."""
    task_id = make_task()
    inputs, state = imported(plugin, TASK, task_id)

    assert "starts a new upgrade task, but fleet_1 is still running" in refusal(
        plugin, task_id, state, inputs, **changes
    )


def test_an_output_that_is_unknown_at_the_preview(plugin: Plugin, make_task: Callable[..., str]) -> None:
    """If IoTDA does not return an input, a value that is not known yet replaces nothing."""
    task_id = make_task()
    inputs, state = imported(plugin, TASK, task_id)

    later = {"appId": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}
    checked = plugin.checked(TASK, declared(inputs, **later), inputs)

    assert list(plugin.diff(TASK, task_id, state, checked).replaces) == []


def test_another_campaign_is_refused_while_it_runs(plugin: Plugin, make_task: Callable[..., str]) -> None:
    """A program that declares other devices than the imported task has does not start a task beside it."""
    task_id = make_task()
    inputs, state = imported(plugin, TASK, task_id)

    reported = refusal(plugin, task_id, state, inputs, targets=["d9"])

    assert "a change of targets starts a new upgrade task, but fleet_1 is still running" in reported


def test_one_thing_has_one_resource(plugin: Plugin, make_task: Callable[..., str], package_id: str) -> None:
    """If another resource of the run owns a task or package, it cannot be imported, but it can be read."""
    task_id = make_task()
    for at, other, id_ in ((TASK, OTHER, task_id), (PACKAGE, urn("OtaPackage", "two"), package_id)):
        imported(plugin, at, id_)

        with pytest.raises(grpc.RpcError, match="cannot be imported: another resource of this stack owns it already"):
            imported(plugin, other, id_)
        assert got(plugin, other, id_)


def test_a_read_owns_nothing(plugin: Plugin, make_task: Callable[..., str], package_id: str) -> None:
    """A resource that a program reads by its id has the outputs of the service; a task can be imported after it."""
    task_id = make_task()

    assert got(plugin, OTHER, task_id)["taskName"] == "fleet_1"
    assert got(plugin, urn("OtaPackage", "two"), package_id)["version"] == "V7"
    imported(plugin, TASK, task_id)


@pytest.mark.parametrize(
    ("at", "id_", "reported"),
    [
        (TASK, "0" * 24, f"there is no upgrade task {'0' * 24}"),
        (PACKAGE, "nothing", "there is no package nothing"),
        (TASK, "fleet_1", "taskId must be 1 to 24 lower-case hexadecimal digits"),
        (PACKAGE, "a b", "packageId must be 1 to 36"),
    ],
)
def test_an_id_that_is_not_there(plugin: Plugin, at: str, id_: str, reported: str) -> None:
    """An id that does not exist, or that is not valid, is one clear error."""
    with pytest.raises(grpc.RpcError) as caught:
        imported(plugin, at, id_)

    details = caught.value.details()
    assert reported in details
    assert ("iotda-ota" in details) == ("there is no" in reported)


def test_a_task_of_another_kind(plugin: Plugin, make_task: Callable[..., str], emulator: Emulator) -> None:
    """A batch task of another kind is refused; the error names its type."""
    task_id = make_task()
    emulator.faults.add(operation="ShowBatchTask", merge={"batchtask": {"task_type": "createCommands"}})

    with pytest.raises(grpc.RpcError, match=f'task {task_id} is not an upgrade task: its type is "createCommands"'):
        imported(plugin, TASK, task_id)


def test_a_package_without_its_file(plugin: Plugin, package_id: str, emulator: Emulator) -> None:
    """A package whose location the service does not return cannot be declared, and the error says so."""
    emulator.faults.add(operation="ShowOtaPackage", merge={"file_location": None})

    with pytest.raises(grpc.RpcError, match="cannot be imported: the service does not return its file location"):
        imported(plugin, PACKAGE, package_id)


@pytest.mark.parametrize(
    ("kind", "advice"),
    [
        ("OtaPackagePin", "set packageId and no other selection argument"),
        ("UpgradeTaskCompletion", "declare it with the taskId of the task"),
        ("UpgradeTaskConfirmation", "declare it with the taskId of the task and approvedPackageIds"),
    ],
)
def test_what_owns_nothing_is_declared_instead(plugin: Plugin, kind: str, advice: str) -> None:
    """A resource that owns nothing on the service cannot be imported; the error says what to do instead."""
    with pytest.raises(grpc.RpcError, match="cannot be imported or read by an id: it owns nothing") as caught:
        imported(plugin, urn(kind), "5c8b")

    assert advice in " ".join(caught.value.details().split())
