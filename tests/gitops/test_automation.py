"""Many stacks from one process, as the recipe has it, on the real engine."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.gitops.conftest import RECIPES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.gitops.conftest import Repository

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(shutil.which("pulumi") is None, reason="engine lane not run: no pulumi on PATH"),
]
# More than run at once.
REGIONS = {
    name: {"product": "smart-meter", "range": f"~1.{number}", "group": "canary"}
    for number, name in enumerate(("north", "east", "south", "west", "coast"))
}


def fleet(repository: Repository, command: str, regions: dict[str, dict[str, str]]) -> subprocess.Popen[str]:
    """Start the program of the recipe."""
    file: Path = repository.base / "regions.json"
    file.write_text(json.dumps(regions))
    return subprocess.Popen(
        [sys.executable, str(RECIPES / "automation" / "fleet.py"), command, str(file)],
        env=repository.settings(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, dict[str, str]]:
    """Return the exit code, and what was told of each stack."""
    printed, errors = process.communicate(timeout=280)
    told = {name: rest for name, _, rest in (line.partition(": ") for line in printed.splitlines()) if name in REGIONS}
    assert set(told) == set(REGIONS), printed + errors
    return process.returncode, told


def test_what_many_stacks_come_to(repository: Repository) -> None:
    """A signal lets what runs end and starts nothing more; throttling is survived; one that fails stops no other."""
    process = fleet(repository, "up", REGIONS)
    while not repository.service.requests:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    code, told = ended(process)
    begun = [name for name, text in told.items() if text != "not started"]
    assert (code, len(begun)) == (8, 4)
    assert len(repository.service.tasks) == 4

    repository.service.forget_requests()
    throttled = repository.service.faults.add(operation="ListOtaPackageInfo", error="throttled", times=6)
    code, told = ended(fleet(repository, "preview", REGIONS))
    assert throttled.hits == 6
    assert (code, {told[name] for name in begun}) == (7, {"no changes"})
    assert {text for name, text in told.items() if name not in begun} == {"would create 3"}

    wrong = {"north": {**REGIONS["north"], "range": "^9"}, "south": {"product": "smart-meter", "group": "canary"}}
    code, told = ended(fleet(repository, "up", {**REGIONS, **wrong}))
    assert code == 1
    assert told["north"] == "no OTA package fits"
    assert told["south"] == "KeyError: 'range'"
    assert len(repository.service.tasks) == len(REGIONS)
    assert all(", task " in text for name, text in told.items() if name not in wrong)
