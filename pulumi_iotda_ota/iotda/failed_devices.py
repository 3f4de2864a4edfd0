"""Reads which devices of an upgrade task fail and why, with as few requests as that takes.

The service shows a task's devices in pages of 50, and a task has up to 30,000. So only devices of a failing status are
asked for, only where the task's progress counts some, and no more of them than are wanted. What a device reports back
(``output``) is never read: it can hold device secrets.
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

#: How many devices are read where nothing else is asked for.
MOST_FAILING = 100

# By the name under which a task's progress counts them.
_COUNTED_AS = {"Fail": "fail", "FailWaitRetry": "fail_wait_retry", "Removed": "removed", "Stopped": "stopped"}
#: The statuses of devices that have not got the package: those that come with a reason first.
FAILING_STATUSES = tuple(_COUNTED_AS)


@dataclass(frozen=True)
class FailingDevice:
    """One device that has not got the package; its texts are the service's, exact and not safe to print.

    Attributes:
        target: the device.
        status: ``Fail``; ``FailWaitRetry``, which is tried again; ``Removed`` or ``Stopped``.
        error_code: the code of the failure, or empty.
        error_msg: why, in the service's words, or empty.
    """

    target: str
    status: str
    error_code: str = ""
    error_msg: str = ""


@dataclass(frozen=True)
class FailingDevices:
    """The devices of a task that fail.

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
    """Return the devices of a task that fail, each once, in the order of ``statuses``.

    A record that cannot be judged ends nothing: it is returned beside the others, and counts for ``most``.

    Args:
        client: asks the service: one request a status and 50 devices, none where the progress counts no such device.
        task_id: the task.
        progress: what the task counts; None, as before its devices are known, counts nothing.
        most: return at most this many, 1 or more.
        statuses: which of ``FAILING_STATUSES`` to ask for.
        deadline: the bound of all requests together; by default each page has the connection's own.

    Raises:
        IotdaOtaError: the devices could not be read; a task that is gone is a ServiceError of status 404.
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
                # A device may have come to the next status between two requests: what was read last is true.
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
