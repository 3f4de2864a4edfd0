"""Prints the lanes that ran at the end of a run: how long each took, and what was skipped and why.

The times also order the next run with several workers: the longest tests start first, so that no worker is left with
a long test at the end.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Lanes", "longest_first"]

#: Tests below this many seconds keep the order of their files, whose fixtures they share.
SHORT = 1.0
#: The seconds of a test of the real `pulumi`, and of a test of the oldest releases, before they are measured.
ENGINE, OLDEST = 10.0, 60.0


class Lanes:
    """A plugin of pytest for the process that reports, which is not a worker.

    Args:
        file: keeps the seconds of each long test.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seconds: dict[str, float] = defaultdict(float)
        self._outcomes: dict[str, Counter[str]] = defaultdict(Counter)
        self._skipped: dict[str, Counter[str]] = defaultdict(Counter)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Hand the times to a worker. All workers must have the same, because they must agree on the order."""
        node.workerinput["seconds"] = _read(self._file)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add one phase of one test."""
        lane = _lane(report.nodeid)
        self._seconds[report.nodeid] += report.duration
        if report.when == "call" or not report.passed:
            self._outcomes[lane][report.outcome] += 1
        if report.skipped and isinstance(report.longrepr, tuple):
            self._skipped[report.longrepr[2].removeprefix("Skipped: ")][lane] += 1

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print a line for each lane, and a line for each reason to skip tests."""
        total: Counter[str] = Counter()
        for name, seconds in self._seconds.items():
            total[_lane(name)] += seconds  # type: ignore[assignment]
        if len(total) < 2 and not self._skipped:
            return
        terminalreporter.section("lanes, and the seconds of their tests")
        for lane, seconds in total.most_common():
            counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(self._outcomes[lane].items()))
            terminalreporter.line(f"{lane:12} {seconds:7.1f}  {counts}")
        for reason, lanes in self._skipped.items():
            terminalreporter.line(f"skipped {sum(lanes.values())}: {reason} ({', '.join(sorted(lanes))})")

    def pytest_sessionfinish(self) -> None:
        """Keep the times of the long tests."""
        long = {name: round(seconds, 1) for name, seconds in self._seconds.items() if seconds >= SHORT}
        if long:
            self._file.parent.mkdir(exist_ok=True)
            # Another run may read or write it at the same time.
            written = self._file.with_name(f"{self._file.name}.{os.getpid()}")
            written.write_text(json.dumps({**_read(self._file), **long}, indent=0, sort_keys=True))
            written.replace(self._file)


def longest_first(items: list[pytest.Item], seconds: Mapping[str, float]) -> None:
    """Sort the tests by the time that each took, and leave the short ones in their order at the end."""

    def expected(item: pytest.Item) -> float:
        unmeasured = ENGINE * (item.get_closest_marker("engine") is not None) or OLDEST * (
            _lane(item.nodeid) == "versions"
        )
        known = seconds.get(item.nodeid, unmeasured)
        return known if known >= SHORT else 0.0

    items.sort(key=expected, reverse=True)


def _lane(name: str) -> str:
    """Return the folder below ``tests`` that a test is in."""
    return name.split("/")[1] if name.startswith("tests/") else "others"


def _read(file: Path) -> dict[str, float]:
    with contextlib.suppress(FileNotFoundError):
        found: dict[str, float] = json.loads(file.read_text())
        return found
    return {}
