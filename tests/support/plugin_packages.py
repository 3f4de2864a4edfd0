"""Packages as resources, through the plugin's process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.plugin_process import urn

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator


FW, FIRMWARE = urn("OtaPackage", "fw"), urn("OtaPackage", "firmware")


def there(emulator: Emulator, id_: str) -> bool:
    """Return whether a package is on the service."""
    return id_ in [package["package_id"] for package in emulator.packages]
