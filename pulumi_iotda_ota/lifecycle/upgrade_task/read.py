"""Reads upgrade tasks: by name, by id, and as the outputs of the resource. Starts and stops nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.errors import ProtocolError, ServiceError
from pulumi_iotda_ota.iotda.models import UnreadableRecord
from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lifecycle.identity import require_gone
from pulumi_iotda_ota.lifecycle.upgrade_task.naming import ENDED, is_named_alike, is_of_one_prefix, shares_devices

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import BatchTask, TargetResult, TaskSummary
    from pulumi_iotda_ota.iotda.retry import Deadline
    from pulumi_iotda_ota.lifecycle.base import Properties

#: The ends after which the failed devices of a task can be tried again.
RETRYABLE = ("Fail", "PartialSuccess")
#: The states of a task that somebody stopped.
STOPPED = ("Stopped", "Stopping")
_WAITING = "Waitting"  # the API's spelling


def find_task(client: Client, inputs: Properties, *, deadline: Deadline | None = None) -> BatchTask | None:
    """Return the newest task of the campaign, or None.

    Args:
        client: asks the service.
        inputs: the inputs with ``task_name`` and ``task_type``.
        deadline: the bound of the whole look; by default that of the connection.
    """
    tasks = _listed_tasks(client, inputs, deadline)
    found = next((task for task in tasks if is_named_alike(task.task_name, inputs["task_name"])), None)
    return _read_listed_task(client, found.task_id, deadline) if found else None


def find_task_or_rival(client: Client, inputs: Properties) -> tuple[BatchTask | None, BatchTask | None]:
    """Return the newest task of the campaign, or else a running task of the same prefix that has its devices.

    Both are found by one walk. A task that waits for its time has no device yet.

    Args:
        client: asks the service.
        inputs: the inputs with ``task_name`` and ``task_type``.
    """
    rivals = []
    for task in _listed_tasks(client, inputs, None):
        if is_named_alike(task.task_name, inputs["task_name"]):
            return _read_listed_task(client, task.task_id, None), None
        if task.status not in (*ENDED, *STOPPED) and is_of_one_prefix(task.task_name, inputs["task_name"]):
            rivals.append(task.task_id)
    shown = (_read_listed_task(client, task_id, None) for task_id in rivals)
    return None, next((task for task in shown if task and _has_devices(task, inputs)), None)


def _listed_tasks(client: Client, inputs: Properties, deadline: Deadline | None) -> Iterator[TaskSummary | BatchTask]:
    """Yield the tasks among which one is looked for, newest first.

    A record that cannot be judged may be that task. Then it is read by its id, so that no second task is created.

    Raises:
        ProtocolError: it cannot be judged by its id either, or has none.
    """
    wanted = inputs["task_name"]
    for task in client.list_batch_tasks(inputs["task_type"], app_id=inputs.get("app_id"), deadline=deadline):
        if not isinstance(task, UnreadableRecord):
            yield task
        elif not task.name or is_named_alike(task.name, wanted) or is_of_one_prefix(task.name, wanted):
            if not task.id:
                raise ProtocolError(
                    f"whether upgrade task {wanted} exists is not known: the list has {task}",
                    facts=[("fix", "correct or delete that task on the console, and run pulumi up again")],
                )
            shown = _read_listed_task(client, task.id, deadline)
            if shown is not None:
                yield shown


def _has_devices(task: BatchTask, inputs: Properties) -> bool:
    waits_for_its_time = task.status == _WAITING and (task.task_policy or {}).get("schedule_time")
    return is_running(task) and not waits_for_its_time and shares_devices(task, inputs)


def _read_listed_task(client: Client, id_: str, deadline: Deadline | None) -> BatchTask | None:
    """Return a task, or None where it was deleted since it was listed."""
    try:
        return client.show_batch_task(id_, deadline=deadline)
    except ServiceError as error:
        if not error.is_not_found:
            raise
        return None


def show_task(client: Client, id_: str, state: Properties) -> BatchTask | None:
    """Return a task, or None where it is gone; see :func:`~pulumi_iotda_ota.lifecycle.identity.require_gone`."""
    try:
        return client.show_batch_task(id_)
    except ServiceError as error:
        require_gone(error, state, client.connection, thing=f"upgrade task {id_}")
        return None


def is_running(task: BatchTask) -> bool:
    """Return whether a task has not ended."""
    return task.status not in ENDED


def described(task: BatchTask) -> str:
    """Return what an error or a warning says of a task."""
    return f"{argument('task_id')} {sanitize(task.task_id)}, status {sanitize(task.status)}"


def told_refusal(answers: Sequence[TargetResult]) -> str:
    """Return in words which devices an action was refused for, and why, or nothing where there are none."""
    refused = [answer for answer in answers if answer.status != "success"]
    if not refused:
        return ""
    why = sanitize(refused[0].error_msg or refused[0].error_code or "no reason given")
    return f"{len(refused)} devices, {sanitize(refused[0].target)} first: {why}"


def outputs_of(task: BatchTask) -> Properties:
    """Return the outputs of the resource; no output of a device is among them, it can hold device secrets."""
    return {
        "task_id": task.task_id,
        "task_name": task.task_name,
        "status": task.status,
        "status_desc": task.status_desc or "",
        "progress": task.task_progress.model_dump() if task.task_progress else {},
        "create_time": task.create_time or "",
    }
