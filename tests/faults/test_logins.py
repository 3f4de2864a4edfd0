"""Credentials that are obtained first: from IAM and the metadata service, over real sockets, in good times and bad."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.emulator import Emulator
from pulumi_iotda_ota.iotda.errors import (
    ConfigurationError,
    CredentialsError,
    DeadlineExceeded,
    IotdaOtaError,
    ProtocolError,
    ServiceError,
    TransportError,
)
from tests.support.fault_helpers import AUTHORITY, RawServer, closed_port, http
from tests.support.login_bench import KEY, METER, PROJECTS, TOKEN, Bench

if TYPE_CHECKING:
    from pathlib import Path


def test_a_user_gets_a_token_and_its_project(bench: Bench) -> None:
    """User and password are exchanged once for a token of the region, which also says which project that is."""
    with bench.client(bench.user()) as client:
        assert len(list(client.list_packages(METER))) == 41
        assert client.complete().project_id == bench.emulator.project_id
        list(client.list_packages(METER))

    assert bench.operations == [TOKEN, "ListOtaPackageInfo", "ListOtaPackageInfo"]
    asked, listed, _ = bench.emulator.requests
    assert asked.json["auth"]["scope"] == {"project": {"name": bench.emulator.region}}
    assert asked.headers.get("Authorization") is None
    assert "X-Project-Id" not in asked.headers
    assert listed.headers["X-Auth-Token"] in bench.emulator.tokens


def test_a_given_project_is_the_scope(bench: Bench) -> None:
    """Where the project is given, the token is for it."""
    bench.listed(bench.user(project_id=bench.emulator.project_id))

    assert bench.emulator.requests[0].json["auth"]["scope"] == {"project": {"id": bench.emulator.project_id}}


def test_the_project_of_the_region_is_found_by_the_standard_signature() -> None:
    """One request to IAM finds the project, with the standard signature though the instance wants the other."""
    with Emulator(derived_only=True) as emulator:
        bench = Bench(emulator)
        connection = bench.key(signing="derived")
        assert [bench.listed(connection) for _ in range(2)] == [41, 41]

        assert bench.operations == [PROJECTS, "ListOtaPackageInfo", "ListOtaPackageInfo"]
        asked = emulator.requests[0]
        assert asked.target == f"/v3/projects?name={emulator.region}"
        assert asked.headers["Authorization"].startswith("SDK-HMAC-SHA256 ")


@pytest.mark.parametrize("found", [[], ["p-1", "p-2"]])
def test_no_project_or_several_are_an_error(bench: Bench, found: list[str]) -> None:
    """A region of no project, or of several, is never guessed; the error lists those that there are."""
    bench.emulator.accounts.projects[:] = [{"id": name, "name": bench.emulator.region} for name in found]

    error = bench.error(bench.key())

    assert isinstance(error, ConfigurationError)
    expected = "the region cn-north-4 has 2 projects" if found else "IAM finds no project of the region cn-north-4"
    assert error.headline.startswith(expected)
    assert all(name in str(error) for name in found)
    assert "ListOtaPackageInfo" not in bench.operations


@pytest.mark.parametrize("way", ["user", "key", "ecs"])
def test_a_project_is_found_by_its_name(bench: Bench, way: str) -> None:
    """A project name is resolved by IAM, once for the process; the main project of the region gets no request."""
    projects = bench.emulator.accounts.projects
    projects[:] = [{"id": "main", "name": "cn-north-4"}, {"id": bench.emulator.project_id, "name": "cn-north-4_iot"}]
    connection = getattr(bench, way)(project_name="cn-north-4_iot")

    assert [bench.listed(connection) for _ in range(2)] == [41, 41]

    assert bench.operations.count(PROJECTS) == (way != "user")
    assert {request.target.split("/")[3] for request in bench.emulator.requests if "/v5/" in request.target} == {
        bench.emulator.project_id
    }


def test_a_project_name_that_iam_does_not_know(bench: Bench) -> None:
    """A name that IAM does not know is an error that names it; nothing is sent to the service."""
    error = bench.error(bench.key(project_name="cn-north-4_iot"))

    assert error.headline == "IAM finds no project cn-north-4_iot with this credential"
    assert "ListOtaPackageInfo" not in bench.operations


@pytest.mark.parametrize("way", ["user", "key"])
def test_a_project_that_was_found_must_be_allowed(bench: Bench, way: str) -> None:
    """allowed_project_ids applies to a project that IAM reports as to one that the user sets."""
    connection = getattr(bench, way)(allowed_project_ids=["another"])

    error = bench.error(connection)

    assert error.headline == f"project {bench.emulator.project_id} is not in allowed_project_ids"
    assert ("source", "IAM, as the project of the region cn-north-4") in error.facts
    assert "ListOtaPackageInfo" not in bench.operations


@pytest.mark.parametrize("way", ["user", "key"])
def test_a_project_that_another_connection_found_must_be_allowed(bench: Bench, way: str) -> None:
    """A project that one connection finds stays refused for another connection that does not allow it."""
    assert bench.listed(getattr(bench, way)()) == 41

    error = bench.error(getattr(bench, way)(allowed_project_ids=["another"]))

    assert error.headline == f"project {bench.emulator.project_id} is not in allowed_project_ids"
    assert bench.operations.count("ListOtaPackageInfo") == 1


def test_tokens_are_not_shared_across_settings_of_tls(bench: Bench, tmp_path: Path) -> None:
    """A token that was obtained without verifying the server is none for a connection that verifies it."""
    (tmp_path / "ca.pem").write_bytes(AUTHORITY.cert_pem.bytes())
    for settings in ({}, {"insecure": True}, {"ca_file": str(tmp_path / "ca.pem")}, {}, {"insecure": True}):
        assert bench.listed(bench.user(**settings)) == 41
        assert bench.listed(bench.key(**settings)) == 41

    assert [bench.operations.count(one) for one in (TOKEN, PROJECTS)] == [3, 3]


def test_an_agency_of_an_account_by_its_id(bench: Bench) -> None:
    """The account of an agency can be named by its id, and an id of another account is refused."""
    accounts = bench.emulator.accounts
    agency = {"agency_name": accounts.agency_name, "agency_domain_id": accounts.agency_domain_id}

    assert bench.listed(bench.key(**agency)) == 41

    assumed = bench.emulator.requests[0].json["auth"]["identity"]["assume_role"]
    assert assumed["domain_id"] == accounts.agency_domain_id
    assert "domain_name" not in assumed
    assert "agency rollout of d0" in str(bench.error(bench.key(**{**agency, "agency_domain_id": "d0"})))


@pytest.mark.parametrize("base", ["key", "user", "ecs"])
def test_an_agency_is_assumed(bench: Bench, base: str) -> None:
    """Any credential can assume an agency. Its key finds the project and signs what follows."""
    accounts = bench.emulator.accounts
    agency = {"agency_name": accounts.agency_name, "agency_domain_name": accounts.agency_domain_name}

    assert bench.listed(getattr(bench, base)(**agency)) == 41

    assert bench.operations[-3:] == [KEY, PROJECTS, "ListOtaPackageInfo"]
    assumed = bench.emulator.requests[-3].json["auth"]["identity"]
    assert assumed["methods"] == ["assume_role"]
    assert assumed["assume_role"]["domain_name"] == accounts.agency_domain_name
    assert bench.emulator.requests[-1].headers["X-Security-Token"]
    if base == "user":
        # A token for a project may not assume anything.
        assert bench.emulator.requests[0].json["auth"]["scope"] == {"domain": {"name": accounts.domain_name}}


def test_a_pipeline_s_token_is_exchanged(bench: Bench, tmp_path: Path) -> None:
    """The token in a file becomes a token of IAM and that a temporary key; the file is read when it is needed."""
    file = tmp_path / "token"
    connection = bench.connection(oidc_token_file=str(file), idp_id=bench.emulator.accounts.idp_id)
    missing = bench.error(connection)
    file.write_text(f"{bench.emulator.accounts.id_token}\n")

    assert bench.listed(connection) == 41

    assert missing.headline == "the OIDC token file cannot be read: no such file or directory"
    assert bench.operations == ["CreateUnscopedTokenWithIdToken", KEY, PROJECTS, "ListOtaPackageInfo"]
    assert bench.emulator.requests[0].headers["X-Idp-Id"] == "pipeline"


def test_a_pipeline_s_token_as_an_editor_writes_it(bench: Bench, tmp_path: Path) -> None:
    """A byte order mark before the token, and a line break behind it, are no part of it."""
    file = tmp_path / "token"
    file.write_bytes(f"\ufeff{bench.emulator.accounts.id_token}\r\n".encode())

    assert bench.listed(bench.connection(oidc_token_file=str(file), idp_id=bench.emulator.accounts.idp_id)) == 41


@pytest.mark.parametrize(
    ("file", "problem"),
    [("~no-user-of-this-name/token", "its home folder does not exist"), ("/dev/zero", "it is no file")],
)
def test_a_pipeline_s_token_that_is_none(bench: Bench, file: str, problem: str) -> None:
    """The error reports what the name leads to, and nothing is sent."""
    error = bench.error(bench.connection(oidc_token_file=file, idp_id="pipeline"))

    assert error.headline == f"the OIDC token file cannot be read: {problem}"
    assert bench.operations == []


def test_a_pipeline_s_token_that_is_refused(bench: Bench, tmp_path: Path) -> None:
    """A token that IAM refuses is not sent again; one that the pipeline writes anew is."""
    file = tmp_path / "token"
    file.write_text("eyJ-expired-token")
    connection = bench.connection(oidc_token_file=str(file), idp_id=bench.emulator.accounts.idp_id)

    errors = [bench.error(connection) for _ in range(2)]
    file.write_text(bench.emulator.accounts.id_token)

    assert all(isinstance(error, CredentialsError) for error in errors)
    assert "identity provider's token has expired" in " ".join(str(errors[0]).split())
    assert "eyJ-expired-token" not in f"{errors[0]}{errors[1]}"
    assert bench.listed(connection) == 41
    assert bench.operations.count("CreateUnscopedTokenWithIdToken") == 2


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("tokens", ["CreateMetadataToken", "ShowSecurityKey"]),
        ("tokens_only", ["CreateMetadataToken", "ShowSecurityKey"]),
        ("no_tokens", ["CreateMetadataToken", "ShowSecurityKey"]),
    ],
)
def test_an_ecs_gives_its_key(bench: Bench, mode: Any, expected: list[str]) -> None:
    """A request to the metadata service has a token, or none if the service has none."""
    bench.emulator.accounts.metadata = mode

    assert bench.listed(bench.ecs()) == 41

    assert bench.operations == [*expected, PROJECTS, "ListOtaPackageInfo"]
    assert ("X-Metadata-Token" in bench.emulator.requests[1].headers) == (mode != "no_tokens")


def test_a_metadata_service_that_wants_a_token_after_all(bench: Bench) -> None:
    """If the service first reports that it has no tokens and then wants one, one more request follows."""
    bench.emulator.accounts.metadata = "tokens_only"
    bench.emulator.faults.add(operation="CreateMetadataToken", status=503)

    assert bench.listed(bench.ecs()) == 41

    key = ["CreateMetadataToken", "ShowSecurityKey"]
    assert bench.operations == [*key, *key, PROJECTS, "ListOtaPackageInfo"]


def test_an_ecs_without_an_agency_and_no_ecs(bench: Bench) -> None:
    """An ECS without an agency, and a machine that is no ECS, are reported quickly and in plain words."""
    bench.emulator.accounts.metadata = "no_agency"
    without = bench.error(bench.ecs())
    none = bench.error(bench.ecs(closed_port()))

    assert without.headline == "this ECS has no agency"
    assert isinstance(none, TransportError)
    assert 'credentials="ecs" works only on an ECS' in " ".join(str(none).split())


def test_a_metadata_service_that_says_nothing_is_left_soon(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has three seconds to respond, and the request uses no proxy."""
    monkeypatch.setenv("HTTP_PROXY", closed_port())
    with RawServer(lambda request, stream: stream.recv(1)) as silent:
        error = bench.error(bench.ecs(silent.url, max_attempts=1))

    assert error.headline == "could not get a token from the ECS metadata service: no complete response in time"
    assert len(silent.requests) == 1


