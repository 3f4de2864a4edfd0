"""The output of the demo."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.prepared import SECONDS

ROOT = Path(__file__).parents[2]
FOUR_STEPS = r"""pulumi-iotda-ota demo
.*local IoTDA with 1,204 packages, 3 products, 40 devices at 127\.0\.0\.1:\d+

1\. Look up   firmwarePackage, product smart-meter, range \^1\.4, devices on V1\.3\.2
             -> V1\.4\.11  8e99e4f7765dfb08dbfee0054d004b3b  \(uploaded 2026-10-16; 41 candidates, 1 request\)
             skipped: 24 do not support V1\.3\.2, 11 lower, 3 outside \^1\.4, 1 prerelease, 1 below V1\.3\.2
2\. Preview   \+ OtaPackagePin meter                   8e99e4f7765dfb08dbfee0054d004b3b
             \+ UpgradeTask canary                    group canary: 4 devices
             \+ UpgradeTaskCompletion canary-healthy
             \+ UpgradeTask fleet                     group fleet: 36 devices
3\. Up        canary  ■■■■■■■■■■  4 of 4 done, 0 failed  \(\d+ s\)
             fleet   ■■■■■■■■■■  36 of 36 done, 0 failed  \(\d+ s\)
4\. Again     """


def demo(path: str) -> str:
    """Run the demo with a PATH and return everything that it printed."""
    environment = {
        "PATH": path,
        "HOME": os.environ.get("HOME", "/"),
        "PYTHONIOENCODING": "utf-8",
        "PYTHONWARNINGS": "default",
    }
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "demo.py")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.engine
def test_with_pulumi() -> None:
    """With `pulumi`, the four steps run on the real engine, and print the complete package id."""
    printed = demo(os.environ["PATH"])

    assert re.match(FOUR_STEPS + "no changes\n", printed), printed
    assert re.search(r"  pulumi \d+\.\d+\.\d+\S* from \S+, local state, ", printed)


def test_without_pulumi(tmp_path: Path) -> None:
    """If `pulumi` cannot be installed, the same program runs in the process, and one line names the cause."""
    (tmp_path / "sh").symlink_to("/bin/sh")
    environment = {"PATH": str(tmp_path), "HTTPS_PROXY": "http://127.0.0.1:9", "PYTHONIOENCODING": "utf-8"}

    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "demo.py")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert re.search(FOUR_STEPS.partition("demo\n")[2] + "no new task\n", done.stdout), done.stdout
    assert "\n  no pulumi (the program runs in this process, under Pulumi's test monitor), local IoTDA" in done.stdout
    (line,) = (line for line in done.stdout.splitlines() if "could not be installed" in line)
    assert re.match(r"no pulumi on PATH and it could not be installed \(.+\): the same program ran", line)
    assert "Error" not in line
