"""The operations of IAM and of an ECS's metadata service that give out tokens, temporary keys and project ids.

A request in, an answer out; what there is to give out is in ``accounts.py``, and who holds it in ``auth.py``.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pulumi_iotda_ota.emulator.errors import ApiError
from pulumi_iotda_ota.emulator.messages import Reply, Request, json_reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator.accounts import Accounts
    from pulumi_iotda_ota.emulator.auth import Authenticator

S = TypeVar("S", bound=BaseModel)


@dataclass(frozen=True)
class AccountCall:
    """One request to IAM or the metadata service: who is let in, who is known, and the request."""

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
    domain_name: str = ""
    domain_id: str = ""
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


class _Body(BaseModel):
    auth: _Auth


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
    return _with_subject(json_reply(201, {"token": content}), token)


def _exchange_id_token(call: AccountCall) -> Reply:
    auth = _read(call.request)
    if auth.id_token is None:
        raise ApiError("iam_request")
    call.accounts.require_id_token(call.request.headers.get("X-Idp-Id", ""), auth.id_token.id)
    token = call.authenticator.issue_account_token(call.accounts.token_seconds)
    expires = _moment(call.authenticator.now() + call.accounts.token_seconds)
    return _with_subject(json_reply(201, {"token": {"methods": ["mapped"], "expires_at": expires}}), token)


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
        role = identity.assume_role
        call.accounts.require_agency(role.agency_name, role.domain_name, role.domain_id)
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
    wanted = call.accounts.metadata == "tokens_only" or token is not None
    if wanted and token not in call.accounts.metadata_tokens:
        raise ApiError("metadata_token")
    return _key(call, 200, 6 * 3600)


def _project_of(accounts: Accounts, scope: _Scope | None) -> dict[str, Any] | None:
    wanted = scope.project if scope else None
    if wanted is None:
        return None
    found = [project for project in accounts.projects if wanted.id == project["id"] or wanted.name == project["name"]]
    if not found:
        raise ApiError("iam_scope")
    return found[0]


def _key(call: AccountCall, status: int, asked: float) -> Reply:
    lifetime = asked if call.accounts.key_seconds is None else call.accounts.key_seconds
    key = call.authenticator.issue_key(lifetime)
    credential = {
        "access": key.access_key,
        "secret": key.secret_key,
        "securitytoken": key.security_token,
        "expires_at": _moment(call.authenticator.now() + lifetime),
    }
    return json_reply(status, {"credential": credential})


def _with_subject(reply: Reply, token: str) -> Reply:
    reply.headers["X-Subject-Token"] = token
    return reply


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _read(request: Request) -> _Auth:
    if not request.headers.get("Content-Type", "").startswith("application/json"):
        raise ApiError("iam_request")
    try:
        return _Body.model_validate(json.loads(request.body)).auth
    except (ValueError, RecursionError, ValidationError) as exc:
        raise ApiError("iam_request") from exc


ACCOUNT_OPERATIONS: dict[str, Callable[[AccountCall], Reply]] = {
    "KeystoneCreateUserTokenByPassword": _create_token,
    "KeystoneListProjects": _list_projects,
    "CreateUnscopedTokenWithIdToken": _exchange_id_token,
    "CreateTemporaryAccessKey": _create_key,
    "CreateMetadataToken": _create_metadata_token,
    "ShowSecurityKey": _show_security_key,
}
