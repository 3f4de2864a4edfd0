"""Everything that can go wrong with an answer, at every step of a program, on real sockets.

Each cell: the right answer or one clear error, inside the deadline; never part of a list, never a second task, no
secret, nothing sent to another host. A fault that passes is survived if the request may be sent again. Afterwards, once
the service is well again, the same step is taken anew and comes to its right end.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.emulator import Emulator
from pulumi_iotda_ota.iotda.errors import DeadlineExceeded, IotdaOtaError, OutcomeUnknown
from pulumi_iotda_ota.iotda.http.limiter import PROCESS_LIMITER
from tests.conftest import settings_for
from tests.support.fault_helpers import AUTHORITY, RawServer, hold_readable, http
from tests.support.fault_steps import MANY, STEPS, Create, Poll, Stage, Stop
from tests.support.fault_table import FAULTS, SECRET
from tests.support.relay import Proxy, Relay
from tests.support.resource_bench import Bench, FakeTime

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from tests.support.fault_steps import Step
    from tests.support.fault_table import Fault

_ATTEMPTS = 5
_SLOW_SECONDS = 0.2


@dataclass(frozen=True)
class Cell:
    """One fault at one step.

    Attributes:
        owned_elsewhere: whether it spoils every answer from then on, or one.
        accepted: whether the service carries out what it answers so badly.
    """

    step: str
    fault: str
    owned_elsewhere: bool
    accepted: bool = False

    def __str__(self) -> str:
        how = f"{'for good' if self.owned_elsewhere else 'once'}{', accepted' * self.accepted}"
        return f"{self.step}, {self.fault}, {how}"


def _cells() -> list[Cell]:
    cells = []
    for step_name, step in STEPS.items():
        for name, fault in FAULTS.items():
            if name in step.unspoilt:
                continue
            # A slow answer takes the whole of its short deadline: only a wait is longer than that.
            lengths = [True] if fault.slow and not isinstance(step, Poll) else [False, True]
            cells += [Cell(step_name, name, stays) for stays in lengths]
            if isinstance(step, Create) and fault.sent and not _answers_truly(fault) and name != "silence":
                cells += [Cell(step_name, name, stays, accepted=True) for stays in lengths]
    return cells


def _answers_truly(fault: Fault) -> bool:
    """Return whether the answer is made from that of a request that was carried out."""
    true = fault.rule.get("wire") in {"headers", "cut", "drip"} or {"edit", "accept"} & fault.rule.keys()
    return bool(true or fault.damage)


@dataclass
class Scene:
    """A stage with one fault set up on it.

    Attributes:
        others: every byte that a host other than the emulator's was sent.
    """

    stage: Stage
    heal: Any
    hits: Any
    others: list[bytes] = field(default_factory=list)


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[Emulator, FakeTime]]:
    """Return a running emulator whose time only tests move, for all cells."""
    time = FakeTime()
    with Emulator(
        MANY,
        clock=time,
        auth_clock=time,
        secret_key=SECRET,
        device_seconds=5,
        initializing_seconds=1,
        stopping_seconds=3,
    ) as emulator:
        yield emulator, time


@pytest.fixture
def stage(service: tuple[Emulator, FakeTime]) -> Iterator[Stage]:
    """Return a stage whose service is as at its start."""
    emulator, time = service
    emulator.reset()
    PROCESS_LIMITER.forget()
    bench = Bench(emulator, time, settings_for(emulator))
    yield Stage(bench)
    bench.run.close()


@pytest.fixture(scope="module")
def ca_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a file that vouches for the relays."""
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(file))
    return str(file)


def _welcome(_: bytes, stream: socket.socket) -> None:
    stream.sendall(http(b'{"packages":[],"page":{"count":0}}'))


def _damaged(step: Step, fault: Fault) -> Any:
    def edit(body: Any) -> Any:
        assert step.vital is not None
        path, name = step.vital
        holder = body
        for part in path:
            holder = holder[part]
        assert fault.damage is not None
        fault.damage(holder, name)
        return body

    return edit


