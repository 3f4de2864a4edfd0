"""Faults: which request, what happens before the response, the response, and how its bytes travel."""

from __future__ import annotations

import gzip
import http.client
import re
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.emulator import Emulator, Fault
from tests.support.emulator_callers import Caller, package_body, task_body

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGES = "ota-upgrades/packages"


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "nothing happened within 5 s"
        time.sleep(0.005)


def _statuses(call: Caller, times: int) -> list[int]:
    return [call.packages().status for _ in range(times)]


def test_a_fault_acts_on_the_nth_request_and_so_many_after(call: Caller) -> None:
    """A rule counts the requests that it matches, and acts on the nth to the last of them."""
    fault = call.emulator.faults.add(operation="ListOtaPackageInfo", nth=2, times=2, status=503)
    assert _statuses(call, 5) == [200, 503, 503, 200, 200]
    assert fault.hits == 2


def test_a_fault_acts_once_by_default_or_always(call: Caller) -> None:
    """Without times a rule acts once; with None it never ends, until it is removed."""
    call.emulator.faults.add(status=500)
    assert _statuses(call, 2) == [500, 200]
    lasting = call.emulator.faults.add(status=500, times=None)
    assert _statuses(call, 3) == [500] * 3
    assert lasting.hits == 3
    call.emulator.faults.remove(lasting)
    assert _statuses(call, 1) == [200]


def test_other_operations_are_left_alone(call: Caller) -> None:
    """A rule for one operation does not see another."""
    fault = call.emulator.faults.add(operation="ShowOtaPackage", status=500)
    assert _statuses(call, 1) == [200]
    assert fault.hits == 0


def test_a_condition_can_choose_the_request(call: Caller) -> None:
    """A rule can depend on the request, for example on its marker."""
    call.emulator.faults.add(match=lambda request: "marker" in request.query, status=500)
    assert [call.packages().status, call.packages(marker="f" * 24).status] == [200, 500]


@pytest.mark.parametrize("fields", [{"operation": "ListPackages"}, {"error": "tired"}, {"wire": "pigeon"}, {"nht": 2}])
def test_a_rule_that_could_never_act_is_refused(fields: dict[str, Any]) -> None:
    """A misspelt operation, error or field is an error at once, not a test that proves nothing."""
    with pytest.raises(ValueError, match=next(iter(fields))):
        Fault(**fields)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [("throttled", 429, "APIGW.0308"), ("rate_limit", 403, "IOTDA.021101"), ("gateway_timeout", 504, "APIGW.0201")],
)
def test_a_documented_error_has_a_name(call: Caller, error: str, status: int, code: str) -> None:
    """A named error has its documented status and body; headers can be added."""
    call.emulator.faults.add(error=error, headers={"Retry-After": "1"})
    response = call.packages()
    assert (response.status, response.code, response.headers["Retry-After"]) == (status, code, "1")


@pytest.mark.parametrize(
    ("body", "kind", "sent"),
    [
        ("<html>Bad gateway</html>", "text/html", b"<html>Bad gateway</html>"),
        ("busy", "text/plain", b"busy"),
        ({"code": "1"}, "application/json;charset=utf8", b'{"code":"1"}'),
        ([], "application/json;charset=utf8", b"[]"),
        ("", "text/plain", b""),
    ],
)
def test_the_body_can_be_anything(call: Caller, body: Any, kind: str, sent: bytes) -> None:
    """A body is HTML, text, JSON or empty, under any status."""
    call.emulator.faults.add(status=502, body=body)
    response = call.packages()
    assert (response.status, response.headers["Content-Type"], response.body) == (502, kind, sent)


def test_a_status_alone_has_an_empty_body(call: Caller) -> None:
    """A rule with only a status has an empty body."""
    call.emulator.faults.add(status=500)
    assert call.packages().body == b""


def test_a_content_type_can_be_wrong(call: Caller) -> None:
    """Headers replace those of the true response, and nothing else changes."""
    call.emulator.faults.add(headers={"Content-Type": "text/html"})
    response = call.packages()
    assert response.headers["Content-Type"] == "text/html"
    assert response.json["page"]["count"] == 260


