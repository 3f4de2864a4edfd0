"""What the service answers, as immutable values.

Field names are the API's. A field that the service adds later is ignored; a documented one that is missing or of
another type is an error of the reader in ``iotda/http/parsing.py``, or makes a record of a list an
:class:`UnreadableRecord`. A device's ``output`` in a task is not modelled: it
can hold device secrets.
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
    # strptime takes months of one digit too, and ten times as long, which a long list feels.
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
# No list has more records than this many digits say.
_COUNT = re.compile(r"[0-9]{1,18}", re.ASCII)


def _whole_number(count: Any) -> int | None:
    """Return how many records a page counts; a string of digits is a number, and null is no count."""
    if count is None or (isinstance(count, int) and not isinstance(count, bool) and count >= 0):
        return count
    if isinstance(count, str) and _COUNT.fullmatch(count):
        return int(count)
    raise ValueError("should be a whole number")


def _time(value: Any) -> str:
    """Return a time as a string; milliseconds come as a number too."""
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    raise ValueError("should be a valid string")


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
    # An array that the service leaves as null is an empty one. The check comes after: one that comes before would turn
    # the JSON into Python objects first, which is slower and no longer strict.
    _Several = Annotated[tuple[_Item, ...] | None, AfterValidator(lambda items: items or ())]
    # None if there is no list. The reader of a list puts the records that cannot be judged into it afterwards.
    _Records = tuple[_Item, ...] | None
    # Milliseconds come as a number too.
    _Time = Annotated[Any, AfterValidator(_time)]
    # A count that is null counts nothing, and what is empty in another way is no object.
    _Count = Annotated[int | None, AfterValidator(lambda count: count or 0)]
    _PageCount = Annotated[Any, AfterValidator(_whole_number)]
    _Object = Annotated[
        dict[str, Any] | list[Any] | str, AfterValidator(lambda value: value if isinstance(value, dict) else None)
    ]
_Id = Annotated[str, Field(min_length=1)]
_AS_IT_CAME = ConfigDict(extra="ignore", strict=True)


class _Answer(BaseModel):
    # What reads an answer is built with the first one: a lookup of packages needs nothing of what reads tasks.
    model_config = ConfigDict(**_AS_IT_CAME, frozen=True, defer_build=True)


class ObsLocation(_Answer):
    """Where the object of a package lies in OBS, and its checksum."""

    region_name: str
    bucket_name: str
    object_key: str
    sign_method: str | None = None
    sign: str | None = None


class FileLocation(_Answer):
    """Where the file of a package lies."""

    obs_location: ObsLocation | None = None


# A list holds up to 100,000 of them: with slots each is a quarter of the size of a model. It is built at once, because
# pydantic 2.10 builds no dataclass later.
@validated(frozen=True, slots=True, config=_AS_IT_CAME)
class OtaPackage:
    """One OTA upgrade package (``OtaPackageInfo``; with ``file_location``: the answer of ShowOtaPackage)."""

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


class PageInfo(_Answer):
    """The end of one page: how many records match in all, if it says so, and the id of its last record."""

    count: _PageCount = None
    marker: str | None = None


if TYPE_CHECKING:
    _PageEnd: TypeAlias = PageInfo
else:
    # A list without the end of a page says neither how many records there are, nor where to go on.
    _PageEnd = Annotated[PageInfo | None, AfterValidator(lambda page: page or PageInfo())]


class RecordPage(_Answer):
    """One page of a list.

    Attributes:
        records: the name of the field that holds the records.
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


class TaskProgress(_Answer):
    """How many devices of a task are where. ``waitting`` is the API's spelling."""

    total: _Count = 0
    processing: _Count = 0
    success: _Count = 0
    fail: _Count = 0
    waitting: _Count = 0
    fail_wait_retry: _Count = 0
    stopped: _Count = 0
    removed: _Count = 0


class BatchTask(_Answer):
    """One batch task. The service does not echo ``app_id``, and may leave out ``targets`` and others."""

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
        """Return the packages of the task from either documented shape of ``document``, or None where it has none."""
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


class TaskSummary(_Answer):
    """What is read of a task in a list: whatever else is wrong with somebody's task is not our business."""

    task_id: _Id
    task_name: str
    status: str
    create_time: Annotated[str | None, WrapValidator(_if_readable)] = None
    task_progress: Annotated[TaskProgress | None, WrapValidator(_if_readable)] = None


class BatchTaskPage(RecordPage):
    """One page of ListBatchTasks."""

    records: ClassVar[str] = "batchtasks"
    batchtasks: _Records[TaskSummary] = None


class TaskError(_Answer):
    """Why a device failed."""

    error_code: str | None = None
    error_msg: str | None = None


class TaskDetail(_Answer):
    """One device of a task."""

    target: _Id
    status: str
    error: TaskError | None = None


class BatchTaskDetail(RecordPage):
    """The answer of ShowBatchTask: the task and one page of its devices."""

    records: ClassVar[str] = "task_details"
    batchtask: BatchTask
    task_details: _Records[TaskDetail] = None


class DeviceModule(_Answer):
    """A module of a device, and the version that it reports."""

    module_name: str | None = None
    module_version: str | None = None


class Device(_Answer):
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


class TargetResult(_Answer):
    """What a stop, retry or confirm did to one device."""

    target: str
    status: str
    error_code: str | None = None
    error_msg: str | None = None


class TargetResults(_Answer):
    """The answer of StopBatchTask, RetryBatchTask and ConfirmBatchTask."""

    targets: _Several[TargetResult] = ()


@dataclass(frozen=True)
class PackageQuery:
    """The filters that the service applies itself; all are exact, None does not filter."""

    package_type: str
    app_id: str | None = None
    product_id: str | None = None
    version: str | None = None


if TYPE_CHECKING:
    # What lists hold: a record, or what stands for one that cannot be judged.
    ListedPackage: TypeAlias = OtaPackage | UnreadableRecord
    ListedTask: TypeAlias = TaskSummary | UnreadableRecord
    ListedDevice: TypeAlias = TaskDetail | UnreadableRecord
    ListedDeviceRecord: TypeAlias = Device | UnreadableRecord
