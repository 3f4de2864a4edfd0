"""What a pin does if the service describes the pinned package differently now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.lifecycle.pin import Pin
from tests.support.pins import EXACT, pinned, problems

if TYPE_CHECKING:
    from tests.support.resource_bench import Bench


def test_a_package_that_is_another_one_now_is_no_answer(bench: Bench) -> None:
    """If the service describes the pinned package differently, a preview fails; a refresh warns and keeps the pin."""
    first = pinned(bench, EXACT)
    bench.emulator.faults.add(operation="ShowOtaPackage", merge={"version": "V9"}, times=None)

    reported = problems(bench, {**EXACT, "include_file_location": True}, first)
    assert "the pinned package p1 has changed since it was pinned" in reported
    assert 'version: "V9", pinned "V1"' in reported
    assert Pin.read(bench.context, "pin", first) == first
    assert 'version: "V9", pinned "V1"' in bench.warnings[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("version", "V9"),
        ("product_id", "valve"),
        ("package_type", "softwarePackage"),
        ("app_id", "water"),
        ("create_time", "20270606T000000Z"),
    ],
)
def test_every_field_that_selects_is_compared(bench: Bench, name: str, value: str) -> None:
    """If any field that selects is another one in the detail, a preview of the pin fails and shows both values."""
    first = pinned(bench, EXACT)
    bench.emulator.faults.add(operation="ShowOtaPackage", merge={name: value}, times=None)

    assert f'{name}: "{value}", pinned' in problems(bench, {**EXACT, "include_file_location": True}, first)


@pytest.mark.parametrize("change", [{"package_id": "p9"}, {"version": None}, {"product_id": None}], ids=str)
def test_the_packages_of_a_task(bench: Bench, change: dict[str, object]) -> None:
    """If the detail of a package of a task is of another one, or cannot be judged, no task is created."""
    bench.emulator.faults.add(operation="ShowOtaPackage", edit=lambda package: {**package, **change}, times=None)

    reported = bench.problems()

    assert ("is about another one" if "package_id" in change else "is null") in reported
    assert bench.posts == 0
