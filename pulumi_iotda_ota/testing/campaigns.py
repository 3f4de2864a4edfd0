"""Campaigns that are over as soon as they begin: what the service would say of tasks, without a service and its time.

The state of a task is computed when somebody asks. Nothing here knows of packages or of Pulumi.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.models import BatchTask, TargetResult, TargetResults, TaskDetail, TaskError, TaskProgress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

_COUNTED_AS = {"Success": "success", "Fail": "fail", "Stopped": "stopped", "Waitting": "waitting"}


@dataclass
class _Task:
    body: Mapping[str, Any]
    id: str
    devices: tuple[str, ...]
    create_time: str
    waits: bool
    stopped: bool = False


@dataclass
class Campaigns:
    """The tasks that were created, and how their devices end.

    Args:
        groups: the devices of each group; one that is not named has one device, which has the group's name.
        failed_devices: the devices that fail, and why.
    """

    groups: Mapping[str, Sequence[str]]
    failed_devices: Mapping[str, str]
    _tasks: dict[str, _Task] = field(default_factory=dict)
    _mutex: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """Return what CreateBatchTask was sent, in order."""
        with self._mutex:
            return [dict(task.body) for task in self._tasks.values()]

    def create(self, body: Mapping[str, Any], now: datetime) -> BatchTask:
        """Create a task; it is Initializing in the answer, and over when it is looked at."""
        with self._mutex:
            id_ = hashlib.sha256(f"{body['task_name']}/{len(self._tasks)}".encode()).hexdigest()[:24]
            waits = bool(body.get("need_confirm"))
            task = _Task(body, id_, self._devices(body), now.strftime("%Y%m%dT%H%M%SZ"), waits)
            self._tasks[id_] = task
        return self._as_batch_task(task, "Initializing", TaskProgress())

    def find(self, task_type: str) -> list[BatchTask]:
        """Return the tasks of a type, the newest first."""
        with self._mutex:
            found = [task for task in self._tasks.values() if task.body["task_type"] == task_type]
        return [self._now(task) for task in reversed(found)]

    def show(self, task_id: str) -> BatchTask | None:
        """Return a task, or None where there is none of that id."""
        task = self._tasks.get(task_id)
        return self._now(task) if task else None

    def details(self, task_id: str, status: str | None) -> list[TaskDetail]:
        """Return the devices of a task, or those of a status."""
        task = self._tasks[task_id]
        told = [(device, self._status_of(task, device)) for device in task.devices]
        return [
            TaskDetail(target=device, status=found, error=self._why(device) if found == "Fail" else None)
            for device, found in told
            if status in (None, found)
        ]

    def confirm(self, task_id: str) -> TargetResults:
        """Let the waiting devices of a task go."""
        return self._changed(task_id, waits=False)

    def stop(self, task_id: str) -> TargetResults:
        """Stop a task; what is over stays as it is."""
        return self._changed(task_id, stopped=True)

    def retry(self, task_id: str) -> TargetResults:
        """Try the failed devices again; they fail again."""
        return _accepted([device for device in self._tasks[task_id].devices if device in self.failed_devices])

    def delete(self, task_id: str) -> None:
        """Remove a task."""
        with self._mutex:
            self._tasks.pop(task_id, None)

    def _changed(self, task_id: str, **changes: bool) -> TargetResults:
        task = self._tasks[task_id]
        with self._mutex:
            going = [device for device in task.devices if task.waits]
            vars(task).update(changes)
        return _accepted(going)

    def _devices(self, body: Mapping[str, Any]) -> tuple[str, ...]:
        groups = (body.get("targets_filter") or {}).get("group_ids") or ()
        members = [device for group in groups for device in self.groups.get(group, [group])]
        return tuple(dict.fromkeys(body.get("targets") or members))

    def _status_of(self, task: _Task, device: str) -> str:
        if task.waits:
            return "Stopped" if task.stopped else "Waitting"
        return "Fail" if device in self.failed_devices else "Success"

    def _why(self, device: str) -> TaskError:
        return TaskError(error_code="IOTDA.014290", error_msg=self.failed_devices[device])

    def _now(self, task: _Task) -> BatchTask:
        counts = Counter(self._status_of(task, device) for device in task.devices)
        counted = {name: counts[status] for status, name in _COUNTED_AS.items()}
        # All devices of one kind give the task that state; a task without devices is done.
        status = "PartialSuccess" if len(counts) > 1 else next(iter(counts), "Success")
        return self._as_batch_task(task, status, TaskProgress(total=len(task.devices), **counted))

    def _as_batch_task(self, task: _Task, status: str, progress: TaskProgress) -> BatchTask:
        body = task.body
        return BatchTask(
            task_id=task.id,
            task_name=body["task_name"],
            task_type=body["task_type"],
            status=status,
            task_mode=body.get("task_mode"),
            need_confirm=body.get("need_confirm"),
            task_ext_info=body.get("task_ext_info"),
            targets=tuple(body["targets"]) if body.get("targets") else None,
            targets_filter=body.get("targets_filter"),
            document=body.get("document"),
            task_policy=body.get("task_policy"),
            status_desc="",
            task_progress=progress,
            create_time=task.create_time,
        )


def _accepted(devices: Sequence[str]) -> TargetResults:
    return TargetResults(targets=tuple(TargetResult(target=device, status="success") for device in devices))
