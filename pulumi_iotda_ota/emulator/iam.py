"""IAM and the metadata service of an ECS: one user, one agency, one identity provider, and the projects of an account.

The operations issue tokens, temporary keys and project ids. The authenticator knows which of them are valid.
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pulumi_iotda_ota.emulator.messages import ApiError, Reply, Request, json_reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator.auth import Authenticator

MetadataMode = Literal["tokens", "tokens_only", "no_tokens", "no_agency"]

_FAILURES_BEFORE_LOCK = 5


@dataclass
class Accounts:
    """The identities of the emulator.

    Args:
        projects: the projects of the account, in the API's form.
        user_name: the IAM user.
        password: its password.
        domain_name: its account.
        agency_name: the agency that it may assume.
        agency_domain_name: the account that has the agency.
        idp_id: the identity provider whose token is accepted.
        id_token: that token.
        token_seconds: how long a token lasts.
        key_seconds: how long a temporary key lasts; default: as long as requested.
        metadata: how the metadata service of an ECS behaves: whether its tokens are optional, required or unknown, or
            the ECS has no agency.
    """

    projects: list[dict[str, Any]]
    user_name: str = "operator"
    # Hexadecimal: a password that begins with "-" would be read as an option on a command line.
    password: str = field(default_factory=lambda: secrets.token_hex(12), repr=False)
    domain_name: str = "meters-inc"
    agency_name: str = "rollout"
    agency_domain_name: str = "grid-inc"
    idp_id: str = "pipeline"
    id_token: str = field(default_factory=lambda: f"eyJ{secrets.token_urlsafe(48)}", repr=False)
    token_seconds: float = 24 * 3600
    key_seconds: float | None = None
    metadata: MetadataMode = "tokens"
    metadata_tokens: set[str] = field(default_factory=set, repr=False)
    _mutex: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _failures: int = 0

    def require_user(self, user_name: str, password: str, domain_name: str) -> None:
        """Refuse a wrong name or password, and any after too many failures."""
        with self._mutex:
            if self._failures > _FAILURES_BEFORE_LOCK:
                raise ApiError("user_locked")
            same = hmac.compare_digest(password.encode(), self.password.encode())
            if (user_name, domain_name) != (self.user_name, self.domain_name) or not same:
                self._failures += 1
                raise ApiError("password")
            self._failures = 0


@dataclass(frozen=True)
class AccountCall:
    """One request to IAM or the metadata service."""

    authenticator: Authenticator
    accounts: Accounts
    request: Request


class _Named(BaseModel):
    name: str | None = None
    id: str | None = None


class _User(BaseModel):
    name: str
    password: str
    domain: _Named


class _Password(BaseModel):
    user: _User


class _Scope(BaseModel):
    project: _Named | None = None
    domain: _Named | None = None


class _HeldToken(BaseModel):
    id: str | None = None
    duration_seconds: int = Field(default=900, ge=900, le=86_400)


class _Assumed(BaseModel):
    agency_name: str
    domain_name: str
    duration_seconds: int = Field(default=900, ge=900, le=86_400)


class _Identity(BaseModel):
    methods: list[str]
    password: _Password | None = None
    token: _HeldToken | None = None
    assume_role: _Assumed | None = None


class _IdToken(BaseModel):
    id: str


class _Auth(BaseModel):
    model_config = ConfigDict(extra="forbid")

    identity: _Identity | None = None
    id_token: _IdToken | None = None
    scope: _Scope | None = None


def _create_token(call: AccountCall) -> Reply:
    auth = _read(call.request)
    identity = auth.identity
    if identity is None or identity.methods != ["password"] or identity.password is None:
        raise ApiError("iam_request")
    user = identity.password.user
    call.accounts.require_user(user.name, user.password, user.domain.name or "")
    project = _project_of(call.accounts, auth.scope)
    lifetime = call.accounts.token_seconds
    token = call.authenticator.issue_token(lifetime) if project else call.authenticator.issue_account_token(lifetime)
    content: dict[str, Any] = {
        "methods": ["password"],
        "expires_at": _moment(call.authenticator.now() + lifetime),
        "issued_at": _moment(call.authenticator.now()),
        "user": {"name": user.name, "id": secrets.token_hex(16), "domain": {"name": user.domain.name}},
        "roles": [],
    }
    if project:
        content["project"] = {"id": project["id"], "name": project["name"]}
    return _token_reply(content, token)


def _exchange_id_token(call: AccountCall) -> Reply:
    auth = _read(call.request)
    if auth.id_token is None:
        raise ApiError("iam_request")
    if (call.request.headers.get("X-Idp-Id"), auth.id_token.id) != (call.accounts.idp_id, call.accounts.id_token):
        raise ApiError("id_token")
    token = call.authenticator.issue_account_token(call.accounts.token_seconds)
    expires = _moment(call.authenticator.now() + call.accounts.token_seconds)
    return _token_reply({"methods": ["mapped"], "expires_at": expires}, token)


def _list_projects(call: AccountCall) -> Reply:
    call.authenticator.check_account(call.request)
    name = call.request.query.get("name")
    found = [project for project in call.accounts.projects if name in (None, project["name"])]
    return json_reply(200, {"projects": found, "links": {"self": "", "previous": None, "next": None}})


def _create_key(call: AccountCall) -> Reply:
    identity = _read(call.request).identity
    if identity is None:
        raise ApiError("iam_request")
    if identity.methods == ["token"] and identity.token:
        token = identity.token.id or call.request.headers.get("X-Auth-Token", "")
        call.authenticator.require_token(token)
        return _key(call, 201, identity.token.duration_seconds)
    if identity.methods == ["assume_role"] and identity.assume_role:
        call.authenticator.check_account(call.request, account_wide=True)
        agency = (identity.assume_role.agency_name, identity.assume_role.domain_name)
        if agency != (call.accounts.agency_name, call.accounts.agency_domain_name):
            raise ApiError("agency_missing")
        return _key(call, 201, identity.assume_role.duration_seconds)
    raise ApiError("iam_request")


def _create_metadata_token(call: AccountCall) -> Reply:
    if call.accounts.metadata == "no_tokens":
        raise ApiError("no_metadata_tokens")
    if not call.request.headers.get("X-Metadata-Token-Ttl-Seconds", "").isdigit():
        raise ApiError("metadata_request")
    token = secrets.token_urlsafe(40)
    call.accounts.metadata_tokens.add(token)
    return Reply(200, token.encode(), {"Content-Type": "text/plain"})


def _show_security_key(call: AccountCall) -> Reply:
    if call.accounts.metadata == "no_agency":
        raise ApiError("no_agency")
    token = call.request.headers.get("X-Metadata-Token")
    required = call.accounts.metadata == "tokens_only" or token is not None
    if required and token not in call.accounts.metadata_tokens:
        raise ApiError("metadata_token")
    return _key(call, 200, 6 * 3600)


def _project_of(accounts: Accounts, scope: _Scope | None) -> dict[str, Any] | None:
    if scope is None or scope.project is None:
        return None
    for project in accounts.projects:
        if scope.project.id == project["id"] or scope.project.name == project["name"]:
            return project
    raise ApiError("iam_scope")


def _key(call: AccountCall, status: int, requested: float) -> Reply:
    lifetime = requested if call.accounts.key_seconds is None else call.accounts.key_seconds
    key = call.authenticator.issue_key(lifetime)
    credential = {
        "access": key.access_key,
        "secret": key.secret_key,
        "securitytoken": key.security_token,
        "expires_at": _moment(call.authenticator.now() + lifetime),
    }
    return json_reply(status, {"credential": credential})


def _token_reply(content: dict[str, Any], token: str) -> Reply:
    reply = json_reply(201, {"token": content})
    reply.headers["X-Subject-Token"] = token
    return reply


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _read(request: Request) -> _Auth:
    if not request.headers.get("Content-Type", "").startswith("application/json"):
        raise ApiError("iam_request")
    try:
        return _Auth.model_validate(json.loads(request.body)["auth"])
    except (ValueError, RecursionError, TypeError, KeyError) as exc:
        raise ApiError("iam_request") from exc


ACCOUNT_OPERATIONS: dict[str, Callable[[AccountCall], Reply]] = {
    "KeystoneCreateUserTokenByPassword": _create_token,
    "KeystoneListProjects": _list_projects,
    "CreateUnscopedTokenWithIdToken": _exchange_id_token,
    "CreateTemporaryAccessKey": _create_key,
    "CreateMetadataToken": _create_metadata_token,
    "ShowSecurityKey": _show_security_key,
}
