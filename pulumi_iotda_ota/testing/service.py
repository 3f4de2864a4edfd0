"""A client for tests, which returns what the service would return about a list of packages. It sends nothing.

It replaces the client of the service. Lookup, selection and the life cycles of resources stay the real ones. It knows
the filters and the order of the lists, and how the devices of a task end. A task ends as soon as it begins. Source: the
API pages ListOtaPackageInfo, ShowOtaPackage and CreateBatchTask.
"""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from pulumi_iotda_ota.iotda.auth.connection import resolve
from pulumi_iotda_ota.iotda.auth.connection_model import Connection
from pulumi_iotda_ota.iotda.errors import InputError, ServiceError
from pulumi_iotda_ota.iotda.limits import MAX_PAGE
from pulumi_iotda_ota.iotda.models import (
    API_TIME,
    BatchTask,
    OtaPackage,
    TargetResult,
    TargetResults,
    TaskDetail,
    TaskError,
    TaskProgress,
)
from pulumi_iotda_ota.iotda.retry import SYSTEM_CLOCK, Clock
from pulumi_iotda_ota.lookup.session import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.models import PackageQuery
    from pulumi_iotda_ota.testing.devices import DeviceShelf

R = TypeVar("R")

_FILTERS = ("package_type", "app_id", "product_id", "version")
_FIELDS = tuple(field.name for field in dataclasses.fields(OtaPackage))
_READ = TypeAdapter(OtaPackage)
_FIRST_UPLOAD = datetime(2026, 1, 1, tzinfo=timezone.utc)
_NOT_FOUND = 404
_COUNTED_AS = {"Success": "success", "Fail": "fail", "Stopped": "stopped", "Waitting": "waitting"}

#: A connection that leads to no host: no name below `.invalid` has an address (RFC 6761).
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


def packages_of(packages: Iterable[Mapping[str, Any]]) -> list[OtaPackage]:
    """Return the packages of a test in the order of the service, the newest record first.

    Args:
        packages: the API's fields of each, in the order of their uploads. ``version`` and ``product_id`` are required.
            The default of ``create_time`` is a day after the package before. The default of ``package_id`` is made from
            the other fields.

    Raises:
        InputError: a field is missing, misspelt or of another type.
    """
    return [_package(number, fields) for number, fields in enumerate(packages)][::-1]


def _package(number: int, fields: Mapping[str, Any]) -> OtaPackage:
    place = f"packages[{number}]"
    for name in fields:
        if name not in _FIELDS:
            close = difflib.get_close_matches(name, _FIELDS, n=1)
            raise InputError(f"{place} has no field {name}" + (f": did you mean {close[0]}?" if close else ""))
    completed = {
        "package_type": "firmwarePackage",
        "app_id": "app",
        "create_time": (_FIRST_UPLOAD + timedelta(days=number)).strftime(API_TIME),
        **fields,
    }
    identity = [completed.get(name) for name in (*_FILTERS, "module_name")]
    completed.setdefault("package_id", hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32])
    try:
        # The same way as a response of the service is read.
        return _READ.validate_json(json.dumps(completed))
    except ValidationError as error:
        problem = error.errors()[0]
        raise InputError(f"{place}.{'.'.join(map(str, problem['loc']))}: {problem['msg']}") from None


class MockRun(Run):
    """A run whose only client has a list of packages, and whose waits take no time.

    Args:
        packages: the packages, in the order of the service.
        groups: the devices of each group. A group that is not listed has one device, with the name of the group.
        failed_devices: the devices that fail, and the error message of each.
        locked: returns the fields of each locked package. These packages exist too, but no list has them.
        devices: returns a reader of devices.
    """

    def __init__(
        self,
        packages: Sequence[OtaPackage],
        groups: Mapping[str, Sequence[str]],
        failed_devices: Mapping[str, str],
        locked: Callable[[], Iterable[Mapping[str, Any]]],
        devices: Callable[[], DeviceShelf],
    ) -> None:
        super().__init__(memo=False, clock=_clock_without_waits())
        self._client = _MockClient(packages, groups, failed_devices, locked, devices, clock=self.clock)

    @property
    def task_bodies(self) -> list[dict[str, Any]]:
        """Return the bodies of CreateBatchTask, in order."""
        return self._client.task_bodies()

    def client(self, connection: ResolvedConnection) -> Any:  # noqa: ARG002  every connection leads here
        """Return the client."""
        return self._client


def _clock_without_waits() -> Clock:
    """Return a clock whose ``sleep`` only moves its time."""
    mutex, passed = threading.Lock(), [0.0]

    def sleep(seconds: float) -> None:
        with mutex:
            passed[0] += seconds

    return Clock(
        now=lambda: SYSTEM_CLOCK.now() + timedelta(seconds=passed[0]),
        monotonic=lambda: SYSTEM_CLOCK.monotonic() + passed[0],
        sleep=sleep,
    )


class _OnePage(Iterator[R]):
    """Records of one page, as the client returns a list."""

    def __init__(self, records: Iterable[R]) -> None:
        self.requests = 1
        self._records = iter(list(records))

    def __next__(self) -> R:
        return next(self._records)

    def close(self) -> None:
        """End a list that is not read to its end."""


@dataclass
class _Task:
    body: Mapping[str, Any]
    id: str
    devices: tuple[str, ...]
    create_time: str
    waits: bool
    stopped: bool = False


