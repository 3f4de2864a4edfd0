"""HTTP in and out on 127.0.0.1: reads requests, sends answers, keeps connections alive. No meaning of any path.

Werkzeug's own development server closes every connection after one answer, which a client that keeps connections
alive cannot be measured against; so the sockets are the standard library's, and werkzeug serves for headers, chunked
bodies and routing.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import sys
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import IO, TYPE_CHECKING, Any, cast

from werkzeug.datastructures import Headers
from werkzeug.serving import DechunkedInput

from pulumi_iotda_ota.emulator.messages import Request
from pulumi_iotda_ota.emulator.response_writer import send

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator.application import Application

_HOST = "127.0.0.1"
_POLL_SECONDS = 0.02
_PATIENCE_SECONDS = 5.0


class Server(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """A threaded server on the loopback address.

    Args:
        application: answers the requests.
        port: the port; 0 takes a free one.
        verbose: whether each request is told on stderr.
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
        """Close every connection and wait until nothing runs any more."""
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
        """Serve one connection, noting it so that :meth:`stop` can close it."""
        with self._mutex:
            self._open[request] = threading.current_thread()
            self.connections += 1
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._mutex:
                self._open.pop(request, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent about clients that go away; anything else is a fault of the emulator and is shown."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Without it an answer waits for the client's delayed acknowledgement, up to 40 ms.
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        server = cast("Server", self.server)
        reply = server.application.answer(self._request())
        if self.command == "HEAD":
            reply = replace(reply, body=b"")
        if not send(self.connection, reply, server.application.stopping):
            self.close_connection = True
        if server.verbose:
            sys.stderr.write(f"{self.command} {self.path} {reply.status}\n")

    def __getattr__(self, name: str) -> Callable[[], None]:
        # http.server asks for do_<METHOD>, and has words of its own where there is none; which methods a path has, and
        # what the gateway says of another, is not known here.
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
        """Stay silent; what is told is told by :meth:`_serve`."""
