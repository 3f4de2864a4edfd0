"""UpgradeTask after it was created: refresh, other inputs, replacement and destroy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.emulator.behavior import Switches
from pulumi_iotda_ota.iotda.errors import ConfigurationError, IotdaOtaError, ServiceError
from pulumi_iotda_ota.lifecycle.upgrade_task.resource import UpgradeTask
from tests.support.task_life import statuses, vanish

if TYPE_CHECKING:
    from tests.support.resource_bench import Bench


# Refresh -------------------------------------------------------------------------------------------------------------


def test_refresh_tells_how_far_it_is(bench: Bench) -> None:
    """A refresh brings status and progress up to date, and sends one request that changes nothing."""
    created = bench.created()
    bench.time.sleep(60)
    bench.emulator.forget_requests()

    state = UpgradeTask.read(bench.context, created.id, created.outputs)

    assert (state["status"], state["progress"]["success"], state["progress"]["total"]) == ("Success", 2, 2)
    assert [request.operation for request in bench.emulator.requests] == ["ShowBatchTask"]
    assert not UpgradeTask.diff(bench.context, created.id, state, bench.checked(state)).changes


def test_refresh_of_a_task_that_is_gone_starts_nothing(bench: Bench) -> None:
    """A task that was deleted outside Pulumi has the status Gone, and the next update starts nothing."""
    created = bench.created()
    vanish(bench, created)

    state = UpgradeTask.read(bench.context, created.id, created.outputs)

    assert state == {**created.outputs, "status": "Gone"}
    assert not UpgradeTask.diff(bench.context, created.id, state, bench.checked(created.outputs)).changes
    assert UpgradeTask.read(bench.context, created.id, state)["status"] == "Gone"
    UpgradeTask.delete(bench.context, created.id, state)
    assert statuses(bench) == []


@pytest.mark.parametrize("setting", ["HW_IOTDA_INSTANCE_ID", "HW_REGION_NAME"])
@pytest.mark.parametrize("method", ["read", "delete"])
def test_not_found_elsewhere_is_no_gone(bench: Bench, setting: str, method: str) -> None:
    """Under another identity "not found" is an error that says what differs, at a refresh and at a destroy."""
    created = bench.created()
    vanish(bench, created)
    bench.environ[setting] = "other"

    with pytest.raises(IotdaOtaError, match=r"is not in the place of this connection[\s\S]*is other and was"):
        getattr(UpgradeTask, method)(bench.context, created.id, created.outputs)


@pytest.mark.parametrize("error", ["space_missing", "project", "method_absent", "unknown_uri"])
@pytest.mark.parametrize("method", ["read", "delete"])
def test_other_refusals_are_no_gone(bench: Bench, error: str, method: str) -> None:
    """403 IOTDA.001000, a wrong project and a 404 of a gateway are errors. The task stays in the state."""
    created = bench.created()
    bench.emulator.faults.add(operation="ShowBatchTask", error=error, times=None)

    with pytest.raises(ServiceError):
        getattr(UpgradeTask, method)(bench.context, created.id, created.outputs)


def test_a_proxy_that_answers_404_is_no_gone(bench: Bench) -> None:
    """A 404 without the service's own code is an error."""
    created = bench.created()
    bench.emulator.faults.add(operation="ShowBatchTask", status=404, body="<html><title>404</title></html>")

    with pytest.raises(ServiceError, match="404"):
        UpgradeTask.read(bench.context, created.id, created.outputs)


def test_a_task_that_is_found_takes_the_new_identity(bench: Bench) -> None:
    """A task that is found over another way in belongs there from then on."""
    created = bench.created()
    bench.environ["HW_IOTDA_INSTANCE_ID"] = "i2"

    state = UpgradeTask.read(bench.context, created.id, created.outputs)

    assert state["identity"]["instance_id"] == "i2"


def test_outputs_of_devices_are_never_kept(bench: Bench) -> None:
    """The output of a device can have secrets, and is in neither the state nor a warning."""
    bench.emulator.set_device("d1", output="device-secret")
    created = bench.created()
    bench.time.sleep(60)

    state = UpgradeTask.read(bench.context, created.id, created.outputs)

    assert "device-secret" not in repr((state, bench.warnings))


# Other inputs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"on_destroy": "retain"},
        {"task_name_prefix": "other"},
        {"document_key": "package_id"},
        {"replace_running": True},
        {"adopt_within": "1h"},
    ],
)
def test_what_is_no_campaign_alters_the_state_only(bench: Bench, change: dict[str, Any]) -> None:
    """Other inputs are stored without a request and without credentials; then nothing is left to change."""
    created = bench.created()
    bench.emulator.forget_requests()
    silent = bench.silent()
    news = silent.checked(created.outputs, **change)

    diff = UpgradeTask.diff(silent.context, created.id, created.outputs, news)
    state = UpgradeTask.update(silent.context, created.id, created.outputs, news)

    assert (diff.changes, diff.replaces) == (True, ())
    assert state == {**created.outputs, **change}
    assert not UpgradeTask.diff(silent.context, created.id, state, news).changes
    assert bench.count() == 0


