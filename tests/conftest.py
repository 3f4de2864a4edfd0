"""What every lane shares: a clean environment, and an emulator whose address is in it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.emulator import Emulator
from tests import fuzzing

if TYPE_CHECKING:
    from collections.abc import Iterator

# The fixtures are tested in test runs of their own.
pytest_plugins = ["pytester"]

# Importing it makes every property test as long as was asked for.
assert fuzzing.FACTOR >= 1

_OURS = ("HW_", "HUAWEICLOUD_", "PULUMI_", "OS_")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep settings of whoever runs the tests out of them."""
    for name in list(os.environ):
        if name.startswith(_OURS) or name.upper() in _PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE", os.devnull)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Return a running emulator with its default catalogue."""
    with Emulator() as running:
        yield running


def settings_for(emulator: Emulator) -> dict[str, str]:
    """Return the environment variables that lead to an emulator."""
    return emulator.environment


@pytest.fixture
def service(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Return a running emulator that the environment leads to."""
    for name, value in settings_for(emulator).items():
        monkeypatch.setenv(name, value)
    return emulator
