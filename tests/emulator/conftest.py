"""The fixtures of the emulator's tests: a clock that a test moves, an emulator on it, and a caller."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.emulator import Emulator, ManualClock
from tests.support.emulator_callers import Caller, calling

if TYPE_CHECKING:
    from collections.abc import Iterator

# 2026-11-22T12:00:00Z: after every upload of the catalogue.
NOON = 1_795_348_800.0


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that only the test moves."""
    return ManualClock(NOON)


@pytest.fixture
def emulator(clock: ManualClock) -> Emulator:
    """Return an emulator of easy times: a second to initialize, ten for an upgrade, a second to stop."""
    return Emulator(clock=clock, initializing_seconds=1, device_seconds=10, stopping_seconds=1)


@pytest.fixture
def call(emulator: Emulator) -> Iterator[Caller]:
    """Return a caller of the running emulator."""
    with calling(emulator) as caller:
        yield caller
