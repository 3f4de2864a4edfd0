"""The responses of the service as immutable values. Field names are those of the API.

A field that the service adds later is ignored. If a documented field is missing or has another type, the reader in
``iotda/http/parsing.py`` raises an error, or makes the record of a list an :class:`UnreadableRecord`. The ``output`` of
a device in a task is never read: it can hold secrets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic.dataclasses import dataclass as validated

from pulumi_iotda_ota.iotda.sanitize import sanitize

if TYPE_CHECKING:
    from typing import TypeAlias

API_TIME = "%Y%m%dT%H%M%SZ"
_API_TIME = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z")


def parse_api_time(text: str) -> datetime:
    """Return the UTC time of the API's ``yyyyMMdd'T'HHmmss'Z'``.

    Raises:
        ValueError: the text has another form.
    """
    # strptime also accepts months of one digit, and takes ten times as long.
    found = _API_TIME.fullmatch(text)
    if found is None:
        raise ValueError(text)
    year, month, day, hour, minute, second = map(int, found.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)


_RFC_3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]+)?(?:[Zz]|([+-][0-9]{2}:[0-9]{2}))"
)
_MILLISECONDS = re.compile(r"[0-9]{13}")  # 13 digits are the years 2001 to 2286
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def read_service_time(text: str) -> datetime | None:
    """Return the UTC time of a record, or None if it cannot be read.

    Args:
        text: the documented form (see :func:`parse_api_time`), RFC 3339, or milliseconds since 1970.
    """
    try:
        if _MILLISECONDS.fullmatch(text):
            return _EPOCH + timedelta(milliseconds=int(text))
        found = _RFC_3339.fullmatch(text)
        if found is None:
            return parse_api_time(text)
        day, time, fraction, offset = found.groups()
        # Python 3.10 reads 3 or 6 digits of a fraction only.
        micros = (fraction or ".")[1:7].ljust(6, "0")
        return datetime.fromisoformat(f"{day}T{time}.{micros}{offset or '+00:00'}").astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def rfc3339(text: str) -> str:
    """Return the time of a record as RFC 3339, or the text itself if it cannot be read."""
    time = read_service_time(text)
    return time.isoformat().replace("+00:00", "Z") if time else text


_Item = TypeVar("_Item")
# More digits than any list has records.
_COUNT = re.compile(r"[0-9]{1,18}", re.ASCII)


def _whole_number(count: Any) -> int | None:
    """Return the number of records that a page counts. A string of digits is a number; null is no count."""
    if count is None or (isinstance(count, int) and not isinstance(count, bool) and count >= 0):
        return count
    if isinstance(count, str) and _COUNT.fullmatch(count):
        return int(count)
    raise ValueError("should be a whole number")


def _time(value: Any) -> str:
    """Return a time as a string. Milliseconds can also come as a number."""
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    raise ValueError("should be a valid string")


def _object(value: Any) -> dict[str, Any] | None:
    """Return an object, or None for what stands for no object: null, and an empty list or string.

    A union of types would do the same, but names its members in the path of an error.
    """
    if value is None or isinstance(value, (dict, list, str)):
        return value if isinstance(value, dict) else None
    raise ValueError("should be an object")


@dataclass(frozen=True, slots=True)
class UnreadableRecord:
    """A record of a list that cannot be judged, because a field is missing or has another type.

    Attributes:
        id: its ``package_id``, ``task_id`` or ``target``; empty if it has none. Not safe to print.
        name: the version of a package, or the name of a task; empty if it has none. Not safe to print.
        reason: what is wrong with it, such as ``version is null``.
    """

    id: str
    name: str
    reason: str

    def __str__(self) -> str:
        """Return the record and the reason in one line that is safe to print."""
        return f"{sanitize(self.id) or 'a record without an id'} ({self.reason})"


if TYPE_CHECKING:
    _Several: TypeAlias = tuple[_Item, ...]
    _Records: TypeAlias = tuple[_Item | UnreadableRecord, ...] | None
    _Time: TypeAlias = str
    _Count: TypeAlias = int
    _PageCount: TypeAlias = int | None
    _Object: TypeAlias = dict[str, Any]
else:
    # Null stands for an empty array. A validator before the check would convert the JSON to Python objects first, which
    # is slower and not strict.
    _Several = Annotated[tuple[_Item, ...] | None, AfterValidator(lambda items: items or ())]
    # None if there is no list. The reader adds the records that cannot be judged afterwards.
    _Records = tuple[_Item, ...] | None
    # Milliseconds can also come as a number.
    _Time = Annotated[Any, AfterValidator(_time)]
    # A count of null is 0.
    _Count = Annotated[int | None, AfterValidator(lambda count: count or 0)]
    _PageCount = Annotated[Any, AfterValidator(_whole_number)]
    _Object = Annotated[Any, AfterValidator(_object)]
_Id = Annotated[str, Field(min_length=1)]
_STRICT = ConfigDict(extra="ignore", strict=True)


class _Response(BaseModel):
    # A model is built with the first response of its kind, so a lookup of packages builds no model of tasks.
    model_config = ConfigDict(**_STRICT, frozen=True, defer_build=True)


class ObsLocation(_Response):
    """The OBS object of a package, and its checksum."""

    region_name: str
    bucket_name: str
    object_key: str
    sign_method: str | None = None
    sign: str | None = None


class FileLocation(_Response):
    """The location of the file of a package."""

    obs_location: ObsLocation | None = None


# A list can have 100,000 of them, and with slots each has a quarter of the size of a model. It is built at import,
# because pydantic 2.10 cannot defer a dataclass.
@validated(frozen=True, slots=True, config=_STRICT)
class OtaPackage:
    """One OTA package (``OtaPackageInfo``; with ``file_location``: the response of ShowOtaPackage)."""

    package_id: _Id
    app_id: _Id
    package_type: _Id
    product_id: _Id
    version: _Id
    create_time: _Time
    product_name: str | None = None
    module_name: str | None = None
    support_source_versions: _Several[str] = ()
    description: str | None = None
    custom_info: str | None = None
    file_location: FileLocation | None = None

    @property
    def created(self) -> datetime | None:
        """Return ``create_time`` as a time in UTC, or None if it cannot be read."""
        return read_service_time(self.create_time)

    @property
    def created_at(self) -> str:
        """Return ``create_time`` as RFC 3339, or as it is if it cannot be read."""
        return rfc3339(self.create_time)


class PageInfo(_Response):
    """The end of one page: the number of all matching records, if it has one, and the marker of its last record."""

    count: _PageCount = None
    marker: str | None = None


if TYPE_CHECKING:
    _PageEnd: TypeAlias = PageInfo
else:
    # Without it, a page has no count and no marker.
    _PageEnd = Annotated[PageInfo | None, AfterValidator(lambda page: page or PageInfo())]


class RecordPage(_Response):
    """One page of a list.

    Attributes:
        records: the name of the field with the records.
        page: the end of the page.
    """

    records: ClassVar[str]
    page: _PageEnd = PageInfo()

    @property
    def has_unreadable(self) -> bool:
        """Return whether the page has records that cannot be judged."""
        return any(isinstance(record, UnreadableRecord) for record in getattr(self, self.records) or ())


class OtaPackagePage(RecordPage):
    """One page of ListOtaPackageInfo."""

    records: ClassVar[str] = "packages"
    packages: _Records[OtaPackage] = None


class TaskProgress(_Response):
    """The devices of a task, counted by state. ``waitting`` is the spelling of the API."""

    total: _Count = 0
    processing: _Count = 0
    success: _Count = 0
    fail: _Count = 0
    waitting: _Count = 0
    fail_wait_retry: _Count = 0
    stopped: _Count = 0
    removed: _Count = 0


class BatchTask(_Response):
    """One batch task. The service does not return ``app_id``, and may omit ``targets`` and other fields."""

    task_id: str
    task_name: str
    task_type: str
    status: str
    task_mode: str | None = None
    need_confirm: bool | None = None
    task_ext_info: _Object | None = None
    targets: tuple[str, ...] | None = None
    targets_filter: _Object | None = None
    document: _Object | None = None
    task_policy: _Object | None = None
    status_desc: str | None = None
    task_progress: TaskProgress | None = None
    create_time: _Time | None = None

    @property
    def package_ids(self) -> tuple[str, ...] | None:
        """Return the packages of the task from either documented form of ``document``, or None if it has none."""
        document = self.document or {}
        several, single = document.get("package_ids"), document.get("package_id")
        if isinstance(several, list):
            return tuple(str(item) for item in several)
        return (str(single),) if single else None


def _if_readable(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """Return a field, or None if it has another type."""
    try:
        return read(value)
    except ValidationError:
        return None


class TaskSummary(_Response):
    """A task in a list. Only a few fields are read, so that errors in the others do not matter."""

    task_id: _Id
    task_name: str
    status: str
    create_time: Annotated[str | None, WrapValidator(_if_readable)] = None
    task_progress: Annotated[TaskProgress | None, WrapValidator(_if_readable)] = None


class BatchTaskPage(RecordPage):
    """One page of ListBatchTasks."""

    records: ClassVar[str] = "batchtasks"
    batchtasks: _Records[TaskSummary] = None


class TaskError(_Response):
    """The error of a device."""

    error_code: str | None = None
    error_msg: str | None = None


class TaskDetail(_Response):
    """One device of a task."""

    target: _Id
    status: str
    error: TaskError | None = None


class BatchTaskDetail(RecordPage):
    """The response of ShowBatchTask: the task and one page of its devices."""

    records: ClassVar[str] = "task_details"
    batchtask: BatchTask
    task_details: _Records[TaskDetail] = None


class DeviceModule(_Response):
    """A module of a device, and the version that it reports."""

    module_name: str | None = None
    module_version: str | None = None


class Device(_Response):
    """A device, with the versions that it reports; a device of ShowDevicesInGroup has none."""

    device_id: _Id
    product_id: str | None = None
    fw_version: str | None = None
    sw_version: str | None = None
    modules: _Several[DeviceModule] = ()
    marker: str | None = None


class DevicePage(RecordPage):
    """One page of ListDevices or ShowDevicesInGroup."""

    records: ClassVar[str] = "devices"
    devices: _Records[Device] = None


class DeviceSearch(DevicePage):
    """The response of SearchDevices: devices, or how many there are."""

    count: _PageCount = None


class TargetResult(_Response):
    """The result of a stop, retry or confirmation for one device."""

    target: str
    status: str
    error_code: str | None = None
    error_msg: str | None = None


class TargetResults(_Response):
    """The response of StopBatchTask, RetryBatchTask and ConfirmBatchTask."""

    targets: _Several[TargetResult] = ()


@dataclass(frozen=True)
class PackageQuery:
    """The filters that the service applies. All are exact; None does not filter."""

    package_type: str
    app_id: str | None = None
    product_id: str | None = None
    version: str | None = None


if TYPE_CHECKING:
    # An item of a list: a record, or one that cannot be judged.
    ListedPackage: TypeAlias = OtaPackage | UnreadableRecord
    ListedTask: TypeAlias = TaskSummary | UnreadableRecord
    ListedDevice: TypeAlias = TaskDetail | UnreadableRecord
    ListedDeviceRecord: TypeAlias = Device | UnreadableRecord
