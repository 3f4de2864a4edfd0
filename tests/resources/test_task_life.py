"""UpgradeTask after it was created: refresh, other inputs, replacement and destroy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.emulator.switches import Switches
from pulumi_iotda_ota.iotda.errors import ConfigurationError, IotdaOtaError, ServiceError
from pulumi_iotda_ota.lifecycle.upgrade_task import UpgradeTask

if TYPE_CHECKING:
    from pulumi_iotda_ota.lifecycle.base import Created
    from tests.resources.bench import Bench


def statuses(bench: Bench) -> list[str]:
    """Return the status of every task on the service, newest first."""
    return [task["status"] for task in bench.emulator.tasks]


def vanish(bench: Bench, created: Created) -> None:
    """Let somebody delete the task."""
    UpgradeTask.delete(bench.world, created.id, {**created.outputs, "on_destroy": "delete"})
    bench.time.slept.clear()
    bench.emulator.forget_requests()


# Refresh -------------------------------------------------------------------------------------------------------------


def test_refresh_tells_how_far_it_is(bench: Bench) -> None:
    """A refresh brings status and progress up to date, and sends one request that changes nothing."""
    created = bench.created()
    bench.time.sleep(60)
    bench.emulator.forget_requests()

    state = UpgradeTask.read(bench.world, created.id, created.outputs)

    assert (state["status"], state["progress"]["success"], state["progress"]["total"]) == ("Success", 2, 2)
    assert [request.operation for request in bench.emulator.requests] == ["ShowBatchTask"]
    assert not UpgradeTask.diff(bench.world, created.id, state, bench.checked(state)).changes


def test_refresh_of_a_task_that_is_gone_starts_nothing(bench: Bench) -> None:
    """A task that somebody deleted has the status Gone, and the next update starts nothing."""
    created = bench.created()
    vanish(bench, created)

    state = UpgradeTask.read(bench.world, created.id, created.outputs)

    assert state == {**created.outputs, "status": "Gone"}
    assert not UpgradeTask.diff(bench.world, created.id, state, bench.checked(created.outputs)).changes
    assert UpgradeTask.read(bench.world, created.id, state)["status"] == "Gone"
    UpgradeTask.delete(bench.world, created.id, state)
    assert statuses(bench) == []


@pytest.mark.parametrize("setting", ["HW_IOTDA_INSTANCE_ID", "HW_REGION_NAME"])
@pytest.mark.parametrize("method", ["read", "delete"])
def test_not_found_elsewhere_is_no_gone(bench: Bench, setting: str, method: str) -> None:
    """Under another identity "not found" is an error that says what differs, at a refresh and at a destroy."""
    created = bench.created()
    vanish(bench, created)
    bench.environ[setting] = "other"

    with pytest.raises(IotdaOtaError, match=r"is not where this connection looks[\s\S]*is other and was"):
        getattr(UpgradeTask, method)(bench.world, created.id, created.outputs)


@pytest.mark.parametrize("error", ["space_missing", "project", "method_absent", "unknown_uri"])
@pytest.mark.parametrize("method", ["read", "delete"])
def test_other_refusals_are_no_gone(bench: Bench, error: str, method: str) -> None:
    """403 IOTDA.001000, a wrong project and a gateway's 404 are errors; the task stays in the state."""
    created = bench.created()
    bench.emulator.faults.add(operation="ShowBatchTask", error=error, times=None)

    with pytest.raises(ServiceError):
        getattr(UpgradeTask, method)(bench.world, created.id, created.outputs)


def test_a_proxy_that_answers_404_is_no_gone(bench: Bench) -> None:
    """A 404 without the service's own code is an error."""
    created = bench.created()
    bench.emulator.faults.add(operation="ShowBatchTask", status=404, body="<html><title>404</title></html>")

    with pytest.raises(ServiceError, match="404"):
        UpgradeTask.read(bench.world, created.id, created.outputs)


def test_a_task_that_is_found_takes_the_new_identity(bench: Bench) -> None:
    """A task that is found over another way in belongs there from then on."""
    created = bench.created()
    bench.environ["HW_IOTDA_INSTANCE_ID"] = "i2"

    state = UpgradeTask.read(bench.world, created.id, created.outputs)

    assert state["identity"]["instance_id"] == "i2"


def test_outputs_of_devices_are_never_kept(bench: Bench) -> None:
    """What devices report back can hold secrets, and reaches neither state nor warnings."""
    bench.emulator.set_device("d1", output="device-secret")
    created = bench.created()
    bench.time.sleep(60)

    state = UpgradeTask.read(bench.world, created.id, created.outputs)

    assert "device-secret" not in repr((state, bench.warnings))


