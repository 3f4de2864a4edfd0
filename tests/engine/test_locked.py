"""The lock file under the real engine: a commit returns its ids without a service, and moves pins there and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.lock.files import LOCK_FILE, VARIABLE
from tests.support import plugins
from tests.support.locks import NEWEST, lock

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator import Emulator
    from tests.engine.conftest import Done, Project

PROGRAM = """
import pulumi
import pulumi_iotda_ota as iotda_ota

found = iotda_ota.get_ota_package(lock="meter")
later = iotda_ota.get_ota_package_output(lock=pulumi.Output.from_input("meter"), include_file_location=True)
pin = iotda_ota.OtaPackagePin("meter", lock="meter")
pulumi.export("found", found.package_id)
pulumi.export("later", later.package_id)
pulumi.export("pinned", pin.package_id)
pulumi.export("revision", pin.revision)
"""
YAML: dict[str, Any] = {
    "variables": {"found": plugins.found(lock="meter")},
    "resources": {"meter": plugins.resource("OtaPackagePin", lock="meter")},
    "outputs": {
        "found": "${found.packageId}",
        "later": "${found.packageId}",
        "pinned": "${meter.packageId}",
        "revision": "${meter.revision}",
    },
}


def no_service(project: Project) -> Project:
    """Take away every setting that leads to a service or holds a credential."""
    project.environment = {name: value for name, value in project.environment.items() if not name.startswith("HW_")}
    return project


def newer(emulator: Emulator) -> None:
    """Upload a version above all others."""
    one = next(found for found in emulator.packages if found["version"] == "V1.4.11")
    emulator.add_package(**{name: one[name] for name in ("package_type", "app_id", "product_id")}, version="V1.4.12")


def unchanged(project: Project) -> Done:
    """Preview, which must find nothing to do."""
    return project.ok("preview", "--diff", "--expect-no-changes")


@pytest.mark.parametrize("language", ["python", "yaml"])
def test_a_commit_gives_its_ids_and_nothing_else(
    language: str, request: pytest.FixtureRequest, emulator: Emulator
) -> None:
    """Without a service a locked stack previews and updates; the next commit moves its pin, a revert moves it back."""
    if language == "python":
        project = no_service(request.getfixturevalue("make_project")(PROGRAM))
    else:
        project = no_service(request.getfixturevalue("make_yaml")(**YAML))
    locked = lock(emulator, project.folder, "meter", **NEWEST).package_id
    commit = (project.folder / LOCK_FILE).read_bytes()
    emulator.forget_requests()

    project.ok("up", "--yes", "--skip-preview")
    assert project.outputs() == {"found": locked, "later": locked, "pinned": locked, "revision": 1}
    newer(emulator)
    unchanged(project)

    moved = lock(emulator, project.folder, "meter", **NEWEST).package_id
    emulator.forget_requests()
    preview = project.ok("preview", "--diff").text
    assert f'"{locked}" => "{moved}"' in preview
    project.ok("up", "--yes", "--skip-preview")
    assert project.outputs() == {"found": moved, "later": moved, "pinned": moved, "revision": 2}

    (project.folder / LOCK_FILE).write_bytes(commit)
    project.ok("up", "--yes", "--skip-preview")
    assert project.outputs()["pinned"] == locked
    assert emulator.requests == []


@pytest.mark.parametrize("language", ["python", "yaml"])
def test_a_program_in_a_folder_of_its_own(language: str, request: pytest.FixtureRequest, emulator: Emulator) -> None:
    """With `main` in Pulumi.yaml, and pulumi started anywhere, the file is still that beside Pulumi.yaml."""
    if language == "python":
        project = no_service(request.getfixturevalue("make_project")(PROGRAM))
        program = "__main__.py"
    else:
        project = no_service(request.getfixturevalue("make_yaml")(**YAML))
        program = "Main.yaml"
    source, description = project.folder / "src", json.loads((project.folder / "Pulumi.yaml").read_text())
    source.mkdir()
    if language == "python":
        (project.folder / program).rename(source / program)
    else:
        (source / program).write_text(json.dumps({name: description.pop(name) for name in YAML}))
    (project.folder / "Pulumi.yaml").write_text(json.dumps({**description, "main": "src"}))
    locked = lock(emulator, project.folder, "meter", **NEWEST).package_id

    folder = project.folder
    project.folder = folder.parent
    project.ok("up", "--yes", "--skip-preview", "-C", str(folder), "-s", "dev")

    project.folder = source
    assert project.outputs()["pinned"] == locked


def test_a_file_of_its_own_for_each_environment(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """The variable names the file for the program and for its pins alike."""
    project = no_service(make_project(PROGRAM))
    locked = lock(emulator, project.folder, "meter", **NEWEST).package_id
    (project.folder / LOCK_FILE).rename(project.folder / "prod.json")

    failed = project.preview()
    assert failed.code != 0
    assert f'"meter" is not locked: there is no {LOCK_FILE}' in failed.text
    assert "Traceback" not in failed.text

    project.environment[VARIABLE] = "prod.json"
    project.ok("up", "--yes", "--skip-preview")
    assert project.outputs()["pinned"] == locked


def test_what_is_locked_for_another_place(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """A stack that is configured for another project than what is locked is one clear error, and sends nothing."""
    project = make_project("""
import pulumi_iotda_ota as iotda_ota
iotda_ota.OtaPackagePin("meter", lock="meter")
""")
    lock(emulator, project.folder, "meter", **NEWEST)
    emulator.forget_requests()
    project.environment["HW_PROJECT_ID"] = "staging"

    failed = project.preview()

    assert failed.code != 0
    assert 'lock: "meter" is locked for another endpoint, project or instance' in failed.text
    assert 'requested    project_id="staging"' in failed.text
    assert f'found        project_id="{emulator.project_id}"' in failed.text
    assert emulator.requests == []


def test_a_refresh_of_what_is_locked(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """A refresh changes nothing and reports what is newer. The next preview still has nothing to do."""
    project = make_project(PROGRAM)
    locked = lock(emulator, project.folder, "meter", **NEWEST).package_id
    project.ok("up", "--yes", "--skip-preview")
    newer(emulator)

    project.ok("refresh", "--yes")

    pin = project.resources()["meter"]["outputs"]
    assert (pin["package_id"], pin["available_version"]) == (locked, "V1.4.12")
    unchanged(project)
