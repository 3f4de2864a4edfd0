"""Many stacks from one process, as the recipe has it, on the real engine."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.emulator import Emulator
from tests.gitops.conftest import RECIPES
from tests.support.fault_helpers import IN_FLIGHT
from tests.support.prepared import SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_iotda_ota.emulator.messages import Request
    from tests.gitops.conftest import Repository

pytestmark = pytest.mark.engine
# More than run at once.
REGIONS = {
    # Separate groups: a device takes one task at a time.
    name: {"product": "smart-meter", "range": f"~1.{number}", "group": name}
    for number, name in enumerate(("north", "east", "south", "west", "coast"))
}
STACKS_AT_ONCE = 4
# A client waits for 20 seconds before its next request.
HELD_SECONDS = 15


def fleet(
    repository: Repository, command: str, regions: dict[str, dict[str, str]], **environment: str
) -> subprocess.Popen[str]:
    """Start the program of the recipe."""
    file: Path = repository.base / "regions.json"
    file.write_text(json.dumps(regions))
    return subprocess.Popen(
        [sys.executable, str(RECIPES / "automation" / "fleet.py"), command, str(file)],
        env={**repository.settings(), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, dict[str, str]]:
    """Return the exit code, and the report of each stack."""
    printed, errors = process.communicate(timeout=SECONDS)
    told = {name: rest for name, _, rest in (line.partition(": ") for line in printed.splitlines()) if name in REGIONS}
    assert set(told) == set(REGIONS), printed + errors
    return process.returncode, told


def test_what_many_stacks_come_to(repository: Repository) -> None:
    """A signal lets what runs end and starts nothing more; throttling is survived; one that fails stops no other."""
    for name in REGIONS:
        repository.service.set_group(name, [f"{name}-0001"])
    process = fleet(repository, "up", REGIONS)
    while not repository.service.requests:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    code, told = ended(process)
    begun = [name for name, text in told.items() if text != "not started"]
    assert (code, len(begun)) == (8, 4)
    assert len(repository.service.tasks) == 4, told

    throttled = repository.service.faults.add(operation="ListOtaPackageInfo", error="throttled", times=6)
    wrong = {"north": {**REGIONS["north"], "range": "^9"}, "south": {"product": "smart-meter", "group": "south"}}
    code, told = ended(fleet(repository, "up", {**REGIONS, **wrong}))
    assert (code, throttled.hits) == (1, 6)
    assert told["north"] == "no OTA package matches"
    assert told["south"] == "KeyError: 'range'"
    assert len(repository.service.tasks) == len(REGIONS)
    assert all(", task " in text for name, text in told.items() if name not in wrong)


class Meeting:
    """Holds requests until so many have come; afterwards no request waits."""

    def __init__(self, count: int) -> None:
        self._mutex = threading.Lock()
        self._missing = count
        self._met = threading.Event()

    def __call__(self) -> None:
        """Let one more come, and wait for the others."""
        with self._mutex:
            self._missing -= 1
            if self._missing <= 0:
                self._met.set()
        self._met.wait(HELD_SECONDS)

    @property
    def was_held(self) -> bool:
        """Return whether all came."""
        return self._met.is_set()


def begins(request: Request) -> bool:
    """Return whether it requests the first page of a list."""
    return not {"marker", "offset"} & set(request.query)


def crowd(service: Emulator, *, first: int, lists: int, pages: int) -> tuple[Meeting, Meeting]:
    """Let so many lists begin together, from the given one on, and so many of their further pages be out together."""
    for number in range(450):
        service.add_package(version=f"V1.4.{1000 + number}")
    service.latency = 0.2
    beginning, going_on = Meeting(lists), Meeting(pages)
    listing = "ListOtaPackageInfo"
    service.faults.add(operation=listing, match=begins, nth=first, times=None, before=beginning)
    service.faults.add(operation=listing, match=lambda one: not begins(one), times=None, before=going_on)
    return beginning, going_on


@pytest.fixture
def apart(repository: Repository) -> Iterator[Emulator]:
    """Return a service for the programs of a fleet. What Pulumi starts uses the service of the repository.

    The stacks that run at once begin together: a slow machine starts their processes long after one another.
    """
    pulumi = Path(repository.environment["PATH"].partition(":")[0]) / "pulumi"
    settings = "".join(f"export {name}='{value}'\n" for name, value in repository.service.environment.items())
    begun = f"{repository.base}/begun-"
    together = f"""if [ "$1" = preview ]; then
    : > "{begun}$$"
    until [ "$(ls -d "{begun}"* | wc -l)" -ge {STACKS_AT_ONCE} ]; do sleep 0.1; done
fi
"""
    pulumi.write_text(f'#!/bin/sh\n{settings}{together}exec {shutil.which("pulumi")} "$@"\n')
    pulumi.chmod(0o755)
    with Emulator() as service:
        yield service


def test_many_stacks_share_one_budget(repository: Repository, apart: Emulator) -> None:
    """Lookups of all programs are 8 requests at once at most, together; resources are 8 for each stack that runs."""
    # A credential's first lookup runs exclusively until the service accepts it. The other three begin together.
    met = [
        *crowd(apart, first=2, lists=STACKS_AT_ONCE - 1, pages=IN_FLIGHT),
        *crowd(repository.service, first=1, lists=STACKS_AT_ONCE, pages=STACKS_AT_ONCE * IN_FLIGHT),
    ]
    code, told = ended(fleet(repository, "preview", REGIONS, **apart.environment))

    assert (code, set(told.values())) == (7, {"would create 3"})
    assert all(meeting.was_held for meeting in met)
    assert apart.most_at_once == IN_FLIGHT
    assert repository.service.most_at_once == STACKS_AT_ONCE * IN_FLIGHT
