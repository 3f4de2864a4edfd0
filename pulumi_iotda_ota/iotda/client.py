"""The client of IoTDA's OTA operations: one method for each operation, each with one deadline.

``api.protocol`` builds requests and reads responses. ``executor`` retries, ``http.limiter`` limits and
``http.transport`` sends.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from pulumi_iotda_ota.iotda.api import protocol
from pulumi_iotda_ota.iotda.devices import DeviceReader
from pulumi_iotda_ota.iotda.errors import ProtocolError
from pulumi_iotda_ota.iotda.executor import Caller
from pulumi_iotda_ota.iotda.http.limiter import PROCESS_LIMITER
from pulumi_iotda_ota.iotda.http.transport import HttpTransport
from pulumi_iotda_ota.iotda.limits import MAX_PAGE
from pulumi_iotda_ota.iotda.login import PROCESS_TOKENS, AccountLogin
from pulumi_iotda_ota.iotda.models import UnreadableRecord
from pulumi_iotda_ota.iotda.paging.marker import Page, Records, walk
from pulumi_iotda_ota.iotda.paging.parallel import walk_together
from pulumi_iotda_ota.iotda.retry import SYSTEM_CLOCK, Deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from typing_extensions import Self

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.http.limiter import RequestLimiter
    from pulumi_iotda_ota.iotda.http.messages import Request
    from pulumi_iotda_ota.iotda.login import TokenCache
    from pulumi_iotda_ota.iotda.models import (
        BatchTask,
        ListedDevice,
        ListedPackage,
        ListedTask,
        OtaPackage,
        OtaPackagePage,
        PackageQuery,
        PageInfo,
        TargetResults,
    )
    from pulumi_iotda_ota.iotda.paging.parallel import PageRequest
    from pulumi_iotda_ota.iotda.retry import Clock

Record = TypeVar("Record")


class Client:
    """Sends requests to one IoTDA endpoint; safe to use from several threads, and a context manager.

    Several calls can share one ``deadline``. Without it, a call has the deadline of the connection. The methods raise
    only errors of ``iotda.errors``, and ``InputError`` before anything is sent.

    Args:
        connection: the resolved connection.
        clock: the time.
        limiter: the request limiter; all clients of a process share one.
        token_cache: the credentials from IAM; all clients of a process share one.
    """

    def __init__(
        self,
        connection: ResolvedConnection,
        *,
        clock: Clock = SYSTEM_CLOCK,
        limiter: RequestLimiter = PROCESS_LIMITER,
        token_cache: TokenCache = PROCESS_TOKENS,
    ) -> None:
        self.connection = connection
        self._clock = clock
        self._limiter = limiter
        self._transport = HttpTransport(connection, clock=clock)
        self._login = AccountLogin(connection, clock=clock, limiter=limiter, token_cache=token_cache)
        self._caller = Caller(connection, self._transport, clock=clock, limiter=limiter, login=self._login)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def complete(self, *, deadline: Deadline | None = None) -> ResolvedConnection:
        """Return the connection with its project. If no setting has the project, IAM returns it."""
        if not self.connection.project_id:
            project_id = self._login.ready(self._bound(deadline)).project_id
            self.connection = replace(self.connection, project_id=project_id)
        return self.connection

    def list_packages(
        self, query: PackageQuery, *, deadline: Deadline | None = None, eager: bool = True
    ) -> Records[PageRequest, ListedPackage]:
        """Return all packages of a query, newest first; several pages are fetched at the same time.

        In every list, an ``UnreadableRecord`` stands for a record that cannot be judged.

        Args:
            query: the filters that the service applies.
            deadline: the deadline of the whole walk.
            eager: whether all packages will be used; otherwise no more pages are fetched than were used already.
        """
        protocol.list_packages(query)  # a wrong filter is an error here, not at the first record

        def request(page: PageRequest) -> Request[OtaPackagePage]:
            return protocol.list_packages(query, marker=page.place.marker, offset=page.place.offset or None)

        return self._walk_together(request, _package_id, self._bound(deadline), eager=eager)

    def _walk_together(
        self,
        request: Callable[[PageRequest], Request[Any]],
        key: Callable[[Any], str],
        deadline: Deadline,
        *,
        eager: bool = True,
    ) -> Records[PageRequest, Any]:
        """Return the records of a list whose pages are fetched several at a time.

        Args:
            request: builds the request for a page.
            key: returns the id of a record.
            deadline: the bound of the whole walk.
            eager: whether all records will be used.
        """
        stopped = threading.Event()
        bound = replace(deadline, over=stopped.is_set)

        def fetch_page(page: PageRequest) -> Page[Any]:
            found = self._caller.call(request(page), bound, once=page.ahead, after=page.after)
            return _page(getattr(found, found.records), found.page)

        def walk_ahead(fetch: Callable[[PageRequest], Page[Any]]) -> Generator[Any, None, None]:
            with self._limiter.walking(self.connection) as width:
                yield from walk_together(fetch, key=key, width=width, stopped=stopped, eager=eager)

        return Records(fetch_page, walk_ahead)

    def devices(self) -> DeviceReader:
        """Return a new reader of devices, which counts its requests."""
        credential = self.connection.credential.parts
        return DeviceReader(self._caller, self._walk_together, clock=self._clock, credential=credential)

    def first_packages(self, query: PackageQuery, *, deadline: Deadline | None = None) -> tuple[OtaPackage, ...]:
        """Return the packages of the first page that can be judged: one request, the newest packages."""
        found = self._caller.call(protocol.list_packages(query), self._bound(deadline)).packages
        return tuple(package for package in found or () if not isinstance(package, UnreadableRecord))

    def show_package(self, package_id: str, *, deadline: Deadline | None = None) -> OtaPackage:
        """Return one package with its file location; a missing one is a ServiceError of status 404."""
        return self._caller.call(protocol.show_package(package_id), self._bound(deadline))

    def create_package(self, body: Mapping[str, object], *, deadline: Deadline | None = None) -> OtaPackage:
        """Create an OTA package. The request is repeated only if it was certainly not accepted.

        Raises:
            OutcomeUnknown: the service can have accepted it; list the packages before you create another.
        """
        return self._caller.call(protocol.create_package(body), self._bound(deadline))

    def delete_package(self, package_id: str, *, deadline: Deadline | None = None) -> None:
        """Delete a package, not its object in OBS; a missing one is a ServiceError of status 404."""
        self._caller.call(protocol.delete_package(package_id), self._bound(deadline))

    def create_batch_task(self, body: Mapping[str, object], *, deadline: Deadline | None = None) -> BatchTask:
        """Create an upgrade task. The request is repeated only if it was certainly not accepted.

        Raises:
            OutcomeUnknown: the service can have accepted it; list the tasks before you create another.
        """
        request = protocol.create_batch_task(body, now=self._clock.now())
        return self._caller.call(request, self._bound(deadline))

    def list_batch_tasks(
        self,
        task_type: str,
        app_id: str | None = None,
        status: str | None = None,
        *,
        deadline: Deadline | None = None,
    ) -> Records[str | None, ListedTask]:
        """Return all tasks of one type, newest first; a page is fetched when it is needed.

        A task can have 30,000 targets. If a page is larger than the limit of a response, smaller pages are fetched.

        Args:
            task_type: the type; the service lists one type at a time.
            app_id: the resource space, or None.
            status: the status, or None for all.
            deadline: the deadline of the whole walk.
        """
        limit = MAX_PAGE

        def page(marker: str | None) -> Page[ListedTask]:
            nonlocal limit
            request = protocol.list_batch_tasks(task_type, app_id=app_id, status=status, limit=limit, marker=marker)
            try:
                found = self._caller.call(request, bound)
            except ProtocolError as error:
                if not error.oversized or limit == 1:
                    raise
                limit = max(1, limit // 4)
                return page(marker)
            return _page(found.batchtasks, found.page, limit)

        bound = self._bound(deadline)
        protocol.list_batch_tasks(task_type, app_id=app_id, status=status)
        return Records(page, partial(walk, key=_task_id))

    def show_batch_task(self, task_id: str, *, deadline: Deadline | None = None) -> BatchTask:
        """Return one task without its devices; a missing one is a ServiceError of status 404."""
        return self._caller.call(protocol.show_batch_task(task_id, limit=1), self._bound(deadline)).batchtask

    def list_task_details(
        self, task_id: str, *, status: str | None = None, deadline: Deadline | None = None
    ) -> Records[str | None, ListedDevice]:
        """Return the devices of a task, of one status or of all; a page is fetched when it is needed."""

        def page(marker: str | None) -> Page[ListedDevice]:
            found = self._caller.call(protocol.show_batch_task(task_id, status=status, marker=marker), bound)
            return _page(found.task_details, found.page)

        bound = self._bound(deadline)
        protocol.show_batch_task(task_id, status=status)
        return Records(page, partial(walk, key=_target, counts_records=False))

    def stop_batch_task(
        self, task_id: str, targets: Sequence[str] = (), *, deadline: Deadline | None = None
    ) -> TargetResults:
        """Stop at most 100 devices of a task, or all of them if ``targets`` is empty."""
        return self._caller.call(protocol.stop_batch_task(task_id, targets), self._bound(deadline))

    def retry_batch_task(
        self, task_id: str, targets: Sequence[str] = (), *, deadline: Deadline | None = None
    ) -> TargetResults:
        """Retry at most 100 devices of a task, or all failed and stopped devices if ``targets`` is empty.

        Raises:
            OutcomeUnknown: the service can have accepted it; read the task before you retry again.
        """
        return self._caller.call(protocol.retry_batch_task(task_id, targets), self._bound(deadline))

    def confirm_batch_task(
        self, task_id: str, targets: Sequence[str] = (), *, deadline: Deadline | None = None
    ) -> TargetResults:
        """Confirm at most 100 waiting devices of a task, or all of them if ``targets`` is empty.

        Raises:
            OutcomeUnknown: the service can have accepted it; read the task before you confirm again.
        """
        return self._caller.call(protocol.confirm_batch_task(task_id, targets), self._bound(deadline))

    def delete_batch_task(self, task_id: str, *, deadline: Deadline | None = None) -> None:
        """Delete a task that has ended."""
        self._caller.call(protocol.delete_batch_task(task_id), self._bound(deadline))

    def _bound(self, deadline: Deadline | None) -> Deadline:
        return deadline or Deadline.start(self._clock, self.connection.deadline)


def _page(
    records: tuple[Record | UnreadableRecord, ...] | None, end: PageInfo, limit: int = MAX_PAGE
) -> Page[Record | UnreadableRecord]:
    return Page(records or (), end.count, end.marker, limit, has_list=records is not None)


def _package_id(package: ListedPackage) -> str:
    return package.id if isinstance(package, UnreadableRecord) else package.package_id


def _task_id(task: ListedTask) -> str:
    return task.id if isinstance(task, UnreadableRecord) else task.task_id


def _target(detail: ListedDevice) -> str:
    return detail.id if isinstance(detail, UnreadableRecord) else detail.target
