"""OtaPackage on the real engine: made, kept, replaced by another one, and destroyed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.emulator import Switches
from tests.support.engine_packages import made

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator import Emulator
    from tests.engine.conftest import Done, Project

PROGRAM = """
import pulumi
import pulumi_iotda_ota as iotda_ota

config = pulumi.Config()
package = iotda_ota.OtaPackage(
    "meter",
    package_type="firmwarePackage",
    app_id="energy",
    product_id="smart-meter",
    version=config.get("version") or "V7.0.0",
    obs_location={
        "region_name": "cn-north-4",
        "bucket_name": "fleet-firmware",
        "object_key": config.get("key") or "smart-meter/V7.0.0.bin",
        "sign": "ab" * 32,
    },
    description=config.get("description") or "reads faster",
    allow_replace=config.get_bool("allow"),
    opts=pulumi.ResourceOptions(delete_before_replace=config.get_bool("first")),
)
iotda_ota.UpgradeTask("rollout", package_ids=[package.package_id], targets=["meter-0001"])
pulumi.export("package_id", package.package_id)
pulumi.export("package", package.obs_location)
"""


def count(emulator: Emulator, operation: str) -> int:
    """Return how many requests of an operation came."""
    return sum(request.operation == operation for request in emulator.requests)


def ok(done: Done) -> str:
    """Return what a command that must succeed printed."""
    assert done.code == 0, done.text
    return done.text


@pytest.fixture
def project(make_project: Callable[..., Project], emulator: Emulator) -> Project:
    """Return a project that makes a package and rolls it out, before its first update."""
    assert made(emulator) == []
    return make_project(PROGRAM)


def test_a_package_from_preview_to_destroy(project: Project, emulator: Emulator) -> None:
    """A preview creates nothing, an update one package, a second one no change, and a destroy deletes it."""
    ok(project.preview())
    assert made(emulator) == []

    ok(project.up())
    (package,) = made(emulator)
    assert project.outputs()["package_id"] == package["package_id"]
    assert project.outputs()["package"]["object_key"] == "smart-meter/V7.0.0.bin"
    state = project.resources()["meter"]
    assert (state["type"], state["id"]) == ("pulumi-python:dynamic/iotda-ota:OtaPackage", package["package_id"])
    assert emulator.secret_key not in json.dumps(state)
    emulator.forget_requests()
    ok(project.run("refresh", "--yes", "--expect-no-changes"))
    ok(project.preview("--expect-no-changes"))
    assert project.resources()["meter"]["outputs"]["exists"] is True

    ok(project.run("destroy", "--yes"))
    assert (made(emulator), project.resources()) == ([], {})


def test_a_lost_answer_makes_no_second_package(project: Project, emulator: Emulator) -> None:
    """A package whose answer was lost is adopted in the same update.

    `pulumi up --replace` keeps it while it is unchanged. Changed inputs are then refused: no record shows which package
    is old.
    """
    emulator.faults.add(operation="CreateOtaPackage", accept=True, wire="drop")

    assert "exists already and is adopted" in ok(project.up())

    assert count(emulator, "CreateOtaPackage") == 1
    (old,) = made(emulator)
    assert old["package_id"] == project.outputs()["package_id"]
    urn = project.resources()["meter"]["urn"]

    assert "another resource of the stack owns it now" in ok(project.up("--replace", urn))
    assert made(emulator) == [old]

    project.set("key", "smart-meter/V7.0.0-again.bin")
    refused = project.up("--replace", urn)
    assert refused.code != 0
    assert "exists already" in refused.text
    assert made(emulator) == [old]
    ok(project.up())
    assert [package["package_id"] for package in made(emulator)] == [project.outputs()["package_id"]]
    assert made(emulator) != [old]


def test_a_package_that_was_deleted_elsewhere(project: Project, emulator: Emulator) -> None:
    """A refresh reports a deleted package, which is no change. A requested replacement creates it again."""
    ok(project.up())
    emulator.delete_package(project.outputs()["package_id"])
    emulator.forget_requests()

    ok(project.run("refresh", "--yes"))

    resource = project.resources()["meter"]
    assert resource["outputs"]["exists"] is False
    ok(project.up("--expect-no-changes"))
    assert (made(emulator), count(emulator, "CreateOtaPackage")) == ([], 0)
    ok(project.up("--replace", resource["urn"]))
    assert [package["package_id"] for package in made(emulator)] == [project.outputs()["package_id"]]


def test_other_texts_replace_it_only_where_they_may(project: Project, emulator: Emulator) -> None:
    """Another description fails the preview; with leave the new package is there before the old one goes."""
    ok(project.up())
    old = project.outputs()["package_id"]
    project.set("description", "reads faster still")

    refused = project.preview()
    assert refused.code != 0
    assert "a change of description replaces the package" in refused.text
    assert "pulumi_iotda_ota/" not in refused.text

    project.set("allow", "true")
    assert [package["package_id"] for package in made(emulator)] == [old]
    emulator.forget_requests()
    ok(project.up())
    (new,) = made(emulator)
    assert (new["description"], project.outputs()["package_id"]) == ("reads faster still", new["package_id"])
    sent = [request.operation for request in emulator.requests]
    assert sent.index("CreateOtaPackage") < sent.index("CreateBatchTask") < sent.index("DeleteOtaPackage")


def test_another_version_does_not_stop_a_campaign(project: Project, emulator: Emulator) -> None:
    """A new version is created while the upgrade task of the old package runs. Neither is stopped or deleted."""
    emulator.set_device("meter-0001", outcome="hang")
    ok(project.up())
    old = project.outputs()["package_id"]
    project.set("version", "V8.0.0")

    for _ in range(2):
        refused = project.up()

        assert refused.code != 0
        assert "a change of package_ids starts a new upgrade task" in refused.text
        assert [task["status"] for task in emulator.tasks] == ["Processing"]
        assert [package["version"] for package in made(emulator)] == ["V8.0.0", "V7.0.0"]
    assert made(emulator)[1]["package_id"] == old


def test_a_service_that_takes_one_package_of_a_version(project: Project, emulator: Emulator) -> None:
    """Another object of the same version is refused by such a service; deleting the old one first is up to the user."""
    emulator.switches = Switches(duplicate_packages="refuse")
    ok(project.up())
    (old,) = made(emulator)
    project.set("key", "smart-meter/V7.0.0-again.bin")

    refused = project.up()
    assert refused.code != 0
    assert "delete_before_replace=True" in refused.text
    assert made(emulator) == [old]

    project.set("first", "true")
    ok(project.up())
    (new,) = made(emulator)
    assert new["file_location"]["obs_location"]["object_key"] == "smart-meter/V7.0.0-again.bin"
    assert project.outputs()["package_id"] == new["package_id"] != old["package_id"]


def test_somebody_else_s_package_is_refused_at_the_preview(project: Project, emulator: Emulator) -> None:
    """A package of the same version with another object is named, and left alone."""
    package_id = emulator.add_package(app_id="energy", product_id="smart-meter", version="V7.0.0")

    refused = project.preview()

    assert refused.code != 0
    assert "another firmwarePackage of product smart-meter, version V7.0.0 exists already" in refused.text
    assert package_id in refused.text
    assert [package["package_id"] for package in made(emulator)] == [package_id]
