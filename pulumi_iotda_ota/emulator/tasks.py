"""Upgrade tasks: how one is made from what was asked, and what stop, retry and confirm do to it.

The allowed states follow the vendor's tables. Times are told, not read; HTTP is elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.emulator.campaign import FINAL, RetryPlan, Subtask, Task
from pulumi_iotda_ota.emulator.clocks import api_time, seconds_of
from pulumi_iotda_ota.emulator.errors import ERRORS, ApiError
from pulumi_iotda_ota.emulator.paging import RecordIds, record_text
from pulumi_iotda_ota.emulator.shapes import TaskBody

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pulumi_iotda_ota.emulator.behavior import Pace
    from pulumi_iotda_ota.emulator.devices import DeviceStore

_STOPPABLE = frozenset({"Initializing", "Waitting", "Processing"})
_RETRYABLE = frozenset({"Fail", "PartialSuccess", "Processing"})
_STOPPABLE_DEVICE = frozenset({"Processing", "Waitting", "FailWaitRetry"})
_RETRYABLE_DEVICE = frozenset({"Fail", "FailWaitRetry", "Stopped"})
_WEEK = 7 * 24 * 3600


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
        """Make a task from a body whose references were checked.

        Args:
            body: what was asked.
            app_id: the resource space.
            version: the version that the devices are brought to.
            now: the time of creation.
            task_id: an id chosen by hand, for a seed.
            module_name: the module that the version is of.
        """
        self.settle(now)
        record = self.ids.next(now) if task_id is None else self.ids.take(int(task_id, 16))
        shown_id = task_id or record_text(record)
        task = Task(
            record=record,
            fields=_fields(body, shown_id, now),
            app_id=app_id,
            created=now,
            subtasks=self._subtasks(body, version, now),
            plan=_plan(body, self.pace),
            pace=self.pace,
        )
        if not body.need_confirm:
            task.dispatch(task.subtasks, max(task.ready_at, schedule_of(body, now)))
        self._by_id[shown_id] = task
        self._kinds[shown_id] = module_name or body.task_type
        return task

    def get(self, task_id: str) -> Task | None:
        """Return a task, or None."""
        return self._by_id.get(task_id)

    def delete(self, task_id: str) -> None:
        """Forget a task."""
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
        """Bring devices to the versions they have reached by now."""
        for task_id, task in self._by_id.items():
            if task_id in self._settled:
                continue
            for subtask in task.subtasks:
                if subtask.version and subtask.status(now) == "Success":
                    self.devices.reach(subtask.target, subtask.version, self._kinds[task_id])
            if task.status(now) in FINAL:
                self._settled.add(task_id)

    def describe(self, device_id: str, now: float, **changes: object) -> None:
        """Change how a device behaves from now on, in tasks that exist too."""
        self.settle(now)
        self.devices.describe(device_id, **changes)
        for task_id, task in self._by_id.items():
            if task_id not in self._settled:
                task.behave(device_id, self.devices.behaviour(device_id), now)

    def stop(self, task: Task, targets: Sequence[str], now: float) -> list[dict[str, str]]:
        """Stop devices; without targets the whole task."""
        _require_state(task, _STOPPABLE, now)
        chosen, answers = _choose(task, targets, _STOPPABLE_DEVICE, now)
        task.stop(chosen, now)
        if not targets:
            task.stopped_at = now
        return answers

    def retry(self, task: Task, targets: Sequence[str], now: float) -> list[dict[str, str]]:
        """Start failed and stopped devices again."""
        _require_state(task, _RETRYABLE, now)
        chosen, answers = _choose(task, targets, _RETRYABLE_DEVICE, now)
        busy = self._busy(now, besides=task)
        for subtask in chosen:
            subtask.conflict = subtask.target in busy
            subtask.behaviour = self.devices.behaviour(subtask.target)
        task.dispatch(chosen, now)
        self._settled.discard(task.fields["task_id"])
        return answers

    def confirm(self, task: Task, targets: Sequence[str], now: float) -> list[dict[str, str]]:
        """Let waiting devices start; nothing waits while the task initializes."""
        _require_state(task, _STOPPABLE, now)
        waiting = frozenset({"Waitting"}) if task.fields.get("need_confirm") and now >= task.ready_at else frozenset()
        chosen, answers = _choose(task, targets, waiting, now)
        policy = task.fields.get("task_policy") or {}
        scheduled = policy.get("schedule_time")
        for subtask in chosen:
            subtask.behaviour = self.devices.behaviour(subtask.target)
        task.dispatch(chosen, max(now, seconds_of(scheduled)) if scheduled else now)
        return answers

    def _subtasks(self, body: TaskBody, version: str | None, now: float) -> list[Subtask]:
        targets = self._targets(body)
        busy = self._busy(now)
        return [
            Subtask(self.ids.next(now), target, self.devices.behaviour(target), version, target in busy)
            for target in targets
        ]

    def _targets(self, body: TaskBody) -> list[str]:
        # Targets win over a filter, without a word: that is how the service documents it.
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
    """Return when a task may start.

    Raises:
        ApiError: the schedule is not a time, has passed, or is more than seven days off.
    """
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
    # Of a seed's task only what a body can hold.
    asked = body.model_dump(exclude_none=True, include=set(TaskBody.model_fields) - {"app_id"})
    return {"task_id": task_id, **asked, "create_time": api_time(now)}


def _plan(body: TaskBody, pace: Pace) -> RetryPlan:
    policy = body.task_policy
    if policy is None or policy.retry_count is None or policy.retry_interval is None:
        return RetryPlan()
    # tf's documents: an interval of 0 means no retry.
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
