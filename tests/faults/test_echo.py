"""A service that repeats what it was sent: no error, log line or representation of ours does."""

from __future__ import annotations

import html
import json
import logging
import pickle
import secrets
import traceback
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from pydantic import SecretStr

from pulumi_iotda_ota.iotda.auth.connection import resolve
from pulumi_iotda_ota.iotda.auth.connection_model import Connection
from pulumi_iotda_ota.iotda.client import Client
from pulumi_iotda_ota.iotda.errors import ConfigurationError, IotdaOtaError, ProtocolError
from pulumi_iotda_ota.iotda.http.limiter import RequestLimiter
from pulumi_iotda_ota.iotda.login import TokenCache
from pulumi_iotda_ota.iotda.models import PackageQuery, UnreadableRecord
from tests.support.fault_helpers import RawServer, http
from tests.support.login_bench import Bench

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator

METER = PackageQuery(package_type="firmwarePackage", product_id="smart-meter")
PIECE = 12
USER: dict[str, Any] = {"user_name": "operator", "domain_name": "meters-inc"}
# As long as the tokens that IAM issues: cut to the length of a line it would still be one.
TOKEN = f"MIID{secrets.token_hex(500)}+/="

ECHOES: dict[str, Callable[[str], dict[str, Any]]] = {
    "text": lambda token: {"body": f"X-Auth-Token: {token} is not known"},
    "html": lambda token: {"body": f"<html><title>{token}</title></html>"},
    "json": lambda token: {"body": {"error_code": "IOTDA.000006", "error_msg": f"bad {token}"}},
    "nested json": lambda token: {"body": {"error": {"message": token, "code": 400}}},
    "request id": lambda token: {"body": {}, "headers": {"X-Request-Id": token}},
    "percent-encoded": lambda token: {"body": f"bad token {quote(token, safe='')}"},
    "location": lambda token: {"body": "", "headers": {"Location": f"https://{token}.example/{token}"}},
}


def told(error: BaseException, caplog: pytest.LogCaptureFixture) -> str:
    """Return everything that a person could get to see of an error."""
    shown = [str(error), repr(error), repr(vars(error)), "".join(traceback.format_exception(error))]
    return "\n".join([*shown, repr(pickle.loads(pickle.dumps(error))), caplog.text])


def client_of(emulator: Emulator) -> Client:
    """Return a client with the token, which tries once."""
    connection = Connection(
        endpoint=emulator.endpoint,
        region=emulator.region,
        project_id=emulator.project_id,
        auth_token=SecretStr(TOKEN),
        max_attempts=1,
    )
    return Client(resolve(connection, config={}, environ={}), limiter=RequestLimiter())


@pytest.mark.parametrize("status", [200, 302, 400, 401, 403, 404, 429, 500, 503])
@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_what_comes_back_is_not_told(
    emulator: Emulator, caplog: pytest.LogCaptureFixture, echo: Callable[[str], dict[str, Any]], status: int
) -> None:
    """The client redacts a credential that the service repeats, at any place and length, before it cuts a text."""
    caplog.set_level(logging.DEBUG)
    emulator.faults.add(times=None, status=status, **echo(TOKEN))

    with client_of(emulator) as client, pytest.raises(IotdaOtaError) as caught:
        list(client.list_packages(METER))

    shown = told(caught.value, caplog)
    pieces = {TOKEN[place : place + PIECE] for place in range(len(TOKEN) - PIECE)}
    assert not [piece for piece in pieces if piece in shown]


def test_a_record_that_repeats_it_is_not_told(emulator: Emulator) -> None:
    """A record of the wrong shape is reported by its id, but not if that is the credential."""
    page = {"packages": [{"package_id": TOKEN, "version": TOKEN}], "page": {"count": 1, "marker": "0" * 24}}
    emulator.faults.add(body=json.dumps(page))

    with client_of(emulator) as client:
        (record,) = client.list_packages(METER)

    assert record == UnreadableRecord("****", "****", "app_id is missing")


