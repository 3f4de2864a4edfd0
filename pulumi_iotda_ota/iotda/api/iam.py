"""Build the requests to IAM and to the metadata service of an ECS, and read their responses; pure functions.

These responses are secret: no error repeats a part of one, not even the beginning of a body that is no JSON.
Source: the pages KeystoneCreateUserTokenByPassword, KeystoneListProjects, CreateTemporaryAccessKeyByToken and
CreateTemporaryAccessKeyByAgency of IAM, "Obtaining Metadata" of ECS, and the vendor's SDK for the exchange of an
OpenID Connect token.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, field_validator

from pulumi_iotda_ota.iotda import references
from pulumi_iotda_ota.iotda.errors import ConfigurationError, ProtocolError
from pulumi_iotda_ota.iotda.http.messages import Request, Response
from pulumi_iotda_ota.iotda.http.parsing import reader
from pulumi_iotda_ota.iotda.limits import PROJECT_ID
from pulumi_iotda_ota.iotda.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Model = TypeVar("Model", bound=BaseModel)

# The OpenID Connect token of a pipeline often expires soon, so its temporary key should last. IAM allows 24 hours.
_LIFETIME = 6 * 3600
_JSON = (("Content-Type", "application/json;charset=utf8"),)
_METADATA_PATIENCE = 3.0  # seconds; the service is one hop away, or not there
_METADATA_TOKEN_LIFETIME = 6 * 3600
# The statuses of a metadata service that has no tokens.
_NO_TOKENS = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.SERVICE_UNAVAILABLE})
_LONGEST_METADATA_TOKEN = 8192
_NO_TOKEN_CHARACTERS = frozenset(' "<>[]{}')
_NO_AGENCY = "configure cloud service agency first"


class _Response(BaseModel):
    # Most programs have an access key, and read no such response.
    model_config = ConfigDict(defer_build=True)


class Project(_Response):
    """A project of an account."""

    # It becomes part of every path.
    id: str = Field(pattern=f"^(?:{PROJECT_ID.pattern})$")
    name: str


class _Projects(_Response):
    projects: tuple[Project, ...]


class _Issued(_Response):
    expires_at: AwareDatetime
    project: Project | None = None


class Token(_Response):
    """A token of IAM; its text is in a header."""

    token: _Issued
    text: SecretStr = SecretStr("")


class _Key(_Response):
    access: str
    secret: SecretStr
    securitytoken: SecretStr
    expires_at: AwareDatetime

    @field_validator("access", "securitytoken")
    @classmethod
    def _fits_a_header(cls, value: str | SecretStr) -> str | SecretStr:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if not _is_header_text(text):
            raise ValueError("should be text that a header can hold")
        return value


class TemporaryKey(_Response):
    """A temporary access key."""

    credential: _Key


def create_token(user_name: str, password: SecretStr, domain_name: str, scope: Mapping[str, object]) -> Request[Token]:
    """Build KeystoneCreateUserTokenByPassword."""
    user = {"name": user_name, "password": password.get_secret_value(), "domain": {"name": domain_name}}
    identity = {"methods": ["password"], "password": {"user": user}}
    return Request(
        operation="KeystoneCreateUserTokenByPassword",
        doing="get an IAM token",
        requested_values=f"user {sanitize(user_name)} of {sanitize(domain_name)}",
        method="POST",
        path="v3/auth/tokens",
        read=_read(Token),
        # Without the catalogue of services, which is not read.
        query=(("nocatalog", "true"),),
        body=_body(auth={"identity": identity, "scope": scope}),
        root="/",
        headers=_JSON,
        join=lambda token, answer: token.model_copy(update={"text": _subject(answer)}),
    )


def exchange_id_token(token: SecretStr, idp_id: str) -> Request[SecretStr]:
    """Build the exchange of an OpenID Connect token for an unscoped token of IAM."""
    return Request(
        operation="CreateUnscopedTokenWithIdToken",
        doing="exchange the OIDC token for an IAM token",
        requested_values=f"identity provider {sanitize(idp_id)}",
        method="POST",
        path="v3.0/OS-AUTH/id-token/tokens",
        read=lambda _: SecretStr(""),
        body=_body(auth={"id_token": {"id": token.get_secret_value()}}),
        root="/",
        headers=(*_JSON, ("X-Idp-Id", idp_id)),
        join=lambda _, answer: _subject(answer),
    )


def exchange_token(token: SecretStr) -> Request[TemporaryKey]:
    """Build CreateTemporaryAccessKeyByToken."""
    held = {"id": token.get_secret_value(), "duration_seconds": _LIFETIME}
    doing = "exchange the IAM token for a temporary access key"
    return _securitytokens("CreateTemporaryAccessKeyByToken", doing, "a temporary key", {"token": held})


def assume_agency(agency_name: str, *, domain_name: str = "", domain_id: str = "") -> Request[TemporaryKey]:
    """Build CreateTemporaryAccessKeyByAgency.

    Args:
        agency_name: the agency.
        domain_name: the name of the account that has it, or empty if ``domain_id`` is set.
        domain_id: the id of that account.
    """
    requested = f"agency {sanitize(agency_name)} of {sanitize(domain_name or domain_id)}"
    account = {"domain_id": domain_id} if domain_id else {"domain_name": domain_name}
    assumed = {"agency_name": agency_name, **account, "duration_seconds": _LIFETIME}
    return _securitytokens("CreateTemporaryAccessKeyByAgency", "assume an agency", requested, {"assume_role": assumed})


def list_projects(name: str) -> Request[tuple[Project, ...]]:
    """Build KeystoneListProjects for a name; the main project of a region has the name of the region."""
    return Request(
        operation="KeystoneListProjects",
        doing="find the project",
        requested_values=f"project {name}",
        method="GET",
        path="v3/projects",
        # The filter of the service is checked, because another project would have no packages.
        read=lambda body: tuple(found for found in _read(_Projects)(body).projects if found.name == name),
        query=(("name", name),),
        root="/",
    )


def metadata_token(*, required: bool) -> Request[SecretStr | None]:
    """Build the request for the token of newer metadata services; it reads None from one without tokens.

    If ``required``, a service without tokens is an error.
    """
    return Request(
        operation="CreateMetadataToken",
        doing="get a token from the ECS metadata service",
        requested_values="a token",
        method="PUT",
        path="meta-data/latest/api/token",
        # A service without tokens can return any page.
        read=lambda _: None,
        root="/",
        headers=(("X-Metadata-Token-Ttl-Seconds", str(_METADATA_TOKEN_LIFETIME)),),
        accepts=frozenset() if required else _NO_TOKENS,
        patience=_METADATA_PATIENCE,
        join=lambda _, answer: _metadata_token(answer.body) if answer.status == HTTPStatus.OK else None,
    )


def security_key(token: SecretStr | None) -> Request[TemporaryKey | None]:
    """Build the request for the temporary key of this ECS; its response is None if the service requires a token.

    If the ECS has no agency, reading the response raises a ConfigurationError.
    """
    return Request(
        operation="ShowSecurityKey",
        doing="read the temporary key of this ECS",
        requested_values="the key of its agency",
        method="GET",
        path="openstack/latest/securitykey",
        read=lambda _: None,
        root="/",
        headers=(("X-Metadata-Token", token.get_secret_value()),) if token else (),
        accepts=frozenset({HTTPStatus.UNAUTHORIZED}),
        patience=_METADATA_PATIENCE,
        join=lambda _, answer: _key_of_ecs(answer),
    )


def _key_of_ecs(answer: Response) -> TemporaryKey | None:
    if answer.status != HTTPStatus.UNAUTHORIZED:
        return _read(TemporaryKey)(answer.body)
    if _NO_AGENCY in answer.body.decode(errors="replace").lower():
        raise ConfigurationError(
            "this ECS has no agency",
            setting="credentials",
            facts=[
                (
                    "fix",
                    f"assign an agency to it, or remove {references.setting('credentials')} and set another credential",
                )
            ],
        )
    return None


def _securitytokens(
    operation: str, doing: str, requested: str, identity: Mapping[str, object]
) -> Request[TemporaryKey]:
    return Request(
        operation=operation,
        doing=doing,
        requested_values=requested,
        method="POST",
        path="v3.0/OS-CREDENTIAL/securitytokens",
        read=_read(TemporaryKey),
        body=_body(auth={"identity": {"methods": list(identity), **identity}}),
        root="/",
        headers=_JSON,
    )


def _read(model: type[Model]) -> Callable[[bytes], Model]:
    """Return the reader of a response with secrets."""
    read = reader(model)

    def silent(body: bytes) -> Model:
        try:
            return read(body)
        except ProtocolError as error:
            problem = ProtocolError(error.message.headline, garbled=error.garbled)
        # Outside of the handler, and without the fact with the beginning of the body.
        raise problem

    return silent


def _subject(answer: Response) -> SecretStr:
    return _secret(answer.headers.get("x-subject-token", ""), "the header X-Subject-Token")


def _metadata_token(body: bytes) -> SecretStr | None:
    """Return the token of a response that has nothing else; a page is no token."""
    text = body[: _LONGEST_METADATA_TOKEN + 1].decode(errors="replace").strip()
    if len(text) > _LONGEST_METADATA_TOKEN or not _NO_TOKEN_CHARACTERS.isdisjoint(text):
        raise ProtocolError("the response does not have the documented shape: the token is something else")
    return _secret(text, "the token") if body else None


def _secret(text: str, what: str) -> SecretStr:
    if not _is_header_text(text):
        raise ProtocolError(
            f"the response does not have the documented shape: {what} is {'not text' if text else 'missing'}"
        )
    return SecretStr(text)


def _is_header_text(text: str) -> bool:
    return bool(text) and text.isascii() and text.isprintable()


def _body(**content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