def test_twenty_threads_are_one_request_for_a_token(bench: Bench) -> None:
    """Many lookups that begin at once, over many clients, request one token."""
    together = threading.Barrier(20)

    def ask(_: int) -> int:
        together.wait()
        return bench.listed(bench.user())

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(ask, range(20))) == [41] * 20
    assert bench.operations.count(TOKEN) == 1


def test_a_wrong_password_is_sent_once(bench: Bench) -> None:
    """Of twenty lookups at once, and all that follow, one sends a wrong password: accounts lock after five."""
    together = threading.Barrier(20)

    def ask(_: int) -> IotdaOtaError:
        together.wait()
        return bench.error(bench.user(password="wrong-password"))

    with ThreadPoolExecutor(20) as pool:
        errors = list(pool.map(ask, range(20)))

    assert all(isinstance(error, CredentialsError) for error in errors)
    assert all(error.headline.startswith("Huawei Cloud rejected the credentials (401, request ") for error in errors)
    assert bench.operations == [TOKEN]
    shown = str(errors[0])
    assert "user operator of meters-inc from user_name (argument)" in shown
    assert "user_name, password or domain_name is wrong" in " ".join(shown.split())
    assert "wrong-password" not in shown
    assert bench.listed(bench.user()) == 41


@pytest.mark.parametrize(
    "answer", [{"error": "user_locked"}, {"status": 401, "body": {"error_code": "IAM.0061", "error_msg": "not now"}}]
)
def test_a_locked_user_is_told(bench: Bench, answer: dict[str, Any]) -> None:
    """The error reports a locked account and what to do, by IAM's words or its code."""
    bench.emulator.faults.add(operation=TOKEN, **answer)

    assert "wait: after five failures IAM locks the account" in " ".join(str(bench.error(bench.user())).split())


