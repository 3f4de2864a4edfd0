"""A proxy is a separate party: an error names it, its status and its setting, never its password."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.iotda.errors import ConfigurationError, TransportError
from tests.support.fault_helpers import AUTHORITY, RawServer, closed_port, connection_to, http
from tests.support.lists_over_http import at, error_of, listed
from tests.support.plugin_process import ROOT
from tests.support.relay import SERVICE_NAME, STRANGER, Front, Proxy
from tests.support.socks import SocksProxy

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator
    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection

SERVICE = f"https://{SERVICE_NAME}"
PASSWORD = "p@ss/w#rd?%"
ENCODED = "p%40ss%2Fw%23rd%3F%25"
#: How a way sets a proxy: the setting, or a variable.
WAYS = ("setting", "HTTPS_PROXY", "https_proxy", "ALL_PROXY")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away the proxies of this machine."""
    for name in ("https_proxy", "http_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def trusted(tmp_path: Path, emulator: Emulator) -> dict[str, Any]:
    """Return settings that the emulator accepts, and that trust the authority of these tests."""
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    known = connection_to(emulator)
    return {"ca_file": str(tmp_path / "ca.pem"), "credential": known.credential, "project_id": known.project_id}


@pytest.fixture
def front(emulator: Emulator) -> Iterator[Front]:
    """Return the service, with TLS."""
    with Front(int(emulator.endpoint.rpartition(":")[2])) as front:
        yield front


def over(proxy: str, way: str, monkeypatch: pytest.MonkeyPatch) -> ResolvedConnection:
    """Return a connection over a proxy."""
    if way == "setting":
        return at(SERVICE, proxy=proxy, origins={"proxy": "argument"})
    monkeypatch.setenv(way, proxy)
    return at(SERVICE)


def refusing(status: str) -> RawServer:
    """Return a proxy that answers every request with a status."""
    return RawServer(lambda _request, stream: stream.sendall(http(b"", status=status)))


@pytest.mark.parametrize("way", WAYS)
def test_a_proxy_that_wants_a_password(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """407 is final: one request, and an error that names the proxy, its status and where it was configured."""
    with refusing("407 Proxy Authentication Required") as proxy:
        error = error_of(over(proxy.url, way, monkeypatch))
        address = proxy.url.removeprefix("http://")

    assert isinstance(error, TransportError)
    assert (error.sent, error.temporary) == (False, False)
    assert error.headline == (
        f"could not list OTA packages: the proxy {address} answered 407 Proxy Authentication Required"
    )
    facts = dict(error.facts)
    assert facts["proxy"] == f"{address} (from {'argument' if way == 'setting' else f'{way} (environment)'})"
    variable = "HTTPS_PROXY" if way == "setting" else way
    assert f"set {variable}=http://user:password@{address};" in facts["fix"]
    assert "attempts" not in facts
    assert len(proxy.requests) == 1


@pytest.mark.parametrize(
    ("status", "attempts"), [("403 Forbidden", 1), ("405 No", 1), ("429 Slow", 5), ("502 Bad", 5), ("503 Busy", 5)]
)
def test_the_status_of_a_proxy_decides(status: str, attempts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a proxy refuses is final; what it fails at is tried again, as with the service."""
    with refusing(status) as proxy:
        error = error_of(over(proxy.url, "HTTPS_PROXY", monkeypatch))

    assert f"answered {status.split(maxsplit=1)[0]} " in f"{error.headline} "
    assert len(proxy.requests) == attempts


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
def test_a_proxy_that_is_not_there(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that refuses the connection, or has no address, is named instead of the endpoint."""
    port = closed_port().rpartition(":")[2]
    refused = error_of(over(f"{scheme}://127.0.0.1:{port}", "HTTPS_PROXY", monkeypatch))
    nowhere = error_of(over(f"{scheme}://user:{ENCODED}@proxy.invalid:3128", "HTTPS_PROXY", monkeypatch))

    assert refused.headline == (
        f"could not list OTA packages: no connection to the proxy 127.0.0.1:{port}: the connection was refused"
    )
    assert nowhere.headline == (
        "could not list OTA packages: no connection to the proxy proxy.invalid:3128: "
        "the host name could not be resolved"
    )
    for error in (refused, nowhere):
        assert isinstance(error, TransportError)
        assert not error.sent
        assert "HTTPS_PROXY" in dict(error.facts)["fix"]
        assert "endpoint" not in dict(error.facts)
        assert "p@ss" not in str(error)
        assert ENCODED not in str(error)


@pytest.mark.parametrize("text", [PASSWORD, "pa/ss", "pa#ss", "pa?ss", "p@ss", "[ss"])
@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_a_password_that_is_not_encoded(text: str, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password with characters of an address is an error before anything is sent; nothing of it is repeated."""
    monkeypatch.setenv("HTTPS_PROXY", f"{scheme}://user:{text}@proxy.example:3128")
    error = error_of(at(SERVICE))

    assert isinstance(error, ConfigurationError)
    assert error.headline == "the proxy of HTTPS_PROXY (environment) is not a valid address"
    assert "@ as %40, / as %2F, # as %23" in dict(error.facts)["fix"]
    assert "ss" not in str(error).replace("password", "").replace("address", "")
    assert "w#rd" not in repr(error)


def test_an_encoded_password_is_sent(front: Front, trusted: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A password that is percent-encoded reaches the proxy unchanged."""
    with Proxy(front) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.address.replace("//", f"//user:{ENCODED}@"))
        assert listed(at(SERVICE, **trusted)) > 0

    sent = proxy.asked[0].partition(b"Proxy-Authorization: Basic ")[2].partition(b"\r\n")[0]
    assert base64.b64decode(sent).decode() == f"user:{PASSWORD}"


@pytest.mark.parametrize("way", ["setting", "HTTPS_PROXY", "ALL_PROXY"])
def test_over_socks(
    way: str, front: Front, trusted: dict[str, Any], emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests go over a SOCKS proxy, which resolves the name of the service."""
    with SocksProxy(front) as proxy:
        connection = over(proxy.address, way, monkeypatch)
        assert listed(at(SERVICE, **{**trusted, "proxy": connection.proxy})) > 0

    assert set(proxy.asked) == {f"{SERVICE_NAME}:443"}
    assert emulator.requests


@pytest.mark.parametrize("way", ["setting", "HTTPS_PROXY"])
def test_over_tls_to_a_proxy(
    way: str, front: Front, trusted: dict[str, Any], emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An https:// proxy is reached over TLS, and its tunnel holds the TLS connection to the service."""
    with Proxy(front, secure=AUTHORITY) as proxy:
        connection = over(proxy.address, way, monkeypatch)
        assert listed(at(SERVICE, **{**trusted, "proxy": connection.proxy})) > 0

    assert all(head.startswith(f"CONNECT {SERVICE_NAME}:443 ".encode()) for head in proxy.asked)
    assert emulator.requests


def test_a_password_for_a_proxy_over_tls(
    front: Front, trusted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """User and password reach an https:// proxy, and its 407 is final, names the proxy and shows no password."""
    with Proxy(front, secure=AUTHORITY) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.address.replace("//", f"//user:{ENCODED}@"))
        assert listed(at(SERVICE, **trusted)) > 0
        sent = proxy.asked[0].partition(b"Proxy-Authorization: Basic ")[2].partition(b"\r\n")[0]
        proxy.refusing = True
        before = len(proxy.asked)
        error = error_of(at(SERVICE, **trusted))

    assert base64.b64decode(sent).decode() == f"user:{PASSWORD}"
    assert len(proxy.asked) == before + 1
    assert f"the proxy 127.0.0.1:{proxy.port} answered 407" in error.headline
    assert "set HTTPS_PROXY=https://user:password@" in dict(error.facts)["fix"]
    assert "p@ss" not in str(error)


@pytest.mark.parametrize("speaks", ["another authority", "clear text"])
def test_no_tls_to_a_proxy(speaks: str, front: Front, trusted: dict[str, Any]) -> None:
    """If TLS to an https:// proxy fails, the error names the proxy and its fix, and no request is sent."""

    def refuse(_request: bytes, stream: socket.socket) -> None:
        stream.sendall(http(b"", status="400 Bad Request"))

    foreign = speaks == "another authority"
    with Proxy(front, secure=STRANGER) if foreign else RawServer(refuse, until=b"") as proxy:
        address = f"127.0.0.1:{proxy.port}"
        error = error_of(at(SERVICE, proxy=f"https://{address}", origins={"proxy": "argument"}, **trusted))

    assert isinstance(error, TransportError)
    assert (error.sent, error.temporary) == (False, False)
    problem = {
        "another authority": "the server's certificate is not trusted: ",
        "clear text": "the proxy does not speak TLS",
    }
    assert error.headline.startswith(
        f"could not list OTA packages: no connection to the proxy {address}: {problem[speaks]}"
    )
    facts = dict(error.facts)
    assert facts["proxy"] == f"{address} (from argument)"
    fix = {"another authority": "ca_file", "clear text": f"use http://{address}"}
    assert fix[speaks] in facts["fix"]
    assert "attempts" not in facts


def test_socks_with_a_password(front: Front, trusted: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A SOCKS proxy takes user and password of the address; if they are wrong, that is final and the proxy is named."""
    with SocksProxy(front, user=("user", PASSWORD)) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.address.replace("//", f"//user:{ENCODED}@"))
        assert listed(at(SERVICE, **trusted)) > 0
        monkeypatch.setenv("HTTPS_PROXY", proxy.address.replace("//", "//user:hunter22@"))
        wrong = error_of(at(SERVICE, **trusted))
        monkeypatch.setenv("HTTPS_PROXY", proxy.address)
        none = error_of(at(SERVICE, **trusted))

    for error in (wrong, none):
        assert isinstance(error, TransportError)
        assert (error.sent, error.temporary) == (False, False)
        assert f"the proxy 127.0.0.1:{proxy.port} " in error.headline
        assert "HTTPS_PROXY" in str(error)
        assert "hunter22" not in str(error)


@pytest.mark.parametrize(("refusal", "words"), [(2, "not allowed"), (4, "unreachable"), (5, "refused")])
def test_a_socks_proxy_that_cannot_connect(
    refusal: int, words: str, front: Front, trusted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a SOCKS proxy answers is part of the error."""
    with SocksProxy(front, refusal=refusal) as proxy:
        error = error_of(at(SERVICE, proxy=proxy.address, **trusted))

    assert f"the proxy 127.0.0.1:{proxy.port} answered" in error.headline
    assert words in error.headline
    assert isinstance(error, TransportError)
    assert not error.sent


# PySocks leaves a socket to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_host_that_socks5_cannot_resolve_here(front: Front, trusted: dict[str, Any]) -> None:
    """With socks5:// this machine resolves the name of the service; if it cannot, the error names socks5h://."""
    with SocksProxy(front) as proxy:
        error = error_of(at(SERVICE, proxy=proxy.address.replace("socks5h", "socks5"), **trusted))

    assert "the host name could not be resolved" in error.headline
    assert "socks5h://" in dict(error.facts)["fix"]


def test_socks_without_its_extra(tmp_path: Path) -> None:
    """Without PySocks a SOCKS proxy is an error that names the extra; nothing is sent."""
    (tmp_path / "socks.py").write_text("raise ImportError('not installed')\n")
    program = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from tests.support.lists_over_http import at, listed\n"
        "listed(at('https://iotda.example.test', proxy='socks5://proxy.example:1080'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert (
        "ConfigurationError: the proxy proxy.example:1080 is a SOCKS proxy, and PySocks is not installed" in done.stderr
    )
    assert 'pip install "pulumi-iotda-ota[socks]"' in done.stderr


def test_a_forwarding_proxy_that_wants_a_password() -> None:
    """If the proxy is given the request itself, as for an emulator, its 407 is final too and is not the service's."""
    with refusing("407 Proxy Authentication Required") as proxy:
        error = error_of(at("http://127.0.0.1:9", proxy=proxy.url))

    assert isinstance(error, TransportError)
    assert "the proxy 127.0.0.1:" in error.headline
    assert len(proxy.requests) == 1


def test_the_service_is_named_behind_a_proxy(front: Front, trusted: dict[str, Any]) -> None:
    """If the proxy connects and TLS with the service fails, the endpoint is named and not the proxy."""
    with Proxy(front) as proxy:
        error = error_of(at(SERVICE, proxy=proxy.address))

    assert "the server's certificate is not trusted" in error.headline
    assert "proxy" not in error.headline
