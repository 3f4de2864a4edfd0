"""Who may call: checks the signature or the token of a request, and locks a key after repeated failures.

It gives out the tokens and the temporary keys that it lets in. It answers with an :class:`ApiError` or not at all; a
check changes nothing but its own count of failures.
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
    """A key that is let in; with a security token it is a temporary one."""

    access_key: str
    secret_key: str
    security_token: str | None = None


class Authenticator:
    """The check every request passes.

    Args:
        keys: who is let in.
        region: the region a derived signature must be made for.
        algorithms: the signatures this endpoint takes.
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
        # Tokens that are good for an account but for none of its projects: IAM takes them, IoTDA does not.
        self._account_tokens: dict[str, float] = {}

    def issue_token(self, lifetime: float) -> str:
        """Return a new token that is let in for ``lifetime`` seconds."""
        token = f"MIID{secrets.token_urlsafe(48)}"
        with self._mutex:
            self._tokens[token] = self._clock() + lifetime
        return token

    def issue_account_token(self, lifetime: float) -> str:
        """Return a new token that IAM lets in, and IoTDA does not, because it is for no project."""
        token = f"MIIE{secrets.token_urlsafe(48)}"
        with self._mutex:
            self._account_tokens[token] = self._clock() + lifetime
        return token

    def issue_key(self, lifetime: float) -> KeyPair:
        """Return a new temporary key that is let in for ``lifetime`` seconds."""
        key = KeyPair(f"HST{secrets.token_hex(9).upper()}", secrets.token_hex(20), secrets.token_urlsafe(60))
        with self._mutex:
            self._keys[key.access_key] = (key, self._clock() + lifetime)
        return key

    def expire_keys(self) -> None:
        """Let all temporary keys expire now."""
        with self._mutex:
            for name, (key, expiry) in self._keys.items():
                self._keys[name] = (key, min(expiry, self._clock()) if expiry != float("inf") else expiry)

    def now(self) -> float:
        """Return the time, as seconds since 1970."""
        return self._clock()

    def expire_token(self, token: str) -> None:
        """Make a token one that has expired."""
        with self._mutex:
            self._tokens[token] = self._clock()

    def forgive(self) -> None:
        """Forget the failures so far, and unlock the key."""
        with self._mutex:
            self._failures.clear()
            self._locked_until.clear()

    @property
    def tokens(self) -> dict[str, float]:
        """Return the issued tokens and when each expires."""
        with self._mutex:
            return dict(self._tokens)

    def check(self, request: Request) -> None:
        """Let a request pass.

        Raises:
            ApiError: it does not.
        """
        token = request.headers.get("X-Auth-Token")
        if token:
            self._check_token(token, self._tokens)
        else:
            self._check_signature(request, self._algorithms)

    def check_account(self, request: Request, *, account_wide: bool = False) -> None:
        """Let a request to IAM pass, which takes the standard signature only.

        Args:
            request: the request.
            account_wide: whether a token must be for the account, not for one of its projects.

        Raises:
            ApiError: it does not.
        """
        token = request.headers.get("X-Auth-Token")
        if not token:
            self._check_signature(request, frozenset({STANDARD}))
            return
        self.require_token(token)
        if account_wide and token in self._tokens:
            raise ApiError("agent_operator")

    def require_token(self, token: str) -> None:
        """Let a token pass, whether it is for the account or for a project.

        Raises:
            ApiError: it is not known, or has expired.
        """
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
            self._judge(authorization, request)

    def _judge(self, authorization: Authorization, request: Request) -> None:
        now, name = self._clock(), authorization.access_key
        if now < self._locked_until.get(name, 0.0):
            raise ApiError("locked")
        if self._keys[name][1] <= now:
            raise ApiError("unknown_key")
        if self._is_good(authorization, request, now):
            self._failures[name] = 0
            return
        self._failures[name] = self._failures.get(name, 0) + 1
        if self._failures[name] > _FAILURES_BEFORE_LOCK:
            self._locked_until[name], self._failures[name] = now + _LOCK_SECONDS, 0
        raise ApiError("signature")

    def _is_good(self, authorization: Authorization, request: Request, now: float) -> bool:
        headers = {name.lower(): value for name, value in request.headers.items()}
        date = headers.get("x-sdk-date", "")
        if not _is_near(date, now) or not self._is_scope(authorization, date):
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


def _is_near(date: str, now: float) -> bool:
    try:
        return abs(seconds_of(date) - now) <= _SKEW
    except ValueError:
        return False
