"""Ends an upgrade task: stops what runs, waits until it has stopped, and deletes it if that is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.errors import IotdaOtaError, ServiceError
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lifecycle.upgrade_task.read import described, is_running, show_task, told_refusal
from pulumi_iotda_ota.message_rendering import leave_running

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import BatchTask
    from pulumi_iotda_ota.iotda.retry import Clock
    from pulumi_iotda_ota.lifecycle.base import Properties

_STOPPING = "Stopping"
_STOP_WITHIN_SECONDS = 300
_POLL_SECONDS = 1


def stop_task(clock: Clock, client: Client, id_: str, state: Properties) -> BatchTask | None:
    """Stop a task if it runs, and return it once it has ended, or None where it is gone.

    Args:
        clock: the time, and the way to wait.
        client: asks the service.
        id_: the task.
        state: what is stored of it.

    Raises:
        IotdaOtaError: it can not be stopped, or did not stop within five minutes.
    """
    task = show_task(client, id_, state)
    if task is None or not is_running(task):
        return task
    refusal = _ask_to_stop(client, id_, state) if task.status != _STOPPING else ""
    return _stopped(clock, client, id_, state, refusal)


def delete_task(client: Client, id_: str, state: Properties) -> None:
    """Delete a task that has ended; one that is gone is what was wanted."""
    try:
        client.delete_batch_task(id_)
    except ServiceError:
        if show_task(client, id_, state) is not None:
            raise


def _ask_to_stop(client: Client, id_: str, state: Properties) -> str:
    """Ask for it, and return in words which devices that was refused for."""
    try:
        return told_refusal(client.stop_batch_task(id_).targets)
    except ServiceError as error:
        # A task that ended, or began to stop, at the same moment can not be stopped and need not be.
        task = show_task(client, id_, state)
        if task is None or not is_running(task) or task.status == _STOPPING:
            return ""
        # The documents give no way to stop a moduleUpgrade.
        error.note("found", f"{sanitize(task.task_type)} {sanitize(task.task_name)}, {described(task)}")
        error.note("fix", leave_running())
        raise


def _stopped(clock: Clock, client: Client, id_: str, state: Properties, refusal: str) -> BatchTask | None:
    end = clock.monotonic() + _STOP_WITHIN_SECONDS
    while (task := show_task(client, id_, state)) is not None and is_running(task):
        if clock.monotonic() >= end:
            refused = [("refused", refusal)] if refusal else []
            advice = ("fix", "run it again: it continues to wait")
            facts = [("found", described(task)), *refused, advice]
            headline = f"upgrade task {sanitize(task.task_name)} did not stop within {_STOP_WITHIN_SECONDS} seconds"
            raise IotdaOtaError(headline, facts=facts)
        clock.sleep(_POLL_SECONDS)
    return task
