"""Upgrade tasks that wait for a confirmation, and what confirms them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.lifecycle.confirmation import Confirmation

if TYPE_CHECKING:
    from pulumi_iotda_ota.lifecycle.base import Properties
    from tests.support.resource_bench import Bench


def waiting_task(bench: Bench, **changes: Any) -> str:
    """Put a task that waits for its confirmation onto the service, and return its id."""
    body = {
        "task_name": "fleet_1",
        "task_type": "firmwareUpgrade",
        "document": {"package_ids": ["p1"]},
        "targets": ["d1", "d2"],
        "need_confirm": True,
    }
    return bench.emulator.add_task(**{**body, **changes})


def confirm(bench: Bench, task_id: str, *approved: str) -> Properties:
    """Confirm a task as a program requests it, and return the outputs."""
    inputs = {"task_id": task_id, "approved_package_ids": list(approved or ("p1",))}
    checked = Confirmation.check(bench.context, {}, inputs)
    assert checked.problems == []
    return Confirmation.create(bench.context, checked.inputs).outputs


def confirmations(bench: Bench) -> int:
    """Return how often something was confirmed."""
    return bench.count("ConfirmBatchTask")


def begun(bench: Bench) -> bool:
    """Return whether no device of the newest task waits any more."""
    waiting: int = bench.emulator.tasks[0]["task_progress"]["waitting"]
    return waiting == 0
