"""What tests of packages with the real engine share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator


def made(emulator: Emulator) -> list[dict[str, Any]]:
    """Return the packages that are there beyond the catalogue, newest first."""
    return [package for package in emulator.packages if package["version"].startswith(("V7", "V8"))]
