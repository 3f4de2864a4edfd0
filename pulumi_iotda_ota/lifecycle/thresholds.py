"""How a campaign stands, and whether that is good enough. Pure: it asks nobody and words nothing."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.models import TaskProgress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.iotda.models import BatchTask, TaskSummary

_DEFAULT_MIN_DEVICES = 1
_SUCCESS = "Success"
_WAITING = "Waitting"  # the API's spelling


@dataclass(frozen=True)
class DeviceCounts:
    """How many devices of a task are where.

    Attributes:
        total: all devices of the task; 0 while it initializes.
        succeeded: those that were upgraded.
        failed: those that failed, were stopped or removed. One that waits for another try still runs.
        waiting: those that have not begun.
        all_begun: whether the service says of every device that it has begun.
        is_settled: whether the counts say the same as the status: of a task that has ended, no device still goes on.
        is_counted: whether there are counts, or nothing that they could gainsay.
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
        """Return how a task stands.

        Args:
            task: the task.
            ended: whether nothing more happens. Then every device that was not upgraded has failed, also one that an
                older service does not count anywhere: ``removed`` is absent there.
        """
        counts = task.task_progress or TaskProgress()
        failed = counts.fail + counts.stopped + counts.removed
        if ended:
            # What the service calls a failure is one, whatever it counts.
            failed = max(failed, counts.total - counts.success, int(task.status != _SUCCESS))
        going_on = counts.processing + counts.waitting + counts.fail_wait_retry
        begun = (
            counts.processing + counts.fail_wait_retry + counts.success + counts.fail + counts.stopped + counts.removed
        )
        # Some services count a waiting device only in the total. Such a device does not prove that anything has begun.
        uncounted = max(0, counts.total - begun - counts.waitting) if task.status == _WAITING else 0
        return cls(
            total=counts.total,
            succeeded=counts.success,
            failed=failed,
            waiting=counts.waitting + uncounted,
            all_begun=counts.waitting == 0 and 0 < counts.total <= begun,
            is_settled=not (ended and going_on),
            is_counted=counts.total > 0 or task.status == _SUCCESS,
        )

    @property
    def running(self) -> int:
        """Return how many devices have begun and not ended."""
        return max(0, self.total - self.succeeded - self.failed - self.waiting)


@dataclass(frozen=True)
class Limits:
    """What is good enough.

    Attributes:
        max_failed_devices: how many devices may fail; None where a percentage is given.
        max_failed_percent: how many of a hundred.
        min_devices: how many devices there must be.
    """

    max_failed_devices: int | None = 0
    max_failed_percent: float = 0
    min_devices: int = _DEFAULT_MIN_DEVICES

    @classmethod
    def of(cls, inputs: Mapping[str, Any]) -> Limits:
        """Return the limits that a completion was given."""
        percent = inputs.get("max_failed_percent")
        devices = inputs.get("max_failed_devices")
        return cls(
            max_failed_devices=(devices or 0) if percent is None else None,
            max_failed_percent=percent or 0,
            min_devices=inputs.get("min_devices", _DEFAULT_MIN_DEVICES),
        )

    def exceeded_by(self, standing: DeviceCounts) -> bool:
        """Return whether more devices have failed than may."""
        if self.max_failed_devices is not None:
            return standing.failed > self.max_failed_devices
        # As it is written: 67.74 % of 15,000 devices are 10,161 of them, and in binary fractions a little less.
        return standing.failed * 100 > Decimal(str(self.max_failed_percent)) * standing.total

    def too_few(self, standing: DeviceCounts) -> bool:
        """Return whether the task has fewer devices than it must have."""
        return standing.total < self.min_devices

    def met_by(self, standing: DeviceCounts) -> bool:
        """Return whether a task that has ended is good enough; one that counts nothing is no evidence of that."""
        return standing.is_counted and not self.exceeded_by(standing) and not self.too_few(standing)

    @property
    def described(self) -> str:
        """Return how many devices may fail, as an error says it."""
        if self.max_failed_devices is not None:
            return f"limit {self.max_failed_devices}"
        return f"limit {self.max_failed_percent:g} %"
