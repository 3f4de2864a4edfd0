"""The state of one emulated IoTDA and the checks its operations share. No HTTP beyond reading a request's fields."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from pulumi_iotda_ota.emulator.clocks import Clock, api_time
from pulumi_iotda_ota.emulator.devices import DeviceStore
from pulumi_iotda_ota.emulator.errors import ApiError
from pulumi_iotda_ota.emulator.packages import ModuleStore, Package, PackageStore
from pulumi_iotda_ota.emulator.paging import RecordIds
from pulumi_iotda_ota.emulator.shapes import TaskBody, problem_of
from pulumi_iotda_ota.emulator.tasks import TaskStore, schedule_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.emulator.behavior import Pace, Switches
    from pulumi_iotda_ota.emulator.campaign import Task
    from pulumi_iotda_ota.emulator.messages import Request

S = TypeVar("S", bound=BaseModel)

_TYPE_OF_UPGRADE = {
    "softwareUpgrade": "softwarePackage",
    "firmwareUpgrade": "firmwarePackage",
    "moduleUpgrade": "modulePackage",
}


class Service:
    """One emulated IoTDA.

    Args:
        switches: what the documents leave open.
        pace: how long things take.
        clock: the time of devices, tasks and uploads.
        default_app_id: the space of a task that names none.
    """

    def __init__(self, switches: Switches, pace: Pace, clock: Clock, default_app_id: str) -> None:
        self.switches = switches
        self.clock = clock
        self.default_app_id = default_app_id
        self.ids = RecordIds()
        self.packages = PackageStore()
        self.modules = ModuleStore()
        self.devices = DeviceStore()
        self.tasks = TaskStore(self.devices, self.ids, pace)
        self.spaces = {default_app_id}
        #: The time before which a search is refused.
        self.next_search = 0.0

    def add_package(self, fields: Mapping[str, Any], record: int | None = None) -> Package:
        """Hold a package whose fields were checked; id, time and product name are added where they are missing."""
        full = {"package_id": secrets.token_hex(16), **fields}
        if "create_time" not in full:
            full["create_time"] = api_time(self.clock())
        name = self.packages.name_of_product(full["product_id"])
        if name:
            full.setdefault("product_name", name)
        package = Package(self.ids.next(self.clock()) if record is None else self.ids.take(record), full)
        self.packages.add(package)
        self.spaces.add(full["app_id"])
        return package

    def add_task(self, body: TaskBody, *, now: float | None = None, task_id: str | None = None) -> Task:
        """Make a task, checking what it refers to.

        Raises:
            ApiError: a package, space or group is missing, or they do not fit.
        """
        now = self.clock() if now is None else now
        app_id = body.app_id or self.default_app_id
        self.require_space(app_id)
        schedule_of(body, now)
        packages = [self.require_package(package_id) for package_id in body.document.ids]
        if self.switches.mixed_packages == "refuse":
            _require_fit(body, packages)
        first = packages[0].fields
        return self.tasks.add(
            body,
            app_id=app_id,
            version=first["version"],
            now=now,
            task_id=task_id,
            module_name=first.get("module_name"),
        )

    def require_space(self, app_id: str | None) -> None:
        """Refuse a space that does not exist."""
        if app_id is not None and app_id not in self.spaces:
            raise ApiError("space_missing")

    def require_scope(self, app_id: str | None) -> None:
        """Refuse a list of packages without a space, if the switches say so, or with one that does not exist."""
        if app_id is None and self.switches.unscoped == "refuse" and len(self.spaces) > 1:
            raise ApiError("space_needed")
        self.require_space(app_id)

    def require_package(self, package_id: str) -> Package:
        """Return a package.

        Raises:
            ApiError: there is none of this id.
        """
        package = self.packages.get(package_id)
        if package is None:
            raise ApiError("package_missing")
        return package

    def require_task(self, task_id: str) -> Task:
        """Return a task.

        Raises:
            ApiError: there is none of this id.
        """
        task = self.tasks.get(task_id)
        if task is None:
            raise ApiError("task_missing")
        return task


@dataclass(frozen=True)
class Call:
    """One request to an operation: the state, the request, and the ids in its path."""

    service: Service
    request: Request
    ids: Mapping[str, str]


def shaped(shape: type[S], content: Any) -> S:
    """Return ``content`` in its shape.

    Raises:
        ApiError: it breaks a documented limit.
    """
    try:
        return shape.model_validate(content)
    except ValidationError as exc:
        raise ApiError("invalid", problem_of(exc)) from exc


def body_of(shape: type[S], request: Request) -> S:
    """Return the JSON body of a request in its shape.

    Raises:
        ApiError: it is not JSON, is not said to be, or breaks a documented limit.
    """
    if not request.headers.get("Content-Type", "").startswith("application/json"):
        raise ApiError("format", "The content type must be application/json.")
    try:
        content = json.loads(request.body)
    except (ValueError, RecursionError) as exc:
        raise ApiError("format", "The body is not JSON.") from exc
    return shaped(shape, content)


def _require_fit(body: TaskBody, packages: list[Package]) -> None:
    wanted = _TYPE_OF_UPGRADE[body.task_type]
    if any(package.fields["package_type"] != wanted for package in packages):
        raise ApiError("package_mix", f"{body.task_type} takes {wanted} only.")
    if len({package.fields["product_id"] for package in packages}) > 1:
        raise ApiError("package_mix", "They are of several products.")
