"""Devices: how each reacts to an upgrade, its version and its groups, and what it does during a task.

A device without a description behaves by the defaults. Nothing runs in the background. A dispatch plans all that a
device will do as events. Stop, retry and confirm change the events that have not happened yet. The caller passes the
time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from pulumi_iotda_ota.emulator.messages import ERRORS

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator.behavior import Pace
    from pulumi_iotda_ota.emulator.paging import RecordIds

#: The kinds of a version that a device reports beside those of its modules.
FIRMWARE = "firmwareUpgrade"
SOFTWARE = "softwareUpgrade"
NEVER = float("inf")
_RUNNING = ("Processing", "FailWaitRetry")
_SAME_VERSION = "The current version is the same as the target version"
_OFFLINE = "Waiting for the device online timeout"
_CONFLICT = "Task Conflict"


class Behaviour(BaseModel):
    """How a device reacts to an upgrade.

    Args:
        product_id: the product of the device.
        app_id: the resource space of the device; the default one if it is not set.
        version: the firmware version that it reports; an upgrade to the same version succeeds at once.
        sw_version: the software version that it reports.
        modules: the version that each OTA module reports.
        status: the state of its connection.
        seconds: how long one attempt takes; default: ``Pace.device``.
        outcome: ``success``; ``fail``; ``offline`` (fails because it never came online); ``hang`` (never ends);
            ``removed`` (the device was deleted during the task).
        error_code: the code of a failure.
        error_msg: the text of a failure.
        fails_first: how many attempts fail before one succeeds.
        output: the report of the device.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    product_id: str | None = None
    app_id: str | None = None
    version: str | None = None
    sw_version: str | None = None
    modules: dict[str, str] = {}
    status: Literal["ONLINE", "OFFLINE", "ABNORMAL", "INACTIVE", "FROZEN"] = "ONLINE"
    seconds: Annotated[float, Field(ge=0)] | None = None
    outcome: Literal["success", "fail", "offline", "hang", "removed"] = "success"
    error_code: str | None = None
    error_msg: str | None = None
    fails_first: Annotated[int, Field(ge=0)] = 0
    output: str | None = None


class DeviceStore:
    """The described devices and the groups."""

    def __init__(self) -> None:
        self.behaviours: dict[str, Behaviour] = {}
        self.groups: dict[str, list[str]] = {}
        self._reached: dict[str, str] = {}
        self._reported: dict[str, dict[str, str]] = {}
        self._records: dict[str, int] = {}

    def behaviour(self, device_id: str) -> Behaviour:
        """Return the behaviour of a device, with the version that it runs now."""
        described = self.behaviours.get(device_id) or Behaviour()
        reached = self._reached.get(device_id)
        return described.model_copy(update={"version": reached}) if reached else described

    def describe(self, device_id: str, **changes: object) -> None:
        """Change some of a device's behaviour."""
        known = self.behaviour(device_id).model_dump()
        reported = self.reported(device_id)
        known |= {"sw_version": reported["sw_version"], "modules": self._modules(device_id)}
        self.behaviours[device_id] = Behaviour.model_validate({**known, **changes})
        self._reached.pop(device_id, None)
        self._reported.pop(device_id, None)

    def reach(self, device_id: str, version: str, kind: str = FIRMWARE) -> None:
        """Record the version that a device runs after an upgrade.

        Args:
            device_id: the device.
            version: the version of the package.
            kind: :data:`FIRMWARE`, :data:`SOFTWARE`, or the name of a module.
        """
        self._reached[device_id] = version
        self._reported.setdefault(device_id, {})[kind] = version

    def reported(self, device_id: str) -> dict[str, Any]:
        """Return what a device reports of itself, with None for what it never reported."""
        described = self.behaviours.get(device_id) or Behaviour()
        reached = self._reported.get(device_id, {})
        return {
            "app_id": described.app_id,
            "product_id": described.product_id,
            "status": described.status,
            "fw_version": reached.get(FIRMWARE, described.version),
            "sw_version": reached.get(SOFTWARE, described.sw_version),
            "modules": [
                {"module_name": name, "module_version": version} for name, version in self._modules(device_id).items()
            ],
        }

    def _modules(self, device_id: str) -> dict[str, str]:
        described = self.behaviours.get(device_id) or Behaviour()
        reached = self._reported.get(device_id, {})
        modules = {name: version for name, version in reached.items() if name not in (FIRMWARE, SOFTWARE)}
        return {**described.modules, **modules}

    def everyone(self) -> list[str]:
        """Return the devices that were described, upgraded, or put into a group."""
        members = (device for group in self.groups.values() for device in group)
        return sorted({*self.known(), *members})

    def record_of(self, device_id: str, ids: RecordIds, now: float) -> int:
        """Return the record id of a device, which it gets when it is first listed."""
        if device_id not in self._records:
            self._records[device_id] = ids.next(now)
        return self._records[device_id]

    def known(self) -> list[str]:
        """Return the devices that were described or have been upgraded."""
        return sorted({*self.behaviours, *self._reached})

    def members(self, group_ids: list[str]) -> list[str]:
        """Return the devices of some groups, each once, or raise KeyError."""
        return list(dict.fromkeys(device for group in group_ids for device in self.groups[group]))


