"""The operations that read devices: a request in, an answer out. Devices report their versions after an upgrade."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.emulator.behavior import api_time
from pulumi_iotda_ota.emulator.device_search import parse
from pulumi_iotda_ota.emulator.messages import ApiError, Reply, json_reply
from pulumi_iotda_ota.emulator.paging import cut_page, list_body, parse_page, record_text, shown_as
from pulumi_iotda_ota.emulator.service import Call, Service, body_of, shaped
from pulumi_iotda_ota.emulator.shapes import DeviceQuery, SearchBody

if TYPE_CHECKING:
    from collections.abc import Iterable

_SECONDS_BETWEEN_SEARCHES = 1.0
_SIMPLE = ("device_id", "node_id", "device_name", "product_id")
_ONLY_SEARCHED = ("groups", "modules", "marker", "create_time")


@dataclass(frozen=True)
class _Listed:
    """A device with its place in a list."""

    record: int
    fields: dict[str, Any]


def list_devices(call: Call) -> Reply:
    """Answer ListDevices."""
    query = shaped(DeviceQuery, call.request.query).model_dump(exclude_none=True)
    call.service.require_space(query.get("app_id"))
    devices = [one for one in _devices(call.service) if all(one.fields.get(name) == query[name] for name in query)]
    rows = ({name: value for name, value in one.items() if name not in _ONLY_SEARCHED} for one in _page(call, devices))
    return _page_reply(call, devices, rows)


def list_group_devices(call: Call) -> Reply:
    """Answer ShowDevicesInGroup: ids without versions."""
    group_id = call.ids["group_id"]
    if group_id not in call.service.devices.groups:
        raise ApiError("group_missing")
    devices = [one for one in _devices(call.service) if group_id in one.fields["groups"]]
    rows = ({name: one[name] for name in _SIMPLE if name in one} for one in _page(call, devices))
    return _page_reply(call, devices, rows)


def search_devices(call: Call) -> Reply:
    """Answer SearchDevices. A statement that is refused counts as a request, too."""
    service = call.service
    if service.switches.search == "unpublished":
        raise ApiError("method_absent")
    if service.switches.search == "unsupported":
        raise ApiError("edition")
    now = service.clock()
    if now < service.next_search:
        raise ApiError("search_rate")
    service.next_search = now + _SECONDS_BETWEEN_SEARCHES
    statement = parse(body_of(SearchBody, call.request).sql)
    found = statement.matches([{**one.fields, "marker": record_text(one.record)} for one in _devices(service)])
    if statement.counts:
        return json_reply(200, {"count": len(found)})
    rows = [shown_as(row, service.switches) if "device_id" in row else row for row in statement.page(found)]
    return json_reply(200, {"devices": [_searched(row) for row in rows]})


def _searched(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "create_time"}


def _devices(service: Service) -> list[_Listed]:
    """Return all devices, newest record first."""
    now = service.clock()
    service.tasks.settle(now)
    store = service.devices
    groups: dict[str, list[str]] = {}
    for group, members in store.groups.items():
        for device_id in dict.fromkeys(members):
            groups.setdefault(device_id, []).append(group)
    listed = []
    for device_id in store.everyone():
        record = store.record_of(device_id, service.ids, now)
        fields = {
            "device_id": device_id,
            "gateway_id": device_id,
            "node_id": device_id,
            "device_name": device_id,
            "node_type": "GATEWAY",
            "create_time": api_time(record >> 64),
            "groups": groups.get(device_id, []),
            "tags": [],
            **store.reported(device_id),
        }
        fields["app_id"] = fields["app_id"] or service.default_app_id
        listed.append(_Listed(record, {name: value for name, value in fields.items() if value is not None}))
    return sorted(listed, key=lambda one: -one.record)


def _page(call: Call, devices: list[_Listed]) -> list[dict[str, Any]]:
    found, _ = cut_page(devices, parse_page(call.request.query), call.service.switches)
    return [one.fields for one in found]


def _page_reply(call: Call, devices: list[_Listed], rows: Iterable[dict[str, Any]]) -> Reply:
    _, info = cut_page(devices, parse_page(call.request.query), call.service.switches)
    return json_reply(200, list_body("devices", list(rows), info, call.service.switches))
