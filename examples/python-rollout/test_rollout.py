"""Tests of this program, with a list of packages and with a local IoTDA.

They need pytest, and the last one needs the extra `emulator`. Run `pytest` in this folder.
"""

from pathlib import Path

import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota import testing

PROGRAM = Path(__file__).parent
SETTINGS = {"product": "smart-meter", "range": "^1.4", "runs": "V1.3.2", "canary": "canary", "fleet": "fleet"}
CONFIG = {f"python-rollout:{name}": value for name, value in SETTINGS.items()}
PACKAGES = [
    {"product_id": "smart-meter", "version": "V1.4.9"},
    {"product_id": "smart-meter", "version": "V1.4.10", "support_source_versions": ["V1.3.2", "V1.4.9"]},
    {"product_id": "smart-meter", "version": "V1.4.11", "support_source_versions": ["V1.4.10"]},
    {"product_id": "smart-meter", "version": "V1.5.0-rc1"},
]


def test_the_highest_version_that_fits_the_devices_is_rolled_out():
    """V1.4.11 is higher, but V1.3.2 cannot be upgraded to it, and a prerelease does not match."""
    mocks = testing.run_program(PROGRAM, config=CONFIG, mocks=testing.Mocks(PACKAGES))

    assert mocks.outputs["firmware"]["version"] == "V1.4.10"
    assert {tuple(task["document"]["package_ids"]) for task in mocks.tasks} == {(mocks.outputs["package_id"],)}


def test_the_canary_goes_first():
    """The task of the canary group is created before that of the fleet."""
    mocks = testing.run_program(PROGRAM, config=CONFIG, mocks=testing.Mocks(PACKAGES))

    assert [task["targets_filter"]["group_ids"] for task in mocks.tasks] == [["canary"], ["fleet"]]


def test_a_failed_canary_stops_the_rollout():
    """If one device of the canary group fails, the task of the fleet is not created."""
    mocks = testing.Mocks(PACKAGES, groups={"canary": ["m1", "m2", "m3"]}, failed_devices={"m2": "battery low"})

    with pytest.raises(iotda_ota.UpgradeTaskFailed, match="1 of 3 devices"):
        testing.run_program(PROGRAM, config=CONFIG, mocks=mocks)

    assert len(mocks.tasks) == 1


def test_on_the_local_iotda(iotda_ota_emulator):
    """The same program runs against a service over HTTP, with devices that need time."""
    mocks = testing.run_program(PROGRAM, config=CONFIG)

    assert mocks.outputs["firmware"]["version"] == "V1.4.11"  # in the catalogue of the emulator it supports V1.3.2
    assert {task["task_id"] for task in iotda_ota_emulator.tasks} == set(mocks.outputs["tasks"].values())
