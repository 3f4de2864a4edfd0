"""A project's folder that tests run in, with a service that is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a project, which is the working directory."""
    (tmp_path / "Pulumi.yaml").write_text("name: meters\nruntime: python\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path
