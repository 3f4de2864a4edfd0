"""HTTP on 127.0.0.1: reads requests, sends responses whole or spoiled, keeps connections alive. No meaning of any path.

Werkzeug's own development server closes every connection after one response, and then a client that keeps connections
alive cannot be measured. So the sockets are the standard library's. Werkzeug reads headers and chunked bodies.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import struct
import sys
import threading
import time
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import IO, TYPE_CHECKING, Any, cast

from werkzeug.datastructures import Headers
from werkzeug.serving import DechunkedInput

from pulumi_iotda_ota.emulator.messages import Reply, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pulumi_iotda_ota.emulator.application import Application

_HOST = "127.0.0.1"
_POLL_SECONDS = 0.02
_PATIENCE_SECONDS = 5.0
_GARBAGE = bytes(range(128, 256)) + b"\r\n\r\n"
_PIECE = 16
_CHUNK = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
_BODILESS = frozenset({204, 304})
_STATUSES = frozenset(map(int, HTTPStatus))


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """A threaded server on the loopback address.

    Args:
        application: responds to the requests.
        port: the port; 0 takes a free one.
        verbose: whether each request is printed on stderr.
    """

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, application: Application, *, port: int, verbose: bool) -> None:
        super().__init__((_HOST, port), _Handler)
        self.application = application
        self.verbose = verbose
        self.connections = 0
        self._open: dict[socket.socket, threading.Thread] = {}
        self._mutex = threading.Lock()
        self._accepting = threading.Thread(target=self.serve_forever, args=[_POLL_SECONDS], daemon=True)

    @property
    def port(self) -> int:
        """Return the port it listens on."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Serve in the background."""
        self.application.start()
        self._accepting.start()

    def stop(self) -> None:
        """Close every connection, and wait for every thread."""
        self.application.stop()
        self.shutdown()
        self._accepting.join(_PATIENCE_SECONDS)
        with self._mutex:
            connections = dict(self._open)
        for connection, thread in connections.items():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(_PATIENCE_SECONDS)
        self.server_close()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection, and record it so that :meth:`stop` can close it."""
        with self._mutex:
            self._open[request] = threading.current_thread()
            self.connections += 1
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._mutex:
                self._open.pop(request, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print faults of the emulator, and ignore clients that close the connection."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Otherwise a response waits for the client's delayed acknowledgement, up to 40 ms.
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        server = cast("Server", self.server)
        reply = server.application.respond(self._request())
        if self.command == "HEAD":
            reply = replace(reply, body=b"")
        if not send(self.connection, reply, server.application.stopping):
            self.close_connection = True
        if server.verbose:
            sys.stderr.write(f"{self.command} {self.path} {reply.status}\n")

    def __getattr__(self, name: str) -> Callable[[], None]:
        # http.server calls do_<METHOD>, and refuses a method without one itself. Here the application refuses it.
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _request(self) -> Request:
        headers = Headers(list(self.headers.items()))
        return Request(self.command, self.path, headers, self._body(), time.time())

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            return DechunkedInput(cast("IO[bytes]", self.rfile)).readall()
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
        """Print nothing: :meth:`_serve` does, if ``verbose`` is set."""


def send(connection: socket.socket, reply: Reply, stopping: threading.Event) -> bool:
    """Send a response as its ``wire`` requires; return whether the connection can be used again."""
    for status in reply.interim:
        connection.sendall(_head(status, {}))
    if reply.wire == "reset":
        # To close with a linger time of zero is to reset. The socket is taken away from the server, which would close
        # it in an orderly way first.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.close(connection.detach())
        return False
    # One piece for head and body: with two, a client would wait for its own delayed acknowledgement.
    for number, piece in enumerate(_pieces(reply)):
        if number and stopping.wait(reply.interval if reply.wire == "drip" else 0):
            break
        connection.sendall(piece)
    return reply.wire in {"whole", "drip"}


def _pieces(reply: Reply) -> Iterator[bytes]:
    """Yield what is sent, piece by piece."""
    body = b"" if reply.status in _BODILESS else reply.body
    length = {} if reply.status in _BODILESS else {"Content-Length": str(len(reply.body))}
    head = _head(reply.status, {**reply.headers, **length})
    match reply.wire:
        case "whole":
            yield head + body
        case "headers":
            yield head
        case "cut":
            yield head + reply.body[: len(reply.body) // 2]
        case "garbage":
            yield _GARBAGE
        case "negative":
            yield _head(reply.status, {**reply.headers, "Content-Length": "-1"}) + body
        case "lengths":
            yield head.removesuffix(b"\r\n") + f"Content-Length: {len(body) + 1}\r\n\r\n".encode() + body
        case "drip":
            yield head
            yield from (body[start : start + _PIECE] for start in range(0, len(body), _PIECE))
        case "endless":
            headers = {"Content-Type": "application/json", **reply.headers, "Transfer-Encoding": "chunked"}
            yield _head(reply.status, headers)
            # A blank after a blank can still begin JSON: only a bound on size or time ends this.
            while True:
                yield _CHUNK


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    phrase = HTTPStatus(status).phrase if status in _STATUSES else ""
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