@dataclass(frozen=True)
class RetryPlan:
    """How often the service retries a failed device, and after how many seconds."""

    count: int = 0
    interval: float = 0.0


class _Event(NamedTuple):
    """What a device does from a time on, and its behaviour then."""

    at: float
    status: str
    behaviour: Behaviour


@dataclass
class Subtask:
    """One device of a task.

    Args:
        record: the record id that orders the devices of a task.
        target: the device.
        behaviour: how it reacts to an upgrade.
        version: the version of the package, or None if the package is unknown.
        conflict: whether the device is in another running task.
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
        """Return the status of the device."""
        event = self._event(now)
        return event.status if event else "Waitting"

    def next_change(self, now: float) -> float:
        """Return the time of the next event, or infinity."""
        return next((event.at for event in self.events if event.at > now), NEVER)

    def dispatch(self, start: float, plan: RetryPlan, pace: Pace) -> None:
        """Plan what happens from ``start`` on."""
        self.attempts += sum(event.status == "Processing" and event.at <= start for event in self.events)
        self._plan, self._pace = plan, pace
        self.events = self._future(start)

    def behave(self, behaviour: Behaviour, now: float) -> None:
        """Plan again what has not happened yet. A device that has ended does not change."""
        past = [event for event in self.events if event.at <= now]
        if not self.events or (past and past[-1].status not in _RUNNING):
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
        """Stop the device."""
        self.events = [event for event in self.events if event.at <= now]
        self.events.append(_Event(now, "Stopped", self.behaviour))

    def detail(self, now: float) -> dict[str, Any]:
        """Return the device as ShowBatchTask returns it."""
        status, event = self.status(now), self._event(now)
        behaved = event.behaviour if event else self.behaviour
        detail: dict[str, Any] = {"target": self.target, "status": status}
        if status == "Success":
            detail["output"] = _SAME_VERSION if self._is_current(behaved) else behaved.output
        if status in {"Fail", "FailWaitRetry"}:
            detail["output"] = behaved.output
            detail["error"] = {
                "error_code": behaved.error_code or ERRORS["device"].code,
                "error_msg": self._error_of(behaved),
            }
        return {name: value for name, value in detail.items() if value is not None}

    def _event(self, now: float) -> _Event | None:
        return next((event for event in reversed(self.events) if event.at <= now), None)

    def _is_current(self, behaviour: Behaviour) -> bool:
        return self.version is not None and behaviour.version == self.version

    def _error_of(self, behaviour: Behaviour) -> str:
        if self.conflict:
            return _CONFLICT
        default = _OFFLINE if behaviour.outcome == "offline" else ERRORS["device"].message
        return behaviour.error_msg or default

    def _future(self, start: float, begun: int = 0) -> list[_Event]:
        """Return what happens from the next attempt on; ``begun`` attempts were made since the dispatch."""
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
