"""Sign requests to IoTDA: canonical request, string to sign, signature, headers.

Each stage is a pure function, so that a test compares it with a published vector. The service has two algorithms:

* ``standard`` (SDK-HMAC-SHA256) signs with the secret key.
* ``derived`` (V11-HMAC-SHA256), for instance endpoints, signs with a key derived for one day, region and service.

Source: the vendor's page "AK/SK Signing and Authentication Algorithm", and its published SDKs.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, unquote

from pulumi_iotda_ota.iotda.models import API_TIME

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

Algorithm = Literal["standard", "derived"]

SERVICE = "iotdm"  # the name of IoTDA in the derived algorithm
DATE_HEADER = "X-Sdk-Date"
_NAMES = {"standard": "SDK-HMAC-SHA256", "derived": "V11-HMAC-SHA256"}
_UNRESERVED = "-_.~"
_HASH_BYTES = 32


def canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Return query parameters sorted and percent-encoded, as they are sent too."""
    return "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in sorted(pairs))


def canonical_request(
    method: str, path: str, *, query: Iterable[tuple[str, str]], headers: Mapping[str, str], body: bytes
) -> str:
    """Return the first stage: the canonical request with all headers to sign; the query is not encoded."""
    signed = _lowered(headers)
    lines = [method, _canonical_path(path), canonical_query(query)]
    lines += [f"{name}:{signed[name]}" for name in sorted(signed)]
    # The block of headers ends with a line break, so there is an empty line.
    lines += ["", _signed_names(signed), hashlib.sha256(body).hexdigest()]
    return "\n".join(lines)


def string_to_sign(canonical: str, *, algorithm: Algorithm, date: str, scope: str = "") -> str:
    """Return the second stage: the algorithm, the time and a digest of the canonical request.

    Args:
        canonical: the first stage.
        algorithm: ``standard`` or ``derived``.
        date: the value of ``X-Sdk-Date``, ``yyyyMMdd'T'HHmmss'Z'``.
        scope: ``yyyyMMdd/region/service``; for the derived algorithm only.
    """
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return "\n".join([_NAMES[algorithm], date, *([scope] if algorithm == "derived" else []), digest])


def derive_key(*, salt: bytes, secret: bytes, info: bytes, length: int = _HASH_BYTES) -> bytes:
    """Return the HKDF of RFC 5869 with SHA-256.

    Args:
        salt: RFC 5869's salt.
        secret: RFC 5869's input keying material.
        info: RFC 5869's info.
        length: the number of bytes, at most 8160.
    """
    pseudorandom = hmac.digest(salt or bytes(_HASH_BYTES), secret, "sha256")
    block, key = b"", b""
    for counter in range(1, -(-length // _HASH_BYTES) + 1):
        block = hmac.digest(pseudorandom, block + info + bytes([counter]), "sha256")
        key += block
    return key[:length]


def signature(text: str, *, access_key: str, secret_key: str, algorithm: Algorithm, scope: str = "") -> str:
    """Return the third stage: the signature of the string to sign, in hexadecimal."""
    key = secret_key.encode()
    if algorithm == "derived":
        derived = derive_key(salt=access_key.encode(), secret=key, info=scope.encode())
        # The key is the hexadecimal text of the derived key, not its bytes.
        key = derived.hex().encode()
    return hmac.digest(key, text.encode(), "sha256").hex()


def sign(
    method: str,
    path: str,
    *,
    query: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    body: bytes,
    access_key: str,
    secret_key: str,
    now: datetime,
    algorithm: Algorithm,
    region: str = "",
    service: str = SERVICE,
) -> dict[str, str]:
    """Return the further headers of a signed request, ``X-Sdk-Date`` and ``Authorization``.

    Args:
        method: the HTTP method in capitals.
        path: the path of the exact URL that is sent.
        query: its query parameters, not encoded.
        headers: all headers to sign, including ``Host``; the date is added.
        body: the exact bytes that are sent.
        access_key: the access key (AK).
        secret_key: the secret key (SK).
        now: the time in UTC; the service accepts a difference of 15 minutes.
        algorithm: ``standard`` or ``derived``.
        region: the region of the derived key.
        service: the service of the derived key.
    """
    date = now.strftime(API_TIME)
    scope = f"{date[:8]}/{region}/{service}" if algorithm == "derived" else ""
    signed = {**headers, DATE_HEADER: date}
    canonical = canonical_request(method, path, query=query, headers=signed, body=body)
    text = string_to_sign(canonical, algorithm=algorithm, date=date, scope=scope)
    proof = signature(text, access_key=access_key, secret_key=secret_key, algorithm=algorithm, scope=scope)
    holder = f"Credential={access_key}/{scope}" if algorithm == "derived" else f"Access={access_key}"
    names = _signed_names(_lowered(signed))
    return {
        DATE_HEADER: date,
        "Authorization": f"{_NAMES[algorithm]} {holder}, SignedHeaders={names}, Signature={proof}",
    }


def _encoded(text: str) -> str:
    return quote(text, safe=_UNRESERVED)


def _canonical_path(path: str) -> str:
    encoded = "/".join(_encoded(segment) for segment in unquote(path).split("/"))
    # Only the canonical form ends with a slash, not the path that is sent.
    return encoded if encoded.endswith("/") else f"{encoded}/"


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value.strip() for name, value in headers.items()}


def _signed_names(signed: Iterable[str]) -> str:
    return ";".join(sorted(signed))
