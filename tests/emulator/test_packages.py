"""The operations on packages and modules: filters, limits, states and error bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.emulator import Emulator, Switches
from tests.support.emulator_callers import Caller, package_body, package_id_of

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import ManualClock

PACKAGES = "ota-upgrades/packages"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 260),
        ({"app_id": "energy"}, 161),
        ({"product_id": "smart-meter"}, 41),
        ({"product_id": "smart-meter", "version": "V1.4.10"}, 1),
        ({"product_id": "smart-meter", "version": "V1.4.1"}, 1),
        ({"product_id": "nothing"}, 0),
        ({"package_type": "softwarePackage"}, 920),
        ({"package_type": "modulePackage"}, 24),
    ],
)
def test_filters_match_exactly_and_together(call: Caller, query: dict[str, str], count: int) -> None:
    """Each filter is an exact match, and a package must match all of them."""
    assert call.packages(**query).json["page"]["count"] == count


def test_a_list_has_no_file_location_and_a_detail_has(call: Caller) -> None:
    """Only ShowOtaPackage returns the location of the file."""
    package = call.packages(version="V1.4.10").json["packages"][0]
    detail = call("GET", f"{PACKAGES}/{package['package_id']}").json
    assert "file_location" not in package
    assert len(detail.pop("file_location")["obs_location"]["sign"]) == 64
    assert detail == package


@pytest.mark.parametrize(
    "query",
    [
        {"package_type": "firmware"},
        {"package_type": ""},
        {"app_id": "a" * 37},
        {"app_id": "a.b"},
        {"product_id": ""},
        {"version": "V1 0"},
        {"version": "v" * 257},
    ],
)
def test_a_filter_that_breaks_its_limit_is_400(call: Caller, query: dict[str, str]) -> None:
    """A filter out of its documented form is refused, naming the parameter."""
    response = call.packages(**query)
    assert (response.status, response.code) == (400, "IOTDA.000006")
    assert next(iter(query)) in response.json["error_msg"]


def test_the_package_type_is_mandatory(call: Caller) -> None:
    """A list without package_type is refused."""
    assert call("GET", PACKAGES).status == 400


def test_a_missing_space_is_403(call: Caller) -> None:
    """A resource space that does not exist is 403 IOTDA.001000, not 404."""
    response = call.packages(app_id="nowhere")
    assert (response.status, response.code) == (403, "IOTDA.001000")


def test_a_list_without_a_space_can_be_refused(call: Caller) -> None:
    """Whether a list without app_id spans all spaces is a switch."""
    call.emulator.switches = Switches(unscoped="refuse")
    assert call.packages().code == "IOTDA.001005"
    assert call.packages(app_id="energy").status == 200


def test_create_responds_like_show(call: Caller, clock: ManualClock) -> None:
    """A created package is 201, has an id, a time and its product's name, and heads the list."""
    response = call("POST", PACKAGES, package_body(support_source_versions=["V1.0"], custom_info="x"))
    created = response.json
    assert response.status == 201
    assert created["create_time"] == "20261122T120000Z"
    assert created["product_name"] == "Smart meter"
    assert created["file_location"]["obs_location"]["sign_method"] == "SHA256"
    assert call("GET", f"{PACKAGES}/{created['package_id']}").json == created
    assert call.packages(limit=1).json["packages"][0]["package_id"] == created["package_id"]


@pytest.mark.parametrize(
    "fields",
    [
        {"app_id": None},
        {"package_type": "modulePackage"},
        {"module_name": "radio"},
        {"version": "V2 0"},
        {"version": 2},
        {"support_source_versions": ["V1"] * 21},
        {"description": "x" * 1025},
        {"custom_info": "x" * 4097},
        {"file_location": None},
        {"file_location": {"obs_location": {"region_name": "r", "bucket_name": "UP", "object_key": "k"}}},
        {"file_location": {"obs_location": {"region_name": "r", "bucket_name": "abc", "object_key": ""}}},
        {"file_location": {"obs_location": {"region_name": "r", "bucket_name": "abc", "object_key": "k", "sign": "0"}}},
    ],
)
def test_a_body_that_breaks_a_limit_is_400(call: Caller, fields: dict[str, Any]) -> None:
    """CreateOtaPackage refuses each field that is out of its documented form."""
    response = call("POST", PACKAGES, package_body(**fields))
    assert (response.status, response.code) == (400, "IOTDA.000006")


def test_unknown_fields_of_a_body_pass(call: Caller) -> None:
    """A field the service does not know is no error."""
    assert call("POST", PACKAGES, package_body(colour="blue")).status == 201


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "application/json"),
        (b"\xff", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"{}", "text/plain"),
    ],
)
def test_a_body_that_is_not_json_is_400(call: Caller, body: bytes, kind: str) -> None:
    """Broken JSON and another media type are IOTDA.000008."""
    target = f"/v5/iot/{call.emulator.project_id}/{PACKAGES}"
    assert call.raw("POST", target, body, Content_Type=kind).code == "IOTDA.000008"


