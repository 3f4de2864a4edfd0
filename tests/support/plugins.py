"""What the tests of the plugin under the engine share: a checkout that Pulumi has installed, and programs in YAML."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.doc_blocks import blocks
from tests.support.prepared import SECONDS, key_of, made_once, pip_settings, run

if TYPE_CHECKING:
    from tests.engine.conftest import Project

ROOT = Path(__file__).parents[2]
SHIPPED = ("pulumi_iotda_ota", "__main__.py", "pulumi-resource-iotda-ota", "PulumiPlugin.yaml", "pyproject.toml")
VERSION = json.loads((ROOT / "pulumi_iotda_ota" / "plugin" / "schema.json").read_text())["version"]
COMMAND = "pulumi plugin install"
METER = {"packageType": "firmwarePackage", "productId": "smart-meter"}
NEWEST = {**METER, "versionConstraint": "^1.4", "highestVersion": True}


def copy(to: Path) -> Path:
    """Return a copy of this checkout, without what was made in it."""
    to.mkdir()
    for name in (*SHIPPED, "README.md", "LICENSE"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, to / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, to / name)
    return to


def told(start: str) -> str:
    """Return the command of the pages that starts so."""
    lines = [line for block in blocks() if block.language == "sh" for line in block.text.splitlines()]
    (line,) = {line for line in lines if line.startswith(start)}
    return line


def install(checkout: Path, home: Path) -> None:
    """Let Pulumi install a checkout of that name with its virtual environment, by the command of the page."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "TMPDIR")}
    # It is kept, so that compiling it is worth its time.
    settings = {"PULUMI_HOME": str(home), "PULUMI_SKIP_UPDATE_CHECK": "true", "PIP_NO_COMPILE": "1"}
    subprocess.run(
        ["/bin/sh", "-c", told(COMMAND)],
        cwd=checkout.parent,
        env={**kept, **pip_settings(), **settings},
        check=True,
        capture_output=True,
        timeout=SECONDS,
    )


def installed() -> Path:
    """Return a PULUMI_HOME with this checkout installed as the plugin."""

    def make(folder: Path) -> None:
        folder.mkdir()
        install(copy(folder / "iotda-ota-plugin"), folder / "home")
        # Where Pulumi keeps the schema: a program in YAML then starts the plugin once and not twice.
        (folder / "home" / "schemas").mkdir()

    key = key_of([*(ROOT / name for name in SHIPPED), told(COMMAND), pulumi_version()])
    return made_once("plugin", key, make) / "home"


def generated(language: str) -> Path:
    """Return the code that Pulumi generates for a language."""
    if shutil.which(f"pulumi-language-{language}") is None:
        pytest.skip(f"code for {language} not generated: no pulumi-language-{language} on PATH")
    schema = ROOT / "pulumi_iotda_ota" / "plugin" / "schema.json"

    def make(folder: Path) -> None:
        command = ["pulumi", "package", "gen-sdk", str(schema), "--language", language, "--out", str(folder)]
        run(command, PULUMI_HOME=str(folder / "home"))
        shutil.rmtree(folder / "home")

    return made_once(f"sdk-{language}", key_of([schema, pulumi_version()]), make) / language


@functools.cache
def pulumi_version() -> str:
    """Return the version of the `pulumi` that is used."""
    return subprocess.run(["pulumi", "version"], check=True, capture_output=True, text=True).stdout


def generated_python() -> Path:
    """Return a folder for `sys.path` that has the code that Pulumi generates for Python, and what is missing here."""
    code = generated("python")

    def make(folder: Path) -> None:
        # pip builds in the folder that it installs from. That would change the key of the next call.
        with tempfile.TemporaryDirectory() as copy:
            source = shutil.copytree(code, Path(copy) / "code")
            install = ["--quiet", "--no-deps", "--target", str(folder), str(source), "parver", "arpeggio", "attrs"]
            run([sys.executable, "-m", "pip", "install", *install], **pip_settings())

    return made_once("sdk-installed", key_of([code]), make)


def has_plugin(project: Project) -> Project:
    """Let a project find the installed plugin."""
    home = Path(project.environment["PULUMI_HOME"])
    home.mkdir(exist_ok=True)
    for name in ("plugins", "schemas"):
        if not (home / name).exists():
            (home / name).symlink_to(installed() / name)
    return project


def yaml(project: Project, **program: Any) -> Project:
    """Make a project's program one in YAML; JSON is YAML."""
    written = {"name": project.name, "runtime": "yaml", **program}
    (project.folder / "Pulumi.yaml").write_text(json.dumps(written))
    (project.folder / "__main__.py").unlink(missing_ok=True)
    return project


def found(**arguments: Any) -> dict[str, Any]:
    """Return a lookup in YAML."""
    return {"fn::invoke": {"function": "iotda-ota:getOtaPackage", "arguments": arguments}}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    """Return a resource in YAML; ``options`` are its options."""
    options = properties.pop("options", {})
    return {"type": f"iotda-ota:{kind}", "properties": properties, "options": options}
