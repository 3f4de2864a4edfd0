"""The arguments of the resources, in one table."""

from __future__ import annotations

from dataclasses import replace

from pulumi_iotda_ota.iotda import limits
from pulumi_iotda_ota.iotda.limits import Choice, Number
from pulumi_iotda_ota.schema import changes
from pulumi_iotda_ota.schema.argument import Argument, Change
from pulumi_iotda_ota.schema.lookup_arguments import (
    APP_ID,
    GET_OTA_PACKAGE,
    INCLUDE_FILE_LOCATION,
    MODULE_NAME,
    ON_MISSING,
    PACKAGE_TYPE,
    PRODUCT_ID,
    TRIGGERS,
    VERIFY_LOCKED,
    VERSION,
)
from pulumi_iotda_ota.schema.outputs import OBS_LOCATION

OTA_PACKAGE: tuple[Argument, ...] = (
    replace(PACKAGE_TYPE, change=changes.NEW_PACKAGE),
    replace(
        APP_ID,
        description="The resource space, 1 to 36 letters, digits, _ or -.",
        required=True,
        change=changes.NEW_PACKAGE,
    ),
    replace(PRODUCT_ID, required=True, change=changes.NEW_PACKAGE),
    replace(
        VERSION,
        description="The version, 1 to 256 letters, digits, _, - or .",
        required=True,
        change=changes.NEW_PACKAGE,
    ),
    Argument(
        "obs_location",
        "object",
        "Where the file lies in OBS: region_name, bucket_name, object_key, and optionally its SHA-256 as sign.",
        required=True,
        free=True,
        of=OBS_LOCATION,
        change=changes.NEW_PACKAGE,
    ),
    replace(
        MODULE_NAME,
        description=f"{MODULE_NAME.description} Required for one, and for no other type.",
        optional_output=True,
        change=changes.NEW_PACKAGE,
    ),
    Argument(
        "support_source_versions",
        "texts",
        "The versions that it can upgrade, 1 to 20. By default all.",
        limits.VERSION,
        maximum=limits.MAX_SOURCE_VERSIONS,
        change=changes.ALLOWED,
    ),
    Argument(
        "description",
        "text",
        "What it is, at most 1,024 characters.",
        free=True,
        optional_output=True,
        change=changes.ALLOWED,
    ),
    Argument(
        "custom_info",
        "text",
        "What is pushed to the devices with it, at most 4,096 characters.",
        free=True,
        optional_output=True,
        change=changes.ALLOWED,
    ),
    Argument(
        "allow_replace",
        "flag",
        "Allow a change of description, custom_info or support_source_versions to replace the package. Off by default.",
        change=changes.NEXT_REPLACEMENT,
    ),
)
# It adds the file location to the outputs or removes it. The pin does not move.
_FILE = Change("stored", "Stored: file_location is added to the outputs, or removed. The pin stays.")
OTA_PACKAGE_PIN: tuple[Argument, ...] = (
    *(
        replace(argument, change=_FILE if argument == INCLUDE_FILE_LOCATION else changes.SELECTS)
        for argument in GET_OTA_PACKAGE
        if argument not in (ON_MISSING, VERIFY_LOCKED)
    ),
    replace(TRIGGERS, change=changes.SELECTS),
    Argument(
        "expected_package_id",
        "text",
        "The package that was reviewed: an answer that differs is an error that names both.",
        limits.PACKAGE_ID,
        change=changes.NEXT_PREVIEW,
    ),
    Argument(
        "verify",
        "flag",
        "Ask at each preview whether the pinned package is still there: one request. On by default; with lock, off.",
        change=changes.NEXT_PREVIEW,
    ),
)
UPGRADE_TASK: tuple[Argument, ...] = (
    Argument(
        "package_ids",
        "texts",
        "The packages to install, 1 or more ids.",
        limits.PACKAGE_ID,
        required=True,
        change=changes.NEW_TASK,
    ),
    Argument(
        "targets",
        "texts",
        "The devices to upgrade, a set of 1 to 30,000 device ids. Either these or group_ids.",
        limits.TARGET,
        maximum=limits.MAX_TARGETS,
        change=changes.NEW_TASK,
    ),
    Argument(
        "group_ids",
        "texts",
        "The device groups to upgrade, as they are when the task is created. Either these or targets.",
        limits.GROUP_ID,
        change=changes.NEW_TASK,
    ),
    Argument(
        "task_type",
        "text",
        "softwareUpgrade, firmwareUpgrade or moduleUpgrade. By default what fits the type of the package.",
        limits.TASK_TYPE,
        change=Change("refused", "Refused: a task keeps its type. Change triggers too, for a new task."),
    ),
    replace(APP_ID, change=changes.NEW_TASK),
    Argument(
        "task_name_prefix",
        "text",
        "What the task's name, which is shown, starts with: letters, digits, _ and Chinese characters. By default the "
        "resource's name.",
        limits.TASK_NAME_PREFIX,
        change=Change("noted", "Stored, with a warning: the existing task keeps its name."),
    ),
    Argument(
        "schedule_time",
        "text",
        "When the task starts, at most 7 days ahead: RFC 3339 or yyyyMMddTHHmmssZ. By default at once.",
        change=changes.ONCE,
    ),
    Argument(
        "retry_count",
        "number",
        "How often a device is tried again, 1 to 5. Goes with retry_interval.",
        limits.RETRY_COUNT,
        change=changes.ONCE,
    ),
    Argument(
        "retry_interval",
        "number",
        "Minutes between two tries of a device, 0 to 1440. Goes with retry_count.",
        limits.RETRY_INTERVAL,
        change=changes.ONCE,
    ),
    Argument(
        "need_confirm",
        "flag",
        "Let every device wait until the task is confirmed. Off by default.",
        change=changes.ONCE,
    ),
    Argument("task_mode", "text", "GATEWAY, for devices behind a gateway.", limits.TASK_MODE, change=changes.NEW_TASK),
    Argument(
        "task_ext_info",
        "object",
        "More for the task, an object of at most 512 characters as JSON.",
        free=True,
        change=changes.NEW_TASK,
    ),
    replace(TRIGGERS, change=changes.NEW_TASK),
    Argument(
        "on_destroy",
        "text",
        "What destroying does: stop (the default: a running task is stopped, a finished one stays), retain or delete.",
        Choice(("stop", "retain", "delete")),
        change=Change("stored", "Stored: it is used when the resource is destroyed or replaced."),
    ),
    Argument(
        "document_key",
        "text",
        "How the packages are sent: package_ids (the default) or package_id, which older instances want.",
        Choice(("package_ids", "package_id")),
        change=changes.NEXT_CREATION,
    ),
    Argument(
        "replace_running",
        "flag",
        "Allow a change that needs a new campaign to stop one that is still running. Off by default.",
        change=changes.NEXT_REPLACEMENT,
    ),
    Argument(
        "adopt_within",
        "duration",
        "How old a finished task of the same campaign may be to be taken over: seconds, 15m or 24h (the default).",
        change=changes.NEXT_CREATION,
    ),
)

