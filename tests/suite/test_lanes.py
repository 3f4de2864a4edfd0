"""The report at the end of a run, and the order in which workers begin."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.lanes import longest_first
from tests.support.prepared import ROOT

if TYPE_CHECKING:
    from pathlib import Path

CONFTEST = """
import sys
from pathlib import Path
sys.path.insert(0, {folder!r})
from lanes import Lanes

def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Lanes(Path({file!r})))
"""
TESTS = """
import time
import pytest

def test_quick(): pass

def test_slow(): time.sleep(1)

@pytest.mark.skip(reason="no such tool on PATH")
@pytest.mark.parametrize("number", range(2))
def test_not_here(number): pass
"""


@pytest.fixture
def file(pytester: pytest.Pytester, tmp_path: Path) -> Path:
    """Return the file of the times, of a project with two lanes."""
    file = tmp_path / "cache" / "seconds.json"
    pytester.makeconftest(CONFTEST.format(file=str(file), folder=str(ROOT / "tests" / "support")))
    for lane in ("one", "two"):
        folder = pytester.path / "tests" / lane
        folder.mkdir(parents=True)
        (folder / f"test_{lane}.py").write_text(TESTS)
    return file


@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_reports_its_lanes(pytester: pytest.Pytester, file: Path, workers: int) -> None:
    """A run prints each lane with its time and outcomes, and one line for each reason to skip tests."""
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", f"--numprocesses={workers}")

    result.assert_outcomes(passed=4, skipped=4)
    result.stdout.re_match_lines_random(
        [
            r"one +1\.\d  2 passed, 2 skipped",
            r"two +1\.\d  2 passed, 2 skipped",
            r"skipped 4: no such tool on PATH \(one, two\)",
        ]
    )
    assert json.loads(file.read_text()).keys() == {
        "tests/one/test_one.py::test_slow",
        "tests/two/test_two.py::test_slow",
    }


def test_the_longest_tests_begin(pytester: pytest.Pytester) -> None:
    """Workers begin with the longest tests. Short tests keep their order. A new engine test counts as long."""
    items = pytester.getitems(
        """
        import pytest
        def test_a(): pass
        def test_b(): pass
        @pytest.mark.engine
        def test_c(): pass
        def test_d(): pass
        def test_e(): pass
        """
    )
    seconds = {item.nodeid: {"test_b": 0.5, "test_d": 3.0, "test_e": 90.0}.get(item.name, 0.0) for item in items}
    del seconds[items[2].nodeid]

    longest_first(items, seconds)

    assert [item.name for item in items] == ["test_e", "test_c", "test_d", "test_a", "test_b"]
