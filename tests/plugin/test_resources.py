"""Resources through the plugin's process, over their whole life."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty

from tests.conftest import settings_for
from tests.support.plugin_process import UNKNOWN, Plugin, plain, secret, urn
from tests.support.plugin_resources import METER, NEWEST, NONE, PIN, SOME, TASK, left_over, package_of, task

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator
    from tests.support.plugin_process import Engine


def posts(emulator: Emulator) -> int:
    """Return how many tasks were requested."""
    return sum(request.operation == "CreateBatchTask" for request in emulator.requests)


def test_the_life_of_a_pin(plugin: Plugin, emulator: Emulator) -> None:
    """A pin is known at the preview, created as it was shown, unchanged after, and moves when its triggers do."""
    inputs = plugin.checked(PIN, NEWEST)
    assert (inputs["version"], inputs["revision"]) == ("V1.4.11", 1)
    assert plugin.create(PIN, inputs, preview=True)[1] == inputs
    id_, state = plugin.create(PIN, inputs)
    assert state == inputs

    emulator.add_package(**_like(emulator, "V1.4.11"), version="V1.4.12")
    again = plugin.checked(PIN, NEWEST, inputs)
    assert plugin.diff(PIN, id_, state, again).changes == NONE

    seen = plain(plugin.read(PIN, id_, state, inputs).properties)
    assert (seen["version"], seen["availableVersion"], seen["exists"]) == ("V1.4.11", "V1.4.12", True)

    moved = plugin.checked(PIN, {**NEWEST, "triggers": [1]}, inputs)
    assert (moved["version"], moved["revision"]) == ("V1.4.12", 2)
    change = plugin.diff(PIN, id_, seen, moved)
    assert (change.changes, list(change.replaces)) == (SOME, [])
    assert plugin.update(PIN, id_, seen, moved, preview=True) == plugin.update(PIN, id_, seen, moved)
    plugin.delete(PIN, id_, moved)


def _like(emulator: Emulator, version: str) -> dict[str, Any]:
    names = ("app_id", "package_type", "product_id", "product_name", "support_source_versions")
    found = next(found for found in emulator.packages if found["version"] == version)
    return {name: found[name] for name in names}


def test_the_life_of_a_task(started: Plugin, start: Callable[[], Plugin], emulator: Emulator) -> None:
    """A task is created once, read, compared, kept when nothing changed and stopped at the end."""
    for device in ("d1", "d2"):
        emulator.set_device(device, outcome="hang")
    inputs = started.checked(TASK, task(emulator))
    assert (inputs["taskType"], inputs["taskName"].rpartition("_")[0]) == ("firmwareUpgrade", "canary")

    assert started.create(TASK, inputs, preview=True)[1]["taskId"] == UNKNOWN
    assert posts(emulator) == 0
    id_, state = started.create(TASK, inputs)
    assert (posts(emulator), state["taskId"], "scope" in state) == (1, id_, False)
    assert set(state["progress"]) >= {"total", "failWaitRetry"}

    again = started.checked(TASK, task(emulator, targets=["d2", "d1"]), inputs)
    assert started.diff(TASK, id_, state, again).changes == NONE
    kept = started.checked(TASK, task(emulator, onDestroy="retain"), inputs)
    assert started.diff(TASK, id_, state, kept).changes == SOME
    assert started.update(TASK, id_, state, kept, preview=True)["taskId"] == id_

    seen = started.read(TASK, id_, state, inputs)
    assert plain(seen.properties)["taskId"] == id_
    assert plain(seen.inputs) == inputs
    with start() as destroying:
        destroying.delete(TASK, id_, state)
    assert [found["status"] for found in emulator.tasks] == ["Stopped"]


def test_a_new_campaign_replaces(plugin: Plugin, emulator: Emulator) -> None:
    """Other devices need a new task: the diff names the property of the schema that replaces."""
    inputs = plugin.checked(TASK, task(emulator, replaceRunning=True))
    id_, state = plugin.create(TASK, inputs)
    news = plugin.checked(
        TASK, task(emulator, replaceRunning=True, packageIds=[package_of(emulator, "V1.4.11")]), inputs
    )

    change = plugin.diff(TASK, id_, state, news)

    assert (list(change.replaces), change.deleteBeforeReplace) == (["packageIds"], True)


def test_a_create_that_was_cut_off_is_taken_over(plugin: Plugin, emulator: Emulator, engine: Engine) -> None:
    """A create that was interrupted after its request finds its task, and the engine shows that beside the resource."""
    inputs = plugin.checked(TASK, task(emulator))
    left = left_over(emulator, inputs)

    id_, _ = plugin.create(TASK, inputs)

    assert (id_, posts(emulator)) == (left, 0)
    ((at, line),) = engine.lines
    assert at == TASK
    assert "exists already and is adopted" in line


def test_an_engine_that_does_not_answer_loses_no_line(emulator: Emulator, tmp_path: Path) -> None:
    """If the engine cannot be reached, a line goes to the standard error."""
    with Plugin(settings_for(emulator), tmp_path) as plugin:
        inputs = plugin.configure().checked(TASK, task(emulator))
        left_over(emulator, inputs)
        plugin.create(TASK, inputs)
        _, out, err = plugin.stop()

    assert out == ""
    assert "warning: upgrade task canary_" in err


@pytest.mark.parametrize(
    "others",
    [
        {"stack": "prod"},
        {"project": "gateways"},
        {"name": "fleet"},
        {"parents": "acme:index:Rollout$"},
    ],
    ids=str,
)
def test_equal_campaigns_of_two_resources_are_two(plugin: Plugin, emulator: Emulator, others: dict[str, str]) -> None:
    """Stack, project, name and parents distinguish equal tasks, so that neither resource adopts the other's task."""
    at = urn("UpgradeTask", **{"name": "canary", **others})
    inputs = task(emulator, taskNamePrefix="canary")

    names = {plugin.checked(place, inputs)["taskName"] for place in (TASK, at)}

    assert len(names) == 2


