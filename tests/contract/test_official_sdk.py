"""The vendor's SDK for Python, unchanged, against the emulator: its requests are accepted, and it reads every field.

It runs in a separate process with a separate home folder: the SDK writes a file there when it is imported.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.emulator import Emulator, ManualClock

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator.behavior import Clock

PROGRAM = Path(__file__).parents[1] / "support" / "official_sdk_program.py"


def _run(emulator: Emulator, scenario: str, home: Path, *, derived: bool) -> Any:
    settings = {
        "endpoint": emulator.endpoint,
        "access_key": emulator.access_key,
        "secret_key": emulator.secret_key,
        "project_id": emulator.project_id,
        "region": emulator.region,
        "derived": derived,
    }
    done = subprocess.run(
        [sys.executable, str(PROGRAM), scenario],
        input=json.dumps(settings),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "HOME": str(home), "USERPROFILE": str(home)},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(params=["standard", "derived"])
def edition(request: pytest.FixtureRequest) -> str:
    """Return the signature that the endpoint accepts; it refuses the other."""
    return str(request.param)


def _emulator(edition: str, clock: Clock | None = None) -> Emulator:
    return Emulator(
        derived_only=edition == "derived", standard_only=edition == "standard", device_seconds=0.05, clock=clock
    )


def test_packages_are_listed_read_created_and_deleted(edition: str, tmp_path: Path) -> None:
    """The SDK walks all pages, reads every field, creates a package and deletes it."""
    with _emulator(edition) as emulator:
        printed = _run(emulator, "packages", tmp_path, derived=edition == "derived")
    assert printed["listed"] == 620
    assert printed["distinct"] == 620
    assert printed["read"] == {"version": "V1.4.10", "sign_method": "SHA256", "module_name": None}
    assert printed["created"] == {"status": 201, "version": "V2.0", "sources": ["V1.4.10", "V1.4.11"]}
    assert printed["deleted"] == 204
    assert printed["afterwards"] == {"status": 404, "error_code": "IOTDA.014280", "has_request_id": True}


def test_tasks_are_created_listed_read_stopped_and_deleted(edition: str, tmp_path: Path) -> None:
    """The SDK starts a task, watches it, stops a second one and deletes both."""
    with _emulator(edition) as emulator:
        printed = _run(emulator, "tasks", tmp_path, derived=edition == "derived")
        assert emulator.tasks == []
    assert printed["finished"] == {"status": "Success", "total": 4, "success": 4}
    assert printed["listed"] == ["sdk_second", "sdk_first"]
    assert printed["refused"] == 403
    assert printed["stopped"] == ["meter-0001"]
    assert printed["deleted"] == [204, 204]


def test_devices_are_listed_and_searched(edition: str, tmp_path: Path) -> None:
    """The SDK reads devices by product, by group and by SQL. A second search within a second is throttled."""
    with _emulator(edition, ManualClock()) as emulator:
        told = _run(emulator, "devices", tmp_path, derived=edition == "derived")
    assert told["listed"][:2] == [40, 40]
    assert told["listed"][2].startswith("V1.")
    assert told["grouped"] == ["meter-0001", "meter-0002", "meter-0003", "meter-0004"]
    assert told["searched"] == [["V1.4.9", 24, ["canary"]]] * 4
    assert told["throttled"] == 429


def test_the_wrong_signature_is_refused(edition: str, tmp_path: Path) -> None:
    """With the other signature the SDK gets 401 IOTDA.000002, as on a real endpoint of the other edition."""
    with _emulator(edition) as emulator:
        printed = _run(emulator, "refused", tmp_path, derived=edition == "standard")
    assert printed == {"status": 401, "error_code": "IOTDA.000002"}


def test_what_the_sdk_sends_is_as_recorded(tmp_path: Path) -> None:
    """The SDK's requests have the form the emulator was built for: sorted query, JSON content type also on GET."""
    with Emulator() as emulator:
        _run(emulator, "packages", tmp_path, derived=True)
        first = emulator.requests[0]
    assert first.headers["Content-Type"] == "application/json"
    assert "SignedHeaders=content-type;host;user-agent;x-project-id;x-sdk-date" in first.headers["Authorization"]
    assert first.headers["Authorization"].startswith("V11-HMAC-SHA256 Credential=")
    assert "/iotdm, " in first.headers["Authorization"]


def test_the_home_folder_of_who_runs_the_tests_is_left_alone(tmp_path: Path) -> None:
    """What the SDK writes when it is imported lands in the test's own folder."""
    with Emulator() as emulator:
        _run(emulator, "refused", tmp_path, derived=False)
    assert (tmp_path / ".huaweicloud").is_dir()
