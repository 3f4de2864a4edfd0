"""The local IoTDA for generated errors and pictures, and a clock that advances only during a sleep."""

from __future__ import annotations

import contextlib
import os
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from unittest import mock

from pulumi_iotda_ota.emulator import Emulator
from pulumi_iotda_ota.iotda.retry import Clock
from pulumi_iotda_ota.lookup.session import NO_MEMO

if TYPE_CHECKING:
    from collections.abc import Iterator

METER: dict[str, Any] = {"package_type": "firmwarePackage", "product_id": "smart-meter"}
_PROJECT = "0123456789abcdef0123456789abcdef"
_PREFIXES = ("HW_", "HUAWEICLOUD_", "PULUMI_")


class Time:
    """A clock for the library and for the service. A sleep returns at once, and every run is the same."""

    def __init__(self) -> None:
        self.now = datetime.now(timezone.utc)

    def __call__(self) -> float:
        """Return the time for the service, in seconds."""
        return self.now.timestamp()

    def sleep(self, seconds: float) -> None:
        """Advance the clock."""
        self.now += timedelta(seconds=seconds)

    @property
    def clock(self) -> Clock:
        """Return the clock for the library."""
        return Clock(now=lambda: self.now, monotonic=self, sleep=self.sleep)


@contextlib.contextmanager
def running(time: Time | None = None) -> Iterator[Emulator]:
    """Run an emulator, with an environment that leads to it and has no other settings.

    Args:
        time: its clock. Default: the clock of the machine.
    """
    others = {name: value for name, value in os.environ.items() if not name.startswith(_PREFIXES)}
    with Emulator(project_id=_PROJECT, clock=time, auth_clock=time) as emulator:
        settings = {
            **emulator.environment,
            "HUAWEICLOUD_SDK_CREDENTIALS_FILE": os.devnull,
            NO_MEMO: "1",
        }
        with mock.patch.dict(os.environ, others | settings, clear=True):
            yield emulator
