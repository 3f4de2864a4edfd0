"""Creates a task at most once: looks for its name first, and never repeats a request whose outcome is not known.

The service has no client token. So the name stands for the campaign, and a task of that name is this campaign's, made
by a run that was cut off. What remains: a request that the service accepts only after the next run has looked.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.errors import IotdaOtaError, OutcomeUnknown
from pulumi_iotda_ota.iotda.models import parse_api_time
from pulumi_iotda_ota.iotda.text import printable
from pulumi_iotda_ota.lifecycle.campaign import RUNNING, disagreements, new_task
from pulumi_iotda_ota.lifecycle.durations import parse_duration

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import BatchTask
    from pulumi_iotda_ota.lifecycle.base import Properties, World

__all__ = ["create_once", "find_task"]

DEFAULT_ADOPT_WITHIN = "24h"
_LOOK_FOR_SECONDS = 30
_LOOK_EVERY_SECONDS = 2
_STOPPED = ("Stopped", "Stopping")


def create_once(world: World, client: Client, inputs: Properties) -> BatchTask:
    """Return the task of the campaign, created now or found.

    Raises:
        IotdaOtaError: a task of that name is there that may not be taken over.
        OutcomeUnknown: the service may have accepted the request, and the task did not appear within 30 seconds.
    """
    found = find_task(client, inputs)
    if found is not None:
        return _adopted(world, inputs, found)
    try:
        return client.create_batch_task(new_task(inputs))
    except OutcomeUnknown as error:
        return _looked_for(world, client, inputs, error)


def find_task(client: Client, inputs: Properties) -> BatchTask | None:
    """Return the newest task of the campaign's name, or None."""
    tasks = client.list_batch_tasks(inputs["task_type"], app_id=inputs.get("app_id"))
    return next((task for task in tasks if task.task_name == inputs["task_name"]), None)


def _looked_for(world: World, client: Client, inputs: Properties, error: OutcomeUnknown) -> BatchTask:
    end = world.clock.monotonic() + _LOOK_FOR_SECONDS
    why_not = "it did not appear"
    while world.clock.monotonic() < end:
        try:
            found = find_task(client, inputs)
        except IotdaOtaError as failed:
            why_not = f"it could not be looked for: {failed.headline}"
        else:
            if found is not None:
                return _adopted(world, inputs, found)
        world.clock.sleep(_LOOK_EVERY_SECONDS)
    facts = [
        ("asked for", f"task {inputs['task_name']}"),
        ("answered", error.headline),
        ("looked for", f"{_LOOK_FOR_SECONDS} seconds; {why_not}"),
        ("what to do", "run pulumi up again: it looks for this task first and takes it over if it is there"),
    ]
    raise OutcomeUnknown("it is not known whether the upgrade task was created", facts=facts) from error


def _adopted(world: World, inputs: Properties, task: BatchTask) -> BatchTask:
    """Return a task that was found, after making sure that it may be taken over."""
    differs = disagreements(task, inputs)
    if differs:
        raise _refused(task, f"and it is another campaign: {printable('; '.join(differs))}")
    if task.status in _STOPPED:
        raise _refused(task, "and it was stopped")
    if task.status not in RUNNING and not _is_recent(world, inputs, task):
        within = inputs.get("adopt_within") or DEFAULT_ADOPT_WITHIN
        raise _refused(task, f"and it ended; it is older than adopt_within ({within})")
    world.warn(
        f"upgrade task {task.task_name} was there already and is taken over: "
        f"task_id {printable(task.task_id)}, status {printable(task.status)}"
    )
    return task


def _is_recent(world: World, inputs: Properties, task: BatchTask) -> bool:
    within = parse_duration("adopt_within", inputs.get("adopt_within") or DEFAULT_ADOPT_WITHIN)
    try:
        created = parse_api_time(task.create_time or "")
    except ValueError:
        return False  # of a time that can not be read nothing is known: not recent is the safe side
    return world.clock.now() - created <= timedelta(seconds=within)


def _refused(task: BatchTask, why: str) -> IotdaOtaError:
    facts = [
        ("found", f"task_id {printable(task.task_id)}, status {printable(task.status)}, created {task.create_time}"),
        ("what to do", "change triggers for a new campaign, or remove that task"),
    ]
    return IotdaOtaError(f"upgrade task {task.task_name} is there already, {why}", facts=facts)
