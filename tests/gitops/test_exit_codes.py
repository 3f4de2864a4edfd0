"""What each exit code means for a gate: the table of docs/gitops.md, found out on the real engine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.prepared import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator import Emulator
    from tests.engine.conftest import Project

PAGE = (ROOT / "docs" / "gitops.md").read_text()
TABLE = PAGE.partition("| what happened |")[2].partition("\n\n")[0]
CODES = {what.strip(): int(code) for what, code in re.findall(r"^\|([^|]+)\| (\d+) \|", TABLE, re.MULTILINE)}
PROGRAM = """
import pulumi
import pulumi_iotda_ota as iotda_ota
meter = {"package_type": "firmwarePackage", "product_id": "smart-meter", "version_constraint": "^1.4"}
pin = iotda_ota.OtaPackagePin("meter", **meter, highest_version=True)
task = iotda_ota.UpgradeTask("canary", package_ids=[pin.package_id], group_ids=["canary"])
"""
GATE = 'iotda_ota.UpgradeTaskCompletion("healthy", task_id=task.task_id, timeout="1m")\n'
NEITHER = (
    "import pulumi_iotda_ota as iotda_ota\niotda_ota.get_ota_package(package_type='firmwarePackage', version='V99')\n"
)


@pytest.mark.engine
def test_the_table_is_what_pulumi_does(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """Each line of the table is brought about, and ends with the code that it says."""
    emulator.set_device("meter-0002", outcome="fail")
    project = make_project(NEITHER)
    found = {"a lookup fails in the program": project.preview().code}
    project.write(PROGRAM.replace("^1.4", "^99"))
    found["a resource is refused at the preview"] = project.preview().code
    project.write(PROGRAM + GATE)
    found["a preview would change something"] = project.preview().code
    found["the same with `--expect-no-changes`"] = project.preview("--expect-no-changes").code
    found["an upgrade task failed, at its completion"] = project.up().code
    project.write(PROGRAM)
    found["an update was done"] = project.up().code
    found["nothing to change, with `--expect-no-changes`"] = project.preview("--expect-no-changes").code
    emulator.add_package(product_id="smart-meter", version="V1.4.12")
    refresh = ("refresh", "--preview-only", "--expect-no-changes")
    drift = "another package matches, at `pulumi refresh --preview-only --expect-no-changes`"
    found[drift] = project.run(*refresh).code
    found["there is no such stack"] = project.run("preview", "--stack", "other").code
    signed_out = {"PULUMI_BACKEND_URL": "https://127.0.0.1:9", "PULUMI_ACCESS_TOKEN": ""}
    found["no user is signed in to the backend"] = project.run("preview", **signed_out).code

    assert found == CODES


def test_the_page_names_every_file_of_the_recipes() -> None:
    """The page names each file to copy, and each file that it names exists."""
    told = set(re.findall(r"\]\(\.\./(examples/gitops/[\w/.-]+)\)", PAGE))
    files = {path for path in (ROOT / "examples" / "gitops").rglob("*") if path.suffix in {".yml", ".yaml", ".py"}}
    program = ROOT / "examples" / "gitops" / "meters"

    assert {str(path.relative_to(ROOT)) for path in files if program not in path.parents} <= told
    assert [target for target in told if not (ROOT / target).exists()] == []
