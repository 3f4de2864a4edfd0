"""Creates a task at most once: looks for its name first, and never repeats a request whose outcome is not known.

The service has no client token. So the name stands for the campaign, and a task of that name is this campaign's, made
by a run that was cut off. What remains: a request that the service accepts only after the next run has looked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.durations import parse_duration
from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError, OutcomeUnknown
from pulumi_iotda_ota.iotda.models import parse_api_time
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lifecycle.recovery import poll_until_visible
from pulumi_iotda_ota.lifecycle.run_state import Thing
from pulumi_iotda_ota.lifecycle.upgrade_task.naming import disagreements, new_task
from pulumi_iotda_ota.lifecycle.upgrade_task.read import STOPPED, described, find_task, find_task_or_rival, is_running

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import BatchTask
    from pulumi_iotda_ota.lifecycle.base import Properties, ResourceContext

DEFAULT_ADOPT_WITHIN = schema.ADOPT_WITHIN.default


def create_once(context: ResourceContext, client: Client, inputs: Properties) -> BatchTask:
    """Return the task of the campaign, created now or found.

    Raises:
        IotdaOtaError: a task of that name is there that may not be taken over.
        OutcomeUnknown: the service may have accepted the request, and the task did not appear within two minutes.
    """
    # Two resources of one program that describe one campaign must not both find none.
    with context.run_state.alone("task", inputs["task_name"]):
        task = _found_or_created(context, client, inputs)
        thing = Thing.at(client.connection.identity, task.task_id)
        if context.run_state.is_created(thing):
            facts = [("task", described(task)), ("what to do", "declare it once, or give one of them other triggers")]
            raise InputError(f"two resources describe one campaign: {sanitize(task.task_name)}", facts=facts)
        context.run_state.note_created(thing)
    return task


def _found_or_created(context: ResourceContext, client: Client, inputs: Properties) -> BatchTask:
    found, rival = find_task_or_rival(client, inputs)
    if found is not None:
        return _adopted(context, inputs, found)
    if rival is not None:
        raise _held(rival, inputs)
    try:
        return client.create_batch_task(new_task(inputs))
    except OutcomeUnknown as error:
        task = poll_until_visible(
            context.clock,
            lambda deadline: find_task(client, inputs, deadline=deadline),
            error,
            thing="upgrade task",
            asked=f"task {inputs['task_name']}",
        )
    return _adopted(context, inputs, task)


def _adopted(context: ResourceContext, inputs: Properties, task: BatchTask) -> BatchTask:
    """Return a task that was found, after making sure that it may be taken over."""
    differs = disagreements(task, inputs)
    if differs:
        raise _refused(task, f"and it is another campaign: {sanitize('; '.join(differs))}")
    if task.status in STOPPED:
        raise _refused(task, "and it was stopped")
    if not is_running(task) and not _is_recent(context, inputs, task):
        within = inputs.get("adopt_within", DEFAULT_ADOPT_WITHIN)
        raise _refused(task, f"and it ended; it is older than adopt_within ({within})")
    context.run_state.require_shared(f"upgrade task {sanitize(task.task_name)} is there already and is not adopted")
    context.warn(f"upgrade task {task.task_name} is there already and is taken over: {described(task)}")
    return task


def _is_recent(context: ResourceContext, inputs: Properties, task: BatchTask) -> bool:
    within = parse_duration("adopt_within", inputs.get("adopt_within", DEFAULT_ADOPT_WITHIN))
    try:
        created = parse_api_time(task.create_time or "")
    except ValueError:
        return False  # of a time that can not be read nothing is known: not recent is the safe side
    return (context.clock.now() - created).total_seconds() <= within


def _held(rival: BatchTask, inputs: Properties) -> InputError:
    """Return the error of a task whose devices another task of the same name has: each of them would fail.

    The engine compares no resource that it is told to replace, nor one under another name. So this is the first time
    that anybody hears of the task that runs, and its deletion would stop it next.
    """
    advice = (
        "wait for its end; for a new campaign at once, set replace_running=True and replace nothing by force "
        "(--replace, --target-replace, pulumi state taint); if the resource was renamed, give it aliases"
    )
    facts = [
        ("running", f"{sanitize(rival.task_name)}, {described(rival)}"),
        ("cause", "the service refuses a device that another running task has"),
        ("what to do", advice),
    ]
    name = sanitize(inputs["task_name"])
    return InputError(f"upgrade task {name} is not created: a task with the same devices still runs", facts=facts)


def _refused(task: BatchTask, why: str) -> IotdaOtaError:
    facts = [
        ("found", f"{described(task)}, created {sanitize(task.create_time or 'at an unknown time')}"),
        ("what to do", "change triggers for a new campaign, or remove that task"),
    ]
    return IotdaOtaError(f"upgrade task {task.task_name} is there already, {why}", facts=facts)
