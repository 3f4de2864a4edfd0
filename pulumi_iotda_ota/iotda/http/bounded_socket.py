"""Connections that record whether a request was sent, limit the time of its response, and check the response's length.

* No exception of ``requests`` or ``urllib3`` says whether a byte of the request was sent. Behind a proxy, a connection
  that breaks after the request looks like an unreachable proxy. So the connection records it when it writes.
* A timeout of ``requests`` bounds each read of the socket. A server that sends one byte at a time stays below it
  forever, in headers and bodies alike. Here the remaining time is set before each read, so that it bounds the whole.
* ``http.client`` skips a 100 and treats any other interim response as the final one. It also accepts lengths that
  contradict each other.

Nothing here knows of IoTDA.
"""

from __future__ import annotations

import http.client
import io
import re
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

# All interim statuses except 101: after it the connection no longer speaks HTTP.
_INTERIM = frozenset(range(100, 200)) - {HTTPStatus.SWITCHING_PROTOCOLS}


@dataclass
class Attempt:
    """What the connection records about one attempt to send a request.

    Attributes:
        sent: whether a byte of the request was written to a connection to the service, or to a proxy that forwards the
            request. A CONNECT request, a SOCKS negotiation and a TLS handshake do not count.
        failed_at_proxy: whether the proxy was not reached, or did not connect to the service.
        proxy_status: what the proxy answered to CONNECT, or 0.
        tls_version: the version of TLS with the service, such as ``TLSv1.3``, or empty.
        valid_until: when the certificate of the service expires, or empty if it is not verified.
    """

    sent: bool = False
    failed_at_proxy: bool = False
    proxy_status: int = 0
    tls_version: str = ""
    valid_until: str = ""


# How http.client says what a proxy answered to CONNECT.
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")

_ATTEMPT: ContextVar[Attempt | None] = ContextVar("attempt", default=None)


def tunnel_status(error: Exception) -> int:
    """Return what a proxy answered to CONNECT, if an error says so, or 0."""
    found = _TUNNEL.search(str(error))
    return int(found.group(1)) if found else 0


@contextmanager
def recorded_attempt() -> Iterator[Attempt]:
    """Record what the connections of :data:`POOLS` send inside the block, in this thread."""
    attempt = Attempt()
    token = _ATTEMPT.set(attempt)
    try:
        yield attempt
    finally:
        _ATTEMPT.reset(token)


class _BoundedReader(io.RawIOBase):
    """Reads from a socket until the timeout that the socket has now, counted once for all reads."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        super().__init__()
        self._raw = raw
        self._socket = sock
        timeout = sock.gettimeout()
        self._ends = None if timeout is None else time.monotonic() + timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._ends is not None:
            left = self._ends - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            self._socket.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _CheckedResponse(http.client.HTTPResponse):
    """A response whose status line, headers and body share one timeout. Interim responses before it are skipped."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_BoundedReader(self.fp.detach(), sock))

    def begin(self) -> None:
        """Read the status line and the headers of the final response.

        Raises:
            HTTPException: among others, the response has an invalid length or several lengths.
        """
        super().begin()
        while self.status in _INTERIM:
            self.headers = None  # type: ignore[assignment]  # as before the first line was read
            super().begin()
        lengths = set(self.headers.get_all("Content-Length", []))
        if len(lengths) > 1 or not all(length.isascii() and length.isdigit() for length in lengths):
            raise http.client.HTTPException("invalid Content-Length")


class _Recording(HTTPConnection):
    """A connection that records in the attempt of its thread: that it sends a request, or that its proxy failed."""

    _is_connecting = False
    _socks_options: Any = None

    def _new_conn(self) -> Any:
        with self._at_proxy():
            return super()._new_conn()

    def _tunnel(self) -> None:
        with self._at_proxy():
            super()._tunnel()

    @contextmanager
    def _at_proxy(self) -> Iterator[None]:
        """Record an error of the block as one on the way to, or at, the proxy, if there is one."""
        try:
            yield
        except Exception as error:
            attempt = _ATTEMPT.get()
            if attempt and (self.proxy or self._socks_options):
                attempt.failed_at_proxy = True
                attempt.proxy_status = tunnel_status(error)
                if error.__cause__ is None:
                    # urllib3 raises some errors of PySocks without it.
                    error.__cause__ = error.__context__
            raise

    def connect(self) -> None:
        self._is_connecting = True
        try:
            super().connect()
        finally:
            self._is_connecting = False

    def send(self, data: Any) -> None:
        if self.sock is None:
            # Connect before anything is recorded: what connecting sends is not part of the request.
            self.connect()
        attempt = _ATTEMPT.get()
        if attempt and not self._is_connecting:
            attempt.sent = True
        super().send(data)


class _Connection(_Recording):
    response_class = _CheckedResponse


class _SecureConnection(_Recording, HTTPSConnection):
    response_class = _CheckedResponse

    def _connect_tls_proxy(self, *args: Any) -> Any:
        with self._at_proxy():
            return super()._connect_tls_proxy(*args)

    def connect(self) -> None:
        super().connect()
        attempt = _ATTEMPT.get()
        if attempt:
            secure: Any = self.sock
            attempt.tls_version = secure.version() or ""
            attempt.valid_until = str((secure.getpeercert() or {}).get("notAfter", ""))
        # An unverified server is one only where the user said insecure=True; urllib3 would warn at each request, and
        # filters for warnings belong to the program, not to a library.
        self.is_verified = True


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


#: The classes of pools by scheme, for a manager of pools: direct ones and those of a proxy.
POOLS = {"http": _Pool, "https": _SecurePool}


@cache
def socks_pools() -> dict[str, Any]:
    """Return the classes of pools by scheme for a SOCKS proxy; they need PySocks."""
    from urllib3.contrib import socks  # noqa: PLC0415  most connections have no such proxy

    class Connection(_Connection, socks.SOCKSConnection):
        pass

    class SecureConnection(_SecureConnection, socks.SOCKSHTTPSConnection):
        pass

    class Pool(socks.SOCKSHTTPConnectionPool):
        ConnectionCls = Connection

    class SecurePool(socks.SOCKSHTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": Pool, "https": SecurePool}
