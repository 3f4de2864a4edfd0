"""The OpenAPI description of the emulator, made from its routes and shapes.

Other clients of the emulator and ``make fuzz`` read it. It describes the emulator, not the service. Rules that join two
fields are no part of it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from pulumi_iotda_ota.emulator import shapes
from pulumi_iotda_ota.emulator.operations import ROUTES

if TYPE_CHECKING:
    from pydantic import BaseModel

Schema = dict[str, Any]

_ROOT = "/v5/iot/{project_id}"
_REFUSALS = ("400", "401", "403", "404", "413", "414", "429")
_STRING: Schema = {"type": "string"}
_STRINGS: Schema = {"type": "array", "items": _STRING}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_RECORD: Schema = {"type": "string", "pattern": "^([0-9a-fA-F]{24})?$"}
_PAGING: dict[str, Schema] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": 50},
    "marker": {"type": "string", "pattern": "^[0-9a-fA-F]{24}$"},
    "offset": {"type": "integer", "minimum": 0, "maximum": 500},
}
_IDS: dict[str, Schema] = {
    "package_id": {"type": "string", "pattern": "^[A-Za-z0-9-]{1,36}$"},
    "task_id": {"type": "string", "pattern": "^[a-f0-9]{1,24}$"},
    "group_id": {"type": "string", "pattern": "^[A-Za-z0-9-]{1,36}$"},
}
_PROGRESS = ("total", "processing", "success", "fail", "waitting", "fail_wait_retry", "stopped", "removed")


def _object(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    return {"type": "object", "required": [*required], "properties": {**required, **(optional or {})}}


def _strings(*names: str) -> dict[str, Schema]:
    return dict.fromkeys(names, _STRING)


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _page_of(name: str, item: str) -> Schema:
    return _object({name: {"type": "array", "items": _ref(item), "maxItems": 50}, "page": _ref("Page")})


_PACKAGE = (
    _strings("package_id", "app_id", "package_type", "product_id", "version", "create_time"),
    {
        **_strings("product_name", "module_name", "description", "custom_info"),
        "support_source_versions": _STRINGS,
    },
)
_OBJECTS: Schema = {"type": "array", "items": {"type": "object"}}
_DEVICE = _strings("app_id", "device_id", "gateway_id", "node_id", "device_name", "node_type", "status")
_RESPONSES: dict[str, Schema] = {
    "Refusal": _object({"error_code": _STRING, "error_msg": _STRING}, {"request_id": _STRING}),
    "Page": _object({"count": _COUNT}, {"marker": _RECORD}),
    "PackageSummary": _object(*_PACKAGE),
    "Package": _object(_PACKAGE[0], {**_PACKAGE[1], "file_location": _ref("FileLocation")}),
    "PackagePage": _page_of("packages", "PackageSummary"),
    "Progress": _object(dict.fromkeys(_PROGRESS, _COUNT)),
    "Task": _object(
        {
            **_strings("task_id", "task_name", "task_type", "status", "status_desc", "create_time"),
            "document": _ref("Document"),
            "task_progress": _ref("Progress"),
        },
        {
            "targets": _STRINGS,
            "targets_filter": _ref("TargetsFilter"),
            "task_policy": _ref("TaskPolicy"),
            "task_mode": _STRING,
            "need_confirm": {"type": "boolean"},
            "task_ext_info": {"type": "object"},
        },
    ),
    "TaskPage": _page_of("batchtasks", "Task"),
    "Detail": _object({"target": _STRING, "status": _STRING}, {"output": _STRING, "error": {"type": "object"}}),
    "TaskDetails": _object(
        {
            "batchtask": _ref("Task"),
            "task_details": {"type": "array", "items": _ref("Detail"), "maxItems": 50},
            "page": _ref("Page"),
        }
    ),
    "SimpleDevice": _object(_strings("device_id", "node_id", "device_name"), _strings("product_id")),
    "GroupDevicePage": _page_of("devices", "SimpleDevice"),
    "Device": _object(_DEVICE, {**_strings("product_id", "fw_version", "sw_version"), "tags": _OBJECTS}),
    "DevicePage": _page_of("devices", "Device"),
    "Search": _object(
        {},
        {
            # A statement selects fields, so none is always there.
            "devices": {
                "type": "array",
                "maxItems": 50,
                "items": _object(
                    {},
                    {
                        **_DEVICE,
                        **_strings("product_id", "fw_version", "sw_version", "marker"),
                        "groups": _STRINGS,
                        "tags": _OBJECTS,
                        "modules": _OBJECTS,
                    },
                ),
            },
            "count": _COUNT,
        },
    ),
    "Results": _object(
        {
            "targets": {
                "type": "array",
                "items": _object(
                    {"target": _STRING, "status": {"enum": ["success", "failure"]}},
                    {"error_code": _STRING, "error_msg": _STRING},
                ),
            }
        }
    ),
}
# Each operation: its query, its body, the status of success, and the shape of the response.
_OPERATIONS: dict[str, tuple[type[BaseModel] | None, type[BaseModel] | None, str, str]] = {
    "ListOtaPackageInfo": (shapes.PackageQuery, None, "200", "PackagePage"),
    "CreateOtaPackage": (None, shapes.PackageBody, "201", "Package"),
    "ShowOtaPackage": (None, None, "200", "Package"),
    "DeleteOtaPackage": (None, None, "204", ""),
    "ListDevices": (shapes.DeviceQuery, None, "200", "DevicePage"),
    "SearchDevices": (None, shapes.SearchBody, "200", "Search"),
    "ShowDevicesInGroup": (None, None, "200", "GroupDevicePage"),
    "ListBatchTasks": (shapes.TaskQuery, None, "200", "TaskPage"),
    "CreateBatchTask": (None, shapes.TaskBody, "201", "Task"),
    "ShowBatchTask": (shapes.TaskShowQuery, None, "200", "TaskDetails"),
    "DeleteBatchTask": (None, None, "204", ""),
    "StopBatchTask": (None, shapes.TargetsBody, "200", "Results"),
    "RetryBatchTask": (None, shapes.TargetsBody, "200", "Results"),
    "ConfirmBatchTask": (None, shapes.TargetsBody, "200", "Results"),
}
_PAGED = ("ListOtaPackageInfo", "ListBatchTasks", "ShowBatchTask", "ListDevices", "ShowDevicesInGroup")


def description() -> dict[str, Any]:
    """Return the description, OpenAPI 3.1."""
    paths: dict[str, dict[str, Any]] = {}
    for name, method, path in ROUTES:
        below = re.sub(r"<(\w+)>", r"{\1}", path).removeprefix(_ROOT)
        paths.setdefault(below, {})[method.lower()] = _operation(name, re.findall(r"{(\w+)}", below))
    return {
        "openapi": "3.1.0",
        "info": {"title": "Huawei Cloud IoTDA, OTA operations, as emulated", "version": "5"},
        "servers": [{"url": _ROOT, "variables": {"project_id": {"default": "project"}}}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": {**_shapes(), **_RESPONSES},
            "responses": {"Refused": _response("Refused.", "Refusal")},
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "X-Auth-Token"}},
        },
    }


def text() -> str:
    """Return the text of ``openapi.json``."""
    return json.dumps(description(), indent=2, sort_keys=True) + "\n"


def _shapes() -> dict[str, Any]:
    bodies = [shape for query, body, _, _ in _OPERATIONS.values() for shape in (query, body) if shape]
    _, found = models_json_schema(
        [(shape, "validation") for shape in dict.fromkeys(bodies)], ref_template="#/components/schemas/{model}"
    )
    schemas: dict[str, Any] = found["$defs"]
    return schemas


def _operation(name: str, ids: list[str]) -> dict[str, Any]:
    query, body, status, response = _OPERATIONS[name]
    parameters = [_parameter(id_, "path", _IDS[id_], required=True) for id_ in ids]
    parameters += _query(query, paged=name in _PAGED)
    parameters.append(_parameter("Instance-Id", "header", {"type": "string", "maxLength": 36}, required=False))
    operation: dict[str, Any] = {
        "operationId": name,
        "parameters": parameters,
        "responses": {
            status: _response("Done.", response),
            **{refusal: {"$ref": "#/components/responses/Refused"} for refusal in _REFUSALS},
        },
    }
    if body:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": _ref(body.__name__)}}}
    return operation


def _query(shape: type[BaseModel] | None, *, paged: bool) -> list[dict[str, Any]]:
    schema = shape.model_json_schema() if shape else {}
    required = schema.get("required", [])
    known = [
        _parameter(name, "query", _without_null(value), required=name in required)
        for name, value in schema.get("properties", {}).items()
    ]
    return known + [_parameter(name, "query", value, required=False) for name, value in _PAGING.items() if paged]


def _without_null(schema: Schema) -> Schema:
    """Return the schema of an optional value in a query: it is never null."""
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    return {name: value for name, value in kinds[0].items() if name not in {"title", "default"}}


def _parameter(name: str, place: str, schema: Schema, *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, "schema": schema}


def _response(description: str, shape: str) -> dict[str, Any]:
    headers = {"X-Request-Id": {"required": True, "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"}}}
    content = {"application/json": {"schema": _ref(shape)}} if shape else {}
    return {"description": description, "headers": headers, **({"content": content} if content else {})}
