"""Build the requests of IoTDA's operations, and read their responses; pure functions.

A builder checks every documented limit, so that a value that the service would refuse is never sent.
Source: the API pages ListOtaPackageInfo, ShowOtaPackage, CreateOtaPackage, DeleteOtaPackage, CreateBatchTask,
ListBatchTasks, ShowBatchTask, StopBatchTask, RetryBatchTask, ConfirmBatchTask and DeleteBatchTask.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

from pulumi_iotda_ota.iotda.api.requests import checked_package_body, checked_task_body
from pulumi_iotda_ota.iotda.errors import IotdaOtaError, ProtocolError
from pulumi_iotda_ota.iotda.http.error_responses import is_error, refusal
from pulumi_iotda_ota.iotda.http.messages import Request, Response
from pulumi_iotda_ota.iotda.http.parsing import agreeing, nothing, page_reader, reader, the_one
from pulumi_iotda_ota.iotda.limits import (
    APP_ID,
    DETAIL_STATUS,
    MARKER,
    MAX_ACTION_TARGETS,
    OFFSET,
    PACKAGE_ID,
    PACKAGE_TYPE,
    PAGE_LIMIT,
    PRODUCT_ID,
    TARGET,
    TASK_ID,
    TASK_STATUS,
    TASK_TYPE,
    VERSION,
    Rule,
    require,
    require_at_most,
    require_each,
)
from pulumi_iotda_ota.iotda.models import (
    BatchTask,
    BatchTaskDetail,
    BatchTaskPage,
    OtaPackage,
    OtaPackagePage,
    PackageQuery,
    RecordPage,
    TargetResults,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection

Content = TypeVar("Content")
Parameters = tuple[tuple[str, str], ...]

_PACKAGES = "ota-upgrades/packages"
_TASKS = "batchtasks"
_SUCCESSES = range(200, 300)
# The requested fields that the response must repeat. The service can reorder lists and shorten texts.
_REPEATED_OF_PACKAGE = ("package_type", "app_id", "product_id", "version", "module_name")
_REPEATED_OF_TASK = ("task_name", "task_type")


def list_packages(
    query: PackageQuery, *, limit: int = 50, marker: str | None = None, offset: int | None = None
) -> Request[OtaPackagePage]:
    """Build ListOtaPackageInfo.

    Args:
        query: the filters that the service applies.
        limit: records of a page, 1 to 50.
        marker: the marker of the previous page, 24 hexadecimal digits; None starts with the newest record.
        offset: records to skip, 0 to 500.

    Raises:
        InputError: a value breaks its documented limit.
    """
    filters = filters_of(
        package_type=(query.package_type, PACKAGE_TYPE),
        app_id=(query.app_id, APP_ID),
        product_id=(query.product_id, PRODUCT_ID),
        version=(query.version, VERSION),
    )
    return Request(
        operation="ListOtaPackageInfo",
        doing="list OTA packages",
        requested_values=dict(filters),
        method="GET",
        path=_PACKAGES,
        read=page_reader(OtaPackagePage),
        query=filters + page_of(limit, marker, offset),
    )


def show_package(package_id: str) -> Request[OtaPackage]:
    """Build ShowOtaPackage.

    Raises:
        InputError: the id is not 1 to 36 letters, digits or hyphens.
    """
    return Request(
        operation="ShowOtaPackage",
        doing="read an OTA package",
        requested_values={"package_id": _package_id(package_id)},
        method="GET",
        path=f"{_PACKAGES}/{package_id}",
        read=the_one(reader(OtaPackage), package_id, lambda package: package.package_id),
    )


def create_package(body: Mapping[str, object]) -> Request[OtaPackage]:
    """Build CreateOtaPackage from an object in OBS; it must not be sent twice.

    Raises:
        InputError: a field is unknown, missing, or breaks its documented limit.
    """
    checked = checked_package_body(body)
    return Request(
        operation="CreateOtaPackage",
        doing="create an OTA package",
        requested_values={name: checked[name] for name in ("package_type", "product_id", "version")},
        method="POST",
        path=_PACKAGES,
        read=agreeing(reader(OtaPackage), "package", {name: checked.get(name) for name in _REPEATED_OF_PACKAGE}),
        body=_json(checked),
        repeatable=False,
    )


def delete_package(package_id: str) -> Request[None]:
    """Build DeleteOtaPackage; the object in OBS stays.

    Raises:
        InputError: the id is not 1 to 36 letters, digits or hyphens.
    """
    return Request(
        operation="DeleteOtaPackage",
        doing="delete an OTA package",
        requested_values={"package_id": _package_id(package_id)},
        method="DELETE",
        path=f"{_PACKAGES}/{package_id}",
        read=nothing,
    )


def create_batch_task(body: Mapping[str, object], *, now: datetime) -> Request[BatchTask]:
    """Build CreateBatchTask for an upgrade after the time ``now``; it must not be sent twice.

    Raises:
        InputError: a field is unknown, missing, or breaks its documented limit.
    """
    checked = checked_task_body(body, now=now)
    return Request(
        operation="CreateBatchTask",
        doing="create an upgrade task",
        requested_values={name: checked[name] for name in ("task_type", "task_name")},
        method="POST",
        path=_TASKS,
        read=agreeing(reader(BatchTask), "task", {name: checked[name] for name in _REPEATED_OF_TASK}),
        body=_json(checked),
        repeatable=False,
    )


def list_batch_tasks(
    task_type: str,
    *,
    app_id: str | None = None,
    status: str | None = None,
    limit: int = 50,
    marker: str | None = None,
) -> Request[BatchTaskPage]:
    """Build ListBatchTasks.

    Args:
        task_type: the type of the tasks; the service lists one type at a time.
        app_id: the resource space, or None.
        status: the status of the tasks, or None for all.
        limit: records of a page, 1 to 50.
        marker: the marker of the previous page, or None.

    Raises:
        InputError: a value breaks its documented limit.
    """
    filters = filters_of(task_type=(task_type, TASK_TYPE), app_id=(app_id, APP_ID), status=(status, TASK_STATUS))
    return Request(
        operation="ListBatchTasks",
        doing="list upgrade tasks",
        requested_values=dict(filters),
        method="GET",
        path=_TASKS,
        read=page_reader(BatchTaskPage),
        query=filters + page_of(limit, marker, None),
    )


def show_batch_task(
    task_id: str, *, status: str | None = None, limit: int = 50, marker: str | None = None
) -> Request[BatchTaskDetail]:
    """Build ShowBatchTask: the task, and one page of its devices.

    Args:
        task_id: the task.
        status: only devices of this status, or None for all.
        limit: devices of a page, 1 to 50.
        marker: the marker of the previous page, or None.

    Raises:
        InputError: a value breaks its documented limit.
    """
    filters = filters_of(task_detail_status=(status, DETAIL_STATUS))
    return Request(
        operation="ShowBatchTask",
        doing="read an upgrade task",
        requested_values={"task_id": _task_id(task_id)},
        method="GET",
        path=f"{_TASKS}/{task_id}",
        # A task that has no devices yet can be returned without their list.
        read=the_one(
            page_reader(BatchTaskDetail, required=False),
            task_id,
            lambda detail: detail.batchtask.task_id,
        ),
        query=filters + page_of(limit, marker, None),
    )


def stop_batch_task(task_id: str, targets: Sequence[str] = ()) -> Request[TargetResults]:
    """Build StopBatchTask for at most 100 devices, or for all if ``targets`` is empty.

    Raises:
        InputError: a value breaks its documented limit.
    """
    return _act_on_task("stop", task_id, targets)


def retry_batch_task(task_id: str, targets: Sequence[str] = ()) -> Request[TargetResults]:
    """Build RetryBatchTask for at most 100 devices, or for all failed and stopped ones if ``targets`` is empty.

    It is sent once: a second request would restart devices that failed after the first one.

    Raises:
        InputError: a value breaks its documented limit.
    """
    return _act_on_task("retry", task_id, targets, repeatable=False)


def confirm_batch_task(task_id: str, targets: Sequence[str] = ()) -> Request[TargetResults]:
    """Build ConfirmBatchTask for at most 100 devices, or for all waiting ones if ``targets`` is empty.

    It is sent once: a second request would confirm devices that were added after the first one.

    Raises:
        InputError: a value breaks its documented limit.
    """
    return _act_on_task("confirm", task_id, targets, repeatable=False)


def _act_on_task(verb: str, task_id: str, targets: Sequence[str], *, repeatable: bool = True) -> Request[TargetResults]:
    require_at_most("targets", targets, MAX_ACTION_TARGETS)
    require_each("targets", targets, TARGET)
    return Request(
        operation=f"{verb.capitalize()}BatchTask",
        doing=f"{verb} an upgrade task",
        requested_values={"task_id": _task_id(task_id)},
        method="POST",
        path=f"{_TASKS}/{task_id}/{verb}",
        read=reader(TargetResults),
        body=_json({"targets": list(targets)} if targets else {}),
        repeatable=repeatable,
    )


def delete_batch_task(task_id: str) -> Request[None]:
    """Build DeleteBatchTask.

    Raises:
        InputError: the id is not 1 to 24 lower-case hexadecimal digits.
    """
    return Request(
        operation="DeleteBatchTask",
        doing="delete an upgrade task",
        requested_values={"task_id": _task_id(task_id)},
        method="DELETE",
        path=f"{_TASKS}/{task_id}",
        read=nothing,
    )


def read(request: Request[Content], answer: Response, *, connection: ResolvedConnection, now: datetime) -> Content:
    """Return the content of a response, which came at the time ``now``.

    Raises:
        ServiceError: the service refused, or failed.
        CredentialsError: the service refused the credentials (401).
        ProtocolError: the response does not have the documented shape.
    """
    try:
        content = _judged(request, answer, connection, now)
        if not (isinstance(content, RecordPage) and content.has_unreadable):
            return content
        # The problem of such a record is reported, so it must have no secret.
        return _judged(request, answer.without(connection.secrets), connection, now)
    except IotdaOtaError:
        redacted = answer.without(connection.secrets)
        if redacted == answer:
            raise
    # A shortened text could hold a part of a secret, so the error is made again from a redacted response.
    _judged(request, redacted, connection, now)
    raise ProtocolError("the response has the credential in a field that should not hold it")


def _judged(request: Request[Content], answer: Response, connection: ResolvedConnection, now: datetime) -> Content:
    accepted = answer.status in _SUCCESSES or answer.status in request.accepts
    if not accepted or is_error(answer.body):
        raise refusal(request, answer, connection=connection, now=now)
    try:
        return request.content(answer)
    except ProtocolError as error:
        status = ", ".join(filter(None, (str(answer.status), answer.request_id and f"request {answer.request_id}")))
        error.note("requested", request.requested)
        error.note("endpoint", f"{connection.address}, {status}")
        raise


def filters_of(**values: tuple[str | None, Rule]) -> Parameters:
    """Return the query parameters that are set, each within its limit."""
    present = {name: (value, rule) for name, (value, rule) in values.items() if value is not None}
    for name, (value, rule) in present.items():
        require(name, value, rule)
    return tuple((name, value) for name, (value, _) in present.items())


def page_of(limit: int, marker: str | None, offset: int | None) -> Parameters:
    """Return the query parameters of a page, each within its limit."""
    require("limit", limit, PAGE_LIMIT)
    page: dict[str, str] = {"limit": str(limit)}
    if marker is not None:
        require("marker", marker, MARKER)
        page["marker"] = marker
    if offset is not None:
        require("offset", offset, OFFSET)
        page["offset"] = str(offset)
    return tuple(page.items())


def _package_id(package_id: str) -> str:
    require("package_id", package_id, PACKAGE_ID)
    return package_id


def _task_id(task_id: str) -> str:
    require("task_id", task_id, TASK_ID)
    return task_id


def _json(content: Mapping[str, object]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
