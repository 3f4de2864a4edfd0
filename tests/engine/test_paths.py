"""Upgrade paths and device versions in a program under the real engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.engine.conftest import Project

PROGRAM = """
import pulumi
import pulumi_iotda_ota as iotda_ota

config = pulumi.Config()
target = dict(package_type="firmwarePackage", product_id="smart-meter", version="V1.4.10")
found = iotda_ota.get_upgrade_path(**target, source_versions=["V1.0.0", "V9.0.0"])
pulumi.export("whole", found)
versions = pulumi.Output.from_input(["V1.4.9"])
later = iotda_ota.get_upgrade_path_output(**target, source_versions=versions)
pulumi.export("later", later.paths[0].hops[0].package_id)
secret = pulumi.Output.secret(["V1.3.2"])
hidden = iotda_ota.get_upgrade_path_output(**target, source_versions=secret)
pulumi.export("hidden", hidden.paths)
canary = iotda_ota.get_device_versions_output(package_type="firmwarePackage", group_ids=["canary"])
pulumi.export("canary", canary.versions.apply(lambda versions: {one.version: one.devices for one in versions}))
"""


def test_paths_and_device_versions_are_exported(make_project: Callable[..., Project]) -> None:
    """A program exports paths, reads a hop of an Output, and a secret version makes the result a secret.

    An Output of device versions has their counts.
    """
    project = make_project(PROGRAM)

    up = project.up()

    assert up.code == 0, up.text
    outputs = project.outputs()
    reached, above = outputs["whole"]["paths"]
    assert [hop["version"] for hop in reached["hops"]] == ["V1.2.2", "V1.4.4", "V1.4.10"]
    assert (above["reachable"], above["needs_downgrade"]) == (False, True)
    assert outputs["later"] == outputs["whole"]["package"]["package_id"]
    assert outputs["hidden"] == "[secret]"
    assert outputs["canary"] == {"V1.4.9": 4}
