"""Measure every figure of docs/performance.md in one run, as a ratio to a baseline if there is one.

``make bench`` runs it. It prints a table, or JSON with ``--json``, and draws the growth of the cost into
``docs/performance.svg``. A missed target fails nothing: the spread shows how busy the machine was.
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import growth, previews, selection, starts, walks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.measure import Figure

PLOT = Path(__file__).parents[1] / "docs" / "performance.svg"
_HEAD = f"{'figure':<50}{'measured':>14}{'target':>9}   {'spread':<15} compared with"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--no-plot", action="store_true", help="do not write docs/performance.svg")
    arguments = parser.parse_args()
    if arguments.json:
        _print_json(draw=not arguments.no_plot)
    else:
        _print_table(draw=not arguments.no_plot)


def figures() -> Iterator[Figure]:
    """Measure the figures in order."""
    yield starts.imported()
    yield from walks.figures()
    if shutil.which("pulumi"):
        yield from previews.figures()


def _print_json(*, draw: bool) -> None:
    report: dict[str, Any] = {
        "figures": [{**asdict(figure), "reached": figure.reached} for figure in figures()],
        "seconds": starts.parts(),
        "selection": selection.measured(),
    }
    if draw:
        report["growth"] = growth.draw(PLOT)
    print(json.dumps(report, indent=2))


def _print_table(*, draw: bool) -> None:
    print(_HEAD)
    for figure in figures():
        print(line(figure), flush=True)
    if not shutil.which("pulumi"):
        print("previews not measured: no pulumi on PATH")
    print("\nsteps of a first lookup, in milliseconds")
    for name, time in starts.parts().items():
        print(f"{name:<50}{time * 1000:>12.0f}")
    print()
    selection.print_table(selection.measured())
    if draw:
        growth.draw(PLOT)
        print(f"\ngrowth of the cost: {PLOT.relative_to(Path.cwd()) if PLOT.is_relative_to(Path.cwd()) else PLOT}")


def line(figure: Figure) -> str:
    """Return a figure as one line of the table."""
    places = 0 if figure.unit in {"requests", "walks", "MB"} else 2
    value = f"{figure.value:.{places}f} {figure.unit}"
    target = "" if figure.most is None else f"{figure.most:.{places}f}{' ' if figure.reached else '!'}"
    spread = "" if figure.spread is None else f"{figure.spread[0]:.2f} to {figure.spread[1]:.2f}"
    aim = f"; aim {figure.aim:g}" if figure.aim else ""
    compared = ""
    if figure.measured is not None:
        ours, other = figure.measured
        compared = f"{ours:.2f} s against {other:.2f} s: {figure.baseline}{aim}"
    return f"{figure.name:<50}{value:>14}{target:>9}   {spread:<15} {compared}".rstrip()


if __name__ == "__main__":
    main()
