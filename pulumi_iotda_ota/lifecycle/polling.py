"""Waits for the end of an upgrade task: looks at it quickly at first and ever more slowly, and endures outages.

It reads the task alone, never its devices: a campaign may have 30,000 of them in pages of 50.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.errors import DeadlineExceeded, IotdaOtaError, ServiceError
from pulumi_iotda_ota.iotda.retry import Deadline, is_transient
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lifecycle.thresholds import DeviceCounts
from pulumi_iotda_ota.lifecycle.upgrade_task.read import is_running
from pulumi_iotda_ota.lookup.tasks import missing_task

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import BatchTask
    from pulumi_iotda_ota.lifecycle.base import ResourceContext

_SHORTEST_PAUSE = 0.5  # seconds
_LONGEST_PAUSE = 30.0  # seconds
# The last look must not be cut off by the end of the wait itself.
_LAST_LOOK = 10.0  # seconds
# A service can ask to be left alone for a day; whether the campaign has ended is asked sooner.
_LONGEST_ASKED = 300.0  # seconds


def pause_after(waited: float) -> float:
    """Return the seconds until the next look: a tenth of what has been waited so far, half a second to half a minute.

    So a look comes late by a tenth of the campaign at most, and an hour of waiting takes about 150 requests.
    """
    return min(_LONGEST_PAUSE, max(_SHORTEST_PAUSE, waited / 10))


def awaits_confirmation(task: BatchTask, standing: DeviceCounts) -> bool:
    """Return whether devices wait until somebody confirms the task."""
    return bool(task.need_confirm) and standing.waiting > 0 and standing.running == 0


def waits_for(task: BatchTask, standing: DeviceCounts) -> str:
    """Return in words what the waiting devices of a task wait for, where that is known, or nothing."""
    scheduled = (task.task_policy or {}).get("schedule_time")
    if standing.waiting == 0 or standing.running:
        return ""
    until = f" until {sanitize(scheduled)}" if scheduled else ""
    return f"{until}{' and' * bool(until)} for the task to be confirmed" if task.need_confirm else until


class TaskPoller:
    """Watches one task until it has ended, and tells how it goes on.

    Args:
        context: the clock, and where progress is told.
        client: asks the service.
        task_id: the task.
        end: until when to wait.
    """

    def __init__(self, context: ResourceContext, client: Client, task_id: str, end: Deadline) -> None:
        self._context = context
        self._client = client
        self.task_id = task_id
        self._told = ""
        self._waits = False
        self.end = end
        #: What the service answered last, or None before its first answer.
        self.task: BatchTask | None = None
        #: Why the service has not answered since, or None where it has.
        self.outage: IotdaOtaError | None = None

    def until(self, holds: Callable[[BatchTask], bool], *, seconds: float | None = None) -> BatchTask | None:
        """Return the task once something holds of it, or None where that did not come in time.

        Args:
            holds: what is waited for.
            seconds: wait no longer than this, and never longer than the end of the watch.

        Raises:
            IotdaOtaError: the service refuses to answer; an outage or throttling is waited out.
        """
        clock = self._context.clock
        end = self.end if seconds is None else Deadline.start(clock, min(seconds, self.end.remaining()))
        began = clock.monotonic()
        while True:
            task = self._look()
            if task is not None and holds(task):
                return task
            if not end.remaining():
                return None
            if not self._waits:
                self._waits = True
                self._tell_how_to_stop()
            clock.sleep(min(self._pause(clock.monotonic() - began), end.remaining()))

    def _pause(self, waited: float) -> float:
        asked = self.outage.retry_after if isinstance(self.outage, ServiceError) else None
        return max(pause_after(waited), min(asked or 0, _LONGEST_ASKED))

    def _look(self) -> BatchTask | None:
        """Return the task as it is, or None while the service does not answer."""
        seconds = min(self._client.connection.deadline, max(self.end.remaining(), _LAST_LOOK))
        try:
            task = self._client.show_batch_task(self.task_id, deadline=Deadline.start(self._context.clock, seconds))
        except IotdaOtaError as error:
            if isinstance(error, ServiceError) and error.is_not_found:
                raise missing_task(self.task_id, error, self._client.connection) from error
            if not is_transient(error):
                raise
            cause = _cause(error)
            if self.outage is None:
                self._tell(f"no response, trying again ({cause.message.headline}): {self._name}")
            self.outage = cause
            return None
        self.task, self.outage = task, None
        self._context.seen(task)
        self._tell(f"{progress_of(task)}: {self._name}")
        return task

    def _tell_how_to_stop(self) -> None:
        if self._context.stopping:
            self._context.tell(self._context.stopping)

    @property
    def _name(self) -> str:
        return f"upgrade task {sanitize(self.task.task_name if self.task else self.task_id)}"

    def _tell(self, line: str) -> None:
        if line != self._told:
            self._told = line
            self._context.tell(line)


def _cause(error: IotdaOtaError) -> IotdaOtaError:
    """Return what went wrong, where that one look ran out of time says little of it."""
    within = isinstance(error, DeadlineExceeded) and isinstance(error.__cause__, IotdaOtaError)
    return error.__cause__ if within else error  # type: ignore[return-value]


def progress_of(task: BatchTask) -> str:
    """Return how many devices of a task are where, what they wait for, and the status of the task.

    The counts come first, because a narrow terminal cuts the end of a line.
    """
    counts = DeviceCounts.of(task, ended=not is_running(task))
    return (
        f"{counts.succeeded} of {counts.total} done, {counts.failed} failed, {counts.running} running, "
        f"{counts.waiting} waiting{waits_for(task, counts)}, {sanitize(task.status)}"
    )
