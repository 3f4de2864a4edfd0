"""UpgradeTaskCompletion: waits for the end of a campaign and fails where it failed. Owns nothing on the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.durations import parse_duration
from pulumi_iotda_ota.iotda.errors import IotdaOtaError, OutcomeUnknown
from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.iotda.retry import Deadline
from pulumi_iotda_ota.lifecycle.completion_errors import campaign_failed, did_not_end
from pulumi_iotda_ota.lifecycle.one_shot import OneShot
from pulumi_iotda_ota.lifecycle.polling import TaskPoller
from pulumi_iotda_ota.lifecycle.run_state import Thing
from pulumi_iotda_ota.lifecycle.thresholds import DeviceCounts, Limits
from pulumi_iotda_ota.lifecycle.upgrade_task.read import RETRYABLE, STOPPED, is_running, told_refusal
from pulumi_iotda_ota.lifecycle.upgrade_task.stop import stop_task
from pulumi_iotda_ota.schema.validation import Problem

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import BatchTask
    from pulumi_iotda_ota.lifecycle.base import Properties, ResourceContext

# How long a task may look as it did before, after the service has taken a retry.
_RETRY_SHOWS_WITHIN = 30.0  # seconds
# How long the counts of a task may lag behind its status.
_SETTLED_WITHIN = 30.0  # seconds
_INITIALIZING = "Initializing"


class Completion(OneShot):
    """The life cycle of a completion. Once it is created, its limits are not held against the task again."""

    arguments = schema.UPGRADE_TASK_COMPLETION
    id = "completion"
    import_advice = f"declare it with the {argument('task_id')} of the task; the stack does not need to own that task"
    outputs = ("task_name", "status", "status_desc", "progress", "failed_count")

    @classmethod
    def problems(cls, inputs: Properties) -> list[Problem]:
        """Return everything that is wrong with the inputs."""
        problems = super().problems(inputs)
        if "max_failed_devices" in inputs and "max_failed_percent" in inputs:
            problems.append(Problem("max_failed_devices", f"and {argument('max_failed_percent')}: set one of them"))
        return problems

    @classmethod
    def run(cls, context: ResourceContext, inputs: Properties) -> Properties:
        """Wait for the end of the task, and return how it ended.

        Raises:
            UpgradeTaskFailed: it ended with more failures than may be, or fewer devices than must be, or was stopped.
            DeadlineExceeded: it did not end within ``timeout``.
        """
        return _outputs(_judged(context, inputs))


def _outputs(task: BatchTask) -> Properties:
    return {
        "task_name": task.task_name,
        "status": task.status,
        "status_desc": task.status_desc or "",
        "progress": task.task_progress.model_dump() if task.task_progress else {},
        "failed_count": DeviceCounts.of(task, ended=True).failed,
    }


def _judged(context: ResourceContext, inputs: Properties) -> BatchTask:
    """Return the task once it has ended well enough."""
    client = context.run.client(context.resolve(inputs))
    seconds = parse_duration("timeout", inputs.get("timeout", schema.TIMEOUT.default))
    watch = TaskPoller(context, client, inputs["task_id"], Deadline.start(context.clock, seconds))
    limits = Limits.of(inputs)
    task = _ended(context, client, watch, limits, inputs)
    happened: list[tuple[str, str]] = []
    if inputs.get("retry_failed") and task.status in RETRYABLE and limits.exceeded_by(_standing(task)):
        happened += _retried(context, client, watch, task)
        task = _ended(context, client, watch, limits, inputs)
    standing = _standing(task)
    if task.status in STOPPED or not limits.met_by(standing):
        raise campaign_failed(client, task, standing, limits, inputs, happened=happened)
    return task


def _standing(task: BatchTask) -> DeviceCounts:
    return DeviceCounts.of(task, ended=not is_running(task))


def _ended(
    context: ResourceContext, client: Client, watch: TaskPoller, limits: Limits, inputs: Properties
) -> BatchTask:
    """Return the task once it has ended; one that exceeds its limits is stopped, where that is wanted."""
    stops = inputs.get("stop_when_exceeded", False)

    def is_to_be_stopped(task: BatchTask) -> bool:
        # While it initializes not all of its devices are known, and a share of some of them is no share.
        return bool(stops) and task.status != _INITIALIZING and limits.exceeded_by(_standing(task))

    task = watch.until(lambda task: not is_running(task) or is_to_be_stopped(task))
    if task is None:
        raise did_not_end(watch, _standing(watch.task) if watch.task else None)
    if is_running(task):
        raise _stopped(context, client, task, limits, inputs)
    if _standing(task).is_settled:
        return task
    settled = watch.until(lambda now: is_running(now) or _standing(now).is_settled, seconds=_SETTLED_WITHIN)
    # A status that was behind its devices: it runs, after a retry.
    return _ended(context, client, watch, limits, inputs) if settled and is_running(settled) else settled or task


def _stopped(
    context: ResourceContext, client: Client, task: BatchTask, limits: Limits, inputs: Properties
) -> IotdaOtaError:
    """Stop a task whose failures are more than may be, and return the error of that."""
    exceeded = _standing(task)
    failed = f"{exceeded.failed} of {exceeded.total} devices had failed ({limits.described})"
    try:
        ended = stop_task(context.clock, client, task.task_id, {"identity": dict(client.connection.identity)})
        happened = [("stopped", failed)]
    except IotdaOtaError as error:
        ended, happened = task, [("not stopped", error.message.headline), ("cause", failed)]
    return campaign_failed(client, ended or task, _standing(ended or task), limits, inputs, happened=happened)


def _retried(context: ResourceContext, client: Client, watch: TaskPoller, task: BatchTask) -> list[tuple[str, str]]:
    """Ask once to try the failed devices again, wait until that shows, and return what there is to tell of it."""
    with context.run_state.alone("retry", task.task_id):
        if not context.run_state.is_first_retry(Thing.at(client.connection.identity, task.task_id)):
            return []  # by another resource that waits for the same task
        happened, shows = _asked_to_retry(client, task)
    if shows:
        watch.until(lambda now: _differs(now, task), seconds=_RETRY_SHOWS_WITHIN)
    return happened


def _asked_to_retry(client: Client, task: BatchTask) -> tuple[list[tuple[str, str]], bool]:
    """Return what there is to tell of a retry, and whether it is to show in the task."""
    try:
        answers = client.retry_batch_task(task.task_id).targets
    except OutcomeUnknown as error:
        # Whether it was accepted shows in the task.
        return [("retried", f"unknown whether the service accepted it: {error.reason or error.message.headline}")], True
    except IotdaOtaError as error:
        return [("not retried", error.message.headline)], False
    refusal = told_refusal(answers)
    if not refusal:
        return [("retried", f"{len(answers)} devices" if answers else "the devices that failed")], True
    accepted = sum(answer.status == "success" for answer in answers)
    return [("retried", f"{accepted} devices"), ("not retried", refusal)], accepted > 0


def _differs(now: BatchTask, before: BatchTask) -> bool:
    return is_running(now) or now.task_progress != before.task_progress
