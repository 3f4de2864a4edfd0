"""The paths under /_emulator/: the same control from another process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.support.emulator_callers import Caller, Response


def _admin(call: Caller, method: str, name: str, body: Any = None, **headers: str) -> Response:
    call.headers = {name: value for name, value in call.headers.items() if name != "Accept-Encoding"}
    if body is not None:
        headers.setdefault("Content_Type", "application/json")
    return call.raw(method, f"/_emulator/{name}", None if body is None else json.dumps(body).encode(), **headers)


def test_faults_are_added_listed_and_cleared(call: Caller) -> None:
    """A rule that was added over HTTP acts, and counts how often."""
    rule = {"operation": "ListOtaPackageInfo", "error": "throttled", "headers": {"Retry-After": "1"}}
    assert _admin(call, "POST", "faults", rule).status == 201
    assert call.packages().status == 429
    assert _admin(call, "GET", "faults").json["faults"] == [{**rule, "hits": 1}]
    assert _admin(call, "DELETE", "faults").status == 204
    assert _admin(call, "GET", "faults").json == {"faults": []}


def test_a_rule_can_change_packages_before_the_response(call: Caller) -> None:
    """Insert and delete between pages work from another process too."""
    newest = call.packages(product_id="smart-meter", limit=1).json["packages"][0]["package_id"]
    change = {"insert": [{"version": "V9"}], "delete": [newest]}
    assert _admin(call, "POST", "faults", {"nth": 1, "before": change}).status == 201
    versions = [p["version"] for p in call.packages(product_id="smart-meter", limit=2).json["packages"]]
    assert versions == ["V9", "V1.5.0-rc1"]


def test_packages_are_inserted_and_deleted(call: Caller) -> None:
    """Packages can be changed at once, and the ids come back."""
    inserted = _admin(call, "POST", "packages", {"insert": [{"version": "V9"}]}).json["inserted"]
    assert call("GET", f"ota-upgrades/packages/{inserted[0]}").json["version"] == "V9"
    response = _admin(call, "POST", "packages", {"delete": [*inserted, "nothing"]})
    assert response.json == {"inserted": [], "deleted": inserted}


def test_devices_are_described_and_tokens_issued(call: Caller) -> None:
    """A device's behaviour and a token can be had from another process."""
    assert _admin(call, "POST", "devices", {"device_id": "d1", "version": "V1.4.9"}).status == 204
    assert call.emulator.device_versions["d1"] == "V1.4.9"
    assert _admin(call, "POST", "tokens", {}).json["token"] in call.emulator.tokens


def test_requests_are_listed_until_a_reset(call: Caller) -> None:
    """What came in is listed with operation, query, headers and body; admin requests are not."""
    call.emulator.add_package(version="V9")
    call.packages(limit=3)
    printed = _admin(call, "GET", "requests").json["requests"]
    assert [(r["operation"], r["method"], r["query"]["limit"]) for r in printed] == [("ListOtaPackageInfo", "GET", "3")]
    assert _admin(call, "POST", "reset").status == 204
    assert _admin(call, "GET", "requests").json == {"requests": []}
    assert call.packages(version="V9").json["page"]["count"] == 0


@pytest.mark.parametrize(
    ("method", "name", "body", "status"),
    [
        ("POST", "faults", {"operation": "Nothing"}, 400),
        ("POST", "faults", "text", 400),
        ("POST", "faults", {"before": {"add": []}}, 400),
        ("POST", "packages", {"insert": [{"version": "not a version"}]}, 400),
        ("POST", "devices", {"device_id": "d1", "outcome": "explode"}, 400),
        ("GET", "nothing", None, 404),
    ],
)
def test_mistakes_are_reported(call: Caller, method: str, name: str, body: Any, status: int) -> None:
    """The response to a wrong admin request names the mistake."""
    response = _admin(call, method, name, body)
    assert response.status == status
    assert response.json["error"]


def test_another_host_name_is_refused(call: Caller) -> None:
    """A web page cannot reach the admin paths by another host name of this machine."""
    assert _admin(call, "GET", "requests", Host="evil.example").status == 403


@pytest.mark.parametrize(
    ("method", "name", "body", "headers"),
    [
        ("POST", "packages", {"insert": [{}]}, {"Content_Type": "text/plain"}),
        ("POST", "devices", {"device_id": "d1"}, {"Content_Type": "application/x-www-form-urlencoded"}),
        ("POST", "packages", {"insert": [{}]}, {"Origin": "https://page.example"}),
        ("POST", "reset", None, {"Origin": "null"}),
        ("POST", "tokens", None, {"Origin": "http://127.0.0.1:1"}),
        ("GET", "requests", None, {"Origin": "https://page.example"}),
        ("DELETE", "faults", None, {"Origin": "https://page.example"}),
    ],
)
def test_a_page_in_a_browser_reaches_nothing(
    call: Caller, method: str, name: str, body: Any, headers: dict[str, str]
) -> None:
    """A request that a page of another site can send is refused with the cause, and changes nothing."""
    call.emulator.faults.add(operation="ListOtaPackageInfo", error="throttled")
    before = (len(call.emulator.packages), len(call.emulator.tokens), len(list(call.emulator.faults)))
    refused = _admin(call, method, name, body, **headers)

    assert refused.status == (415 if "Content_Type" in headers else 403)
    assert refused.json["error"].startswith(("send Content-Type: application/json", "a page of another site"))
    assert (len(call.emulator.packages), len(call.emulator.tokens), len(list(call.emulator.faults))) == before


def test_a_page_of_its_own(call: Caller) -> None:
    """A request with the emulator itself as its origin is accepted."""
    assert _admin(call, "POST", "tokens", {}, Origin=call.emulator.endpoint).status == 201
