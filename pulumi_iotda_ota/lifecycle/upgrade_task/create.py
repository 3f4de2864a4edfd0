"""Creates a task at most once: looks for its name first, and never repeats a request whose outcome is not known.

The service has no client token. So the name stands for the campaign, and a task of that name is this campaign's, made
by a run that was cut off. What remains: a request that the service accepts only after the next run has looked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.message_rendering import NEW_TASK, delete_task
from pulumi_iotda_ota.iotda.references import argument, arguments
from pulumi_iotda_ota.durations import parse_duration
from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError, OutcomeUnknown
from pulumi_iotda_ota.iotda.models import parse_api_time
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lifecycle.recovery import poll_until_visible
from pulumi_iotda_ota.lifecycle.run_state import Thing
from pulumi_iotda_ota.lifecycle.upgrade_task.naming import disagreements, new_task
from pulumi_iotda_ota.lifecycle.upgrade_task.read import RETRYABLE, STOPPED, described, find_task, find_task_or_rival, is_running

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import BatchTask
    from pulumi_iotda_ota.lifecycle.base import Properties, ResourceContext

DEFAULT_ADOPT_WITHIN = "24h"


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
            facts = [("found", described(task)), ("fix", f"declare it once, or set other {argument('triggers')} in one of them")]
            raise InputError(f"two resources declare the same upgrade task: {sanitize(task.task_name)}", facts=facts)
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
            asked=arguments({"task_name": inputs["task_name"]}),
        )
    return _adopted(context, inputs, task)


def _adopted(context: ResourceContext, inputs: Properties, task: BatchTask) -> BatchTask:
    """Return a task that was found, after making sure that it may be taken over."""
    differs = disagreements(task, inputs)
    if differs:
        raise _refused(task, f"with other inputs: {'; '.join(differs)}")
    if task.status in STOPPED:
        raise _refused(task, "and was stopped")
    if not is_running(task) and not _is_recent(context, inputs, task):
        within = inputs.get("adopt_within", DEFAULT_ADOPT_WITHIN)
        raise _refused(task, f"and ended; it is older than {argument('adopt_within', within)}")
    context.run_state.require_shared(f"upgrade task {sanitize(task.task_name)} exists already and is not adopted")
    failed = "" if task.status not in RETRYABLE else f"; it has failed: to start a new task, change {argument('triggers')}"
    context.warn(f"upgrade task {sanitize(task.task_name)} exists already and is adopted: {described(task)}{failed}")
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
        ("fix", f"{NEW_TASK}; or delete that task: {delete_task(task.task_id, running=is_running(task))}"),
    ]
    return IotdaOtaError(f"upgrade task {sanitize(task.task_name)} exists already, {why}", facts=facts)
