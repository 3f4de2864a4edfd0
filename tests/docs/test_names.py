"""Everything that has a public name is told in the pages."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota.iotda.auth.connection_model import CONFIG_NAMES
from pulumi_iotda_ota.iotda.auth.discovery import SOURCES
from pulumi_iotda_ota.iotda.auth.settings import SETTINGS
from pulumi_iotda_ota.iotda.case import camel
from pulumi_iotda_ota.schema.registry import FUNCTIONS, RESOURCES, Function, Resource
from tests.support.doc_blocks import ROOT

PAGES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}
CREDENTIALS = PAGES["credentials.md"]
TABLES = {"functions.md", "upgrade-paths.md", "device-versions.md", "selection.md", "resources.md", "campaigns.md"}


def rows(page: str) -> list[str]:
    """Return the rows of the tables of a page."""
    return [line for line in PAGES[page].splitlines() if line.startswith("| `")]


def test_every_public_name_is_told() -> None:
    """The index has each public name, and the pages beside it speak of each that a program calls."""
    index = rows("README.md")
    assert [name for name in iotda_ota.__all__ if f"| `{name}` |" not in "\n".join(index)] == ["__version__"]

    spoken = "".join(text for name, text in PAGES.items() if name != "README.md")
    called = [name for name in iotda_ota.__all__ if not name.endswith(("Result", "_output", "_version__"))]
    assert [name for name in called if name not in spoken] == []


@pytest.mark.parametrize("name", [*FUNCTIONS, *RESOURCES])
def test_every_argument_and_answer_is_told(name: str) -> None:
    """Each argument and answer of a function or resource has its row in one of the tables."""
    served: Function | Resource = FUNCTIONS[name] if name in FUNCTIONS else RESOURCES[name]
    told = "\n".join(row for page in TABLES for row in rows(page))

    assert [argument.name for argument in served.arguments if f"| `{argument.name}`" not in told] == []
    answers = [output.name for output in served.outputs if output.name not in ("identity", "found")]
    assert [answer for answer in answers if f"| `{answer}`" not in told] == []


def test_every_name_of_a_setting_is_told() -> None:
    """The page of settings has each, with its key in the configuration and its variables."""
    for setting in SETTINGS:
        (row,) = (row for row in rows("credentials.md") if row.startswith(f"| `{setting.name}` |"))
        assert f"`iotda-ota:{camel(setting.name)}`" in row
        assert all(f"`{variable}`" in row for variable in setting.environment)
    for source in SOURCES:
        if "environment" in source.title or source.title == "stack configuration":
            assert [name for name in source.names.values() if name not in CREDENTIALS] == []


def test_every_setting_that_is_told_is_read() -> None:
    """No page names a key of the configuration, or a variable, that is not there."""
    source = "".join(path.read_text() for path in (ROOT / "pulumi_iotda_ota").rglob("*.py"))
    # The recipes set what Pulumi and pipelines read.
    source += "".join(path.read_text() for path in (ROOT / "examples" / "gitops").rglob("*.y*ml"))
    known_types = {*FUNCTIONS, *RESOURCES, "index"}
    for text in [*PAGES.values(), (ROOT / "README.md").read_text()]:
        for key in re.findall(r"iotda-ota:(\w+)", text):
            assert key in CONFIG_NAMES or key in known_types, key
        for variable in re.findall(r"`((?:HW|HUAWEICLOUD|PULUMI_IOTDA_OTA)_[A-Z0-9_]+)", text):
            assert variable.removesuffix("CN_NORTH_4") in source, variable


def test_every_option_of_the_emulator_is_told() -> None:
    """The table of the emulator's options names each that there is, and no other."""
    told = subprocess.run(
        [sys.executable, "-m", "pulumi_iotda_ota.emulator", "--help"], capture_output=True, text=True, check=True
    ).stdout
    options = {option for row in rows("emulator.md") for option in re.findall(r"`(--[\w-]+)", row)}

    assert options == set(re.findall(r"--[\w-]+", told)) - {"--help"}
