"""The operations that read devices: lists, groups, and the SQL of a search with its documented limits."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from tests.emulator.test_openapi import unnamed
from tests.support.emulator_callers import task_body

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator, ManualClock
    from tests.support.emulator_callers import Caller, Response


def search(call: Caller, clock: ManualClock, sql: str) -> Response:
    """Search, a second after the last search."""
    clock.advance(1)
    return call("POST", "search/query-devices", {"sql": sql})


def ids(answer: Response) -> list[str]:
    """Return the ids of the devices of an answer."""
    return [device["device_id"] for device in answer.json["devices"]]


@pytest.fixture(autouse=True)
def _devices(emulator: Emulator) -> None:
    emulator.set_device("radio-1", product_id="gateway", sw_version="2.0.1", modules={"modem": "1.2"}, status="OFFLINE")


def test_devices_are_listed_by_product_newest_first(call: Caller) -> None:
    """ListDevices filters by product, and pages as every list does. It returns no groups and no modules."""
    first = call("GET", "devices", product_id="smart-meter", limit=50)
    assert (len(first.json["devices"]), first.json["page"]["count"]) == (40, 40)
    one = call("GET", "devices", product_id="gateway").json["devices"]
    assert [(device["device_id"], device["sw_version"], device["status"]) for device in one] == [
        ("radio-1", "2.0.1", "OFFLINE")
    ]
    assert one[0].keys().isdisjoint({"groups", "modules", "marker", "fw_version"})
    page = call("GET", "devices", limit=30)
    rest = call("GET", "devices", limit=30, marker=page.json["page"]["marker"])
    assert len({*ids(page), *ids(rest)}) == 41
    assert call("GET", "devices", limit=51).code == "IOTDA.000017"


def test_the_devices_of_a_group_have_no_versions(call: Caller) -> None:
    """ShowDevicesInGroup returns ids and products. A group that does not exist is 404."""
    listed = call("GET", "device-group/canary/devices")

    assert sorted(ids(listed)) == ["meter-0001", "meter-0002", "meter-0003", "meter-0004"]
    assert set(listed.json["devices"][0]) == {"device_id", "node_id", "device_name", "product_id"}
    assert call("GET", "device-group/no-such-group/devices").status == 404


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ("", 41),
        ("where product_id = 'smart-meter'", 40),
        ("WHERE product_id != 'smart-meter'", 1),
        ("where group_id = 'canary'", 4),
        ("where group_id in ('canary', 'fleet')", 40),
        ("where group_id not in ('canary')", 37),
        ("where group_id = 'canary' and fw_version = 'V1.4.9'", 4),
        ("where fw_version in ('V1.3.2','V1.4.8') and group_id = 'fleet'", 24),
        ("where group_id = 'canary' or product_id = 'gateway' AND status = 'ONLINE'", 4),
        ("where group_id = 'canary' or product_id = 'gateway' and status = 'OFFLINE'", 5),
        ("where device_name like 'meter-000%'", 9),
        ("where marker < 'ffffffffffffffffffffffff' and marker > '000000000000000000000000'", 41),
    ],
)
def test_conditions(call: Caller, clock: ManualClock, where: str, count: int) -> None:
    """Conditions compare as documented: AND binds closer than OR, keywords have any case."""
    assert search(call, clock, f"select count(*) from device {where}").json == {"count": count}
    assert search(call, clock, f"SELECT count(1) from device {where}").json == {"count": count}


def test_rows_are_ordered_and_limited(call: Caller, clock: ManualClock) -> None:
    """Without a limit there are 10 rows. With an order by marker, pages follow each other."""
    assert len(ids(search(call, clock, "select * from device"))) == 10
    down = search(call, clock, "select * from device order by marker desc limit 50").json["devices"]
    markers = [device["marker"] for device in down]
    assert markers == sorted(markers, reverse=True)
    up = ids(search(call, clock, "select device_id from device order by marker limit 40,50"))
    assert up == [down[0]["device_id"]]
    last = search(call, clock, f"select device_id, fw_version from device where marker < '{markers[38]}' limit 50")
    assert sorted(ids(last)) == sorted(device["device_id"] for device in down[39:])
    assert ids(search(call, clock, "select * from device limit 50")) != [device["device_id"] for device in down]


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("select * from device where " + " or ".join(f"device_id = 'meter-000{n}'" for n in range(6)), "IOTDA.000006"),
        (f"select * from device where device_id = '{'x' * 400}'", "IOTDA.000006"),
        ("select * from device where (product_id = 'x')", "IOTDA.000006"),
        ("select * from group", "IOTDA.000006"),
        ("select * from device where colour = 'red'", "IOTDA.000006"),
        ("select * from device where product_id > 'x'", "IOTDA.000006"),
        ("select * from device where product_id like 'meter%'", "IOTDA.000006"),
        ("select * from device where device_name like 'met%'", "IOTDA.000006"),
        ("select * from device where device_name like '%meter'", "IOTDA.000006"),
        ("select * from device where tag_key in ('a')", "IOTDA.000006"),
        ("select * from device where fw_version = ''", "IOTDA.000006"),
        ("select * from device where fw_version = null", "IOTDA.000006"),
        ("select * from device where device_id = 'it''s'", "IOTDA.000006"),
        ("select max(marker) from device", "IOTDA.000006"),
        ("select * from device order by device_id", "IOTDA.000006"),
        ("select * from device limit 501,10", "IOTDA.000018"),
        ("select * from device limit 51", "IOTDA.000017"),
        ("select * from device limit ten", "IOTDA.000006"),
        ("select * from device;", "IOTDA.000006"),
        ("delete from device", "IOTDA.000006"),
        ("select * from", "IOTDA.000006"),
    ],
)
def test_what_breaks_the_grammar_is_refused(call: Caller, clock: ManualClock, sql: str, code: str) -> None:
    """A statement beyond the documented grammar or its limits is refused with 400."""
    answer = search(call, clock, sql)
    assert (answer.status, answer.code) == (400, code)


def test_one_search_a_second(call: Caller, clock: ManualClock) -> None:
    """A second search within a second of the emulator's clock is throttled, and does not count."""
    statement = {"sql": "select count(*) from device"}
    assert search(call, clock, statement["sql"]).status == 200
    clock.advance(0.9)
    assert call("POST", "search/query-devices", statement).code == "APIGW.0308"
    clock.advance(0.1)
    assert call("POST", "search/query-devices", statement).status == 200


