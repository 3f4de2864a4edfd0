"""``make mutate``: each module of the core is in one area with lanes, and results are counted as mutmut keeps them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.mutation.areas import AREAS, CORE, PACKAGE, ROOT, Area, modules
from tests.mutation.results import Score, score_of

if TYPE_CHECKING:
    from pathlib import Path

MUTATED = """
def x_newest__mutmut_orig(found):
    if len(found) > 1:
        raise ValueError("several packages match")
    return found["id"]

def x_newest__mutmut_1(found):
    if len(found) >= 1:
        raise ValueError("several packages match")
    return found["id"]

def x_newest__mutmut_2(found):
    if len(found) > 1:
        raise ValueError("XXseveral packages matchXX")
    return found["id"]

def x_newest__mutmut_3(found):
    if len(found) > 1:
        raise ValueError("several packages match")
    return found["ID"]

def x_newest__mutmut_4(found):
    if len(found) > 1:
        raise ValueError(None)
    return found["id"]
"""


def test_each_module_of_the_core_is_in_one_area() -> None:
    """A module that is added to the core, or moved within it, is mutated too."""
    owners = {
        module: [area.name for area in AREAS if area.contains(module)]
        for module in modules()
        if module.startswith(tuple(f"{package}/" for package in CORE))
    }

    assert {module: names for module, names in owners.items() if len(names) != 1} == {}
    assert {module.rpartition("/")[0] for module in owners} >= set(CORE)


@pytest.mark.parametrize("area", AREAS, ids=lambda area: area.name)
def test_each_pattern_has_files(area: Area) -> None:
    """A module or a test file that leaves its area is noticed: no pattern of it is without a file."""
    assert [
        pattern for pattern in area.modules if not any(Area("", (pattern,), ()).contains(m) for m in modules())
    ] == []
    assert [pattern for pattern in area.tests if not list(ROOT.glob(pattern))] == []
    assert all((ROOT / path).is_file() for path in area.test_files())


def test_results_are_counted(tmp_path: Path) -> None:
    """A mutant counts as killed, survived or untried. A mutant of a sentence for people is no promise."""
    mutated = tmp_path / "choose.py"
    mutated.write_text(MUTATED)
    names = [f"{PACKAGE.name}.selection.choose.x_newest__mutmut_{number}" for number in range(1, 5)]
    codes = dict(zip(names, (1, 0, 0, None), strict=True))
    (tmp_path / "choose.py.meta").write_text(json.dumps({"exit_code_by_key": codes}))

    score = score_of(mutated)

    assert score == Score(killed=1, survivors=(names[2],), untried=1, texts=1)
    assert score.percent == 50


@pytest.mark.parametrize("name", ["selection/nothing", "cli/main"])
def test_a_module_outside_of_the_core_is_refused(name: str) -> None:
    """A name that is no module of an area ends the command with one line, before anything is installed or run."""
    command = [sys.executable, "-m", "tests.mutation", name]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 1
    assert done.stdout.startswith("make mutate: no module of an area: ")
    assert done.stdout.count("\n") == 1
