"""Upgrade tasks as a function of time: how they are created, and what stop, retry and confirm do.

The allowed states follow the vendor's tables. The caller passes the time. HTTP is elsewhere.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.emulator.behavior import api_time, seconds_of
from pulumi_iotda_ota.emulator.devices import NEVER, RetryPlan, Subtask
from pulumi_iotda_ota.emulator.messages import ERRORS, ApiError
from pulumi_iotda_ota.emulator.paging import RecordIds, record_text
from pulumi_iotda_ota.emulator.shapes import TaskBody

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pulumi_iotda_ota.emulator.behavior import Pace
    from pulumi_iotda_ota.emulator.devices import Behaviour, DeviceStore

FINAL = frozenset({"Success", "Fail", "PartialSuccess", "Stopped"})
_PROGRESS = ("Processing", "Success", "Fail", "Waitting", "FailWaitRetry", "Stopped", "Removed")
_PROGRESS_NAMES = {"FailWaitRetry": "fail_wait_retry"}
_STOPPABLE = frozenset({"Initializing", "Waitting", "Processing"})
_RETRYABLE = frozenset({"Fail", "PartialSuccess", "Processing"})
_STOPPABLE_DEVICE = frozenset({"Processing", "Waitting", "FailWaitRetry"})
_RETRYABLE_DEVICE = frozenset({"Fail", "FailWaitRetry", "Stopped"})
_WEEK = 7 * 24 * 3600


@dataclass
class Task:
    """One upgrade task.

    Args:
        record: the record id; its 24 digits are the task id.
        fields: the fields of the API that do not change.
        app_id: the resource space, which is no field of a response.
        created: when it was created.
        subtasks: its devices, in the order of the request.
        plan: the retries of failed devices.
        pace: how long things take.
    """

    record: int
    fields: dict[str, Any]
    app_id: str
    created: float
    subtasks: list[Subtask]
    plan: RetryPlan
    pace: Pace
    stopped_at: float | None = None
    # The counts, and until when they are valid.
    _counted: tuple[Counter[str], float] | None = None

    @property
    def ready_at(self) -> float:
        """Return when the devices are known."""
        return self.created + self.pace.initializing

    def status(self, now: float) -> str:
        """Return the state of the whole task."""
        if self.stopped_at is not None:
            return "Stopping" if now < self.stopped_at + self.pace.stopping else "Stopped"
        if now < self.ready_at:
            return "Initializing"
        return self._status_of(self.counts(now))

    def counts(self, now: float) -> Counter[str]:
        """Return how many devices are in which state."""
        # A task can have 30,000 devices: they are counted after a change, not for each request.
        if self._counted is None or now >= self._counted[1]:
            counts = Counter(subtask.status(now) for subtask in self.subtasks)
            self._counted = counts, min((subtask.next_change(now) for subtask in self.subtasks), default=NEVER)
        return self._counted[0]

    def progress(self, now: float) -> dict[str, int]:
        """Return the ``task_progress`` object; no device is known while the task initializes."""
        counts = self.counts(now) if self._has_devices(now) else Counter[str]()
        named = {_PROGRESS_NAMES.get(status, status.lower()): counts[status] for status in _PROGRESS}
        return {"total": counts.total(), **named}

    def visible(self, now: float) -> list[Subtask]:
        """Return the devices of a response, largest record id first."""
        return self.subtasks[::-1] if self._has_devices(now) else []

    def _has_devices(self, now: float) -> bool:
        return now >= self.ready_at or self.stopped_at is not None

    def dispatch(self, subtasks: list[Subtask], start: float) -> None:
        """Start some devices."""
        for subtask in subtasks:
            subtask.dispatch(start, self.plan, self.pace)
        self._counted = None

    def behave(self, target: str, behaviour: Behaviour, now: float) -> None:
        """Change the behaviour of a device from now on."""
        for subtask in self.subtasks:
            if subtask.target == target:
                subtask.behave(behaviour, now)
        self._counted = None

    def stop(self, subtasks: list[Subtask], now: float) -> None:
        """Stop some devices."""
        for subtask in subtasks:
            subtask.stop(now)
        self._counted = None

    def _status_of(self, counts: Counter[str]) -> str:
        total = counts.total()
        if counts["Processing"] or counts["FailWaitRetry"]:
            return "Processing"
        if counts["Waitting"]:
            return "Waitting" if counts["Waitting"] == total else "Processing"
        if counts["Success"] == total:
            return "Success"
        if counts["Stopped"] == total:
            return "Stopped"
        return "PartialSuccess" if counts["Success"] else "Fail"


@dataclass
class TaskStore:
    """All upgrade tasks, and the devices they change."""

    devices: DeviceStore
    ids: RecordIds
    pace: Pace
    _by_id: dict[str, Task] = field(default_factory=dict)
    _settled: set[str] = field(default_factory=set)
    _kinds: dict[str, str] = field(default_factory=dict)

    def add(
        self,
        body: TaskBody,
        *,
        app_id: str,
        version: str | None,
        now: float,
        task_id: str | None = None,
        module_name: str | None = None,
    ) -> Task:
        """Create a task from a body whose references were checked.

        Args:
            body: the body of the request.
            app_id: the resource space.
            version: the version that is installed.
            now: the time of creation.
            task_id: the id that a seed sets.
            module_name: the module that the version is of.
        """
        self.settle(now)
        record = self.ids.next(now) if task_id is None else self.ids.take(int(task_id, 16))
        full_id = task_id or record_text(record)
        task = Task(
            record=record,
            fields=_fields(body, full_id, now),
            app_id=app_id,
            created=now,
            subtasks=self._subtasks(body, version, now),
            plan=_plan(body, self.pace),
            pace=self.pace,
        )
        if not body.need_confirm:
            task.dispatch(task.subtasks, max(task.ready_at, schedule_of(body, now)))
        self._by_id[full_id] = task
        self._kinds[full_id] = module_name or body.task_type
        return task

    def get(self, task_id: str) -> Task | None:
        """Return a task, or None."""
        return self._by_id.get(task_id)

    def delete(self, task_id: str) -> None:
        """Delete a task."""
        del self._by_id[task_id]

    def find(self, task_type: str | None, app_id: str | None, status: str | None, now: float) -> list[Task]:
        """Return the tasks that match, largest record id first."""
        matching = (
            task
            for task in self._by_id.values()
            if task_type in (None, task.fields["task_type"])
            and app_id in (None, task.app_id)
            and (status is None or task.status(now) == status)
        )
        return sorted(matching, key=lambda task: -task.record)

    def settle(self, now: float) -> None:
        """Record the versions that devices have reached by now."""
        for task_id, task in self._by_id.items():
            if task_id in self._settled:
                continue
            for subtask in task.subtasks:
                if subtask.version and subtask.status(now) == "Success":
                    self.devices.reach(subtask.target, subtask.version, self._kinds[task_id])
            if task.status(now) in FINAL:
                self._settled.add(task_id)

    def describe(self, device_id: str, now: float, **changes: object) -> None:
        """Change how a device behaves from now on, also in running tasks."""
        self.settle(now)
        self.devices.describe(device_id, **changes)
        for task_id, task in self._by_id.items():
            if task_id not in self._settled:
                task.behave(device_id, self.devices.behaviour(device_id), now)

    def stop(self, task: Task, targets: Sequence[str], now: float) -> list[dict[str, str]]:
        """Stop devices, or without targets the whole task."""
        _require_state(task, _STOPPABLE, now)
        chosen, results = _choose(task, targets, _STOPPABLE_DEVICE, now)
        task.stop(chosen, now)
        if not targets:
            task.stopped_at = now
        return results

    def retry(self, task: Task, targets: Sequence[str], now: float) -> list[dict[str, str]]:
        """Start failed and stopped devices again."""
        _require_state(task, _RETRYABLE, now)
        chosen, results = _choose(task, targets, _RETRYABLE_DEVICE, now)
        busy = self._busy(now, besides=task)
        for subtask in chosen:
            subtask.conflict = subtask.target in busy
            subtask.behaviour = self.devices.behaviour(subtask.target)
        task.dispatch(chosen, now)
        self._settled.discard(task.fields["task_id"])
        return results

    def confirm(self, task: Task, targets: Sequence[str], now: float) -> list[dict[str, str]]:
        """Start waiting devices; no device waits while the task initializes."""
        _require_state(task, _STOPPABLE, now)
        waiting = frozenset({"Waitting"}) if task.fields.get("need_confirm") and now >= task.ready_at else frozenset()
        chosen, results = _choose(task, targets, waiting, now)
        scheduled = (task.fields.get("task_policy") or {}).get("schedule_time")
        for subtask in chosen:
            subtask.behaviour = self.devices.behaviour(subtask.target)
        task.dispatch(chosen, max(now, seconds_of(scheduled)) if scheduled else now)
        return results

    def _subtasks(self, body: TaskBody, version: str | None, now: float) -> list[Subtask]:
        targets = self._targets(body)
        busy = self._busy(now)
        return [
            Subtask(self.ids.next(now), target, self.devices.behaviour(target), version, target in busy)
            for target in targets
        ]

    def _targets(self, body: TaskBody) -> list[str]:
        # The documents of the service: if both are set, the filter is ignored.
        if body.targets:
            return list(dict.fromkeys(body.targets))
        groups = body.targets_filter.group_ids if body.targets_filter else []
        try:
            return self.devices.members(groups)
        except KeyError as exc:
            raise ApiError("group_missing", str(exc.args[0])) from exc

    def _busy(self, now: float, besides: Task | None = None) -> set[str]:
        running = (task for name, task in self._by_id.items() if name not in self._settled and task is not besides)
        return {
            subtask.target for task in running for subtask in task.subtasks if subtask.status(now) in _STOPPABLE_DEVICE
        }


def schedule_of(body: TaskBody, now: float) -> float:
    """Return when a task may start; refuse a schedule that is no time or not within the next seven days."""
    text = body.task_policy.schedule_time if body.task_policy else None
    if text is None:
        return now
    try:
        start = seconds_of(text)
    except ValueError as exc:
        raise ApiError("time_format", "schedule_time must be yyyyMMdd'T'HHmmss'Z'.") from exc
    # The API's times have whole seconds: the present second has not passed.
    if not int(now) <= start <= now + _WEEK:
        raise ApiError("invalid", "schedule_time must be within the next 7 days.")
    return start


def _fields(body: TaskBody, task_id: str, now: float) -> dict[str, Any]:
    # A seed's task has more fields than a body.
    sent = body.model_dump(exclude_none=True, include=set(TaskBody.model_fields) - {"app_id"})
    return {"task_id": task_id, **sent, "create_time": api_time(now)}


def _plan(body: TaskBody, pace: Pace) -> RetryPlan:
    policy = body.task_policy
    if policy is None or policy.retry_count is None or policy.retry_interval is None:
        return RetryPlan()
    # The documents of the Terraform provider: an interval of 0 means no retry.
    count = policy.retry_count if policy.retry_interval else 0
    return RetryPlan(count, policy.retry_interval * pace.minute)


def _require_state(task: Task, allowed: Iterable[str], now: float) -> None:
    status = task.status(now)
    if status not in allowed:
        raise ApiError("task_state", f"It is {status}.")


def _choose(
    task: Task, targets: Sequence[str], allowed: frozenset[str], now: float
) -> tuple[list[Subtask], list[dict[str, str]]]:
    if not targets:
        chosen = [subtask for subtask in task.subtasks if subtask.status(now) in allowed]
        return chosen, [_accepted(subtask.target) for subtask in chosen]
    by_name = {subtask.target: subtask for subtask in task.subtasks}
    chosen = [by_name[name] for name in targets if name in by_name and by_name[name].status(now) in allowed]
    taken = {subtask.target for subtask in chosen}
    return chosen, [_accepted(name) if name in taken else _refused(name) for name in targets]


def _accepted(target: str) -> dict[str, str]:
    return {"target": target, "status": "success"}


def _refused(target: str) -> dict[str, str]:
    kind = ERRORS["target_state"]
    return {"target": target, "status": "failure", "error_code": kind.code, "error_msg": kind.message}
