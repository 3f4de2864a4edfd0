"""What the emulated IAM knows: one user, one agency, one identity provider, and the projects of an account.

It answers with an :class:`ApiError` or not at all. Who holds a token or a key is what the authenticator knows.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from dataclasses import dataclass, field
from typing import Any, Literal

from pulumi_iotda_ota.emulator.errors import ApiError

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
        agency_domain_id: the id of that account.
        idp_id: the identity provider whose token is let in.
        id_token: that token.
        token_seconds: how long a token lasts.
        key_seconds: how long a temporary key lasts; by default as long as it was asked for.
        metadata: how the metadata service of an ECS behaves: with tokens that may be left out or not, without, or on an
            ECS that has no agency.
    """

    projects: list[dict[str, Any]]
    user_name: str = "operator"
    # Hexadecimal: a password that begins with "-" would be read as an option on a command line.
    password: str = field(default_factory=lambda: secrets.token_hex(12), repr=False)
    domain_name: str = "meters-inc"
    agency_name: str = "rollout"
    agency_domain_name: str = "grid-inc"
    agency_domain_id: str = "d78cbac186b744899480f25bd022f468"
    idp_id: str = "pipeline"
    id_token: str = field(default_factory=lambda: f"eyJ{secrets.token_urlsafe(48)}", repr=False)
    token_seconds: float = 24 * 3600
    key_seconds: float | None = None
    metadata: MetadataMode = "tokens"
    metadata_tokens: set[str] = field(default_factory=set, repr=False)
    _mutex: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _failures: int = 0

    def require_user(self, user_name: str, password: str, domain_name: str) -> None:
        """Let a user sign in.

        Raises:
            ApiError: the name or the password is wrong, or it was too often.
        """
        with self._mutex:
            if self._failures > _FAILURES_BEFORE_LOCK:
                raise ApiError("user_locked")
            same = hmac.compare_digest(password.encode(), self.password.encode())
            if (user_name, domain_name) != (self.user_name, self.domain_name) or not same:
                self._failures += 1
                raise ApiError("password")
            self._failures = 0

    def require_id_token(self, idp_id: str, token: str) -> None:
        """Let a token of the identity provider in.

        Raises:
            ApiError: it is another one.
        """
        if (idp_id, token) != (self.idp_id, self.id_token):
            raise ApiError("id_token")

    def require_agency(self, agency_name: str, domain_name: str, domain_id: str) -> None:
        """Let the agency be assumed, if its account is correct by name, by id, or by both.

        Raises:
            ApiError: there is no such agency.
        """
        account = (domain_name or self.agency_domain_name, domain_id or self.agency_domain_id)
        known = agency_name == self.agency_name and account == (self.agency_domain_name, self.agency_domain_id)
        if not known or not (domain_name or domain_id):
            raise ApiError("agency_missing")