def test_an_edition_without_a_search(call: Caller, clock: ManualClock, emulator: Emulator) -> None:
    """Switches refuse the search as an instance does whose edition has none."""
    for switch, status in (("unpublished", 404), ("unsupported", 403)):
        emulator.switches = dataclasses.replace(emulator.switches, search=switch)  # type: ignore[arg-type]
        assert search(call, clock, "select count(*) from device").status == status


@pytest.mark.parametrize(
    ("kind", "product", "field"),
    [("firmware", "smart-meter", "fw_version"), ("software", "gateway", "sw_version"), ("module", "radio", "modules")],
)
def test_devices_report_the_version_after_an_upgrade(
    call: Caller, clock: ManualClock, emulator: Emulator, *, kind: str, product: str, field: str
) -> None:
    """A device reports the version of the package of its type, and keeps its other versions."""
    more: dict[str, Any] = {"module_name": "modem"} if kind == "module" else {}
    package = emulator.add_package(package_type=f"{kind}Package", product_id=product, version="9.9", **more)
    body = {**task_body(emulator, targets=["radio-1"]), "task_type": f"{kind}Upgrade"}
    body["document"] = {"package_ids": [package]}
    emulator.set_device("radio-1", version="F1")
    before = search(call, clock, "select * from device where device_id = 'radio-1'").json["devices"][0]
    assert call("POST", "batchtasks", body).status == 201
    clock.advance(60)

    after = search(call, clock, "select * from device where device_id = 'radio-1'").json["devices"][0]

    new = [{"module_name": "modem", "module_version": "9.9"}] if kind == "module" else "9.9"
    assert after == {**before, field: new}
    emulator.set_device("radio-1", status="FROZEN")
    kept = search(call, clock, "select * from device where device_id = 'radio-1'").json["devices"][0]
    assert kept[field] == new


def test_answers_are_as_described(call: Caller, clock: ManualClock) -> None:
    """The description names the fields of each answer."""
    assert unnamed("ListDevices", call("GET", "devices")) == set()
    assert unnamed("ShowDevicesInGroup", call("GET", "device-group/canary/devices")) == set()
    assert unnamed("SearchDevices", search(call, clock, "select * from device limit 1")) == set()
    assert unnamed("SearchDevices", search(call, clock, "select count(*) from device")) == set()
