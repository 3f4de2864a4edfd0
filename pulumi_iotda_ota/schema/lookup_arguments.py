"""The arguments of the functions: the words of a lookup, in one table."""

from __future__ import annotations

from dataclasses import replace

from pulumi_iotda_ota.iotda import limits
from pulumi_iotda_ota.iotda.limits import Choice, Number
from pulumi_iotda_ota.schema.argument import Argument

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
    "Versions in order of preference. The first that a package has wins, before any order.",
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
REQUIRE_CHECKSUM = Argument(
    "require_checksum",
    "flag",
    "Only a package whose file has a SHA-256 checksum: one more request a candidate, 50 at most. Off by default.",
    default=False,
)
STRICT_VERSIONS = Argument(
    "strict_versions",
    "flag",
    "Make it an error if a version, or an upload time that is needed, cannot be read. Off by default: it is skipped.",
    default=False,
)
ORDER_BY = Argument(
    "order_by",
    "text",
    "The order of the list: version (highest first) or create_time (newest upload first). Default: the order of the "
    "service, which is the newest record first.",
    Choice(("version", "create_time")),
)
HIGHEST_VERSION = Argument(
    "highest_version",
    "flag",
    "If several packages match, take the one with the highest version by version_scheme. Default: off. If neither this "
    "nor most_recent is set, several matches are an error.",
    default=False,
)
MOST_RECENT = Argument(
    "most_recent",
    "flag",
    "If several packages match, take the one that was uploaded last (create_time). Default: off. Excludes "
    "highest_version.",
    default=False,
)
ON_MISSING = Argument(
    "on_missing",
    "text",
    "What happens where nothing fits: error (the default) or none.",
    Choice(("error", "none")),
    default="error",
)
ALLOW_MULTIPLE_SCOPES = Argument(
    "allow_multiple_scopes",
    "flag",
    "Allow a choice among packages of several resource spaces, products or modules. Off by default.",
    default=False,
)
INCLUDE_FILE_LOCATION = Argument(
    "include_file_location",
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
LOCK = Argument(
    "lock",
    "text",
    "Answer from the lock file, by this name in it, without a request: 1 to 64 letters, digits, _, - or .",
    limits.LOCK_NAME,
)
VERIFY_LOCKED = Argument(
    "verify",
    "flag",
    "Ask whether the locked package is still there, and unchanged: one request. Goes with lock. Off by default.",
    default=False,
)
MAX_ITEMS = Argument(
    "max_items",
    "number",
    "Return at most this many packages, 1 or more. Without it, all of them. Without order_by the list is read no "
    "further than that takes, and what was passed over is told as far as it was read.",
    Number(1, 10**9),
)
TRIGGERS = Argument(
    "triggers",
    "triggers",
    "Any values; when one changes, the work is done again (a new look, a new campaign).",
    optional_output=True,
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
    ORDER_BY,
    MAX_ITEMS,
)
GET_OTA_PACKAGE: tuple[Argument, ...] = (
    # Required unless package_id is given; lookup/query.py checks that, because it is a rule over two arguments.
    replace(PACKAGE_TYPE, required=False),
    *_SELECTION,
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
#: What selects a package; the other arguments of a lookup say what is done with it.
WORDS: tuple[Argument, ...] = tuple(
    argument for argument in GET_OTA_PACKAGE if argument not in (ON_MISSING, INCLUDE_FILE_LOCATION, LOCK, VERIFY_LOCKED)
)
GET_UPGRADE_TASK: tuple[Argument, ...] = (
    Argument(
        "task_id", "text", "The upgrade task, 1 to 24 lower-case hexadecimal digits.", limits.TASK_ID, required=True
    ),
)
