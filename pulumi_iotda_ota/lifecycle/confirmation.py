"""UpgradeTaskConfirmation: lets a task begin that waits for a person to approve its packages. Owns nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota import message_rendering, schema
from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError, OutcomeUnknown, ServiceError
from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.iotda.retry import Deadline
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lifecycle.base import holds_unknown
from pulumi_iotda_ota.lifecycle.one_shot import OneShot
from pulumi_iotda_ota.lifecycle.polling import TaskPoller
from pulumi_iotda_ota.lifecycle.thresholds import DeviceCounts
from pulumi_iotda_ota.lifecycle.upgrade_task.naming import ENDED
from pulumi_iotda_ota.lifecycle.upgrade_task.read import STOPPED, described, told_refusal
from pulumi_iotda_ota.schema.validation import Problem

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import BatchTask
    from pulumi_iotda_ota.lifecycle.base import Properties, ResourceContext

_INITIALIZING = "Initializing"
_INITIALIZED_WITHIN = 300.0  # seconds
_ACCEPTED_WITHIN = 30.0  # seconds


class Confirmation(OneShot):
    """The life cycle of a confirmation."""

    arguments = schema.UPGRADE_TASK_CONFIRMATION
    id = "confirmation"
    import_advice = (
        f"declare it with the {argument('task_id')} of the task and {argument('approved_package_ids')}; "
        "the stack does not need to own that task"
    )
    outputs = ("task_name", "status")

    @classmethod
    def problems(cls, inputs: Properties) -> list[Problem]:
        """Return everything that is wrong with the inputs."""
        problems = super().problems(inputs)
        if holds_unknown(inputs.get("approved_package_ids")):
            problems.append(Problem("approved_package_ids", "must be literal ids"))
        return problems

    @classmethod
    def run(cls, context: ResourceContext, inputs: Properties) -> Properties:
        """Confirm the task, where its packages are the approved ones.

        Raises:
            IotdaOtaError: they are others, the task does not wait for a confirmation, or it was stopped.
        """
        task = _confirmed(context, inputs)
        return {"task_name": task.task_name, "status": task.status}


def _confirmed(context: ResourceContext, inputs: Properties) -> BatchTask:
    client = context.run.client(context.resolve(inputs))
    watch = TaskPoller(context, client, inputs["task_id"], Deadline.start(context.clock, _INITIALIZED_WITHIN))
    task = watch.until(_is_ready)
    if task is None:
        raise _still_initializing(watch)
    _require_approved(task, inputs)
    if task.status in STOPPED:
        raise _error(task, "was stopped, and cannot be confirmed", message_rendering.NEW_TASK)
    if not _has_begun(task):  # somebody may have confirmed it already, here or on the console
        _confirm(client, watch, task)
    return watch.task or task


def _confirm(client: Client, watch: TaskPoller, task: BatchTask) -> None:
    """Confirm once. If the response is lost or is a refusal, the task itself shows whether it has begun."""
    refusal: IotdaOtaError | None = None
    again = message_rendering.confirm_again(task.task_id, task.package_ids or ())
    try:
        refused = told_refusal(client.confirm_batch_task(task.task_id).targets)
        refusal = _error(task, f"could not be confirmed for {refused}", again) if refused else None
    except (OutcomeUnknown, ServiceError) as error:
        error.note("fix", again)
        refusal = error
    if refusal is not None and watch.until(_has_begun, seconds=_ACCEPTED_WITHIN) is None:
        raise refusal


def _is_ready(task: BatchTask) -> bool:
    """Return whether the devices of a task are known; where a service counts none, that it has initialized is all."""
    return task.status != _INITIALIZING and (task.task_progress is None or task.task_progress.total > 0)


def _has_begun(task: BatchTask) -> bool:
    """Return whether the service says that no device of a task waits any more."""
    standing = DeviceCounts.of(task, ended=False)
    return standing.all_begun or (task.status in ENDED and standing.waiting == 0)


def _require_approved(task: BatchTask, inputs: Properties) -> None:
    """Refuse a task that installs anything else than what was approved, or does not wait for an approval."""
    approved = sorted(set(inputs["approved_package_ids"]))
    found = sorted(set(task.package_ids or ()))
    if found != approved:
        facts = [
            ("requested", argument("approved_package_ids", approved)),
            ("found", ", ".join(map(sanitize, found)) or "the service does not say what it installs"),
            ("task", f"{sanitize(task.task_name)}, {described(task)}"),
            ("fix", f"review what it installs, and write that into {argument('approved_package_ids')}"),
        ]
        headline = "the upgrade task installs other packages than the approved ones; it was not confirmed"
        raise InputError(headline, argument="approved_package_ids", facts=facts)
    if task.need_confirm is False:
        raise _error(task, "does not wait for a confirmation", message_rendering.without_confirmation(task.task_id))


def _still_initializing(watch: TaskPoller) -> IotdaOtaError:
    facts = [("cause", watch.outage.message.headline)] if watch.outage else []
    facts.append(
        ("fix", message_rendering.confirm_again(watch.task_id, (watch.task.package_ids if watch.task else None) or ()))
    )
    return IotdaOtaError(
        f"upgrade task {watch.task_id} was not ready to be confirmed within {watch.end.seconds:g} seconds", facts=facts
    )


def _error(task: BatchTask, what: str, fix: str) -> IotdaOtaError:
    facts = [("found", described(task)), ("fix", fix)]
    return IotdaOtaError(f"upgrade task {sanitize(task.task_name)} {what}", facts=facts)
