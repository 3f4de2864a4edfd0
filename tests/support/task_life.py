"""The tasks of the emulator: their statuses, and how one vanishes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.lifecycle.upgrade_task.resource import UpgradeTask

if TYPE_CHECKING:
    from pulumi_iotda_ota.lifecycle.base import Created
    from tests.support.resource_bench import Bench


def statuses(bench: Bench) -> list[str]:
    """Return the status of every task on the service, newest first."""
    return [task["status"] for task in bench.emulator.tasks]


def vanish(bench: Bench, created: Created) -> None:
    """Delete the task outside the program."""
    UpgradeTask.delete(bench.context, created.id, {**created.outputs, "on_destroy": "delete"})
    bench.time.slept.clear()
    bench.emulator.forget_requests()
