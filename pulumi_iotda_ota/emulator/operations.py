"""The operations of the service: path, method, and the function that responds. State is in ``service.py``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import Map, Rule

from pulumi_iotda_ota.emulator import device_operations as devices
from pulumi_iotda_ota.emulator.iam import ACCOUNT_OPERATIONS
from pulumi_iotda_ota.emulator.messages import ApiError, Reply, Request, json_reply
from pulumi_iotda_ota.emulator.paging import cut_page, list_body, listed, parse_page, shown_as
from pulumi_iotda_ota.emulator.service import Call, Service, body_of, shaped
from pulumi_iotda_ota.emulator.shapes import PackageBody, PackageQuery, TargetsBody, TaskBody, TaskQuery, TaskShowQuery
from pulumi_iotda_ota.emulator.tasks import FINAL, Task

Handler = Callable[[Call], Reply]

_IDENTITY = ("app_id", "package_type", "product_id", "version", "module_name")
_STATUS_TEXT = {"Stopped": "The task is stopped.", "Fail": "All devices failed."}


def _list_packages(call: Call) -> Reply:
    query = shaped(PackageQuery, call.request.query)
    page = parse_page(call.request.query)
    call.service.require_scope(query.app_id)
    switches = call.service.switches
    packages = listed(call.service.packages.find(query.model_dump()), switches, call.service.clock())
    found, info = cut_page(packages, page, switches)
    return json_reply(200, list_body("packages", [package.summary() for package in found], info, switches))


def _show_package(call: Call) -> Reply:
    package = call.service.require_package(call.ids["package_id"])
    return json_reply(200, shown_as(package.detail(), call.service.switches))


def _create_package(call: Call) -> Reply:
    body = body_of(PackageBody, call.request)
    call.service.require_space(body.app_id)
    fields = body.model_dump(exclude_none=True)
    # The documents give SHA256 as the default of sign_method.
    fields["file_location"]["obs_location"].setdefault("sign_method", "SHA256")
    if call.service.switches.duplicate_packages == "refuse":
        _require_new(call.service, fields)
    return json_reply(201, call.service.add_package(fields).detail())


def _delete_package(call: Call) -> Reply:
    if not call.service.packages.delete(call.ids["package_id"]):
        raise ApiError("package_missing")
    return Reply(204)


def _require_new(service: Service, fields: dict[str, Any]) -> None:
    same = service.packages.find(fields)
    if any(all(package.fields.get(name) == fields.get(name) for name in _IDENTITY) for package in same):
        raise ApiError("package_exists")


def task_fields(service: Service, task: Task) -> dict[str, Any]:
    """Return a task as responses have it: without ``app_id``, its document under the key that the switches set."""
    now = service.clock()
    status, progress = task.status(now), task.progress(now)
    fields = {
        **task.fields,
        "document": _document(task.fields["document"], service.switches.document_echo),
        "status": status,
        "status_desc": _STATUS_TEXT.get(status, ""),
        "task_progress": progress if service.switches.waiting_counts else {**progress, "waitting": 0},
    }
    if not service.switches.echo_targets:
        fields = {name: value for name, value in fields.items() if name not in {"targets", "targets_filter"}}
    return fields


def _create_task(call: Call) -> Reply:
    task = call.service.add_task(body_of(TaskBody, call.request))
    return json_reply(201, task_fields(call.service, task))


def _list_tasks(call: Call) -> Reply:
    query = shaped(TaskQuery, call.request.query)
    page = parse_page(call.request.query)
    call.service.require_space(query.app_id)
    now, switches = call.service.clock(), call.service.switches
    tasks = call.service.tasks.find(query.task_type, query.app_id, query.status, now)
    found, info = cut_page(listed(tasks, switches, now), page, switches)
    return json_reply(200, list_body("batchtasks", [task_fields(call.service, task) for task in found], info, switches))


def _show_task(call: Call) -> Reply:
    query = shaped(TaskShowQuery, call.request.query)
    page = parse_page(call.request.query)
    task = call.service.require_task(call.ids["task_id"])
    now = call.service.clock()
    devices = [
        subtask
        for subtask in task.visible(now)
        if query.target in (None, subtask.target)
        and (query.task_detail_status is None or subtask.status(now) == query.task_detail_status)
    ]
    switches = call.service.switches
    found, info = cut_page(devices, page, switches)
    details = list_body("task_details", [subtask.detail(now) for subtask in found], info, switches)
    return json_reply(200, {"batchtask": shown_as(task_fields(call.service, task), switches), **details})


def _stop_task(call: Call) -> Reply:
    return _acted(call, call.service.tasks.stop)


def _retry_task(call: Call) -> Reply:
    return _acted(call, call.service.tasks.retry)


def _confirm_task(call: Call) -> Reply:
    return _acted(call, call.service.tasks.confirm)


def _acted(call: Call, action: Callable[[Task, Sequence[str], float], list[dict[str, str]]]) -> Reply:
    task = call.service.require_task(call.ids["task_id"])
    is_listed = call.request.operation == "ConfirmBatchTask" or call.service.switches.module_actions
    if task.fields["task_type"] == "moduleUpgrade" and not is_listed:
        raise ApiError("task_type", "It is a moduleUpgrade.")
    body = body_of(TargetsBody, call.request)
    return json_reply(200, {"targets": action(task, body.targets, call.service.clock())})


def _delete_task(call: Call) -> Reply:
    now = call.service.clock()
    status = call.service.require_task(call.ids["task_id"]).status(now)
    if status not in FINAL:
        raise ApiError("task_state", f"It is {status}.")
    # The devices keep their versions after the task is deleted.
    call.service.tasks.settle(now)
    call.service.tasks.delete(call.ids["task_id"])
    return Reply(204)


def _document(sent: dict[str, Any], key: str) -> dict[str, Any]:
    if key == "as_sent":
        return sent
    ids = sent.get("package_ids") or [sent["package_id"]]
    return {"package_ids": ids} if key == "package_ids" else {"package_id": ids[0]}


_ROOT = "/v5/iot/<project_id>"
_PACKAGES = f"{_ROOT}/ota-upgrades/packages"
_TASKS = f"{_ROOT}/batchtasks"

_TABLE: tuple[tuple[str, str, str, Handler], ...] = (
    ("ListOtaPackageInfo", "GET", _PACKAGES, _list_packages),
    ("CreateOtaPackage", "POST", _PACKAGES, _create_package),
    ("ShowOtaPackage", "GET", f"{_PACKAGES}/<package_id>", _show_package),
    ("DeleteOtaPackage", "DELETE", f"{_PACKAGES}/<package_id>", _delete_package),
    ("ListDevices", "GET", f"{_ROOT}/devices", devices.list_devices),
    ("SearchDevices", "POST", f"{_ROOT}/search/query-devices", devices.search_devices),
    ("ShowDevicesInGroup", "GET", f"{_ROOT}/device-group/<group_id>/devices", devices.list_group_devices),
    ("ListBatchTasks", "GET", _TASKS, _list_tasks),
    ("CreateBatchTask", "POST", _TASKS, _create_task),
    ("ShowBatchTask", "GET", f"{_TASKS}/<task_id>", _show_task),
    ("DeleteBatchTask", "DELETE", f"{_TASKS}/<task_id>", _delete_task),
    ("StopBatchTask", "POST", f"{_TASKS}/<task_id>/stop", _stop_task),
    ("RetryBatchTask", "POST", f"{_TASKS}/<task_id>/retry", _retry_task),
    ("ConfirmBatchTask", "POST", f"{_TASKS}/<task_id>/confirm", _confirm_task),
)

# In the real service, IAM and the metadata service are other hosts. Their paths have no project.
_ACCOUNT_PATHS = (
    ("KeystoneCreateUserTokenByPassword", "POST", "/v3/auth/tokens"),
    ("KeystoneListProjects", "GET", "/v3/projects"),
    ("CreateUnscopedTokenWithIdToken", "POST", "/v3.0/OS-AUTH/id-token/tokens"),
    ("CreateTemporaryAccessKey", "POST", "/v3.0/OS-CREDENTIAL/securitytokens"),
    ("CreateMetadataToken", "PUT", "/meta-data/latest/api/token"),
    ("ShowSecurityKey", "GET", "/openstack/latest/securitykey"),
)

#: The name, the method and the path of every operation of IoTDA.
ROUTES = tuple((name, method, path) for name, method, path, _ in _TABLE)
OPERATIONS: dict[str, Handler] = {name: handler for name, _, _, handler in _TABLE}

#: All operations that there are.
NAMES = frozenset({*OPERATIONS, *ACCOUNT_OPERATIONS})

# The service does not redirect a path with a slash too many.
_MAP = Map(
    [Rule(path, methods=[method], endpoint=name) for name, method, path in (*ROUTES, *_ACCOUNT_PATHS)],
    strict_slashes=True,
    merge_slashes=False,
).bind("emulator")


def route(request: Request) -> tuple[str, dict[str, str]]:
    """Return the operation of a request and the ids in its path, or refuse an unknown path or method."""
    try:
        name, values = _MAP.match(request.path, request.method)
    except MethodNotAllowed as exc:
        raise ApiError("method_absent") from exc
    except NotFound as exc:
        raise ApiError("unknown_uri") from exc
    if request.method == "HEAD":  # werkzeug serves HEAD for GET
        raise ApiError("method_absent")
    return str(name), {key: str(value) for key, value in values.items()}
