"""Check the bodies of CreateBatchTask and CreateOtaPackage against every documented limit.

If a task names devices in several ways, the service uses one of them without a message. Here that is an error. Only the
service can check that the object of a package exists and is at most 1 GB: it reads the object with its agency.
Source: the API pages CreateBatchTask and CreateOtaPackage.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda import references
from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.limits import (
    APP_ID,
    GROUP_ID,
    MAX_CUSTOM_INFO,
    MAX_DESCRIPTION,
    MAX_SOURCE_VERSIONS,
    MAX_TARGETS,
    MODULE_NAME,
    OBS_BUCKET,
    OBS_KEY,
    OBS_REGION,
    PACKAGE_ID,
    PACKAGE_TYPE,
    PRODUCT_ID,
    RETRY_COUNT,
    RETRY_INTERVAL,
    SIGN,
    SIGN_METHOD,
    TARGET,
    TASK_MODE,
    TASK_NAME,
    TASK_TYPE,
    VERSION,
    problem_of_devices,
    problem_of_length,
    problem_of_module,
    problem_of_object_key,
    problem_of_retries,
    problem_of_task_ext_info,
    require,
    require_at_most,
    require_each,
)
from pulumi_iotda_ota.iotda.models import parse_api_time
from pulumi_iotda_ota.iotda.sanitize import quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from pulumi_iotda_ota.iotda.limits import Rule

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
    """Return the body as plain values, if it is within the documented limits.

    Args:
        body: the body of the API.
        now: the time; ``schedule_time`` must be after it, by at most 7 days.

    Raises:
        InputError: a field is unknown, missing, or breaks its limit.
    """
    checked = {name: value for name, value in body.items() if value is not None}
    unknown = sorted(checked.keys() - _FIELDS)
    if unknown:
        raise InputError(f"a task has no field {quoted(unknown[0])}", argument=str(unknown[0]))
    require("task_name", checked.get("task_name"), TASK_NAME)
    require("task_type", checked.get("task_type"), TASK_TYPE)
    if "app_id" in checked:
        require("app_id", checked["app_id"], APP_ID)
    if "task_mode" in checked:
        require("task_mode", checked["task_mode"], TASK_MODE)
    for name in ("task_mode", "task_ext_info"):
        if checked["task_type"] == "moduleUpgrade" and name in checked:
            raise InputError(
                f"{references.argument(name)} is for software and firmware, not for a moduleUpgrade", argument=name
            )
    if not isinstance(checked.get("need_confirm", False), bool):
        raise InputError(
            f"{references.argument('need_confirm')} must be {references.value(True)} or {references.value(False)}",
            argument="need_confirm",
        )
    _check_packages(checked.get("document"))
    _check_devices(checked.get("targets"), checked.get("targets_filter"))
    _refuse("task_ext_info", problem_of_task_ext_info(checked.get("task_ext_info", {})))
    _check_policy(checked.get("task_policy", {}), now)
    return checked


def _check_packages(document: object) -> None:
    fields = _object("package_ids", document, ("package_ids", "package_id"))
    ids = _array("package_ids", fields.get("package_ids", [fields.get("package_id")]))
    if not ids or len(fields) != 1:
        raise InputError(f"{references.argument('package_ids')} must name at least one package", argument="package_ids")
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
        raise InputError(f"{references.argument('group_ids')} must name at least one group", argument="group_ids")
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
            f"{references.argument('schedule_time')} must be a time such as 20261122T120000Z, not {quoted(value)}",
            argument="schedule_time",
        ) from None
    if not now < at <= now + _FURTHEST_SCHEDULE:
        raise InputError(
            f"{references.argument('schedule_time')} must be in the next 7 days, not {quoted(value)}",
            argument="schedule_time",
        )


def _refuse(argument: str, problem: str | None) -> None:
    if problem:
        raise InputError(f"{references.argument(argument)} {problem}", argument=argument)


def _object(argument: str, value: object, names: tuple[str, ...]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not value.keys() <= set(names):
        raise InputError(
            f"{references.argument(argument)} must be {' or '.join(names)}, not {quoted(value)}", argument=argument
        )
    return value


def _array(argument: str, value: object) -> list[object]:
    if not isinstance(value, (list, tuple)):
        raise InputError(f"{references.argument(argument)} must be a list, not {quoted(value)}", argument=argument)
    return list(value)


#: The fields of ``obs_location``, with their limits.
OBS_FIELDS: Mapping[str, Rule] = {
    "region_name": OBS_REGION,
    "bucket_name": OBS_BUCKET,
    "object_key": OBS_KEY,
    "sign_method": SIGN_METHOD,
    "sign": SIGN,
}
_OBS_OPTIONAL = ("sign_method", "sign")
#: The free texts of a package, with their maximum lengths.
TEXTS: Mapping[str, int] = {"description": MAX_DESCRIPTION, "custom_info": MAX_CUSTOM_INFO}
_PACKAGE_REQUIRED: Mapping[str, Rule] = {
    "app_id": APP_ID,
    "package_type": PACKAGE_TYPE,
    "product_id": PRODUCT_ID,
    "version": VERSION,
}
_PACKAGE_FIELDS = frozenset({*_PACKAGE_REQUIRED, *TEXTS, "module_name", "support_source_versions", "file_location"})


def problems_of_obs_location(location: Mapping[str, Any], *, unknown: Collection[str] = ()) -> dict[str, str]:
    """Return the problems of the location of an object, by field.

    Args:
        location: the fields that are known.
        unknown: the names of the fields that are set but not known yet.
    """
    problems = {name: "is not a field of it" for name in location if name not in OBS_FIELDS}
    for name, rule in OBS_FIELDS.items():
        problem = rule.problem(location[name]) if name in location else None
        if problem:
            # A key can hold any text, even a secret.
            problems[name] = problem if name == "object_key" else f"{problem}, not {quoted(location[name])}"
        elif name not in location and name not in unknown and name not in _OBS_OPTIONAL:
            problems[name] = "is required"
    if "object_key" in location and "object_key" not in problems:
        problem = problem_of_object_key(location["object_key"])
        problems |= {"object_key": problem} if problem else {}
    return problems


def checked_package_body(body: Mapping[str, object]) -> dict[str, Any]:
    """Return the body as plain values, if it is within the documented limits.

    Raises:
        InputError: a field is unknown, missing, or breaks its limit.
    """
    checked = {name: value for name, value in body.items() if value is not None}
    unknown = sorted(checked.keys() - _PACKAGE_FIELDS)
    if unknown:
        raise InputError(f"a package has no field {quoted(unknown[0])}", argument=str(unknown[0]))
    for name, rule in _PACKAGE_REQUIRED.items():
        require(name, checked.get(name), rule)
    if "module_name" in checked:
        require("module_name", checked["module_name"], MODULE_NAME)
    _refuse("module_name", problem_of_module(checked["package_type"], module="module_name" in checked))
    _check_texts(checked)
    _check_object(checked.get("file_location"))
    return checked


def _check_texts(body: Mapping[str, Any]) -> None:
    for name, most in TEXTS.items():
        text = body.get(name, "")
        if not isinstance(text, str):
            raise InputError(f"{references.argument(name)} must be a string", argument=name)
        _refuse(name, problem_of_length(text, most))
    versions: Sequence[object] = body.get("support_source_versions", ())
    if not isinstance(versions, (list, tuple)):
        raise InputError(
            f"{references.argument('support_source_versions')} must be a list", argument="support_source_versions"
        )
    require_at_most("support_source_versions", versions, MAX_SOURCE_VERSIONS)
    require_each("support_source_versions", versions, VERSION)


def _check_object(file_location: object) -> None:
    location = file_location.get("obs_location") if isinstance(file_location, Mapping) else None
    if not isinstance(location, Mapping):
        raise InputError(f"{references.argument('obs_location')} is required", argument="obs_location")
    for name, problem in problems_of_obs_location(location).items():
        raise InputError(f"{references.argument(f'obs_location.{name}')} {problem}", argument="obs_location")