def test_a_resource_that_moved_keeps_its_task(plugin: Plugin, emulator: Emulator) -> None:
    """A resource that an alias moves to another parent keeps its task."""
    inputs = plugin.checked(TASK, task(emulator))
    id_, state = plugin.create(TASK, inputs)
    moved = urn("UpgradeTask", "canary", parents="acme:index:Rollout$")

    news = plugin.checked(moved, task(emulator), inputs)

    assert plugin.diff(moved, id_, state, news).changes == NONE


def test_a_child_is_served(plugin: Plugin) -> None:
    """The type of a resource with parents follows theirs."""
    at = urn("OtaPackagePin", parents="acme:index:Rollout$acme:index:Wave$")

    assert plugin.checked(at, NEWEST)["version"] == "V1.4.11"


def test_a_type_that_there_is_not(plugin: Plugin) -> None:
    """A type that there is not is one message."""
    with pytest.raises(grpc.RpcError, match="iotda-ota has no resource iotda-ota:index:Thing"):
        plugin.check(urn("Thing"), {})


def test_the_users_keys_stay_as_they_are(plugin: Plugin, emulator: Emulator) -> None:
    """Keys inside a free-form object and inside triggers are the user's, on the service and in the state."""
    free = {"my_key": 1, "otherKey": {"deep_one": [{"x_y": True}]}}
    inputs = plugin.checked(TASK, task(emulator, taskExtInfo=free, triggers=free))
    _, state = plugin.create(TASK, inputs)

    assert (state["taskExtInfo"], state["triggers"]) == (free, free)
    assert emulator.tasks[0]["task_ext_info"] == free


def test_unknown_inputs_send_nothing(plugin: Plugin, emulator: Emulator) -> None:
    """What is not known yet stays unknown in a preview, as a whole or inside a list, and nothing is sent."""
    pin = plugin.checked(PIN, {**METER, "version": UNKNOWN})
    unknown = plugin.checked(TASK, {"packageIds": [UNKNOWN], "targets": ["d1"], "triggers": {"a": UNKNOWN}})

    assert (pin["packageId"], pin["version"], pin["packageType"]) == (UNKNOWN,) * 3
    assert plugin.create(PIN, pin, preview=True)[1]["packageId"] == UNKNOWN
    assert (unknown["packageIds"], unknown["triggers"]) == ([UNKNOWN], {"a": UNKNOWN})
    assert plugin.create(TASK, unknown, preview=True)[1]["taskId"] == UNKNOWN
    assert emulator.requests == []


@pytest.mark.parametrize("unknown", ["1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", "dd056dcd-154b-4c76-9bd3-c8f88648b5ff"])
def test_unknown_values_of_any_type(plugin: Plugin, unknown: str) -> None:
    """The engine writes an unknown flag or object otherwise than an unknown text."""
    assert plugin.checked(TASK, {"packageIds": [UNKNOWN], "targets": ["d"], "needConfirm": unknown})


