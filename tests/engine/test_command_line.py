"""The command line beside the real `pulumi`: both read the same stack, and --decrypt decrypts it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

from pulumi_iotda_ota.cli.stack import find_project

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator import Emulator
    from tests.engine.conftest import Project

GET = ("package", "get", "--package-type", "firmwarePackage", "--product-id", "smart-meter", "--version", "V1.4.10")
PREFIX = "iotda-ota:"


def ask(project: Project, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in the folder of a project."""
    command = [sys.executable, "-m", "pulumi_iotda_ota.cli", *GET, "--field", "version", *words]
    return subprocess.run(
        command, cwd=project.folder, env=project.environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_an_encrypted_credential(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """The command uses a credential that a stack encrypts if --decrypt is set. It never skips one."""
    project = make_project("", passphrase=True)
    for name in ("HW_ACCESS_KEY", "HW_SECRET_KEY"):
        project.environment.pop(name)
    project.ok("config", "set", "iotda-ota:accessKey", emulator.access_key)
    project.ok("config", "set", "--secret", "iotda-ota:secretKey", emulator.secret_key)

    alone, decrypted = ask(project, "--stack", "dev"), ask(project, "--stack", "dev", "--decrypt")

    assert (alone.returncode, alone.stdout) == (1, "")
    assert "iotda-ota:secretKey of Pulumi.dev.yaml is encrypted, and not read" in alone.stderr
    assert (decrypted.returncode, decrypted.stdout, decrypted.stderr) == (0, "V1.4.10\n", "")
    assert emulator.secret_key not in alone.stderr


def test_what_is_read_is_what_pulumi_has(make_project: Callable[..., Project]) -> None:
    """Values of the stack's file and of its project are read as Pulumi reads them: numbers, lists, defaults."""
    project = make_project("", passphrase=True)
    described = json.loads((project.folder / "Pulumi.yaml").read_text())
    described["config"] = {"iotda-ota:signing": "standard", "iotda-ota:instanceId": {"value": "0123"}}
    (project.folder / "Pulumi.yaml").write_text(json.dumps(described))
    project.ok("config", "set", "iotda-ota:projectId", "0123")
    project.ok("config", "set", "iotda-ota:deadline", "1e1")
    project.ok("config", "set", "iotda-ota:insecure", "true")
    project.ok("config", "set", "--path", "iotda-ota:allowedProjectIds[0]", "abc")
    project.ok("config", "set", "iotda-ota:signing", "auto")

    told = json.loads(project.ok("config", "--json").stdout)
    found = find_project(project.folder)
    assert found
    read = found.read(found.stack_file("dev"))

    assert read.encrypted == ()
    assert set(read.values) == {name.removeprefix(PREFIX) for name in told if name.startswith(PREFIX)}
    for name, value in read.values.items():
        theirs = told[f"{PREFIX}{name}"]
        assert value == theirs.get("objectValue", theirs["value"])
