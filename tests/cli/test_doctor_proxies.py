"""`doctor` behind a proxy: the proxy is looked at by itself, and so is what is behind it; no password is shown."""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.cli.session import Session
from tests.support.fault_helpers import AUTHORITY, closed_port
from tests.support.relay import SERVICE_NAME, STRANGER, Front, Proxy
from tests.support.socks import SocksProxy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator
    from tests.support.shell import Done, Shell

SECRET = "hunter22xx"


@pytest.fixture
def front(emulator: Emulator) -> Iterator[Front]:
    """Return the service, with TLS."""
    with Front(int(emulator.endpoint.rpartition(":")[2])) as front:
        yield front


@pytest.fixture
def looked(shell: Shell, tmp_path: Path) -> Any:
    """Return what runs `doctor` behind a proxy of the environment."""
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    def look(proxy: str) -> Done:
        environ = {"HTTPS_PROXY": proxy, "HW_IOTDA_ENDPOINT": f"https://{SERVICE_NAME}"}
        once = ("--max-attempts", "1", "--ca-file", str(tmp_path / "ca.pem"))
        done = shell.inside("doctor", "--json", *once, environ=environ)
        assert SECRET not in done.out + done.err
        return done

    return look


def findings(done: Done) -> dict[str, dict[str, Any]]:
    """Return what was found, by check."""
    return {one["check"]: one for one in done.answer["result"]["findings"]}


def test_a_proxy_that_connects(looked: Any, front: Front) -> None:
    """The certificate of the service is looked at through the proxy, and everything is well."""
    with Proxy(front) as proxy:
        done = looked(proxy.address.replace("//", f"//user:{SECRET}@"))
    found = findings(done)

    assert done.code == 0
    address = proxy.address.removeprefix("http://")
    assert found["network"]["text"] == (
        f"https://{SERVICE_NAME} responds through the proxy {address} (from HTTPS_PROXY (environment))"
    )
    checks = ("network", "certificate", "packages", "tasks")
    assert {found[check]["status"] for check in checks} == {"ok"}
    assert b"Proxy-Authorization: Basic " in proxy.asked[0]


def test_a_proxy_that_refuses(looked: Any, front: Front) -> None:
    """A proxy that answers 407 is the problem: its host, its status, where it comes from, and what to set."""
    with Proxy(front) as proxy:
        proxy.refusing = True
        done = looked(proxy.address)
    found = findings(done)

    assert done.code == 1
    assert "answered 407 Proxy Authentication Required" in found["network"]["text"]
    assert "set HTTPS_PROXY=http://user:password@" in found["network"]["remedy"]
    assert found["service"]["status"] == "skipped"


def test_a_proxy_that_is_not_there(looked: Any) -> None:
    """If no server listens at the proxy, the problem is the proxy and not the endpoint."""
    found = findings(looked(closed_port().replace("//", f"//user:{SECRET}@")))

    assert found["network"]["status"] == "problem"
    assert "no connection to the proxy 127.0.0.1:" in found["network"]["text"]
    assert found["network"]["text"].endswith(": the connection was refused")
    assert found["network"]["facts"][0]["text"].endswith("(from HTTPS_PROXY (environment))")
    assert "correct HTTPS_PROXY" in found["network"]["remedy"]


@pytest.mark.parametrize("kind", ["SOCKS", "HTTPS"])
def test_every_kind_of_proxy(kind: str, looked: Any, front: Front) -> None:
    """Through a SOCKS proxy, and through a proxy over TLS, `doctor` checks the certificate of the service too."""
    with SocksProxy(front) if kind == "SOCKS" else Proxy(front, secure=AUTHORITY) as proxy:
        done = looked(proxy.address)
    found = findings(done)

    assert done.code == 0
    assert f"responds through the proxy 127.0.0.1:{proxy.port}" in found["network"]["text"]
    assert found["certificate"]["status"] == "ok"


def test_the_certificate_of_a_proxy(looked: Any, front: Front) -> None:
    """A proxy whose certificate is not trusted is a problem of the network that names the proxy."""
    with Proxy(front, secure=STRANGER) as proxy:
        found = findings(looked(proxy.address))

    assert found["network"]["status"] == "problem"
    assert f"no connection to the proxy 127.0.0.1:{proxy.port}: " in found["network"]["text"]
    assert "--ca-file" in found["network"]["remedy"]
    assert "certificate" not in found


@pytest.mark.parametrize("password", [SECRET, f"{SECRET}@x/y#z", f"{SECRET}%40"])
def test_the_password_of_a_proxy_is_a_secret_of_the_command(password: str) -> None:
    """Every text that a command prints hides the password of a proxy, also the traceback of a fault in the command."""
    session = Session({"https_proxy": f"http://user:{password}@proxy:3128", "NO_PROXY": "a,b"}, StringIO(), StringIO())

    assert session.secrets == {password}
