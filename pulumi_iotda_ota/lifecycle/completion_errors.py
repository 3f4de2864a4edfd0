"""The errors of an upgrade task that failed or did not end in time: counts, failed devices, and the fix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota import message_rendering
from pulumi_iotda_ota.errors import UpgradeTaskFailed
from pulumi_iotda_ota.iotda.errors import DeadlineExceeded, IotdaOtaError
from pulumi_iotda_ota.iotda.failed_devices import failing_devices
from pulumi_iotda_ota.iotda.references import argument, by_interface
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lifecycle.polling import awaits_confirmation, waits_for
from pulumi_iotda_ota.lifecycle.upgrade_task.read import RETRYABLE, STOPPED, described

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.failed_devices import FailingDevice
    from pulumi_iotda_ota.iotda.models import BatchTask
    from pulumi_iotda_ota.lifecycle.base import Properties
    from pulumi_iotda_ota.lifecycle.polling import TaskPoller
    from pulumi_iotda_ota.lifecycle.thresholds import DeviceCounts, Limits

Facts = list[tuple[str, str]]

_SHOWN_DEVICES = 5
# What the service says of a device that another running task upgrades.
_CONFLICT = "task conflict"
_FAILED = ("Fail", "Removed", "Stopped")
# A command starts nothing else.
_NOT_STARTED = ("not started", by_interface("everything that depends on this", command_line=""))


def campaign_failed(
    client: Client, task: BatchTask, standing: DeviceCounts, limits: Limits, inputs: Properties, *, happened: Facts
) -> UpgradeTaskFailed:
    """Return the error of a task that has ended, or was stopped, and does not meet its limits.

    Args:
        client: asks which devices failed.
        task: the task as it is now.
        standing: how it stands.
        limits: what would be good enough.
        inputs: what the completion was given.
        happened: labelled lines of what was done about it.
    """
    facts = [*_failing(client, task, standing), *happened]
    steps = _steps(task, standing, limits, inputs, refused=any(label == "not retried" for label, _ in happened))
    is_held = any(_CONFLICT in text.casefold() for _, text in facts)
    facts.append(_NOT_STARTED)
    if is_held:
        facts.append(("cause", "another running task holds a device with a Task Conflict"))
        steps.insert(0, f"wait for the end of that task, or stop it: {message_rendering.list_running()}")
    facts.append(("fix", "; ".join(steps)))
    return UpgradeTaskFailed(_headline(task, standing, limits), facts=facts)


def did_not_end(watch: TaskPoller, standing: DeviceCounts | None) -> DeadlineExceeded:
    """Return the error of a task that did not end in time.

    Args:
        watch: what was watched.
        standing: how the task stood when it was last seen, or None where it was not.
    """
    no_wait = f"yet, and {argument('timeout', 0)} does not wait"
    within = f"within {watch.end.seconds:g} seconds" if watch.end.seconds else no_wait
    facts: Facts = []
    advice = f"{message_rendering.wait_again(watch.task_id)}; or raise {argument('timeout')}"
    if watch.task is not None and standing is not None:
        facts.append(("found", f"{described(watch.task)}: {_counts(standing)}, {standing.running} running"))
        waits = waits_for(watch.task, standing)
        if waits:
            facts.append(("cause", f"{standing.waiting} devices wait{waits}"))
        if awaits_confirmation(watch.task, standing):
            advice = message_rendering.confirm(watch.task_id, watch.task.package_ids or ())
    if watch.outage is not None:
        facts.append(("cause", watch.outage.message.headline))
    name = sanitize(watch.task.task_name) if watch.task else watch.task_id
    facts += [("task", "continues without this program"), _NOT_STARTED, ("fix", advice)]
    return DeadlineExceeded(f"upgrade task {name} did not end {within}", facts=facts)


def _headline(task: BatchTask, standing: DeviceCounts, limits: Limits) -> str:
    name = f"upgrade task {sanitize(task.task_name)}"
    if task.status in STOPPED:
        return f"{name} was stopped: {_counts(standing)}"
    if not standing.is_counted:
        return f"{name} ended as {sanitize(task.status)}, and the service counts none of its devices"
    if limits.exceeded_by(standing):
        return f"{name} failed: {standing.failed} of {standing.total} devices ({limits.described})"
    return f"{name} has {standing.total} devices, and {argument('min_devices')} is {limits.min_devices}"


def _counts(standing: DeviceCounts) -> str:
    return f"{standing.succeeded} of {standing.total} devices done, {standing.failed} failed"


def _failing(client: Client, task: BatchTask, standing: DeviceCounts) -> Facts:
    try:
        found = failing_devices(client, task.task_id, task.task_progress, most=_SHOWN_DEVICES, statuses=_FAILED)
    except IotdaOtaError as error:
        # The verdict is known without them; why they could not be had belongs beside it, not in its place.
        return [("devices", f"could not be read: {error.message.headline}")]
    # The label of a line is the device.
    facts = [(sanitize(device.target), _why(device)) for device in found.devices]
    facts += [("", f"a record that cannot be judged: {one}") for one in found.unreadable]
    if standing.failed > len(facts) > 0:
        facts.append(("", f"and {standing.failed - len(facts):,} more devices"))
    return facts


def _why(device: FailingDevice) -> str:
    why = sanitize(device.error_msg) or device.status.lower()
    return f"{why} ({sanitize(device.error_code)})" if device.error_code else why


def _steps(task: BatchTask, standing: DeviceCounts, limits: Limits, inputs: Properties, *, refused: bool) -> list[str]:
    """Return the steps that apply to this task. To accept the failures is the last one."""
    if task.status in STOPPED or not standing.is_counted:
        return [message_rendering.NEW_TASK]
    if not limits.exceeded_by(standing):
        fewer = f"to accept that: {argument('min_devices', standing.total)}"
        return ["check the devices or groups of the task", message_rendering.NEW_TASK, fewer]
    these = "this device" if standing.failed == 1 else f"these {standing.failed:,} devices"
    steps = [f"inspect {these}"]
    # The documents give no way to retry a moduleUpgrade.
    if task.status in RETRYABLE and task.task_type != "moduleUpgrade" and not refused:
        again = message_rendering.retry_failed(task.task_id, is_set=bool(inputs.get("retry_failed")))
        steps.append(f"retry {'it' if standing.failed == 1 else 'them'}: {again}")
    return [*steps, message_rendering.NEW_TASK, f"to accept the failures: {suggest_higher_limit(standing, limits)}"]


def suggest_higher_limit(standing: DeviceCounts, limits: Limits) -> str:
    """Return the limit under which the task passes, and no higher one."""
    if limits.max_failed_devices is not None:
        return argument("max_failed_devices", standing.failed)
    # Rounded up, so that the task passes.
    hundredths = -(-standing.failed * 10_000 // max(standing.total, 1))
    percent = hundredths / 100
    return argument("max_failed_percent", int(percent) if percent.is_integer() else percent)