EXCHANGES: dict[str, tuple[str, Callable[[Path], dict[str, Any]]]] = {
    "password": ("KeystoneCreateUserTokenByPassword", lambda _: {**USER, "password": TOKEN}),
    "access key": ("KeystoneListProjects", lambda _: {"access_key": "AKIDEXAMPLE7Q", "secret_key": TOKEN}),
    "ready token": ("KeystoneListProjects", lambda _: {"auth_token": TOKEN}),
    "agency": ("CreateTemporaryAccessKey", lambda _: {"auth_token": TOKEN, "agency_name": "a", "domain_name": "d"}),
    "OIDC token": ("CreateUnscopedTokenWithIdToken", lambda file: {"oidc_token_file": str(file), "idp_id": "i"}),
}


@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 403, 404, 429, 500])
@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
@pytest.mark.parametrize("kind", EXCHANGES)
def test_what_iam_repeats_is_not_told(
    *,
    emulator: Emulator,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    kind: str,
    echo: Callable[[str], dict[str, Any]],
    status: int,
) -> None:
    """The client also redacts passwords, tokens and keys that IAM or a server before it repeats."""
    caplog.set_level(logging.DEBUG)
    operation, given = EXCHANGES[kind]
    file = tmp_path / "token"
    file.write_text(TOKEN)
    emulator.faults.add(times=None, operation=operation, status=status, **echo(TOKEN))
    places: dict[str, Any] = {
        "endpoint": emulator.endpoint,
        "iam_endpoint": emulator.endpoint,
        "region": emulator.region,
    }
    connection = Connection(**places, **given(file), max_attempts=1)

    with (
        Client(
            resolve(connection, config={}, environ={}), limiter=RequestLimiter(), token_cache=TokenCache()
        ) as client,
        pytest.raises(IotdaOtaError) as caught,
    ):
        list(client.list_packages(METER))

    shown = told(caught.value, caplog)
    pieces = {TOKEN[place : place + PIECE] for place in range(len(TOKEN) - PIECE)}
    assert not [piece for piece in pieces if piece in shown]


@pytest.mark.parametrize(
    "password", ['Pa"ss\\word<&>hush-hush', "P\u00e4ssw\u00f6rd-hush-hush"], ids=["signs", "letters"]
)
@pytest.mark.parametrize("status", ["400 Bad Request", "401 Unauthorized", "500 Oops"])
@pytest.mark.parametrize(
    "page",
    [
        lambda body: b"no such page: " + body,
        lambda body: b"<title>" + html.escape(body.decode()).encode() + b"</title>",
        lambda body: json.dumps({"error_msg": f"bad: {body.decode()}"}).encode(),
        lambda body: quote(body).encode(),
        lambda body: json.dumps({"error_msg": json.dumps(json.loads(body), ensure_ascii=False)}).encode(),
    ],
    ids=["text", "html", "json", "percent-encoded", "json of json"],
)
def test_a_request_that_is_repeated_whole_is_not_told(
    *, emulator: Emulator, page: Callable[[bytes], bytes], status: str, password: str
) -> None:
    """The client redacts a password in each form in which a response can repeat its request."""
    bench = Bench(emulator)

    def repeat(request: bytes, stream: socket.socket) -> None:
        stream.sendall(http(page(request.partition(b"\r\n\r\n")[2]), status=status))

    with RawServer(repeat, until=b"}}}") as server:
        error = bench.error(bench.user(iam_endpoint=server.url, password=password, max_attempts=1))

    assert "****" in str(error)
    assert "hush" not in str(error)


