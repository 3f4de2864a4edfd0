"""A shell whose environment leads to an emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator


@pytest.fixture
def shell(emulator: Emulator, tmp_path: Path) -> Shell:
    """Return a shell whose environment leads to a running emulator."""
    return Shell(emulator, tmp_path)


@pytest.fixture
def alone(tmp_path: Path) -> Shell:
    """Return a shell without any setting."""
    return Shell(None, tmp_path)
