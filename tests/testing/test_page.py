"""docs/testing.md and the tests of the examples: run as a user runs them, in a separate environment."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota import pytest_plugin, testing
from pulumi_iotda_ota.emulator import Emulator
from tests.support.prepared import ROOT, SECONDS, users_environment

if TYPE_CHECKING:
    from pathlib import Path

PAGE = (ROOT / "docs" / "testing.md").read_text()
# The program that the page tests, and its tests.
PROGRAM, *SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/test_*.py"))


@pytest.fixture(scope="session")
def users_python() -> Path:
    """Return an interpreter with pytest and the wheel of this checkout."""
    return users_environment() / "bin" / "python"


def run_as_a_user(python: Path, folder: Path) -> str:
    """Run pytest in a folder, with every warning as an error, and return its output."""
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    done = subprocess.run(
        [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_snippets_are_test_modules_that_pass(users_python: Path, tmp_path: Path) -> None:
    """Each snippet of the page passes in a user's project, with the wheel and pytest and nothing else."""
    (tmp_path / "meters").mkdir()
    (tmp_path / "meters" / "__main__.py").write_text(PROGRAM)
    for number, snippet in enumerate(SNIPPETS):
        (tmp_path / f"test_snippet_{number}.py").write_text(snippet)

    printed = run_as_a_user(users_python, tmp_path)

    assert f"{sum(snippet.count('def test_') for snippet in SNIPPETS)} passed" in printed


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_tests_of_an_example_pass(users_python: Path, example: Path, tmp_path: Path) -> None:
    """The tests that lie beside an example pass in a copy of its folder, as its reader runs them."""
    folder = shutil.copytree(example, tmp_path / example.name)
    tests = "".join(path.read_text() for path in folder.glob("test_*.py"))

    assert f"{tests.count('def test_')} passed" in run_as_a_user(users_python, folder)


def test_every_example_in_python_has_tests() -> None:
    """There are tests beside each program in Python."""
    programs = {path.parent for path in (ROOT / "examples").glob("*/__main__.py")}

    assert programs <= set(EXAMPLES)


def test_every_fixture_argument_and_attribute_is_told() -> None:
    """The page names all fixtures, the arguments of `Mocks` and its attributes, and nothing else."""
    arguments = set(testing.Mocks.__init__.__annotations__) - {"return"}
    monitor = {"outputs", "resource", "resources", "tasks"}

    reported = set(re.findall(r"`(\w+)[`(]", PAGE))
    assert {*pytest_plugin.__all__, *arguments, *monitor} <= reported
    calls = re.findall(r"^\| `(\w+)\(", PAGE.partition("| name |")[2], re.MULTILINE)
    assert len(calls) >= 4
    assert [call for call in calls if not hasattr(Emulator, call)] == []
