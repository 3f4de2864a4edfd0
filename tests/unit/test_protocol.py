"""The requests that are built, and the answers that are read."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from pulumi_iotda_ota.iotda.api import protocol
from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError, ProtocolError
from pulumi_iotda_ota.iotda.http.messages import Response
from pulumi_iotda_ota.iotda.models import OtaPackage, PackageQuery, UnreadableRecord
from tests.support.fault_helpers import CONNECTION, NOW, answer, package

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.iotda.http.messages import Request

SAMPLES = Path(__file__).parents[1] / "contract" / "samples" / "answers"
QUERY = PackageQuery("firmwarePackage")
LIST = protocol.list_packages(QUERY)
TASK = {
    "task_name": "testname",  # as the documented response has it
    "task_type": "firmwareUpgrade",
    "targets": ["dev-1"],
    "document": {"package_ids": ["28f61af50fc9452aa0ed5ea25c3cc3d3"]},
}
PACKAGE = {
    "app_id": "a",
    "package_type": "modulePackage",
    "product_id": "p",
    "module_name": "radio",
    "version": "V1",
    "file_location": {"obs_location": {"region_name": "r", "bucket_name": "b-1", "object_key": "k.bin"}},
}
WRONG_PACKAGES: list[tuple[str, dict[str, Any]]] = [
    ("name", {"name": "x"}),
    ("app_id", {"app_id": None}),
    ("package_type", {"package_type": "module"}),
    ("version", {"version": "1+0"}),
    ("module_name", {"module_name": None}),
    ("module_name", {"module_name": "a/b"}),
    ("module_name", {"package_type": "firmwarePackage"}),
    ("description", {"description": "d" * 1025}),
    ("custom_info", {"custom_info": 7}),
    ("support_source_versions", {"support_source_versions": "V1"}),
    ("support_source_versions", {"support_source_versions": ["V1"] * 21}),
    ("support_source_versions[1]", {"support_source_versions": ["V1", "V 2"]}),
    ("obs_location", {"file_location": None}),
    ("obs_location", {"file_location": {"obs_location": {"region_name": "r", "bucket_name": "b-1"}}}),
]
REQUESTS: dict[str, Request[Any]] = {
    "ListOtaPackageInfo": LIST,
    "ShowOtaPackage": protocol.show_package("28f61af50fc9452aa0ed5ea25c3cc3d3"),
    "CreateOtaPackage": protocol.create_package(PACKAGE),
    "DeleteOtaPackage": protocol.delete_package("28f61af50fc9452aa0ed5ea25c3cc3d3"),
    "CreateBatchTask": protocol.create_batch_task(TASK, now=NOW),
    "ListBatchTasks": protocol.list_batch_tasks("firmwareUpgrade"),
    "ShowBatchTask": protocol.show_batch_task("5c8ba99030344005c02316ad"),
    "StopBatchTask": protocol.stop_batch_task("abc"),
    "DeleteBatchTask": protocol.delete_batch_task("abc"),
}


def json_of(content: object) -> bytes:
    """Return JSON without spaces."""
    return json.dumps(content, separators=(",", ":")).encode()


def read(request: Request[Any], body: bytes, status: int = 200) -> Any:
    """Return what an answer with this body holds."""
    return protocol.read(request, Response(status, {}, body), connection=CONNECTION, now=NOW)


@pytest.mark.parametrize(
    ("request_", "line", "body"),
    [
        (LIST, "GET /v5/iot/p1/ota-upgrades/packages?limit=50&package_type=firmwarePackage", b""),
        (
            protocol.list_packages(
                PackageQuery("modulePackage", app_id="a", version="V1"), limit=7, marker="f" * 24, offset=500
            ),
            (
                "GET /v5/iot/p1/ota-upgrades/packages?app_id=a&limit=7&marker=ffffffffffffffffffffffff&offset=500"
                "&package_type=modulePackage&version=V1"
            ),
            b"",
        ),
        (protocol.create_package(PACKAGE), "POST /v5/iot/p1/ota-upgrades/packages", json_of(PACKAGE)),
        (protocol.delete_package("ab-1"), "DELETE /v5/iot/p1/ota-upgrades/packages/ab-1", b""),
        (protocol.show_package("ab-1"), "GET /v5/iot/p1/ota-upgrades/packages/ab-1", b""),
        (
            protocol.list_batch_tasks("firmwareUpgrade", app_id="a", status="Waitting"),
            "GET /v5/iot/p1/batchtasks?app_id=a&limit=50&status=Waitting&task_type=firmwareUpgrade",
            b"",
        ),
        (
            protocol.show_batch_task("ab1", status="Removed", limit=1),
            "GET /v5/iot/p1/batchtasks/ab1?limit=1&task_detail_status=Removed",
            b"",
        ),
        (protocol.stop_batch_task("ab1"), "POST /v5/iot/p1/batchtasks/ab1/stop", b"{}"),
        (protocol.stop_batch_task("ab1", ["d1"]), "POST /v5/iot/p1/batchtasks/ab1/stop", b'{"targets":["d1"]}'),
        (protocol.delete_batch_task("ab1"), "DELETE /v5/iot/p1/batchtasks/ab1", b""),
    ],
    ids=lambda value: value.operation if hasattr(value, "operation") else "",
)
def test_what_is_sent(request_: Request[Any], line: str, body: bytes) -> None:
    """Each operation has the method, path, query and body of its API page."""
    assert f"{request_.method} {request_.target('p1')}" == line
    assert request_.body == body


def test_only_creations_are_not_repeatable() -> None:
    """Every other request does the same when it is sent twice."""
    once = [name for name, request in REQUESTS.items() if not request.repeatable]
    assert once == ["CreateOtaPackage", "CreateBatchTask"]


@pytest.mark.parametrize(
    ("build", "argument"),
    [
        (lambda: protocol.list_packages(PackageQuery("firmware")), "package_type"),
        (lambda: protocol.list_packages(PackageQuery("firmwarePackage", app_id="a b")), "app_id"),
        (lambda: protocol.list_packages(PackageQuery("firmwarePackage", product_id="x" * 37)), "product_id"),
        (lambda: protocol.list_packages(PackageQuery("firmwarePackage", version="1&limit=1")), "version"),
        (lambda: protocol.list_packages(PackageQuery("firmwarePackage", version="")), "version"),
        (lambda: protocol.list_packages(PackageQuery("firmwarePackage", version="1\n")), "version"),
        (lambda: protocol.list_packages(QUERY, limit=0), "limit"),
        (lambda: protocol.list_packages(QUERY, limit=51), "limit"),
        (lambda: protocol.list_packages(QUERY, offset=501), "offset"),
        (lambda: protocol.list_packages(QUERY, marker="xyz"), "marker"),
        (lambda: protocol.show_package("../modules"), "package_id"),
        (lambda: protocol.show_package(""), "package_id"),
        (lambda: protocol.delete_package("../modules"), "package_id"),
        *(
            (lambda change=change: protocol.create_package({**PACKAGE, **change}), argument)
            for argument, change in WRONG_PACKAGES
        ),
        (lambda: protocol.list_batch_tasks("createDevices"), "task_type"),
        (lambda: protocol.list_batch_tasks("firmwareUpgrade", status="waiting"), "status"),
        (lambda: protocol.show_batch_task("ABC"), "task_id"),
        (lambda: protocol.show_batch_task("abc", status="gone"), "task_detail_status"),
        (lambda: protocol.stop_batch_task("abc", ["d"] * 101), "targets"),
        (lambda: protocol.stop_batch_task("abc", ["d", "d/e"]), "targets[1]"),
        (lambda: protocol.delete_batch_task("a/b"), "task_id"),
    ],
)
def test_a_value_outside_of_its_limit_is_not_sent(build: Callable[[], object], argument: str) -> None:
    """What the service would refuse, or read as something else, is an InputError that names the argument."""
    with pytest.raises(InputError) as caught:
        build()

    assert caught.value.argument == argument


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("*.json")), ids=lambda path: path.stem)
def test_documented_answers_are_read(sample: Path) -> None:
    """Every documented answer is read, and keeps the values that it came with."""
    content = json.loads(sample.read_text(encoding="utf-8"))
    found = read(REQUESTS[content["operation"]], json.dumps(content["body"]).encode())

    kept = TypeAdapter(type(found)).dump_python(found, mode="json", exclude_unset=True)
    assert kept == _known(content["body"], kept)


def _known(sent: Any, kept: Any) -> Any:
    """Return what was sent without the fields that are not modelled; null arrays are empty ones."""
    if isinstance(kept, dict):
        return {name: _known(sent.get(name), value) for name, value in kept.items()}
    if isinstance(kept, list):
        return [_known(one, other) for one, other in zip(sent or [], kept, strict=True)]
    return sent


def test_the_output_of_a_device_is_never_read() -> None:
    """What a device answered, which can hold its secret, is in no value of ours."""
    content = json.loads((SAMPLES / "show-task.json").read_text(encoding="utf-8"))["body"]

    assert "device-secret" not in repr(read(REQUESTS["ShowBatchTask"], json.dumps(content).encode()))


def test_a_deletion_reads_no_body() -> None:
    """An answer without a body is the success of a deletion."""
    assert read(REQUESTS["DeleteBatchTask"], b"", 204) is None


def one_package(**changes: Any) -> bytes:
    """Return a page with two packages, the second of them changed; None leaves a field out."""
    second = {name: value for name, value in package(2, **changes).items() if value is not None}
    return json.dumps({"packages": [package(1), second], "page": {"count": 2}}).encode()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"packages":[],"page":{"count":true}}', "page.count should be a whole number"),
        (b'{"packages":[],"page":{"count":-1}}', "page.count should be a whole number"),
        (b'{"packages":[],"page":{"count":1,"marker":5}}', "page.marker should be a valid string"),
        (b'{"packages":{},"page":{"count":1}}', "packages should be a valid array"),
        (b"[]", "the whole should be an object"),
        (b"null", "the whole is null"),
        (b"{}", "packages is missing"),
        (b'{"page":{}}', "packages is missing"),
    ],
)
def test_another_shape_is_a_protocol_error_that_names_the_field(body: bytes, words: str) -> None:
    """A missing field or a wrong type is final at once; the error names the field and the package it belongs to."""
    with pytest.raises(ProtocolError) as caught:
        read(LIST, body)

    assert words in caught.value.headline
    assert not caught.value.garbled
    assert ("requested", 'package_type="firmwarePackage"') in caught.value.facts


@pytest.mark.parametrize(
    ("changes", "record"),
    [
        ({"version": None}, UnreadableRecord(f"{2:032}", "", "version is missing")),
        ({"version": 7}, UnreadableRecord(f"{2:032}", "", "version should be a valid string")),
        ({"package_id": None}, UnreadableRecord("", "V1.2", "package_id is missing")),
        ({"package_id": ""}, UnreadableRecord("", "V1.2", "package_id should have at least 1 character")),
        (
            {"support_source_versions": ["V1", 2]},
            UnreadableRecord(f"{2:032}", "V1.2", "support_source_versions[1] should be a valid string"),
        ),
        (
            {"support_source_versions": "V1"},
            UnreadableRecord(f"{2:032}", "V1.2", "support_source_versions should be a valid array"),
        ),
    ],
    ids=str,
)
def test_a_record_of_another_shape_stays_in_its_place(changes: dict[str, Any], record: UnreadableRecord) -> None:
    """A record that cannot be judged ends no page: what is wrong with it stands in its place."""
    page = read(LIST, one_package(**changes))

    assert page.packages is not None
    assert isinstance(page.packages[0], OtaPackage)
    assert page.packages[1:] == (record,)


@pytest.mark.parametrize(
    "body",
    [
        b'{"packages":[{"package_id":"a"}],"packages":[],"page":{"count":0}}',
        b'{"packages":[],"packages":[{"package_id":"a"}],"page":{"count":0}}',
        b'{"packages":[{"package_id":"a"}],"packages":null,"page":{"count":0}}',
        b'{"packages":[{"package_id":"a"}],"packages":{},"page":{"count":0}}',
    ],
)
def test_a_list_that_occurs_twice(body: bytes) -> None:
    """If a key occurs twice, a page is one of both lists or an error; never an exception of another kind."""
    try:
        page = read(LIST, body)
    except ProtocolError:
        return
    assert page.packages in (None, (), (UnreadableRecord("a", "", "app_id is missing"),))


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b'{"packages":[', b"\xff\xfe", b'{"a":"\xff"}', b'{"a":"\\ud800"}', b"{'a':1}", b"\x1f\x8b\x08"],
)
def test_a_body_that_is_no_json_is_worth_another_attempt(body: bytes) -> None:
    """What may have been damaged on the way says so."""
    with pytest.raises(ProtocolError) as caught:
        read(LIST, body)

    assert caught.value.garbled


@pytest.mark.parametrize(
    "body",
    [
        b'{"packages":[],"page":{"count":' + b"9" * 5000 + b"}}",
        b'{"packages":[],"x":' + b"9" * 5000 + b',"page":{"count":0}}',
        b'{"packages":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"packages":[],"x":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000 + b"}",
    ],
    ids=["5,000 digits", "5,000 digits in an unknown field", "deep", "deep in an unknown field"],
)
def test_json_that_cannot_be_held_is_a_protocol_error(body: bytes) -> None:
    """Numbers and depths beyond all bounds end in an error of ours. They are not requested again."""
    with pytest.raises(ProtocolError) as caught:
        read(LIST, body)

    assert not caught.value.garbled


@given(st.binary(max_size=200), st.integers(100, 599))
def test_whatever_comes_ends_in_an_error_of_ours(body: bytes, status: int) -> None:
    """No body and no status gets anything but a value or an error of our tree out of the reader."""
    with contextlib.suppress(IotdaOtaError):
        read(LIST, body, status)


def test_text_of_the_service_is_escaped_in_errors() -> None:
    """An id or a value that would reach into a terminal is escaped."""
    page = read(LIST, json.dumps({"packages": [package(1, package_id="\x1b[31m", version=1)], "page": {}}).encode())

    assert page.packages is not None
    assert str(page.packages[0]) == "\\x1b[31m (version should be a valid string)"
    with pytest.raises(ProtocolError) as caught:
        read(protocol.show_package("p1"), json.dumps(package(1, package_id="\x1b[31m")).encode())
    assert "\x1b" not in str(caught.value)


def test_a_request_id_is_told_with_a_wrong_shape() -> None:
    """The id that the vendor's support requests is in the error."""
    with pytest.raises(ProtocolError) as caught:
        protocol.read(LIST, answer(200, {"page": {}}, x_request_id="9f3c"), connection=CONNECTION, now=NOW)

    assert (
        "endpoint",
        "https://iotda.cn-north-4.myhuaweicloud.com (from the region cn-north-4), 200, request 9f3c",
    ) in caught.value.facts
