"""What an emulator holds at the start: read from a file or a mapping, checked, and put in. Makes nothing up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from pulumi_iotda_ota.emulator.clocks import seconds_of
from pulumi_iotda_ota.emulator.devices import Behaviour
from pulumi_iotda_ota.emulator.errors import ApiError
from pulumi_iotda_ota.emulator.packages import Module
from pulumi_iotda_ota.emulator.shapes import (
    ApiTime,
    DeviceId,
    FileLocation,
    GroupId,
    ModuleBody,
    PackageFields,
    PackageId,
    RecordId,
    SpaceId,
    TaskBody,
    TaskId,
    problem_of,
)

if TYPE_CHECKING:
    from typing_extensions import Self

    from pulumi_iotda_ota.emulator.service import Service

S = TypeVar("S", bound=BaseModel)


class SeedError(ValueError):
    """A seed is not of the form it must have; the message names the place."""


# A seed is written by hand: a misspelt field is an error here, though the service lets it pass.
_STRICT = ConfigDict(extra="forbid", strict=True)


class SeedPackage(PackageFields):
    """A package: the API's fields; ``record_id`` decides the order by hand, else the newest upload comes first."""

    model_config = _STRICT

    package_id: PackageId
    create_time: ApiTime
    file_location: FileLocation | None = None
    product_name: str | None = None
    record_id: RecordId | None = None

    @cached_property
    def stored(self) -> tuple[dict[str, Any], float]:
        """Return the fields as the service stores them, and the upload time. One seed serves many emulators."""
        return self.model_dump(exclude_none=True, exclude={"record_id"}), seconds_of(self.create_time)


class SeedModule(ModuleBody):
    """An OTA module: the API's fields."""

    model_config = _STRICT

    module_id: PackageId
    create_time: ApiTime
    product_name: str | None = None


class SeedTask(TaskBody):
    """A task: the body of CreateBatchTask, and when it was created; with ``stopped`` it was stopped at once."""

    model_config = _STRICT

    task_id: TaskId | None = None
    create_time: ApiTime | None = None
    stopped: bool = False


class Seed(BaseModel):
    """All an emulator holds at the start."""

    model_config = _STRICT

    packages: list[SeedPackage] = []
    modules: list[SeedModule] = []
    groups: dict[GroupId, list[DeviceId]] = {}
    devices: dict[DeviceId, Behaviour] = {}
    tasks: list[SeedTask] = []
    spaces: list[SpaceId] = []

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        seen: set[str] = set()
        for index, package in enumerate(self.packages):
            if package.package_id in seen:
                raise ValueError(f"packages[{index}].package_id occurs twice")
            seen.add(package.package_id)
        return self


def load_seed(source: Mapping[str, Any] | str | Path) -> Seed:
    """Return a checked seed.

    Args:
        source: the seed itself, or the path of a JSON file that holds it.

    Raises:
        SeedError: it cannot be read or is not of the right form.
    """
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
    """Put a seed into a service.

    Raises:
        SeedError: a task refers to what is not there.
    """
    service.spaces.update(seed.spaces)
    # The oldest upload first: a newer record has a larger id.
    for package in sorted(seed.packages, key=lambda item: item.create_time):
        plant_package(package, service, package.stored[1])
    for module in seed.modules:
        service.spaces.add(module.app_id)
        fields = module.model_dump(exclude_none=True)
        service.modules.put(Module(service.ids.next(seconds_of(module.create_time)), fields))
    service.devices.groups.update({group: list(members) for group, members in seed.groups.items()})
    service.devices.behaviours.update(seed.devices)
    for index, task in enumerate(seed.tasks):
        plant_task(task, service, f"tasks[{index}]")


def plant_package(package: SeedPackage, service: Service, at: float | None = None) -> str:
    """Put a package into a service; return its id.

    Args:
        package: the package.
        service: where it goes.
        at: the time in its record id; now by default.
    """
    fields, _ = package.stored
    record = int(package.record_id, 16) if package.record_id else service.ids.next(at or service.clock())
    return service.add_package(fields, record).package_id


def plant_task(task: SeedTask, service: Service, name: str) -> str:
    """Put a task into a service; return its id.

    Raises:
        SeedError: it refers to what is not there.
    """
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
    """Return ``content`` in its shape.

    Raises:
        SeedError: it breaks a limit; the message begins with ``name`` and the place.
    """
    try:
        return shape.model_validate(content)
    except ValidationError as exc:
        raise SeedError(f"{name}: {problem_of(exc)}") from exc
