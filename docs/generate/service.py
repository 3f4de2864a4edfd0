"""The local IoTDA that errors and pictures are taken from, and a time that passes only where somebody waits."""

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

__all__ = ["METER", "Time", "running"]

METER: dict[str, Any] = {"package_type": "firmwarePackage", "product_id": "smart-meter"}
_PROJECT = "0123456789abcdef0123456789abcdef"
_OURS = ("HW_", "HUAWEICLOUD_", "PULUMI_")


class Time:
    """Time for our code and for the service; nobody waits, and every run is the same."""

    def __init__(self) -> None:
        self.now = datetime.now(timezone.utc)

    def __call__(self) -> float:
        """Return the time as the service reads it."""
        return self.now.timestamp()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    @property
    def clock(self) -> Clock:
        """Return the time as our code reads it."""
        return Clock(now=lambda: self.now, monotonic=self, sleep=self.sleep)


@contextlib.contextmanager
def running(time: Time | None = None) -> Iterator[Emulator]:
    """Run an emulator that the environment leads to, and nothing else.

    Args:
        time: the time that it goes by; the usual one by default.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    with Emulator(project_id=_PROJECT, clock=time, auth_clock=time) as emulator:
        settings = {
            **emulator.environment,
            "HUAWEICLOUD_SDK_CREDENTIALS_FILE": os.devnull,
            NO_MEMO: "1",
        }
        with mock.patch.dict(os.environ, kept | settings, clear=True):
            yield emulator
