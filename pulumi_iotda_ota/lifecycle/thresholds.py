"""Count the devices of an upgrade task by state, and compare the counts with limits. Sends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.iotda.models import TaskProgress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.iotda.models import BatchTask, TaskSummary

_SUCCESS = "Success"
_WAITING = "Waitting"  # the API's spelling


@dataclass(frozen=True)
class DeviceCounts:
    """The devices of a task, counted by state.

    Attributes:
        total: all devices of the task; 0 while it initializes.
        succeeded: devices that were upgraded.
        failed: devices that failed, were stopped or removed. A device that waits for a retry still runs.
        waiting: devices that have not begun.
        all_begun: whether the counts prove that every device has begun.
        is_settled: whether the counts agree with the status: no device of a task that has ended still runs or waits.
        is_counted: whether the service counts devices, or the status is Success.
    """

    total: int = 0
    succeeded: int = 0
    failed: int = 0
    waiting: int = 0
    all_begun: bool = False
    is_settled: bool = True
    is_counted: bool = True

    @classmethod
    def of(cls, task: BatchTask | TaskSummary, *, ended: bool) -> DeviceCounts:
        """Return the counts of a task.

        Args:
            task: the task.
            ended: whether the task has ended. Then every device that was not upgraded has failed, also a device that no
                count includes: an older service has no count ``removed``.
        """
        counts = task.task_progress or TaskProgress()
        failed = counts.fail + counts.stopped + counts.removed
        if ended:
            # A status other than Success is a failure, even if the service counts no failed device.
            failed = max(failed, counts.total - counts.success, int(task.status != _SUCCESS))
        active = counts.processing + counts.waitting + counts.fail_wait_retry
        begun = (
            counts.processing + counts.fail_wait_retry + counts.success + counts.fail + counts.stopped + counts.removed
        )
        # Some services count a waiting device only in the total.
        uncounted = max(0, counts.total - begun - counts.waitting) if task.status == _WAITING else 0
        return cls(
            total=counts.total,
            succeeded=counts.success,
            failed=failed,
            waiting=counts.waitting + uncounted,
            all_begun=counts.waitting == 0 and 0 < counts.total <= begun,
            is_settled=not (ended and active),
            is_counted=counts.total > 0 or task.status == _SUCCESS,
        )

    @property
    def running(self) -> int:
        """Return how many devices have begun and not ended."""
        return max(0, self.total - self.succeeded - self.failed - self.waiting)


@dataclass(frozen=True)
class Limits:
    """The limits of a completion.

    Attributes:
        max_failed_devices: how many devices may fail; None if a percentage is set.
        max_failed_percent: the percentage of the devices that may fail.
        min_devices: how many devices the task must have.
    """

    max_failed_devices: int | None = 0
    max_failed_percent: float = 0
    min_devices: int = 1

    @classmethod
    def of(cls, inputs: Mapping[str, Any]) -> Limits:
        """Return the limits in the inputs of a completion."""
        percent = inputs.get("max_failed_percent")
        devices = inputs.get("max_failed_devices")
        return cls(
            max_failed_devices=(devices or 0) if percent is None else None,
            max_failed_percent=percent or 0,
            min_devices=inputs.get("min_devices", schema.MIN_DEVICES.default),
        )

    def exceeded_by(self, counts: DeviceCounts) -> bool:
        """Return whether more devices have failed than allowed."""
        if self.max_failed_devices is not None:
            return counts.failed > self.max_failed_devices
        # As a decimal fraction: 67.74 % of 15,000 devices are 10,161. With a binary fraction the limit is lower.
        return counts.failed * 100 > Decimal(str(self.max_failed_percent)) * counts.total

    def met_by(self, counts: DeviceCounts) -> bool:
        """Return whether a task that has ended meets the limits. A task without counts does not."""
        return counts.is_counted and not self.exceeded_by(counts) and counts.total >= self.min_devices

    @property
    def described(self) -> str:
        """Return the limit of failures, for an error."""
        if self.max_failed_devices is not None:
            return f"limit {self.max_failed_devices}"
        return f"limit {self.max_failed_percent:g} %"
