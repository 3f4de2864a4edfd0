"""Compressed responses: one gzip, and no more of it than is read. The lower bound of urllib3 runs these tests too."""

from __future__ import annotations

import contextlib
import gzip
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.iotda.errors import ProtocolError, ServiceError
from tests.support.fault_helpers import RawServer, http
from tests.support.lists_over_http import PAGE, at, error_of, listed
from tests.support.plugin_process import ROOT

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

MIB = 1024 * 1024


def answering(body: bytes, *headers: str, status: str = "200 OK") -> Callable[[bytes, socket.socket], None]:
    """Return what answers every request with a body."""

    def answer(_: bytes, stream: socket.socket) -> None:
        # The client closes the connection as soon as it has seen enough.
        with contextlib.suppress(OSError):
            stream.sendall(http(body, *headers, status=status))

    return answer


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
def test_one_gzip(encoding: str) -> None:
    """A response that is compressed once is read."""
    with RawServer(answering(gzip.compress(PAGE), f"Content-Encoding: {encoding}")) as server:
        assert listed(at(server.url)) == 1


@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip,identity,gzip", "br", "zstd", "deflate", "deflate, gzip"])
def test_what_was_not_requested(encoding: str) -> None:
    """A response that is compressed more than once, or in a way that was not requested, is refused unread."""
    body = gzip.compress(gzip.compress(bytes(64 * MIB)))
    with RawServer(answering(body, f"Content-Encoding: {encoding}")) as server:
        error = error_of(at(server.url))

    assert isinstance(error, ProtocolError)
    assert error.headline == "could not list OTA packages: the response has a compression that was not requested"
    assert len(server.requests) == 1


def test_two_headers_are_two_layers() -> None:
    """Two headers with one encoding each count as two."""
    with RawServer(answering(b"x", "Content-Encoding: gzip", "Content-Encoding: gzip")) as server:
        assert "not requested" in error_of(at(server.url)).headline


def test_a_refusal_keeps_its_status() -> None:
    """The error of a refusal with such a body reports its status."""
    with RawServer(answering(b"x", "Content-Encoding: gzip, gzip", status="403 Forbidden")) as server:
        error = error_of(at(server.url))

    assert isinstance(error, ServiceError)
    assert error.status == 403


# In a separate process, because it compares the largest size that the process ever had.
LARGE = """
import resource, zlib
from tests.support.fault_helpers import RawServer
from tests.support.lists_over_http import at, error_of
from tests.faults.test_compressed import answering

packer = zlib.compressobj(9, zlib.DEFLATED, 31)
body = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(1024)) + packer.flush()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with RawServer(answering(body, "Content-Encoding: gzip")) as server:
    print(error_of(at(server.url)).headline)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_what_a_small_response_can_grow_to_is_bounded() -> None:
    """The client reads one MiB that expands to a GiB up to 16 MiB, and never holds all of it."""
    done = subprocess.run([sys.executable, "-c", LARGE], cwd=ROOT, capture_output=True, text=True, check=True)
    headline, grown = done.stdout.strip().splitlines()

    assert headline == "could not list OTA packages: the response is larger than 16 MiB"
    assert int(grown) < 200 * 1024  # KiB
