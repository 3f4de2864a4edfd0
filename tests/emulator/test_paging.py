"""Lists: order, marker, offset, limit, count, and undocumented behaviour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.emulator import Emulator, ManualClock, Switches
from tests.support.emulator_callers import Caller, calling

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def twelve() -> Iterator[Caller]:
    """Return a caller of an emulator with twelve packages, V1 the oldest."""
    emulator = Emulator(seed={})
    for number in range(1, 13):
        emulator.add_package(version=f"V{number}", app_id="energy")
    with calling(emulator) as caller:
        yield caller


def _versions(body: Any) -> list[str]:
    return [package["version"] for package in body["packages"]]


def test_the_newest_record_comes_first_and_ten_is_the_default(twelve: Caller) -> None:
    """Without paging arguments a list has the ten newest records, and count is the number of matches."""
    body = twelve.packages().json
    assert _versions(body) == [f"V{number}" for number in range(12, 2, -1)]
    assert body["page"]["count"] == 12


def test_a_marker_walk_meets_every_package_once(twelve: Caller) -> None:
    """Following page.marker visits each package exactly once."""
    seen, query = [], {"limit": 5}
    while page := _versions(body := twelve.packages(**query).json):
        seen += page
        query["marker"] = body["page"]["marker"]
    assert seen == [f"V{number}" for number in range(12, 0, -1)]


def test_the_marker_comes_before_the_offset_before_the_limit(twelve: Caller) -> None:
    """A page has the records below the marker, after the offset, up to the limit."""
    marker = twelve.packages(limit=2).json["page"]["marker"]
    assert _versions(twelve.packages(marker=marker, offset=3, limit=2).json) == ["V7", "V6"]


def test_a_marker_is_no_package_id_and_may_be_of_any_case(twelve: Caller) -> None:
    """A marker is 24 hexadecimal digits, and no package id, which has 32."""
    body = twelve.packages(limit=1).json
    marker, package_id = body["page"]["marker"], body["packages"][0]["package_id"]
    assert (len(marker), len(package_id)) == (24, 32)
    assert marker not in package_id
    assert _versions(twelve.packages(marker=marker.upper(), limit=1).json) == ["V11"]


def test_the_marker_of_a_deleted_record_still_works(twelve: Caller) -> None:
    """A list continues after the package at the marker is deleted."""
    body = twelve.packages(limit=3).json
    twelve.emulator.delete_package(body["packages"][-1]["package_id"])
    assert _versions(twelve.packages(marker=body["page"]["marker"], limit=1).json) == ["V9"]


def test_an_insert_moves_offsets_and_not_markers(twelve: Caller) -> None:
    """After an upload, an offset returns a record twice, and a marker does not."""
    marker = twelve.packages(limit=2).json["page"]["marker"]
    twelve.emulator.add_package(version="V13", app_id="energy")
    assert _versions(twelve.packages(offset=2, limit=1).json) == ["V11"]
    assert _versions(twelve.packages(marker=marker, limit=1).json) == ["V10"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"limit": 0}, "IOTDA.000017"),
        ({"limit": 51}, "IOTDA.000017"),
        ({"limit": "ten"}, "IOTDA.000017"),
        ({"offset": 501}, "IOTDA.000018"),
        ({"offset": -1}, "IOTDA.000018"),
        ({"marker": "f" * 23}, "IOTDA.000006"),
        ({"marker": "g" * 24}, "IOTDA.000006"),
        ({"marker": ""}, "IOTDA.000006"),
    ],
)
def test_paging_arguments_out_of_range_are_400(twelve: Caller, query: dict[str, Any], code: str) -> None:
    """A limit over 50, an offset over 500 or a marker of another form is refused."""
    response = twelve.packages(**query)
    assert (response.status, response.code) == (400, code)


def test_the_largest_limit_and_offset_are_allowed(call: Caller) -> None:
    """Limit 50 with offset 500 reaches records 501 to 550, and no further."""
    body = call.packages(package_type="softwarePackage", product_id="gateway", limit=50, offset=500).json
    assert len(body["packages"]) == 50
    assert body["page"]["count"] == 620


@pytest.mark.parametrize(
    ("setting", "page"), [("absent", {"count": 12}), ("empty", {"marker": ""}), ("echo", {"marker": "0" * 24})]
)
def test_the_marker_of_an_empty_page_is_a_switch(twelve: Caller, setting: Any, page: dict[str, Any]) -> None:
    """The marker of an empty page is not documented: it can be absent, empty, or the one that was sent."""
    twelve.emulator.switches = Switches(empty_marker=setting)
    body = twelve.packages(marker="0" * 24).json
    assert body["packages"] == []
    assert body["page"] == {"count": 12, **page}


def test_the_count_can_be_narrowed_by_the_marker(twelve: Caller) -> None:
    """Whether count counts all matches or those that are left is a switch."""
    marker = twelve.packages(limit=4).json["page"]["marker"]
    assert twelve.packages(marker=marker).json["page"]["count"] == 12
    twelve.emulator.switches = Switches(count="after_marker")
    assert twelve.packages(marker=marker).json["page"]["count"] == 8


def test_pages_can_be_short_before_the_end(twelve: Caller) -> None:
    """A page can have fewer records than the limit although more follow."""
    twelve.emulator.switches = Switches(short_pages=3)
    assert _versions(twelve.packages(limit=10).json) == ["V12", "V11", "V10"]


def test_records_keep_growing_when_the_clock_goes_back(twelve: Caller) -> None:
    """A later upload has the larger record id, for any create_time."""
    twelve.emulator.add_package(version="V13", app_id="energy", create_time="20200101T000000Z")
    assert _versions(twelve.packages(limit=1).json) == ["V13"]


def test_devices_of_a_task_are_paged_beyond_five_hundred(call: Caller, clock: ManualClock) -> None:
    """A task of 600 devices is read by markers, each device once."""
    task_id = call.start(*(f"d{number}" for number in range(600)))
    clock.advance(1)
    seen, query = [], {"limit": 50}
    while page := (body := call.task(task_id, **query))["task_details"]:
        seen += [detail["target"] for detail in page]
        query["marker"] = body["page"]["marker"]
    assert len(seen) == len(set(seen)) == 600
    assert body["batchtask"]["task_id"] == task_id
