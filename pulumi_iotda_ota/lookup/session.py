"""What one run of one program remembers: its clients, and the answers it already has.

Equal questions are asked once, also when they are asked at the same time; a question that failed is asked again. A run
ends with its program: a preview, an update, and two programs in one process never see each other's answers.
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
    """Return whether equal questions are asked once: yes, unless ``PULUMI_IOTDA_OTA_NO_MEMO`` is set."""
    return environ.get(NO_MEMO, "") not in {"1", "true"}


@dataclass(frozen=True)
class ListedPackages:
    """All packages that the service has for a query, and how many requests that took."""

    packages: tuple[ListedPackage, ...]
    requests: int


class Settings(Protocol):
    """The settings of one call; those with equal arguments, configuration and environment are equal."""

    def resolved(self) -> ResolvedConnection:
        """Return their connection."""
        ...


class Run:
    """The clients and answers of one run; safe to use from several threads.

    Args:
        memo: whether equal questions are asked once; False asks each time.
        clock: the time of its clients, and of what bounds a lookup.
    """

    def __init__(self, *, memo: bool = True, clock: Clock = SYSTEM_CLOCK) -> None:
        self.clock = clock
        self._memo = memo
        self._lock = threading.Lock()
        self._answers: dict[Hashable, Future[Any]] = {}
        self._clients: dict[ResolvedConnection, Client] = {}
        self._resolved: list[tuple[Settings, ResolvedConnection]] = []

    def remembering(self) -> Run:
        """Return a run over the same clients that asks equal questions once."""
        other = Run(clock=self.clock)
        other._lock, other._clients, other._resolved = self._lock, self._clients, self._resolved
        return other

    def forget(self) -> None:
        """Forget the answers, because what they tell may have changed; who waits for one still gets it."""
        with self._lock:
            self._answers.clear()

    def begin_again(self) -> None:
        """Forget everything but credentials, because another run begins; a request that is under way still ends."""
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
        """Return a connection with its project; IAM is asked for it where it was not given."""
        if connection.project_id:
            return connection
        client = self.client(connection)
        completed = client.complete(deadline=deadline)
        with self._lock:
            # One client, and so one pool of connections, for both.
            self._clients.setdefault(completed, client)
        return completed

    def packages(
        self, connection: ResolvedConnection, query: PackageQuery, *, deadline: Deadline | None = None
    ) -> ListedPackages:
        """Return all packages of a query, in the service's order."""

        def walk() -> ListedPackages:
            walked = self.client(connection).list_packages(query, deadline=deadline)
            packages = tuple(walked)
            return ListedPackages(packages, walked.requests)

        return self._once(("packages", connection, query), walk, deadline)

    def first_packages(
        self, connection: ResolvedConnection, query: PackageQuery, *, deadline: Deadline | None = None
    ) -> tuple[OtaPackage, ...]:
        """Return the packages of the first page of a query that can be judged: one request, the newest packages."""

        def first() -> tuple[OtaPackage, ...]:
            return self.client(connection).first_packages(query, deadline=deadline)

        return self._once(("first packages", connection, query), first, deadline)

    def some_packages(
        self,
        connection: ResolvedConnection,
        query: PackageQuery,
        use: Callable[[Iterable[ListedPackage]], T],
        *,
        asked: Hashable,
        deadline: Deadline | None = None,
    ) -> T:
        """Return what is made of the first packages of a query, which are asked for as they are used.

        Args:
            connection: where to ask.
            query: the filters that the service applies.
            use: is given the packages, in the service's order, and reads as many of them as it needs.
            asked: what ``use`` is there for: the same for the same use.
            deadline: the bound of the walk.
        """
        with self._lock:
            whole = ("packages", connection, query) in self._answers
        if whole:
            # Whoever needs all of them has asked for them already.
            return use(self.packages(connection, query, deadline=deadline).packages)

        def some() -> T:
            with closing(self.client(connection).list_packages(query, deadline=deadline, eager=False)) as packages:
                return use(packages)

        return self._once(("some packages", connection, query, asked), some, deadline)

    def package(
        self, connection: ResolvedConnection, package_id: str, *, deadline: Deadline | None = None
    ) -> OtaPackage:
        """Return one package with its file location."""

        def show() -> OtaPackage:
            return self.client(connection).show_package(package_id, deadline=deadline)

        return self._once(("package", connection, package_id), show, deadline)

    def close(self) -> None:
        """Close the connections."""
        with self._lock:
            clients = list(self._clients.values())
            self._clients.clear()
        for client in clients:
            client.close()

    def _once(self, key: Hashable, ask: Callable[[], T], deadline: Deadline | None) -> T:
        if not self._memo:
            return ask()
        with self._lock:
            answer: Future[T] | None = self._answers.get(key)
            asking = answer is None
            if answer is None:
                answer = self._answers[key] = Future()
        if asking:
            self._ask(key, answer, ask)
            return answer.result()
        return self._waited_for(key, answer, ask, deadline)

    def _waited_for(self, key: Hashable, answer: Future[T], ask: Callable[[], T], deadline: Deadline | None) -> T:
        """Return the answer that another asked for; where that one ran out of time, ask with what is left of ours."""
        try:
            return answer.result(timeout=deadline.remaining() if deadline else None)
        except DeadlineExceeded:
            if deadline is None or not deadline.remaining():
                raise
            return self._once(key, ask, deadline)
        except TimeoutError:
            if deadline is not None:
                deadline.check("get an answer that an equal lookup is waiting for")
            raise

    def _ask(self, key: Hashable, answer: Future[T], ask: Callable[[], T]) -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:  # noqa: BLE001  whatever it is, those who wait must hear of it
            # Those who wait share the failure, those who come later ask again.
            with self._lock:
                if self._answers.get(key) is answer:
                    del self._answers[key]
            answer.set_exception(error)
