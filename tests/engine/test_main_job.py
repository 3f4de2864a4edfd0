"""The main job on the real engine: look a package up, pin it, start an upgrade task with it, and live with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator import Emulator
    from tests.engine.conftest import Project

PROGRAM = """
import pulumi
import pulumi_iotda_ota as iotda_ota

version = pulumi.Config().get("version") or "V1.4.10"
meter = dict(package_type="firmwarePackage", product_id="smart-meter", version=version)
firmware = iotda_ota.get_ota_package(**meter)
pinned = iotda_ota.OtaPackagePin("meter", **meter)
rollout = iotda_ota.UpgradeTask("rollout", package_ids=[pinned.package_id], group_ids=["canary"])
pulumi.export("firmware", firmware)
pulumi.export("revision", pinned.revision)
pulumi.export("task_id", rollout.task_id)
"""


def package_id(emulator: Emulator, version: str) -> str:
    """Return the id of a firmware version of the meter."""
    return next(
        str(package["package_id"])
        for package in emulator.packages
        if (package["product_id"], package["package_type"], package["version"])
        == ("smart-meter", "firmwarePackage", version)
    )


def posts(emulator: Emulator) -> int:
    """Return how many tasks were requested."""
    return sum(1 for request in emulator.requests if request.method == "POST" and request.path.endswith("/batchtasks"))


def test_main_job_from_preview_to_destroy(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """A stack previews with the id, creates one task, moves only on request, and leaves nothing running."""
    project = make_project(PROGRAM)
    wanted = package_id(emulator, "V1.4.10")

    preview = project.preview()
    assert preview.code == 0, preview.text
    assert wanted in preview.stdout
    assert posts(emulator) == 0

    up = project.up()
    assert up.code == 0, up.text
    assert posts(emulator) == 1
    outputs = project.outputs()
    assert outputs["firmware"]["package_id"] == wanted
    assert outputs["revision"] == 1
    assert [task["task_id"] for task in emulator.tasks] == [outputs["task_id"]]

    refresh = project.run("refresh", "--yes")
    assert refresh.code == 0, refresh.text
    again = project.up("--expect-no-changes")
    assert again.code == 0, again.text
    assert posts(emulator) == 1

    project.set("version", "V1.4.11")
    moved = project.up()
    assert moved.code == 0, moved.text
    assert project.outputs()["revision"] == 2
    assert project.outputs()["firmware"]["package_id"] == package_id(emulator, "V1.4.11")
    assert posts(emulator) == 2

    destroy = project.run("destroy", "--yes")
    assert destroy.code == 0, destroy.text
    assert project.resources() == {}
    assert [task["status"] for task in emulator.tasks] == ["Success", "Success"]


def test_no_plugin_is_downloaded(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """Pulumi searches for no provider binary of our name, and `--json` prints only JSON, with the id."""
    project = make_project("""
import pulumi
import pulumi_iotda_ota as iotda_ota

meter = dict(package_type="firmwarePackage", product_id="smart-meter", version="V1.4.10")
pulumi.Stash("found", input=iotda_ota.get_ota_package(**meter))
""")

    done = project.ok("preview", "--json", "--logtostderr", "-v=9")

    assert package_id(emulator, "V1.4.10") in json.dumps(json.loads(done.stdout))
    # What the log says of a plugin that Pulumi does know; were it to say so of ours, the name would be in it.
    assert "pulumi-language-python" in done.text
    assert "iotda-ota" not in done.text.replace("pulumi-iotda-ota", "").replace("pulumi_iotda_ota", "")


FAILING = {
    "plain": "iotda_ota.get_ota_package(**wanted)",
    "apply": "pulumi.export('x', pulumi.Output.from_input(1).apply(lambda _: iotda_ota.get_ota_package(**wanted)))",
    "input": "pulumi.Stash('x', input=iotda_ota.get_ota_package_output(**wanted))",
}


@pytest.mark.parametrize("lookup", FAILING.values(), ids=FAILING)
def test_a_failing_lookup_is_one_clear_error(make_project: Callable[..., Project], lookup: str) -> None:
    """A lookup that finds nothing ends the command with one readable error and no traceback."""
    wanted = 'wanted = dict(package_type="firmwarePackage", product_id="smart-meter", version="V9.9.9")'
    project = make_project(f"import pulumi\nimport pulumi_iotda_ota as iotda_ota\n{wanted}\n{lookup}\n")

    done = project.run("preview")

    assert done.code != 0
    assert "error: no OTA package matches" in done.text
    assert 'requested    package_type="firmwarePackage", product_id="smart-meter",' in done.text
    assert "Traceback" not in done.text
    assert done.text.count("no OTA package matches") <= 2  # the CLI shows a diagnostic live and in its summary
