"""The documented limits of every field that is sent. A value that breaks one is refused before anything is sent.

Source: the API pages ListOtaPackageInfo, ShowOtaPackage, CreateOtaPackage and CreateBatchTask of Huawei Cloud IoTDA.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda import references
from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.sanitize import did_you_mean, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence


MAX_PAGE = 50
MAX_OFFSET = 500
MAX_TARGETS = 30_000
MAX_ACTION_TARGETS = 100
MAX_TASK_EXT_INFO = 512
MAX_SOURCE_VERSIONS = 20
MAX_DESCRIPTION = 1024
MAX_CUSTOM_INFO = 4096

# The constant ids of resources that have nothing on the service. The API does not know them.
CONSTANT_IDS = ("pin", "completion", "confirmation")

_MODULE_PACKAGE = "modulePackage"
# Source: the provider for Terraform. The API page lists none.
_EXTENSIONS = (
    ".bin",
    ".dav",
    ".tar",
    ".gz",
    ".zip",
    ".gzip",
    ".apk",
    ".tar.gz",
    ".tar.xz",
    ".pack",
    ".exe",
    ".bat",
    ".img",
)


@dataclass(frozen=True)
class Pattern:
    """A string that must match ``pattern`` as a whole; ``meaning`` describes the pattern."""

    pattern: str
    meaning: str

    def problem(self, value: object) -> str | None:
        """Return why ``value`` breaks the rule, or None."""
        if not isinstance(value, str):
            return f"must be a string: {self.meaning}"
        return None if re.fullmatch(self.pattern, value) else f"must be {self.meaning}"


@dataclass(frozen=True)
class Identifier(Pattern):
    """An id of the service; ``output`` is the output of a resource that has it, or empty."""

    output: str

    def problem(self, value: object) -> str | None:
        """Return why ``value`` breaks the rule, or None. A constant id of a resource breaks it."""
        if value in CONSTANT_IDS:
            return (
                f"must be the output {references.field(self.output)} of a resource instead of its id"
                if self.output
                else "must be an id"
            )
        return super().problem(value)


@dataclass(frozen=True)
class Choice:
    """A string that must be one of ``options``."""

    options: tuple[str, ...]

    @property
    def meaning(self) -> str:
        """Return a description of the options."""
        return f"one of {', '.join(self.options)}" if len(self.options) > 1 else self.options[0]

    def problem(self, value: object) -> str | None:
        """Return why ``value`` breaks the rule, with the most similar option, or None."""
        if value in self.options:
            return None
        if len(self.options) == 1:
            return f"must be {self.meaning}"
        return f"must be {self.meaning}{did_you_mean(value, self.options)}"


@dataclass(frozen=True)
class Number:
    """A number from ``minimum`` to ``maximum``. It is whole unless ``whole`` is False."""

    minimum: int
    maximum: int
    whole: bool = True

    @property
    def meaning(self) -> str:
        """Return a description of the bounds."""
        return f"a {'whole ' * self.whole}number from {self.minimum} to {self.maximum}"

    def problem(self, value: object) -> str | None:
        """Return why ``value`` breaks the rule, or None."""
        kinds = int if self.whole else (int, float)
        if isinstance(value, kinds) and not isinstance(value, bool) and self.minimum <= value <= self.maximum:
            return None
        return f"must be {self.meaning}"


Rule = Pattern | Choice | Number

_SPACE_CHARACTERS = "1 to 36 letters, digits, _ or -"

APP_ID = Pattern(r"[A-Za-z0-9_-]{1,36}", _SPACE_CHARACTERS)
PRODUCT_ID = Pattern(r"[A-Za-z0-9_-]{1,36}", _SPACE_CHARACTERS)
PROJECT_ID = Pattern(r"[A-Za-z0-9_-]{1,64}", "1 to 64 letters, digits, _ or -")
PROJECT_NAME = Pattern(r"[A-Za-z0-9_-]{1,64}", "1 to 64 letters, digits, _ or -")
CLOUD = Pattern(r"(?=.{1,253}\Z)[a-z0-9-]+(\.[a-z0-9-]+)+", "a domain such as myhuaweicloud.com")
REGION = Pattern(r"[a-z0-9]+(-[a-z0-9]+)*", "a region such as cn-north-4")
PACKAGE_ID = Identifier(r"[A-Za-z0-9-]{1,36}", "1 to 36 letters, digits or -", "package_id")
PACKAGE_TYPE = Choice(("softwarePackage", "firmwarePackage", "modulePackage"))
VERSION = Pattern(r"[A-Za-z0-9_.-]{1,256}", "1 to 256 letters, digits, _, . or -")
MODULE_NAME = Pattern(r"[A-Za-z0-9_.-]{1,64}", "1 to 64 letters, digits, _, . or -")
INSTANCE_ID = Pattern(r"[A-Za-z0-9_-]{1,36}", _SPACE_CHARACTERS)
# A limit of this library: a name in the lock file, which has a field "format".
LOCK_NAME = Pattern(
    r"(?!format\Z)[A-Za-z0-9][A-Za-z0-9_.-]{0,63}",
    "1 to 64 letters, digits, _, . or -, the first a letter or digit, and not format",
)
OBS_REGION = Pattern(r"[A-Za-z0-9-]{1,256}", "1 to 256 letters, digits or -")
OBS_BUCKET = Pattern(r"[a-z0-9.-]{3,63}", "3 to 63 lower-case letters, digits, . or -")
OBS_KEY = Pattern(r"(?s:.){1,1024}", "1 to 1,024 characters")
SIGN_METHOD = Choice(("SHA256",))
SIGN = Pattern(r"[A-Fa-f0-9]{64}", "a SHA-256 checksum, 64 hexadecimal digits")
MARKER = Pattern(r"[0-9a-fA-F]{24}", "24 hexadecimal digits")
PAGE_LIMIT = Number(1, MAX_PAGE)
OFFSET = Number(0, MAX_OFFSET)

TASK_ID = Identifier(r"[a-f0-9]{1,24}", "1 to 24 lower-case hexadecimal digits", "task_id")
# Newer API pages allow Chinese characters, the English page of 2022 does not.
TASK_NAME = Pattern(r"[\u4e00-\u9fa5A-Za-z0-9_]{1,128}", "1 to 128 letters, digits, _ or Chinese characters")
TASK_NAME_PREFIX = Pattern(r"[\u4e00-\u9fa5A-Za-z0-9_]{1,111}", "1 to 111 letters, digits, _ or Chinese characters")
TASK_TYPE = Choice(("softwareUpgrade", "firmwareUpgrade", "moduleUpgrade"))
TASK_STATUS = Choice(
    ("Initializing", "Waitting", "Processing", "Success", "Fail", "PartialSuccess", "Stopped", "Stopping")
)
DETAIL_STATUS = Choice(("Waitting", "Processing", "Success", "Fail", "FailWaitRetry", "Stopped", "Removed"))
TASK_MODE = Choice(("GATEWAY",))
TARGET = Pattern(r"[A-Za-z0-9_-]{1,128}", "1 to 128 letters, digits, _ or -")
GROUP_ID = Pattern(r"[A-Za-z0-9-]{1,36}", "1 to 36 letters, digits or -")
RETRY_COUNT = Number(1, 5)
RETRY_INTERVAL = Number(0, 1440)


def problem_of_devices(*, targets: bool, group_ids: bool) -> str | None:
    """Return the problem if not exactly one of the two arguments is set, to read after ``targets``, or None."""
    return f"and {references.argument('group_ids')}: set exactly one of them" if targets == group_ids else None


def problem_of_retries(*, count: bool, interval: bool) -> str | None:
    """Return the problem if only one of the two arguments is set, to read after ``retry_count``, or None."""
    return f"and {references.argument('retry_interval')}: set both or none" if count != interval else None


def problem_of_module(package_type: object, *, module: bool) -> str | None:
    """Return the problem of a module that is missing or not allowed, to read after ``module_name``, or None."""
    if module == (package_type == _MODULE_PACKAGE):
        return None
    return f"is only for a {_MODULE_PACKAGE}" if module else f"is required for a {_MODULE_PACKAGE}"


def problem_of_length(text: str, most: int) -> str | None:
    """Return the problem of a text that is too long, without the text, or None."""
    return f"must be at most {most:,} characters, not {len(text):,}" if len(text) > most else None


def problem_of_object_key(key: str) -> str | None:
    """Return the problem of an object key with another extension than those of packages, or None."""
    if key.lower().endswith(_EXTENSIONS):
        return None
    return f"must end with one of {' '.join(_EXTENSIONS)}, not be {quoted(key)}"


def problem_of_task_ext_info(info: object) -> str | None:
    """Return the problem of the extra information of a task, or None. Its length is measured as it is sent."""
    try:
        length = len(json.dumps(info, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
    except (TypeError, ValueError, RecursionError):
        length = -1
    if length < 0 or not isinstance(info, Mapping):
        return "must be a JSON object"
    if length > MAX_TASK_EXT_INFO:
        return f"must be at most {MAX_TASK_EXT_INFO} characters of JSON, not {length}"
    return None


def require(argument: str, value: object, rule: Rule) -> None:
    """Refuse a value that breaks its documented limit.

    Raises:
        InputError: the value breaks the rule; it names the argument, the value and the limit.
    """
    problem = rule.problem(value)
    if problem:
        raise InputError(f"{references.argument(argument)} {problem}, not {references.value(value)}", argument=argument)


def require_each(argument: str, values: Sequence[object], rule: Rule) -> None:
    """Refuse the first of several values that breaks its limit; see :func:`require`."""
    for index, value in enumerate(values):
        require(f"{argument}[{index}]", value, rule)


def require_at_most(argument: str, values: Sequence[object], most: int) -> None:
    """Refuse more values than the API accepts in one request; see :func:`require`."""
    if len(values) > most:
        name = references.argument(argument)
        raise InputError(f"{name} must be at most {most} values, not {len(values)}", argument=argument)
