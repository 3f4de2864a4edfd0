"""The table of the arguments of the functions."""

from __future__ import annotations

from dataclasses import replace

from pulumi_iotda_ota.durations import TimeRule
from pulumi_iotda_ota.iotda import limits
from pulumi_iotda_ota.iotda.limits import Choice, Number
from pulumi_iotda_ota.schema.argument import Argument

_TIME = TimeRule()

PACKAGE_TYPE = Argument(
    "package_type",
    "string",
    "The type of the package.",
    limits.PACKAGE_TYPE,
    required=True,
    allowed={
        "softwarePackage": "Software of a device.",
        "firmwarePackage": "Firmware of a device.",
        "modulePackage": "Software of one module of a device.",
    },
    example="firmwarePackage",
    selects=True,
)
APP_ID = Argument(
    "app_id",
    "string",
    "The resource space. If it is not set, all resource spaces that the credentials can read.",
    limits.APP_ID,
    example="8ce6b2d0c2f64f9d8a5ee5b1f0d24a11",
    selects=True,
)
PRODUCT_ID = Argument(
    "product_id",
    "string",
    "The product of the devices. If it is not set, all products.",
    limits.PRODUCT_ID,
    example="smart-meter",
    selects=True,
)
MODULE_NAME = Argument(
    "module_name",
    "string",
    "The module that a modulePackage is for. If it is not set, all modules.",
    limits.MODULE_NAME,
    example="modem",
    selects=True,
)
VERSION = Argument(
    "version",
    "string",
    "The exact version. If it is not set, all versions.",
    limits.VERSION,
    example="V1.4.10",
    selects=True,
)
VERSION_CONSTRAINT = Argument(
    "version_constraint",
    "string",
    "A range of versions, at most 1,024 characters. It compares by {version_scheme}. If it is not set, all versions.",
    example="^1.4",
    selects=True,
)
VERSION_REGEX = Argument(
    "version_regex",
    "string",
    "A regular expression that the whole version must match, at most 1,024 characters. Its syntax is that of the "
    "Rust crate regex. If it is not set, all versions.",
    example="V1[.]4[.].*",
    selects=True,
)
VERSION_SCHEME = Argument(
    "version_scheme",
    "string",
    "How versions are read and ordered.",
    Choice(("loose", "semver")),
    default="loose",
    allowed={
        "loose": "Reads any version, and compares numbers as numbers.",
        "semver": "Reads only versions of Semantic Versioning 2.0.",
    },
    example="semver",
    python_type='Literal["loose", "semver"]',
    selects=True,
)
INCLUDE_PRERELEASES = Argument(
    "include_prereleases",
    "boolean",
    "Whether prereleases match. If it is not set, a list has them. A single lookup has them only if an argument names "
    "a prerelease.",
    example=True,
    selects=True,
)
PREFERRED_VERSIONS = Argument(
    "preferred_versions",
    "list of strings",
    "Versions in order of preference. The first version that a package has wins. If it is not set, no version is "
    "preferred.",
    limits.VERSION,
    example=["V1.4.10", "V1.4.9"],
    selects=True,
)
SOURCE_VERSIONS = Argument(
    "source_versions",
    "list of strings",
    "The versions that the devices run now. The package must support each of them (exact match, or it lists none). It "
    "must not be older than any of them. If it is not set, all packages.",
    limits.VERSION,
    example=["V1.3.5"],
    selects=True,
)
ALLOW_DOWNGRADE = Argument(
    "allow_downgrade",
    "boolean",
    "Whether packages match that are older than one of {source_versions}.",
    default=False,
    example=True,
    selects=True,
)
CREATED_AFTER = Argument(
    "created_after",
    "string",
    "The earliest upload time, inclusive. If it is not set, there is no earliest time.",
    _TIME,
    example="2026-10-01T00:00:00Z",
    selects=True,
)
CREATED_BEFORE = Argument(
    "created_before",
    "string",
    "The latest upload time, exclusive. With a fixed time, a preview and its update find the same package. If it is "
    "not set, there is no latest time.",
    _TIME,
    example="2026-11-01T00:00:00Z",
    selects=True,
)
REQUIRE_CHECKSUM = Argument(
    "require_checksum",
    "boolean",
    "Whether only a package with a recorded SHA-256 checksum matches. It costs one more request for each candidate, "
    "at most 50.",
    default=False,
    example=True,
    selects=True,
)
STRICT_VERSIONS = Argument(
    "strict_versions",
    "boolean",
    "Whether a package whose version cannot be read is an error. If not, the package is skipped. The same applies to "
    "an upload time that a rule or the order needs.",
    default=False,
    example=True,
    selects=True,
)
ORDER_BY = Argument(
    "order_by",
    "string",
    "The order of the list. If it is not set, the order of the service: newest record first.",
    Choice(("version", "create_time")),
    allowed={"version": "Highest version first.", "create_time": "Newest upload first."},
    example="version",
    python_type='Literal["version", "create_time"]',
    selects=True,
)
HIGHEST_VERSION = Argument(
    "highest_version",
    "boolean",
    "Whether the highest version by {version_scheme} is returned if several packages match. If neither this nor "
    "{most_recent} is set, several matches are an error.",
    default=False,
    example=True,
    selects=True,
)
MOST_RECENT = Argument(
    "most_recent",
    "boolean",
    "Whether the newest upload is returned if several packages match. It excludes {highest_version}.",
    default=False,
    example=True,
    selects=True,
)
ON_MISSING = Argument(
    "on_missing",
    "string",
    "What happens if no package matches.",
    Choice(("error", "none")),
    default="error",
    allowed={"error": "The lookup fails.", "none": "The lookup returns no package."},
    example="none",
    python_type='Literal["error", "none"]',
)
ALLOW_MULTIPLE_SCOPES = Argument(
    "allow_multiple_scopes",
    "boolean",
    "Whether one package may be chosen from several resource spaces, products or modules.",
    default=False,
    example=True,
    selects=True,
)
INCLUDE_FILE_LOCATION = Argument(
    "include_file_location",
    "boolean",
    "Whether the OBS location and the checksum of the package are returned too. It costs one more request.",
    default=False,
    example=True,
)
PACKAGE_ID = Argument(
    "package_id",
    "string",
    "The id of one package. The package is fetched instead of selected, so no selection argument may be set. "
    "If it is not set, a package is selected.",
    limits.PACKAGE_ID,
    example="8e99e4f7765dfb08dbfee0054d004b3b",
)
LOCK = Argument(
    "lock",
    "string",
    "The name of an entry of the lock file. The package is read from the file, and no request is sent. If it is not "
    "set, the package is looked up on the service.",
    limits.LOCK_NAME,
    example="meter",
)
VERIFY_LOCKED = Argument(
    "verify",
    "boolean",
    "Whether to check with the service that the locked package still exists, unchanged. It needs {lock}, and "
    "costs one request.",
    default=False,
    example=True,
)
MAX_ITEMS = Argument(
    "max_items",
    "integer",
    "The most packages that are returned. If it is not set, all of them. Without {order_by}, no further pages are "
    "read, and skipped packages are counted only as far as the list was read.",
    Number(1, 10**9),
    example=10,
)
TRIGGERS = Argument(
    "triggers",
    "any",
    "Any values. If one changes, the work is done again.",
    example=["2026-11"],
    optional_output=True,
)

