"""The emulated IAM and metadata service: the documented shapes, and the credentials that are accepted."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.emulator import Emulator, ManualClock
from pulumi_iotda_ota.emulator.signatures import DERIVED
from tests.support.emulator_callers import Response, list_target, signed

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = "/v3.0/OS-CREDENTIAL/securitytokens"


class Iam:
    """A bare caller of the emulated IAM."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator

    def __call__(self, method: str, target: str, body: Any = None, **headers: str) -> Response:
        """Send one request."""
        connection = http.client.HTTPConnection(self.emulator.endpoint.removeprefix("http://"), timeout=10)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        content = None if body is None else json.dumps(body)
        if content is not None:
            sent.setdefault("Content-Type", "application/json;charset=utf8")
        connection.request(method, target, content, sent)
        response = connection.getresponse()
        found = Response(response.status, dict(response.headers), response.read())
        connection.close()
        return found

    def token(self, scope: dict[str, Any] | None = None, **user: str) -> Response:
        """Request a token, by default for the project of the region."""
        accounts = self.emulator.accounts
        named = {"name": accounts.user_name, "password": accounts.password, **user}
        domain = named.pop("domain", accounts.domain_name)
        identity = {"methods": ["password"], "password": {"user": {**named, "domain": {"name": domain}}}}
        usual = {"project": {"name": self.emulator.region}}
        return self("POST", "/v3/auth/tokens", {"auth": {"identity": identity, "scope": scope or usual}})

    def key(self, identity: dict[str, Any], **headers: str) -> Response:
        """Request a temporary key."""
        return self("POST", KEYS, {"auth": {"identity": identity}}, **headers)


@pytest.fixture
def iam() -> Iterator[Iam]:
    """Return a caller of a running emulator."""
    with Emulator() as emulator:
        yield Iam(emulator)


def assumed(iam: Iam, **changes: str) -> dict[str, Any]:
    """Return the body that assumes the agency."""
    accounts = iam.emulator.accounts
    role = {"agency_name": accounts.agency_name, "domain_name": accounts.agency_domain_name, **changes}
    return {"methods": ["assume_role"], "assume_role": role}


def test_a_token_of_a_project(iam: Iam) -> None:
    """A token comes in a header, with its end and its project in the body, and IoTDA accepts it."""
    response = iam.token()
    token = response.headers["X-Subject-Token"]

    assert response.status == 201
    assert response.json["token"]["project"]["id"] == iam.emulator.project_id
    assert response.json["token"]["expires_at"].endswith("Z")
    assert "X-IAM-Trace-Id" in response.headers
    assert "X-Request-Id" not in response.headers
    assert iam("GET", list_target(iam.emulator), X_Auth_Token=token).status == 200


def test_a_token_of_an_account_is_not_for_iotda(iam: Iam) -> None:
    """A token without a project is good at IAM alone; one of a project may not assume an agency."""
    account = iam.token({"domain": {"name": iam.emulator.accounts.domain_name}}).headers["X-Subject-Token"]
    project = iam.token().headers["X-Subject-Token"]

    assert iam("GET", list_target(iam.emulator), X_Auth_Token=account).status == 401
    assert iam("GET", "/v3/projects", X_Auth_Token=account).status == 200
    assert iam.key(assumed(iam), X_Auth_Token=account).status == 201
    assert iam.key(assumed(iam), X_Auth_Token=project).code == "IAM.0002"


@pytest.mark.parametrize("wrong", [{"password": "x"}, {"name": "x"}, {"domain": "x"}])
def test_a_wrong_user_and_the_lock(iam: Iam, wrong: dict[str, Any]) -> None:
    """A wrong user is refused in IAM's own shape, and after more than five times the right one too."""
    for _ in range(6):
        refused = iam.token(**wrong)
        assert (refused.status, refused.json["error"]["code"], refused.json["error"]["title"]) == (
            401,
            401,
            "Unauthorized",
        )

    assert iam.token().json["error"]["message"] == "The account is locked."


@pytest.mark.parametrize("body", [None, {}, {"auth": {}}, {"auth": {"identity": {"methods": ["totp"]}}}])
def test_a_body_that_is_none(iam: Iam, body: Any) -> None:
    """What is no request for a token, or of an unknown project, is refused."""
    assert iam("POST", "/v3/auth/tokens", body).status == 400
    assert iam("POST", KEYS, body).status == 400
    assert iam.token({"project": {"name": "elsewhere"}}).status == 404


