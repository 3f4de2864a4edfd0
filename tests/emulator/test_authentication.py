"""Authentication: signatures, tokens, the clock, and the lock after repeated failures."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

import pytest

from pulumi_iotda_ota.emulator import Emulator, ManualClock
from pulumi_iotda_ota.emulator.signatures import DERIVED, STANDARD
from tests.support.emulator_callers import list_target, package_body, signed


def _ask(
    emulator: Emulator, headers: dict[str, str], target: str = "", method: str = "GET", body: bytes = b""
) -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection(emulator.endpoint.removeprefix("http://"), timeout=10)
    try:
        connection.request(method, target or list_target(emulator), body or None, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def _signed_ask(emulator: Emulator, **changes: Any) -> tuple[int, dict[str, Any]]:
    return _ask(emulator, signed(emulator, list_target(emulator), **changes))


@pytest.mark.parametrize("algorithm", [STANDARD, DERIVED])
def test_both_signatures_are_accepted(algorithm: str) -> None:
    """By default the standard and the derived signature are accepted."""
    with Emulator() as emulator:
        assert _signed_ask(emulator, algorithm=algorithm)[0] == 200


@pytest.mark.parametrize("algorithm", [STANDARD, DERIVED])
def test_a_signed_body_is_accepted_and_a_changed_one_is_not(algorithm: str) -> None:
    """The signature covers the body."""
    with Emulator() as emulator:
        target = f"/v5/iot/{emulator.project_id}/ota-upgrades/packages"
        body = json.dumps(package_body()).encode()
        changed = body.replace(b"V2.0", b"V6.6")
        json_header = {"Content-Type": "application/json"}
        headers = signed(emulator, target, method="POST", body=body, algorithm=algorithm, headers=json_header)
        assert _ask(emulator, headers, target, "POST", body)[0] == 201
        assert _ask(emulator, headers, target, "POST", changed)[1]["error_code"] == "APIGW.0301"


@pytest.mark.parametrize(
    ("options", "algorithm"), [({"derived_only": True}, STANDARD), ({"standard_only": True}, DERIVED)]
)
def test_the_other_algorithm_fails_as_on_an_instance(options: dict[str, Any], algorithm: str) -> None:
    """The wrong algorithm for an endpoint is 401 IOTDA.000002, as seen in the field."""
    with Emulator(**options) as emulator:
        status, body = _signed_ask(emulator, algorithm=algorithm)
        assert (status, body["error_code"]) == (401, "IOTDA.000002")


def test_an_endpoint_cannot_refuse_both_algorithms() -> None:
    """The two restrictions exclude each other."""
    with pytest.raises(ValueError, match="exclude each other"):
        Emulator(derived_only=True, standard_only=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"secret_key": "wrong"},
        {"algorithm": DERIVED, "region": "cn-south-1"},
        {"algorithm": DERIVED, "service": "iotda"},
        {"late": 16 * 60},
        {"late": -16 * 60},
    ],
)
def test_a_wrong_signature_is_refused(changes: dict[str, Any]) -> None:
    """Another secret, region, service or a clock more than 15 minutes off is 401 APIGW.0301 with a request id."""
    late = changes.get("late", 0)
    others = {name: value for name, value in changes.items() if name != "late"}
    with Emulator() as emulator:
        status, body = _signed_ask(emulator, at=time.time() - late, **others)
        assert (status, body["error_code"]) == (401, "APIGW.0301")
        assert body["error_msg"].endswith("verify aksk signature fail")
        assert body["request_id"]


def test_fourteen_minutes_off_is_near_enough() -> None:
    """A clock that is less than 15 minutes wrong is accepted."""
    with Emulator() as emulator:
        assert _signed_ask(emulator, at=time.time() - 14 * 60)[0] == 200


def test_an_unknown_key_is_reported() -> None:
    """An unknown access key is an error that does not repeat it."""
    with Emulator() as emulator:
        status, body = _signed_ask(emulator, access_key="UNKNOWNKEY")
        assert status == 401
        assert "ak not exist" in body["error_msg"]
        assert "UNKNOWNKEY" not in body["error_msg"]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic abc"}])
def test_no_credentials_are_refused(headers: dict[str, str]) -> None:
    """A request without a token or a signature is 401."""
    with Emulator() as emulator:
        assert _ask(emulator, headers)[0] == 401


def test_a_signed_header_that_is_missing_is_refused() -> None:
    """A header of the SignedHeaders list that did not arrive fails the signature."""
    with Emulator() as emulator:
        headers = signed(emulator, list_target(emulator), headers={"X-Project-Id": emulator.project_id})
        del headers["X-Project-Id"]
        assert _ask(emulator, headers)[0] == 401


def test_headers_outside_the_list_may_be_added() -> None:
    """A header that was added after signing changes nothing, as one vendor client does it."""
    with Emulator() as emulator:
        headers = signed(emulator, list_target(emulator)) | {"X-Project-Id": emulator.project_id}
        assert _ask(emulator, headers)[0] == 200


def test_more_than_five_failures_lock_the_key_for_five_minutes() -> None:
    """The sixth failure in a row locks the key: for five minutes a valid signature is refused too."""
    clock = ManualClock()
    with Emulator(auth_clock=clock) as emulator:
        for _ in range(6):
            assert _signed_ask(emulator, secret_key="wrong")[0] == 401
        status, body = _signed_ask(emulator)
        assert status == 401
        assert "failed to reach the limit" in body["error_msg"]
        clock.advance(301)
        assert _signed_ask(emulator, at=clock())[0] == 200


def test_five_failures_do_not_lock() -> None:
    """After five failures a valid signature is accepted, and the count starts at zero."""
    with Emulator() as emulator:
        for _ in range(2):
            for _ in range(5):
                _signed_ask(emulator, secret_key="wrong")
            assert _signed_ask(emulator)[0] == 200


def test_reset_unlocks_the_key() -> None:
    """A reset forgets the failures."""
    with Emulator() as emulator:
        for _ in range(6):
            _signed_ask(emulator, secret_key="wrong")
        emulator.reset()
        assert _signed_ask(emulator)[0] == 200


def test_a_temporary_key_needs_its_security_token() -> None:
    """With a security token configured, a signature without it or with another is refused."""
    with Emulator(security_token="temporary") as emulator:
        assert _signed_ask(emulator)[0] == 401
        assert _signed_ask(emulator, headers={"X-Security-Token": "another"})[0] == 401
        assert _signed_ask(emulator, headers={"X-Security-Token": "temporary"})[0] == 200


def test_a_token_is_accepted_until_it_expires() -> None:
    """An issued token is accepted. An expired one is APIGW.0307, and an unknown one APIGW.0301."""
    clock = ManualClock()
    with Emulator(auth_clock=clock) as emulator:
        token = emulator.issue_token(lifetime=60)
        assert emulator.tokens[token] == clock() + 60
        assert _ask(emulator, {"X-Auth-Token": token})[0] == 200
        clock.advance(60)
        assert _ask(emulator, {"X-Auth-Token": token})[1]["error_code"] == "APIGW.0307"
        assert _ask(emulator, {"X-Auth-Token": "made up"})[1]["error_code"] == "APIGW.0301"


def test_a_token_can_be_made_to_expire() -> None:
    """A test can take a token away in the middle of a program."""
    with Emulator() as emulator:
        token = emulator.issue_token()
        emulator.expire_token(token)
        assert _ask(emulator, {"X-Auth-Token": token})[1]["error_code"] == "APIGW.0307"


def test_keys_are_random_unless_they_are_given() -> None:
    """Each emulator has other keys, and a test can set them."""
    assert Emulator().access_key != Emulator().access_key
    fixed = Emulator(access_key="A", secret_key="S", project_id="p")
    assert (fixed.access_key, fixed.secret_key, fixed.project_id) == ("A", "S", "p")


def test_the_secret_is_not_in_the_representation() -> None:
    """The repr of an emulator has its address and no secret."""
    emulator = Emulator()
    assert emulator.secret_key not in repr(emulator)
