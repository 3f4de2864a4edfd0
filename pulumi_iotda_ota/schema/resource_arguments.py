"""The table of the arguments of the resources."""

from __future__ import annotations

from dataclasses import replace

from pulumi_iotda_ota.durations import DurationRule, TimeRule
from pulumi_iotda_ota.iotda import limits
from pulumi_iotda_ota.iotda.limits import Choice, Number
from pulumi_iotda_ota.schema.argument import (
    ALLOWED,
    CONFIRMS,
    JUDGED,
    NEW_PACKAGE,
    NEW_TASK,
    NEXT_CREATION,
    NEXT_PREVIEW,
    NEXT_REPLACEMENT,
    ONCE,
    SELECTS,
    WAITS,
    Argument,
    Change,
)
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

_PACKAGE_EXAMPLE = "8e99e4f7765dfb08dbfee0054d004b3b"

OTA_PACKAGE: tuple[Argument, ...] = (
    replace(PACKAGE_TYPE, change=NEW_PACKAGE),
    replace(APP_ID, description="The resource space of the package.", required=True, change=NEW_PACKAGE),
    replace(PRODUCT_ID, description="The product of the devices.", required=True, change=NEW_PACKAGE),
    replace(VERSION, description="The version of the package.", required=True, change=NEW_PACKAGE),
    Argument(
        "obs_location",
        "object",
        "The OBS object that holds the file, of at most 1 GB. The library neither reads nor changes the object.",
        required=True,
        example={
            "region_name": "cn-north-4",
            "bucket_name": "firmware",
            "object_key": "meter/V1.4.10.bin",
        },
        python_type="Mapping[str, pulumi.Input[str]]",
        free=True,
        of=OBS_LOCATION,
        change=NEW_PACKAGE,
    ),
    replace(
        MODULE_NAME,
        description="The module that the package is for. Required for a modulePackage. Not allowed for other types.",
        optional_output=True,
        change=NEW_PACKAGE,
    ),
    Argument(
        "support_source_versions",
        "list of strings",
        "The versions that the package can upgrade. If it is not set, all versions.",
        limits.VERSION,
        maximum=limits.MAX_SOURCE_VERSIONS,
        example=["V1.3.5"],
        change=ALLOWED,
    ),
    Argument(
        "description",
        "string",
        f"A text about the package, at most {limits.MAX_DESCRIPTION:,} characters. If it is not set, there is none.",
        example="Fixes the clock",
        free=True,
        optional_output=True,
        change=ALLOWED,
    ),
    Argument(
        "custom_info",
        "string",
        f"A text that is pushed to the devices with the package, at most {limits.MAX_CUSTOM_INFO:,} characters. If it "
        "is not set, there is none.",
        example="reboot=1",
        free=True,
        optional_output=True,
        change=ALLOWED,
    ),
    Argument(
        "allow_replace",
        "boolean",
        "Whether a change of {description}, {custom_info} or {support_source_versions} may replace the package. "
        "A replacement has a new package id.",
        default=False,
        example=True,
        change=NEXT_REPLACEMENT,
    ),
)
# It adds the file location to the outputs or removes it. The pin does not move.
_FILE = Change("stored", "Stored: {file_location} is added to the outputs, or removed. The pin stays.")
OTA_PACKAGE_PIN: tuple[Argument, ...] = (
    *(
        replace(argument, change=_FILE if argument == INCLUDE_FILE_LOCATION else SELECTS)
        for argument in GET_OTA_PACKAGE
        if argument not in (ON_MISSING, VERIFY_LOCKED)
    ),
    replace(
        TRIGGERS,
        description="Any values. If one changes, the pin selects its package again.",
        change=SELECTS,
    ),
    Argument(
        "expected_package_id",
        "string",
        "The id of the package that was reviewed. If the pin finds another package, it is an error. If it "
        "is not set, any package is accepted.",
        limits.PACKAGE_ID,
        example=_PACKAGE_EXAMPLE,
        change=NEXT_PREVIEW,
    ),
    Argument(
        "verify",
        "boolean",
        "Whether each preview checks with the service that the pinned package still exists, unchanged. It costs one "
        "request. If it is not set, it is on, but off with {lock}.",
        example=False,
        change=NEXT_PREVIEW,
    ),
)
ADOPT_WITHIN = Argument(
    "adopt_within",
    "duration",
    "The age up to which a finished task with the same name and inputs is adopted. An older one is an error.",
    DurationRule(),
    default="24h",
    example="15m",
    change=NEXT_CREATION,
)
ON_DESTROY = Argument(
    "on_destroy",
    "string",
    "What a destroy or a replacement does to the task.",
    Choice(("stop", "retain", "delete")),
    default="stop",
    allowed={
        "stop": "Stops the task if it runs. A finished task stays.",
        "retain": "Sends no request. The task stays as it is.",
        "delete": "Stops the task if it runs, and deletes it.",
    },
    example="retain",
    change=Change("stored", "Stored: it is used when the resource is destroyed or replaced."),
)
UPGRADE_TASK: tuple[Argument, ...] = (
    Argument(
        "package_ids",
        "list of strings",
        "The ids of the packages to install, at least one.",
        limits.PACKAGE_ID,
        required=True,
        example=[_PACKAGE_EXAMPLE],
        change=NEW_TASK,
    ),
    Argument(
        "targets",
        "list of strings",
        "The ids of the devices to upgrade. The order has no meaning. Set either this or {group_ids}.",
        limits.TARGET,
        maximum=limits.MAX_TARGETS,
        example=["meter-001"],
        change=NEW_TASK,
    ),
    Argument(
        "group_ids",
        "list of strings",
        "The ids of the device groups to upgrade. The task has the devices that are in the groups when it is created. "
        "Set either this or {targets}.",
        limits.GROUP_ID,
        example=["canary"],
        change=NEW_TASK,
    ),
    Argument(
        "task_type",
        "string",
        "The type of the task. If it is not set, the type that fits the packages.",
        limits.TASK_TYPE,
        allowed={
            "softwareUpgrade": "Installs a softwarePackage.",
            "firmwareUpgrade": "Installs a firmwarePackage.",
            "moduleUpgrade": "Installs a modulePackage.",
        },
        example="firmwareUpgrade",
        change=Change("refused", "Refused: a task keeps its type. Change {triggers} too, for a new task."),
    ),
    replace(
        APP_ID,
        description="The resource space of the task. If it is not set, the default resource space.",
        change=NEW_TASK,
    ),
    Argument(
        "task_name_prefix",
        "string",
        "The start of the task's name, which lists show: letters, digits, _ and Chinese characters. If it is not set, "
        "the name of the resource.",
        limits.TASK_NAME_PREFIX,
        example="meter_canary",
        change=Change("noted", "Stored, with a warning: the existing task keeps its name."),
    ),
    Argument(
        "schedule_time",
        "string",
        "When the task starts, at most 7 days ahead. If it is not set, at once.",
        TimeRule(),
        example="2026-12-01T02:00:00Z",
        change=ONCE,
    ),
    Argument(
        "retry_count",
        "integer",
        "How often the upgrade of a device is retried. It needs {retry_interval}. If it is not set, there is no retry.",
        limits.RETRY_COUNT,
        example=3,
        change=ONCE,
    ),
    Argument(
        "retry_interval",
        "integer",
        "The minutes between two attempts to upgrade a device. It needs {retry_count}.",
        limits.RETRY_INTERVAL,
        example=30,
        change=ONCE,
    ),
    Argument(
        "need_confirm",
        "boolean",
        "Whether every device waits until the task is confirmed.",
        default=False,
        example=True,
        change=ONCE,
    ),
    Argument(
        "task_mode",
        "string",
        "The mode of the task. If it is not set, the devices are upgraded directly.",
        limits.TASK_MODE,
        allowed={"GATEWAY": "Upgrades devices behind a gateway."},
        example="GATEWAY",
        change=NEW_TASK,
    ),
    Argument(
        "task_ext_info",
        "object",
        f"More information for the task, at most {limits.MAX_TASK_EXT_INFO} characters as JSON. If it is not set, "
        "there is none.",
        example={"site": "north"},
        free=True,
        change=NEW_TASK,
    ),
    replace(
        TRIGGERS,
        description="Any values. If one changes, a new task replaces this one.",
        change=NEW_TASK,
    ),
    ON_DESTROY,
    Argument(
        "document_key",
        "string",
        "The name of the field that the packages are sent in.",
        Choice(("package_ids", "package_id")),
        default="package_ids",
        allowed={
            "package_ids": "The field of the current API.",
            "package_id": "The field of older instances. It takes one package.",
        },
        example="package_id",
        change=NEXT_CREATION,
    ),
    Argument(
        "replace_running",
        "boolean",
        "Whether a change that needs a new task may stop a task that still runs.",
        default=False,
        example=True,
        change=NEXT_REPLACEMENT,
    ),
    ADOPT_WITHIN,
)

