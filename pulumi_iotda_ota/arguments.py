"""The one table of every argument: its name, type, what it means and its rule.

The functions and resources are written by hand and compared with this table by a test. What is documented or checked
about an argument is written here and nowhere else. This module sends nothing and imports nothing of Pulumi.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pulumi_iotda_ota.iotda import limits
from pulumi_iotda_ota.iotda.limits import Choice, Number, Pattern, Rule
from pulumi_iotda_ota.outputs import OBS_LOCATION, Object

__all__ = [
    "GET_OTA_PACKAGE",
    "GET_OTA_PACKAGES",
    "GET_UPGRADE_TASK",
    "OTA_PACKAGE",
    "OTA_PACKAGE_PIN",
    "UPGRADE_TASK",
    "UPGRADE_TASK_COMPLETION",
    "UPGRADE_TASK_CONFIRMATION",
    "Argument",
]


@dataclass(frozen=True)
class Argument:
    """One argument.

    Attributes:
        name: as the Python functions spell it.
        type: ``text``, ``flag``, ``number`` (a whole one), ``decimal``, ``texts`` (a list), ``duration``, ``object`` or
            ``triggers``.
        description: a full sentence with default and limits.
        rule: the documented limit of the value, or of each of several.
        required: whether it must be given.
        maximum: how many items a list may have.
        default: what not giving it means.
        free: whether it can hold anything, a secret too; an error then never shows it.
        of: the fields of an object that has names of the API; without it its keys are the user's.
    """

    name: str
    type: str
    description: str
    rule: Rule | None = None
    required: bool = False
    maximum: int | None = None
    default: object = None
    free: bool = False
    of: Object | None = None


PACKAGE_TYPE = Argument(
    "package_type",
    "text",
    "The type of the package: softwarePackage, firmwarePackage or modulePackage.",
    limits.PACKAGE_TYPE,
    required=True,
)
APP_ID = Argument(
    "app_id",
    "text",
    "The resource space, 1 to 36 letters, digits, _ or -. Without it, every space that the credentials see.",
    limits.APP_ID,
)
PRODUCT_ID = Argument(
    "product_id", "text", "The product of the devices, 1 to 36 letters, digits, _ or -.", limits.PRODUCT_ID
)
MODULE_NAME = Argument(
    "module_name", "text", "The module of a modulePackage, 1 to 64 letters, digits, _, - or .", limits.MODULE_NAME
)
VERSION = Argument("version", "text", "The exact version, 1 to 256 letters, digits, _, - or .", limits.VERSION)
VERSION_CONSTRAINT = Argument(
    "version_constraint",
    "text",
    "A range of versions such as ^1.4, ~1.2.3, >=1.2 <2 or 1.2.x || 2.1, at most 1,024 characters.",
)
VERSION_REGEX = Argument(
    "version_regex",
    "text",
    "A pattern that the whole version must match, at most 1,024 characters of the syntax of Rust's regex crate.",
)
VERSION_SCHEME = Argument(
    "version_scheme",
    "text",
    "How versions are read and ordered: loose (the default: any version, numbers as numbers) or semver.",
    Choice(("loose", "semver")),
    default="loose",
)
INCLUDE_PRERELEASES = Argument(
    "include_prereleases",
    "flag",
    "Keep prereleases. By default a list does, and a single lookup only where one is asked for by name.",
)
PREFERRED_VERSIONS = Argument(
    "preferred_versions",
    "texts",
    "Versions in order of preference: the first that fits wins, before order_by and without most_recent.",
    limits.VERSION,
)
SOURCE_VERSIONS = Argument(
    "source_versions",
    "texts",
    "What the devices run now: the package must support all of these, compared as text, and be below none of them.",
    limits.VERSION,
)
ALLOW_DOWNGRADE = Argument(
    "allow_downgrade", "flag", "Keep packages below one of source_versions. Off by default.", default=False
)
CREATED_AFTER = Argument(
    "created_after", "text", "The earliest upload, inclusive: RFC 3339 with a zone, or yyyyMMddTHHmmssZ."
)
CREATED_BEFORE = Argument(
    "created_before",
    "text",
    "The end of the uploads, exclusive: RFC 3339 with a zone, or yyyyMMddTHHmmssZ. A fixed one makes a preview and its "
    "update agree.",
)
REQUIRE_SIGNATURE = Argument(
    "require_signature",
    "flag",
    "Only a package whose file has a SHA-256 checksum: one more request a candidate, 50 at most. Off by default.",
    default=False,
)
STRICT_VERSIONS = Argument(
    "strict_versions",
    "flag",
    "Make a version that the scheme can not read an error, instead of passing its package over. Off by default.",
    default=False,
)
ORDER_BY = Argument(
    "order_by",
    "text",
    "How packages that fit are ordered, first is best: version (highest) or create_time (newest upload).",
    Choice(("version", "create_time")),
    default="version",
)
MOST_RECENT = Argument(
    "most_recent",
    "flag",
    "Take the first by order_by where several fit. Off by default: more than one is an error.",
    default=False,
)
ON_MISSING = Argument(
    "on_missing",
    "text",
    "What happens where nothing fits: error (the default) or none.",
    Choice(("error", "none")),
    default="error",
)
ALLOW_UNSCOPED = Argument(
    "allow_unscoped",
    "flag",
    "Allow a choice among packages of several resource spaces, products or modules. Off by default.",
    default=False,
)
WITH_FILE_LOCATION = Argument(
    "with_file_location",
    "flag",
    "Ask for the OBS location and checksum of the chosen package too: one more request. Off by default.",
    default=False,
)
PACKAGE_ID = Argument(
    "package_id",
    "text",
    "Fetch this package instead of selecting one; goes with no selection argument.",
    limits.PACKAGE_ID,
)
MAX_ITEMS = Argument(
    "max_items",
    "number",
    "Return at most this many packages, 1 or more. Without it, all of them. Without order_by the list is read no "
    "further than that takes, and what was passed over is told as far as it was read.",
    Number(1, 10**9),
)
TRIGGERS = Argument(
    "triggers", "triggers", "Any values; when one changes, the work is done again (a new look, a new campaign)."
)

_SELECTION = (
    APP_ID,
    PRODUCT_ID,
    MODULE_NAME,
    VERSION,
    VERSION_CONSTRAINT,
    VERSION_REGEX,
    VERSION_SCHEME,
    INCLUDE_PRERELEASES,
    PREFERRED_VERSIONS,
    SOURCE_VERSIONS,
    ALLOW_DOWNGRADE,
    CREATED_AFTER,
    CREATED_BEFORE,
    STRICT_VERSIONS,
)

GET_OTA_PACKAGES: tuple[Argument, ...] = (
    PACKAGE_TYPE,
    *_SELECTION,
    # A list without order_by keeps the order of the service.
    replace(ORDER_BY, default=None),
    MAX_ITEMS,
)
GET_OTA_PACKAGE: tuple[Argument, ...] = (
    # Required unless package_id is given; lookup.py checks that, because it is a rule over two arguments.
    replace(PACKAGE_TYPE, required=False),
    *_SELECTION,
    PACKAGE_ID,
    REQUIRE_SIGNATURE,
    MOST_RECENT,
    ORDER_BY,
    ON_MISSING,
    ALLOW_UNSCOPED,
    WITH_FILE_LOCATION,
)
GET_UPGRADE_TASK: tuple[Argument, ...] = (
    Argument(
        "task_id", "text", "The upgrade task, 1 to 24 lower-case hexadecimal digits.", limits.TASK_ID, required=True
    ),
)
OTA_PACKAGE: tuple[Argument, ...] = (
    PACKAGE_TYPE,
    replace(APP_ID, description="The resource space, 1 to 36 letters, digits, _ or -.", required=True),
    replace(PRODUCT_ID, required=True),
    replace(VERSION, description="The version, 1 to 256 letters, digits, _, - or .", required=True),
    Argument(
        "obs_location",
        "object",
        "Where the file lies in OBS: region_name, bucket_name, object_key, and optionally its SHA-256 as sign.",
        required=True,
        free=True,
        of=OBS_LOCATION,
    ),
    replace(MODULE_NAME, description=f"{MODULE_NAME.description} Required for one, and for no other type."),
    Argument(
        "support_source_versions",
        "texts",
        "The versions that it can upgrade, 1 to 20. By default all.",
        limits.VERSION,
        maximum=limits.MAX_SOURCE_VERSIONS,
    ),
    Argument("description", "text", "What it is, at most 1,024 characters.", free=True),
    Argument("custom_info", "text", "What is pushed to the devices with it, at most 4,096 characters.", free=True),
    Argument(
        "allow_replace",
        "flag",
        "Allow a change of description, custom_info or support_source_versions to replace the package. Off by default.",
    ),
)
OTA_PACKAGE_PIN: tuple[Argument, ...] = (
    *(argument for argument in GET_OTA_PACKAGE if argument is not ON_MISSING),
    TRIGGERS,
    Argument(
        "expect_package_id",
        "text",
        "The package that was reviewed: an answer that differs is an error that names both.",
        limits.PACKAGE_ID,
    ),
    Argument(
        "verify",
        "flag",
        "Ask at each preview whether the pinned package is still there: one request. On by default.",
    ),
)
UPGRADE_TASK: tuple[Argument, ...] = (
    Argument(
        "package_ids",
        "texts",
        "The packages to install, 1 or more ids.",
        limits.PACKAGE_ID,
        required=True,
    ),
    Argument(
        "targets",
        "texts",
        "The devices to upgrade, a set of 1 to 30,000 device ids. Either these or group_ids.",
        limits.TARGET,
        maximum=limits.MAX_TARGETS,
    ),
    Argument(
        "group_ids",
        "texts",
        "The device groups to upgrade, as they are when the task is created. Either these or targets.",
        limits.GROUP_ID,
    ),
    Argument(
        "task_type",
        "text",
        "softwareUpgrade, firmwareUpgrade or moduleUpgrade. By default what fits the type of the package.",
        limits.TASK_TYPE,
    ),
    APP_ID,
    Argument(
        "task_name_prefix",
        "text",
        "What the task's name, which is shown, starts with: letters, digits and _. By default the resource's name.",
        Pattern(r"[A-Za-z0-9_]{1,111}", "1 to 111 letters, digits or _"),
    ),
    Argument(
        "schedule_time",
        "text",
        "When the task starts, at most 7 days ahead: RFC 3339 or yyyyMMddTHHmmssZ. By default at once.",
    ),
    Argument(
        "retry_count",
        "number",
        "How often a device is tried again, 1 to 5. Goes with retry_interval.",
        limits.RETRY_COUNT,
    ),
    Argument(
        "retry_interval",
        "number",
        "Minutes between two tries of a device, 0 to 1440. Goes with retry_count.",
        limits.RETRY_INTERVAL,
    ),
    Argument(
        "need_confirm",
        "flag",
        "Let every device wait until the task is confirmed. Off by default.",
    ),
    Argument("task_mode", "text", "GATEWAY, for devices behind a gateway.", limits.TASK_MODE),
    Argument(
        "task_ext_info",
        "object",
        "More for the task, an object of at most 512 characters as JSON.",
        free=True,
    ),
    TRIGGERS,
    Argument(
        "on_destroy",
        "text",
        "What destroying does: stop (the default: a running task is stopped, a finished one stays), retain or delete.",
        Choice(("stop", "retain", "delete")),
    ),
    Argument(
        "document_key",
        "text",
        "How the packages are sent: package_ids (the default) or package_id, which older instances want.",
        Choice(("package_ids", "package_id")),
    ),
    Argument(
        "replace_running",
        "flag",
        "Allow a change that needs a new campaign to stop one that is still running. Off by default.",
    ),
    Argument(
        "adopt_within",
        "duration",
        "How old a finished task of the same campaign may be to be taken over: seconds, 15m or 24h (the default).",
    ),
)

TASK_ID = Argument(
    "task_id", "text", "The upgrade task, 1 to 24 lower-case hexadecimal digits.", limits.TASK_ID, required=True
)
UPGRADE_TASK_COMPLETION: tuple[Argument, ...] = (
    TASK_ID,
    Argument(
        "max_failed_devices",
        "number",
        "How many devices may fail, 0 (the default) to 30,000. Either this or max_failed_percent.",
        Number(0, limits.MAX_TARGETS),
    ),
    Argument(
        "max_failed_percent",
        "decimal",
        "How many devices of a hundred may fail, 0 to 100. Either this or max_failed_devices.",
        Number(0, 100, whole=False),
    ),
    Argument(
        "min_devices",
        "number",
        "How many devices the task must have at least, 0 to 30,000. By default 1: a campaign for nobody fails.",
        Number(0, limits.MAX_TARGETS),
    ),
    Argument(
        "timeout",
        "duration",
        "How long to wait for the end: seconds, 90s, 15m or 2h. By default 1h; 0 judges the task as it is now.",
    ),
    Argument(
        "stop_when_exceeded",
        "flag",
        "Stop the task as soon as more devices have failed than may. Off by default: it goes on to its end.",
    ),
    Argument(
        "retry_failed",
        "flag",
        "Try the devices that failed once more, one retry an update, and judge the task after that. Off by default.",
    ),
    TRIGGERS,
)
UPGRADE_TASK_CONFIRMATION: tuple[Argument, ...] = (
    TASK_ID,
    Argument(
        "approved_package_ids",
        "texts",
        "The packages that a person has reviewed, written out: another set than the task's is refused.",
        limits.PACKAGE_ID,
        required=True,
    ),
)
