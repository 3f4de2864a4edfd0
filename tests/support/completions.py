"""Upgrade tasks with devices that fail, and completions that wait for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.errors import UpgradeTaskFailed
from pulumi_iotda_ota.lifecycle.completion import Completion

if TYPE_CHECKING:
    from pulumi_iotda_ota.lifecycle.base import Properties
    from tests.support.resource_bench import Bench


def campaign(bench: Bench, devices: int = 4, *, failing: int = 0, outcome: str = "offline", **task: Any) -> str:
    """Start a rollout in which some devices fail, and return the id of its task."""
    targets = [f"dev-{number:04}" for number in range(1, devices + 1)]
    for target in targets[:failing]:
        bench.emulator.set_device(target, outcome=outcome, error_code="IOTDA.014112")
    body = {"task_name": "canary_3f9a", "task_type": "firmwareUpgrade", "document": {"package_ids": ["p1"]}}
    return bench.emulator.add_task(**{**body, "targets": targets, **task})


def wait(bench: Bench, task_id: str, **inputs: Any) -> Properties:
    """Wait for a task as a program requests it, and return the outputs."""
    checked = Completion.check(bench.context, {}, {"task_id": task_id, **inputs})
    assert checked.problems == []
    bench.emulator.forget_requests()
    bench.time.slept.clear()
    return Completion.create(bench.context, checked.inputs).outputs


def failure(bench: Bench, task_id: str, **inputs: Any) -> str:
    """Return the error of a rollout that failed."""
    with pytest.raises(UpgradeTaskFailed) as caught:
        wait(bench, task_id, **inputs)
    return str(caught.value)


def sent(bench: Bench) -> list[str]:
    """Return the operations that change something, in order."""
    return [request.operation for request in bench.emulator.requests if request.method != "GET"]


def fails_first(bench: Bench, times: int) -> str:
    """Start a rollout in which one device succeeds after some tries, and let it end."""
    bench.emulator.set_device("dev-0001", outcome="success", fails_first=times)
    task_id = campaign(bench, 3)
    bench.time.sleep(60)
    return task_id