TASK_ID = Argument(
    "task_id", "text", "The upgrade task, 1 to 24 lower-case hexadecimal digits.", limits.TASK_ID, required=True
)
UPGRADE_TASK_COMPLETION: tuple[Argument, ...] = (
    replace(TASK_ID, change=changes.WAITS),
    Argument(
        "max_failed_devices",
        "number",
        "How many devices may fail, 0 (the default) to 30,000. Either this or max_failed_percent.",
        Number(0, limits.MAX_TARGETS),
        change=changes.JUDGED,
    ),
    Argument(
        "max_failed_percent",
        "decimal",
        "How many devices of a hundred may fail, 0 to 100. Either this or max_failed_devices.",
        Number(0, 100, whole=False),
        change=changes.JUDGED,
    ),
    Argument(
        "min_devices",
        "number",
        "How many devices the task must have at least, 0 to 30,000. By default 1: a campaign for nobody fails.",
        Number(0, limits.MAX_TARGETS),
        change=changes.JUDGED,
    ),
    Argument(
        "timeout",
        "duration",
        "How long to wait for the end: seconds, 90s, 15m or 2h. By default 1h; 0 judges the task as it is now.",
        change=changes.JUDGED,
    ),
    Argument(
        "stop_when_exceeded",
        "flag",
        "Stop the task as soon as more devices have failed than may. Off by default: it goes on to its end.",
        change=changes.JUDGED,
    ),
    Argument(
        "retry_failed",
        "flag",
        "Try the devices that failed once more, one retry an update, and judge the task after that. Off by default.",
        change=changes.JUDGED,
    ),
    replace(TRIGGERS, change=changes.WAITS),
)
UPGRADE_TASK_CONFIRMATION: tuple[Argument, ...] = (
    replace(TASK_ID, change=changes.CONFIRMS),
    Argument(
        "approved_package_ids",
        "texts",
        "The packages that a person has reviewed, written out: another set than the task's is refused.",
        replace(limits.PACKAGE_ID, output=""),
        required=True,
        change=changes.CONFIRMS,
    ),
)
