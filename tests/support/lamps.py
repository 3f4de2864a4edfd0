"""Firmware of a lamp, which a test uploads, and the arguments of lookups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator


METER: dict[str, Any] = {"package_type": "firmwarePackage", "product_id": "smart-meter"}


def upload(emulator: Emulator, version: str, *, signed: bool, **more: str) -> str:
    """Upload a lamp's firmware with a checksum or without; return its id."""
    location = {"region_name": "r", "bucket_name": "b-1", "object_key": version}
    checksum = {"sign_method": "SHA256", "sign": "ab" * 32} if signed else {}
    file_location = {"obs_location": {**location, **checksum}}
    return emulator.add_package(product_id="lamp", version=version, file_location=file_location, **more)


LAMP: dict[str, Any] = {"package_type": "firmwarePackage", "product_id": "lamp"}