@contextlib.contextmanager
def _spoilt_answers(cell: Cell, stage: Stage) -> Iterator[Scene]:
    """Let the emulator itself answer badly."""
    step, fault = STEPS[cell.step], FAULTS[cell.fault]
    rule = {"edit": _damaged(step, fault)} if fault.damage else dict(fault.rule)
    rule |= {"accept": True} if cell.accepted else {}
    with RawServer(_welcome) if fault.redirects else contextlib.nullcontext() as elsewhere:
        if elsewhere:
            rule["headers"] = {"Location": f"{elsewhere.url.replace('127.0.0.1', 'localhost')}/v5?token=1"}
        placed = stage.bench.emulator.faults.add(
            operation=step.operation, nth=step.nth, times=None if cell.owned_elsewhere else 1, **rule
        )
        others = elsewhere.requests if elsewhere else []
        yield Scene(stage, stage.bench.emulator.faults.clear, lambda: placed.hits, others)


@contextlib.contextmanager
def _refused_connections(cell: Cell, stage: Stage) -> Iterator[Scene]:
    """Refuse all connections. If the fault passes, accept the next attempt."""
    with Relay(_port(stage), after=STEPS[cell.step].after, turn=Relay.close, secure=False) as relay:
        stage.bench.environ["HW_IOTDA_ENDPOINT"] = relay.address
        healed: list[bool] = []

        def heal() -> None:
            if not healed:
                healed.append(True)
                relay.reopen()

        if not cell.owned_elsewhere:
            stage.bench.time.after(0, heal)
        yield Scene(stage, heal, lambda: 0)


@contextlib.contextmanager
def _distrust(cell: Cell, stage: Stage, ca_file: str) -> Iterator[Scene]:
    """Let the server present a certificate of an untrusted authority."""
    with Relay(_port(stage), after=STEPS[cell.step].after, turn=Relay.distrust, secure=True) as relay:
        stage.bench.environ["HW_IOTDA_ENDPOINT"] = relay.address
        stage.settings["caFile"] = ca_file
        yield Scene(stage, relay.trust, lambda: 0)


@contextlib.contextmanager
def _refusing_proxy(cell: Cell, stage: Stage, ca_file: str) -> Iterator[Scene]:
    """Let the proxy on the way refuse to connect."""
    with Proxy() as proxy:

        def turn(_: Relay) -> None:
            proxy.refusing = True

        def heal() -> None:
            proxy.refusing = False

        with Relay(_port(stage), after=STEPS[cell.step].after, turn=turn, secure=True) as relay:
            stage.bench.environ["HW_IOTDA_ENDPOINT"] = relay.address
            stage.settings |= {"caFile": ca_file, "proxy": proxy.address}
            if not cell.owned_elsewhere:
                stage.bench.time.after(0, heal)
            yield Scene(stage, heal, lambda: 0, proxy.asked)


def _port(stage: Stage) -> int:
    return int(stage.bench.emulator.endpoint.rpartition(":")[2])


def _scene(cell: Cell, stage: Stage, ca_file: str) -> contextlib.AbstractContextManager[Scene]:
    relay = FAULTS[cell.fault].relay
    if relay == "refused":
        return _refused_connections(cell, stage)
    if relay == "tls":
        return _distrust(cell, stage, ca_file)
    return _refusing_proxy(cell, stage, ca_file) if relay else _spoilt_answers(cell, stage)