def test_a_secret_input_is_stored_as_one(plugin: Plugin, emulator: Emulator) -> None:
    """A secret input is a secret in the inputs and in the state, at each step, and so is what was found by it."""
    given = {**NEWEST, "versionConstraint": secret("^1.4")}
    inputs = plugin.checked(PIN, given)
    id_, state = plugin.create(PIN, inputs)
    seen = plain(plugin.read(PIN, id_, state, inputs).properties)
    updated = plugin.update(PIN, id_, state, plugin.checked(PIN, {**given, "triggers": [1]}, inputs))

    for properties in (inputs, state, seen, updated):
        assert properties["versionConstraint"] == secret("^1.4")
        assert properties["version"] == secret("V1.4.11")
    assert plugin.diff(PIN, id_, state, plugin.checked(PIN, given, inputs)).changes == NONE


def test_a_secret_is_in_no_failure(plugin: Plugin) -> None:
    """A problem of a secret input is reported without the secret."""
    _, problems = plugin.check(TASK, {"packageIds": secret(["very secret"]), "targets": ["d"]})

    # The engine prints the value of a property that is named.
    assert [(name, reason.partition(" ")[0]) for name, reason in problems] == [("", "packageIds:")]
    assert "very secret" not in str(problems)


@pytest.mark.parametrize(
    "inputs",
    [
        {"version": secret("sekret" * 30)},
        {"version": secret("topmost\tsekret")},
        {"versionConstraint": secret("topmost sekret !!")},
        {"versionConstraint": secret(f"{'sekret ' * 40} !!")},
        {"productId": secret("sekret-product-" + "x" * 40)},
    ],
    ids=["cut", "escaped", "pointed at", "a piece of it", "wrong"],
)
def test_no_form_of_a_secret_is_told(plugin: Plugin, inputs: dict[str, Any]) -> None:
    """A message redacts a secret, also if it is cut, escaped or pointed at."""
    _, problems = plugin.check(PIN, {**NEWEST, **inputs})

    assert problems != []
    assert "sekret" not in str(problems)


def test_a_secret_number_is_not_told(plugin: Plugin, emulator: Emulator) -> None:
    """A number can be a secret too."""
    _, problems = plugin.check(TASK, task(emulator, retryCount=secret(424242), retryInterval=1))

    assert "424242" not in str(problems)


def test_a_short_secret_hides_no_words(plugin: Plugin) -> None:
    """A secret that is too short to be one leaves a message readable."""
    _, problems = plugin.check(PIN, {**METER, "version": "V9.9.9", "triggers": secret("a")})

    assert "no OTA package matches" in str(problems)


def test_a_secret_is_in_no_warning(plugin: Plugin, emulator: Emulator, engine: Engine) -> None:
    """A text beside a resource is redacted as errors are."""
    given = task(emulator, taskNamePrefix=secret("sekretprefix"))
    inputs = plugin.checked(TASK, given)
    assert inputs["taskName"] == secret(inputs["taskName"]["value"])
    left_over(emulator, {**inputs, "taskName": inputs["taskName"]["value"]})

    plugin.create(TASK, inputs)

    ((_, line),) = engine.lines
    assert "exists already and is adopted" in line
    assert "sekretprefix" not in line


def test_what_an_earlier_check_added_is_no_argument_too_many(plugin: Plugin, emulator: Emulator) -> None:
    """With ignoreChanges of everything, the engine restores what check had added to the inputs."""
    inputs = plugin.checked(TASK, task(emulator))

    assert plugin.check(TASK, inputs, inputs)[1] == []
    assert plugin.check(TASK, {**inputs, "taskName": "another"}, inputs)[1] != []


@pytest.mark.parametrize("name", ["package_ids", "scope", "connection"])
def test_only_the_names_of_the_schema_are_taken(plugin: Plugin, emulator: Emulator, name: str) -> None:
    """A name of Python's, or one of the inside, is as unknown as any other."""
    _, problems = plugin.check(TASK, {**task(emulator), name: ["x"]})

    assert [reason.partition(name)[0] for _, reason in problems] == ["there is no argument "]


def test_every_problem_is_told_with_its_property(plugin: Plugin, emulator: Emulator) -> None:
    """All problems are reported at once, each with a property of the schema, and nothing is sent."""
    wrong = {"packageIds": ["a b"], "targets": ["d"], "groupIds": ["g"], "onDestroy": "x", "documentKey": "package_i"}

    _, problems = plugin.check(TASK, {**wrong, "retriesCount": 1})

    assert {name for name, _ in problems} == {"packageIds", "targets", "onDestroy", "documentKey", ""}
    reported = dict(problems)
    assert reported[""] == "there is no argument retriesCount (did you mean retryCount?)"
    # The values of this one look like names of arguments.
    assert "must be one of package_ids, package_id" in reported["documentKey"]
    assert emulator.requests == []


