"""The parts of the signer that no whole-request vector shows."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_iotda_ota.iotda.auth import signing

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=timezone.utc)


def test_the_published_query_vector() -> None:
    """Every reserved character is encoded, spaces as %20, and repeated names are sorted by value."""
    pairs = [
        ("limit", "1"),
        ("enable", "true"),
        ("test", "一 (&=?!#%.*)"),
        ("path", "/tmp/123"),
        ("multi", "3"),
        ("multi", "1"),
        ("multi", "2"),
    ]

    assert signing.canonical_query(pairs) == (
        "enable=true&limit=1&multi=1&multi=2&multi=3&path=%2Ftmp%2F123&test=%E4%B8%80%20%28%26%3D%3F%21%23%25.%2A%29"
    )


@pytest.mark.parametrize("path", ["/v5/iot/p", "/v5/iot/p/"])
def test_a_canonical_path_ends_with_one_slash(path: str) -> None:
    """The canonical form of a path ends with a slash, and with no second one if the path has it already."""
    canonical = signing.canonical_request("GET", path, query=[], headers={"Host": "h"}, body=b"")

    assert canonical.splitlines()[1] == "/v5/iot/p/"


@pytest.mark.parametrize(
    ("secret", "salt", "info", "length", "key"),
    [
        pytest.param(
            "0b" * 22,
            "000102030405060708090a0b0c",
            "f0f1f2f3f4f5f6f7f8f9",
            42,
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
            id="A.1",
        ),
        pytest.param(
            bytes(range(0x50)).hex(),
            bytes(range(0x60, 0xB0)).hex(),
            bytes(range(0xB0, 0x100)).hex(),
            82,
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
            "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
            id="A.2",
        ),
        pytest.param(
            "0b" * 22,
            "",
            "",
            42,
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
            id="A.3",
        ),
    ],
)
def test_rfc_5869(secret: str, salt: str, info: str, length: int, key: str) -> None:
    """The key derivation equals the SHA-256 test cases of RFC 5869."""
    derived = signing.derive_key(
        salt=bytes.fromhex(salt), secret=bytes.fromhex(secret), info=bytes.fromhex(info), length=length
    )

    assert derived.hex() == key


def _sign(algorithm: signing.Algorithm, **changes: object) -> dict[str, str]:
    arguments: dict[str, object] = {
        "query": [("limit", "50")],
        "headers": {"Host": "h", "Content-Type": "application/json"},
        "body": b"{}",
        "access_key": "AK",
        "secret_key": "SK",
        "now": NOW,
        "algorithm": algorithm,
        "region": "cn-north-4",
    }
    return signing.sign("GET", "/v5/iot/p", **{**arguments, **changes})  # type: ignore[arg-type]


def test_the_derived_header_names_day_region_and_service() -> None:
    """A derived credential is bound to one day, one region and the service name ``iotdm``."""
    assert _sign("derived")["Authorization"].startswith(
        "V11-HMAC-SHA256 Credential=AK/20261122/cn-north-4/iotdm, SignedHeaders=content-type;host;x-sdk-date, "
    )


def test_the_standard_header_names_the_access_key() -> None:
    """A standard signature is not bound to a region."""
    assert _sign("standard")["Authorization"].startswith(
        "SDK-HMAC-SHA256 Access=AK, SignedHeaders=content-type;host;x-sdk-date, Signature="
    )
    assert _sign("standard") == _sign("standard", region="elsewhere")


@pytest.mark.parametrize(
    "change",
    [
        {"query": [("limit", "10")]},
        {"headers": {"Host": "other", "Content-Type": "application/json"}},
        {"body": b""},
        {"secret_key": "other"},
        {"now": NOW.replace(second=1)},
    ],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.parametrize("algorithm", ["standard", "derived"])
def test_a_changed_part_changes_the_signature(algorithm: signing.Algorithm, change: dict[str, object]) -> None:
    """Query, signed headers, body, key and time are all covered by the signature."""
    assert _sign(algorithm)["Authorization"] != _sign(algorithm, **change)["Authorization"]


@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"])), st.text("aZ09 &=?#%+/~"))))
def test_a_query_never_gains_a_parameter(pairs: list[tuple[str, str]]) -> None:
    """Whatever the values hold, the encoded query has as many parameters as were given, each split once."""
    query = signing.canonical_query(pairs)

    assert query.count("=") == len(pairs)
    assert query.count("&") == max(len(pairs) - 1, 0)
    assert not set(query) & set(" ?#+/")
