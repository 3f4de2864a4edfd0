"""A git repository over HTTPS on this machine: what a user's own git host is to Pulumi.

Pulumi wants a host name without a port, so the server is reached through a proxy that knows the name.
"""

from __future__ import annotations

import contextlib
import http.server
import selectors
import socket
import ssl
import subprocess
import threading
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    import socketserver
    from collections.abc import Iterator
    from pathlib import Path


HOST = "git.example.com"


@contextlib.contextmanager
def served(repository: Path, folder: Path) -> Iterator[dict[str, str]]:
    """Serve a bare repository as :data:`HOST`; yield the environment that leads there.

    Args:
        repository: the bare repository, served for every requested path.
        folder: where the certificates go.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        """Git's "smart" protocol, as its documentation has it."""

        def do_GET(self) -> None:
            """Send the references."""
            refs = _upload_pack(repository, b"", "--advertise-refs")
            self._answer("advertisement", b"001e# service=git-upload-pack\n0000" + refs)

        def do_POST(self) -> None:
            """Send what was requested."""
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer("result", _upload_pack(repository, asked))

        def _answer(self, kind: str, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", f"application/x-git-upload-pack-{kind}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base's name
            """Say nothing."""

    authority, trusted = trustme.CA(), folder / "trusted.pem"
    authority.cert_pem.write_to_path(str(trusted))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with _running(server), _running(_proxy(server.server_port)) as proxy:
        yield {"HTTPS_PROXY": f"http://127.0.0.1:{proxy.server_address[1]}", "SSL_CERT_FILE": str(trusted)}


@contextlib.contextmanager
def _running(server: socketserver.TCPServer) -> Iterator[socketserver.TCPServer]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def _proxy(port: int) -> socketserver.TCPServer:
    """Return a proxy that leads to our server by its name, and to every other host unchanged."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            host, _, other = self.path.rpartition(":")
            to = ("127.0.0.1", port) if host == HOST else (host, int(other))
            with socket.create_connection(to, timeout=60) as there:
                self.send_response(200)
                self.end_headers()
                _joined(self.connection, there)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base's name
            pass

    return http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)


def _joined(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until one side has none any more."""
    with selectors.DefaultSelector() as ready:
        ready.register(one, selectors.EVENT_READ, (one, other))
        ready.register(other, selectors.EVENT_READ, (other, one))
        while True:
            for key, _ in ready.select():
                source, to = key.data
                data = source.recv(65_536)
                if not data:
                    return
                to.sendall(data)


def _upload_pack(repository: Path, asked: bytes, *options: str) -> bytes:
    command = ["git", "upload-pack", "--stateless-rpc", *options, str(repository)]
    return subprocess.run(command, input=asked, capture_output=True, check=True).stdout
