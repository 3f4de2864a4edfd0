"""Measures things against each other: in turn, round by round, so that whatever else the machine does falls on all."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Figure", "interleaved", "median", "ratios", "seconds"]


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        name: what is measured.
        value: the median of it.
        unit: what it is measured in.
        most: the target: at most this; None where there is none.
        baseline: what it is compared with, in words; empty where it is compared with nothing.
        measured: the medians that a ratio was made of: ours, and the baseline's.
        spread: the least and the most of all rounds, in the same unit.
        aim: a better target that is no promise, or None.
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
        """Return whether the target was reached, or None where there is none."""
        return None if self.most is None else self.value <= self.most


def seconds(work: Callable[[], object]) -> float:
    """Return the seconds that work takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def interleaved(rounds: int, works: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Return what each work measured in every round; all take one turn before any takes the next."""
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
    return [mine / other for mine, other in zip(ours, baseline, strict=True)]