class _MockClient:
    """Has the methods of the client that lookups and life cycles call. It ignores deadlines."""

    def __init__(
        self,
        packages: Sequence[OtaPackage],
        groups: Mapping[str, Sequence[str]],
        failed_devices: Mapping[str, str],
        locked: Callable[[], Iterable[Mapping[str, Any]]],
        devices: Callable[[], DeviceShelf],
        *,
        clock: Clock,
    ) -> None:
        self.connection = NOWHERE
        self.devices = devices
        self._clock = clock
        self._packages = list(packages)
        self._groups, self._failed_devices, self._locked = groups, failed_devices, locked
        self._tasks: dict[str, _Task] = {}
        self._mutex = threading.Lock()

    def task_bodies(self) -> list[dict[str, Any]]:
        with self._mutex:
            return [dict(task.body) for task in self._tasks.values()]

    def list_packages(self, query: PackageQuery, **_: Any) -> _OnePage[OtaPackage]:
        wanted = {name: getattr(query, name) for name in _FILTERS if getattr(query, name) is not None}
        fitting = (p for p in self._packages if all(getattr(p, name) == value for name, value in wanted.items()))
        # The service returns the file location only with a single package.
        return _OnePage(dataclasses.replace(package, file_location=None) for package in fitting)

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
        groups = (body.get("targets_filter") or {}).get("group_ids") or ()
        members = [device for group in groups for device in self._groups.get(group, [group])]
        devices = tuple(dict.fromkeys(body.get("targets") or members))
        with self._mutex:
            id_ = hashlib.sha256(f"{body['task_name']}/{len(self._tasks)}".encode()).hexdigest()[:24]
            create_time = self._clock.now().strftime(API_TIME)
            task = self._tasks[id_] = _Task(body, id_, devices, create_time, bool(body.get("need_confirm")))
        return _as_batch_task(task, "Initializing", TaskProgress())

    def list_batch_tasks(self, task_type: str, *_: Any, **__: Any) -> _OnePage[BatchTask]:
        with self._mutex:
            found = [task for task in self._tasks.values() if task.body["task_type"] == task_type]
        return _OnePage(self._as_it_is(task) for task in reversed(found))

    def show_batch_task(self, task_id: str, **_: Any) -> BatchTask:
        task = self._tasks.get(task_id)
        if task is None:
            raise _missing("task")
        return self._as_it_is(task)

    def list_task_details(self, task_id: str, *, status: str | None = None, **_: Any) -> _OnePage[TaskDetail]:
        task = self._tasks[task_id]
        states = [(device, self._status_of(task, device)) for device in task.devices]
        return _OnePage(
            TaskDetail(target=device, status=state, error=self._error_of(device) if state == "Fail" else None)
            for device, state in states
            if status in (None, state)
        )

    def stop_batch_task(self, task_id: str, *_: Any, **__: Any) -> TargetResults:
        return self._change(task_id, stopped=True)

    def confirm_batch_task(self, task_id: str, *_: Any, **__: Any) -> TargetResults:
        return self._change(task_id, waits=False)

    def retry_batch_task(self, task_id: str, *_: Any, **__: Any) -> TargetResults:
        # The devices fail again.
        return _accepted([device for device in self._tasks[task_id].devices if device in self._failed_devices])

    def delete_batch_task(self, task_id: str, **_: Any) -> None:
        with self._mutex:
            self._tasks.pop(task_id, None)

    def _change(self, task_id: str, **changes: bool) -> TargetResults:
        task = self._tasks[task_id]
        with self._mutex:
            waiting = [device for device in task.devices if task.waits]
            vars(task).update(changes)
        return _accepted(waiting)

    def _status_of(self, task: _Task, device: str) -> str:
        if task.waits:
            return "Stopped" if task.stopped else "Waitting"
        return "Fail" if device in self._failed_devices else "Success"

    def _error_of(self, device: str) -> TaskError:
        return TaskError(error_code="IOTDA.014290", error_msg=self._failed_devices[device])

    def _as_it_is(self, task: _Task) -> BatchTask:
        counts = Counter(self._status_of(task, device) for device in task.devices)
        counted = {name: counts[status] for status, name in _COUNTED_AS.items()}
        # If all devices have one state, the task has it too. A task without devices succeeds.
        status = "PartialSuccess" if len(counts) > 1 else next(iter(counts), "Success")
        return _as_batch_task(task, status, TaskProgress(total=len(task.devices), **counted))


def _as_batch_task(task: _Task, status: str, progress: TaskProgress) -> BatchTask:
    body = task.body
    return BatchTask(
        task_id=task.id,
        task_name=body["task_name"],
        task_type=body["task_type"],
        status=status,
        task_mode=body.get("task_mode"),
        need_confirm=body.get("need_confirm"),
        task_ext_info=body.get("task_ext_info"),
        targets=tuple(body["targets"]) if body.get("targets") else None,
        targets_filter=body.get("targets_filter"),
        document=body.get("document"),
        task_policy=body.get("task_policy"),
        status_desc="",
        task_progress=progress,
        create_time=task.create_time,
    )


def _accepted(devices: Sequence[str]) -> TargetResults:
    return TargetResults(targets=tuple(TargetResult(target=device, status="success") for device in devices))


def _missing(thing: str) -> ServiceError:
    # The status is documented, the code is not. This code stands for any.
    text = f"The {thing} does not exist."
    return ServiceError(text, status=_NOT_FOUND, error_code="IOTDA.000000", error_msg=text)
