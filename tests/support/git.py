"""Runs git in a folder, apart from the settings of the user who runs the tests."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


QUIET = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


def git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a git command."""
    person = [part for key in ("user.name=t", "user.email=t@example.com") for part in ("-c", key)]
    return subprocess.run(
        ["git", *person, *arguments],
        cwd=folder,
        env={**os.environ, **QUIET},
        capture_output=True,
        text=True,
        check=False,
    )
