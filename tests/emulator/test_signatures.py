"""The emulator's own signature code against the 19 vectors that the vendor's SDKs publish."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from pulumi_iotda_ota.emulator.signatures import (
    DERIVED,
    STANDARD,
    Authorization,
    canonical_request,
    derived_key,
    expected_signature,
    parse_authorization,
    string_to_sign,
)

KEY, SECRET = "AccessKey", "SecretKey"
VPC = "/v1/77b6a44cba5143ab91d13ab9a8ff44fd"
PY_DATE, GO_DATE, JAVA_DATE = "20200608T023900Z", "20060102T150405Z", "20191115T033655Z"
PY_HOST, JAVA_HOST = "service.endpoint.myhuaweicloud.com", "service.region.example.com"
PY_BODY, GSDK_BODY = b'{"name":"test","id":1}', b'{"Name":"test","Id":1}'
PY_SCOPE, JAVA_SCOPE = "20200608/test-region-1/demo", "20191115/region-id-1/service"
GO_SCOPE = "20060102/test-region-1/demo"


@dataclass(frozen=True)
class Vector:
    """One published request and its signature."""

    name: str
    signature: str
    method: str
    target: str
    date: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    scope: str = ""


def _python(name: str, signature: str, method: str = "GET", body: bytes = b"", scope: str = "") -> Vector:
    return Vector(name, signature, method, "/resources?size=1", PY_DATE, {"host": PY_HOST}, body, scope)


def _golang(name: str, signature: str, method: str = "GET", scope: str = "") -> Vector:
    if method == "GET":
        return Vector(name, signature, method, "/path?limit=1", GO_DATE, {"test_underscore": "TEST_VALUE"}, scope=scope)
    headers = {"content-type": "application/json", "test_underscore": "TEST_VALUE"}
    return Vector(name, signature, method, "/path?key=value", GO_DATE, headers, GSDK_BODY, scope)


def _go(name: str, signature: str, method: str = "GET", scope: str = "") -> Vector:
    if method == "GET":
        return Vector(name, signature, method, "/path?limit=1", GO_DATE, scope=scope)
    return Vector(name, signature, method, "/path?key=value", GO_DATE, body=GSDK_BODY + b"\n", scope=scope)


def _java(name: str, signature: str, target: str, host: str = JAVA_HOST, scope: str = "") -> Vector:
    if target.endswith("/123"):
        return Vector(name, signature, "POST", target, JAVA_DATE, {"host": host}, b'{"key":"value"}', scope)
    return Vector(name, signature, "GET", target, JAVA_DATE, {"host": host}, scope=scope)


VECTORS = [
    _python("py1", "cfb4171acec81de07d50e53d57eb77edd537414d66ddb1d7d780f128e12cd842"),
    _python("py2", "436b1ac0a1ae03705934bb70ef2f2e09f7bfed2117d731a38235053199323a1f", "POST", PY_BODY),
    _python("py3", "f7dfee056692e58dede80fc80cb89bbfabf45552dd7cd8d18a0a13484455b98e", scope=PY_SCOPE),
    _python("py4", "8e2d91eaf9656ec5d6fab27812e2d898a35aaaa5e16ee0a0365c38527ccfb3cf", "POST", PY_BODY, PY_SCOPE),
    _golang("g1", "daeadcf4a306599f7422401cc55d3718a23ef159fed370c62c551a2c45ae9655"),
    _golang("g2", "0238c3bedddfe8bf113c7530f783322380dedf720d514861623cfe5f73aa8f64", "POST"),
    _golang("g3", "00196d6926ef54489f9f1a1bdfa24870cadbf0af55cc1dffe26574341f1da7b0", scope=GO_SCOPE),
    _golang("g4", "ec6f411f852fb2badae3d4927dd1a559e3a3f02a7689527a9a116f8edc7ce3fb", "POST", GO_SCOPE),
    _go("go1", "5a2ce64c865e0e6046321c6f3d5a77ba8413eeaf355c3166c03d58d02ac79624"),
    _go("go2", "8fd3610508884bb19718317797c7378716a94bc740d97502e569322e366341cc", scope=GO_SCOPE),
    _go("go3", "cecc2af119b18ab70b4d094c0750f3b42c02f254903179a0fc2cc72fc9db4f59", "POST"),
    _go("go4", "4112f88b92d82dd1e1b7dd142f1e99e4f1762c42ca8fe0968b3045120870a903", "POST", GO_SCOPE),
    _java(
        "j1",
        "fd95e7da6f695cfb4cabbb9d6b0968aec155bc576b064835282473539ae9ea1d",
        f"{VPC}/vpcs?limit=2&marker=13551d6b-755d-4757-b956-536f674975c0",
    ),
    _java("j2", "b5649aa774f6cac7437631662f08815fc65c70e40e486df6db2436ce68902771", f"{VPC}/vpc/123"),
    _java("j3", "919ad8b75d4ad49da0d377e63ee21c4a7a54b752f6bf2878b4adbe9c19927da6", "", "example.com"),
    _java("j4", "c63981314b17efeca4c2577e3e22ecfd3831e0c87eb87277271e32587207dd2c", f"{VPC}/vpcs", scope=JAVA_SCOPE),
    _java("j5", "e69d85082ec803f89f2e93b500106ae69cd5667c866d6aa6f3e44fc66558d8fb", f"{VPC}/vpc/123", scope=JAVA_SCOPE),
    _java(
        "j6",
        "5ba93d159e81cf6b1550585721ac2e2223793cee3a06f1c9fb245985608d5d0f",
        f"{VPC}/vpcs",
        "example.com",
        JAVA_SCOPE,
    ),
    _java(
        "j7",
        "fbfa53d70fa0dec48f511be2e9e522172f9dca6d56f8856d12d7e575b978d9be",
        f"{VPC}/vpcs",
        "service.test-region-1.myhuaweicloud.com",
    ),
]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_the_published_signature_is_what_is_expected(vector: Vector) -> None:
    """The signature that the emulator expects is the one the vendor published."""
    headers = {**vector.headers, "x-sdk-date": vector.date}
    canonical = canonical_request(vector.method, vector.target, headers, vector.body, signed=sorted(headers))
    authorization = Authorization(DERIVED if vector.scope else STANDARD, KEY, vector.scope, (), "")
    assert expected_signature(authorization, SECRET, vector.date, canonical) == vector.signature


def test_the_query_is_sorted_and_encoded_as_published() -> None:
    """The published query with every awkward character comes out in its canonical form."""
    published = (
        "enable=true&limit=1&multi=1&multi=2&multi=3&path=%2Ftmp%2F123&test=%E4%B8%80%20%28%26%3D%3F%21%23%25.%2A%29"
    )
    sent = "&".join(reversed(published.split("&")))
    assert canonical_request("GET", f"/?{sent}", {}, b"", signed=()).split("\n")[2] == published


def test_a_header_that_is_not_listed_takes_no_part() -> None:
    """Only the headers of the SignedHeaders list decide."""
    bare = canonical_request("GET", "/a", {"x-sdk-date": PY_DATE}, b"", signed=["x-sdk-date"])
    more = canonical_request("GET", "/a", {"x-sdk-date": PY_DATE, "x-more": "1"}, b"", signed=["x-sdk-date"])
    assert bare == more


def test_a_listed_header_that_did_not_come_is_an_error() -> None:
    """A signature over a header that was lost on the way cannot be checked."""
    with pytest.raises(KeyError):
        canonical_request("GET", "/a", {}, b"", signed=["x-sdk-date"])


def test_a_body_may_go_unsigned_only_if_it_is_not_json() -> None:
    """UNSIGNED-PAYLOAD is believed for form data, never for JSON."""
    headers = {"x-sdk-content-sha256": "UNSIGNED-PAYLOAD"}
    form = canonical_request("POST", "/a", {**headers, "content-type": "multipart/form-data"}, b"x", signed=())
    sent_json = canonical_request("POST", "/a", {**headers, "content-type": "application/json"}, b"x", signed=())
    assert form.endswith("\nUNSIGNED-PAYLOAD")
    assert not sent_json.endswith("\nUNSIGNED-PAYLOAD")


def test_the_derived_key_is_hexadecimal_text() -> None:
    """The key of the derived signature is 64 characters, not 32 bytes."""
    assert len(derived_key(KEY, SECRET, PY_SCOPE)) == 64


def test_the_scope_is_a_line_of_its_own() -> None:
    """The derived signature signs one line more than the standard one."""
    assert string_to_sign(STANDARD, PY_DATE, "", "x").count("\n") == 2
    assert string_to_sign(DERIVED, PY_DATE, PY_SCOPE, "x").split("\n")[2] == PY_SCOPE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Basic abc",
        f"SDK-HMAC-SHA256 Access=a/s, SignedHeaders=host, Signature={'0' * 64}",
        f"V11-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature={'0' * 64}",
        "SDK-HMAC-SHA256 Access=a, SignedHeaders=host, Signature=short",
    ],
)
def test_an_authorization_of_another_form_is_none(text: str) -> None:
    """A header that has neither of the two forms is not parsed."""
    assert parse_authorization(text) is None