def test_a_second_equal_package_is_a_switch(call: Caller) -> None:
    """Whether two packages may share product and version is not documented."""
    assert call("POST", PACKAGES, package_body(version="V1.4.10")).status == 201
    call.emulator.switches = Switches(duplicate_packages="refuse")
    assert call("POST", PACKAGES, package_body(version="V1.4.10")).status == 403
    assert call("POST", PACKAGES, package_body(version="V7")).status == 201


def test_a_deleted_package_is_gone(call: Caller) -> None:
    """Delete is 204 without a body; afterwards show and delete are 404."""
    path = f"{PACKAGES}/{package_id_of(call.emulator, 'smart-meter', 'V1.4.10')}"
    deleted = call("DELETE", path)
    assert (deleted.status, deleted.body) == (204, b"")
    assert call("GET", path).status == 404
    assert call("DELETE", path).status == 404
    assert call.packages(version="V1.4.10").json["page"]["count"] == 0


def test_another_project_is_403(call: Caller) -> None:
    """A path of another project is refused."""
    response = call.raw("GET", "/v5/iot/another/ota-upgrades/packages?package_type=firmwarePackage")
    assert (response.status, response.code) == (403, "APIGW.0310")


@pytest.mark.parametrize("path", ["/v5/{p}/ota-upgrades/packages", "/", "/v5/iot/{p}/ota-upgrades/packages/", "//x"])
def test_an_unknown_path_is_404(call: Caller, path: str) -> None:
    """A path that the service does not have, a slash too many included, is 404 IOTDA.000029."""
    response = call.raw("GET", path.format(p=call.emulator.project_id))
    assert (response.status, response.code) == (404, "IOTDA.000029")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE", "QUERY"])
def test_a_method_the_path_does_not_have_is_404_of_the_gateway(call: Caller, method: str) -> None:
    """A known path with another method is APIGW.0101, with a request id."""
    response = call(method, PACKAGES, {})
    assert (response.status, response.code) == (404, "APIGW.0101")
    assert response.json["request_id"] == response.headers["X-Request-Id"]


def test_head_has_no_body(call: Caller) -> None:
    """HEAD is not GET: it is refused, and the response has no body, so that the connection can be used again."""
    response = call("HEAD", f"{PACKAGES}?package_type=firmwarePackage")
    assert (response.status, response.body) == (404, b"")
    assert call.packages().status == 200


def test_every_response_has_a_request_id(call: Caller) -> None:
    """Each response has another X-Request-Id, errors too."""
    responses = [call.packages(), call.packages(limit=0)]
    assert len({response.headers["X-Request-Id"] for response in responses}) == 2


def test_sizes_have_bounds(call: Caller) -> None:
    """A body over 12 MB, a URI over 32 KB and an Instance-Id over 36 characters are refused."""
    target = f"/v5/iot/{call.emulator.project_id}/{PACKAGES}"
    big = call.raw("POST", target, b" " * (12 * 1024 * 1024 + 1), Content_Type="application/json")
    assert big.status == 413
    assert call.packages(version="v" * 33_000).status == 414
    assert call.raw("GET", target, Instance_Id="i" * 37).status == 400


def test_responses_are_compressed_if_accepted(call: Caller) -> None:
    """A long response is gzip for a client that accepts it, unless a switch turns that off."""
    call.headers["Accept-Encoding"] = "gzip"
    packed = call.packages()
    assert packed.headers["Content-Encoding"] == "gzip"
    call.emulator.switches = Switches(gzip=False)
    plain = call.packages()
    assert "Content-Encoding" not in plain.headers
    assert plain.json == packed.json


def test_packages_made_in_process_get_what_is_missing(call: Caller) -> None:
    """add_package has a default for each field, and refuses a value that breaks a limit."""
    package_id = call.emulator.add_package(product_id="gateway", version="V9")
    detail = call("GET", f"{PACKAGES}/{package_id}").json
    assert (detail["product_name"], detail["package_type"]) == ("Gateway", "firmwarePackage")
    with pytest.raises(ValueError, match="package: version"):
        call.emulator.add_package(version="not a version")
    assert call.emulator.delete_package(package_id)
    assert not call.emulator.delete_package(package_id)


def test_an_emulator_that_is_not_started_has_no_endpoint() -> None:
    """To read the address before the start is an error with the fix."""
    with pytest.raises(RuntimeError, match="context manager"):
        _ = Emulator().endpoint


def test_an_upload_lands_in_the_space_of_its_product(call: Caller) -> None:
    """A package that is added without a space goes to the space of its product; a new product has the default one."""
    for product_id, space in (("water-valve", "water"), ("smart-meter", "energy"), ("new", "energy")):
        package_id = call.emulator.add_package(product_id=product_id, version="V9")
        assert call("GET", f"{PACKAGES}/{package_id}").json["app_id"] == space
    assert call.packages(app_id="water", product_id="water-valve", version="V9").json["page"]["count"] == 1
