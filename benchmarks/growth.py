"""Measure how the cost grows with packages, lookups and latency, and draw the curves."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from benchmarks import clients
from benchmarks.measure import interleaved, median, seconds
from benchmarks.plot import Panel, drawing
from benchmarks.service import running
from benchmarks.walks import CLIENTS, walk_times
from pulumi_iotda_ota.iotda.auth.connection import resolve
from pulumi_iotda_ota.iotda.models import PackageQuery
from pulumi_iotda_ota.lookup.session import Run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROUNDS = 3
DELAY = 0.01
PACKAGES = (40, 250, 500, 1_000, 2_000, 4_000)
LATENCIES = (0.0, 0.005, 0.01, 0.02, 0.05)
LOOKUPS = (1, 2, 5, 10, 20)
# Packages of each lookup, if there are several lookups.
FOUND = 250


def draw(file: Path) -> dict[str, dict[str, list[tuple[float, float]]]]:
    """Measure the curves, write the drawing, and return the points."""
    panels = [
        Panel(f"packages, {DELAY * 1000:.0f} ms a page", _by_packages()),
        Panel(f"lookups of {FOUND} packages, {DELAY * 1000:.0f} ms a page", _by_lookups()),
        Panel("milliseconds a page, 2,250 packages", _by_latency()),
    ]
    file.write_text(drawing(panels), encoding="utf-8")
    return {panel.x_label: panel.curves for panel in panels}


def _by_packages() -> dict[str, list[tuple[float, float]]]:
    taken = {count: walk_times(ROUNDS, delay=DELAY, packages=count) for count in PACKAGES}
    return {name: [(count, median(found[name])) for count, found in taken.items()] for name in CLIENTS}


def _by_latency() -> dict[str, list[tuple[float, float]]]:
    taken = {delay: walk_times(ROUNDS if delay < DELAY else 1, delay=delay) for delay in LATENCIES}
    return {name: [(delay * 1000, median(found[name])) for delay, found in taken.items()] for name in CLIENTS}


def _by_lookups() -> dict[str, list[tuple[float, float]]]:
    with running(packages=FOUND, delay=DELAY) as port, clients.bare(port) as bare, clients.sdk(port) as sdk:
        runs = {
            "ours": partial(_concurrently, port),
            "http.client": partial(_in_sequence, bare),
            "SDK": partial(_in_sequence, sdk),
        }
        curves: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
        for count in LOOKUPS:
            works = {name: partial(seconds, partial(run, count)) for name, run in runs.items()}
            for name, taken in interleaved(ROUNDS, works).items():
                curves[name].append((count, median(taken)))
    return curves


def _concurrently(port: int, count: int) -> None:
    """Run different lookups as a program does: all at the same time, over one set of connections."""
    run = Run()
    connection = resolve(None, config={}, environ=clients.settings(port))
    queries = [PackageQuery("firmwarePackage", product_id=f"product-{number}") for number in range(count)]
    with ThreadPoolExecutor(count) as pool:
        list(pool.map(lambda query: run.packages(connection, query), queries))
    run.close()


def _in_sequence(walk: Callable[[], int], count: int) -> None:
    for _ in range(count):
        walk()
