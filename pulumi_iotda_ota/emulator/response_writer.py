"""The ways an answer can travel: whole, or spoiled on purpose. Bytes into a socket, no meaning."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading

    from pulumi_iotda_ota.emulator.messages import Reply

_GARBAGE = bytes(range(128, 256)) + b"\r\n\r\n"
_PIECE = 16
_CHUNK = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
_BODILESS = frozenset({204, 304})


@dataclass(frozen=True)
class _Sending:
    connection: socket.socket
    reply: Reply
    stopping: threading.Event


Way = Callable[[_Sending], None]


def send(connection: socket.socket, reply: Reply, stopping: threading.Event) -> bool:
    """Send an answer its way; return whether the connection can be used again."""
    for status in reply.interim:
        connection.sendall(_lines(status, {}))
    _WAYS[reply.wire](_Sending(connection, reply, stopping))
    return reply.wire in {"whole", "drip"}


def _whole(sending: _Sending) -> None:
    # One send for head and body: with two, a client would wait for its own delayed acknowledgement.
    sending.connection.sendall(_head(sending.reply) + _content(sending.reply))


def _drop(_: _Sending) -> None:
    pass


def _reset(sending: _Sending) -> None:
    # To close with a linger time of zero is to reset. The socket is taken away from the server, whose own way to close
    # would say goodbye first.
    sending.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    socket.close(sending.connection.detach())


def _headers(sending: _Sending) -> None:
    sending.connection.sendall(_head(sending.reply))


def _cut(sending: _Sending) -> None:
    sending.connection.sendall(_head(sending.reply) + sending.reply.body[: len(sending.reply.body) // 2])


def _garbage(sending: _Sending) -> None:
    sending.connection.sendall(_GARBAGE)


def _drip(sending: _Sending) -> None:
    sending.connection.sendall(_head(sending.reply))
    content = _content(sending.reply)
    for start in range(0, len(content), _PIECE):
        sending.connection.sendall(content[start : start + _PIECE])
        if sending.stopping.wait(sending.reply.interval):
            return


def _endless(sending: _Sending) -> None:
    # A blank after a blank is still the beginning of some JSON: only a bound on size or time ends this.
    headers = {"Content-Type": "application/json", **sending.reply.headers, "Transfer-Encoding": "chunked"}
    sending.connection.sendall(_lines(sending.reply.status, headers))
    while not sending.stopping.is_set():
        sending.connection.sendall(_CHUNK)


def _lengths(sending: _Sending) -> None:
    content = _content(sending.reply)
    head = _lines(sending.reply.status, {**sending.reply.headers, "Content-Length": str(len(content))})
    other = f"\r\nContent-Length: {len(content) + 1}\r\n\r\n".encode()
    sending.connection.sendall(head.removesuffix(b"\r\n\r\n") + other + content)


def _negative(sending: _Sending) -> None:
    headers = {**sending.reply.headers, "Content-Length": "-1"}
    sending.connection.sendall(_lines(sending.reply.status, headers) + _content(sending.reply))


def _head(reply: Reply) -> bytes:
    headers = dict(reply.headers)
    if reply.status not in _BODILESS:
        headers["Content-Length"] = str(len(reply.body))
    return _lines(reply.status, headers)


def _lines(status: int, headers: dict[str, str]) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _content(reply: Reply) -> bytes:
    return b"" if reply.status in _BODILESS else reply.body


_WAYS: dict[str, Way] = {
    "whole": _whole,
    "drop": _drop,
    "reset": _reset,
    "headers": _headers,
    "cut": _cut,
    "garbage": _garbage,
    "drip": _drip,
    "endless": _endless,
    "lengths": _lengths,
    "negative": _negative,
}
