"""What walks cost: requests, time against the least there is and against the vendor's SDK, and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import pulumi_iotda_ota as iotda_ota
from benchmarks import clients
from benchmarks.measure import Figure, interleaved, median, ratios, seconds
from benchmarks.service import PACKAGES, running
from pulumi_iotda_ota.emulator import Emulator
from pulumi_iotda_ota.iotda.auth.connection import resolve
from pulumi_iotda_ota.iotda.models import PackageQuery
from pulumi_iotda_ota.lookup.session import Run

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["against", "figures"]

LATENCY = 0.05
PAGE_TIME = 0.002
MANY = 100_000
EQUAL = 20
WAYS = {"ours": clients.ours, "http.client": clients.bare, "SDK": clients.sdk}
# Prints the megabytes that one lookup of everything adds to what the imports and a first lookup take.
_PEAK = """
import re, resource, sys
from pathlib import Path
import pulumi_iotda_ota as iotda_ota
def peak():
    # What getrusage tells on Linux counts the process that started this one too.
    if sys.platform == "linux":
        return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / 1024
which = {"package_type": "firmwarePackage", "connection": iotda_ota.Connection(deadline=600)}
iotda_ota.get_ota_packages(**which, max_items=1)
before = peak()
%s
print(peak() - before)
"""
_WALK = """
import os
from pulumi_iotda_ota.iotda.auth.connection import resolve
from pulumi_iotda_ota.iotda.models import PackageQuery
from pulumi_iotda_ota.lookup.session import Run
connection = resolve(which["connection"], config={}, environ=os.environ)
walked = Run(memo=False).packages(connection, PackageQuery("firmwarePackage"))
assert len(walked.packages) == 100000
"""
_LIST = "assert len(iotda_ota.get_ota_packages(**which).packages) == 100000"


def against(rounds: int, *, delay: float, packages: int = PACKAGES) -> dict[str, list[float]]:
    """Return the seconds that each way takes for a whole list, in every round.

    Args:
        rounds: how often each takes its turn.
        delay: seconds that the service takes for a page.
        packages: how many there are.
    """
    with running(packages=packages, delay=delay) as port, ExitStack() as stack:
        walks = {name: stack.enter_context(way(port)) for name, way in WAYS.items()}
        # The first walk of each connects, and loads what it needs.
        for walk in walks.values():
            assert walk() == packages  # noqa: S101  what does not find everything is not compared
        return interleaved(rounds, {name: partial(seconds, walk) for name, walk in walks.items()})


def figures() -> Iterator[Figure]:
    """Measure, one figure after the other."""
    yield Figure("requests for a lookup of fewer than 50 matches", _requests_of_a_small_lookup(), "requests", 1)
    slow = against(3, delay=LATENCY)
    yield _compared("2,250 packages, 50 ms a page", slow, "http.client", 1 / 5, "45 pages, one after the other")
    yield _compared("  the same against the vendor's SDK", slow, "SDK", None, "its loop over 45 pages")
    quick = against(9, delay=PAGE_TIME)
    yield _compared("2,250 packages, 2 ms a page", quick, "http.client", 2, "45 pages, http.client and json")
    yield _compared("  the same against the vendor's SDK", quick, "SDK", None, "its loop over 45 pages")
    yield Figure(f"{EQUAL} equal lookups in one program", _walks_of_equal_lookups(), "walks", 1)
    yield Figure("100,000 packages walked: peak of memory", _peak(_WALK), "MB", 250)
    yield Figure("  the same as the result of a list", _peak(_LIST), "MB", 250)


def _compared(name: str, taken: dict[str, list[float]], other: str, most: float | None, baseline: str) -> Figure:
    found = ratios(taken["ours"], taken[other])
    measured = (median(taken["ours"]), median(taken[other]))
    return Figure(name, median(found), "x", most, baseline, measured, (min(found), max(found)))


def _requests_of_a_small_lookup() -> int:
    with Emulator() as service:
        connection = iotda_ota.Connection(
            endpoint=service.endpoint,
            region=service.region,
            project_id=service.project_id,
            access_key=service.access_key,
            secret_key=service.secret_key,
        )
        iotda_ota.get_ota_package(
            package_type="firmwarePackage", product_id="smart-meter", highest_version=True, connection=connection
        )
        return len(service.requests)


def _walks_of_equal_lookups() -> float:
    with running(packages=PACKAGES, delay=PAGE_TIME) as port, ThreadPoolExecutor(EQUAL) as pool:
        run = Run()
        connection = resolve(None, config={}, environ=clients.settings(port))
        query = PackageQuery("firmwarePackage", product_id=clients.PRODUCT)
        walks = {id(walked) for walked in pool.map(lambda _: run.packages(connection, query), range(EQUAL))}
        run.close()
        return len(walks)


def _peak(work: str) -> float:
    with running(packages=MANY) as port:
        command = [sys.executable, "-c", _PEAK % work]
        environ = {**os.environ, **clients.settings(port)}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
        return float(json.loads(done.stdout))
