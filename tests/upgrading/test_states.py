"""The states of releases, with this version and the real engine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota.emulator import Emulator
from tests.support.old_states import ENDPOINT, PROJECT_ID, STATES, project

if TYPE_CHECKING:
    from pathlib import Path

RELEASES = sorted(path.name.removesuffix(".state.json") for path in STATES.glob("*.state.json"))
RESOURCES = {"pinned", "made", "canary", "healthy", "fleet", "approved"}


@pytest.mark.parametrize("release", RELEASES)
def test_a_state_holds_one_of_each_resource_and_no_path(release: str) -> None:
    """A stored state has one of each dynamic resource, by reference, and no path of the machine that wrote it."""
    text = (STATES / f"{release}.state.json").read_text()
    resources = json.loads(text)["deployment"]["resources"]

    assert {resource["urn"].rpartition("::")[2] for resource in resources} >= RESOURCES
    types = {resource["type"] for resource in resources if resource["type"].startswith("pulumi-python:dynamic/")}
    assert len(types) == 5
    assert ENDPOINT in text
    assert not any(word in text for word in ("sourcePosition", "site-packages", "/tmp", "/home"))
    assert "for the devices" not in text


@pytest.mark.engine
@pytest.mark.parametrize("release", RELEASES)
def test_this_version_keeps_a_state(release: str, tmp_path: Path) -> None:
    """This version previews the stack of a release without a change, refreshes it, updates nothing, and destroys it."""
    with Emulator(STATES / f"{release}.service.json", project_id=PROJECT_ID) as emulator:
        stack = project(tmp_path, emulator)
        state = (STATES / f"{release}.state.json").read_text().replace(ENDPOINT, emulator.endpoint)
        (tmp_path / "state.json").write_text(state)
        stack.ok("stack", "import", "--file", str(tmp_path / "state.json"))

        stack.ok("preview", "--expect-no-changes", "--diff")
        stack.ok("refresh", "--yes")
        stack.ok("up", "--yes", "--skip-preview", "--expect-no-changes")
        assert len(emulator.tasks) == 2
        stack.ok("destroy", "--yes")

        # `on_destroy` deletes the canary task, and stops the fleet task. The created package is deleted too.
        assert [task["status"] for task in emulator.tasks] == ["Stopped"]
        assert sorted(package["version"] for package in emulator.packages) == ["V1.0", "V1.1"]


def test_every_release_has_its_state() -> None:
    """Each release of the changelog has its state, and so does the current version."""
    changelog = (STATES.parents[2] / "CHANGELOG.md").read_text()
    releases = {line.split("]")[0][4:] for line in changelog.splitlines() if line.startswith("## [")}

    assert releases <= set(RELEASES)
    assert iotda_ota.__version__ in RELEASES
