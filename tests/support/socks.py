"""A SOCKS5 proxy (RFC 1928, RFC 1929) in front of a service of these tests."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

from tests.support.relay import Listener, pump

if TYPE_CHECKING:
    from tests.support.relay import Front

_VERSION, _NO_LOGIN, _PASSWORD, _NONE = 5, 0, 2, 0xFF
_NAME = 3


class SocksProxy(Listener):
    """A proxy whose every connection leads to one service. ``asked`` holds what clients wanted to connect to.

    Args:
        front: the service.
        user: the user and the password that a client must give, or none.
        refusal: the status of RFC 1928 that every request gets; 0 connects.
    """

    def __init__(self, front: Front, *, user: tuple[str, str] | None = None, refusal: int = 0) -> None:
        super().__init__()
        self._front = front
        self._user = user
        self._refusal = refusal
        self.asked: list[str] = []
        self.address = f"socks5h://127.0.0.1:{self.port}"

    def serve(self, connection: socket.socket) -> None:
        """Negotiate, then carry bytes both ways."""
        _, count = _read(connection, 2)
        offered = _read(connection, count)
        wanted = _PASSWORD if self._user else _NO_LOGIN
        connection.sendall(bytes([_VERSION, wanted if wanted in offered else _NONE]))
        if wanted not in offered:
            return
        if self._user:
            _read(connection, 1)
            given = tuple(_text(connection).decode() for _ in range(2))
            connection.sendall(bytes([1, int(given != self._user)]))
            if given != self._user:
                return
        kind = _read(connection, 4)[3]
        host = _text(connection).decode() if kind == _NAME else socket.inet_ntoa(_read(connection, 4))
        self.asked.append(f"{host}:{int.from_bytes(_read(connection, 2), 'big')}")
        cut = self._front.cuts_at("no connection")
        connection.sendall(bytes([_VERSION, 5 if cut else self._refusal, 0, 1, 0, 0, 0, 0, 0, 0]))
        if cut or self._refusal:
            return
        with socket.create_connection(("127.0.0.1", self._front.port)) as target:
            self._open.append(target)
            back = threading.Thread(target=pump, args=[target, connection], daemon=True)
            back.start()
            pump(connection, target)
            back.join()


def _read(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise ConnectionError("the client has closed the connection")
        data += piece
    return data


def _text(connection: socket.socket) -> bytes:
    return _read(connection, _read(connection, 1)[0])
