"""The operations on packages: a request in, an answer out. State is in ``packages.py``."""

from __future__ import annotations

from typing import Any

from pulumi_iotda_ota.emulator.errors import ApiError
from pulumi_iotda_ota.emulator.messages import Reply, json_reply
from pulumi_iotda_ota.emulator.paging import cut_page, list_body, listed, parse_page, shown_as
from pulumi_iotda_ota.emulator.service import Call, Service, body_of, shaped
from pulumi_iotda_ota.emulator.shapes import PackageBody, PackageQuery

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


def _require_new(service: Service, fields: dict[str, Any]) -> None:
    same = service.packages.find(fields)
    if any(all(package.fields.get(name) == fields.get(name) for name in _IDENTITY) for package in same):
        raise ApiError("package_exists")
