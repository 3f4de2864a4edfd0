"""A connection that is cut around a request that creates or changes something, for every way to connect.

Each cell runs a program twice: the connection is cut in the first run. Afterwards there is one task, one package, one
confirmation, one retry or one stopped task, whatever was cut, and the second run is right.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.emulator import Emulator
from pulumi_iotda_ota.iotda.errors import IotdaOtaError
from pulumi_iotda_ota.iotda.http.limiter import PROCESS_LIMITER
from pulumi_iotda_ota.lookup.session import Run
from tests.conftest import settings_for
from tests.support.fault_helpers import AUTHORITY
from tests.support.fault_posts import POSTS, Stop
from tests.support.fault_steps import Stage
from tests.support.relay import CARRIED_OUT, CUTS, NEVER_SENT, SERVICE_NAME, Front, Proxy
from tests.support.resource_bench import SEED, Bench, FakeTime
from tests.support.socks import SocksProxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WAYS = ("direct", "proxy setting", "HTTPS_PROXY", "ALL_PROXY", "HTTPS proxy", "SOCKS")


@dataclass(frozen=True)
class Cell:
    """One cut of one request on one way."""

    way: str
    post: str
    cut: str

    def __str__(self) -> str:
        return f"{self.way}, {self.post}, {self.cut}"


CELLS = [Cell(way, post, cut) for way in WAYS for post in POSTS for cut in CUTS]


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[Emulator, FakeTime]]:
    """Return a running emulator whose time only tests move, for all cells."""
    time = FakeTime()
    with Emulator(
        SEED, clock=time, auth_clock=time, device_seconds=5, initializing_seconds=1, stopping_seconds=3
    ) as emulator:
        yield emulator, time


@pytest.fixture
def stage(service: tuple[Emulator, FakeTime], tmp_path: Path) -> Iterator[Stage]:
    """Return a stage with a service in its first state, and settings that trust the authority of these tests."""
    emulator, time = service
    emulator.reset()
    PROCESS_LIMITER.forget()
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    bench = Bench(emulator, time, settings_for(emulator))
    yield Stage(bench, {"caFile": str(tmp_path / "ca.pem")})
    bench.run.close()


def _proxy(front: Front, way: str) -> Proxy | SocksProxy:
    if way == "SOCKS":
        return SocksProxy(front)
    return Proxy(front, secure=AUTHORITY if way == "HTTPS proxy" else None)


@contextlib.contextmanager
def way_to(stage: Stage, cell: Cell, monkeypatch: pytest.MonkeyPatch) -> Iterator[Front]:
    """Lead the program to the emulator on the way of the cell, and cut it there."""
    port = int(stage.bench.emulator.endpoint.rpartition(":")[2])
    with (
        Front(port, after=1, cut=cell.cut) as front,
        _proxy(front, cell.way) as proxy,
    ):
        direct = cell.way == "direct"
        stage.bench.environ["HW_IOTDA_ENDPOINT"] = f"https://{f'127.0.0.1:{front.port}' if direct else SERVICE_NAME}"
        if cell.way in ("proxy setting", "HTTPS proxy", "SOCKS"):
            stage.settings["proxy"] = proxy.address
        elif not direct:
            monkeypatch.setenv(cell.way, proxy.address)
        yield front
        assert bool(proxy.asked) != direct


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_cut_connection(cell: Cell, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is cut, the request takes effect once, in the run or in the run after it."""
    post = POSTS[cell.post]
    inputs = post.prepare(stage)
    stage.bench.emulator.forget_requests()
    created, error = None, None
    with way_to(stage, cell, monkeypatch) as front:
        try:
            created = post.run(stage, inputs, None)
        except IotdaOtaError as failed:
            error = failed
        assert front.cuts == 1
        passes = cell.cut in (*NEVER_SENT, *CARRIED_OUT) or isinstance(post, Stop)
        assert (error is None) == passes, error
        assert error is None or post.loses in error.headline
        assert post.holds(stage) == passes

        stage.bench.run.close()
        stage.bench.run = Run(memo=False, clock=stage.bench.time.clock)
        post.run(stage, inputs, created)

    assert post.holds(stage)
    repeats = isinstance(post, Stop) and cell.cut in CARRIED_OUT
    assert stage.bench.count(post.operation) == 1 + repeats