def test_projects_by_name(iam: Iam) -> None:
    """Projects are listed by their name, with the standard signature or a token and with nothing else."""
    emulator = iam.emulator
    target = f"/v3/projects?name={emulator.region}"

    (project,) = iam("GET", target, **signed(emulator, target)).json["projects"]
    assert (project["id"], project["name"]) == (emulator.project_id, emulator.region)
    other = "/v3/projects?name=x"
    assert iam("GET", other, **signed(emulator, other)).json["projects"] == []
    assert iam("GET", target, **signed(emulator, target, algorithm=DERIVED)).status == 401
    assert iam("GET", target).status == 401


def test_a_temporary_key(iam: Iam) -> None:
    """A key of an agency is accepted only with its token, and only until it ends."""
    clock = ManualClock()
    with Emulator(auth_clock=clock) as emulator:
        iam = Iam(emulator)
        token = iam.token({"domain": {"name": emulator.accounts.domain_name}}).headers["X-Subject-Token"]
        key = iam.key(assumed(iam), X_Auth_Token=token).json["credential"]
        pair: dict[str, Any] = {"access_key": key["access"], "secret_key": key["secret"], "at": clock()}
        target = list_target(emulator)
        session: dict[str, Any] = {"headers": {"X-Security-Token": key["securitytoken"]}}

        assert set(key) == {"access", "secret", "securitytoken", "expires_at"}
        assert iam("GET", target, **signed(emulator, target, **pair, **session)).status == 200
        assert iam("GET", target, **signed(emulator, target, **pair)).status == 401
        clock.advance(901)
        assert iam("GET", target, **signed(emulator, target, **{**pair, "at": clock()}, **session)).status == 401


def test_an_agency_that_is_not_there(iam: Iam) -> None:
    """An agency of another name or account is not found."""
    token = iam.token({"domain": {"name": iam.emulator.accounts.domain_name}}).headers["X-Subject-Token"]

    assert iam.key(assumed(iam, agency_name="x"), X_Auth_Token=token).status == 404
    assert iam.key(assumed(iam, domain_name="x"), X_Auth_Token=token).status == 404
    assert iam.key(assumed(iam)).status == 401


def test_a_pipeline_s_token(iam: Iam) -> None:
    """The token of the provider is exchanged for one of IAM, and that for a temporary key; no other token is."""
    accounts = iam.emulator.accounts
    target, body = "/v3.0/OS-AUTH/id-token/tokens", {"auth": {"id_token": {"id": accounts.id_token}}}

    token = iam("POST", target, body, X_Idp_Id=accounts.idp_id).headers["X-Subject-Token"]
    assert iam.key({"methods": ["token"], "token": {"id": token}}).status == 201
    assert iam("POST", target, body, X_Idp_Id="x").status == 401
    assert iam("POST", target, {"auth": {"id_token": {"id": "x"}}}, X_Idp_Id=accounts.idp_id).status == 401


@pytest.mark.parametrize(
    ("mode", "token", "without", "wrong"),
    [
        ("tokens", 200, 200, 401),
        ("tokens_only", 200, 401, 401),
        ("no_tokens", 404, 200, 401),
        ("no_agency", 200, 401, 401),
    ],
)
def test_the_metadata_service(iam: Iam, mode: Any, token: int, without: int, wrong: int) -> None:
    """The ways in which the metadata service of an ECS behaves, one after the other."""
    iam.emulator.accounts.metadata = mode
    target = "/openstack/latest/securitykey"
    given = iam("PUT", "/meta-data/latest/api/token", X_Metadata_Token_Ttl_Seconds="21600")

    assert given.status == token
    assert iam("GET", target).status == without
    assert iam("GET", target, X_Metadata_Token="x").status == wrong
    if mode == "tokens_only":
        assert iam("GET", target, X_Metadata_Token=given.body.decode()).json["credential"]["access"]
    if mode == "no_agency":
        assert "Please configure Cloud Service Agency first" in iam("GET", target).body.decode()


def test_faults_act_on_iam_too(iam: Iam) -> None:
    """A rule can name an operation of IAM, and the response has the header of IAM."""
    iam.emulator.faults.add(operation="KeystoneCreateUserTokenByPassword", error="iam_throttled")

    refused = iam.token()
    assert (refused.status, refused.code) == (429, "IAM.0012")
    assert "X-IAM-Trace-Id" in refused.headers
    assert iam.token().status == 201
