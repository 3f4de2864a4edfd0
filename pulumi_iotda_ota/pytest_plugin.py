"""Fixtures of pytest for tests of stacks: a local IoTDA, and an environment that leads to it.

pytest finds them by itself if this package is installed. Nothing is loaded before a test uses a fixture. Only then the
extra ``emulator`` is needed.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator

__all__ = ["iotda_ota_emulator", "iotda_ota_environment", "iotda_ota_seed"]

_SETTINGS = ("HW_", "HUAWEICLOUD_", "PULUMI_IOTDA_OTA_")
_LOCAL = "127.0.0.1"


@pytest.fixture
def iotda_ota_seed() -> Mapping[str, Any] | str | Path | None:
    """Return the seed of the emulator. Override it in a conftest or a module to set other packages.

    A seed is a mapping ``{"packages": [...], "groups": {...}, "devices": {...}, "tasks": [...]}`` with fields of the
    API, or the path of a JSON file with one. None is the built-in catalogue: 1,204 packages, 40 devices in two groups.
    """
    return None


@pytest.fixture
def iotda_ota_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the settings of the user from the environment, so that no test leads to an account."""
    for name in list(os.environ):
        if name.startswith(_SETTINGS):
            monkeypatch.delenv(name)
    for name in ("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "HW_SHARED_CONFIG_FILE"):
        monkeypatch.setenv(name, os.devnull)


@pytest.fixture
def iotda_ota_emulator(
    iotda_ota_seed: Mapping[str, Any] | str | Path | None,
    iotda_ota_environment: None,  # noqa: ARG001  it removes other settings first
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Emulator]:
    """Return a running local IoTDA, a new one for each test. The ``HW_*`` variables lead to it until the test ends.

    ``add_package``, ``set_device`` and ``set_group`` change its content. ``packages``, ``tasks`` and ``requests`` list
    what exists and which requests arrived. ``faults.add(...)`` adds a fault to responses.
    """
    from pulumi_iotda_ota.emulator import Emulator  # noqa: PLC0415  only when a test uses it

    with Emulator(iotda_ota_seed) as emulator:
        for name, value in emulator.environment.items():
            monkeypatch.setenv(name, value)
        for name in ("NO_PROXY", "no_proxy"):
            # No proxy of the machine leads to this process.
            monkeypatch.setenv(name, ",".join(filter(None, [os.environ.get(name), _LOCAL])))
        yield emulator