def _expected(cell: Cell) -> tuple[tuple[type[IotdaOtaError] | None, ...], str]:
    """Return the error of a cell: its classes and what its first line holds; no class where the answer is right."""
    step, fault = STEPS[cell.step], FAULTS[cell.fault]
    endured = fault.passes if fault.endured is None else fault.endured
    if cell.fault == "wrong content type" or (isinstance(step, Poll) and endured and not cell.owned_elsewhere):
        return (), ""
    if isinstance(step, Poll) and endured:
        return (DeadlineExceeded,), "no answer from the service|did not end within"
    if isinstance(step, Create) and fault.sent:
        # A create that the service carried out is found again; the outcome of any other is unknown.
        kept = cell.accepted or _answers_truly(fault)
        return () if kept else (OutcomeUnknown,), "it is unknown whether the upgrade task was created"
    if (fault.passes and not cell.owned_elsewhere) or (
        isinstance(step, Stop) and fault.passes and _answers_truly(fault)
    ):
        # A stop whose answers are lost has stopped: that is seen in the task.
        return (), ""
    # A page that was requested ahead and fails once is requested again, alone.
    survived = [None] if step.beside and not cell.owned_elsewhere else []
    if isinstance(step, Poll) and fault.relay and not cell.owned_elsewhere:
        survived = [None]  # a proxy is met again only if the kept connection has ended
    if fault.slow:
        return (DeadlineExceeded, *survived), "within the deadline"
    return (fault.kind, *survived), fault.says


def assert_clear(error: IotdaOtaError) -> None:
    """Check an error as any of our errors: one story, readable, and without a text that must stay hidden."""
    text = str(error)
    first, *_ = text.split("\n")
    assert first == error.headline
    assert SECRET not in text + repr(error) + repr(vars(error))
    hold_readable(text)


def _told(cell: Cell, stage: Stage) -> IotdaOtaError | None:
    """Take the step, and return its error if it has one. Compare a response with the right one."""
    step = STEPS[cell.step]
    began = stage.bench.time()
    try:
        answer = step.act(stage)
    except IotdaOtaError as error:
        return error
    finally:
        assert stage.bench.time() - began <= step.seconds
    step.hold(stage, answer)
    return None


@pytest.mark.parametrize("cell", _cells(), ids=str)
def test_the_right_answer_or_one_clear_error(cell: Cell, stage: Stage, ca_file: str) -> None:
    """Whatever happens to an answer, the step ends right or in one clear error, and right once it is over."""
    step, fault = STEPS[cell.step], FAULTS[cell.fault]
    step.prepare(stage)
    if fault.slow:
        stage.settings["deadline"] = _SLOW_SECONDS
        stage.patient = not cell.owned_elsewhere
    with _scene(cell, stage, ca_file) as scene:
        stage.bench.emulator.forget_requests()
        error = _told(cell, stage)
        kinds, says = _expected(cell)

        assert (type(error) if error else None) in (kinds or (None,)), error
        if error:
            assert_clear(error)
            assert re.search(says, error.headline), error.headline
            assert (("attempts", "5") in error.facts) == (fault.kind in kinds and fault.passes)
        _hold_requests(cell, scene, failed=error is not None)

        scene.heal()
        PROCESS_LIMITER.forget()
        stage.settings.pop("deadline", None)
        assert _told(cell, stage) is None
        assert len(stage.bench.emulator.tasks) <= 1


def _hold_requests(cell: Cell, scene: Scene, *, failed: bool) -> None:
    """Check what was sent: no attempt too many, nothing after a 401, no credential to another host."""
    step, fault = STEPS[cell.step], FAULTS[cell.fault]
    bench = scene.stage.bench
    if isinstance(step, Create):
        assert len(bench.emulator.tasks) <= 1
        assert bench.posts <= (1 if fault.sent else _ATTEMPTS)
    if failed and not fault.relay and not isinstance(step, (Create, Poll)):
        assert scene.hits() <= (_ATTEMPTS if fault.passes else 1) + step.beside
    if cell.fault == "401":
        assert scene.hits() <= 1 + step.beside
        assert bench.emulator.requests[-1].operation == step.operation
    sent = b"".join(scene.others).lower()
    assert not [word for word in (b"authorization: sdk", b"x-auth-token", b"x-security", b"/v5/") if word in sent]
    assert fault.redirects <= (sent == b"")
