"""The two AK/SK signatures of the service, as the receiving side computes them.

Pure functions, one for each stage, so that a test can name the stage of a mismatch. The client shares none of them.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STANDARD = "SDK-HMAC-SHA256"
DERIVED = "V11-HMAC-SHA256"

_AUTHORIZATION = re.compile(
    r"(?P<algorithm>SDK-HMAC-SHA256|V11-HMAC-SHA256) (?:Access|Credential)=(?P<key>[^,/\s]+)(?:/(?P<scope>[^,\s]+))?, "
    r"SignedHeaders=(?P<headers>[^,\s]*), Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True)
class Authorization:
    """The parts of an ``Authorization`` header; ``scope`` is empty for the standard signature."""

    algorithm: str
    access_key: str
    scope: str
    signed_headers: tuple[str, ...]
    signature: str


def parse_authorization(text: str) -> Authorization | None:
    """Return the parts of an ``Authorization`` header, or None if it is not of a known form."""
    found = _AUTHORIZATION.fullmatch(text)
    if found is None or (found["algorithm"] == DERIVED) != bool(found["scope"]):
        return None
    names = tuple(found["headers"].split(";")) if found["headers"] else ()
    return Authorization(found["algorithm"], found["key"], found["scope"] or "", names, found["signature"])


def canonical_request(
    method: str, target: str, headers: Mapping[str, str], body: bytes, *, signed: Sequence[str]
) -> str:
    """Return the canonical request.

    Args:
        method: the HTTP method.
        target: path and query as they came.
        headers: the headers by lower-case name.
        body: the bytes of the body.
        signed: the names of the ``SignedHeaders`` list, in its order; no other header takes part.

    Raises:
        KeyError: a signed header is missing.
    """
    path, _, query = target.partition("?")
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in signed)
    return "\n".join(
        [method.upper(), _canonical_path(path), _canonical_query(query), lines, ";".join(signed), _hash(headers, body)]
    )


def string_to_sign(algorithm: str, date: str, scope: str, canonical: str) -> str:
    """Return the string that is signed."""
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return "\n".join([algorithm, date, *([scope] if scope else []), digest])


def derived_key(access_key: str, secret_key: str, scope: str) -> str:
    """Return the key of the derived signature: 32 bytes of HKDF-SHA256, written as hexadecimal text."""
    extracted = _hmac(access_key.encode(), secret_key.encode())
    return _hmac(extracted, scope.encode() + b"\x01").hex()


def expected_signature(authorization: Authorization, secret_key: str, date: str, canonical: str) -> str:
    """Return the right signature."""
    key = secret_key
    if authorization.algorithm == DERIVED:
        key = derived_key(authorization.access_key, secret_key, authorization.scope)
    text = string_to_sign(authorization.algorithm, date, authorization.scope, canonical)
    return _hmac(key.encode(), text.encode()).hex()


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def _encoded(text: str) -> str:
    return quote(text, safe="~")


def _canonical_path(path: str) -> str:
    encoded = "/".join(_encoded(segment) for segment in unquote(path).split("/"))
    # The slash is added for signing only; it is not on the wire.
    return encoded if encoded.endswith("/") else f"{encoded}/"


def _canonical_query(query: str) -> str:
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    return "&".join(f"{_encoded(key)}={_encoded(value)}" for key, value in pairs)


def _hash(headers: Mapping[str, str], body: bytes) -> str:
    # A request with form data may leave the body unsigned. A request with JSON must sign the hash of its body.
    if headers.get("x-sdk-content-sha256") == "UNSIGNED-PAYLOAD" and body and not _is_json(headers):
        return "UNSIGNED-PAYLOAD"
    return hashlib.sha256(body).hexdigest()


def _is_json(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "application/json").startswith("application/json")
