"""Looks an upgrade task up: its status, and the devices that failed. A task changes, so each lookup sends a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.errors import ServiceError
from pulumi_iotda_ota.iotda.failed_devices import failing_devices
from pulumi_iotda_ota.iotda.references import argument, setting
from pulumi_iotda_ota.iotda.retry import Deadline
from pulumi_iotda_ota.message_rendering import command

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.failed_devices import FailingDevice
    from pulumi_iotda_ota.iotda.models import BatchTask, UnreadableRecord
    from pulumi_iotda_ota.lookup.query import UpgradeTaskLookup
    from pulumi_iotda_ota.lookup.session import Run


@dataclass(frozen=True)
class FoundTask:
    """A task, the first of its failed devices, and their records that cannot be judged."""

    task: BatchTask
    failed_devices: tuple[FailingDevice, ...]
    unreadable: tuple[UnreadableRecord, ...]
    id: str


def find_upgrade_task(run: Run, connection: ResolvedConnection, lookup: UpgradeTaskLookup) -> FoundTask:
    """Return a task with its failed devices. It costs one request, and more only if devices failed.

    Raises:
        ServiceError: there is no such task (status 404), or the service refused the request.
        IotdaOtaError: not all could be read.
    """
    deadline = Deadline.start(run.clock, connection.deadline)
    connection = run.completed(connection, deadline=deadline)
    client = run.client(connection)
    try:
        task = client.show_batch_task(lookup.task_id, deadline=deadline)
        failing = failing_devices(client, task.task_id, task.task_progress, deadline=deadline)
    except ServiceError as error:
        if not error.is_not_found:
            raise
        raise missing_task(lookup.task_id, error, connection) from error
    return FoundTask(task, failing.devices, failing.unreadable, lookup.id)


def missing_task(task_id: str, error: ServiceError, connection: ResolvedConnection) -> ServiceError:
    """Return the error of a task that does not exist, made from the service's error."""
    checked = f"{argument('task_id')}, {setting('project_id')} and {setting('instance_id')}"
    return ServiceError(
        f"there is no upgrade task {task_id}",
        status=error.status,
        error_code=error.error_code,
        error_msg=error.error_msg,
        request_id=error.request_id,
        facts=[
            ("endpoint", connection.described),
            ("fix", f"check {checked}; list all: {command('task', 'list')}"),
        ],
    )