# Other inputs --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"on_destroy": "retain"},
        {"retry_count": 3, "retry_interval": 1},
        {"task_name_prefix": "other"},
        {"need_confirm": True},
        {"schedule_time": "2026-11-23T00:00:00Z"},
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

    diff = UpgradeTask.diff(silent.world, created.id, created.outputs, news)
    state = UpgradeTask.update(silent.world, created.id, created.outputs, news)

    assert (diff.changes, diff.replaces) == (True, ())
    assert state == {**created.outputs, **change}
    assert not UpgradeTask.diff(silent.world, created.id, state, news).changes
    assert bench.count() == 0


def test_an_input_that_is_taken_away_leaves_the_state(bench: Bench) -> None:
    """An input that the program no longer gives is gone from the state, the outputs stay."""
    created = bench.created(on_destroy="retain")

    state = UpgradeTask.update(bench.world, created.id, created.outputs, bench.checked(created.outputs))

    assert state == {name: value for name, value in created.outputs.items() if name != "on_destroy"}


def test_another_connection_must_lead_to_the_task(bench: Bench) -> None:
    """Another connection is taken where it finds the task, and refused where it does not."""
    created = bench.created()
    news = bench.checked(created.outputs, connection={"instance_id": "i2"})

    state = UpgradeTask.update(bench.world, created.id, created.outputs, news)
    assert (state["identity"]["instance_id"], state["task_id"]) == ("i2", created.id)

    vanish(bench, created)
    with pytest.raises(IotdaOtaError, match="is not where this connection looks"):
        UpgradeTask.update(bench.world, created.id, created.outputs, news)


# Replacement ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"package_ids": ["p2"]},
        {"targets": ["d3"]},
        {"targets": None, "group_ids": ["more"]},
        {"app_id": "energy"},
        {"task_mode": "GATEWAY"},
        {"task_ext_info": {"k": 1}},
        {"triggers": ["again"]},
    ],
)
def test_a_new_campaign_is_refused_while_the_old_one_runs(bench: Bench, change: dict[str, Any]) -> None:
    """What makes a campaign replaces the task, but not one that runs: that is told before anything is stopped."""
    bench.hang()
    created = bench.created()
    bench.time.sleep(10)
    name = next(iter(change)) if "group_ids" not in change else "targets, group_ids"

    told = bench.problems(created.outputs, **change)

    assert f"a change of {name} is a new campaign, and {created.outputs['task_name']} still runs" in told
    assert "replace_running=True" in told
    assert statuses(bench) == ["Processing"]
    news = bench.checked(created.outputs, **change, replace_running=True)
    assert UpgradeTask.diff(bench.world, created.id, created.outputs, news).replaces == tuple(name.split(", "))


def test_a_replacement_deletes_before_it_creates(bench: Bench) -> None:
    """A running campaign that may be replaced is stopped, and the new one is created under its own name."""
    bench.hang()
    created = bench.created()
    bench.time.sleep(10)
    change = {"triggers": [2], "replace_running": True}
    bench.checked(created.outputs, **change)

    UpgradeTask.delete(bench.world, created.id, created.outputs)
    again = bench.created(**change)  # at a replacement the engine checks a second time, without the old inputs

    assert again.id != created.id
    assert statuses(bench) == ["Initializing", "Stopped"]


def test_only_what_may_stop_is_deleted_first(bench: Bench) -> None:
    """A replacement deletes first only with replace_running: the engine deletes all that depends on it too."""
    created = bench.created()

    for allowed in (True, False):
        news = bench.inputs(triggers=[2], replace_running=allowed)
        assert UpgradeTask.diff(bench.world, created.id, created.outputs, news).delete_first is allowed


@pytest.mark.parametrize("on_destroy", ["stop", "delete"])
def test_a_forced_replacement_leaves_what_it_takes_over(bench: Bench, on_destroy: str) -> None:
    """A replacement of an unchanged campaign takes its task over; deleting the old one must not end it."""
    bench.hang()
    old = bench.created(on_destroy=on_destroy)
    bench.time.sleep(10)
    world = bench.world

    new = UpgradeTask.create(world, bench.checked(on_destroy=on_destroy))
    UpgradeTask.delete(world, old.id, old.outputs)

    assert new.id == old.id
    assert statuses(bench) == ["Processing"]
    assert "is left as it is" in bench.warnings[-1]


@pytest.mark.parametrize("how", ["finished", "gone"])
def test_an_ended_campaign_is_replaced(bench: Bench, how: str) -> None:
    """A campaign that ended, or whose task is gone, makes way for a new one."""
    created = bench.created()
    bench.time.sleep(60)
    if how == "gone":
        vanish(bench, created)

    bench.checked(created.outputs, package_ids=["p2"])


