"""UpgradeTaskConfirmation: confirm an upgrade task that waits for a person to approve its packages. Owns nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota import message_rendering, schema
from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError, OutcomeUnknown, ServiceError
from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.iotda.retry import Deadline
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lifecycle.base import OneShot, holds_unknown
from pulumi_iotda_ota.lifecycle.polling import TaskPoller
from pulumi_iotda_ota.lifecycle.thresholds import DeviceCounts
from pulumi_iotda_ota.lifecycle.upgrade_task.naming import ENDED
from pulumi_iotda_ota.lifecycle.upgrade_task.tasks import INITIALIZING, STOPPED, described, refusal_text
from pulumi_iotda_ota.schema.validation import Problem

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import BatchTask
    from pulumi_iotda_ota.lifecycle.base import Properties, ResourceContext

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
        """Return all problems of the inputs."""
        problems = super().problems(inputs)
        if holds_unknown(inputs.get("approved_package_ids")):
            problems.append(Problem("approved_package_ids", "must be literal ids"))
        return problems

    @classmethod
    def run(cls, context: ResourceContext, inputs: Properties) -> Properties:
        """Confirm the task if it installs exactly the approved packages.

        Raises:
            IotdaOtaError: it installs other packages, does not wait for a confirmation, or was stopped.
        """
        client = context.run.client(context.resolve(inputs))
        poller = TaskPoller(context, client, inputs["task_id"], Deadline.start(context.clock, _INITIALIZED_WITHIN))
        task = poller.until(_is_ready)
        if task is None:
            raise _still_initializing(poller)
        _require_approved(task, inputs)
        if task.status in STOPPED:
            raise _error(task, "was stopped, and cannot be confirmed", message_rendering.NEW_TASK)
        if not _has_begun(task):  # an earlier run, or a person on the console, can have confirmed it already
            _confirm(client, poller, task)
        task = poller.task or task
        return {"task_name": task.task_name, "status": task.status}


def _confirm(client: Client, poller: TaskPoller, task: BatchTask) -> None:
    """Confirm once. If the response is lost or is a refusal, the task itself shows whether it has begun."""
    refusal: IotdaOtaError | None = None
    again = message_rendering.confirm_again(task.task_id, task.package_ids or ())
    try:
        refused = refusal_text(client.confirm_batch_task(task.task_id).targets)
        refusal = _error(task, f"could not be confirmed for {refused}", again) if refused else None
    except (OutcomeUnknown, ServiceError) as error:
        error.note("fix", again)
        refusal = error
    if refusal is not None and poller.until(_has_begun, seconds=_ACCEPTED_WITHIN) is None:
        raise refusal


def _is_ready(task: BatchTask) -> bool:
    """Return whether a task has initialized and its devices are counted, if the service counts devices."""
    return task.status != INITIALIZING and (task.task_progress is None or task.task_progress.total > 0)


def _has_begun(task: BatchTask) -> bool:
    """Return whether no device of a task waits any more."""
    counts = DeviceCounts.of(task, ended=False)
    return counts.all_begun or (task.status in ENDED and counts.waiting == 0)


def _require_approved(task: BatchTask, inputs: Properties) -> None:
    """Refuse a task that installs other packages than the approved ones, or does not wait for a confirmation."""
    approved = sorted(set(inputs["approved_package_ids"]))
    found = sorted(set(task.package_ids or ()))
    if found != approved:
        facts = [
            ("requested", argument("approved_package_ids", approved)),
            ("found", ", ".join(map(sanitize, found)) or "the service does not return the packages of the task"),
            ("task", f"{sanitize(task.task_name)}, {described(task)}"),
            ("fix", f"review what it installs, and write that into {argument('approved_package_ids')}"),
        ]
        headline = "the upgrade task installs other packages than the approved ones; it was not confirmed"
        raise InputError(headline, argument="approved_package_ids", facts=facts)
    if task.need_confirm is False:
        raise _error(task, "does not wait for a confirmation", message_rendering.without_confirmation(task.task_id))


def _still_initializing(poller: TaskPoller) -> IotdaOtaError:
    cause = [("cause", poller.outage.message.headline)] if poller.outage else []
    packages = (poller.task.package_ids if poller.task else None) or ()
    facts = [*cause, ("fix", message_rendering.confirm_again(poller.task_id, packages))]
    headline = f"upgrade task {poller.task_id} was not ready to be confirmed within {poller.end.seconds:g} seconds"
    return IotdaOtaError(headline, facts=facts)


def _error(task: BatchTask, problem: str, fix: str) -> IotdaOtaError:
    facts = [("found", described(task)), ("fix", fix)]
    return IotdaOtaError(f"upgrade task {sanitize(task.task_name)} {problem}", facts=facts)