def test_iam_is_down(bench: Bench) -> None:
    """Where IAM does not answer, the error is about IAM, with its address, and temporary: who waits goes on."""
    url = closed_port()

    error = bench.error(bench.user(iam_endpoint=f"{url}/v3"))

    assert isinstance(error, TransportError)
    assert error.headline == "could not get an IAM token: the connection was refused"
    assert ("endpoint", f"{url} (from argument)") in error.facts
    assert ("attempts", "3") in error.facts
    assert error.temporary


def test_a_slow_iam_is_bounded_by_the_deadline(bench: Bench) -> None:
    """What IAM takes counts to the deadline of the operation that waits for it."""
    bench.emulator.faults.add(operation=TOKEN, delay=30)

    error = bench.error(bench.user(deadline=1))

    assert isinstance(error, DeadlineExceeded)
    assert "could not get an IAM token" in str(error)


@pytest.mark.parametrize(
    "body",
    [b"<html>portal</html>", b'{"token":', b'{"token":{}}', b"[1]", b"\xff\xfe"],
    ids=["a page", "cut", "no token", "a list", "no text"],
)
def test_garbage_from_iam_is_told_without_it(bench: Bench, body: bytes) -> None:
    """An answer of IAM that is none is a protocol error about IAM, which repeats nothing of it."""
    with RawServer(lambda _, stream: stream.sendall(http(body, "X-Subject-Token: MIIDsecret"))) as server:
        error = bench.error(bench.user(iam_endpoint=server.url))

    assert isinstance(error, ProtocolError)
    assert "check that iam_endpoint is an IAM endpoint" in str(error)
    assert "portal" not in str(error)
    assert "MIIDsecret" not in str(error)


