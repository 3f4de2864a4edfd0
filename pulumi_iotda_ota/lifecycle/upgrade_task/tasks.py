"""Find, read, stop and delete upgrade tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.errors import IotdaOtaError, ProtocolError, ServiceError
from pulumi_iotda_ota.iotda.models import UnreadableRecord
from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lifecycle.identity import require_gone
from pulumi_iotda_ota.lifecycle.upgrade_task.naming import ENDED, is_named_alike, is_of_one_prefix, shares_devices
from pulumi_iotda_ota.message_rendering import leave_running

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import BatchTask, TargetResult, TaskSummary
    from pulumi_iotda_ota.iotda.retry import Clock, Deadline
    from pulumi_iotda_ota.lifecycle.base import Properties

#: The final states whose failed devices can be retried.
RETRYABLE = ("Fail", "PartialSuccess")
#: The states of a task that was stopped or is being stopped.
STOPPED = ("Stopped", "Stopping")
INITIALIZING = "Initializing"
_STOPPING = "Stopping"
_WAITING = "Waitting"  # the API's spelling
_STOP_WITHIN = 300  # seconds
_POLL_SECONDS = 1


def find_task(client: Client, inputs: Properties, *, deadline: Deadline | None = None) -> BatchTask | None:
    """Return the newest task with the name of the inputs, or None."""
    tasks = _listed_tasks(client, inputs, deadline)
    found = next((task for task in tasks if is_named_alike(task.task_name, inputs["task_name"])), None)
    return _read_listed_task(client, found.task_id, deadline) if found else None


def find_task_or_rival(client: Client, inputs: Properties) -> tuple[BatchTask | None, BatchTask | None]:
    """Return the task that :func:`find_task` finds, or else a running task with the same prefix and devices.

    The list is read once. A task that waits for its time holds no device yet.
    """
    rivals = []
    for task in _listed_tasks(client, inputs, None):
        if is_named_alike(task.task_name, inputs["task_name"]):
            return _read_listed_task(client, task.task_id, None), None
        if task.status not in (*ENDED, *STOPPED) and is_of_one_prefix(task.task_name, inputs["task_name"]):
            rivals.append(task.task_id)
    details = (_read_listed_task(client, task_id, None) for task_id in rivals)
    return None, next((task for task in details if task and _has_devices(task, inputs)), None)


def _listed_tasks(client: Client, inputs: Properties, deadline: Deadline | None) -> Iterator[TaskSummary | BatchTask]:
    """Yield the listed tasks of the type, newest first.

    A record that cannot be judged may be the wanted task. It is read by its id, so that no second task is created.

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
            detail = _read_listed_task(client, task.id, deadline)
            if detail is not None:
                yield detail


def _has_devices(task: BatchTask, inputs: Properties) -> bool:
    waits_for_its_time = task.status == _WAITING and (task.task_policy or {}).get("schedule_time")
    return is_running(task) and not waits_for_its_time and shares_devices(task, inputs)


def _read_listed_task(client: Client, id_: str, deadline: Deadline | None) -> BatchTask | None:
    """Return a task, or None if it was deleted after the list was read."""
    try:
        return client.show_batch_task(id_, deadline=deadline)
    except ServiceError as error:
        if not error.is_not_found:
            raise
        return None


def read_task(client: Client, id_: str, state: Properties) -> BatchTask | None:
    """Return a task, or None if it is gone; see :func:`~pulumi_iotda_ota.lifecycle.identity.require_gone`."""
    try:
        return client.show_batch_task(id_)
    except ServiceError as error:
        require_gone(error, state, client.connection, thing=f"upgrade task {id_}")
        return None


def stop_task(clock: Clock, client: Client, id_: str, state: Properties) -> BatchTask | None:
    """Stop a task if it runs. Return it when it has ended, or None if it is gone.

    Raises:
        IotdaOtaError: it cannot be stopped, or did not stop within five minutes.
    """
    task = read_task(client, id_, state)
    if task is None or not is_running(task):
        return task
    refusal = _request_stop(client, id_, state) if task.status != _STOPPING else ""
    end = clock.monotonic() + _STOP_WITHIN
    while (task := read_task(client, id_, state)) is not None and is_running(task):
        if clock.monotonic() >= end:
            refused = [("refused", refusal)] if refusal else []
            facts = [("found", described(task)), *refused, ("fix", "run it again: it continues to wait")]
            headline = f"upgrade task {sanitize(task.task_name)} did not stop within {_STOP_WITHIN} seconds"
            raise IotdaOtaError(headline, facts=facts)
        clock.sleep(_POLL_SECONDS)
    return task


def _request_stop(client: Client, id_: str, state: Properties) -> str:
    """Send the request, and return for which devices the service refused it."""
    try:
        return refusal_text(client.stop_batch_task(id_).targets)
    except ServiceError as error:
        # A task that ended, or began to stop, at the same moment cannot be stopped and need not be.
        task = read_task(client, id_, state)
        if task is None or not is_running(task) or task.status == _STOPPING:
            return ""
        # The documents have no operation that stops a moduleUpgrade.
        error.note("found", f"{sanitize(task.task_type)} {sanitize(task.task_name)}, {described(task)}")
        error.note("fix", leave_running())
        raise


def delete_task(client: Client, id_: str, state: Properties) -> None:
    """Delete a task that has ended. A task that is gone is no error."""
    try:
        client.delete_batch_task(id_)
    except ServiceError:
        if read_task(client, id_, state) is not None:
            raise


def is_running(task: BatchTask) -> bool:
    """Return whether a task has not ended."""
    return task.status not in ENDED


def described(task: BatchTask) -> str:
    """Return id and status of a task, for an error or a warning."""
    return f"{argument('task_id')} {sanitize(task.task_id)}, status {sanitize(task.status)}"


def refusal_text(results: Sequence[TargetResult]) -> str:
    """Return for which devices the service refused an action, and the reason; empty if it refused none."""
    refused = [result for result in results if result.status != "success"]
    if not refused:
        return ""
    reason = sanitize(refused[0].error_msg or refused[0].error_code or "no reason given")
    return f"{len(refused)} devices, {sanitize(refused[0].target)} first: {reason}"


def outputs_of(task: BatchTask) -> Properties:
    """Return the outputs of the resource. None of them is about a device, which can have secrets."""
    return {
        "task_id": task.task_id,
        "task_name": task.task_name,
        "status": task.status,
        "status_desc": task.status_desc or "",
        "progress": task.task_progress.model_dump() if task.task_progress else {},
        "create_time": task.create_time or "",
    }
