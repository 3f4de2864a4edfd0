"""The operations on packages and modules: a request in, an answer out. State is in ``packages.py``."""

from __future__ import annotations

import secrets
from typing import Any

from pulumi_iotda_ota.emulator.clocks import api_time
from pulumi_iotda_ota.emulator.errors import ApiError
from pulumi_iotda_ota.emulator.messages import Reply, json_reply
from pulumi_iotda_ota.emulator.packages import Module
from pulumi_iotda_ota.emulator.paging import cut_page, list_body, listed, parse_page, shown_as
from pulumi_iotda_ota.emulator.service import Call, Service, body_of, shaped
from pulumi_iotda_ota.emulator.shapes import ModuleBody, ModuleChange, ModuleQuery, PackageBody, PackageQuery

_MAX_MODULES = 10
_IDENTITY = ("app_id", "package_type", "product_id", "version", "module_name")


def list_packages(call: Call) -> Reply:
    """Answer ListOtaPackageInfo."""
    query = shaped(PackageQuery, call.request.query)
    page = parse_page(call.request.query)
    call.service.require_scope(query.app_id)
    switches = call.service.switches
    packages = listed(call.service.packages.find(query.model_dump()), switches, call.service.clock())
    found, info = cut_page(packages, page, switches)
    return json_reply(200, list_body("packages", [package.summary() for package in found], info, switches))


def show_package(call: Call) -> Reply:
    """Answer ShowOtaPackage."""
    package = call.service.require_package(call.ids["package_id"])
    return json_reply(200, shown_as(package.detail(), call.service.switches))


def create_package(call: Call) -> Reply:
    """Answer CreateOtaPackage."""
    body = body_of(PackageBody, call.request)
    call.service.require_space(body.app_id)
    fields = body.model_dump(exclude_none=True)
    # The documents give SHA256 as the default of sign_method.
    fields["file_location"]["obs_location"].setdefault("sign_method", "SHA256")
    if call.service.switches.duplicate_packages == "refuse":
        _require_new(call.service, fields)
    return json_reply(201, call.service.add_package(fields).detail())


def delete_package(call: Call) -> Reply:
    """Answer DeleteOtaPackage."""
    if not call.service.packages.delete(call.ids["package_id"]):
        raise ApiError("package_missing")
    return Reply(204)


def list_modules(call: Call) -> Reply:
    """Answer ListOtaModules."""
    query = shaped(ModuleQuery, call.request.query)
    page = parse_page(call.request.query)
    call.service.require_space(query.app_id)
    modules = call.service.modules.find(app_id=query.app_id, product_id=query.product_id)
    found, info = cut_page(modules, page, call.service.switches)
    return json_reply(200, list_body("modules", [module.fields for module in found], info, call.service.switches))


def show_module(call: Call) -> Reply:
    """Answer ShowOtaModule."""
    return json_reply(200, _require_module(call.service, call.ids["module_id"]).fields)


def create_module(call: Call) -> Reply:
    """Answer CreateOtaModule."""
    body = body_of(ModuleBody, call.request)
    call.service.require_space(body.app_id)
    siblings = call.service.modules.find(app_id=body.app_id, product_id=body.product_id)
    if any(module.fields["module_name"] == body.module_name for module in siblings):
        raise ApiError("module_exists")
    if len(siblings) >= _MAX_MODULES:
        raise ApiError("module_limit", f"A product has at most {_MAX_MODULES}.")
    now = call.service.clock()
    fields = {"module_id": secrets.token_hex(16), **body.model_dump(exclude_none=True), "create_time": api_time(now)}
    call.service.modules.put(Module(call.service.ids.next(now), fields))
    return json_reply(201, fields)


def update_module(call: Call) -> Reply:
    """Answer UpdateOtaModule."""
    module = _require_module(call.service, call.ids["module_id"])
    change = body_of(ModuleChange, call.request).model_dump(exclude_none=True)
    call.service.modules.put(Module(module.record, {**module.fields, **change}))
    return show_module(call)


def delete_module(call: Call) -> Reply:
    """Answer DeleteOtaModule."""
    if not call.service.modules.delete(call.ids["module_id"]):
        raise ApiError("module_missing")
    return Reply(204)


def _require_module(service: Service, module_id: str) -> Module:
    module = service.modules.get(module_id)
    if module is None:
        raise ApiError("module_missing")
    return module


def _require_new(service: Service, fields: dict[str, Any]) -> None:
    same = service.packages.find(fields)
    if any(all(package.fields.get(name) == fields.get(name) for name in _IDENTITY) for package in same):
        raise ApiError("package_exists")
