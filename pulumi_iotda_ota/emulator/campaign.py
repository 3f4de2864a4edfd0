"""An upgrade task as a function of time: what each device is doing at a given moment, and what follows for the task.

Nothing runs in the background. When a device is dispatched its whole future is written down as events; stop, retry
and confirm rewrite what has not happened yet. This module reads no clock, it is told the time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from pulumi_iotda_ota.emulator.errors import ERRORS

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator.behavior import Pace
    from pulumi_iotda_ota.emulator.devices import Behaviour

FINAL = frozenset({"Success", "Fail", "PartialSuccess", "Stopped"})
_PROGRESS = ("Processing", "Success", "Fail", "Waitting", "FailWaitRetry", "Stopped", "Removed")
_GOING_ON = ("Processing", "FailWaitRetry")
_PROGRESS_NAMES = {"FailWaitRetry": "fail_wait_retry"}
_NEVER = float("inf")
_SAME_VERSION = "The current version is the same as the target version"
_OFFLINE = "Waiting for the device online timeout"
_CONFLICT = "Task Conflict"


@dataclass(frozen=True)
class RetryPlan:
    """How often a failed device is tried again by itself, and after how many seconds."""

    count: int = 0
    interval: float = 0.0


class _Event(NamedTuple):
    """What a device does from a moment on, and how it behaved then."""

    at: float
    status: str
    behaviour: Behaviour


@dataclass
class Subtask:
    """One device of a task.

    Args:
        record: the record id that orders the devices of a task.
        target: the device.
        behaviour: how it answers.
        version: the version it is to run afterwards, or None if the package is unknown.
        conflict: whether another running task holds the device.
    """

    record: int
    target: str
    behaviour: Behaviour
    version: str | None = None
    conflict: bool = False
    attempts: int = 0
    events: list[_Event] = field(default_factory=list)
    _plan: RetryPlan = field(default_factory=RetryPlan)
    _pace: Pace | None = None

    def status(self, now: float) -> str:
        """Return what the device is doing."""
        event = self._event(now)
        return event.status if event else "Waitting"

    def next_change(self, now: float) -> float:
        """Return when the next thing happens, or infinity."""
        return next((event.at for event in self.events if event.at > now), _NEVER)

    def dispatch(self, start: float, plan: RetryPlan, pace: Pace) -> None:
        """Write down what happens from ``start`` on."""
        self.attempts += sum(event.status == "Processing" and event.at <= start for event in self.events)
        self._plan, self._pace = plan, pace
        self.events = self._future(start)

    def behave(self, behaviour: Behaviour, now: float) -> None:
        """Write down anew what has not happened yet. A device that has ended stays as it is."""
        past = [event for event in self.events if event.at <= now]
        if not self.events or (past and past[-1].status not in _GOING_ON):
            return
        self.behaviour = behaviour
        begun = sum(event.status == "Processing" for event in past)
        if past and past[-1].status == "Processing":
            future = self._future(past[-1].at, begun - 1)
            future = future[1:] if future[0].status == "Processing" else future
        else:
            future = self._future(self.events[len(past)].at, begun)
        self.events = [*past, *(event._replace(at=max(now, event.at)) for event in future)]

    def stop(self, now: float) -> None:
        """End here."""
        self.events = [event for event in self.events if event.at <= now]
        self.events.append(_Event(now, "Stopped", self.behaviour))

    def detail(self, now: float) -> dict[str, Any]:
        """Return the device as ShowBatchTask shows it."""
        status, event = self.status(now), self._event(now)
        behaved = event.behaviour if event else self.behaviour
        shown: dict[str, Any] = {"target": self.target, "status": status}
        if status == "Success":
            shown["output"] = _SAME_VERSION if self._is_current(behaved) else behaved.output
        if status in {"Fail", "FailWaitRetry"}:
            shown["output"] = behaved.output
            shown["error"] = {
                "error_code": behaved.error_code or ERRORS["device"].code,
                "error_msg": self._why(behaved),
            }
        return {name: value for name, value in shown.items() if value is not None}

    def _event(self, now: float) -> _Event | None:
        return next((event for event in reversed(self.events) if event.at <= now), None)

    def _is_current(self, behaviour: Behaviour) -> bool:
        return self.version is not None and behaviour.version == self.version

    def _why(self, behaviour: Behaviour) -> str:
        if self.conflict:
            return _CONFLICT
        default = _OFFLINE if behaviour.outcome == "offline" else ERRORS["device"].message
        return behaviour.error_msg or default

    def _future(self, start: float, begun: int = 0) -> list[_Event]:
        """Return what happens from the next attempt on.

        Args:
            start: when that begins.
            begun: the attempts that were made since the device was dispatched.
        """
        if self.conflict:
            return [self._at(start, "Fail")]
        if self._is_current(self.behaviour):
            return [self._at(start, "Success")]
        default = self._pace.device if self._pace else 0.0
        seconds = default if self.behaviour.seconds is None else self.behaviour.seconds
        events: list[_Event] = []
        for attempt in range(begun, self._plan.count + 1):
            events.append(self._at(start, "Processing"))
            outcome = self._outcome(self.attempts + attempt)
            if outcome is None:
                break
            start += seconds
            if outcome != "Fail" or attempt == self._plan.count:
                events.append(self._at(start, outcome))
                break
            events.append(self._at(start, "FailWaitRetry"))
            start += self._plan.interval
        return events

    def _at(self, at: float, status: str) -> _Event:
        return _Event(at, status, self.behaviour)

    def _outcome(self, attempt: int) -> str | None:
        if self.behaviour.outcome == "hang":
            return None
        if self.behaviour.outcome == "removed":
            return "Removed"
        succeeds = self.behaviour.outcome == "success" and attempt >= self.behaviour.fails_first
        return "Success" if succeeds else "Fail"


@dataclass(frozen=True)
class _Picture:
    counts: Counter[str]
    valid_until: float


@dataclass
class Task:
    """One upgrade task.

    Args:
        record: the record id; its 24 digits are the task id.
        fields: the fields of the API that do not change.
        app_id: the resource space, which answers do not carry.
        created: when it was created.
        subtasks: its devices, in the order they were given.
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
    _picture: _Picture | None = None

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
        # Thirty thousand devices are counted once a change, not once a request.
        picture = self._picture
        if picture is None or now >= picture.valid_until:
            counts = Counter(subtask.status(now) for subtask in self.subtasks)
            until = min((subtask.next_change(now) for subtask in self.subtasks), default=_NEVER)
            self._picture = picture = _Picture(counts, until)
        return picture.counts

    def progress(self, now: float) -> dict[str, int]:
        """Return the ``task_progress`` object; no device is known while the task initializes."""
        counts = self.counts(now) if now >= self.ready_at or self.stopped_at is not None else Counter[str]()
        named = {_PROGRESS_NAMES.get(status, status.lower()): counts[status] for status in _PROGRESS}
        return {"total": counts.total(), **named}

    def visible(self, now: float) -> list[Subtask]:
        """Return the devices that answers show, largest record id first."""
        return self.subtasks[::-1] if now >= self.ready_at or self.stopped_at is not None else []

    def dispatch(self, subtasks: list[Subtask], start: float) -> None:
        """Let some devices start."""
        for subtask in subtasks:
            subtask.dispatch(start, self.plan, self.pace)
        self._picture = None

    def behave(self, target: str, behaviour: Behaviour, now: float) -> None:
        """Let a device behave in another way from now on."""
        for subtask in self.subtasks:
            if subtask.target == target:
                subtask.behave(behaviour, now)
        self._picture = None

    def stop(self, subtasks: list[Subtask], now: float) -> None:
        """Stop some devices."""
        for subtask in subtasks:
            subtask.stop(now)
        self._picture = None

    def _status_of(self, counts: Counter[str]) -> str:
        total = counts.total()
        if any(counts[status] for status in ("Processing", "FailWaitRetry")):
            return "Processing"
        if counts["Waitting"]:
            return "Waitting" if counts["Waitting"] == total else "Processing"
        if counts["Success"] == total:
            return "Success"
        if counts["Stopped"] == total:
            return "Stopped"
        return "PartialSuccess" if counts["Success"] else "Fail"
