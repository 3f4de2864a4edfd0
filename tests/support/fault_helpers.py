"""What the tests of the service client share: a clock that waits for nothing, connections, a transport of answers."""

from __future__ import annotations

import contextlib
import copy
import json
import re
import socket
import ssl
import threading
import time
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import trustme
from pydantic import SecretStr

from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
from pulumi_iotda_ota.iotda.auth.credentials import AccessKey
from pulumi_iotda_ota.iotda.http.messages import Response
from pulumi_iotda_ota.iotda.models import UnreadableRecord
from pulumi_iotda_ota.iotda.retry import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from typing_extensions import Self

    from pulumi_iotda_ota.emulator import Emulator
    from pulumi_iotda_ota.iotda.http.messages import Request
    from pulumi_iotda_ota.iotda.models import ListedDevice, ListedPackage, ListedTask

IN_FLIGHT = 8
# Made for this run: a committed key, even an untrusted one, alarms tools that scan for keys.
AUTHORITY = trustme.CA()
NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=timezone.utc)
KEY = AccessKey("AKIDEXAMPLE7Q", SecretStr("very-secret-key"), None, "HW_ACCESS_KEY (environment)")
CONNECTION = ResolvedConnection(
    endpoint="https://iotda.cn-north-4.myhuaweicloud.com",
    region="cn-north-4",
    project_id="p1",
    instance_id=None,
    algorithm="standard",
    credential=KEY,
    origins={"endpoint": "the region cn-north-4"},
)


@dataclass
class FakeClock:
    """A clock that stands still but for its sleeps, which it records."""

    seconds: float = 0.0
    sleeps: list[float] = field(default_factory=list)

    @property
    def clock(self) -> Clock:
        """Return the clock as the client takes it."""
        return Clock(
            now=lambda: NOW + timedelta(seconds=self.seconds), monotonic=lambda: self.seconds, sleep=self._sleep
        )

    def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.seconds += seconds


# The real time, but without a wait between two attempts.
QUICK = Clock(now=lambda: datetime.now(timezone.utc), monotonic=time.monotonic, sleep=lambda seconds: None)


@dataclass
class ScriptedTransport:
    """Returns prepared responses, or raises prepared errors, one a request; the last one again and again."""

    script: list[Response | Exception]
    sent: list[Request[Any]] = field(default_factory=list)
    timeouts: list[float] = field(default_factory=list)
    before: Callable[[], object] = lambda: None

    def send(self, request: Request[Any], *, connection: ResolvedConnection, timeout: float) -> Response:
        """Give the next answer."""
        self.before()
        step = self.script[min(len(self.sent), len(self.script) - 1)]
        self.sent.append(request)
        self.timeouts.append(timeout)
        if isinstance(step, Exception):
            raise copy.copy(step)
        return step

    def close(self) -> None:
        """Do nothing."""


def answer(status: int = 200, content: object = None, **headers: str) -> Response:
    """Return an answer with a JSON body; header names are given with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, named, b"" if content is None else json.dumps(content).encode())


def package(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return one package as the list shows it."""
    usual = {
        "package_id": f"{number:032x}",
        "app_id": "app1",
        "package_type": "firmwarePackage",
        "product_id": "product1",
        "version": f"V1.{number}",
        "create_time": "20260101T000000Z",
    }
    return {**usual, **changes}


def ids_of(records: Iterable[ListedPackage | ListedTask | ListedDevice]) -> list[str]:
    """Return the ids of the records of a list, each of which can be judged."""
    found: list[str] = []
    for record in records:
        assert not isinstance(record, UnreadableRecord), record
        name = next(name for name in ("package_id", "task_id", "target") if hasattr(record, name))
        found.append(getattr(record, name))
    return found


def connection_to(emulator: Emulator, **changes: Any) -> ResolvedConnection:
    """Return a connection that an emulator accepts."""
    usual = replace(
        CONNECTION,
        endpoint=emulator.endpoint,
        region=emulator.region,
        project_id=emulator.project_id,
        credential=AccessKey(emulator.access_key, SecretStr(emulator.secret_key), None, "argument"),
        origins={"endpoint": "argument"},
    )
    return replace(usual, **changes)


class RawServer:
    """A server that does with each connection what a test says, byte by byte.

    Args:
        handle: what to do with a connection; it is closed afterwards. It gets the request's bytes and the socket.
        tls: whether it speaks TLS, with a certificate that no client trusts.
        until: what ends a request; nothing takes the first bytes for the whole of it.
    """

    def __init__(
        self, handle: Callable[[bytes, socket.socket], object], *, tls: bool = False, until: bytes = b"\r\n\r\n"
    ) -> None:
        self._handle = handle
        self._until = until
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if tls else None
        if self._context:
            AUTHORITY.issue_cert("127.0.0.1", "localhost").configure_cert(self._context)
        self.stopping = threading.Event()
        self.requests: list[bytes] = []
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def port(self) -> int:
        """Return the port it listens on."""
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http{'s' if self._context else ''}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and end what is open."""
        self.stopping.set()
        for connection in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=[connection], daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            stream = self._context.wrap_socket(connection, server_side=True) if self._context else connection
            with stream:
                request = stream.recv(65536)
                while self._until not in request:
                    piece = stream.recv(65536)
                    if not piece:
                        return
                    request += piece
                self.requests.append(request)
                self._handle(request, stream)


class Meeting:
    """Holds requests at the service until the limit of requests in flight is reached. Later requests do not wait."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._come = 0
        self._met = threading.Event()

    def __call__(self) -> None:
        """Let one more come, and wait for the others."""
        with self._mutex:
            self._come += 1
            if self._come >= IN_FLIGHT:
                self._met.set()
        assert self._met.wait(10), "fewer came than may"


def hold_readable(text: str) -> None:
    """Hold a message to what every message is: lines that any terminal and log can show, and nothing of our insides."""
    assert text.strip()
    # Spaces of other widths are no harm.
    assert all(char.isprintable() or unicodedata.category(char) == "Zs" for char in text.replace("\n", ""))
    assert not re.search("::|##", text)
    assert not re.search(r"Traceback|\.py\b|\b[A-Z][A-Za-z]+(?:Error|Exception|Warning)\b", text)


def closed_port() -> str:
    """Return the address of a port at which no server listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def http(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """Return the bytes of an answer that ends its connection."""
    lines = [f"HTTP/1.1 {status}", "Connection: close", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body
