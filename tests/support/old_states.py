"""The service and the project of a state, the same for the program that writes it and the test that reads it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.conftest import settings_for
from tests.engine.conftest import Project
from tests.support.prepared import describe_python, path_with_uv

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.emulator import Emulator

HERE = Path(__file__).parents[1] / "upgrading"
STATES = HERE / "states"
PROGRAM = HERE / "program.py"
PROJECT_ID = "0123456789abcdef0123456789abcdef"
#: Stands in a stored state for the endpoint, whose port is another one each time.
ENDPOINT = "http://127.0.0.1:1"


def _package(package_id: str, version: str, supports: list[str]) -> dict[str, Any]:
    return {
        "package_id": package_id,
        "app_id": "energy",
        "package_type": "firmwarePackage",
        "product_id": "meter",
        "version": version,
        "support_source_versions": supports,
        "create_time": "20260101T000000Z",
    }


SEED: Mapping[str, Any] = {
    "packages": [_package("p10", "V1.0", []), _package("p11", "V1.1", ["V1.0"])],
    "groups": {"canary": ["meter-1", "meter-2"]},
    "spaces": ["energy"],
}


def project(folder: Path, emulator: Emulator) -> Project:
    """Return a project with the program, in an empty folder, and its stack."""
    work, state = folder / "work", folder / "state"
    work.mkdir()
    state.mkdir()
    describe_python(work, "upgrading")
    made = Project(work, _environment(folder, state, emulator), "upgrading")
    made.write(PROGRAM.read_text())
    made.ok("stack", "init", made.stack)
    return made


def _environment(folder: Path, state: Path, emulator: Emulator) -> dict[str, str]:
    """Return the environment of the project's commands."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR", "LANG") if name in os.environ}
    return {
        **kept,
        "PATH": path_with_uv(),
        **settings_for(emulator),
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": state.as_uri(),
        # What is secret in a state is encrypted by it.
        "PULUMI_CONFIG_PASSPHRASE": "upgrading",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
