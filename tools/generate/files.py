"""Which files are generated, and from what."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tools.generate import functions, openapi, plugin_schema, policy, registry_pages, resources, results

ROOT = Path(__file__).parents[2]
_PACKAGE = ROOT / "pulumi_iotda_ota"


def files() -> dict[Path, str]:
    """Return the text of every generated file."""
    python = {
        _PACKAGE / "_generated" / "functions.py": functions.text(),
        _PACKAGE / "_generated" / "resources.py": resources.text(),
        _PACKAGE / "_generated" / "results.py": results.text(),
        _PACKAGE / "selection" / "policy.py": policy.text(),
    }
    return {
        **{path: _formatted(path, text) for path, text in python.items()},
        _PACKAGE / "plugin" / "schema.json": plugin_schema.text(),
        _PACKAGE / "emulator" / "openapi.json": openapi.text(),
        **{ROOT / "docs" / name: text for name, text in registry_pages.pages().items()},
    }


def _formatted(path: Path, text: str) -> str:
    """Return Python code in the format of the project."""
    for command in (["check", "--fix", "--quiet", "--exit-zero"], ["format", "--quiet"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--stdin-filename", str(path), "-"]
        text = subprocess.run(ruff, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return text
