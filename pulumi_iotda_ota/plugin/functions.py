"""The functions of the plugin: a lookup and its answer as plain values, in Python's names. Chooses nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.lookup import find, query, tasks
from pulumi_iotda_ota.operations import package_answer
from pulumi_iotda_ota.serialization import listed_values, task_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.context import Context
    from pulumi_iotda_ota.lookup.session import Run


def get_ota_package(run: Run, context: Context, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the package that fits, or ``found: False`` where nothing does and that was allowed."""
    found = package_answer(run, context, values)
    return {"found": False} if found is None else {"found": True, **found}


def get_ota_packages(run: Run, context: Context, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return all packages that fit."""
    asked = query.PackagesLookup.from_arguments(values)
    return listed_values(find.find_packages(run, context.resolved(), asked))


def get_upgrade_task(run: Run, context: Context, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a task as it is now."""
    lookup_ = query.UpgradeTaskLookup.from_arguments(values)
    return task_values(tasks.find_upgrade_task(run, context.resolved(), lookup_))
