"""What is sent to IAM and the metadata service, byte by byte, and how their answers are read."""

from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from pydantic import SecretStr

from pulumi_iotda_ota.iotda.api import iam
from pulumi_iotda_ota.iotda.errors import ConfigurationError, ProtocolError
from pulumi_iotda_ota.iotda.http.messages import Response

KEY = {
    "credential": {"access": "AK", "secret": "SK", "securitytoken": "ST", "expires_at": "2030-01-02T03:04:05.678000Z"}
}


def test_a_token_is_asked_for_as_documented() -> None:
    """The body is that of the page KeystoneCreateUserTokenByPassword, the token is in the header."""
    request = iam.create_token("operator", SecretStr("phrase"), "meters-inc", {"project": {"name": "cn-north-4"}})
    answer = Response(
        201,
        {"x-subject-token": "MIID"},
        json.dumps({"token": {"expires_at": "2030-01-01T00:00:00.5Z", "project": {"id": "p", "name": "n"}}}).encode(),
    )

    assert (request.method, request.target("")) == ("POST", "/v3/auth/tokens?nocatalog=true")
    assert json.loads(request.body) == {
        "auth": {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"name": "operator", "password": "phrase", "domain": {"name": "meters-inc"}}},
            },
            "scope": {"project": {"name": "cn-north-4"}},
        }
    }
    assert dict(request.headers) == {"Content-Type": "application/json;charset=utf8"}
    token = request.content(answer)
    assert token.text.get_secret_value() == "MIID"
    assert token.token.expires_at == datetime(2030, 1, 1, 0, 0, 0, 500_000, tzinfo=timezone.utc)
    assert token.token.project == iam.Project(id="p", name="n")
    assert "phrase" not in repr(request)


def test_temporary_keys_are_asked_for_as_documented() -> None:
    """The bodies are those of CreateTemporaryAccessKeyByAgency and ...ByToken."""
    agency, token = iam.assume_agency("rollout", domain_name="grid-inc"), iam.exchange_token(SecretStr("MIID"))
    role = {"agency_name": "rollout", "domain_name": "grid-inc", "duration_seconds": 21_600}

    assert agency.target("") == token.target("") == "/v3.0/OS-CREDENTIAL/securitytokens"
    assert json.loads(agency.body) == {"auth": {"identity": {"methods": ["assume_role"], "assume_role": role}}}
    assert json.loads(token.body)["auth"]["identity"] == {
        "methods": ["token"],
        "token": {"id": "MIID", "duration_seconds": 21_600},
    }
    assert agency.content(Response(201, {}, json.dumps(KEY).encode())).credential.access == "AK"


def test_a_pipeline_s_token_is_handed_in_as_the_sdk_does() -> None:
    """The exchange names the provider in a header and holds the token in its body."""
    request = iam.exchange_id_token(SecretStr("eyJ"), "pipeline")

    assert request.target("") == "/v3.0/OS-AUTH/id-token/tokens"
    assert json.loads(request.body) == {"auth": {"id_token": {"id": "eyJ"}}}
    assert dict(request.headers)["X-Idp-Id"] == "pipeline"
    assert request.content(Response(201, {"x-subject-token": "MIID"}, b"")).get_secret_value() == "MIID"


def test_projects_of_another_name_are_left_out() -> None:
    """What the service filters is checked again."""
    projects = [{"id": "p1", "name": "cn-north-4"}, {"id": "p2", "name": "cn-north-4_sub"}]
    request = iam.list_projects("cn-north-4")

    assert request.target("") == "/v3/projects?name=cn-north-4"
    assert [found.id for found in request.content(Response(200, {}, json.dumps({"projects": projects}).encode()))] == [
        "p1"
    ]


@pytest.mark.parametrize("name", ["", "p/../q", "p\n", "p?x", "p" * 65])
def test_a_project_that_is_no_id_is_refused(name: str) -> None:
    """What becomes part of a path has the characters of an id and no others."""
    body = json.dumps({"projects": [{"id": name, "name": "cn-north-4"}]}).encode()

    with pytest.raises(ProtocolError, match=r"projects\[0\].id"):
        iam.list_projects("cn-north-4").content(Response(200, {}, body))


def test_the_metadata_service_is_asked_shortly() -> None:
    """It has three seconds. A token is requested for six hours, and the service receives the token that it returned."""
    token, key = iam.metadata_token(required=False), iam.security_key(SecretStr("MT"))

    assert (token.method, token.target("")) == ("PUT", "/meta-data/latest/api/token")
    assert dict(token.headers) == {"X-Metadata-Token-Ttl-Seconds": "21600"}
    assert key.target("") == "/openstack/latest/securitykey"
    assert dict(key.headers) == {"X-Metadata-Token": "MT"}
    assert dict(iam.security_key(None).headers) == {}
    assert token.patience == key.patience == 3.0


@pytest.mark.parametrize("status", [404, 405, 503])
@pytest.mark.parametrize(
    "page", [b"no such page", b"", "<p>Seite nicht gefunden: \u00bbtoken\u00ab</p>".encode(), b"\xff"]
)
def test_a_service_without_tokens_is_told_by_its_status(status: int, page: bytes) -> None:
    """These statuses say that there are no tokens, whatever page comes with them, but not where one is wanted."""
    assert status in iam.metadata_token(required=False).accepts
    assert iam.metadata_token(required=False).content(Response(status, {}, page)) is None
    assert not iam.metadata_token(required=True).accepts


@pytest.mark.parametrize("body", [b"<html>portal</html>", b'{"token": "x"}', b"two words", b"x" * 10_000, b"\xff\xfe"])
def test_a_page_is_no_metadata_token(body: bytes) -> None:
    """What is no token is not sent back as one."""
    with pytest.raises(ProtocolError, match=r"the token is (something else|not text)"):
        iam.metadata_token(required=False).content(Response(200, {}, body))


def test_a_refused_key_wants_a_token_or_an_agency() -> None:
    """A 401 requires a token, unless it says that the ECS has no agency."""
    request = iam.security_key(None)

    assert request.content(Response(401, {}, b"")) is None
    with pytest.raises(ConfigurationError, match="this ECS has no agency"):
        request.content(Response(401, {}, b"Please configure Cloud Service Agency first"))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"expires_at": None}, "credential.expires_at"),
        ({"expires_at": "soon"}, "credential.expires_at"),
        ({"secret": 7}, "credential.secret"),
        ({"securitytoken": None}, "credential.securitytoken"),
        ({"securitytoken": ""}, "credential.securitytoken"),
        ({"access": "A\r\nX-Other: 1"}, "credential.access should be text that a header can hold"),
    ],
)
def test_a_key_of_another_shape_names_the_field(changes: dict[str, object], problem: str) -> None:
    """A field that is missing or wrong is named, and no value is repeated."""
    content = {"credential": {**KEY["credential"], **changes}}
    request = iam.assume_agency("a", domain_name="d")

    with pytest.raises(ProtocolError, match=problem) as caught:
        request.content(Response(201, {}, json.dumps(content).encode()))
    assert not {"AK", "SK", "ST", "soon"} & set(str(caught.value).replace('"', " ").split())


def test_what_was_read_shows_no_secret() -> None:
    """Neither a token nor a key that was read is shown, nor is the answer that it stood in."""
    answer = Response(201, {"x-subject-token": "MIID-token"}, json.dumps(KEY).encode())
    key = iam.assume_agency("a", domain_name="d").content(answer)

    shown = f"{key!r} {answer!r}"
    assert "SK" not in shown
    assert "ST" not in shown
    assert "MIID" not in shown