def test_a_redirect_is_a_status_and_a_header(call: Caller) -> None:
    """A redirect can be sent to see that it is not followed."""
    call.emulator.faults.add(status=302, headers={"Location": "http://127.0.0.1:1/"})
    response = call.packages()
    assert (response.status, response.headers["Location"]) == (302, "http://127.0.0.1:1/")


def test_compressed_bytes_can_be_prepared(call: Caller) -> None:
    """Bytes are sent verbatim, such as a body that claims to be compressed."""
    packed = gzip.compress(b"{}")
    call.headers["Accept-Encoding"] = "gzip"
    call.emulator.faults.add(status=200, body=packed * 100, headers={"Content-Encoding": "gzip"})
    assert call.packages().body == b"{}" * 100


def test_json_can_be_merged_into_the_true_response(call: Caller) -> None:
    """A merge changes, adds and removes fields of the true response."""
    call.emulator.faults.add(merge={"page": {"marker": None, "count": "many"}, "more": 1})
    body = call.packages().json
    assert (body["page"], body["more"], len(body["packages"])) == ({"count": "many"}, 1, 10)


def test_the_true_response_can_be_edited(call: Caller) -> None:
    """A function can return any JSON for the true response."""
    call.emulator.faults.add(edit=lambda body: body["packages"][:1])
    assert len(call.packages().json) == 1


def test_a_response_can_be_late(call: Caller) -> None:
    """A delay applies to one response only."""
    call.emulator.faults.add(delay=0.2)
    began = time.monotonic()
    assert call.packages().status == 200
    assert time.monotonic() - began >= 0.2


def test_a_dropped_request_has_no_effect(call: Caller) -> None:
    """A drop closes the connection before the request is handled."""
    call.emulator.faults.add(operation="CreateOtaPackage", wire="drop")
    with pytest.raises(http.client.RemoteDisconnected):
        call("POST", PACKAGES, package_body())
    assert call.packages(version="V2.0").json["page"]["count"] == 0


def test_an_accepted_request_can_lose_its_response(call: Caller) -> None:
    """With accept, the request takes effect although the connection drops."""
    call.emulator.faults.add(operation="CreateBatchTask", accept=True, wire="drop")
    with pytest.raises(http.client.RemoteDisconnected):
        call.start("d1")
    assert len(call.emulator.tasks) == 1


def test_an_accepted_request_can_get_an_error(call: Caller) -> None:
    """With accept, the request takes effect although the response is a timeout of the gateway."""
    call.emulator.faults.add(operation="CreateBatchTask", accept=True, error="gateway_timeout")
    assert call("POST", "batchtasks", task_body(call.emulator, targets=["d1"])).status == 504
    assert len(call.emulator.tasks) == 1


def test_a_request_can_be_accepted_later(call: Caller) -> None:
    """The connection drops now and the task appears later, as behind a slow gateway."""
    call.emulator.faults.add(operation="CreateBatchTask", accept_after=0.1, wire="drop")
    with pytest.raises(http.client.RemoteDisconnected):
        call.start("d1")
    assert call.emulator.tasks == []
    _wait_until(lambda: len(call.emulator.tasks) == 1)


def test_what_was_put_off_is_given_up_at_the_end(emulator: Emulator) -> None:
    """Stopping the emulator does not wait for a request that was to be accepted later."""
    emulator.start()
    caller = Caller(emulator)
    emulator.faults.add(operation="CreateBatchTask", accept_after=60, wire="drop")
    with pytest.raises(http.client.RemoteDisconnected):
        caller.start("d1")
    began = time.monotonic()
    emulator.stop()
    assert time.monotonic() - began < 5
    assert emulator.tasks == []


def test_a_connection_can_be_reset(call: Caller) -> None:
    """A reset is a reset, not a polite end."""
    call.emulator.faults.add(wire="reset")
    with pytest.raises(ConnectionResetError):
        call.packages()


def test_a_body_can_be_cut(call: Caller) -> None:
    """A cut body ends before its announced length."""
    call.emulator.faults.add(wire="cut")
    with pytest.raises(http.client.IncompleteRead) as caught:
        call.packages()
    assert caught.value.expected


