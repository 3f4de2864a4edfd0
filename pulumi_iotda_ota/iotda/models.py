"""What the service answers, as immutable values.

Field names are the API's. A field that the service adds later is ignored; a documented one that is missing or of
another type is an error of the reader in ``iotda/api/protocol.py``. A device's ``output`` in a task is not modelled: it
can hold device secrets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

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

from pulumi_iotda_ota.iotda.errors import ProtocolError
from pulumi_iotda_ota.iotda.sanitize import quoted, sanitize

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


def rfc3339(text: str) -> str:
    """Return a time of the API as RFC 3339, or the text itself if it has another form."""
    try:
        return parse_api_time(text).isoformat().replace("+00:00", "Z")
    except ValueError:
        return text


_Item = TypeVar("_Item")

if TYPE_CHECKING:
    _Several: TypeAlias = tuple[_Item, ...]
else:
    # An array that the service leaves as null is an empty one. The check comes after: one that comes before would turn
    # the JSON into Python objects first, which is slower and no longer strict.
    _Several = Annotated[tuple[_Item, ...] | None, AfterValidator(lambda items: items or ())]


if TYPE_CHECKING:
    _Count: TypeAlias = int
    _Object: TypeAlias = dict[str, Any]
else:
    # A count that is null counts nothing, and what is empty in another way is no object.
    _Count = Annotated[int | None, AfterValidator(lambda count: count or 0)]
    _Object = Annotated[
        dict[str, Any] | list[Any] | str, AfterValidator(lambda value: value if isinstance(value, dict) else None)
    ]


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

    package_id: str
    app_id: str
    package_type: str
    product_id: str
    version: str
    create_time: str
    product_name: str | None = None
    module_name: str | None = None
    support_source_versions: _Several[str] = ()
    description: str | None = None
    custom_info: str | None = None
    file_location: FileLocation | None = None

    @property
    def created(self) -> datetime:
        """Return ``create_time`` as a time in UTC.

        Raises:
            ProtocolError: it has not the documented form; the package is named.
        """
        try:
            return parse_api_time(self.create_time)
        except ValueError:
            raise ProtocolError(
                f"package {sanitize(self.package_id)}: create_time must be a time such as 20261122T120000Z, "
                f"not {quoted(self.create_time)}"
            ) from None

    @property
    def created_at(self) -> str:
        """Return ``create_time`` as RFC 3339, or as it is when it has not the documented form."""
        return rfc3339(self.create_time)


class PageInfo(_Answer):
    """The end of one page: how many records match in all, and the id of the last record of this page."""

    count: Annotated[int, Field(ge=0)]
    marker: str | None = None


class OtaPackagePage(_Answer):
    """One page of ListOtaPackageInfo."""

    packages: _Several[OtaPackage]
    page: PageInfo


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
    create_time: str | None = None

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

    task_id: str
    task_name: str
    status: str
    create_time: Annotated[str | None, WrapValidator(_if_readable)] = None
    task_progress: Annotated[TaskProgress | None, WrapValidator(_if_readable)] = None


class BatchTaskPage(_Answer):
    """One page of ListBatchTasks."""

    batchtasks: _Several[TaskSummary]
    page: PageInfo


class TaskError(_Answer):
    """Why a device failed."""

    error_code: str | None = None
    error_msg: str | None = None


class TaskDetail(_Answer):
    """One device of a task."""

    target: str
    status: str
    error: TaskError | None = None


class BatchTaskDetail(_Answer):
    """The answer of ShowBatchTask: the task and one page of its devices."""

    batchtask: BatchTask
    task_details: _Several[TaskDetail] = ()
    page: PageInfo | None = None


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
