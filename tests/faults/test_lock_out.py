"""Nothing that a program does locks an account: more than five refused requests would."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.emulator import Emulator
from pulumi_iotda_ota.iotda.errors import CredentialsError, ServiceError
from pulumi_iotda_ota.iotda.http.limiter import RequestLimiter
from tests.support.fault_helpers import RawServer, http
from tests.support.login_bench import METER, PROJECTS, Bench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.retry import Deadline

LIST = "ListOtaPackageInfo"
SHOW = "ShowOtaPackage"


def refused_at_once(bench: Bench, connection: ResolvedConnection) -> int:
    """Let twenty lookups begin at once, all of which are refused, and return how many of them the service saw."""
    before = bench.operations.count(LIST)
    second = threading.Event()

    def wait_for_another() -> None:
        if bench.operations.count(LIST) - before > 1:
            second.set()
        second.wait(0.2)

    bench.emulator.faults.add(operation=LIST, times=None).before = wait_for_another
    with ThreadPoolExecutor(20) as pool:
        errors = list(pool.map(lambda _: bench.error(connection), range(20)))
    assert all(isinstance(error, CredentialsError) for error in errors)
    return bench.operations.count(LIST) - before


@pytest.mark.parametrize("status", ["404 Not Found", "302 Found", "403 Forbidden", "400 Bad Request"])
def test_a_host_that_never_asked_who_it_is_proves_no_key(emulator: Emulator, status: str) -> None:
    """After a wrong endpoint answered something, twenty lookups with a wrong key are still one request."""
    bench = Bench(emulator)
    wrong = bench.key(secret_key="wrong-secret", project_id=emulator.project_id)
    with RawServer(lambda _, stream: stream.sendall(http(b"no such site", status=status))) as server:
        assert isinstance(bench.error(replace(wrong, endpoint=server.url)), ServiceError)

    assert refused_at_once(bench, wrong) == 1


def test_what_iam_lets_in_is_tried_alone_at_the_service() -> None:
    """A key that found its project, and is then signed as the instance does not want it, is refused once."""
    with Emulator(derived_only=True) as emulator:
        bench = Bench(emulator)
        iam = emulator.endpoint.replace("127.0.0.1", "localhost")

        assert refused_at_once(bench, bench.key(signing="standard", iam_endpoint=iam)) == 1
        assert bench.operations.count(PROJECTS) == 1


class Busy(RequestLimiter):
    """A gate before which another program of the process looks something up, whenever a package is to be shown."""

    def __init__(self) -> None:
        super().__init__()
        self.look_up: Callable[[], object] = lambda: None

    @contextmanager
    def slot(self, connection: ResolvedConnection, *, deadline: Deadline, doing: str) -> Iterator[None]:
        """Let the other program go first."""
        if doing == "read an OTA package":
            self.look_up()
        with super().slot(connection, deadline=deadline, doing=doing):
            yield


def test_a_call_renews_once_whoever_else_is_let_in(emulator: Emulator) -> None:
    """A token that the service refuses for one thing and accepts for another is refreshed only once for it."""
    bench = Bench(emulator)
    limiter = bench.limiter = Busy()
    emulator.faults.add(operation=SHOW, times=None, error="token")
    with bench.client(bench.user(deadline=5)) as other, bench.client(bench.user(deadline=5)) as client:
        limiter.look_up = lambda: list(other.list_packages(METER))
        with pytest.raises(CredentialsError, match="rejected the credentials") as caught:
            client.show_package(emulator.packages[0]["package_id"])

    assert bench.operations.count(SHOW) == 2
    assert ("refreshed", "once; the new one was refused too") in caught.value.facts
