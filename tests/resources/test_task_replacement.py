"""UpgradeTask: which changes need a new task, and what happens to the old one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.lifecycle.upgrade_task.resource import UpgradeTask
from tests.support.resource_bench import SCOPE
from tests.support.task_life import statuses, vanish

if TYPE_CHECKING:
    from tests.support.resource_bench import Bench


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
    """A change of such an input replaces the task. While the task runs, the preview refuses the change."""
    bench.hang()
    created = bench.created()
    bench.time.sleep(10)
    name = next(iter(change)) if "group_ids" not in change else "targets, group_ids"

    reported = " ".join(bench.refused(created, **change).split())

    assert (
        f"a change of {name} starts a new upgrade task, but {created.outputs['task_name']} is still running" in reported
    )
    assert "replace_running=True" in reported
    assert statuses(bench) == ["Processing"]
    news = bench.checked(created.outputs, **change, replace_running=True)
    assert UpgradeTask.diff(bench.context, created.id, created.outputs, news).replaces == tuple(name.split(", "))


def test_a_replacement_deletes_before_it_creates(bench: Bench) -> None:
    """A running task that may be replaced is stopped, and the new one is created under another name."""
    bench.hang()
    created = bench.created()
    bench.time.sleep(10)
    change = {"triggers": [2], "replace_running": True}
    bench.checked(created.outputs, **change)

    UpgradeTask.delete(bench.context, created.id, created.outputs)
    again = bench.created(**change)  # at a replacement the engine checks a second time, without the old inputs

    assert again.id != created.id
    assert statuses(bench) == ["Initializing", "Stopped"]


def test_only_what_may_stop_is_deleted_first(bench: Bench) -> None:
    """A replacement deletes first only with replace_running: the engine deletes all that depends on it too."""
    created = bench.created()

    for allowed in (True, False):
        news = bench.inputs(triggers=[2], replace_running=allowed)
        assert UpgradeTask.diff(bench.context, created.id, created.outputs, news).delete_first is allowed


@pytest.mark.parametrize("on_destroy", ["stop", "delete"])
def test_a_forced_replacement_leaves_what_it_takes_over(bench: Bench, on_destroy: str) -> None:
    """A replacement without a change adopts its own task. The deletion of the old resource does not stop it."""
    bench.hang()
    old = bench.created(on_destroy=on_destroy)
    bench.time.sleep(10)
    context = bench.context

    new = UpgradeTask.create(context, bench.checked(on_destroy=on_destroy))
    UpgradeTask.delete(context, old.id, old.outputs)

    assert new.id == old.id
    assert statuses(bench) == ["Processing"]
    assert "another resource of the stack owns it now" in bench.warnings[-1]


@pytest.mark.parametrize(
    "change",
    [
        {"triggers": [2]},
        {"package_ids": ["p2"]},
        {"targets": ["d2", "d3"]},
        {"scope": {**SCOPE, "parent": "urn:pulumi:prod::meters::acme:x:C::eu"}},
        {"triggers": [2], "replace_running": True},
    ],
)
def test_a_forced_replacement_by_another_campaign(bench: Bench, change: dict[str, Any]) -> None:
    """A forced replacement is not compared. It is refused while a task with its devices runs, and then created.

    Otherwise all devices of the new task fail, and the deletion of the old resource stops the old task.
    """
    bench.hang()
    old = bench.created()
    bench.time.sleep(10)

    with pytest.raises(InputError, match=r"(?s)a task with the same devices still runs.*without --replace"):
        bench.created(**change)
    assert (statuses(bench), bench.posts) == (["Processing"], 1)

    UpgradeTask.delete(bench.context, old.id, old.outputs)
    bench.created(**change)
    assert bench.posts == 2


@pytest.mark.parametrize("running", ["other devices", "another resource", "its time"])
def test_what_runs_beside_a_new_campaign(bench: Bench, running: str) -> None:
    """Nothing is refused for a task with other devices, of another prefix, or that waits for its time."""
    bench.hang()
    given: dict[str, dict[str, Any]] = {
        "other devices": {"targets": ["d3"]},
        "another resource": {"task_name_prefix": "other"},
        "its time": {"schedule_time": "2026-11-24T12:00:00Z"},
    }
    bench.created(**given[running], triggers=["old"])
    bench.time.sleep(10)

    bench.created()

    assert bench.posts == 2


@pytest.mark.parametrize("how", ["finished", "gone"])
def test_an_ended_campaign_is_replaced(bench: Bench, how: str) -> None:
    """A task that has ended, or is gone, can be replaced."""
    created = bench.created()
    bench.time.sleep(60)
    if how == "gone":
        vanish(bench, created)

    assert bench.compared(created, package_ids=["p2"]).replaces == ("package_ids",)


def test_going_back_is_no_adoption(bench: Bench) -> None:
    """Going back to an earlier package must bring it onto the devices: its finished task is not taken for that."""
    first = bench.created()
    bench.time.sleep(60)
    second = bench.created(package_ids=["p2"])
    bench.time.sleep(60)

    reported = bench.refused(second)
    assert "returns to an upgrade task that has run before" in reported
    assert f"task_id {first.id}, status Success" in reported
    assert bench.compared(second, triggers=["back"]).replaces == ("package_ids", "triggers")


def test_a_replacement_that_was_cut_off_is_taken_over(bench: Bench) -> None:
    """If an interrupted replacement created a new task, it is newer than the old one, and is adopted."""
    old = bench.created()
    bench.time.sleep(60)
    new = bench.created(package_ids=["p2"])
    bench.time.sleep(60)

    inputs = bench.checked(old.outputs, package_ids=["p2"])
    assert UpgradeTask.create(bench.context, inputs).id == new.id
    assert bench.posts == 2


def test_back_to_what_ran_before_after_the_last_one_is_gone(bench: Bench) -> None:
    """If the task in between was deleted, an earlier task is not adopted as the new one."""
    bench.created()
    bench.time.sleep(60)
    second = bench.created(package_ids=["p2"])
    bench.time.sleep(60)
    vanish(bench, second)

    assert "returns to an upgrade task that has run before" in " ".join(bench.refused(second).split())


def test_a_task_that_waits_for_its_approval_is_replaced(bench: Bench) -> None:
    """A task that is not confirmed never ends, so the error does not advise to wait for its end."""
    created = bench.created(need_confirm=True)
    bench.time.sleep(10)

    reported = bench.refused(created, package_ids=["p2"], need_confirm=True)

    assert "it waits to be confirmed: confirm it; or set replace_running=True" in " ".join(reported.split())
