"""Measure the steps of a program's first lookup, and the start of the plugin."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.clients import PRODUCT, settings
from benchmarks.measure import Figure, interleaved, median, seconds
from benchmarks.service import running

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 9
_IMPORT = """
import time, pulumi
start = time.perf_counter()
import pulumi_iotda_ota
print((time.perf_counter() - start) * 1000)
"""
_PROGRAM = f"""
import json, time
times = [time.perf_counter()]
def after():
    times.append(time.perf_counter())
import pulumi; after()
import pulumi_iotda_ota as iotda_ota; after()
iotda_ota.get_ota_packages; after()
from pulumi_iotda_ota.lazy_imports import gc_paused
with gc_paused():
    import pulumi_iotda_ota.iotda.client, pulumi_iotda_ota.iotda.auth.connection
after()
query = {{"package_type": "firmwarePackage", "product_id": "{PRODUCT}"}}
iotda_ota.get_ota_packages(**query); after()
iotda_ota.get_ota_packages(**query); after()
print(json.dumps([later - earlier for earlier, later in zip(times, times[1:])]))
"""
_STEPS = (
    "import pulumi",
    "import pulumi_iotda_ota",
    "load the selection, mainly pydantic",
    "load the client, mainly requests",
    "first lookup: connect, send, read",
    "second lookup, over a new connection",
)


def imported() -> Figure:
    """Measure the import of this package after the import of Pulumi."""
    taken = [float(_run(_IMPORT)) for _ in range(ROUNDS)]
    spread = (min(taken), max(taken))
    return Figure("import pulumi_iotda_ota, after import pulumi", median(taken), "ms", 10, spread=spread)


def parts() -> dict[str, float]:
    """Return the seconds of each step of a program's first lookup, and of the start of the plugin."""
    with running(packages=40) as port:
        rounds = [json.loads(_run(_PROGRAM, **settings(port))) for _ in range(ROUNDS)]
    steps = {name: median([taken[number] for taken in rounds]) for number, name in enumerate(_STEPS)}
    plugin: dict[str, Callable[[], float]] = {
        "an empty Python process": lambda: seconds(lambda: _run("pass")),
        "the plugin, to its port": _to_port,
    }
    return {**steps, **{name: median(taken) for name, taken in interleaved(ROUNDS, plugin).items()}}


def _to_port() -> float:
    start = time.perf_counter()
    command = [sys.executable, "-m", "pulumi_iotda_ota", "127.0.0.1:1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        if process.stdout is None or not process.stdout.readline().strip().isdigit():
            raise SystemExit("the plugin did not print its port")
        taken = time.perf_counter() - start
        process.kill()
    return taken


def _run(program: str, **environment: str) -> str:
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=True)
    return done.stdout