def test_a_token_that_is_missing_in_its_answer(bench: Bench) -> None:
    """A token is in a header; an answer without it is a protocol error that names it."""
    body = json.dumps({"token": {"expires_at": "2030-01-01T00:00:00.000000Z"}}).encode()
    with RawServer(lambda _, stream: stream.sendall(http(body, status="201 Created"))) as server:
        error = bench.error(bench.user(iam_endpoint=server.url))

    assert error.headline == "the response does not have the documented shape: the header X-Subject-Token is missing"


def test_iam_never_leads_elsewhere(bench: Bench) -> None:
    """The client does not follow a redirect of IAM, because its target would get the password."""
    with RawServer(lambda *_: None) as elsewhere:
        bench.emulator.faults.add(operation=TOKEN, status=307, headers={"Location": f"{elsewhere.url}/v3/auth/tokens"})
        error = bench.error(bench.user())

    assert "is a redirect to 127.0.0.1" in error.headline
    assert ("fix", "check that iam_endpoint is an IAM endpoint") in error.facts
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("operation", "fault", "advice"),
    [
        (TOKEN, "iam_scope", "check user_name, domain_name, and region or project_id"),
        (PROJECTS, "iam_denied", "set project_id, or permit the credential to list projects"),
        (KEY, "agency_missing", "check agency_name and its account"),
    ],
)
def test_refusals_of_iam_say_what_to_do(bench: Bench, operation: str, fault: str, advice: str) -> None:
    """A refusal of IAM is final, keeps its code and id, and names the settings to look at."""
    bench.emulator.faults.add(operation=operation, times=None, error=fault)
    agency = {"agency_name": "a", "agency_domain_name": "b"} if operation == KEY else {}
    connection = bench.user() if operation == TOKEN else bench.key(**agency)

    error = bench.error(connection)

    assert isinstance(error, ServiceError)
    assert error.request_id
    assert advice in " ".join(str(error).split())
    assert "iotda_admin_trust" not in str(error)
    assert bench.operations.count(operation) == 1


def test_a_failing_iam_is_asked_again(bench: Bench) -> None:
    """A request that IAM fails for a moment is sent again, also after throttling."""
    bench.emulator.faults.add(operation=TOKEN, error="iam_throttled")
    bench.emulator.faults.add(operation=TOKEN, error="iam_failed", nth=2)

    assert bench.listed(bench.user()) == 41
    assert bench.operations.count(TOKEN) == 3
