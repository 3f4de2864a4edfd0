"""Poll an upgrade task until it has ended: often at first, then ever less often. Outages do not end the wait.

Only the task is read, never its devices: a task can have 30,000 devices, in pages of 50.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.errors import DeadlineExceeded, IotdaOtaError, ServiceError
from pulumi_iotda_ota.iotda.retry import Deadline, is_transient
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lifecycle.thresholds import DeviceCounts
from pulumi_iotda_ota.lifecycle.upgrade_task.tasks import is_running
from pulumi_iotda_ota.lookup.tasks import missing_task

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import BatchTask
    from pulumi_iotda_ota.lifecycle.base import ResourceContext

_SHORTEST_PAUSE = 0.5  # seconds
_LONGEST_PAUSE = 30.0  # seconds
# The last request gets this time, even if the wait ends earlier.
_LAST_REQUEST = 10.0  # seconds
# A service can request a pause of a day with Retry-After. The end of a task is noticed sooner.
_LONGEST_RETRY_AFTER = 300.0  # seconds


def pause_after(waited: float) -> float:
    """Return the seconds until the next request: a tenth of the time so far, from half a second to half a minute.

    So the end is noticed late by at most a tenth of the time, and an hour takes about 150 requests.
    """
    return min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, waited / 10))


def awaits_confirmation(task: BatchTask, counts: DeviceCounts) -> bool:
    """Return whether devices wait until the task is confirmed."""
    return bool(task.need_confirm) and counts.waiting > 0 and counts.running == 0


def waits_for(task: BatchTask, counts: DeviceCounts) -> str:
    """Return what the waiting devices of a task wait for, to read after "wait"; empty if that is not known."""
    scheduled = (task.task_policy or {}).get("schedule_time")
    if counts.waiting == 0 or counts.running:
        return ""
    until = f" until {sanitize(scheduled)}" if scheduled else ""
    return f"{until}{' and' * bool(until)} for the task to be confirmed" if task.need_confirm else until


class TaskPoller:
    """Polls one task, and reports its progress."""

    def __init__(self, context: ResourceContext, client: Client, task_id: str, end: Deadline) -> None:
        self._context = context
        self._client = client
        self.task_id = task_id
        self._last_report = ""
        self._waits = False
        self.end = end
        #: The task in the last response, or None before the first response.
        self.task: BatchTask | None = None
        #: The error of the last request, or None if it had a response.
        self.outage: IotdaOtaError | None = None

    def until(self, holds: Callable[[BatchTask], bool], *, seconds: float | None = None) -> BatchTask | None:
        """Return the task when a condition holds, or None if it did not hold in time.

        Args:
            holds: the condition.
            seconds: the longest wait. It never exceeds the end of all waits.

        Raises:
            IotdaOtaError: the service refused the request. An outage or throttling does not end the wait.
        """
        clock = self._context.clock
        end = self.end if seconds is None else Deadline.start(clock, min(seconds, self.end.remaining()))
        began = clock.monotonic()
        while True:
            task = self._poll()
            if task is not None and holds(task):
                return task
            if not end.remaining():
                return None
            if not self._waits:
                self._waits = True
                if self._context.how_to_stop:
                    self._context.report(self._context.how_to_stop)
            clock.sleep(min(self._pause(clock.monotonic() - began), end.remaining()))

    def _pause(self, waited: float) -> float:
        requested = self.outage.retry_after if isinstance(self.outage, ServiceError) else None
        return max(pause_after(waited), min(requested or 0, _LONGEST_RETRY_AFTER))

    def _poll(self) -> BatchTask | None:
        """Return the task as it is, or None during an outage."""
        seconds = min(self._client.connection.deadline, max(self.end.remaining(), _LAST_REQUEST))
        try:
            task = self._client.show_batch_task(self.task_id, deadline=Deadline.start(self._context.clock, seconds))
        except IotdaOtaError as error:
            if isinstance(error, ServiceError) and error.is_not_found:
                raise missing_task(self.task_id, error, self._client.connection) from error
            if not is_transient(error):
                raise
            # If this request ran out of time, the error of its last attempt says more.
            within = isinstance(error, DeadlineExceeded) and isinstance(error.__cause__, IotdaOtaError)
            cause: IotdaOtaError = error.__cause__ if within else error  # type: ignore[assignment]
            if self.outage is None:
                self._report(f"no response, trying again ({cause.message.headline}): {self._name}")
            self.outage = cause
            return None
        self.task, self.outage = task, None
        self._context.on_task(task)
        self._report(f"{progress_of(task)}: {self._name}")
        return task

    @property
    def _name(self) -> str:
        return f"upgrade task {sanitize(self.task.task_name if self.task else self.task_id)}"

    def _report(self, line: str) -> None:
        if line != self._last_report:
            self._last_report = line
            self._context.report(line)


def progress_of(task: BatchTask) -> str:
    """Return the counts of devices by state, the cause of a wait, and the status of the task.

    The counts come first, because a narrow terminal cuts the end of a line.
    """
    counts = DeviceCounts.of(task, ended=not is_running(task))
    return (
        f"{counts.succeeded} of {counts.total} done, {counts.failed} failed, {counts.running} running, "
        f"{counts.waiting} waiting{waits_for(task, counts)}, {sanitize(task.status)}"
    )
