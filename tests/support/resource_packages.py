"""What the tests of OtaPackage share: the inputs of a package, and the packages on the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.lifecycle.ota_package.resource import Package

if TYPE_CHECKING:
    from pulumi_iotda_ota.lifecycle.base import Created, Properties, ResourceContext
    from tests.support.resource_bench import Bench

SIGN = "ab" * 32
OBJECT = {"region_name": "cn-north-4", "bucket_name": "firmware", "object_key": "meter/V7.bin", "sign": SIGN}
INPUTS: Properties = {
    "package_type": "firmwarePackage",
    "app_id": "energy",
    "product_id": "meter",
    "version": "V7",
    "obs_location": OBJECT,
    "support_source_versions": ["V5", "V6"],
    "description": "reads faster",
    "custom_info": "secret-of-the-fleet",
}


def inputs(**changes: Any) -> Properties:
    """Return the inputs of a program. None removes an input."""
    return {name: value for name, value in {**INPUTS, **changes}.items() if value is not None}


def problems(context: ResourceContext, olds: Properties | None = None, **changes: Any) -> str:
    """Return what is wrong with the inputs, one line each."""
    checked = Package.check(context, olds or {}, inputs(**changes))
    return "\n".join(f"{problem.argument}: {problem.rendered()}" for problem in checked.problems)


def create(context: ResourceContext, **changes: Any) -> Created:
    """Check and create a package."""
    checked = Package.check(context, {}, inputs(**changes))
    assert checked.problems == []
    return Package.create(context, checked.inputs)


def created_ids(bench: Bench) -> list[str]:
    """Return the ids of all packages of version V7, newest first."""
    return [package["package_id"] for package in bench.emulator.packages if package["version"] == "V7"]


def add(bench: Bench, **changes: Any) -> str:
    """Add a package to the service, as an interrupted run or another owner does, and return its id."""
    fields = inputs(**changes)
    location = {name: value for name, value in fields.pop("obs_location").items() if value is not None}
    return bench.emulator.add_package(**fields, file_location={"obs_location": location})
