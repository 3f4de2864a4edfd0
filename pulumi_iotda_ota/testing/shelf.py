"""Packages on a shelf: answers what the service would answer about a list of packages, without sending anything.

It stands where the client stands, below lookup, selection and the life cycles of resources: those are the real ones.
What a shelf knows of the service is what its filters do and in which order it lists. Knows nothing of Pulumi.
Source: the API pages ListOtaPackageInfo, ShowOtaPackage and CreateBatchTask.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import threading
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from pulumi_iotda_ota.iotda.auth.connection import resolve
from pulumi_iotda_ota.iotda.auth.connection_model import Connection
from pulumi_iotda_ota.iotda.errors import InputError, ServiceError
from pulumi_iotda_ota.iotda.limits import MAX_PAGE
from pulumi_iotda_ota.iotda.models import API_TIME, OtaPackage
from pulumi_iotda_ota.iotda.retry import SYSTEM_CLOCK, Clock
from pulumi_iotda_ota.lookup.session import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.models import BatchTask, PackageQuery, TargetResults, TaskDetail
    from pulumi_iotda_ota.testing.campaigns import Campaigns
    from pulumi_iotda_ota.testing.devices import DeviceShelf

R = TypeVar("R")

_FILTERS = ("package_type", "app_id", "product_id", "version")
_FIELDS = tuple(field.name for field in dataclasses.fields(OtaPackage))
_READ = TypeAdapter(OtaPackage)
_FIRST_UPLOAD = datetime(2026, 1, 1, tzinfo=timezone.utc)
_NOT_THERE = 404

#: Where nothing is sent: no name below `.invalid` has an address (RFC 6761).
NOWHERE = resolve(
    Connection(
        region="cn-north-4",
        project_id="mocks",
        endpoint="https://mocks.invalid",
        access_key="mocks",
        secret_key="mocks",  # noqa: S106  nothing is signed with it
    ),
    config={},
    environ={},
)


def packages_of(given: Iterable[Mapping[str, Any]]) -> list[OtaPackage]:
    """Return the packages of a test in the service's order, the newest record first.

    Args:
        given: the API's fields of each, in the order of their uploads; ``version`` and ``product_id`` are required.
            Without a ``create_time`` each is uploaded a day after the one before it; without a ``package_id`` it has
            one made from what it is.

    Raises:
        InputError: a field is missing, misspelt or of another type.
    """
    return [_package(number, fields) for number, fields in enumerate(given)][::-1]


def _package(number: int, fields: Mapping[str, Any]) -> OtaPackage:
    place = f"packages[{number}]"
    for name in fields:
        if name not in _FIELDS:
            near = difflib.get_close_matches(name, _FIELDS, n=1)
            raise InputError(f"{place} has no field {name}" + (f": did you mean {near[0]}?" if near else ""))
    completed = {
        "package_type": "firmwarePackage",
        "app_id": "app",
        "create_time": (_FIRST_UPLOAD + timedelta(days=number)).strftime(API_TIME),
        **fields,
    }
    completed.setdefault("package_id", _id_of(completed))
    try:
        # Read as an answer of the service is.
        return _READ.validate_json(json.dumps(completed))
    except ValidationError as error:
        problem = error.errors()[0]
        raise InputError(f"{place}.{'.'.join(map(str, problem['loc']))}: {problem['msg']}") from None


def _id_of(fields: Mapping[str, Any]) -> str:
    what = [fields.get(name) for name in (*_FILTERS, "module_name")]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]


class Shelf(Run):
    """A run that asks a list of packages instead of a service, and waits for nothing.

    Args:
        packages: the packages, in the service's order.
        campaigns: the tasks.
        locked: returns the fields of each package that is locked: they are there too, for whoever knows their ids.
        devices: returns the reader of devices.
    """

    def __init__(
        self,
        packages: Sequence[OtaPackage],
        campaigns: Campaigns,
        locked: Callable[[], Iterable[Mapping[str, Any]]],
        devices: Callable[[], DeviceShelf],
    ) -> None:
        super().__init__(memo=False, clock=_impatient())
        self._answering: Any = _Answering(packages, campaigns, self.clock, locked, devices)

    def client(self, connection: ResolvedConnection) -> Any:  # noqa: ARG002  every connection leads here
        """Return what answers in the place of a client."""
        return self._answering


def _impatient() -> Clock:
    """Return a clock on which waiting takes no time, and is seen to have passed."""
    mutex, passed = threading.Lock(), [0.0]

    def sleep(seconds: float) -> None:
        with mutex:
            passed[0] += seconds

    return Clock(
        now=lambda: SYSTEM_CLOCK.now() + timedelta(seconds=passed[0]),
        monotonic=lambda: SYSTEM_CLOCK.monotonic() + passed[0],
        sleep=sleep,
    )


class _Listed(Iterator[R]):
    """Records in one page, as a walk through pages gives them."""

    def __init__(self, records: Iterable[R]) -> None:
        self.requests = 1
        self._records = iter(list(records))

    def __next__(self) -> R:
        return next(self._records)

    def close(self) -> None:
        """End as a walk does that is not used to its end."""


class _Answering:
    """Has the methods of the client by which lookups and life cycles ask; deadlines are of no use here."""

    def __init__(
        self,
        packages: Sequence[OtaPackage],
        campaigns: Campaigns,
        clock: Clock,
        locked: Callable[[], Iterable[Mapping[str, Any]]],
        devices: Callable[[], DeviceShelf],
    ) -> None:
        self.connection = NOWHERE
        self.devices = devices
        self._locked = locked
        self._packages = list(packages)
        self._campaigns = campaigns
        self._clock = clock
        self._mutex = threading.Lock()

    def list_packages(self, query: PackageQuery, **_: Any) -> _Listed[OtaPackage]:
        wanted = {name: getattr(query, name) for name in _FILTERS if getattr(query, name) is not None}
        fitting = (p for p in self._packages if all(getattr(p, name) == value for name, value in wanted.items()))
        # The file of a package is told of one package alone.
        return _Listed(dataclasses.replace(package, file_location=None) for package in fitting)

    def first_packages(self, query: PackageQuery, **_: Any) -> tuple[OtaPackage, ...]:
        return tuple(islice(self.list_packages(query), MAX_PAGE))

    def show_package(self, package_id: str, **_: Any) -> OtaPackage:
        for package in self._packages:
            if package.package_id == package_id:
                return package
        for fields in self._locked():
            if fields["package_id"] == package_id:
                return _READ.validate_json(json.dumps(dict(fields)))
        raise _missing("OTA package")

    def create_package(self, body: Mapping[str, Any], **_: Any) -> OtaPackage:
        with self._mutex:
            created = {**body, "create_time": self._clock.now().strftime(API_TIME)}
            package = _package(len(self._packages), created)
            self._packages.insert(0, package)
        return package

    def delete_package(self, package_id: str, **_: Any) -> None:
        with self._mutex:
            self._packages.remove(self.show_package(package_id))

    def create_batch_task(self, body: Mapping[str, Any], **_: Any) -> BatchTask:
        return self._campaigns.create(body, self._clock.now())

    def list_batch_tasks(self, task_type: str, *_: Any, **__: Any) -> _Listed[BatchTask]:
        return _Listed(self._campaigns.find(task_type))

    def show_batch_task(self, task_id: str, **_: Any) -> BatchTask:
        task = self._campaigns.show(task_id)
        if task is None:
            raise _missing("task")
        return task

    def list_task_details(self, task_id: str, *, status: str | None = None, **_: Any) -> _Listed[TaskDetail]:
        return _Listed(self._campaigns.details(task_id, status))

    def stop_batch_task(self, task_id: str, *_: Any, **__: Any) -> TargetResults:
        return self._campaigns.stop(task_id)

    def retry_batch_task(self, task_id: str, *_: Any, **__: Any) -> TargetResults:
        return self._campaigns.retry(task_id)

    def confirm_batch_task(self, task_id: str, *_: Any, **__: Any) -> TargetResults:
        return self._campaigns.confirm(task_id)

    def delete_batch_task(self, task_id: str, **_: Any) -> None:
        self._campaigns.delete(task_id)


def _missing(thing: str) -> ServiceError:
    # The status is documented, the code is not: one that stands for the service's own word.
    text = f"The {thing} does not exist."
    return ServiceError(text, status=_NOT_THERE, error_code="IOTDA.000000", error_msg=text)
