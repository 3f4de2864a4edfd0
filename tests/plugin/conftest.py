"""A plugin whose environment leads to the emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import settings_for
from tests.plugin.process import Engine, Plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator


@pytest.fixture
def engine() -> Iterator[Engine]:
    """Return an engine that keeps what a plugin shows."""
    with Engine() as running:
        yield running


@pytest.fixture
def start(emulator: Emulator, engine: Engine, tmp_path: Path) -> Callable[[], Plugin]:
    """Return what starts another plugin: each command of Pulumi has its own."""
    return lambda: Plugin(settings_for(emulator), tmp_path, (engine.address,)).configure()


@pytest.fixture
def plugin(start: Callable[[], Plugin]) -> Iterator[Plugin]:
    """Return a configured plugin."""
    with start() as running:
        yield running
