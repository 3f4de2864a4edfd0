"""What stands between a client and the emulator, and turns bad at a chosen request: no listener, no trust, no proxy."""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import trustme

from tests.support.fault_helpers import AUTHORITY

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

#: An authority that no client of these tests trusts.
STRANGER = trustme.CA()
_PIECE = 65536
#: A name that no system resolves: only a proxy of these tests leads to it.
SERVICE_NAME = "iotda.example.test"
#: Where a connection is cut, in the order of what has happened by then.
CUTS = ("no connection", "handshake", "before", "during", "after", "status line")
#: The cuts at which no byte of the request can have left.
NEVER_SENT = CUTS[:2]
#: The cuts at which the service has carried the request out.
CARRIED_OUT = CUTS[4:]


def tls(authority: trustme.CA) -> ssl.SSLContext:
    """Return what a server proves itself with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost", SERVICE_NAME).configure_cert(context)
    return context


class Listener(ABC):
    """Accepts connections on a port that it keeps, and passes each to :meth:`serve` in a separate thread."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._open: list[socket.socket] = []
        self._accepting: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._accepting = threading.Thread(target=self._accept, args=[self._socket], daemon=True)
        self._accepting.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and end what is open: from now on a connection is refused."""
        for one in (self._socket, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()
        if self._accepting:
            # Until it has left its last accept the port is not free.
            self._accepting.join()

    def reopen(self) -> None:
        """Listen again, on the same port."""
        self._socket = socket.create_server(("127.0.0.1", self.port))
        self.__enter__()

    @abstractmethod
    def serve(self, connection: socket.socket) -> None:
        """Serve one connection."""

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._guarded, args=[connection], daemon=True).start()

    def _guarded(self, connection: socket.socket) -> None:
        # Whatever the other side does: a test closes connections in the middle of everything.
        with contextlib.suppress(OSError, http.client.HTTPException), connection:
            self.serve(connection)


class Relay(Listener):
    """Carries requests to the emulator unchanged; with the last response it calls ``turn`` and closes the connection.

    Args:
        target: the port of the emulator.
        after: how many requests are carried before it turns.
        turn: what happens then.
        secure: whether it speaks TLS.
    """

    def __init__(self, target: int, *, after: int, turn: Callable[[Relay], object], secure: bool) -> None:
        super().__init__()
        self._target = target
        self._left = after
        self._turn = turn
        self._context = tls(AUTHORITY) if secure else None
        self.address = f"http{'s' * secure}://127.0.0.1:{self.port}"
        if after == 0:
            turn(self)

    def distrust(self) -> None:
        """Use an untrusted certificate from now on."""
        self._context = tls(STRANGER)

    def trust(self) -> None:
        """Prove itself again as it should."""
        self._context = tls(AUTHORITY)

    def serve(self, connection: socket.socket) -> None:
        """Carry the requests of one connection, one after the other."""
        stream = self._context.wrap_socket(connection, server_side=True) if self._context else connection
        with stream:
            while request := _request(stream):
                answer = _answer(self._target, request)
                self._left -= 1
                if self._left == 0:
                    # First, so that what comes after this answer meets what it is to meet.
                    self._open.remove(connection)
                    self._turn(self)
                    stream.sendall(answer)
                    return
                stream.sendall(answer)


class Front(Listener):
    """Speaks TLS in front of the emulator, carries requests to it, and cuts one connection short.

    Args:
        target: the port of the emulator.
        after: how many requests are answered before; the last of these answers ends its connection.
        cut: where the next connection is cut, one of ``CUTS``; by default nowhere.
    """

    def __init__(self, target: int, *, after: int = 0, cut: str = "") -> None:
        super().__init__()
        self._target = target
        self._left = after
        self._cut = cut
        self._mutex = threading.Lock()
        self._context = tls(AUTHORITY)
        self.cuts = 0

    def cuts_at(self, point: str) -> bool:
        """Return whether the connection is to be cut at this point; that happens once."""
        with self._mutex:
            cut = point == self._cut and self._left <= 0 and not self.cuts
            self.cuts += cut
            return cut

    def serve(self, connection: socket.socket) -> None:
        """Carry the requests of one connection, one after the other."""
        if self.cuts_at("no connection"):
            return
        if self.cuts_at("handshake"):
            connection.recv(_PIECE)
            return
        with self._context.wrap_socket(connection, server_side=True) as stream:
            if self.cuts_at("before"):
                return
            if self.cuts_at("during"):
                stream.recv(100)
                return
            while (request := _request(stream)) and self._carried(request, stream):
                pass

    def _carried(self, request: bytes, stream: socket.socket) -> bool:
        """Carry one request, and return whether the connection goes on."""
        answer = _answer(self._target, request)
        if self.cuts_at("after"):
            return False
        if self.cuts_at("status line"):
            stream.sendall(answer.partition(b"\n")[0] + b"\n")
            return False
        self._left -= 1
        if self._left == 0:
            answer = answer.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        stream.sendall(answer)
        return self._left != 0


class Proxy(Listener):
    """A proxy that tunnels until ``refusing`` is set. ``asked`` holds the heads of the requests to it.

    Args:
        front: where every tunnel leads; without it, a tunnel leads to the requested address.
        secure: the authority that issues its certificate, if clients connect to it over TLS.
    """

    def __init__(self, front: Front | None = None, *, secure: trustme.CA | None = None) -> None:
        super().__init__()
        self._front = front
        self._context = tls(secure) if secure else None
        self.refusing = False
        self.asked: list[bytes] = []
        self.address = f"http{'s' if secure else ''}://127.0.0.1:{self.port}"

    def serve(self, connection: socket.socket) -> None:
        """Tunnel one connection."""
        if self._context:
            with self._context.wrap_socket(connection, server_side=True) as stream:
                self._open.append(stream)
                self._tunnel(stream)
        else:
            self._tunnel(connection)

    def _tunnel(self, connection: socket.socket) -> None:
        head = _request(connection)
        self.asked.append(head)
        if self.refusing:
            connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        if self._front and self._front.cuts_at("no connection"):
            connection.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        host, _, port = head.split()[1].decode().partition(":")
        address = ("127.0.0.1", self._front.port) if self._front else (host, int(port))
        with socket.create_connection(address) as target:
            self._open.append(target)
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pump, args=[target, connection], daemon=True)
            back.start()
            pump(connection, target)
            back.join()


def pump(source: socket.socket, sink: socket.socket) -> None:
    """Carry what a socket receives to another one, until it ends."""
    with contextlib.suppress(OSError):
        while piece := source.recv(_PIECE):
            sink.sendall(piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)


def _request(stream: socket.socket) -> bytes:
    """Return the next request whole, or nothing where the connection ends."""
    data = b""
    while b"\r\n\r\n" not in data or len(data) < _length(data):
        piece = stream.recv(_PIECE)
        if not piece:
            return b""
        data += piece
    return data


def _length(data: bytes) -> int:
    head, _, _ = data.partition(b"\r\n\r\n")
    lines = (line.partition(b":") for line in head.lower().split(b"\r\n"))
    return len(head) + 4 + next((int(value) for name, _, value in lines if name == b"content-length"), 0)


def _answer(port: int, request: bytes) -> bytes:
    """Return the answer of the emulator to a request, as it sends it."""
    with socket.create_connection(("127.0.0.1", port)) as upstream:
        upstream.sendall(request)
        with contextlib.closing(http.client.HTTPResponse(upstream, method=request.split()[0].decode())) as answer:
            answer.begin()
            head = [
                f"HTTP/1.1 {answer.status} {answer.reason}",
                *(f"{key}: {text}" for key, text in answer.getheaders()),
            ]
            return "\r\n".join([*head, "", ""]).encode("latin-1") + answer.read()