def test_going_back_is_no_adoption(bench: Bench) -> None:
    """Going back to an earlier package must bring it onto the devices: its finished task is not taken for that."""
    first = bench.created()
    bench.time.sleep(60)
    second = bench.created(package_ids=["p2"])
    bench.time.sleep(60)

    told = bench.problems(second.outputs)
    assert "goes back to a campaign that has run before" in told
    assert f"task_id {first.id}, status Success" in told
    assert bench.problems(second.outputs, triggers=["back"]) == ""


def test_a_replacement_that_was_cut_off_is_taken_over(bench: Bench) -> None:
    """A new campaign that an interrupted replacement left is newer than the old one, and taken over."""
    old = bench.created()
    bench.time.sleep(60)
    new = bench.created(package_ids=["p2"])
    bench.time.sleep(60)

    inputs = bench.checked(old.outputs, package_ids=["p2"])
    assert UpgradeTask.create(bench.world, inputs).id == new.id
    assert bench.posts == 2


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
    """Stop stops what runs, delete deletes it too, retain leaves all as it is; a finished task survives a stop."""
    created = bench.created(on_destroy=on_destroy)
    bench.time.sleep(seconds)
    bench.emulator.forget_requests()

    UpgradeTask.delete(bench.world, created.id, created.outputs)

    assert statuses(bench) == left
    assert [request.operation for request in bench.emulator.requests if request.method != "GET"] == sent


@pytest.mark.parametrize("on_destroy", ["stop", "delete"])
@pytest.mark.parametrize("waits_for", [{"need_confirm": True}, {"schedule_time": "2026-11-25T00:00:00Z"}])
def test_a_task_that_has_not_begun(bench: Bench, on_destroy: str, waits_for: dict[str, Any]) -> None:
    """A task that waits for its confirmation or its time is stopped, or deleted, as one that runs."""
    created = bench.created(on_destroy=on_destroy, **waits_for)
    bench.time.sleep(10)
    assert statuses(bench) == ["Waitting"]

    UpgradeTask.delete(bench.world, created.id, created.outputs)

    assert statuses(bench) == (["Stopped"] if on_destroy == "stop" else [])


@pytest.mark.parametrize("on_destroy", ["stop", "delete"])
def test_a_task_that_somebody_stopped(bench: Bench, on_destroy: str) -> None:
    """A task that was stopped elsewhere is not stopped again, and deleted where that is wanted."""
    created = bench.created(on_destroy=on_destroy)
    bench.run.client(bench.world.resolve({})).stop_batch_task(created.id)
    bench.time.sleep(10)
    bench.emulator.forget_requests()

    UpgradeTask.delete(bench.world, created.id, created.outputs)

    assert statuses(bench) == (["Stopped"] if on_destroy == "stop" else [])
    assert bench.count("StopBatchTask") == 0


def test_stop_is_the_default(bench: Bench) -> None:
    """Without on_destroy a running task is stopped, and the destroy is over once it has stopped."""
    bench.hang()
    created = bench.created()

    UpgradeTask.delete(bench.world, created.id, created.outputs)

    assert statuses(bench) == ["Stopped"]
    assert sum(bench.time.slept) <= 5


def test_retain_needs_nothing(bench: Bench) -> None:
    """on_destroy="retain" sends nothing and needs no credentials."""
    created = bench.created(on_destroy="retain")
    bench.emulator.forget_requests()

    UpgradeTask.delete(bench.silent().world, created.id, created.outputs)

    assert bench.count() == 0


def test_stop_needs_credentials(bench: Bench) -> None:
    """A destroy that can not reach the service fails, so that the task stays in the state."""
    created = bench.created()

    with pytest.raises(ConfigurationError):
        UpgradeTask.delete(bench.silent().world, created.id, created.outputs)


@pytest.mark.parametrize("on_destroy", ["stop", "delete"])
@pytest.mark.parametrize("seconds", [0, 10])
def test_a_task_that_was_stopped_elsewhere(bench: Bench, on_destroy: str, seconds: float) -> None:
    """A task that somebody stops already is waited for and not asked to stop again."""
    created = bench.created(on_destroy=on_destroy)
    bench.run.client(bench.world.resolve({})).stop_batch_task(created.id)
    bench.time.sleep(seconds)
    bench.emulator.forget_requests()

    UpgradeTask.delete(bench.world, created.id, created.outputs)

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
    UpgradeTask.delete(bench.world, created.id, created.outputs)

    assert "Processing" not in statuses(bench)


def test_a_task_that_ends_before_the_stop_arrives(bench: Bench) -> None:
    """A stop that is refused because the task has just ended is no failure."""
    created = bench.created()
    bench.emulator.faults.add(operation="StopBatchTask", before=lambda: bench.time.sleep(60))

    UpgradeTask.delete(bench.world, created.id, created.outputs)

    assert statuses(bench) == ["Success"]


