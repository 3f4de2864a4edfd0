"""The pages document every public name."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota.iotda.auth.connection_model import CONFIG_NAMES
from pulumi_iotda_ota.iotda.auth.settings import SETTINGS
from pulumi_iotda_ota.iotda.auth.sources import SOURCES
from pulumi_iotda_ota.iotda.case import camel
from pulumi_iotda_ota.schema.registry import FUNCTIONS, RESOURCES, Function, Resource
from tests.support.doc_blocks import ROOT

PAGES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}
CREDENTIALS = PAGES["credentials.md"]
TABLES = {"functions.md", "upgrade-paths.md", "device-versions.md", "selection.md", "resources.md", "rollouts.md"}


def rows(page: str) -> list[str]:
    """Return the rows of the tables of a page."""
    return [line for line in PAGES[page].splitlines() if line.startswith("| `")]


def test_every_public_name_is_documented() -> None:
    """The index has each public name, and other pages describe each name that a program calls."""
    index = rows("README.md")
    assert [name for name in iotda_ota.__all__ if f"| `{name}` |" not in "\n".join(index)] == ["__version__"]

    others = "".join(text for name, text in PAGES.items() if name != "README.md")
    called = [name for name in iotda_ota.__all__ if not name.endswith(("Result", "_output", "_version__"))]
    assert [name for name in called if name not in others] == []


@pytest.mark.parametrize("name", [*FUNCTIONS, *RESOURCES])
def test_every_argument_and_output_is_documented(name: str) -> None:
    """Each argument and output of a function or resource has a row in one of the tables."""
    served: Function | Resource = FUNCTIONS[name] if name in FUNCTIONS else RESOURCES[name]
    documented = "\n".join(row for page in TABLES for row in rows(page))

    assert [argument.name for argument in served.arguments if f"| `{argument.name}`" not in documented] == []
    outputs = [output.name for output in served.outputs if output.name not in ("identity", "found")]
    assert [output for output in outputs if f"| `{output}`" not in documented] == []


def test_every_setting_is_documented() -> None:
    """The page of settings has each setting, with its key in the configuration and its variables."""
    for setting in SETTINGS:
        (row,) = (row for row in rows("credentials.md") if row.startswith(f"| `{setting.name}` |"))
        assert f"`iotda-ota:{camel(setting.name)}`" in row
        assert all(f"`{variable}`" in row for variable in setting.environment)
    for source in SOURCES:
        if "environment" in source.title or source.title == "stack configuration":
            assert [name for name in source.names.values() if name not in CREDENTIALS] == []


def test_every_documented_setting_exists() -> None:
    """No page names a key of the configuration, or a variable, that does not exist."""
    source = "".join(path.read_text() for path in (ROOT / "pulumi_iotda_ota").rglob("*.py"))
    # The recipes set variables of Pulumi and of pipelines.
    source += "".join(path.read_text() for path in (ROOT / "examples" / "gitops").rglob("*.y*ml"))
    known_types = {*FUNCTIONS, *RESOURCES, "index"}
    for text in [*PAGES.values(), (ROOT / "README.md").read_text()]:
        for key in re.findall(r"iotda-ota:(\w+)", text):
            assert key in CONFIG_NAMES or key in known_types, key
        for variable in re.findall(r"`((?:HW|HUAWEICLOUD|PULUMI_IOTDA_OTA)_[A-Z0-9_]+)", text):
            assert variable.removesuffix("CN_NORTH_4") in source, variable


def test_every_option_of_the_emulator_is_documented() -> None:
    """The table of the emulator's options has each existing option, and no other."""
    help_text = subprocess.run(
        [sys.executable, "-m", "pulumi_iotda_ota.emulator", "--help"], capture_output=True, text=True, check=True
    ).stdout
    options = {option for row in rows("emulator.md") for option in re.findall(r"`(--[\w-]+)", row)}

    assert options == set(re.findall(r"--[\w-]+", help_text)) - {"--help"}
