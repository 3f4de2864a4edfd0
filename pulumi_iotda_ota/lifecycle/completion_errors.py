"""What a person reads when a campaign did not come to a good end: counts, devices, and the ways to green that apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.errors import UpgradeTaskFailed
from pulumi_iotda_ota.iotda.errors import DeadlineExceeded, IotdaOtaError
from pulumi_iotda_ota.iotda.failed_devices import failing_devices
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lifecycle.polling import awaits_confirmation, waits_for
from pulumi_iotda_ota.lifecycle.upgrade_task.read import RETRYABLE, STOPPED, described

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.failed_devices import FailingDevice
    from pulumi_iotda_ota.iotda.models import BatchTask
    from pulumi_iotda_ota.lifecycle.base import Properties
    from pulumi_iotda_ota.lifecycle.polling import TaskPoller
    from pulumi_iotda_ota.lifecycle.thresholds import DeviceCounts, Limits

Facts = list[tuple[str, str]]

_SHOWN_DEVICES = 5
_FAILED = ("Fail", "Removed", "Stopped")
_NOT_STARTED = ("not started", "what depends on this")
_NEW_CAMPAIGN = "change triggers of the task for a new campaign"


def campaign_failed(
    client: Client, task: BatchTask, standing: DeviceCounts, limits: Limits, inputs: Properties, *, happened: Facts
) -> UpgradeTaskFailed:
    """Return the error of a task that has ended, or was stopped, and is not good enough.

    Args:
        client: asks which devices failed.
        task: the task as it is now.
        standing: how it stands.
        limits: what would be good enough.
        inputs: what the completion was given.
        happened: labelled lines of what was done about it.
    """
    facts = [*_failing(client, task, standing), *happened, _NOT_STARTED]
    refused = any(label == "not retried" for label, _ in happened)
    facts.append(("what to do", " · ".join(_ways_to_green(task, standing, limits, inputs, refused=refused))))
    return UpgradeTaskFailed(_headline(task, standing, limits), facts=facts)


def did_not_end(watch: TaskPoller, standing: DeviceCounts | None) -> DeadlineExceeded:
    """Return the error of a task that did not end in time.

    Args:
        watch: what was watched.
        standing: how the task stood when it was last seen, or None where it was not.
    """
    within = f"within {watch.end.seconds:g} seconds" if watch.end.seconds else "yet, and timeout=0 does not wait"
    facts: Facts = []
    advice = "run pulumi up again: it goes on waiting · raise timeout"
    if watch.task is not None and standing is not None:
        facts.append(("so far", f"{described(watch.task)}: {_counts(standing)}, {standing.running} running"))
        waits = waits_for(watch.task, standing)
        if waits:
            facts.append(("waiting", f"{standing.waiting} devices wait{waits}"))
        if awaits_confirmation(watch.task, standing):
            advice = "confirm it, with an UpgradeTaskConfirmation or on the console, and run pulumi up again"
    if watch.outage is not None:
        facts.append(("last error", watch.outage.headline))
    name = sanitize(watch.task.task_name) if watch.task else watch.task_id
    facts += [("still", "the task goes on by itself"), _NOT_STARTED, ("what to do", advice)]
    return DeadlineExceeded(f"upgrade task {name} did not end {within}", facts=facts)


def _headline(task: BatchTask, standing: DeviceCounts, limits: Limits) -> str:
    name = f"upgrade task {sanitize(task.task_name)}"
    if task.status in STOPPED:
        return f"{name} was stopped: {_counts(standing)}"
    if not standing.is_counted:
        return f"{name} ended as {sanitize(task.status)}, and the service counts none of its devices"
    if limits.exceeded_by(standing):
        return f"{name} failed: {standing.failed} of {standing.total} devices ({limits.described})"
    return f"{name} has {standing.total} devices, and min_devices is {limits.min_devices}"


def _counts(standing: DeviceCounts) -> str:
    return f"{standing.succeeded} of {standing.total} devices done, {standing.failed} failed"


def _failing(client: Client, task: BatchTask, standing: DeviceCounts) -> Facts:
    try:
        found = failing_devices(client, task.task_id, task.task_progress, most=_SHOWN_DEVICES, statuses=_FAILED)
    except IotdaOtaError as error:
        # The verdict is known without them; why they could not be had belongs beside it, not in its place.
        return [("failing", f"the devices could not be read: {error.headline}")]
    lines = [*map(_device, found.devices), *(f"a record that cannot be judged: {one}" for one in found.unreadable)]
    if standing.failed > len(lines) > 0:
        lines.append(f"and {standing.failed - len(lines):,} more")
    return _listed("failing", lines)


def _device(device: FailingDevice) -> str:
    why = sanitize(device.error_msg) or device.status.lower()
    code = f" ({sanitize(device.error_code)})" if device.error_code else ""
    return f"{sanitize(device.target)}: {why}{code}"


def _listed(label: str, lines: Sequence[str]) -> Facts:
    return [(label if number == 0 else "", line) for number, line in enumerate(lines)]


def _ways_to_green(
    task: BatchTask, standing: DeviceCounts, limits: Limits, inputs: Properties, *, refused: bool
) -> list[str]:
    if task.status in STOPPED or not standing.is_counted:
        return [_NEW_CAMPAIGN]
    if not limits.exceeded_by(standing):
        return [f"lower min_devices to {standing.total}", "check the devices or groups of the task", _NEW_CAMPAIGN]
    ways = [suggest_higher_limit(standing, limits), _NEW_CAMPAIGN]
    # The documents give no way to retry a moduleUpgrade.
    if task.status in RETRYABLE and task.task_type != "moduleUpgrade" and not refused:
        these = "this one" if standing.failed == 1 else f"these {standing.failed:,}"
        again = "run pulumi up again" if inputs.get("retry_failed") else "set retry_failed=True"
        ways.insert(1, f"{again} to try {these} once more")
    return ways


def suggest_higher_limit(standing: DeviceCounts, limits: Limits) -> str:
    """Return the advice that raises the limit just so far that the task passes."""
    if limits.max_failed_devices is not None:
        return f"raise max_failed_devices to {standing.failed}"
    # Rounded up, so that the limit that is named is one that passes.
    hundredths = -(-standing.failed * 10_000 // max(standing.total, 1))
    return f"raise max_failed_percent to {hundredths / 100:g}"
