"""Creates the task of a rollout at most once, by its name.

The name stands for the rollout: a task of that name was created by a run that was interrupted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.durations import parse_duration
from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError
from pulumi_iotda_ota.iotda.models import read_service_time
from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lifecycle.recovery import Creation, create_once
from pulumi_iotda_ota.lifecycle.upgrade_task.naming import disagreements, new_task
from pulumi_iotda_ota.lifecycle.upgrade_task.read import (
    RETRYABLE,
    STOPPED,
    described,
    find_task,
    find_task_or_rival,
    is_running,
)
from pulumi_iotda_ota.message_rendering import NEW_TASK, delete_task

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import BatchTask
    from pulumi_iotda_ota.iotda.retry import Deadline
    from pulumi_iotda_ota.lifecycle.base import Properties, ResourceContext

DEFAULT_ADOPT_WITHIN = schema.ADOPT_WITHIN.default


def create_task_once(context: ResourceContext, client: Client, inputs: Properties) -> BatchTask:
    """Return the task of the rollout, created now or adopted.

    Raises:
        IotdaOtaError: a task of that name is there that may not be adopted.
        OutcomeUnknown: the service may have accepted the request, and the task did not appear within two minutes.
    """

    def find(deadline: Deadline | None) -> BatchTask | None:
        if deadline is not None:  # after a request of this run: no other task was there before it
            return find_task(client, inputs, deadline=deadline)
        found, rival = find_task_or_rival(client, inputs)
        if found is None and rival is not None:
            raise _held(rival, inputs)
        return found

    return create_once(
        context,
        client.connection.identity,
        Creation(
            kind="upgrade task",
            name=f"upgrade task {sanitize(inputs['task_name'])}",
            key=("task", inputs["task_name"]),
            find=find,
            create=lambda: client.create_batch_task(new_task(inputs)),
            select=lambda task: _require_adoptable(context, inputs, task),
            id_of=lambda task: task.task_id,
            describe=_adopted,
            advice=f"declare it once, or set other {argument('triggers')} in one of them",
        ),
    )


def _adopted(task: BatchTask) -> str:
    """Return what a warning says of a task that is adopted. One that has failed is not started again."""
    again = f"; it has failed: change {argument('triggers')} to start a new one" if task.status in RETRYABLE else ""
    return f"{described(task)}{again}"


def _require_adoptable(context: ResourceContext, inputs: Properties, task: BatchTask) -> BatchTask:
    differs = disagreements(task, inputs)
    if differs:
        raise _refused(task, f"with other inputs: {'; '.join(differs)}")
    if task.status in STOPPED:
        raise _refused(task, "and was stopped")
    if not is_running(task) and not _is_recent(context, inputs, task):
        within = inputs.get("adopt_within", DEFAULT_ADOPT_WITHIN)
        raise _refused(task, f"and ended; it is older than {argument('adopt_within', within)}")
    return task


def _is_recent(context: ResourceContext, inputs: Properties, task: BatchTask) -> bool:
    within = parse_duration("adopt_within", inputs.get("adopt_within", DEFAULT_ADOPT_WITHIN))
    created = read_service_time(task.create_time or "")
    # Nothing is known of a time that cannot be read: not recent is the safe side.
    return created is not None and (context.clock.now() - created).total_seconds() <= within


def _held(rival: BatchTask, inputs: Properties) -> InputError:
    """Return the error of a task whose devices another task of the same name has: each of them would fail.

    The engine compares no resource that it is told to replace, nor one under another name. So this is the first time
    that anybody hears of the task that runs, and its deletion would stop it next.
    """
    advice = (
        f"wait for its end; to start the new task at once, set {argument('replace_running', True)} and force no "
        "replacement (--replace, --target-replace, pulumi state taint); if the resource was renamed, give it aliases"
    )
    facts = [
        ("found", f"{sanitize(rival.task_name)}, {described(rival)}"),
        ("cause", "the service refuses a device that another running task has"),
        ("fix", advice),
    ]
    name = sanitize(inputs["task_name"])
    return InputError(f"upgrade task {name} is not created: a task with the same devices still runs", facts=facts)


def _refused(task: BatchTask, why: str) -> IotdaOtaError:
    facts = [
        ("found", f"{described(task)}, created {sanitize(task.create_time or 'at an unknown time')}"),
        ("fix", f"{NEW_TASK}; or {delete_task(task.task_id, is_running=is_running(task))}"),
    ]
    return IotdaOtaError(f"upgrade task {sanitize(task.task_name)} exists already {why}", facts=facts)
