"""A program of the Automation API, started from a shell whose environment does not have this package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import settings_for
from tests.support.prepared import SECONDS

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator

pytestmark = pytest.mark.engine

SCRIPT = """
import sys
import pulumi_iotda_ota as iotda_ota
from pulumi import automation

PIN = dict(package_type="firmwarePackage", product_id="smart-meter", version="V1.4.10")
action, *named = sys.argv[1:]
variables = {"PULUMI_RUNTIME_VIRTUALENV": sys.prefix} if named else {}
stack = automation.create_or_select_stack(
    "dev",
    project_name="meters",
    program=lambda: iotda_ota.OtaPackagePin("meter", **PIN) and None,
    opts=automation.LocalWorkspaceOptions(env_vars=variables),
)
try:
    print(getattr(stack, action)().summary.result)
except automation.CommandError as error:
    print(error)
"""


def test_the_variable_names_the_environment(emulator: Emulator, tmp_path: Path) -> None:
    """Pulumi finds the resources by PULUMI_RUNTIME_VIRTUALENV; without it, up and destroy fail as the pages say."""
    (tmp_path / "run.py").write_text(SCRIPT)
    (tmp_path / "state").mkdir()
    pulumi = shutil.which("pulumi")
    assert pulumi
    # A python3 without this package, as in a shell where no environment is activated.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    environ = {
        "PATH": os.pathsep.join([str(tmp_path / "bare" / "bin"), str(Path(pulumi).parent), "/usr/bin", "/bin"]),
        "HOME": str(tmp_path),
        "NO_PROXY": "127.0.0.1",
        "PULUMI_BACKEND_URL": (tmp_path / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        **settings_for(emulator),
    }

    def run(*words: str) -> str:
        command = [sys.executable, "run.py", *words]
        done = subprocess.run(
            command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        return done.stdout + done.stderr

    assert "could not read plugin" in run("up")
    assert run("up", "named").strip() == "succeeded"
    assert "could not read plugin" in run("destroy")
