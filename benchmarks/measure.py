"""Measure works round by round, each once in a round, so that other load on the machine affects all of them."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        name: the name of the figure.
        value: the median.
        unit: the unit of the value.
        most: the target, an upper bound, or None.
        baseline: a description of the baseline, or empty.
        measured: the two medians behind a ratio: of this library, and of the baseline.
        spread: the lowest and the highest value of all rounds.
        aim: a lower bound than the target, which is no promise, or None.
    """

    name: str
    value: float
    unit: str
    most: float | None
    baseline: str = ""
    measured: tuple[float, float] | None = None
    spread: tuple[float, float] | None = None
    aim: float | None = None

    @property
    def reached(self) -> bool | None:
        """Return whether the target was reached, or None if there is no target."""
        return None if self.most is None else self.value <= self.most


def seconds(work: Callable[[], object]) -> float:
    """Return the seconds that work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def interleaved(rounds: int, works: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Return the measured values of each work, one for each round. A round runs every work once."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            taken[name].append(work())
    return taken


def median(values: list[float]) -> float:
    """Return the median."""
    return statistics.median(values)


def ratios(ours: list[float], baseline: list[float]) -> list[float]:
    """Return the ratio of each round."""
    return [our / other for our, other in zip(ours, baseline, strict=True)]