_SHARED = (
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
    *_SHARED,
    ORDER_BY,
    MAX_ITEMS,
)
GET_OTA_PACKAGE: tuple[Argument, ...] = (
    # lookup/query.py checks that it or package_id is set.
    replace(
        PACKAGE_TYPE,
        description=f"{PACKAGE_TYPE.description} Required, unless {{package_id}} or {{lock}} is set.",
        required=False,
    ),
    *_SHARED,
    PACKAGE_ID,
    REQUIRE_CHECKSUM,
    HIGHEST_VERSION,
    MOST_RECENT,
    ON_MISSING,
    ALLOW_MULTIPLE_SCOPES,
    INCLUDE_FILE_LOCATION,
    LOCK,
    VERIFY_LOCKED,
)
GET_UPGRADE_PATH: tuple[Argument, ...] = (
    # lookup/paths.py checks that it or package_id is set.
    replace(
        PACKAGE_TYPE, description=f"{PACKAGE_TYPE.description} Required, unless {{package_id}} is set.", required=False
    ),
    replace(
        SOURCE_VERSIONS,
        description="The versions that devices run now. They do not filter the target: each version gets its own path.",
        required=True,
    ),
    *(
        {
            "include_prereleases": replace(
                INCLUDE_PRERELEASES,
                description="Whether the target and the hops may be prereleases. If it is not set, only if an argument "
                "names a prerelease, or {package_id} is one.",
            ),
            "allow_downgrade": replace(
                ALLOW_DOWNGRADE, description="Whether a hop may lead to a version that is older than the one before it."
            ),
        }.get(argument.name, argument)
        for argument in _SHARED
        if argument is not SOURCE_VERSIONS
    ),
    replace(
        PACKAGE_ID,
        description="The id of the target. The target is fetched instead of selected. Then no selection argument may "
        "be set, except {version_scheme}, {include_prereleases} and {allow_downgrade}. If it is not set, the target is "
        "selected.",
    ),
    REQUIRE_CHECKSUM,
    HIGHEST_VERSION,
    MOST_RECENT,
    ALLOW_MULTIPLE_SCOPES,
    Argument(
        "max_hops",
        "integer",
        "The most packages that devices install one after the other.",
        Number(1, 20),
        default=5,
        example=3,
    ),
)
#: The arguments that decide which package is found. Pins and locks store those that differ from their defaults.
SELECTION: tuple[Argument, ...] = tuple(
    argument for argument in GET_OTA_PACKAGE if argument.selects or argument is PACKAGE_ID
)
#: The fields of a policy, in the order of the tables.
POLICY: tuple[Argument, ...] = tuple(
    {argument.name: argument for argument in (*GET_OTA_PACKAGE, *GET_OTA_PACKAGES) if argument.selects}.values()
)
GET_UPGRADE_TASK: tuple[Argument, ...] = (
    Argument(
        "task_id",
        "string",
        "The id of the upgrade task.",
        limits.TASK_ID,
        required=True,
        example="5c8b1c2d3e4f5a6b7c8d9e0f",
    ),
)
