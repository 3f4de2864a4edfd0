"""UpgradeTaskCompletion: wait for the end of an upgrade task, and fail if it failed. Owns nothing on the service."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pulumi_iotda_ota import message_rendering, schema
from pulumi_iotda_ota.durations import parse_duration
from pulumi_iotda_ota.errors import UpgradeTaskFailed
from pulumi_iotda_ota.iotda.errors import DeadlineExceeded, IotdaOtaError, OutcomeUnknown
from pulumi_iotda_ota.iotda.failed_devices import failing_devices
from pulumi_iotda_ota.iotda.references import argument, by_interface
from pulumi_iotda_ota.iotda.retry import Deadline
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lifecycle.base import OneShot
from pulumi_iotda_ota.lifecycle.polling import TaskPoller, awaits_confirmation, waits_for
from pulumi_iotda_ota.lifecycle.run_state import Thing
from pulumi_iotda_ota.lifecycle.thresholds import DeviceCounts, Limits
from pulumi_iotda_ota.lifecycle.upgrade_task.tasks import (
    INITIALIZING,
    RETRYABLE,
    STOPPED,
    described,
    is_running,
    outputs_of,
    refusal_text,
    stop_task,
)
from pulumi_iotda_ota.schema.validation import Problem

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.failed_devices import FailingDevice
    from pulumi_iotda_ota.iotda.models import BatchTask
    from pulumi_iotda_ota.lifecycle.base import Properties, ResourceContext

Facts = list[tuple[str, str]]

# How long the task can show no effect of a retry that the service has accepted.
_RETRY_SHOWS_WITHIN = 30.0  # seconds
# How long the counts of a task can lag behind its status.
_SETTLED_WITHIN = 30.0  # seconds
_SHOWN_DEVICES = 5
# The reason that the service has for a device that another running task upgrades.
_CONFLICT = "task conflict"
_FAILED = ("Fail", "Removed", "Stopped")
# A command starts nothing else.
_NOT_STARTED = ("not started", by_interface("everything that depends on this", command_line=""))


class Completion(OneShot):
    """The life cycle of a completion. After its creation, its limits are not compared with the task again."""

    arguments = schema.UPGRADE_TASK_COMPLETION
    id = "completion"
    import_advice = f"declare it with the {argument('task_id')} of the task; the stack does not need to own that task"
    outputs = ("task_name", "status", "status_desc", "progress", "failed_count")

    @classmethod
    def problems(cls, inputs: Properties) -> list[Problem]:
        """Return all problems of the inputs."""
        problems = super().problems(inputs)
        if "max_failed_devices" in inputs and "max_failed_percent" in inputs:
            problems.append(Problem("max_failed_devices", f"and {argument('max_failed_percent')}: set one of them"))
        return problems

    @classmethod
    def run(cls, context: ResourceContext, inputs: Properties) -> Properties:
        """Wait for the end of the task, and return its result.

        Raises:
            UpgradeTaskFailed: too many devices failed, it has too few devices, or it was stopped.
            DeadlineExceeded: it did not end within ``timeout``.
        """
        client = context.run.client(context.resolve(inputs))
        seconds = parse_duration("timeout", inputs.get("timeout", schema.TIMEOUT.default))
        poller = TaskPoller(context, client, inputs["task_id"], Deadline.start(context.clock, seconds))
        task = _Wait(context, client, poller, inputs).run()
        known = {**outputs_of(task), "failed_count": DeviceCounts.of(task, ended=True).failed}
        return {name: known[name] for name in cls.outputs}


def _counts_of(task: BatchTask) -> DeviceCounts:
    return DeviceCounts.of(task, ended=not is_running(task))


@dataclass
class _Wait:
    """One wait for the end of a task.

    Attributes:
        context: everything outside.
        client: sends the requests.
        poller: polls the task.
        inputs: the inputs of the completion.
        limits: the limits among them.
        done: labelled lines of an error about what was done.
    """

    context: ResourceContext
    client: Client
    poller: TaskPoller
    inputs: Properties = field(repr=False)
    limits: Limits = field(init=False)
    done: Facts = field(default_factory=list)

    def __post_init__(self) -> None:
        self.limits = Limits.of(self.inputs)

    def run(self) -> BatchTask:
        """Return the task after its end, if it meets the limits."""
        task = self._ended()
        if self.inputs.get("retry_failed") and task.status in RETRYABLE and self.limits.exceeded_by(_counts_of(task)):
            self._retry(task)
            task = self._ended()
        if task.status in STOPPED or not self.limits.met_by(_counts_of(task)):
            raise self._failed(task)
        return task

    def _ended(self) -> BatchTask:
        """Return the task after its end. With ``stop_when_exceeded``, a task that exceeds the limits is stopped."""
        stops = self.inputs.get("stop_when_exceeded", False)

        def is_to_be_stopped(task: BatchTask) -> bool:
            # While a task initializes, not all of its devices are counted, so that no share of them is right.
            return bool(stops) and task.status != INITIALIZING and self.limits.exceeded_by(_counts_of(task))

        task = self.poller.until(lambda task: not is_running(task) or is_to_be_stopped(task))
        if task is None:
            raise _did_not_end(self.poller)
        if is_running(task):
            raise self._stopped(task)
        if _counts_of(task).is_settled:
            return task
        settled = self.poller.until(lambda now: is_running(now) or _counts_of(now).is_settled, seconds=_SETTLED_WITHIN)
        # After a retry the status can be older than the devices: then the task runs again.
        return self._ended() if settled and is_running(settled) else settled or task

    def _stopped(self, task: BatchTask) -> IotdaOtaError:
        """Stop a task that exceeds its limits, and return the error."""
        counts = _counts_of(task)
        failed = f"{counts.failed} of {counts.total} devices had failed ({self.limits.described})"
        try:
            identity = dict(self.client.connection.identity)
            ended = stop_task(self.context.clock, self.client, task.task_id, {"identity": identity})
            self.done = [("stopped", failed)]
        except IotdaOtaError as error:
            ended, self.done = None, [("not stopped", error.message.headline), ("cause", failed)]
        return self._failed(ended or task)

    def _retry(self, task: BatchTask) -> None:
        """Retry the failed devices once in a run, and wait until the task shows it."""
        run_state = self.context.run_state
        with run_state.alone("retry", task.task_id):
            if not run_state.is_first_retry(Thing.at(self.client.connection.identity, task.task_id)):
                return  # another completion of the same task has retried it
            shows = self._request_retry(task)
        if shows:
            before = task.task_progress
            self.poller.until(lambda now: is_running(now) or now.task_progress != before, seconds=_RETRY_SHOWS_WITHIN)

    def _request_retry(self, task: BatchTask) -> bool:
        """Send the request, and return whether the task will show it."""
        try:
            results = self.client.retry_batch_task(task.task_id).targets
        except OutcomeUnknown as error:
            # If the service accepted it, the task shows it.
            reason = error.reason or error.message.headline
            self.done = [("retried", f"unknown whether the service accepted it: {reason}")]
            return True
        except IotdaOtaError as error:
            self.done = [("not retried", error.message.headline)]
            return False
        refusal = refusal_text(results)
        accepted = sum(result.status == "success" for result in results)
        self.done = [("retried", f"{accepted} devices" if results else "the devices that failed")]
        if refusal:
            self.done.append(("not retried", refusal))
        return accepted > 0 or not results

    def _failed(self, task: BatchTask) -> UpgradeTaskFailed:
        """Return the error of a task that has ended, or was stopped, and does not meet its limits."""
        counts = _counts_of(task)
        facts = [*_failed_devices(self.client, task, counts), *self.done]
        has_conflict = any(_CONFLICT in text.casefold() for _, text in facts)
        steps = self._steps(task, counts)
        facts.append(_NOT_STARTED)
        if has_conflict:
            facts.append(("cause", "another running task holds a device with a Task Conflict"))
            steps.insert(0, f"wait for the end of that task, or stop it: {message_rendering.list_running()}")
        facts.append(("fix", "; ".join(steps)))
        return UpgradeTaskFailed(self._headline(task, counts), facts=facts)

    def _headline(self, task: BatchTask, counts: DeviceCounts) -> str:
        name = f"upgrade task {sanitize(task.task_name)}"
        if task.status in STOPPED:
            return f"{name} was stopped: {_progress(counts)}"
        if not counts.is_counted:
            return f"{name} ended as {sanitize(task.status)}, and the service counts none of its devices"
        if self.limits.exceeded_by(counts):
            return f"{name} failed: {counts.failed} of {counts.total} devices ({self.limits.described})"
        return f"{name} has {counts.total} devices, and {argument('min_devices')} is {self.limits.min_devices}"

    def _steps(self, task: BatchTask, counts: DeviceCounts) -> list[str]:
        """Return the steps that apply to this task. To accept the failures is the last one."""
        if task.status in STOPPED or not counts.is_counted:
            return [message_rendering.NEW_TASK]
        if not self.limits.exceeded_by(counts):
            fewer = f"to accept that: {argument('min_devices', counts.total)}"
            return ["check the devices or groups of the task", message_rendering.NEW_TASK, fewer]
        these = "this device" if counts.failed == 1 else f"these {counts.failed:,} devices"
        steps = [f"inspect {these}"]
        refused = any(label == "not retried" for label, _ in self.done)
        # The documents have no operation that retries a moduleUpgrade.
        if task.status in RETRYABLE and task.task_type != "moduleUpgrade" and not refused:
            again = message_rendering.retry_failed(task.task_id, is_set=bool(self.inputs.get("retry_failed")))
            steps.append(f"retry {'it' if counts.failed == 1 else 'them'}: {again}")
        accept = f"to accept the failures: {suggest_higher_limit(counts, self.limits)}"
        return [*steps, message_rendering.NEW_TASK, accept]


def suggest_higher_limit(counts: DeviceCounts, limits: Limits) -> str:
    """Return the lowest limit with which the task passes."""
    if limits.max_failed_devices is not None:
        return argument("max_failed_devices", counts.failed)
    # Rounded up, so that the task passes.
    percent = -(-counts.failed * 10_000 // max(counts.total, 1)) / 100
    return argument("max_failed_percent", int(percent) if percent.is_integer() else percent)


def _did_not_end(poller: TaskPoller) -> DeadlineExceeded:
    """Return the error of a task that did not end in time."""
    no_wait = f"yet, and {argument('timeout', 0)} does not wait"
    within = f"within {poller.end.seconds:g} seconds" if poller.end.seconds else no_wait
    facts: Facts = []
    fix = f"{message_rendering.wait_again(poller.task_id)}; or raise {argument('timeout')}"
    task = poller.task
    if task is not None:
        counts = _counts_of(task)
        facts.append(("found", f"{described(task)}: {_progress(counts)}, {counts.running} running"))
        if waits := waits_for(task, counts):
            facts.append(("cause", f"{counts.waiting} devices wait{waits}"))
        if awaits_confirmation(task, counts):
            fix = message_rendering.confirm(poller.task_id, task.package_ids or ())
    if poller.outage is not None:
        facts.append(("cause", poller.outage.message.headline))
    name = sanitize(task.task_name) if task else poller.task_id
    facts += [("task", "continues without this program"), _NOT_STARTED, ("fix", fix)]
    return DeadlineExceeded(f"upgrade task {name} did not end {within}", facts=facts)


def _progress(counts: DeviceCounts) -> str:
    return f"{counts.succeeded} of {counts.total} devices done, {counts.failed} failed"


def _failed_devices(client: Client, task: BatchTask, counts: DeviceCounts) -> Facts:
    """Return the first failed devices as labelled lines. The label is the device."""
    try:
        found = failing_devices(client, task.task_id, task.task_progress, most=_SHOWN_DEVICES, statuses=_FAILED)
    except IotdaOtaError as error:
        # The task has failed, so that stays the error, and this outage is a line of it.
        return [("devices", f"could not be read: {error.message.headline}")]
    facts = [(sanitize(device.target), _reason(device)) for device in found.devices]
    facts += [("", f"a record that cannot be judged: {one}") for one in found.unreadable]
    if counts.failed > len(facts) > 0:
        facts.append(("", f"and {counts.failed - len(facts):,} more devices"))
    return facts


def _reason(device: FailingDevice) -> str:
    reason = sanitize(device.error_msg) or device.status.lower()
    return f"{reason} ({sanitize(device.error_code)})" if device.error_code else reason