def test_a_stop_that_is_refused_is_told(bench: Bench) -> None:
    """A moduleUpgrade, which the service need not stop, fails the destroy at once with the ways to go on."""
    bench.emulator.switches = Switches(module_actions=False)
    bench.hang()
    created = bench.created(package_ids=["m1"])
    bench.time.sleep(10)
    bench.time.slept.clear()

    with pytest.raises(ServiceError, match=r"refused to stop[\s\S]*moduleUpgrade[\s\S]*Processing[\s\S]*\"retain\""):
        UpgradeTask.delete(bench.world, created.id, created.outputs)
    assert bench.time.slept == []

    for device in ("d1", "d2"):
        bench.emulator.set_device(device, outcome="success")
    UpgradeTask.delete(bench.world, created.id, {**created.outputs, "on_destroy": "retain"})


def test_stopping_is_bounded(bench: Bench) -> None:
    """A task that goes on stopping fails the destroy after five minutes, and the next one goes on waiting."""
    created = bench.created(on_destroy="delete")
    stuck = bench.emulator.faults.add(
        operation="ShowBatchTask", times=None, merge={"batchtask": {"status": "Stopping"}}
    )

    with pytest.raises(IotdaOtaError, match=r"did not stop within 300 seconds[\s\S]*run the command again"):
        UpgradeTask.delete(bench.world, created.id, created.outputs)
    assert 300 <= sum(bench.time.slept) <= 302

    bench.emulator.faults.remove(stuck)
    UpgradeTask.delete(bench.world, created.id, created.outputs)
    assert statuses(bench) == []


@pytest.mark.parametrize("word", ["Waiting", "Paused"])
def test_a_status_that_is_not_documented_runs(bench: Bench, word: str) -> None:
    """A task in a state that is not documented as an end is not replaced unasked, and is stopped by a destroy."""
    bench.hang()
    created = bench.created()
    bench.time.sleep(10)
    odd = bench.emulator.faults.add(operation="ShowBatchTask", times=None, merge={"batchtask": {"status": word}})

    assert "still runs" in bench.problems(created.outputs, triggers=[2])
    bench.emulator.faults.add(operation="StopBatchTask", before=lambda: bench.emulator.faults.remove(odd))
    UpgradeTask.delete(bench.world, created.id, created.outputs)
    assert statuses(bench) == ["Stopped"]


def test_a_stop_that_every_device_refuses(bench: Bench) -> None:
    """When a task does not stop, the error says for which devices the service refused that."""
    bench.hang()
    created = bench.created()
    bench.time.sleep(10)
    refused = {"targets": [{"target": "d1", "status": "failure", "error_code": "IOTDA.014219", "error_msg": "busy"}]}
    bench.emulator.faults.add(operation="StopBatchTask", status=200, body=refused)

    with pytest.raises(
        IotdaOtaError, match=r"did not stop within 300 seconds[\s\S]*refused for +1 devices, d1 first: busy"
    ):
        UpgradeTask.delete(bench.world, created.id, created.outputs)


def test_back_to_what_ran_before_after_the_last_one_is_gone(bench: Bench) -> None:
    """An earlier campaign is not taken for the new one because the one in between was deleted."""
    bench.created()
    bench.time.sleep(60)
    second = bench.created(package_ids=["p2"])
    bench.time.sleep(60)
    vanish(bench, second)

    assert "goes back to a campaign that has run before" in bench.problems(second.outputs)


def test_a_task_that_waits_for_its_approval_is_replaced(bench: Bench) -> None:
    """A task that nobody has confirmed never ends: the error does not say to wait for that."""
    created = bench.created(need_confirm=True)
    bench.time.sleep(10)

    told = bench.problems(created.outputs, package_ids=["p2"], need_confirm=True)

    assert "it waits to be confirmed: confirm it, or set replace_running=True" in " ".join(told.split())


@pytest.mark.parametrize("field", [{"task_mode": "GATEWAY"}, {"task_ext_info": {"k": 1}}])
def test_what_a_module_upgrade_does_not_take(bench: Bench, field: dict[str, Any]) -> None:
    """What the service takes for software and firmware only is refused at the preview."""
    assert "is for software and firmware, not for a moduleUpgrade" in bench.problems(package_ids=["m1"], **field)


@pytest.mark.parametrize("info", [{"a": "x" * 600}, ["very-secret"]])
def test_what_can_hold_a_secret_is_not_shown(bench: Bench, info: Any) -> None:
    """A free value that is wrong is told without what is in it."""
    told = bench.problems(task_ext_info=info)

    assert "task_ext_info: " in told
    assert "very-secret" not in told
