"""Checks the body of CreateBatchTask against every documented limit. It sends nothing and changes nothing.

The service itself takes several ways to name devices at once and silently uses one of them; here they exclude each
other. Source: the API page CreateBatchTask.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.limits import (
    APP_ID,
    GROUP_ID,
    MAX_TARGETS,
    PACKAGE_ID,
    RETRY_COUNT,
    RETRY_INTERVAL,
    TARGET,
    TASK_MODE,
    TASK_NAME,
    TASK_TYPE,
    problem_of_devices,
    problem_of_retries,
    problem_of_task_ext_info,
    require,
    require_at_most,
    require_each,
    shown,
)
from pulumi_iotda_ota.iotda.models import parse_api_time

__all__ = ["checked_task_body"]

_FURTHEST_SCHEDULE = timedelta(days=7)
_FIELDS = frozenset(
    {
        "task_name",
        "task_type",
        "app_id",
        "task_mode",
        "need_confirm",
        "task_ext_info",
        "targets",
        "targets_filter",
        "document",
        "task_policy",
    }
)


def checked_task_body(body: Mapping[str, object], *, now: datetime) -> dict[str, Any]:
    """Return the body as plain values once all of it is within the documented limits.

    Args:
        body: the API's body.
        now: the time that ``schedule_time`` must lie after, by 7 days at most.

    Raises:
        InputError: a field is unknown, missing, or breaks its limit; it is named as the Python functions spell it.
    """
    checked = {name: value for name, value in body.items() if value is not None}
    unknown = sorted(checked.keys() - _FIELDS)
    if unknown:
        raise InputError(f"a task has no field {shown(unknown[0])}", argument=str(unknown[0]))
    require("task_name", checked.get("task_name"), TASK_NAME)
    require("task_type", checked.get("task_type"), TASK_TYPE)
    if "app_id" in checked:
        require("app_id", checked["app_id"], APP_ID)
    if "task_mode" in checked:
        require("task_mode", checked["task_mode"], TASK_MODE)
    for name in ("task_mode", "task_ext_info"):
        if checked["task_type"] == "moduleUpgrade" and name in checked:
            raise InputError(f"{name} is for software and firmware, not for a moduleUpgrade", argument=name)
    if not isinstance(checked.get("need_confirm", False), bool):
        raise InputError("need_confirm must be true or false", argument="need_confirm")
    _check_packages(checked.get("document"))
    _check_devices(checked.get("targets"), checked.get("targets_filter"))
    _refuse("task_ext_info", problem_of_task_ext_info(checked.get("task_ext_info", {})))
    _check_policy(checked.get("task_policy", {}), now)
    return checked


def _check_packages(document: object) -> None:
    fields = _object("package_ids", document, ("package_ids", "package_id"))
    ids = _array("package_ids", fields.get("package_ids", [fields.get("package_id")]))
    if not ids or len(fields) != 1:
        raise InputError("package_ids must name at least one package", argument="package_ids")
    require_each("package_ids", ids, PACKAGE_ID)


def _check_devices(targets: object, targets_filter: object) -> None:
    _refuse("targets", problem_of_devices(targets=bool(targets), group_ids=bool(targets_filter)))
    if targets:
        devices = _array("targets", targets)
        require_at_most("targets", devices, MAX_TARGETS)
        require_each("targets", devices, TARGET)
        return
    groups = _array("group_ids", _object("group_ids", targets_filter, ("group_ids",)).get("group_ids"))
    if not groups:
        raise InputError("group_ids must name at least one group", argument="group_ids")
    require_each("group_ids", groups, GROUP_ID)


def _check_policy(policy: object, now: datetime) -> None:
    fields = _object("task_policy", policy, ("schedule_time", "retry_count", "retry_interval"))
    if "schedule_time" in fields:
        _check_schedule(fields["schedule_time"], now)
    _refuse("retry_count", problem_of_retries(count="retry_count" in fields, interval="retry_interval" in fields))
    if "retry_count" in fields:
        require("retry_count", fields["retry_count"], RETRY_COUNT)
        require("retry_interval", fields["retry_interval"], RETRY_INTERVAL)


def _check_schedule(value: object, now: datetime) -> None:
    try:
        at = parse_api_time(str(value))
    except ValueError:
        raise InputError(
            f"schedule_time must be a time such as 20261122T120000Z, not {shown(value)}", argument="schedule_time"
        ) from None
    if not now < at <= now + _FURTHEST_SCHEDULE:
        raise InputError(
            f"schedule_time must lie ahead, by 7 days at most, and {shown(value)} does not", argument="schedule_time"
        )


def _refuse(argument: str, problem: str | None) -> None:
    if problem:
        raise InputError(f"{argument} {problem}", argument=argument)


def _object(argument: str, value: object, names: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not value.keys() <= set(names):
        raise InputError(f"{argument} must be given as {' or '.join(names)}, not {shown(value)}", argument=argument)
    return value


def _array(argument: str, value: object) -> list[object]:
    if not isinstance(value, (list, tuple)):
        raise InputError(f"{argument} must be a list, not {shown(value)}", argument=argument)
    return list(value)
