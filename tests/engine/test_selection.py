"""Selection on the real engine: the README's program, its message when nothing fits, and a refresh's report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.emulator import Emulator
from tests.conftest import settings_for
from tests.support.doc_blocks import rollout_program
from tests.support.golden_table import lookups, seed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.conftest import Project

RANGE = '"version_constraint": "^1.4"'


def test_a_range_from_preview_to_a_newer_package(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """A range is looked up, pinned and rolled out. A refresh reports a newer package and changes nothing."""
    project = make_project(rollout_program())

    project.ok("up", "--yes", "--skip-preview")
    pinned = project.resources()["meter"]["outputs"]
    assert (pinned["version"], pinned["revision"], pinned["available_version"]) == ("V1.4.11", 1, "")

    emulator.add_package(product_id="smart-meter", version="V1.4.12")
    project.ok("refresh", "--yes")
    refreshed = project.resources()["meter"]["outputs"]
    assert (refreshed["version"], refreshed["revision"], refreshed["available_version"]) == ("V1.4.11", 1, "V1.4.12")
    project.ok("preview", "--expect-no-changes")

    emulator.faults.add(operation="ListOtaPackageInfo", error="space_missing", times=None)
    warned = project.ok("refresh", "--yes")
    assert "warning: the check for a newer version than V1.4.11 failed" in warned.text
    assert project.resources()["meter"]["outputs"]["available_version"] == "V1.4.12"


def test_nothing_fits_is_told_within_eighty_columns(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """A lookup and a pin that find nothing report the same: the query, the count, the nearest, and what to do."""
    program = rollout_program().replace(RANGE, '"version_constraint": "^2"')
    told = [
        "no OTA package matches",
        'requested    package_type="firmwarePackage", product_id="smart-meter",',
        'version_constraint="^2", source_versions=["V1.3.2", "V1.4.0"]',
        "found        41 packages, 0 match: source_versions 28, version_constraint 12,",
        "nearest      V1.4.11 (outside ^2)",
        "fix          ",
    ]
    without_lookup = program.replace("iotda_ota.get_ota_package(**meter)", "None")

    for text in (program, without_lookup):
        emulator.forget_requests()
        done = make_project(text, stack="dev" if text == program else "pin").run("preview")
        assert done.code != 0
        assert [words for words in told if words not in done.text] == []
        # Pulumi interrupts the program of a resource that failed, which prints a separate traceback.
        assert "Traceback" not in done.text or text == without_lookup
        assert [request.method for request in emulator.requests] == ["GET"]


def test_the_golden_table_through_the_engine(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """Every lookup of the golden table that has an answer has it in a program under the engine too."""
    asked = [one for one in lookups() if not one.error]
    with Emulator(seed()) as golden:
        project = make_project("""
import json
import pulumi
import pulumi_iotda_ota as iotda_ota

for number, (many, arguments) in enumerate(json.load(open("lookups.json"))):
    get = iotda_ota.get_ota_packages_output if many else iotda_ota.get_ota_package_output
    pulumi.export(f"answer-{number}", get(**arguments))
""")
        project.environment |= settings_for(golden)
        project.write(json.dumps([[one.many, one.arguments] for one in asked]), "lookups.json")
        up = project.up()
        assert up.code == 0, up.text
    outputs = project.outputs()

    for number, one in enumerate(asked):
        answer: Any = outputs.get(f"answer-{number}")
        if one.many:
            assert [package["version"] for package in answer["packages"]] == one.versions, one.name
        elif one.expected == "none":
            assert answer is None, one.name
        else:
            assert one.expected in (answer["version"], answer["package_id"]), one.name


def test_a_pin_can_not_be_imported(make_project: Callable[..., Project]) -> None:
    """An import is refused in one sentence, which says what to do instead."""
    project = make_project("""
import pulumi
import pulumi_iotda_ota as iotda_ota

meter = dict(package_type="firmwarePackage", product_id="smart-meter", version="V1.4.10")
iotda_ota.OtaPackagePin("meter", **meter, opts=pulumi.ResourceOptions(import_="pin"))
""")

    done = project.run("preview")

    assert done.code != 0
    assert "OtaPackagePin cannot be imported" in done.text
    assert "Traceback" not in done.text
    by_command = project.run("import", "pulumi-python:dynamic/iotda-ota:OtaPackagePin", "meter", "pin", "--yes")
    assert by_command.code != 0
    assert project.resources().keys() <= {"engine-lane-dev"}
