"""A project's folder that tests run in, with a service that is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.emulator import Emulator
from tests.support.lock_keeper import SEED, Keeper

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a project, which is the working directory."""
    (tmp_path / "Pulumi.yaml").write_text("name: meters\nruntime: python\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def keeper(project: Path) -> Iterator[Keeper]:
    """Return a keeper of the lock file of a project."""
    with Emulator(SEED) as emulator:
        yield Keeper(emulator, project)
