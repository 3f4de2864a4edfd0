"""A service that is faster than its clients: one list with the documented paging rules, over plain sockets.

It runs in a separate process, so that its work does not count as the client's. It checks no credentials, so that every
client does the same. As a program it prints its port.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The default number of packages: 46 pages that overlap, 45 pages that do not.
PACKAGES = 2_250
_TOP = "f" * 24
# The newest record has the largest marker. A marker determines the position of its record in the list.
_LARGEST = 10_000_000


class Catalogue:
    """The list: the JSON of every package, newest first."""

    def __init__(self, packages: int) -> None:
        self._packages = [json.dumps(_package(number)) for number in range(packages)]

    def page(self, query: dict[str, str]) -> bytes:
        """Return one page: the records below the marker, without the first ``offset``, at most ``limit``."""
        marker = query.get("marker", _TOP)
        begin = 0 if marker == _TOP else _LARGEST - int(marker, 16) + 1
        begin += int(query.get("offset", "0"))
        found = self._packages[begin : begin + int(query.get("limit", "10"))]
        last = begin + len(found) - 1
        page = {"count": len(self._packages), **({"marker": f"{_LARGEST - last:024x}"} if found else {})}
        return f'{{"packages":[{",".join(found)}],"page":{json.dumps(page)}}}'.encode()


def _package(number: int) -> dict[str, object]:
    return {
        "package_id": f"{number:032x}",
        "app_id": "61306de6d2364dc8921c0e3a0a7d44e6",
        "package_type": "firmwarePackage",
        "product_id": "64a1f0c2e4b0d9a1b2c3d4e5",
        "product_name": "smart-meter",
        "version": f"V{number // 100}.{number % 100 // 10}.{number % 10}",
        "support_source_versions": [f"V{number // 100}.0.0"],
        "description": f"release {number} of the firmware of the meter",
        "custom_info": "",
        "create_time": "20260101T000000Z",
    }


def serve(packages: int, delay: float) -> None:
    """Print the port, then serve forever, with a thread for each connection."""
    catalogue = Catalogue(packages)
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_serve_connection, args=(connection, catalogue, delay), daemon=True).start()


def _serve_connection(connection: socket.socket, catalogue: Catalogue, delay: float) -> None:
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
    with connection, contextlib.suppress(OSError):
        while request := _request(connection):
            target = request.split(b" ", 2)[1].decode()
            body = catalogue.page(dict(parse_qsl(urlsplit(target).query)))
            time.sleep(delay)
            connection.sendall(head.format(len(body)).encode() + body)


def _request(connection: socket.socket) -> bytes:
    request = b""
    while not request.endswith(b"\r\n\r\n"):
        piece = connection.recv(65536)
        if not piece:
            return b""
        request += piece
    return request


@contextlib.contextmanager
def running(*, packages: int = PACKAGES, delay: float = 0.0) -> Iterator[int]:
    """Run the service in a separate process, and yield its port.

    Args:
        packages: the number of packages.
        delay: the seconds that each page takes.
    """
    command = [sys.executable, "-m", "benchmarks.service", str(packages), str(delay)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield int(process.stdout.readline() if process.stdout else 0)
        finally:
            process.kill()


if __name__ == "__main__":
    _parser = argparse.ArgumentParser(description=__doc__)
    _parser.add_argument("packages", type=int)
    _parser.add_argument("delay", type=float)
    _arguments = _parser.parse_args()
    serve(_arguments.packages, _arguments.delay)
