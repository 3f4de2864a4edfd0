"""What the function of an upgrade task does, over plain values. Its signature is in ``_generated/functions.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.lookup import query, tasks
from pulumi_iotda_ota.serialization import task_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.context import Context
    from pulumi_iotda_ota.lookup.session import Run


def show_task(run: Run, context: Context, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task as it is now, with the first of its devices that failed."""
    lookup = query.UpgradeTaskLookup.from_arguments(values)
    return task_values(tasks.find_upgrade_task(run, context.resolved(), lookup))
