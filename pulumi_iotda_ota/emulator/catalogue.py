"""What an emulator holds without a seed: 1,204 packages of three products, and 40 meters in two groups.

Ids and upload times are fixed, so that examples and documents can quote them. Among the 41 firmware versions of the
meter are the cases a lookup must get right: V1.4.10 beside V1.4.9, a release candidate, and a late fix of an old line
that was uploaded after everything else.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.emulator.clocks import api_time, seconds_of

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_APP_ID = "energy"
_WATER_APP_ID = "water"
_NAMES = {"smart-meter": "Smart meter", "gateway": "Gateway", "water-valve": "Water valve"}
_HOUR = 3600.0
_BUCKET = "ota-packages"
_REGION = "cn-north-4"
# How many releases before a version may be upgraded to it; the API takes 20 at most.
_SOURCES = 16

_METER_PATCHES = {"V1.0": 6, "V1.1": 8, "V1.2": 8, "V1.3": 6, "V1.4": 12}
_METER_TIMES = {
    "V1.4.9": "20260914T083000Z",
    "V1.4.10": "20261002T090000Z",
    "V1.4.11": "20261016T101500Z",
    "V1.5.0-rc1": "20261103T160000Z",
    "V1.3.5": "20261110T071500Z",
}
_CANARY = 4
_METERS = 40


def default_seed() -> dict[str, Any]:
    """Return the seed of an emulator that was given none."""
    packages = [*_meter_firmware(), *_meter_software(), *_gateway_firmware(), *_gateway_software(), *_valve_packages()]
    meters = [f"meter-{number:04}" for number in range(1, _METERS + 1)]
    return {
        "packages": packages,
        "groups": {"canary": meters[:_CANARY], "fleet": meters[_CANARY:]},
        "devices": {meter: _meter(index) for index, meter in enumerate(meters)},
    }


def id_for(*parts: str) -> str:
    """Return 32 hexadecimal digits that are always the same for the same parts."""
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:32]


def stored_file(product_id: str, version: str, *, signed: bool) -> dict[str, Any]:
    """Return where the file of a package lies; the checksum is that of no real file."""
    location = {"region_name": _REGION, "bucket_name": _BUCKET, "object_key": f"{product_id}/{version}.bin"}
    if signed:
        digest = hashlib.sha256(f"{product_id}/{version}".encode()).hexdigest()
        location |= {"sign_method": "SHA256", "sign": digest}
    return {"obs_location": location}


def _package(kind: str, product_id: str, version: str, uploaded: str, **more: Any) -> dict[str, Any]:
    signed = more.pop("signed", True)
    return {
        "package_id": id_for(kind, product_id, version),
        "app_id": _WATER_APP_ID if product_id == "water-valve" else DEFAULT_APP_ID,
        "package_type": kind,
        "product_id": product_id,
        "product_name": _NAMES[product_id],
        "version": version,
        "create_time": uploaded,
        "file_location": stored_file(product_id, version, signed=signed),
        **more,
    }


def _uploads(first: str, hours: float) -> Iterator[str]:
    moment = seconds_of(first)
    while True:
        yield api_time(moment)
        moment += hours * _HOUR


def _meter_firmware() -> list[dict[str, Any]]:
    versions = [f"{line}.{patch}" for line, patches in _METER_PATCHES.items() for patch in range(patches)]
    versions.append("V1.5.0-rc1")
    uploads = _uploads("20250106T080000Z", hours=331)
    return [
        _package(
            "firmwarePackage",
            "smart-meter",
            version,
            _METER_TIMES.get(version, usual),
            support_source_versions=versions[max(0, index - _SOURCES) : index],
            description=f"Smart meter firmware {version}",
            # The first lines were uploaded without a checksum.
            signed=not version.startswith(("V1.0", "V1.1")),
        )
        for index, (version, usual) in enumerate(zip(versions, uploads, strict=False))
    ]


def _meter_software() -> list[dict[str, Any]]:
    versions = [f"1.{build // 50}.{build // 10 % 5}_B{build + 1:03}" for build in range(300)]
    uploads = _uploads("20250401T060000Z", hours=37)
    return [
        _package("softwarePackage", "smart-meter", version, uploaded, description="Metering application")
        for version, uploaded in zip(versions, uploads, strict=False)
    ]


def _gateway_firmware() -> list[dict[str, Any]]:
    versions = [
        f"V100R{release:03}C{customer:02}SPC{pack * 10:03}"
        for release in (1, 2, 3)
        for customer in (0, 10)
        for pack in range(10, 30)
    ]
    uploads = _uploads("20250210T090000Z", hours=120)
    return [
        _package("firmwarePackage", "gateway", version, uploaded, description="Gateway system image")
        for version, uploaded in zip(versions, uploads, strict=False)
    ]


def _gateway_software() -> list[dict[str, Any]]:
    versions = [f"2.{build // 20}.{build % 20}" for build in range(620)]
    uploads = _uploads("20250115T100000Z", hours=24)
    return [
        _package("softwarePackage", "gateway", version, uploaded, description="Nightly gateway agent")
        for version, uploaded in zip(versions, uploads, strict=False)
    ]


def _valve_packages() -> Iterator[dict[str, Any]]:
    for index, uploaded in zip(range(99), _uploads("20250301T070000Z", hours=150), strict=False):
        yield _package("firmwarePackage", "water-valve", f"3.{index // 9}.{index % 9}", uploaded)
    for index, uploaded in zip(range(24), _uploads("20260105T070000Z", hours=300), strict=False):
        version = f"1.{index // 6}.{index % 6}"
        yield _package("modulePackage", "water-valve", version, uploaded, module_name="valve-driver")


def _meter(index: int) -> dict[str, Any]:
    version = "V1.4.9" if index < _CANARY else ("V1.3.2", "V1.4.2", "V1.4.8")[index % 3]
    return {"product_id": "smart-meter", "version": version}
