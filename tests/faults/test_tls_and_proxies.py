"""TLS and proxies: whom the client trusts, and what goes over a proxy."""

from __future__ import annotations

import os
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.iotda.client import Client
from pulumi_iotda_ota.iotda.errors import (
    ConfigurationError,
    TransportError,
)
from tests.support.fault_helpers import (
    AUTHORITY,
    CONNECTION,
    RawServer,
    closed_port,
    connection_to,
    http,
)
from tests.support.lists_over_http import at, error_of, listed, page

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator


def test_a_loopback_endpoint_needs_no_proxy(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment does not get what is meant for this machine."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, closed_port())

    assert listed(connection_to(emulator)) > 0


def test_a_given_proxy_is_used() -> None:
    """A proxy that is set gets the request, with the whole address in its first line."""
    with RawServer(page) as proxy:
        assert listed(at("http://127.0.0.1:9", proxy=proxy.url)) == 1

        assert proxy.requests[0].startswith(b"GET http://127.0.0.1:9/v5/iot/p1/ota-upgrades/packages?")


@pytest.mark.parametrize("given", ["argument", "environment"])
def test_a_proxy_that_refuses_learns_nothing(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that refuses to connect is reported as a connection error. It saw neither path nor credentials."""

    def refuse(_: bytes, stream: socket.socket) -> None:
        stream.sendall(http(b"", status="407 Proxy Authentication Required"))

    with RawServer(refuse) as proxy:
        if given == "environment":
            monkeypatch.setenv("https_proxy", proxy.url)
        connection = at("https://iotda.cn-north-4.myhuaweicloud.com", proxy=proxy.url if given == "argument" else None)
        error = error_of(connection)

        assert isinstance(error, TransportError)
        assert not error.sent
        assert proxy.requests[0].startswith(b"CONNECT iotda.cn-north-4.myhuaweicloud.com:443 ")
        assert not any(b"Authorization: SDK" in request or b"/v5/" in request for request in proxy.requests)


def test_an_untrusted_server_gets_no_request() -> None:
    """An untrusted certificate ends the attempt without another one, and nothing was sent."""
    with RawServer(page, tls=True) as server:
        error = error_of(at(server.url))

        assert isinstance(error, TransportError)
        assert "the server's certificate is not trusted: " in error.headline
        assert "ca_file" in dict(error.facts)["fix"]
        assert not error.sent
        assert not error.temporary
        assert server.requests == []


@pytest.fixture
def ca_file(tmp_path: Path) -> str:
    """Return a file that vouches for the servers of these tests."""
    file = tmp_path / "ca.pem"
    AUTHORITY.cert_pem.write_to_path(str(file))
    return str(file)


def test_a_given_certificate_is_trusted(ca_file: str) -> None:
    """With ca_file the server that it vouches for is trusted."""
    with RawServer(page, tls=True) as server:
        assert listed(at(server.url, ca_file=ca_file)) == 1


def test_insecure_trusts_everyone_without_a_warning() -> None:
    """insecure=True is a decision of the user: no library warns about it at each request."""
    with RawServer(page, tls=True) as server, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")

        assert listed(at(server.url, insecure=True)) == 1
        assert [str(warning.message) for warning in caught if "nverified" in str(warning.message)] == []


def test_the_environments_certificates_do_not_outvote_a_setting(monkeypatch: pytest.MonkeyPatch, ca_file: str) -> None:
    """ca_file and insecure hold, whatever the environment names."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    with RawServer(page, tls=True) as server:
        assert listed(at(server.url, ca_file=ca_file)) == 1
        assert listed(at(server.url, insecure=True)) == 1


def test_a_missing_ca_file_is_told_before_anything_is_sent() -> None:
    """A file of certificates that is not there is a setting that is wrong."""
    with pytest.raises(ConfigurationError, match="ca_file is no file: /nowhere"):
        Client(replace(CONNECTION, ca_file="/nowhere"))
    with pytest.raises(ConfigurationError, match="ca_file cannot be read: file name too long"):
        Client(replace(CONNECTION, ca_file="x" * 300))


@pytest.mark.parametrize("given", ["setting", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_from_a_pipe_are_refused(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe in the place of the certificates is a wrong setting, and nothing waits for it."""
    os.mkfifo(tmp_path / "pipe")
    connection = replace(CONNECTION, endpoint="https://iotda.example.test")
    if given == "setting":
        connection = replace(connection, ca_file=str(tmp_path / "pipe"))
    else:
        monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
        monkeypatch.setenv(given, str(tmp_path / "pipe"))

    with pytest.raises(ConfigurationError, match=r"(is|are) no file: "):
        Client(connection)


def test_tls_with_a_server_that_speaks_none() -> None:
    """A secure address of a server without TLS is reported as a failure of TLS, and not tried again."""
    with RawServer(page, until=b"") as server:
        error = error_of(at(server.url.replace("http:", "https:")))

        assert error.headline.startswith("could not list OTA packages: TLS failed: ")
        assert len(server.requests) == 1
