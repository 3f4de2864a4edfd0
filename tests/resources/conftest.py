"""The bench of the life cycles: the emulator over a socket, and a simulated clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.emulator import Emulator
from tests.conftest import settings_for
from tests.support.resource_bench import SEED, Bench, FakeTime

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Return a service with a few packages, and the world that leads to it."""
    time = FakeTime()
    with Emulator(
        SEED, clock=time, auth_clock=time, device_seconds=5, initializing_seconds=1, stopping_seconds=3
    ) as emulator:
        bench = Bench(emulator, time, settings_for(emulator))
        yield bench
        bench.run.close()
