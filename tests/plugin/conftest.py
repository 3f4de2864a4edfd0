"""A plugin whose environment leads to the emulator."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from pulumi.runtime.proto import plugin_pb2

from tests.conftest import settings_for
from tests.support.plugin_process import SECONDS, Engine, Plugin

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
    """Return a function that starts the plugin of another command of Pulumi, with another engine."""
    with ExitStack() as engines:
        yield lambda: Plugin(settings_for(emulator), tmp_path, (engines.enter_context(Engine()).address,)).configure()


@pytest.fixture
def beside(emulator: Emulator, engine: Engine, tmp_path: Path) -> Callable[..., Plugin]:
    """Return what starts the process of another provider in the run of the plugin."""

    def begin(**environment: str) -> Plugin:
        return Plugin({**settings_for(emulator), **environment}, tmp_path, (engine.address,)).configure()

    return begin


@pytest.fixture
def started(beside: Callable[[], Plugin]) -> Iterator[Plugin]:
    """Return a configured plugin that the engine has started, as one of the processes of a run."""
    with beside() as running:
        yield running


@pytest.fixture(scope="session")
def attachable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plugin]:
    """Return a process that engines attach to: it serves one test after another, as it serves runs."""
    with Plugin({}, tmp_path_factory.mktemp("attachable"), ()) as running:
        yield running


@pytest.fixture
def plugin(attachable: Plugin, engine: Engine, emulator: Emulator) -> Plugin:
    """Return a configured plugin that the engine has attached to, whose settings lead to the emulator."""
    attachable.stub.Attach(plugin_pb2.PluginAttach(address=engine.address), timeout=SECONDS)
    return attachable.configure(
        endpoint=emulator.endpoint,
        region=emulator.region,
        projectId=emulator.project_id,
        accessKey=emulator.access_key,
        secretKey=emulator.secret_key,
    )
