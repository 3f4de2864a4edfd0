"""Who may call: checks the signature or the token of a request, and locks a key after repeated failures.

It answers with an :class:`ApiError` or not at all; it never changes anything but its own count of failures.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pulumi_iotda_ota.emulator.clocks import Clock, seconds_of
from pulumi_iotda_ota.emulator.errors import ApiError
from pulumi_iotda_ota.emulator.signatures import (
    STANDARD,
    Authorization,
    canonical_request,
    expected_signature,
    parse_authorization,
)

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator.messages import Request

__all__ = ["Gate", "KeyPair"]

_SKEW = 15 * 60
_FAILURES_BEFORE_LOCK = 5
_LOCK_SECONDS = 5 * 60
_SERVICE = "iotdm"


@dataclass(frozen=True)
class KeyPair:
    """The one identity that is let in; with a security token it is a temporary one."""

    access_key: str
    secret_key: str
    security_token: str | None = None


class Gate:
    """The check every request passes.

    Args:
        keys: who is let in.
        region: the region a derived signature must be made for.
        algorithms: the signatures this endpoint takes.
        clock: the time that dates of signatures and tokens are compared with.
    """

    def __init__(self, keys: KeyPair, region: str, algorithms: frozenset[str], clock: Clock) -> None:
        self._keys = keys
        self._region = region
        self._algorithms = algorithms
        self._clock = clock
        self._mutex = threading.Lock()
        self._failures = 0
        self._locked_until = 0.0
        self._tokens: dict[str, float] = {}

    def issue_token(self, lifetime: float) -> str:
        """Return a new token that is let in for ``lifetime`` seconds."""
        token = f"MIID{secrets.token_urlsafe(48)}"
        with self._mutex:
            self._tokens[token] = self._clock() + lifetime
        return token

    def expire_token(self, token: str) -> None:
        """Make a token one that has expired."""
        with self._mutex:
            self._tokens[token] = self._clock()

    def forgive(self) -> None:
        """Forget the failures so far, and unlock the key."""
        with self._mutex:
            self._failures, self._locked_until = 0, 0.0

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
            self._check_token(token)
        else:
            self._check_signature(request)

    def _check_token(self, token: str) -> None:
        with self._mutex:
            expiry = self._tokens.get(token)
        if expiry is None:
            raise ApiError("token")
        if expiry <= self._clock():
            raise ApiError("token_expired")

    def _check_signature(self, request: Request) -> None:
        text = request.headers.get("Authorization")
        if not text:
            raise ApiError("anonymous")
        authorization = parse_authorization(text)
        if authorization is None:
            raise ApiError("signature")
        if authorization.algorithm not in self._algorithms:
            raise ApiError("algorithm")
        if authorization.access_key != self._keys.access_key:
            raise ApiError("unknown_key")
        with self._mutex:
            self._judge(authorization, request)

    def _judge(self, authorization: Authorization, request: Request) -> None:
        now = self._clock()
        if now < self._locked_until:
            raise ApiError("locked")
        if self._is_good(authorization, request, now):
            self._failures = 0
            return
        self._failures += 1
        if self._failures > _FAILURES_BEFORE_LOCK:
            self._locked_until, self._failures = now + _LOCK_SECONDS, 0
        raise ApiError("signature")

    def _is_good(self, authorization: Authorization, request: Request, now: float) -> bool:
        headers = {name.lower(): value for name, value in request.headers.items()}
        date = headers.get("x-sdk-date", "")
        if not _is_near(date, now) or not self._is_scope(authorization, date):
            return False
        if self._keys.security_token not in (None, headers.get("x-security-token")):
            return False
        try:
            canonical = canonical_request(
                request.method, request.target, headers, request.body, signed=authorization.signed_headers
            )
        except KeyError:
            return False
        expected = expected_signature(authorization, self._keys.secret_key, date, canonical)
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
