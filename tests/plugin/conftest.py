"""A plugin whose environment leads to the emulator."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.conftest import settings_for
from tests.support.plugin_process import Engine, Plugin

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
def start(emulator: Emulator, tmp_path: Path) -> Iterator[Callable[[], Plugin]]:
    """Return what starts the plugin of another command of Pulumi, which has an engine of its own."""
    with ExitStack() as engines:
        yield lambda: Plugin(settings_for(emulator), tmp_path, (engines.enter_context(Engine()).address,)).configure()


@pytest.fixture
def beside(emulator: Emulator, engine: Engine, tmp_path: Path) -> Callable[..., Plugin]:
    """Return what starts the process of another provider in the run of the plugin."""

    def begin(**environment: str) -> Plugin:
        return Plugin({**settings_for(emulator), **environment}, tmp_path, (engine.address,)).configure()

    return begin


@pytest.fixture
def plugin(beside: Callable[[], Plugin]) -> Iterator[Plugin]:
    """Return a configured plugin."""
    with beside() as running:
        yield running
