"""The memory of one run of a program: its clients, and the results of its lookups.

Equal lookups share one result, also if they run at the same time. A lookup that failed is sent again. A run ends with
its program, so a preview and an update, or two programs in one process, share no result.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, TimeoutError  # noqa: A004  another class than the built-in before Python 3.11
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from pulumi_iotda_ota.iotda.errors import DeadlineExceeded
from pulumi_iotda_ota.iotda.retry import SYSTEM_CLOCK
from pulumi_iotda_ota.lazy_imports import gc_paused

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import ListedPackage, OtaPackage, PackageQuery
    from pulumi_iotda_ota.iotda.retry import Clock, Deadline

T = TypeVar("T")
#: The variable that turns the memo off.
NO_MEMO = "PULUMI_IOTDA_OTA_NO_MEMO"
_MOST_SETTINGS = 16


def wants_memo(environ: Mapping[str, str]) -> bool:
    """Return whether equal lookups share a result: yes, unless ``PULUMI_IOTDA_OTA_NO_MEMO`` is set."""
    return environ.get(NO_MEMO, "") not in {"1", "true"}


@dataclass(frozen=True)
class ListedPackages:
    """All packages of a query, and the number of requests."""

    packages: tuple[ListedPackage, ...]
    requests: int


class Settings(Protocol):
    """The settings of one call; those with equal arguments, configuration and environment are equal."""

    def resolved(self) -> ResolvedConnection:
        """Return their connection."""
        ...


class Run:
    """The clients and results of one run; safe to use from several threads.

    Args:
        memo: whether equal lookups share a result.
        clock: the clock of its clients and deadlines.
    """

    def __init__(self, *, memo: bool = True, clock: Clock = SYSTEM_CLOCK) -> None:
        self.clock = clock
        self._memo = memo
        self._lock = threading.Lock()
        self._answers: dict[Hashable, Future[Any]] = {}
        self._clients: dict[ResolvedConnection, Client] = {}
        self._resolved: list[tuple[Settings, ResolvedConnection]] = []

    def remembering(self) -> Run:
        """Return a run with the same clients in which equal lookups share a result."""
        other = Run(clock=self.clock)
        other._lock, other._clients, other._resolved = self._lock, self._clients, self._resolved
        return other

    def forget(self) -> None:
        """Forget the results, because they may be outdated. A lookup that waits for one still gets it."""
        with self._lock:
            self._answers.clear()

    def begin_again(self) -> None:
        """Forget everything except credentials, because another run begins. A request in flight still ends."""
        self.forget()
        with self._lock:
            self._resolved.clear()
        if self._clients:
            # The project that IAM returned in the last run may be another one now.
            from pulumi_iotda_ota.iotda.login import PROCESS_TOKENS  # noqa: PLC0415  loaded with a client, not before

            PROCESS_TOKENS.forget_projects()
        self.close()

    def resolved(self, settings: Settings) -> ResolvedConnection:
        """Return the connection of settings; a run resolves equal settings once, and reads their files once."""
        if not self._memo:
            return settings.resolved()
        with self._lock:
            known = next((connection for earlier, connection in self._resolved if earlier == settings), None)
        if known is None:
            known = settings.resolved()
            with self._lock:
                self._resolved[_MOST_SETTINGS - 1 :] = []
                self._resolved.insert(0, (settings, known))
        return known

    def client(self, connection: ResolvedConnection) -> Client:
        """Return the client of a connection, one for each connection and run."""
        with self._lock:
            if connection not in self._clients:
                with gc_paused():
                    from pulumi_iotda_ota.iotda.client import Client  # noqa: PLC0415  when it is due

                self._clients[connection] = Client(connection, clock=self.clock)
            return self._clients[connection]

    def completed(self, connection: ResolvedConnection, *, deadline: Deadline | None = None) -> ResolvedConnection:
        """Return a connection with its project. If no setting has the project, IAM returns it."""
        if connection.project_id:
            return connection
        client = self.client(connection)
        completed = client.complete(deadline=deadline)
        with self._lock:
            # Both share one client, and so one pool of connections.
            self._clients.setdefault(completed, client)
        return completed

    def packages(
        self, connection: ResolvedConnection, query: PackageQuery, *, deadline: Deadline | None = None
    ) -> ListedPackages:
        """Return all packages of a query, in the service's order."""

        def read() -> ListedPackages:
            listed = self.client(connection).list_packages(query, deadline=deadline)
            return ListedPackages(tuple(listed), listed.requests)

        return self._once(("packages", connection, query), read, deadline)

    def first_packages(
        self, connection: ResolvedConnection, query: PackageQuery, *, deadline: Deadline | None = None
    ) -> tuple[OtaPackage, ...]:
        """Return the packages of the first page that can be judged: the newest ones, for one request."""
        client = self.client(connection)
        key = ("first packages", connection, query)
        return self._once(key, lambda: client.first_packages(query, deadline=deadline), deadline)

    def some_packages(
        self,
        connection: ResolvedConnection,
        query: PackageQuery,
        use: Callable[[Iterable[ListedPackage]], T],
        *,
        key: Hashable,
        deadline: Deadline | None = None,
    ) -> T:
        """Return the result of a function that reads only some of the packages of a query.

        Args:
            connection: the connection to the service.
            query: the filters that the service applies.
            use: the function. Pages are requested as it iterates over the packages, in the service's order.
            key: identifies the function: equal keys share one result.
            deadline: the deadline of all requests.
        """
        with self._lock:
            whole = ("packages", connection, query) in self._answers
        if whole:  # another lookup has read the whole list
            return use(self.packages(connection, query, deadline=deadline).packages)

        def some() -> T:
            with closing(self.client(connection).list_packages(query, deadline=deadline, eager=False)) as packages:
                return use(packages)

        return self._once(("some packages", connection, query, key), some, deadline)

    def package(
        self, connection: ResolvedConnection, package_id: str, *, deadline: Deadline | None = None
    ) -> OtaPackage:
        """Return one package with its file location."""
        client = self.client(connection)
        key = ("package", connection, package_id)
        return self._once(key, lambda: client.show_package(package_id, deadline=deadline), deadline)

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            clients = list(self._clients.values())
            self._clients.clear()
        for client in clients:
            client.close()

    def _once(self, key: Hashable, request: Callable[[], T], deadline: Deadline | None) -> T:
        if not self._memo:
            return request()
        with self._lock:
            result: Future[T] | None = self._answers.get(key)
            is_first = result is None
            if result is None:
                result = self._answers[key] = Future()
        if is_first:
            self._fulfil(key, result, request)
            return result.result()
        try:
            return result.result(timeout=deadline.remaining() if deadline else None)
        except DeadlineExceeded:
            # The time of the lookup that sent the request ran out. This one may have time left.
            if deadline is None or not deadline.remaining():
                raise
            return self._once(key, request, deadline)
        except TimeoutError:
            if deadline is not None:
                deadline.check("get the result of an equal lookup")
            raise

    def _fulfil(self, key: Hashable, result: Future[T], request: Callable[[], T]) -> None:
        try:
            result.set_result(request())
        except BaseException as error:  # noqa: BLE001  lookups that wait must end with it
            # Lookups that wait share the error, later ones send the request again.
            with self._lock:
                if self._answers.get(key) is result:
                    del self._answers[key]
            result.set_exception(error)