def test_a_pin_refuses_to_ignore_changes(plugin: Plugin) -> None:
    """`ignoreChanges` of what selects the package is refused, because it would move the pin."""
    inputs = plugin.checked(PIN, NEWEST)
    id_, state = plugin.create(PIN, inputs)

    with pytest.raises(grpc.RpcError, match="ignoreChanges of version would move the pin"):
        plugin.diff(PIN, id_, state, inputs, ("version",))
    plugin.diff(PIN, id_, state, inputs, ("availableVersion",))


def test_a_task_that_is_gone(plugin: Plugin, emulator: Emulator) -> None:
    """A task that was deleted elsewhere stays in the state as `Gone`."""
    id_, state = plugin.create(TASK, plugin.checked(TASK, task(emulator)))
    emulator.reset()

    seen = plugin.read(TASK, id_, state)

    assert (seen.id, plain(seen.properties)["status"]) == (id_, "Gone")


def test_a_refusal_of_the_service_is_one_message(plugin: Plugin, emulator: Emulator) -> None:
    """A create that the service refuses says what it said, and none of our code."""
    inputs = plugin.checked(TASK, task(emulator))
    emulator.faults.add(operation="CreateBatchTask", error="denied")

    with pytest.raises(grpc.RpcError) as caught:
        plugin.create(TASK, inputs)

    assert caught.value.details().startswith("Huawei Cloud refused to create an upgrade task (403 APIGW.0302")
    assert "File " not in caught.value.details()


@pytest.fixture
def endless(plugin: Plugin, emulator: Emulator) -> tuple[str, dict[str, Any]]:
    """Return the id and the state of a task that never ends."""
    emulator.set_device("d1", outcome="hang")
    emulator.faults.add(operation="StopBatchTask", status=200, body={"targets": []}, times=None)
    return plugin.create(TASK, plugin.checked(TASK, task(emulator)))


def test_cancel_ends_a_wait_at_once(
    endless: tuple[str, dict[str, Any]], start: Callable[[], Plugin], emulator: Emulator
) -> None:
    """A cancellation ends what waits, though it would have gone on for minutes, and says how to go on."""
    polled = threading.Event()
    emulator.faults.add(operation="ShowBatchTask", nth=3, before=polled.set)
    with start() as plugin, ThreadPoolExecutor(1) as pool:
        deleting = pool.submit(plugin.delete, TASK, *endless)
        assert polled.wait(30)
        plugin.stub.Cancel(Empty())
        with pytest.raises(grpc.RpcError, match="it was cancelled while it waited") as caught:
            deleting.result()

    assert caught.value.code() is grpc.StatusCode.ABORTED


def test_custom_timeouts_bound_a_wait(
    endless: tuple[str, dict[str, Any]], start: Callable[[], Plugin], emulator: Emulator
) -> None:
    """A wait ends after the time that the user set, and reports that. The next call has its full time."""
    with start() as plugin:
        with pytest.raises(grpc.RpcError, match=r"did not end within the 0\.5 s of customTimeouts"):
            plugin.delete(TASK, *endless, timeout=0.5)
        emulator.faults.clear()
        plugin.delete(TASK, *endless, timeout=30)

    assert emulator.tasks[0]["status"] == "Stopped"


def test_a_signal_ends_a_wait_and_then_the_process(
    endless: tuple[str, dict[str, Any]], start: Callable[[], Plugin], emulator: Emulator
) -> None:
    """A process that gets a signal finishes the calls that run, and ends."""
    polled = threading.Event()
    emulator.faults.add(operation="ShowBatchTask", nth=3, before=polled.set)
    with start() as plugin, ThreadPoolExecutor(1) as pool:
        deleting = pool.submit(plugin.delete, TASK, *endless)
        assert polled.wait(30)
        code, out, err = plugin.stop()
        with pytest.raises(grpc.RpcError, match="it was cancelled while it waited"):
            deleting.result()

    assert (code, out, err) == (0, "", "")


def test_a_lookup_sees_what_was_created_in_the_same_run(plugin: Plugin, emulator: Emulator) -> None:
    """A result of a function is forgotten after a change that this run makes."""
    query = {**METER, "version": "V1.4.10"}
    plugin.answer("getOtaPackage", **query)
    plugin.answer("getOtaPackage", **query)
    assert len(emulator.requests) == 1

    plugin.create(TASK, plugin.checked(TASK, task(emulator)))
    emulator.forget_requests()
    plugin.answer("getOtaPackage", **query)

    assert len(emulator.requests) == 1
