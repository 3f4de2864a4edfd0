"""Pins and tasks as resources, through the plugin's process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi.runtime.proto import provider_pb2

from tests.support.plugin_process import urn

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator


METER = {"packageType": "firmwarePackage", "productId": "smart-meter"}


NEWEST = {**METER, "versionConstraint": "^1.4", "highestVersion": True}


PIN, TASK = urn("OtaPackagePin", "meter"), urn("UpgradeTask", "canary")


NONE, SOME = provider_pb2.DiffResponse.DIFF_NONE, provider_pb2.DiffResponse.DIFF_SOME


def package_of(emulator: Emulator, version: str = "V1.4.10") -> str:
    """Return the id of a package of the catalogue."""
    return next(str(found["package_id"]) for found in emulator.packages if found["version"] == version)


def task(emulator: Emulator, **more: Any) -> dict[str, Any]:
    """Return the inputs of a task."""
    return {"packageIds": [package_of(emulator)], "targets": ["d1", "d2"], **more}


def left_over(emulator: Emulator, inputs: dict[str, Any]) -> str:
    """Put the task of some inputs onto the service, as a run that was cut off leaves it, and return its id."""
    body = {"task_name": inputs["taskName"], "task_type": inputs["taskType"], "targets": inputs["targets"]}
    return emulator.add_task(**body, document={"package_ids": inputs["packageIds"]})
