"""The documented shape and limits of every query and body, and of the rows of a seed.

The client has a table of limits too. The two are separate, so that a mistake in one of them fails a test.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from pulumi_iotda_ota.emulator.behavior import seconds_of

if TYPE_CHECKING:
    from typing_extensions import Self

S = TypeVar("S", bound=BaseModel)


def _text(pattern: str) -> Any:
    return StringConstraints(pattern=f"^{pattern}$", strict=True)


def _api_time(text: str) -> str:
    seconds_of(text)
    return text


SpaceId = Annotated[str, _text("[A-Za-z0-9_-]{1,36}")]
PackageId = Annotated[str, _text("[A-Za-z0-9-]{1,36}")]
Version = Annotated[str, _text("[A-Za-z0-9_.-]{1,256}")]
ModuleName = Annotated[str, _text("[A-Za-z0-9_.-]{1,64}")]
TaskName = Annotated[str, _text("[\u4e00-\u9fa5A-Za-z0-9_]{1,128}")]
TaskId = Annotated[str, _text("[a-f0-9]{1,24}")]
RecordId = Annotated[str, _text("[a-f0-9]{24}")]
DeviceId = Annotated[str, _text("[A-Za-z0-9_-]{1,128}")]
GroupId = Annotated[str, _text("[A-Za-z0-9-]{1,36}")]
ApiTime = Annotated[str, AfterValidator(_api_time)]
PackageType = Literal["softwarePackage", "firmwarePackage", "modulePackage"]
UpgradeType = Literal["softwareUpgrade", "firmwareUpgrade", "moduleUpgrade"]
AnyTaskType = Literal[
    "softwareUpgrade",
    "firmwareUpgrade",
    "moduleUpgrade",
    "createDevices",
    "deleteDevices",
    "freezeDevices",
    "unfreezeDevices",
    "createCommands",
    "createAsyncCommands",
    "createMessages",
    "updateDeviceShadows",
    "updateDevices",
    "changeGateway",
]
TaskStatus = Literal[
    "Initializing", "Waitting", "Processing", "Success", "Fail", "PartialSuccess", "Stopped", "Stopping"
]
DetailStatus = Literal["Waitting", "Processing", "Success", "Fail", "FailWaitRetry", "Stopped", "Removed"]

_MAX_EXT_INFO = 512


class Shape(BaseModel):
    """The base of all shapes; the service ignores unknown fields."""

    model_config = ConfigDict(extra="ignore", strict=True)


class PackageQuery(Shape):
    """The filters of ListOtaPackageInfo."""

    package_type: PackageType
    app_id: SpaceId | None = None
    product_id: SpaceId | None = None
    version: Version | None = None


class ObsLocation(Shape):
    """The OBS object of a package."""

    region_name: Annotated[str, _text("[A-Za-z0-9-]{1,256}")]
    bucket_name: Annotated[str, _text("[a-z0-9.-]{3,63}")]
    object_key: Annotated[str, StringConstraints(min_length=1, max_length=1024)]
    sign_method: Literal["SHA256"] | None = None
    sign: Annotated[str, _text("[A-Fa-f0-9]{64}")] | None = None


class FileLocation(Shape):
    """The file location of a package."""

    obs_location: ObsLocation


class PackageFields(Shape):
    """The fields of a package without its file."""

    app_id: SpaceId
    package_type: PackageType
    product_id: SpaceId
    version: Version
    module_name: ModuleName | None = None
    support_source_versions: Annotated[list[Version], Field(max_length=20)] | None = None
    description: Annotated[str, StringConstraints(max_length=1024)] | None = None
    custom_info: Annotated[str, StringConstraints(max_length=4096)] | None = None

    @model_validator(mode="after")
    def _module_name_fits(self) -> Self:
        if (self.module_name is not None) != (self.package_type == "modulePackage"):
            raise ValueError("module_name is required for modulePackage, and for no other type")
        return self


class PackageBody(PackageFields):
    """The body of CreateOtaPackage."""

    file_location: FileLocation


class TargetsFilter(Shape):
    """Targets by group."""

    group_ids: Annotated[list[GroupId], Field(min_length=1)]


class TaskPolicy(Shape):
    """When a task runs and how often a device may fail."""

    schedule_time: str | None = None
    retry_count: Annotated[int, Field(ge=1, le=5)] | None = None
    retry_interval: Annotated[int, Field(ge=0, le=1440)] | None = None

    @model_validator(mode="after")
    def _retry_is_whole(self) -> Self:
        if (self.retry_count is None) != (self.retry_interval is None):
            raise ValueError("retry_count and retry_interval must be set together")
        return self


class Document(Shape):
    """The packages of a task: ``package_ids`` today, ``package_id`` in the documents before October 2025."""

    package_ids: Annotated[list[PackageId], Field(min_length=1)] | None = None
    package_id: PackageId | None = None

    @model_validator(mode="after")
    def _names_a_package(self) -> Self:
        if not self.ids:
            raise ValueError("package_ids is missing")
        return self

    @property
    def ids(self) -> list[str]:
        """Return the ids of the packages from either key."""
        return self.package_ids or ([self.package_id] if self.package_id else [])


class TaskBody(Shape):
    """The body of CreateBatchTask for the upgrade types; the other types are not emulated."""

    task_name: TaskName
    task_type: UpgradeType
    document: Document
    app_id: SpaceId | None = None
    task_mode: Literal["GATEWAY"] | None = None
    need_confirm: bool | None = None
    task_ext_info: dict[str, Any] | None = None
    targets: Annotated[list[DeviceId], Field(max_length=30_000)] | None = None
    targets_filter: TargetsFilter | None = None
    task_policy: TaskPolicy | None = None

    @model_validator(mode="after")
    def _rules_across_fields(self) -> Self:
        if not self.targets and self.targets_filter is None:
            raise ValueError("targets or targets_filter is missing")
        if len(json.dumps(self.task_ext_info or {}, separators=(",", ":"))) > _MAX_EXT_INFO:
            raise ValueError(f"task_ext_info is longer than {_MAX_EXT_INFO} characters")
        if self.task_type == "moduleUpgrade" and (self.task_mode or self.task_ext_info):
            raise ValueError("moduleUpgrade has no task_mode and no task_ext_info")
        return self


class TaskQuery(Shape):
    """The filters of ListBatchTasks."""

    task_type: AnyTaskType
    app_id: SpaceId | None = None
    status: TaskStatus | None = None


class TaskShowQuery(Shape):
    """The filters of ShowBatchTask, which select devices."""

    task_detail_status: DetailStatus | None = None
    target: DeviceId | None = None


class TargetsBody(Shape):
    """The body of stop, retry and confirm; no targets means all."""

    targets: Annotated[list[DeviceId], Field(max_length=100)] = []


class DeviceQuery(Shape):
    """The filters of ListDevices that are emulated."""

    app_id: SpaceId | None = None
    product_id: SpaceId | None = None
    node_id: Annotated[str, _text("[A-Za-z0-9_-]{1,64}")] | None = None
    device_name: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = None


class SearchBody(Shape):
    """The body of SearchDevices."""

    sql: Annotated[str, StringConstraints(min_length=1)]


def problem_of(error: ValidationError) -> str:
    """Return the first problem in one line: its place and its cause."""
    first = error.errors(include_url=False, include_input=False)[0]
    context = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]).lstrip(".")
    text = first["msg"].removeprefix("Value error, ")
    return f"{context}: {text}" if context else text