TASK_ID = Argument(
    "task_id",
    "string",
    "The id of the upgrade task.",
    limits.TASK_ID,
    required=True,
    example="5c8b1c2d3e4f5a6b7c8d9e0f",
)
MIN_DEVICES = Argument(
    "min_devices",
    "integer",
    "The fewest devices that the task must have. A task with fewer devices fails.",
    Number(0, limits.MAX_TARGETS),
    default=1,
    example=10,
    change=JUDGED,
)
TIMEOUT = Argument(
    "timeout",
    "duration",
    "How long to wait for the end of the task. With 0, the task is judged as it is now.",
    DurationRule(),
    default="1h",
    example="15m",
    change=JUDGED,
)
UPGRADE_TASK_COMPLETION: tuple[Argument, ...] = (
    replace(TASK_ID, change=WAITS),
    Argument(
        "max_failed_devices",
        "integer",
        "The most devices that may fail. If neither this nor {max_failed_percent} is set, no device may fail.",
        Number(0, limits.MAX_TARGETS),
        example=5,
        change=JUDGED,
    ),
    Argument(
        "max_failed_percent",
        "number",
        "The percentage of the devices that may fail. Set either this or {max_failed_devices}.",
        Number(0, 100, whole=False),
        example=2.5,
        change=JUDGED,
    ),
    MIN_DEVICES,
    TIMEOUT,
    Argument(
        "stop_when_exceeded",
        "boolean",
        "Whether the task is stopped as soon as more devices failed than allowed. If not, it runs to its end.",
        default=False,
        example=True,
        change=JUDGED,
    ),
    Argument(
        "retry_failed",
        "boolean",
        "Whether the devices that failed are retried, once in each update, before the task is judged.",
        default=False,
        example=True,
        change=JUDGED,
    ),
    replace(
        TRIGGERS,
        description="Any values. If one changes, the resource waits for the task again.",
        change=WAITS,
    ),
)
UPGRADE_TASK_CONFIRMATION: tuple[Argument, ...] = (
    replace(TASK_ID, change=CONFIRMS),
    Argument(
        "approved_package_ids",
        "list of strings",
        "The ids of the packages that a person reviewed, as literals. If the task installs other packages, it is not "
        "confirmed.",
        replace(limits.PACKAGE_ID, output=""),
        required=True,
        example=[_PACKAGE_EXAMPLE],
        change=CONFIRMS,
    ),
)
