"""A shell with the environment of an emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.shell import Inside, Shell

if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator


#: The files whose commands run in another process, because they test the process.
PROCESSES = ("test_shell", "test_shell_completion", "test_terminal")


@pytest.fixture
def shell(request: pytest.FixtureRequest, emulator: Emulator, tmp_path: Path) -> Shell:
    """Return a shell with the environment of a running emulator."""
    kind = Shell if request.path.stem in PROCESSES else Inside
    return kind(emulator, tmp_path)


@pytest.fixture
def alone(tmp_path: Path) -> Shell:
    """Return a shell without any setting."""
    return Shell(None, tmp_path)
