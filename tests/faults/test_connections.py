"""Connections over a real socket: what is sent to whom, and what becomes of those that fail."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import urllib3
from pydantic import SecretStr

from pulumi_iotda_ota.emulator import Emulator
from pulumi_iotda_ota.iotda.auth.credentials import AccessKey, AuthToken
from pulumi_iotda_ota.iotda.client import Client
from pulumi_iotda_ota.iotda.errors import (
    CredentialsError,
    DeadlineExceeded,
    ProtocolError,
    ServiceError,
    TransportError,
)
from pulumi_iotda_ota.iotda.http.limiter import RequestLimiter
from pulumi_iotda_ota.iotda.retry import SYSTEM_CLOCK, Deadline
from tests.support.fault_helpers import (
    QUICK,
    RawServer,
    closed_port,
    connection_to,
    http,
    package,
)
from tests.support.lists_over_http import PAGE, QUERY, at, error_of, listed, page

if TYPE_CHECKING:
    from pathlib import Path


MADE_FROM_SLIP = {"endpoint": "the region cn-norht-4"}


def test_a_refused_connection() -> None:
    """If no server listens, the error reports that in plain words, with the address and the attempts."""
    url = closed_port()
    error = error_of(at(url))

    assert isinstance(error, TransportError)
    assert error.headline == "could not list OTA packages: the connection was refused"
    assert ("endpoint", f"{url} (from the region cn-north-4)") in error.facts
    assert str(error).rpartition("\n  fix          ")[2].startswith("check the endpoint")
    assert ("attempts", "5") in error.facts
    assert not error.sent


def test_a_host_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error reports a host name that has no address."""

    def resolve(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    slip = error_of(at("https://iotda.nowhere.invalid", deadline=60.0, region="cn-norht-4", origins=MADE_FROM_SLIP))
    error = error_of(at("https://iotda.nowhere.invalid", deadline=60.0))
    own = error_of(at("https://iotda.nowhere.invalid", deadline=60.0, origins={"endpoint": "argument"}))

    assert error.headline == "could not list OTA packages: the host name could not be resolved"
    assert "the region has no shared endpoint" in " ".join(str(error).split())
    assert "the region name cn-norht-4 is wrong" in " ".join(str(slip).split())
    assert "did you mean cn-north-4?" in " ".join(str(slip).split())
    assert "cause" not in str(own)


def test_the_request_is_signed_and_says_what_it_is(emulator: Emulator) -> None:
    """Every request carries the project, the instance, the version of this library and a signature over its host."""
    listed(connection_to(emulator, instance_id="i-1"))

    headers = emulator.requests[0].headers
    assert headers["Instance-Id"] == "i-1"
    assert headers["X-Project-Id"] == emulator.project_id
    assert headers["User-Agent"].startswith("pulumi-iotda-ota/")
    assert headers["Accept-Encoding"] == "gzip"
    assert "Content-Type" not in headers
    assert "SignedHeaders=host;instance-id;x-project-id;x-sdk-date," in headers["Authorization"]


def test_each_attempt_is_signed_afresh() -> None:
    """A request that is sent again is signed with the time of that attempt."""
    seconds = iter(range(30))
    clock = replace(QUICK, now=lambda: SYSTEM_CLOCK.now().replace(second=next(seconds)))
    with Emulator() as emulator:
        emulator.faults.add(times=2, status=503)
        listed(connection_to(emulator), clock=clock)

        assert len({request.headers["Authorization"] for request in emulator.requests[:3]}) == 3


@pytest.mark.parametrize("algorithm", ["standard", "derived"])
def test_both_signatures_are_let_in(algorithm: Any) -> None:
    """The emulator, whose verifier is not ours, accepts both algorithms."""
    with Emulator(derived_only=algorithm == "derived", standard_only=algorithm == "standard") as emulator:
        assert listed(connection_to(emulator, algorithm=algorithm)) == len(
            [found for found in emulator.packages if found["package_type"] == "firmwarePackage"]
        )


def test_the_wrong_signature_says_which_one_is_wanted() -> None:
    """A 401 that the other algorithm would explain says so."""
    with Emulator(derived_only=True) as emulator:
        error = error_of(connection_to(emulator))

    assert isinstance(error, CredentialsError)
    assert any('signing="derived"' in text for _, text in error.facts)


def test_a_security_token_goes_with_a_temporary_key() -> None:
    """A temporary key is sent with its token, which is signed too."""
    with Emulator(security_token="session-token") as emulator:
        key = AccessKey(emulator.access_key, SecretStr(emulator.secret_key), SecretStr("session-token"), "argument")

        assert listed(connection_to(emulator, credential=key)) > 0
        assert "x-security-token" in emulator.requests[0].headers["Authorization"]


def test_a_token_is_sent_instead_of_a_signature(emulator: Emulator) -> None:
    """A ready token is sent as X-Auth-Token, unsigned."""
    token = AuthToken(SecretStr(emulator.issue_token()), "argument")

    assert listed(connection_to(emulator, credential=token)) > 0
    assert "Authorization" not in emulator.requests[0].headers


def test_twenty_threads_send_a_wrong_key_once(emulator: Emulator) -> None:
    """Twenty lookups at the same time with a wrong key are one request and twenty equal errors."""
    wrong = AccessKey(emulator.access_key, SecretStr("wrong-secret"), None, "argument")
    connection, limiter = connection_to(emulator, credential=wrong), RequestLimiter()

    def one(_: int) -> str:
        with pytest.raises(CredentialsError) as caught:
            listed(connection, limiter=limiter)
        return str(caught.value)

    with ThreadPoolExecutor(20) as pool:
        texts = set(pool.map(one, range(20)))

    assert len(texts) == 1
    assert len(emulator.requests) == 1


def test_one_client_serves_many_threads(emulator: Emulator) -> None:
    """Threads that share a client each get the complete response."""
    whole = listed(connection_to(emulator))
    with (
        Client(connection_to(emulator), clock=QUICK, limiter=RequestLimiter()) as client,
        ThreadPoolExecutor(16) as pool,
    ):
        counts = list(pool.map(lambda _: len(list(client.list_packages(QUERY))), range(32)))

    assert counts == [whole] * 32


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_credentials_never_follow_a_redirect(emulator: Emulator, status: int) -> None:
    """A redirect to another host is an error that names it, and nothing is sent there."""
    with RawServer(page) as elsewhere:
        target = elsewhere.url.replace("127.0.0.1", "localhost")
        emulator.faults.add(times=None, status=status, headers={"Location": f"{target}/x?token=1"})
        error = error_of(connection_to(emulator))

        assert isinstance(error, ServiceError)
        assert "redirect to localhost" in error.headline
        assert elsewhere.requests == []


def test_a_redirect_without_an_end_is_not_read(emulator: Emulator) -> None:
    """The body of a redirect is of no interest, however long it is."""
    emulator.faults.add(times=None, status=302, headers={"Location": "https://elsewhere"}, wire="endless")

    assert isinstance(error_of(connection_to(emulator)), ServiceError)


def test_netrc_is_not_used(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A .netrc with an entry for the endpoint does not replace the signature."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password something\ndefault login x password y\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    assert listed(connection_to(emulator)) > 0
    assert emulator.requests[0].headers["Authorization"].startswith("SDK-HMAC-SHA256 ")


def test_cookies_are_not_kept() -> None:
    """What a server sets as a cookie does not come back to it."""

    def with_cookie(_: bytes, stream: socket.socket) -> None:
        stream.sendall(http(PAGE, "Set-Cookie: session=1; Path=/"))

    with RawServer(with_cookie) as server, Client(at(server.url), clock=QUICK, limiter=RequestLimiter()) as client:
        for _ in range(2):
            list(client.list_packages(QUERY))

        assert not any(b"cookie" in request.lower() for request in server.requests)


def drip(data: bytes, *, then_for_ever: bytes) -> Any:
    """Return a handler that sends something, and then a piece again and again, slowly, for ever."""

    def handle(_: bytes, stream: socket.socket) -> None:
        stream.sendall(data)
        stop = threading.Event()
        while not stop.wait(0.02):
            stream.sendall(then_for_ever)

    return handle


@pytest.mark.parametrize(
    ("data", "piece"),
    [
        (b"HTTP/1.1 200 O", b"K"),
        (b"HTTP/1.1 200 OK\r\n", b"X-Long: "),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n", b" "),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", b"x"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        (b"", b""),
    ],
    ids=["status", "header", "body", "chunks", "chunk size", "chunk extension", "continue", "hints", "silence"],
)
def test_no_part_of_an_answer_can_trickle_past_the_deadline(data: bytes, piece: bytes) -> None:
    """Status line, headers, bodies and chunks that come a byte at a time all end with the deadline."""
    with RawServer(drip(data, then_for_ever=piece)) as server:
        assert isinstance(error_of(at(server.url, deadline=0.4), clock=SYSTEM_CLOCK), DeadlineExceeded)


def test_connecting_and_reading_share_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that comes up late leaves less time for the answer: what it took is no longer waited for."""
    connect = urllib3.util.connection.create_connection
    made: list[socket.socket] = []

    def late(*args: Any, **kwargs: Any) -> socket.socket:
        time.sleep(0.5)
        made.append(connect(*args, **kwargs))
        return made[0]

    monkeypatch.setattr(urllib3.util.connection, "create_connection", late)
    with RawServer(page) as server:
        assert listed(at(server.url, deadline=15.0), clock=SYSTEM_CLOCK) == 1

    # How long the answer would have been waited for. A slow machine only makes it less.
    left = made[0].gettimeout()
    assert left is not None
    assert left <= 15.0 - 0.5


def test_a_small_answer_that_unpacks_to_a_large_one_is_refused() -> None:
    """The bound of 16 MiB is on the unpacked answer."""
    bomb = gzip.compress(b" " * (64 * 1024 * 1024))

    def explode(_: bytes, stream: socket.socket) -> None:
        stream.sendall(http(bomb, "Content-Encoding: gzip"))

    with RawServer(explode) as server:
        error = error_of(at(server.url))

    assert isinstance(error, ProtocolError)
    assert "larger than 16 MiB" in error.headline


@pytest.mark.parametrize("data", [b"\x80" * 50 + b"\r\n\r\n", b"SSH-2.0-x\r\n", b"HTTP/1.1 abc\r\n\r\n", b"\r\n" * 9])
def test_what_is_not_http_is_told_as_that(data: bytes) -> None:
    """Bytes that are no HTTP end in one error of ours."""

    def talk(_: bytes, stream: socket.socket) -> None:
        stream.sendall(data)

    with RawServer(talk) as server:
        assert isinstance(error_of(at(server.url)), (TransportError, ProtocolError))


def test_one_deadline_covers_several_calls(emulator: Emulator) -> None:
    """A deadline that is passed in bounds all calls that share it."""
    with Client(connection_to(emulator), clock=QUICK, limiter=RequestLimiter()) as client:
        over = Deadline.start(SYSTEM_CLOCK, 0)
        with pytest.raises(DeadlineExceeded):
            client.show_package("abc", deadline=over)

        assert emulator.requests == []


def test_connections_are_kept_alive() -> None:
    """A walk over several pages uses one connection."""
    connections = []

    def pages(_: bytes, stream: socket.socket) -> None:
        connections.append(stream)
        for number in (3, 2, 1, 0):
            packages = [package(number)] if number else []
            body = {"packages": packages, "page": {"count": 3, "marker": f"{number:024x}" if number else None}}
            text = json.dumps(body).encode()
            stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))
            if number:
                stream.recv(65536)

    with RawServer(pages) as server:
        assert listed(at(server.url)) == 3
        assert len(connections) == 1
