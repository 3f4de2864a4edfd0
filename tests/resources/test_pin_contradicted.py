"""What a pin does if the service describes the pinned package differently now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.lifecycle.pin import Pin
from tests.support.pins import EXACT, pinned, problems

if TYPE_CHECKING:
    from tests.support.resource_bench import Bench


def test_a_package_that_is_another_one_now_is_no_answer(bench: Bench) -> None:
    """If the service describes the pinned package differently, a preview fails; a refresh warns and keeps the pin."""
    first = pinned(bench, EXACT)
    bench.emulator.faults.add(operation="ShowOtaPackage", merge={"version": "V9"}, times=None)

    told = problems(bench, {**EXACT, "include_file_location": True}, first)
    assert "the pinned package p1 has changed since it was pinned" in told
    assert 'version: "V9", pinned "V1"' in told
    assert Pin.read(bench.context, "pin", first) == first
    assert 'version: "V9", pinned "V1"' in bench.warnings[0]
