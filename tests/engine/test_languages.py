"""The plugin in the languages of Pulumi: from a git repository, and the code that is generated for each."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support import git_server
from tests.support.plugins import NEWEST, ROOT, VERSION, generated, generated_python, resource, told, yaml
from tests.support.prepared import pip_settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.engine.conftest import Done, Project

PIN = resource("OtaPackagePin", **NEWEST)


def ok(done: Done) -> Done:
    """Hold a command to have succeeded."""
    assert done.code == 0, done.text
    return done


@pytest.mark.skipif(shutil.which("git") is None, reason="git repository not tried: no git on PATH")
def test_from_a_git_repository_with_a_version(make_project: Callable[..., Project], tmp_path: Path) -> None:
    """`pulumi package add` takes a version from a git repository; what it installed then runs without the internet.

    The command is that of other-languages.md and installation-configuration.md. The server that it names is one of
    this machine.
    """
    source, bare = tmp_path / "source", tmp_path / "repository.git"
    git("clone", "--quiet", str(ROOT), str(source))
    # What is in the working tree counts, committed or not.
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    for name in names:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, source / name)
    git("-C", str(source), "add", "--all")
    git("-C", str(source), "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "x", "--allow-empty")
    git("-C", str(source), "tag", f"v{VERSION}")
    git("clone", "--quiet", "--bare", str(source), str(bare))
    project = yaml(make_project(""), resources={"pin": PIN}, outputs={"v": "${pin.version}"})

    command = told("pulumi package add https://")
    assert command == f"pulumi package add https://{git_server.HOST}/acme/iotda-ota@v{VERSION}"
    with git_server.served(bare, tmp_path) as environment:
        ok(project.run(*command.split()[1:], **environment, **pip_settings()))

    assert f"{git_server.HOST}/acme/iotda-ota@v{VERSION}" in (project.folder / "Pulumi.yaml").read_text()
    dead = "http://127.0.0.1:9"
    ok(project.run("up", "--yes", HTTPS_PROXY=dead, HTTP_PROXY=dead, NO_PROXY="127.0.0.1"))
    assert project.outputs() == {"v": "V1.4.11"}


def git(*arguments: str) -> None:
    """Run git."""
    subprocess.run(["git", *arguments], check=True, capture_output=True)


def test_generated_python_stands_beside_this_library() -> None:
    """The generated Python package has a separate name and version, and a program can import both packages."""
    code = """
import pulumi_iotda_ota, pulumi_iotda_ota_provider as other
print(other.get_ota_package.__module__, pulumi_iotda_ota.get_ota_package.__module__)
print(*(getattr(other, name).__name__ for name in ("OtaPackagePin", "UpgradeTask", "get_ota_packages_output")))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(generated_python())},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "pulumi_iotda_ota_provider.get_ota_package pulumi_iotda_ota._generated.functions",
        "OtaPackagePin UpgradeTask get_ota_packages_output",
    ]
    project = (generated("python") / "pyproject.toml").read_text()
    assert 'name = "pulumi_iotda_ota_provider"' in project
    assert f'version = "{VERSION}"' in project


def test_generated_typescript_names() -> None:
    """In TypeScript the package, its functions and its resources have the names that the examples use."""
    code = generated("nodejs")
    package = json.loads((code / "package.json").read_text())

    assert (package["name"], package["version"]) == ("pulumi-iotda-ota", VERSION)
    named = {path.stem for path in code.glob("*.ts")}
    assert named >= {"getOtaPackage", "getOtaPackages", "otaPackagePin", "upgradeTask", "provider"}


def test_generated_csharp_names() -> None:
    """In C# the namespace, the functions and the resources have names as C# writes them."""
    code = generated("dotnet")
    named = {path.stem for path in code.glob("*.cs")}

    assert named >= {"GetOtaPackage", "GetOtaPackages", "OtaPackagePin", "UpgradeTask", "Provider"}
    assert "namespace Pulumi.IotdaOta" in (code / "UpgradeTask.cs").read_text()


def test_generated_java_names() -> None:
    """In Java the package and the resources have names as Java writes them."""
    (task,) = generated("java").rglob("UpgradeTask.java")

    assert "package com.pulumi.iotdaota;" in task.read_text()


@pytest.mark.skipif(shutil.which("go") is None, reason="Go not compiled: no go on PATH")
def test_generated_go_names() -> None:
    """In Go an input has its type, and an input with allowed values is an enum."""
    (source,) = [path.parent for path in generated("go").rglob("upgradeTask.go")]
    task = (source / "upgradeTask.go").read_text()

    assert re.search(r"PackageIds +pulumi.StringArrayInput", task)
    assert re.search(r"RetryCount +pulumi.IntPtrInput", task)
    assert re.search(r"OnDestroy +OnDestroyPtrInput", task)
    assert "OnDestroyRetain" in (source / "pulumiEnums.go").read_text()
