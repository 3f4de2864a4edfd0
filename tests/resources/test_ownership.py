"""What one resource does never ends what another one of the stack owns, in this run or in a later one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.errors import UpgradeTaskFailed
from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError
from pulumi_iotda_ota.lifecycle.completion import Completion
from pulumi_iotda_ota.lifecycle.ota_package.resource import Package
from pulumi_iotda_ota.lifecycle.upgrade_task.resource import UpgradeTask
from tests.support import resource_packages
from tests.support.resource_bench import SCOPE
from tests.support.resource_packages import create, created_ids

if TYPE_CHECKING:
    from pulumi_iotda_ota.lifecycle.base import ResourceContext
    from tests.support.resource_bench import Bench


def statuses(bench: Bench) -> list[str]:
    """Return the status of every task on the service, newest first."""
    return [task["status"] for task in bench.emulator.tasks]


# What a failed run left to be deleted ----------------------------------------------------------------------------


@pytest.mark.parametrize("on_destroy", ["stop", "delete"])
def test_a_task_that_two_states_know(bench: Bench, on_destroy: str) -> None:
    """A replacement that took a task over in a run that failed: the later deletion of the old one leaves the task."""
    bench.hang()
    old = bench.created(on_destroy=on_destroy)
    bench.time.sleep(10)
    later = bench.context  # another process: what the failed run knew is gone

    checked = UpgradeTask.check(later, old.outputs, bench.inputs(on_destroy=on_destroy))
    diff = UpgradeTask.diff(later, old.id, old.outputs, checked.inputs)
    UpgradeTask.delete(later, old.id, old.outputs)

    assert not diff.changes
    assert statuses(bench) == ["Processing"]
    assert "another resource of the stack owns it now" in bench.warnings[-1]


def test_a_package_that_two_states_know(bench: Bench) -> None:
    """Back from a failed canary to the version before: the deletion that was left over takes nothing away."""
    before = create(bench.context)
    later = bench.context

    checked = Package.check(later, before.outputs, resource_packages.inputs())
    assert not Package.diff(later, before.id, before.outputs, checked.inputs).changes
    Package.delete(later, before.id, before.outputs)

    assert created_ids(bench) == [before.id]


def test_a_refresh_is_no_reason_to_keep(bench: Bench) -> None:
    """A refresh compares too: what is removed after it is removed, and a task is stopped."""
    bench.hang()
    task, package = bench.created(), create(bench.context)
    bench.time.sleep(10)
    context = bench.context
    assert not UpgradeTask.diff(
        context, task.id, UpgradeTask.read(context, task.id, task.outputs), task.outputs
    ).changes
    assert not Package.diff(
        context, package.id, Package.read(context, package.id, package.outputs), package.outputs
    ).changes

    UpgradeTask.delete(context, task.id, task.outputs)
    Package.delete(context, package.id, package.outputs)

    assert (statuses(bench), created_ids(bench)) == (["Stopped"], [])


def test_what_nobody_keeps_is_removed(bench: Bench) -> None:
    """What was replaced, or is declared no more, is removed as ever."""
    old = create(bench.context)
    context = bench.context
    assert Package.diff(context, old.id, old.outputs, resource_packages.inputs(version="V8")).replaces

    Package.delete(context, old.id, old.outputs)

    assert created_ids(bench) == []


# Two resources, one thing ----------------------------------------------------------------------------------------


def test_two_resources_that_describe_one_campaign(bench: Bench) -> None:
    """One task has one resource: a second one that would adopt it gets an error."""
    context, inputs = bench.context, bench.checked()
    UpgradeTask.create(context, inputs)

    with pytest.raises(InputError, match=r"two resources declare the same upgrade task[\s\S]*declare it once"):
        UpgradeTask.create(context, inputs)


def at_once(context: ResourceContext, kind: Any, inputs: Any, times: int = 4) -> list[object]:
    """Create the same thing several times at the same moment, and return what became of each."""

    def one(_: int) -> object:
        try:
            return kind.create(context, inputs)
        except IotdaOtaError as error:
            return error

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


@pytest.mark.parametrize("kind", [UpgradeTask, Package])
def test_created_at_the_same_moment(bench: Bench, kind: Any) -> None:
    """If resources that describe one thing are created at the same time, one creates it and all others fail."""
    context = bench.context
    inputs = bench.checked() if kind is UpgradeTask else resource_packages.inputs()

    results = at_once(context, kind, inputs)

    assert sum(isinstance(result, InputError) for result in results) == 3
    assert (len(bench.emulator.tasks), len(created_ids(bench))) == ((1, 0) if kind is UpgradeTask else (0, 1))


def test_two_waits_retry_once(bench: Bench) -> None:
    """Two completions of one task send one retry."""
    bench.emulator.set_device("d1", fails_first=2)
    created = bench.created()
    bench.time.sleep(60)
    context = bench.context

    for _ in range(2):
        with pytest.raises(UpgradeTaskFailed):
            Completion.create(context, {"task_id": created.id, "retry_failed": True})

    assert bench.count("RetryBatchTask") == 1


# A forced replacement --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [{"task_name_prefix": "other"}, {"scope": {**SCOPE, "name": "renamed"}}])
def test_a_forced_replacement_after_another_name(bench: Bench, change: dict[str, Any]) -> None:
    """A replacement is checked a second time without the old inputs, and still finds the task under its old name."""
    bench.hang()
    old = bench.created()
    bench.time.sleep(10)
    context = bench.context
    first = UpgradeTask.check(context, old.outputs, bench.inputs(**change))
    assert first.inputs["task_name"] == old.outputs["task_name"]

    again = UpgradeTask.check(context, {}, bench.inputs(**change))

    assert again.problems == []
    assert UpgradeTask.create(context, again.inputs).id == old.id
    assert (bench.posts, statuses(bench)) == (1, ["Processing"])


def test_an_interrupted_run_and_another_prefix(bench: Bench) -> None:
    """A task with another prefix and equal digits is the same task, and is adopted."""
    left = bench.created(task_name_prefix="one")

    assert bench.created(task_name_prefix="two").id == left.id
    assert bench.posts == 1


# Another place ---------------------------------------------------------------------------------------------------


def test_no_replacement_in_another_place(bench: Bench) -> None:
    """A wrong instance or endpoint creates no second task there while the first one runs here."""
    bench.hang()
    created = bench.created()
    bench.environ["HW_IOTDA_INSTANCE_ID"] = "wrong"

    with pytest.raises(IotdaOtaError, match=r"cannot be replaced by one in another place[\s\S]*instance_id is wrong"):
        UpgradeTask.diff(bench.context, created.id, created.outputs, bench.inputs(triggers=[2]))


def test_no_package_is_replaced_in_another_place(bench: Bench) -> None:
    """A package is not created again elsewhere and lost here."""
    made_here = create(bench.context)
    bench.environ["HW_IOTDA_INSTANCE_ID"] = "wrong"

    with pytest.raises(IotdaOtaError, match="cannot be replaced by one in another place"):
        Package.diff(bench.context, made_here.id, made_here.outputs, resource_packages.inputs(version="V8"))
