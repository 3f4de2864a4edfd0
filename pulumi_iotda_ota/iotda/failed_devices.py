"""Reads the failed devices of an upgrade task with few requests.

The service lists the devices of a task in pages of 50, and a task can have 30,000. So only devices with a failure
status are requested, and only if the progress of the task counts some.
Source: the API page ShowBatchTask.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.models import UnreadableRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import TaskDetail, TaskProgress
    from pulumi_iotda_ota.iotda.retry import Deadline

#: The default of the most devices that are read.
MOST_FAILING = 100

# Each status, and the field of the progress that counts it.
_COUNTED_AS = {"Fail": "fail", "FailWaitRetry": "fail_wait_retry", "Removed": "removed", "Stopped": "stopped"}
#: The statuses of failed devices. Those with a reason come first.
FAILING_STATUSES = tuple(_COUNTED_AS)


@dataclass(frozen=True)
class FailingDevice:
    """A device that was not upgraded. Its texts are those of the service, not safe to print.

    Attributes:
        target: the id of the device.
        status: ``Fail``, ``FailWaitRetry`` (retried later), ``Removed`` or ``Stopped``.
        error_code: the code of the failure, or empty.
        error_msg: the reason, as the service words it, or empty.
    """

    target: str
    status: str
    error_code: str = ""
    error_msg: str = ""


@dataclass(frozen=True)
class FailingDevices:
    """The failed devices of a task.

    Attributes:
        devices: those that can be judged.
        unreadable: the records that cannot be judged.
    """

    devices: tuple[FailingDevice, ...] = ()
    unreadable: tuple[UnreadableRecord, ...] = ()


def failing_devices(
    client: Client,
    task_id: str,
    progress: TaskProgress | None,
    *,
    most: int = MOST_FAILING,
    statuses: Sequence[str] = FAILING_STATUSES,
    deadline: Deadline | None = None,
) -> FailingDevices:
    """Return the failed devices of a task, each once, in the order of ``statuses``.

    A record that cannot be judged is returned beside the others, and counts for ``most``.

    Args:
        client: sends one request for each status and 50 devices, if the progress counts such a device.
        task_id: the task.
        progress: the progress of the task. None counts no devices.
        most: the most devices, 1 or more.
        statuses: the requested ones of ``FAILING_STATUSES``.
        deadline: the deadline of all requests. Default: each page has that of the connection.

    Raises:
        IotdaOtaError: the devices could not be read. If the task was deleted, it is a ServiceError of status 404.
    """
    found: dict[str, FailingDevice] = {}
    unreadable: list[UnreadableRecord] = []
    for status in statuses:
        left = most - len(found) - len(unreadable)
        if progress is None or not getattr(progress, _COUNTED_AS[status]) or left <= 0:
            continue
        for detail in islice(client.list_task_details(task_id, status=status, deadline=deadline), left):
            if isinstance(detail, UnreadableRecord):
                unreadable.append(detail)
            else:
                # A device may have changed its status between two requests. The last one counts.
                found[detail.target] = _device(detail)
    return FailingDevices(tuple(found.values()), tuple(unreadable))


def _device(detail: TaskDetail) -> FailingDevice:
    error = detail.error
    return FailingDevice(
        target=detail.target,
        status=detail.status,
        error_code=(error and error.error_code) or "",
        error_msg=(error and error.error_msg) or "",
    )
