"""The paths under ``/_emulator/``: a part of the interface of ``Emulator``, for programs in other processes.

They need no signature. The server listens on the loopback address only. No page in a browser may reach them. So a
request is refused if it names another host, or comes from a page of another origin. It is also refused if its content
type is not JSON, because a browser sends any other body without a preflight request.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from pulumi_iotda_ota.emulator.faults import Fault
from pulumi_iotda_ota.emulator.messages import Reply, Request, json_reply
from pulumi_iotda_ota.emulator.shapes import problem_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator.faults import Faults

_HOSTS = frozenset({"127.0.0.1", "localhost"})


class _Emulator(Protocol):
    """The part of ``instance.Emulator`` that these paths offer to other processes."""

    @property
    def faults(self) -> Faults: ...
    @property
    def requests(self) -> list[Request]: ...
    def add_package(self, **fields: Any) -> str: ...
    def delete_package(self, package_id: str) -> bool: ...
    def set_device(self, device_id: str, **changes: Any) -> None: ...
    def issue_token(self) -> str: ...
    def reset(self) -> None: ...


class _PackageChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    insert: list[dict[str, Any]] = []
    delete: list[str] = []


class _DeviceChange(BaseModel):
    model_config = ConfigDict(extra="allow")

    device_id: str


def admin_reply(emulator: _Emulator, request: Request) -> Reply:
    """Return the response to a request under ``/_emulator/``."""
    refused = _refused(request)
    if refused:
        return refused
    action = _ACTIONS.get((request.method, request.path.removeprefix("/_emulator/")))
    if action is None:
        known = ", ".join(f"{method} /_emulator/{name}" for method, name in _ACTIONS)
        return _refusal(404, f"no such path; there are {known}")
    try:
        return action(emulator, request)
    except ValueError as exc:
        return _refusal(400, problem_of(exc) if isinstance(exc, ValidationError) else str(exc))


def _refused(request: Request) -> Reply | None:
    """Return the refusal of what a page in a browser can send, or None."""
    host, origin = request.headers.get("Host", ""), request.headers.get("Origin")
    if host.partition(":")[0] not in _HOSTS:
        return _refusal(403, "only the loopback address is served")
    if origin not in (None, f"http://{host}"):
        return _refusal(403, "a page of another site sent this request")
    if request.body and request.headers.get("Content-Type", "").partition(";")[0].strip() != "application/json":
        return _refusal(415, "send Content-Type: application/json")
    return None


def _add_fault(emulator: _Emulator, request: Request) -> Reply:
    fields = dict(json.loads(request.body))
    change = _PackageChange.model_validate(fields.pop("before", {}))
    fault = Fault.model_validate(fields)
    if change.insert or change.delete:
        fault.before = lambda: _change(emulator, change)
    emulator.faults.add(fault)
    return json_reply(201, _described(fault))


def _list_faults(emulator: _Emulator, _: Request) -> Reply:
    return json_reply(200, {"faults": [_described(fault) for fault in emulator.faults]})


def _clear_faults(emulator: _Emulator, _: Request) -> Reply:
    emulator.faults.clear()
    return Reply(204)


def _list_requests(emulator: _Emulator, _: Request) -> Reply:
    return json_reply(200, {"requests": [_recorded(item) for item in emulator.requests]})


def _change_packages(emulator: _Emulator, request: Request) -> Reply:
    return json_reply(200, _change(emulator, _PackageChange.model_validate_json(request.body)))


def _change_device(emulator: _Emulator, request: Request) -> Reply:
    change = _DeviceChange.model_validate_json(request.body)
    emulator.set_device(change.device_id, **(change.model_extra or {}))
    return Reply(204)


def _issue_token(emulator: _Emulator, _: Request) -> Reply:
    return json_reply(201, {"token": emulator.issue_token()})


def _reset(emulator: _Emulator, _: Request) -> Reply:
    emulator.reset()
    return Reply(204)


def _change(emulator: _Emulator, change: _PackageChange) -> dict[str, list[str]]:
    inserted = [emulator.add_package(**fields) for fields in change.insert]
    deleted = [package_id for package_id in change.delete if emulator.delete_package(package_id)]
    return {"inserted": inserted, "deleted": deleted}


def _described(fault: Fault) -> dict[str, Any]:
    fields = fault.model_dump(exclude_defaults=True, exclude={"before", "match", "edit", "body"})
    return {**fields, "hits": fault.hits}


def _recorded(request: Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": dict(request.headers),
        "body": request.body.decode(errors="replace"),
        "time": request.time,
        "operation": request.operation,
    }


def _refusal(status: int, text: str) -> Reply:
    return json_reply(status, {"error": text})


_ACTIONS: dict[tuple[str, str], Callable[[_Emulator, Request], Reply]] = {
    ("POST", "faults"): _add_fault,
    ("GET", "faults"): _list_faults,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "requests"): _list_requests,
    ("POST", "packages"): _change_packages,
    ("POST", "devices"): _change_device,
    ("POST", "tokens"): _issue_token,
    ("POST", "reset"): _reset,
}
