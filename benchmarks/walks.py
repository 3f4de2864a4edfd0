"""Measure whole lists: requests, memory, and time compared with ``http.client`` and the vendor's SDK."""

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

LATENCY = 0.05
PAGE_TIME = 0.002
MANY = 100_000
EQUAL = 20
CLIENTS = {"ours": clients.ours, "http.client": clients.bare, "SDK": clients.sdk}
# Prints the megabytes that a lookup of the whole list adds to the imports and a first lookup.
_PEAK = """
import re, resource, sys
from pathlib import Path
import pulumi_iotda_ota as iotda_ota
def peak():
    # On Linux, getrusage includes the process that started this one.
    if sys.platform == "linux":
        return int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / 1024
query = {"package_type": "firmwarePackage", "connection": iotda_ota.Connection(deadline=600)}
iotda_ota.get_ota_packages(**query, max_items=1)
before = peak()
%s
print(peak() - before)
"""
_WALK = """
import os
from pulumi_iotda_ota.iotda.auth.connection import resolve
from pulumi_iotda_ota.iotda.models import PackageQuery
from pulumi_iotda_ota.lookup.session import Run
connection = resolve(query["connection"], config={}, environ=os.environ)
walked = Run(memo=False).packages(connection, PackageQuery("firmwarePackage"))
assert len(walked.packages) == 100000
"""
_LIST = "assert len(iotda_ota.get_ota_packages(**query).packages) == 100000"


def walk_times(rounds: int, *, delay: float, packages: int = PACKAGES) -> dict[str, list[float]]:
    """Return the seconds that each client needs for the whole list, one value for each round.

    Args:
        rounds: the number of rounds.
        delay: the seconds that the service needs for a page.
        packages: the number of packages.
    """
    with running(packages=packages, delay=delay) as port, ExitStack() as stack:
        walks = {name: stack.enter_context(client(port)) for name, client in CLIENTS.items()}
        # The first walk of each client connects and loads its modules.
        for walk in walks.values():
            assert walk() == packages  # noqa: S101  each client must find all packages
        return interleaved(rounds, {name: partial(seconds, walk) for name, walk in walks.items()})


def figures() -> Iterator[Figure]:
    """Measure the figures in order."""
    yield Figure("requests for a lookup of fewer than 50 matches", _requests_of_a_small_lookup(), "requests", 1)
    slow = walk_times(3, delay=LATENCY)
    yield _compared("2,250 packages, 50 ms a page", slow, "http.client", 1 / 5, "45 pages, one after the other")
    yield _compared("  the same compared with the vendor's SDK", slow, "SDK", None, "its loop over 45 pages")
    quick = walk_times(9, delay=PAGE_TIME)
    yield _compared("2,250 packages, 2 ms a page", quick, "http.client", 2, "45 pages, http.client and json")
    yield _compared("  the same compared with the vendor's SDK", quick, "SDK", None, "its loop over 45 pages")
    yield Figure(f"{EQUAL} equal lookups in one program", _walks_of_equal_lookups(), "walks", 1)
    yield Figure("100,000 packages read: peak of memory", _peak(_WALK), "MB", 250)
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