def test_what_iam_gave_out_is_not_told(emulator: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """The client redacts an obtained token in texts of the service. No log or representation has it."""
    caplog.set_level(logging.DEBUG)
    accounts = emulator.accounts
    user: dict[str, Any] = {
        "user_name": accounts.user_name,
        "password": accounts.password,
        "domain_name": accounts.domain_name,
    }
    places: dict[str, Any] = {
        "endpoint": emulator.endpoint,
        "iam_endpoint": emulator.endpoint,
        "region": emulator.region,
    }
    connection = resolve(Connection(**places, **user), config={}, environ={})
    token_cache = TokenCache()
    fault = emulator.faults.add(operation="ListOtaPackageInfo", times=None, status=400)
    fault.before = lambda: setattr(fault, "body", f"bad token {next(iter(emulator.tokens))}")

    with (
        Client(connection, limiter=RequestLimiter(), token_cache=token_cache) as client,
        pytest.raises(IotdaOtaError) as caught,
    ):
        list(client.list_packages(METER))

    (token,) = emulator.tokens
    shown = told(caught.value, caplog) + repr(connection) + str(connection.credential) + repr(client.connection)
    assert "bad token ****" in shown
    assert token not in shown
    assert accounts.password not in shown
    assert accounts.password not in repr(vars(token_cache))


@pytest.mark.parametrize("damage", ["", "}", "]"])
def test_a_key_in_a_damaged_answer_is_not_told(
    emulator: Emulator, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    """If a response with a key cannot be read, the error does not repeat even its beginning."""
    body = f'{{"credential":{{"access":"HSTAAAABBBB","secret":"{TOKEN}",{damage}'
    emulator.faults.add(operation="CreateTemporaryAccessKey", times=None, status=201, body=body)
    places: dict[str, Any] = {
        "endpoint": emulator.endpoint,
        "iam_endpoint": emulator.endpoint,
        "region": emulator.region,
    }
    agency: dict[str, Any] = {"agency_name": "a", "domain_name": "d"}
    connection = Connection(**places, **agency, auth_token=SecretStr("t" * 20), max_attempts=1)

    with (
        Client(
            resolve(connection, config={}, environ={}), limiter=RequestLimiter(), token_cache=TokenCache()
        ) as client,
        pytest.raises(ProtocolError) as caught,
    ):
        list(client.list_packages(METER))

    shown = told(caught.value, caplog)
    assert "HSTAAAABBBB" not in shown
    assert TOKEN[:PIECE] not in shown


def test_another_package_is_no_answer(emulator: Emulator) -> None:
    """A response about another package or task than the requested one is refused."""
    wanted = emulator.packages[0]["package_id"]
    emulator.faults.add(operation="ShowOtaPackage", merge={"package_id": "other"})
    token = emulator.issue_token()
    settings = {"HW_IOTDA_ENDPOINT": emulator.endpoint, "HW_PROJECT_ID": emulator.project_id, "HW_AUTH_TOKEN": token}

    with (
        Client(resolve(None, config={}, environ=settings), limiter=RequestLimiter()) as client,
        pytest.raises(ProtocolError, match=f'about another one: "other", not "{wanted}"'),
    ):
        client.show_package(wanted)


def test_a_password_that_can_not_be_sent_is_a_setting(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy's password beyond HTTP's characters is reported as a wrong setting, without the password."""
    monkeypatch.setenv("HTTPS_PROXY", "http://user:P%E2%82%AChush@127.0.0.1:9")
    connection = Connection(region="cn-north-4", project_id="p1", auth_token=SecretStr("t" * 20), max_attempts=1)

    with (
        Client(resolve(connection, config={}, environ={}), limiter=RequestLimiter()) as client,
        pytest.raises(ConfigurationError, match="the user or the password of the proxy has characters") as caught,
    ):
        list(client.list_packages(METER))
    assert "hush" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "proxy",
    [
        "http://user:hush@127.0.0.1:99999",
        "http://user:hush@127.0.0.1:port",
        "http://user:hush@",
        "http://user:hush@:3128",
        "http://user:hush@[::1",
        "user:hush@127.0.0.1",
        "socks5://user:hush@127.0.0.1:9",
        "http:user:hush@127.0.0.1",
    ],
)
def test_a_proxy_that_can_not_be_used_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, proxy: str
) -> None:
    """Whatever is wrong with the proxy of the environment is one error of ours that repeats nothing of it."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    connection = Connection(region="cn-north-4", project_id="p1", auth_token=SecretStr("t" * 20), max_attempts=1)

    with (
        pytest.raises(IotdaOtaError, match=r"^(could not list OTA packages: |the proxy of HTTPS_PROXY )") as caught,
        Client(resolve(connection, config={}, environ={}), limiter=RequestLimiter()) as client,
    ):
        list(client.list_packages(METER))
    assert "hush" not in told(caught.value, caplog)


@pytest.mark.parametrize("allowed", [[], ()])
def test_an_empty_list_of_projects_allows_none(allowed: Any) -> None:
    """An empty allowed_project_ids refuses every project; it does not turn the guard off."""
    connection = Connection(region="cn-north-4", project_id="p1", allowed_project_ids=allowed)

    with pytest.raises(ConfigurationError, match="p1 is not in allowed_project_ids"):
        resolve(connection, config={}, environ={"HW_AUTH_TOKEN": "t"})
