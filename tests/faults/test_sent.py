"""Whether a byte of a request left, as the connections record it: on every way to connect, on real sockets."""

from __future__ import annotations

import socket
import struct
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from pulumi_iotda_ota.iotda.api import protocol
from pulumi_iotda_ota.iotda.errors import ConfigurationError, TransportError
from pulumi_iotda_ota.iotda.http.transport import HttpTransport
from pulumi_iotda_ota.iotda.models import PackageQuery
from pulumi_iotda_ota.iotda.retry import SYSTEM_CLOCK
from tests.support.fault_helpers import AUTHORITY, CONNECTION, RawServer, closed_port, http
from tests.support.relay import SERVICE_NAME

if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection

LIST = protocol.list_packages(PackageQuery("firmwarePackage"))


@pytest.fixture
def ca_file(tmp_path: Path) -> str:
    """Return a file with the authority of these tests."""
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return str(tmp_path / "ca.pem")


def at(url: str, **changes: Any) -> ResolvedConnection:
    """Return a connection to an address."""
    return replace(CONNECTION, endpoint=url, **changes)


def failed(transport: HttpTransport, connection: ResolvedConnection) -> TransportError:
    """Return the error that one attempt ends with."""
    with pytest.raises(TransportError) as caught:
        transport.send(LIST, connection=connection, timeout=10)
    return caught.value


def failed_once(connection: ResolvedConnection) -> TransportError:
    """Return the error that one attempt of a new transport ends with."""
    transport = HttpTransport(connection, clock=SYSTEM_CLOCK)
    try:
        return failed(transport, connection)
    finally:
        transport.close()


def reset(_: bytes, stream: socket.socket) -> None:
    """Reset the connection."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def close(_: bytes, stream: socket.socket) -> None:
    """Close the connection without an answer."""


@pytest.mark.parametrize("handle", [close, reset])
@pytest.mark.parametrize("tls", [False, True])
def test_a_direct_request_counts_from_its_first_byte(ca_file: str, handle: Any, tls: bool) -> None:
    """On a direct connection, a request that the server has read was sent."""
    with RawServer(handle, tls=tls) as server:
        assert failed_once(at(server.url, ca_file=ca_file)).sent
        assert len(server.requests) == 1


def test_no_connection_is_never_sent() -> None:
    """If no server listens, at the endpoint or at the proxy, nothing was sent."""
    assert not failed_once(at(closed_port())).sent
    assert not failed_once(at(f"https://{SERVICE_NAME}", proxy=closed_port())).sent


def test_a_failed_handshake_is_never_sent(ca_file: str) -> None:
    """A TLS handshake is not part of the request, whether it is refused or cut."""
    with RawServer(close, tls=True) as untrusted:
        assert not failed_once(at(untrusted.url)).sent
    with RawServer(close, until=b"") as cut:
        assert not failed_once(at(cut.url.replace("http:", "https:"), ca_file=ca_file)).sent
        assert cut.requests


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 102 Processing\r\n\r\n", http(b"", status="503 Busy"), b"\x80\r\n"])
def test_a_connect_request_is_not_the_request(answer: bytes) -> None:
    """Whatever a proxy answers to CONNECT, the request itself was not sent."""
    with RawServer(lambda _request, stream: stream.sendall(answer)) as proxy:
        assert not failed_once(at(f"https://{SERVICE_NAME}", proxy=proxy.url)).sent
        assert proxy.requests[0].startswith(b"CONNECT ")


def test_a_request_to_a_forwarding_proxy_counts() -> None:
    """With plain HTTP, the proxy is given the request itself and may have passed it on before it closes."""
    with RawServer(close) as proxy:
        assert failed_once(at("http://127.0.0.1:9", proxy=proxy.url)).sent
        assert proxy.requests[0].startswith(b"GET http://127.0.0.1:9/")


def test_a_kept_connection_counts_for_each_request_anew(ca_file: str) -> None:
    """Each request on a kept connection is recorded by itself, whatever an earlier one sent."""
    keep = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

    def once_then_close(_: bytes, stream: socket.socket) -> None:
        stream.sendall(keep)
        if stream.recv(65536):
            server.requests.append(b"the second one")

    with RawServer(once_then_close, tls=True) as server:
        connection = at(server.url, ca_file=ca_file)
        transport = HttpTransport(connection, clock=SYSTEM_CLOCK)
        transport.send(LIST, connection=connection, timeout=10)
        assert failed(transport, connection).sent
        assert server.requests[1:] == [b"the second one"]
        server.close()
        assert not failed(transport, connection).sent
        transport.close()


def test_a_setting_is_to_blame_only_before_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first byte the exception means a wrong setting; after it, an unreadable response."""

    def unusable(*_args: Any, **_kwargs: Any) -> None:
        raise urllib3.exceptions.InvalidHeader("https://user:password@proxy")

    with RawServer(lambda _request, stream: stream.sendall(http(b"{}"))) as server:
        with monkeypatch.context() as patched:
            patched.setattr(urllib3.connection.HTTPConnection, "getresponse", unusable)
            after = failed_once(at(server.url))
        assert (after.sent, after.temporary, after.__cause__) == (True, True, None)
        monkeypatch.setattr(urllib3.connection.HTTPConnection, "connect", unusable)
        with pytest.raises(ConfigurationError):
            HttpTransport(CONNECTION, clock=SYSTEM_CLOCK).send(LIST, connection=at(server.url), timeout=10)
