"""The switches of odd records, odd counts and empty lists, each over a real socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.emulator import Emulator, Switches
from tests.support.emulator_callers import Caller, calling

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def call() -> Iterator[Caller]:
    """Return a caller of an emulator with three packages."""
    emulator = Emulator(seed={})
    for number in range(1, 4):
        emulator.add_package(package_id=f"p{number}", version=f"V{number}")
    with calling(emulator) as caller:
        yield caller


def test_a_record_with_another_value(call: Caller) -> None:
    """A field of a package has the value of the switch, in lists and by id."""
    call.emulator.switches = Switches(odd_fields={"p2": {"version": None}})

    assert [package["version"] for package in call.packages().json["packages"]] == ["V3", None, "V1"]
    assert call("GET", "ota-upgrades/packages/p2").json["version"] is None


def test_a_record_without_a_field(call: Caller) -> None:
    """A field of a package is left out, even its id, in lists and by id."""
    call.emulator.switches = Switches(absent_fields={"p2": ("package_id", "product_id")})

    found = call.packages().json["packages"][1]
    assert found["version"] == "V2"
    assert {"package_id", "product_id"} & set(found) == set()
    assert "package_id" not in call("GET", "ota-upgrades/packages/p2").json


@pytest.mark.parametrize(
    ("switches", "counts"),
    [
        (Switches(count="page"), [2, 1]),
        (Switches(count="after_marker"), [3, 1]),
        (Switches(count_cap=2), [2, 2]),
        (Switches(count_as_text=True), ["3", "3"]),
    ],
    ids=["page", "after_marker", "cap", "text"],
)
def test_how_matches_are_counted(call: Caller, switches: Switches, counts: list[object]) -> None:
    """The count is that of the page, of the rest of the list, limited, or a string."""
    call.emulator.switches = switches
    first = call.packages(limit=2).json["page"]
    second = call.packages(limit=2, marker=first["marker"]).json["page"]

    assert [first["count"], second["count"]] == counts


@pytest.mark.parametrize(
    ("switches", "expected"),
    [
        (Switches(), {"packages": [], "page": {"count": 0}}),
        (Switches(empty_list="null"), {"packages": None, "page": {"count": 0}}),
        (Switches(empty_list="absent"), {"page": {"count": 0}}),
        (Switches(empty_page="null"), {"packages": [], "page": None}),
        (Switches(empty_page="absent"), {"packages": []}),
    ],
    ids=["documented", "null list", "no list", "null page", "no page"],
)
def test_the_form_of_an_empty_list(call: Caller, switches: Switches, expected: dict[str, Any]) -> None:
    """The switches change an empty list, and no list with records."""
    call.emulator.switches = switches

    assert call.packages(version="V9").json == expected
    assert len(call.packages(version="V1").json["packages"]) == 1
