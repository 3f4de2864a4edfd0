"""Tests pass however they were started."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.prepared import ROOT

if TYPE_CHECKING:
    from pathlib import Path

# One test for each thing that depends on it: Ctrl-C in a thread, in a process and at a terminal; files and their
# modes; what is made at home.
SAMPLE = (
    "tests/unit/test_parallel.py::test_ctrl_c_ends_the_walk",
    "tests/cli/test_shell.py::test_ctrl_c",
    "tests/cli/test_task.py::test_ctrl_c_leaves_the_task_alone",
    "tests/emulator/test_server.py::test_the_command_prints_one_line_serves_and_ends",
    "tests/lock/test_files.py",
)


# Nobody can make a folder below a device or in /proc, not even root.
@pytest.mark.parametrize(
    ("umask", "home"), [(0o077, "/dev/null/nobody"), (0o000, "/proc")], ids=["no HOME", "read-only"]
)
def test_in_the_background(umask: int, home: str, tmp_path: Path) -> None:
    """A run passes without a terminal, with signals ignored, with any umask and TMPDIR, and with no HOME to write."""
    elsewhere = tmp_path / "another place"
    elsewhere.mkdir()

    def in_the_background() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            signal.signal(number, signal.SIG_IGN)
        os.umask(umask)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *SAMPLE],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(elsewhere), "HOME": home},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        preexec_fn=in_the_background,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^\d\d passed in ", done.stdout, re.MULTILINE), done.stdout
