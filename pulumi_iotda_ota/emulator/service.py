"""The state of one emulated IoTDA, and the checks that its operations share. No HTTP except a request's fields."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from pulumi_iotda_ota.emulator.behavior import Clock, api_time
from pulumi_iotda_ota.emulator.devices import DeviceStore
from pulumi_iotda_ota.emulator.messages import ApiError
from pulumi_iotda_ota.emulator.paging import RecordIds
from pulumi_iotda_ota.emulator.shapes import TaskBody, problem_of
from pulumi_iotda_ota.emulator.tasks import TaskStore, schedule_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.emulator.behavior import Pace, Switches
    from pulumi_iotda_ota.emulator.messages import Request
    from pulumi_iotda_ota.emulator.tasks import Task

S = TypeVar("S", bound=BaseModel)

_FILTERS = ("package_type", "app_id", "product_id", "version")
_TYPE_OF_UPGRADE = {
    "softwareUpgrade": "softwarePackage",
    "firmwareUpgrade": "firmwarePackage",
    "moduleUpgrade": "modulePackage",
}


@dataclass(frozen=True)
class Package:
    """One package: the hidden record id that orders lists, and the fields of the API."""

    record: int
    fields: dict[str, Any]

    @property
    def package_id(self) -> str:
        """Return the id that users see."""
        return str(self.fields["package_id"])

    def summary(self) -> dict[str, Any]:
        """Return the package as a list has it."""
        return {name: value for name, value in self.fields.items() if name != "file_location"}

    def detail(self) -> dict[str, Any]:
        """Return the package as ShowOtaPackage returns it."""
        return dict(self.fields)


@dataclass
class PackageStore:
    """All packages, and the results of the filters that were used since the last change."""

    _by_id: dict[str, Package] = field(default_factory=dict)
    _found: dict[tuple[Any, ...], list[Package]] = field(default_factory=dict)
    _product_names: dict[str, str] = field(default_factory=dict)
    _spaces: dict[str, str] = field(default_factory=dict)

    def copy(self) -> PackageStore:
        """Return another store of the same packages."""
        return PackageStore(dict(self._by_id), {}, dict(self._product_names), dict(self._spaces))

    def add(self, package: Package) -> None:
        """Add a package."""
        self._by_id[package.package_id] = package
        if package.fields.get("product_name"):
            self._product_names[package.fields["product_id"]] = package.fields["product_name"]
        self._spaces[package.fields["product_id"]] = package.fields["app_id"]
        self._found.clear()

    def get(self, package_id: str) -> Package | None:
        """Return a package, or None."""
        return self._by_id.get(package_id)

    def delete(self, package_id: str) -> bool:
        """Delete a package; return whether it was there."""
        self._found.clear()
        return self._by_id.pop(package_id, None) is not None

    def find(self, filters: dict[str, Any]) -> list[Package]:
        """Return the packages that match every given filter, largest record id first."""
        wanted = tuple((name, filters[name]) for name in _FILTERS if filters.get(name) is not None)
        # The requests for many pages repeat a filter.
        if wanted not in self._found:
            matching = (
                package
                for package in self._by_id.values()
                if all(package.fields.get(name) == value for name, value in wanted)
            )
            self._found[wanted] = sorted(matching, key=lambda package: -package.record)
        return self._found[wanted]

    def space_of_product(self, product_id: str) -> str | None:
        """Return the space of the package of the product that was added last, or None."""
        return self._spaces.get(product_id)

    def name_of_product(self, product_id: str) -> str | None:
        """Return the product name in a package of the product, or None."""
        return self._product_names.get(product_id)


class Service:
    """One emulated IoTDA.

    Args:
        switches: the undocumented behaviour.
        pace: how long things take.
        clock: the time of devices, tasks and uploads.
        default_app_id: the space of a task that has no ``app_id``.
    """

    def __init__(self, switches: Switches, pace: Pace, clock: Clock, default_app_id: str) -> None:
        self.switches = switches
        self.clock = clock
        self.default_app_id = default_app_id
        self.ids = RecordIds()
        self.packages = PackageStore()
        self.devices = DeviceStore()
        self.tasks = TaskStore(self.devices, self.ids, pace)
        self.spaces = {default_app_id}
        #: The time before which a search is refused.
        self.next_search = 0.0

    def add_packages_of(self, other: Service) -> None:
        """Add the packages of another service to this new one. Packages do not change, so both can hold them."""
        self.packages = other.packages.copy()
        self.ids.follow(other.ids)
        self.spaces |= other.spaces

    def add_package(self, fields: Mapping[str, Any], record: int | None = None) -> Package:
        """Add a package whose fields were checked, and fill in id, time and product name if they are missing."""
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
        """Create a task, or refuse it if a package, space or group is missing or does not fit."""
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
        """Refuse a list without a space, if the switches require one, or with a space that does not exist."""
        if app_id is None and self.switches.unscoped == "refuse" and len(self.spaces) > 1:
            raise ApiError("space_needed")
        self.require_space(app_id)

    def require_package(self, package_id: str) -> Package:
        """Return a package, or refuse an unknown id."""
        package = self.packages.get(package_id)
        if package is None:
            raise ApiError("package_missing")
        return package

    def require_task(self, task_id: str) -> Task:
        """Return a task, or refuse an unknown id."""
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
    """Return ``content`` in its shape, or refuse what breaks a documented limit."""
    try:
        return shape.model_validate(content)
    except ValidationError as exc:
        raise ApiError("invalid", problem_of(exc)) from exc


def body_of(shape: type[S], request: Request) -> S:
    """Return the JSON body of a request in its shape, or refuse another type, other text or a broken limit."""
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
        raise ApiError("package_mix", f"{body.task_type} accepts {wanted} only.")
    if len({package.fields["product_id"] for package in packages}) > 1:
        raise ApiError("package_mix", "The packages are of several products.")