def test_an_input_that_is_taken_away_leaves_the_state(bench: Bench) -> None:
    """An input that the program removed is removed from the state. The outputs stay."""
    created = bench.created(on_destroy="retain")

    state = UpgradeTask.update(bench.context, created.id, created.outputs, bench.checked(created.outputs))

    assert state == {name: value for name, value in created.outputs.items() if name != "on_destroy"}


def test_another_connection_must_lead_to_the_task(bench: Bench) -> None:
    """Another connection is stored if it finds the task, and refused if it does not."""
    created = bench.created()
    news = bench.checked(created.outputs, connection={"instance_id": "i2"})

    state = UpgradeTask.update(bench.context, created.id, created.outputs, news)
    assert (state["identity"]["instance_id"], state["task_id"]) == ("i2", created.id)

    vanish(bench, created)
    with pytest.raises(IotdaOtaError, match="is not in the place of this connection"):
        UpgradeTask.update(bench.context, created.id, created.outputs, news)


# Destroy -------------------------------------------------------------------------------------------------------------

ENDS = {
    # on_destroy, seconds since the creation: what is left on the service, requests that change something
    "stop initializing": ("stop", 0, ["Stopped"], ["StopBatchTask"]),
    "stop running": ("stop", 3, ["Stopped"], ["StopBatchTask"]),
    "stop finished": ("stop", 60, ["Success"], []),
    "delete running": ("delete", 3, [], ["StopBatchTask", "DeleteBatchTask"]),
    "delete finished": ("delete", 60, [], ["DeleteBatchTask"]),
    "retain running": ("retain", 3, ["Processing"], []),
}


@pytest.mark.parametrize(("on_destroy", "seconds", "left", "sent"), ENDS.values(), ids=ENDS)
def test_delete(bench: Bench, on_destroy: str, seconds: float, left: list[str], sent: list[str]) -> None:
    """Stop ends a running task, delete also deletes it, and retain changes nothing. A finished task survives a stop."""
    created = bench.created(on_destroy=on_destroy)
    bench.time.sleep(seconds)
    bench.emulator.forget_requests()

    UpgradeTask.delete(bench.context, created.id, created.outputs)

    assert statuses(bench) == left
    assert [request.operation for request in bench.emulator.requests if request.method != "GET"] == sent


@pytest.mark.parametrize("on_destroy", ["stop", "delete"])
@pytest.mark.parametrize("waits_for", [{"need_confirm": True}, {"schedule_time": "2026-11-25T00:00:00Z"}])
def test_a_task_that_has_not_begun(bench: Bench, on_destroy: str, waits_for: dict[str, Any]) -> None:
    """A task that waits for its confirmation or its time is stopped, or deleted, as one that runs."""
    created = bench.created(on_destroy=on_destroy, **waits_for)
    bench.time.sleep(10)
    assert statuses(bench) == ["Waitting"]

    UpgradeTask.delete(bench.context, created.id, created.outputs)

    assert statuses(bench) == (["Stopped"] if on_destroy == "stop" else [])


@pytest.mark.parametrize("on_destroy", ["stop", "delete"])
def test_a_task_that_somebody_stopped(bench: Bench, on_destroy: str) -> None:
    """A task that was stopped elsewhere is not stopped again, and is deleted if on_destroy says so."""
    created = bench.created(on_destroy=on_destroy)
    bench.run.client(bench.context.resolve({})).stop_batch_task(created.id)
    bench.time.sleep(10)
    bench.emulator.forget_requests()

    UpgradeTask.delete(bench.context, created.id, created.outputs)

    assert statuses(bench) == (["Stopped"] if on_destroy == "stop" else [])
    assert bench.count("StopBatchTask") == 0


def test_stop_is_the_default(bench: Bench) -> None:
    """Without on_destroy a running task is stopped, and the destroy is over once it has stopped."""
    bench.hang()
    created = bench.created()

    UpgradeTask.delete(bench.context, created.id, created.outputs)

    assert statuses(bench) == ["Stopped"]
    assert sum(bench.time.slept) <= 5


def test_retain_needs_nothing(bench: Bench) -> None:
    """on_destroy="retain" sends nothing and needs no credentials."""
    created = bench.created(on_destroy="retain")
    bench.emulator.forget_requests()

    UpgradeTask.delete(bench.silent().context, created.id, created.outputs)

    assert bench.count() == 0


def test_stop_needs_credentials(bench: Bench) -> None:
    """A destroy that cannot reach the service fails, so that the task stays in the state."""
    created = bench.created()

    with pytest.raises(ConfigurationError):
        UpgradeTask.delete(bench.silent().context, created.id, created.outputs)


@pytest.mark.parametrize("on_destroy", ["stop", "delete"])
@pytest.mark.parametrize("seconds", [0, 10])
def test_a_task_that_was_stopped_elsewhere(bench: Bench, on_destroy: str, seconds: float) -> None:
    """A task that is being stopped already is waited for, and no second stop is sent."""
    created = bench.created(on_destroy=on_destroy)
    bench.run.client(bench.context.resolve({})).stop_batch_task(created.id)
    bench.time.sleep(seconds)
    bench.emulator.forget_requests()

    UpgradeTask.delete(bench.context, created.id, created.outputs)

    assert bench.count("StopBatchTask") == 0
    assert statuses(bench) == (["Stopped"] if on_destroy == "stop" else [])


