"""The packages, devices and tasks at the start: from a file, from a mapping, or the built-in catalogue.

The ids and upload times of the catalogue are fixed, so that examples and documents can quote them. The 41 firmware
versions of the meter have the cases that a lookup must handle: V1.4.10 beside V1.4.9, a release candidate, and a late
fix of an old line that was uploaded after everything else.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from pulumi_iotda_ota.emulator.behavior import Pace, Switches, api_time, seconds_of
from pulumi_iotda_ota.emulator.devices import Behaviour
from pulumi_iotda_ota.emulator.messages import ApiError
from pulumi_iotda_ota.emulator.service import Service
from pulumi_iotda_ota.emulator.shapes import (
    ApiTime,
    DeviceId,
    FileLocation,
    GroupId,
    PackageFields,
    PackageId,
    RecordId,
    SpaceId,
    TaskBody,
    TaskId,
    problem_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from typing_extensions import Self


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

S = TypeVar("S", bound=BaseModel)


class SeedError(ValueError):
    """A seed is not valid; the message names the place."""


# People write seeds: a misspelt field is an error here, although the service ignores it.
_STRICT = ConfigDict(extra="forbid", strict=True)


class SeedPackage(PackageFields):
    """A package: the API's fields. ``record_id`` sets the order; default: the newest upload comes first."""

    model_config = _STRICT

    package_id: PackageId
    create_time: ApiTime
    file_location: FileLocation | None = None
    product_name: str | None = None
    record_id: RecordId | None = None


class SeedTask(TaskBody):
    """A task: the body of CreateBatchTask, and when it was created. With ``stopped`` it was stopped at once."""

    model_config = _STRICT

    task_id: TaskId | None = None
    create_time: ApiTime | None = None
    stopped: bool = False


class Seed(BaseModel):
    """The packages, devices and tasks at the start."""

    model_config = _STRICT

    packages: list[SeedPackage] = []
    groups: dict[GroupId, list[DeviceId]] = {}
    devices: dict[DeviceId, Behaviour] = {}
    tasks: list[SeedTask] = []
    spaces: list[SpaceId] = []

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        ids: set[str] = set()
        for index, package in enumerate(self.packages):
            if package.package_id in ids:
                raise ValueError(f"packages[{index}].package_id occurs twice")
            ids.add(package.package_id)
        return self

    @property
    def default_app_id(self) -> str:
        """Return the space of a task that has no ``app_id``."""
        return self.packages[0].app_id if self.packages else DEFAULT_APP_ID

    @cached_property
    def stock(self) -> Service:
        """Return a service with the packages alone. Each emulator of this seed copies them, which is much faster."""
        stock = Service(Switches(), Pace(), time.time, self.default_app_id)
        # The oldest upload first: a newer record has a larger id.
        for package in sorted(self.packages, key=lambda item: item.create_time):
            plant_package(package, stock, seconds_of(package.create_time))
        return stock


def load_seed(source: Mapping[str, Any] | str | Path) -> Seed:
    """Return a checked seed, or raise SeedError; ``source`` is the seed, or the path of a JSON file."""
    if isinstance(source, Mapping):
        return checked(Seed, source, "seed")
    try:
        content = json.loads(Path(source).read_text(encoding="utf-8"))
    except OSError as exc:
        raise SeedError(f"{source}: {exc.strerror}") from exc
    except ValueError as exc:
        raise SeedError(f"{source}: not JSON: {exc}") from exc
    return checked(Seed, content, str(source))


def plant(seed: Seed, service: Service) -> None:
    """Add a seed to a service, or raise SeedError if a task refers to an unknown package, space or group."""
    service.spaces.update(seed.spaces)
    service.add_packages_of(seed.stock)
    service.devices.groups.update({group: list(members) for group, members in seed.groups.items()})
    service.devices.behaviours.update(seed.devices)
    for index, task in enumerate(seed.tasks):
        plant_task(task, service, f"tasks[{index}]")


def plant_package(package: SeedPackage, service: Service, at: float | None = None) -> str:
    """Add a package to a service, with the time ``at`` or now in its record id; return its id."""
    fields = package.model_dump(exclude_none=True, exclude={"record_id"})
    record = int(package.record_id, 16) if package.record_id else service.ids.next(at or service.clock())
    return service.add_package(fields, record).package_id


def plant_task(task: SeedTask, service: Service, name: str) -> str:
    """Add a task to a service, or raise SeedError that begins with ``name``; return its id."""
    created = seconds_of(task.create_time) if task.create_time else service.clock()
    if task.app_id:
        service.spaces.add(task.app_id)
    try:
        planted = service.add_task(task, now=created, task_id=task.task_id)
    except ApiError as exc:
        raise SeedError(f"{name}: {exc.message}") from exc
    if task.stopped:
        service.tasks.stop(planted, [], created)
    return str(planted.fields["task_id"])


def checked(shape: type[S], content: Any, name: str) -> S:
    """Return ``content`` in its shape, or raise SeedError that begins with ``name`` and the place."""
    try:
        return shape.model_validate(content)
    except ValidationError as exc:
        raise SeedError(f"{name}: {problem_of(exc)}") from exc


def default_seed() -> dict[str, Any]:
    """Return the built-in catalogue: 1,204 packages of three products, and 40 meters in two groups."""
    packages = [*_meter_firmware(), *_meter_software(), *_gateway_firmware(), *_gateway_software(), *_valve_packages()]
    meters = [f"meter-{number:04}" for number in range(1, _METERS + 1)]
    return {
        "packages": packages,
        "groups": {"canary": meters[:_CANARY], "fleet": meters[_CANARY:]},
        "devices": {meter: _meter(index) for index, meter in enumerate(meters)},
    }


def id_for(*parts: str) -> str:
    """Return 32 hexadecimal digits that are the same for the same parts."""
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:32]


def stored_file(product_id: str, version: str, *, signed: bool) -> dict[str, Any]:
    """Return the file location of a package; the checksum is that of no real file."""
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
