"""Pins of the catalogue, and packages that are uploaded beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.lifecycle.pin import Pin
from tests.support.resource_bench import package

if TYPE_CHECKING:
    from pulumi_iotda_ota.lifecycle.base import Properties
    from tests.support.resource_bench import Bench


NEWEST: dict[str, Any] = {
    "package_type": "firmwarePackage",
    "product_id": "meter",
    "most_recent": True,
}


HIGHEST: dict[str, Any] = {"package_type": "firmwarePackage", "product_id": "meter", "highest_version": True}


EXACT: dict[str, Any] = {"package_type": "firmwarePackage", "product_id": "meter", "version": "V1"}


def pinned(bench: Bench, news: Properties, olds: Properties | None = None) -> Properties:
    """Return the checked inputs of a pin that has no problem."""
    checked = Pin.check(bench.context, olds or {}, news)
    assert checked.problems == []
    return checked.inputs


def problems(bench: Bench, news: Properties, olds: Properties | None = None) -> str:
    """Return what is wrong with the inputs of a pin."""
    found = Pin.check(bench.context, olds or {}, news).problems
    return "\n".join(f"{problem.argument}: {problem.rendered()}" for problem in found)


def upload(bench: Bench) -> str:
    """Upload a newer version than all others; return its id."""
    return bench.emulator.add_package(**package("p3", "V3", create_time="20260301T000000Z"))