@pytest.mark.parametrize("on_destroy", ["stop", "delete"])
@pytest.mark.parametrize("operation", ["StopBatchTask", "DeleteBatchTask"])
def test_a_task_that_vanishes_on_the_way_is_done(bench: Bench, on_destroy: str, operation: str) -> None:
    """A task that is deleted elsewhere while it is stopped or deleted is what was wanted."""
    created = bench.created(on_destroy=on_destroy)

    def remove() -> None:
        bench.emulator.reset()

    bench.emulator.faults.add(operation=operation, before=remove)
    UpgradeTask.delete(bench.context, created.id, created.outputs)

    assert "Processing" not in statuses(bench)


def test_a_task_that_ends_before_the_stop_arrives(bench: Bench) -> None:
    """A stop that is refused because the task has just ended is no failure."""
    created = bench.created()
    bench.emulator.faults.add(operation="StopBatchTask", before=lambda: bench.time.sleep(60))

    UpgradeTask.delete(bench.context, created.id, created.outputs)

    assert statuses(bench) == ["Success"]


def test_a_stop_that_is_refused_is_told(bench: Bench) -> None:
    """A moduleUpgrade, which the service need not stop, fails the destroy at once with the ways to go on."""
    bench.emulator.switches = Switches(module_actions=False)
    bench.hang()
    created = bench.created(package_ids=["m1"])
    bench.time.sleep(10)
    bench.time.slept.clear()

    with pytest.raises(ServiceError, match=r"refused to stop[\s\S]*moduleUpgrade[\s\S]*Processing[\s\S]*\"retain\""):
        UpgradeTask.delete(bench.context, created.id, created.outputs)
    assert bench.time.slept == []

    for device in ("d1", "d2"):
        bench.emulator.set_device(device, outcome="success")
    UpgradeTask.delete(bench.context, created.id, {**created.outputs, "on_destroy": "retain"})


def test_stopping_is_bounded(bench: Bench) -> None:
    """A task that goes on stopping fails the destroy after five minutes, and the next one goes on waiting."""
    created = bench.created(on_destroy="delete")
    stuck = bench.emulator.faults.add(
        operation="ShowBatchTask", times=None, merge={"batchtask": {"status": "Stopping"}}
    )

    with pytest.raises(IotdaOtaError, match=r"did not stop within 300 seconds[\s\S]*run it again"):
        UpgradeTask.delete(bench.context, created.id, created.outputs)
    assert 300 <= sum(bench.time.slept) <= 302

    bench.emulator.faults.remove(stuck)
    UpgradeTask.delete(bench.context, created.id, created.outputs)
    assert statuses(bench) == []


@pytest.mark.parametrize("word", ["Waiting", "Paused"])
def test_a_status_that_is_not_documented_runs(bench: Bench, word: str) -> None:
    """A task in a state that is not documented as an end is not replaced unasked, and is stopped by a destroy."""
    bench.hang()
    created = bench.created()
    bench.time.sleep(10)
    odd = bench.emulator.faults.add(operation="ShowBatchTask", times=None, merge={"batchtask": {"status": word}})

    assert "is still running" in bench.refused(created, triggers=[2])
    bench.emulator.faults.add(operation="StopBatchTask", before=lambda: bench.emulator.faults.remove(odd))
    UpgradeTask.delete(bench.context, created.id, created.outputs)
    assert statuses(bench) == ["Stopped"]


def test_a_stop_that_every_device_refuses(bench: Bench) -> None:
    """When a task does not stop, the error says for which devices the service refused that."""
    bench.hang()
    created = bench.created()
    bench.time.sleep(10)
    refused = {"targets": [{"target": "d1", "status": "failure", "error_code": "IOTDA.014219", "error_msg": "busy"}]}
    bench.emulator.faults.add(operation="StopBatchTask", status=200, body=refused)

    with pytest.raises(
        IotdaOtaError, match=r"did not stop within 300 seconds[\s\S]*refused +1 devices, d1 first: busy"
    ):
        UpgradeTask.delete(bench.context, created.id, created.outputs)


@pytest.mark.parametrize("field", [{"task_mode": "GATEWAY"}, {"task_ext_info": {"k": 1}}])
def test_what_a_module_upgrade_does_not_take(bench: Bench, field: dict[str, Any]) -> None:
    """What the service takes for software and firmware only is refused at the preview."""
    assert "is for software and firmware, not for a moduleUpgrade" in bench.problems(package_ids=["m1"], **field)


@pytest.mark.parametrize("info", [{"a": "x" * 600}, ["very-secret"]])
def test_what_can_hold_a_secret_is_not_shown(bench: Bench, info: Any) -> None:
    """A wrong free-form value is reported without its content."""
    reported = bench.problems(task_ext_info=info)

    assert "task_ext_info: " in reported
    assert "very-secret" not in reported
