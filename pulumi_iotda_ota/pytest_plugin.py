"""Fixtures of pytest for tests of stacks: a local IoTDA, and an environment that leads to it.

pytest finds them by itself where this package is installed. Nothing is loaded before a test asks for one, and the
emulator's own requirement, the extra ``emulator``, is needed only then.
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
    """Return what the emulator holds at the start; override it in a conftest or a module for packages of your own.

    A mapping ``{"packages": [...], "groups": {...}, "devices": {...}, "tasks": [...]}`` with the API's fields, the path
    of a JSON file that holds one, or None for the built-in catalogue: 1,204 packages, 40 devices in two groups.
    """
    return None


@pytest.fixture
def iotda_ota_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the settings of whoever runs the tests out of the environment, so that none leads to an account."""
    for name in list(os.environ):
        if name.startswith(_SETTINGS):
            monkeypatch.delenv(name)
    for name in ("HUAWEICLOUD_SDK_CREDENTIALS_FILE", "HW_SHARED_CONFIG_FILE"):
        monkeypatch.setenv(name, os.devnull)


@pytest.fixture
def iotda_ota_emulator(
    iotda_ota_seed: Mapping[str, Any] | str | Path | None,
    iotda_ota_environment: None,  # noqa: ARG001  what was there before is taken out first
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Emulator]:
    """Return a running local IoTDA, a new one for each test; the ``HW_*`` variables lead to it until the test ends.

    ``add_package``, ``set_device`` and ``set_group`` change what it holds, ``packages``, ``tasks`` and ``requests``
    tell what it saw, ``faults.add(...)`` lets answers go wrong.
    """
    from pulumi_iotda_ota.emulator import Emulator  # noqa: PLC0415  loaded where it is used

    with Emulator(iotda_ota_seed) as emulator:
        for name, value in emulator.environment.items():
            monkeypatch.setenv(name, value)
        for name in ("NO_PROXY", "no_proxy"):
            # A proxy of the machine is none for what runs in this process.
            monkeypatch.setenv(name, ",".join(filter(None, [os.environ.get(name), _LOCAL])))
        yield emulator
