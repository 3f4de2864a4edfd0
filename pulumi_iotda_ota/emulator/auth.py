"""Authentication: issues tokens and temporary keys, and checks the token or the signature of each request.

A check raises an :class:`ApiError` or returns nothing. A key is locked after repeated failures.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pulumi_iotda_ota.emulator.behavior import Clock, seconds_of
from pulumi_iotda_ota.emulator.messages import ApiError
from pulumi_iotda_ota.emulator.signatures import (
    STANDARD,
    Authorization,
    canonical_request,
    expected_signature,
    parse_authorization,
)

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator.messages import Request

_SKEW = 15 * 60
_FAILURES_BEFORE_LOCK = 5
_LOCK_SECONDS = 5 * 60
_SERVICE = "iotdm"


@dataclass(frozen=True)
class KeyPair:
    """A key that is accepted; with a security token it is a temporary one."""

    access_key: str
    secret_key: str
    security_token: str | None = None


class Authenticator:
    """The keys and tokens that are accepted.

    Args:
        keys: the permanent key.
        region: the region in the scope of a derived signature.
        algorithms: the signatures that the endpoint accepts.
        clock: the time that dates of signatures and tokens are compared with.
    """

    def __init__(self, keys: KeyPair, region: str, algorithms: frozenset[str], clock: Clock) -> None:
        self._keys = {keys.access_key: (keys, float("inf"))}
        self._region = region
        self._algorithms = algorithms
        self._clock = clock
        self._mutex = threading.Lock()
        self._failures: dict[str, int] = {}
        self._locked_until: dict[str, float] = {}
        self._tokens: dict[str, float] = {}
        # Tokens for an account but for none of its projects: IAM accepts them, IoTDA does not.
        self._account_tokens: dict[str, float] = {}

    def issue_token(self, lifetime: float) -> str:
        """Return a new token that is accepted for ``lifetime`` seconds."""
        token = f"MIID{secrets.token_urlsafe(48)}"
        with self._mutex:
            self._tokens[token] = self._clock() + lifetime
        return token

    def issue_account_token(self, lifetime: float) -> str:
        """Return a new token for no project: IAM accepts it, IoTDA does not."""
        token = f"MIIE{secrets.token_urlsafe(48)}"
        with self._mutex:
            self._account_tokens[token] = self._clock() + lifetime
        return token

    def issue_key(self, lifetime: float) -> KeyPair:
        """Return a new temporary key that is accepted for ``lifetime`` seconds."""
        key = KeyPair(f"HST{secrets.token_hex(9).upper()}", secrets.token_hex(20), secrets.token_urlsafe(60))
        with self._mutex:
            self._keys[key.access_key] = (key, self._clock() + lifetime)
        return key

    def expire_keys(self) -> None:
        """Expire all temporary keys now."""
        with self._mutex:
            for name, (key, expiry) in self._keys.items():
                self._keys[name] = (key, min(expiry, self._clock()) if expiry != float("inf") else expiry)

    def now(self) -> float:
        """Return the time, as seconds since 1970."""
        return self._clock()

    def expire_token(self, token: str) -> None:
        """Expire a token now."""
        with self._mutex:
            self._tokens[token] = self._clock()

    def forgive(self) -> None:
        """Reset the failures, and unlock all keys."""
        with self._mutex:
            self._failures.clear()
            self._locked_until.clear()

    @property
    def tokens(self) -> dict[str, float]:
        """Return the issued tokens and when each expires."""
        with self._mutex:
            return dict(self._tokens)

    def check(self, request: Request) -> None:
        """Check a request to IoTDA."""
        token = request.headers.get("X-Auth-Token")
        if token:
            self._check_token(token, self._tokens)
        else:
            self._check_signature(request, self._algorithms)

    def check_account(self, request: Request, *, account_wide: bool = False) -> None:
        """Check a request to IAM, which accepts the standard signature only.

        Args:
            request: the request.
            account_wide: whether a token must be for the account, not for one of its projects.
        """
        token = request.headers.get("X-Auth-Token")
        if not token:
            self._check_signature(request, frozenset({STANDARD}))
            return
        self.require_token(token)
        if account_wide and token in self._tokens:
            raise ApiError("agent_operator")

    def require_token(self, token: str) -> None:
        """Check a token for the account or for a project."""
        self._check_token(token, {**self._tokens, **self._account_tokens})

    def _check_token(self, token: str, known: dict[str, float]) -> None:
        with self._mutex:
            expiry = known.get(token)
        if expiry is None:
            raise ApiError("token")
        if expiry <= self._clock():
            raise ApiError("token_expired")

    def _check_signature(self, request: Request, algorithms: frozenset[str]) -> None:
        text = request.headers.get("Authorization")
        if not text:
            raise ApiError("anonymous")
        authorization = parse_authorization(text)
        if authorization is None:
            raise ApiError("signature")
        if authorization.algorithm not in algorithms:
            raise ApiError("algorithm")
        if authorization.access_key not in self._keys:
            raise ApiError("unknown_key")
        with self._mutex:
            self._verify(authorization, request)

    def _verify(self, authorization: Authorization, request: Request) -> None:
        now, name = self._clock(), authorization.access_key
        if now < self._locked_until.get(name, 0.0):
            raise ApiError("locked")
        if self._keys[name][1] <= now:
            raise ApiError("unknown_key")
        if self._is_valid(authorization, request, now):
            self._failures[name] = 0
            return
        self._failures[name] = self._failures.get(name, 0) + 1
        if self._failures[name] > _FAILURES_BEFORE_LOCK:
            self._locked_until[name], self._failures[name] = now + _LOCK_SECONDS, 0
        raise ApiError("signature")

    def _is_valid(self, authorization: Authorization, request: Request, now: float) -> bool:
        headers = {name.lower(): value for name, value in request.headers.items()}
        date = headers.get("x-sdk-date", "")
        if not _is_recent(date, now) or not self._is_scope(authorization, date):
            return False
        key, _ = self._keys[authorization.access_key]
        if key.security_token not in (None, headers.get("x-security-token")):
            return False
        try:
            canonical = canonical_request(
                request.method, request.target, headers, request.body, signed=authorization.signed_headers
            )
        except KeyError:
            return False
        expected = expected_signature(authorization, key.secret_key, date, canonical)
        return hmac.compare_digest(expected, authorization.signature)

    def _is_scope(self, authorization: Authorization, date: str) -> bool:
        if authorization.algorithm == STANDARD:
            return True
        return authorization.scope == f"{date[:8]}/{self._region}/{_SERVICE}"


def _is_recent(date: str, now: float) -> bool:
    try:
        return abs(seconds_of(date) - now) <= _SKEW
    except ValueError:
        return False
