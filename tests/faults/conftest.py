"""What the tests of tests/faults share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.login_bench import Bench

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator


@pytest.fixture
def bench(emulator: Emulator) -> Bench:
    """Return a bench over the usual emulator."""
    return Bench(emulator)
