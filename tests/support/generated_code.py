"""The code that Pulumi generates from the schema for a language, made once for all test processes."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.plugins import ROOT, generated, pulumi_version
from tests.support.prepared import SECONDS, key_of, made_once
from tools.generate.languages import GO_PACKAGE, NODE_PACKAGE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SCHEMA = ROOT / "pulumi_iotda_ota" / "plugin" / "schema.json"
_GO_MOD = """module example.com/pulumi-iotda-ota

go 1.22

require github.com/pulumi/pulumi/sdk/v3 v3.200.0
"""
_NODE = {
    "name": "examples",
    "devDependencies": {"@types/node": "^22", "typescript": "^5"},
    "dependencies": {"@pulumi/pulumi": "^3.260.0"},
}
# As `pulumi new` writes it, but that it also reads what the examples declare and do not use.
_TSCONFIG = {
    "compilerOptions": {
        "strict": True,
        "target": "es2020",
        "module": "commonjs",
        "moduleResolution": "node",
        "noEmit": True,
        "skipLibCheck": False,
        "types": ["node"],
    }
}


def node_project() -> Path:
    """Return a Node.js project with TypeScript and the generated code, installed."""
    if shutil.which("npm") is None:
        pytest.skip("TypeScript not compiled: no npm on PATH")

    def make(folder: Path) -> None:
        folder.mkdir()
        shutil.copytree(generated("nodejs"), folder / "sdk")
        (folder / "package.json").write_text(
            json.dumps({**_NODE, "dependencies": {**_NODE["dependencies"], NODE_PACKAGE: "file:sdk"}})  # type: ignore[dict-item]
        )
        (folder / "tsconfig.json").write_text(json.dumps(_TSCONFIG))
        _npm(folder / "sdk", "install", "--no-audit", "--no-fund")
        _npm(folder / "sdk", "run", "build")
        shutil.copy2(folder / "sdk" / "package.json", folder / "sdk" / "bin")
        _npm(folder, "install", "--no-audit", "--no-fund")

    return made_once("sdk-nodejs-installed", key_of([SCHEMA, pulumi_version(), json.dumps([_NODE, _TSCONFIG])]), make)


def _npm(folder: Path, *arguments: str) -> None:
    subprocess.run(["npm", *arguments], cwd=folder, capture_output=True, check=True, timeout=SECONDS)


def go_module(folder: Path, programs: Mapping[str, str]) -> Path:
    """Return a Go module with the generated package, and a program in a separate folder for each name."""
    (source,) = [path.parent for path in generated("go").rglob("upgradeTask.go")]
    shutil.copytree(source, folder / GO_PACKAGE.removeprefix("example.com/pulumi-iotda-ota/"))
    (folder / "go.mod").write_text(_GO_MOD)
    for name, program in programs.items():
        (folder / name).mkdir()
        (folder / name / "main.go").write_text(program)
    return folder


def run_go(module: Path, *arguments: str) -> None:
    """Run a command of Go that must succeed."""
    done = subprocess.run(["go", *arguments], cwd=module, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == 0, done.stderr