def test_a_connection_can_drop_after_the_headers(call: Caller) -> None:
    """The headers announce a body of which not a byte comes."""
    call.emulator.faults.add(wire="headers")
    with pytest.raises(http.client.IncompleteRead) as caught:
        call.packages()
    assert (caught.value.partial, bool(caught.value.expected)) == (b"", True)


def test_garbage_is_not_http(call: Caller) -> None:
    """Garbage has no status line."""
    call.emulator.faults.add(wire="garbage")
    with pytest.raises(http.client.BadStatusLine):
        call.packages()


def test_a_response_can_drip(call: Caller) -> None:
    """A dripping response is complete, a few bytes at a time."""
    call.emulator.faults.add(status=200, body="x" * 64, wire="drip", interval=0.03)
    began = time.monotonic()
    assert call.packages().body == b"x" * 64
    assert time.monotonic() - began >= 0.08


def test_a_body_can_be_endless(call: Caller) -> None:
    """An endless body continues while it is read."""
    call.emulator.faults.add(wire="endless")
    address = call.emulator.endpoint.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1])), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        received = 0
        while received < 4_000_000:
            received += len(connection.recv(1 << 16))
    assert call.packages().status == 200


@pytest.mark.parametrize(("wire", "lengths"), [("lengths", ["2", "3"]), ("negative", ["-1"])])
def test_lengths_can_be_wrong(call: Caller, wire: Any, lengths: list[str]) -> None:
    """A fault sends two different lengths, or a negative one, and the whole body."""
    call.emulator.faults.add(status=200, body="ok", wire=wire)
    received = raw(call)
    assert re.findall(rb"Content-Length: (\S+)", received) == [length.encode() for length in lengths]
    assert received.endswith(b"\r\n\r\nok")


def test_interim_responses_are_first(call: Caller) -> None:
    """Interim responses are sent in order before the final response, which does not change."""
    call.emulator.faults.add(interim=(100, 102, 103))
    received = raw(call)
    assert re.findall(rb"HTTP/1.1 (\d+)", received)[:3] == [b"100", b"102", b"103"]
    assert len(re.findall(rb"HTTP/1.1 \d+", received)) == 4
    with pytest.raises(ValueError, match="less than or equal to 199"):
        Fault(interim=(200,))


def raw(call: Caller) -> bytes:
    """Return all bytes of the response on a connection that the client closes."""
    host, port = call.emulator.endpoint.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def test_something_can_happen_between_pages(call: Caller) -> None:
    """A function is called before the second page, here to upload and to delete."""
    emulator = call.emulator
    first = call.packages(product_id="smart-meter", limit=2).json

    def change() -> None:
        emulator.add_package(version="V9")
        emulator.delete_package(first["packages"][0]["package_id"])

    fault = emulator.faults.add(before=change)
    second = call.packages(product_id="smart-meter", limit=2, marker=first["page"]["marker"]).json
    assert fault.hits == 1
    assert second["page"]["count"] == 41
    assert not {p["package_id"] for p in first["packages"]} & {p["package_id"] for p in second["packages"]}


def test_every_response_can_be_slow() -> None:
    """Latency delays each response, and a test can change it."""
    with Emulator(seed={}, latency=0.1) as emulator:
        caller = Caller(emulator)
        began = time.monotonic()
        caller.packages()
        assert time.monotonic() - began >= 0.1
        assert emulator.latency == 0.1
        emulator.latency = 0.0
        caller.close()


def test_the_first_rule_wins_and_all_of_them_count(call: Caller) -> None:
    """Of two rules for one request the first acts; the other has seen it too."""
    call.emulator.faults.add(status=500)
    call.emulator.faults.add(nth=2, status=503)
    assert _statuses(call, 3) == [500, 503, 200]


def test_a_rule_can_be_made_beforehand(call: Caller) -> None:
    """A Fault can be added as an object, and all can be removed."""
    call.emulator.faults.add(Fault(status=500, times=None))
    assert _statuses(call, 1) == [500]
    call.emulator.faults.clear()
    assert _statuses(call, 1) == [200]
