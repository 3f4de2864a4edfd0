"""The counts of a task and its limits: laws over all counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_iotda_ota.iotda.models import BatchTask, TaskProgress
from pulumi_iotda_ota.iotda.references import render
from pulumi_iotda_ota.lifecycle.completion import suggest_higher_limit
from pulumi_iotda_ota.lifecycle.thresholds import DeviceCounts, Limits

COUNTS = st.integers(0, 30_000)
PROGRESS = st.builds(
    TaskProgress,
    **dict.fromkeys(("total", "processing", "success", "fail", "waitting", "fail_wait_retry", "stopped"), COUNTS),
)
STANDINGS = st.builds(DeviceCounts, total=st.integers(1, 30_000), failed=COUNTS)


def task(progress: TaskProgress | None, status: str = "PartialSuccess") -> BatchTask:
    """Return a task of these counts."""
    return BatchTask(task_id="a", task_name="n", task_type="firmwareUpgrade", status=status, task_progress=progress)


@given(PROGRESS)
def test_at_the_end_every_device_is_done_or_has_failed(progress: TaskProgress) -> None:
    """Of a task that has ended no device is overlooked, whatever the service counts."""
    standing = DeviceCounts.of(task(progress), ended=True)

    assert standing.succeeded + standing.failed >= standing.total
    assert standing.failed >= progress.fail + progress.stopped
    assert standing.failed >= 1  # it says PartialSuccess


@given(PROGRESS)
def test_while_it_runs_only_what_is_over_has_failed(progress: TaskProgress) -> None:
    """While a task runs, a device that begins, waits, or will be tried again has not failed."""
    assert DeviceCounts.of(task(progress), ended=False).failed == progress.fail + progress.stopped


def test_a_removed_device_has_failed_while_the_task_runs() -> None:
    """A device that was removed comes back in no way: it counts before the end too."""
    assert DeviceCounts.of(task(TaskProgress(total=4, processing=3, removed=1), "Processing"), ended=False).failed == 1


@pytest.mark.parametrize("going_on", ["processing", "waitting", "fail_wait_retry"])
def test_an_ended_task_with_devices_that_go_on(going_on: str) -> None:
    """A task that says it has ended, and counts a device that goes on or will be tried again, is not settled."""
    progress = TaskProgress(total=2, success=1, **{going_on: 1})

    assert not DeviceCounts.of(task(progress), ended=True).is_settled
    assert DeviceCounts.of(task(progress), ended=False).is_settled


@pytest.mark.parametrize("begun", ["processing", "success", "fail", "fail_wait_retry", "stopped", "removed"])
def test_each_device_that_has_begun_counts(begun: str) -> None:
    """If each device has begun in some way, none waits. One that is only in the total waits while the task waits."""
    some = {"success": 1, "fail_wait_retry": 1, begun: 1} if begun not in ("success", "fail_wait_retry") else {begun: 3}

    done = DeviceCounts.of(task(TaskProgress(total=3, **some), "Processing"), ended=False)
    uncounted = TaskProgress(total=5, **some)

    assert (done.all_begun, done.waiting) == (True, 0)
    assert not DeviceCounts.of(task(uncounted, "Processing"), ended=False).all_begun
    assert DeviceCounts.of(task(uncounted, "Processing"), ended=False).waiting == 0
    assert DeviceCounts.of(task(uncounted, "Waitting"), ended=False).waiting == 2
    assert not DeviceCounts.of(task(TaskProgress(total=2, **{begun: 2}, waitting=1)), ended=False).all_begun


@pytest.mark.parametrize("one", ["processing", "waitting", "fail_wait_retry"])
def test_no_two_devices_that_go_on_cancel_each_other(one: str) -> None:
    """An ended task with devices that go on in two ways is not settled."""
    for other in {"processing", "waitting", "fail_wait_retry"} - {one}:
        assert not DeviceCounts.of(task(TaskProgress(total=2, **{one: 1, other: 1})), ended=True).is_settled


def test_uncounted_devices_of_a_waiting_task_wait() -> None:
    """If a waiting task counts only its total, all its devices wait."""
    standing = DeviceCounts.of(task(TaskProgress(total=2), "Waitting"), ended=False)

    assert (standing.waiting, standing.running, standing.all_begun) == (2, 0, False)


def test_a_success_without_counts_has_no_failure() -> None:
    """A success without counts is believed."""
    assert DeviceCounts.of(task(None, "Success"), ended=True) == DeviceCounts()


@given(STANDINGS, st.integers(0, 30_000))
def test_more_may_fail_the_higher_the_limit(standing: DeviceCounts, limit: int) -> None:
    """A limit is exceeded exactly by more failures than it says."""
    assert Limits(max_failed_devices=limit).exceeded_by(standing) == (standing.failed > limit)


def test_a_percentage_is_the_one_that_was_written() -> None:
    """A share that is exactly the limit does not exceed it, whatever binary fractions make of its digits."""
    limits = Limits(max_failed_devices=None, max_failed_percent=67.74)

    assert not limits.exceeded_by(DeviceCounts(total=15_000, failed=10_161))
    assert limits.exceeded_by(DeviceCounts(total=15_000, failed=10_162))


@given(st.integers(1, 30_000), st.data())
def test_the_limit_that_an_error_names_is_good_enough(total: int, data: st.DataObject) -> None:
    """The limit that an error names passes, in devices and in percent."""
    standing = DeviceCounts(total=total, failed=data.draw(st.integers(1, total)))

    for limits in (Limits(), Limits(max_failed_devices=None)):
        name, _, value = render(suggest_higher_limit(standing, limits)).partition("=")
        assert not Limits.of({name: float(value)}).exceeded_by(standing)
        assert float(value) <= max(100, total)
