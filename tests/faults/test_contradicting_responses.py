"""Responses whose status and body contradict each other, and responses that are not the service's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.iotda.client import Client
from pulumi_iotda_ota.iotda.errors import IotdaOtaError, OutcomeUnknown, ServiceError
from pulumi_iotda_ota.iotda.http.limiter import RequestLimiter
from pulumi_iotda_ota.iotda.models import PackageQuery
from tests.support.fault_helpers import QUICK, connection_to

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pulumi_iotda_ota.emulator import Emulator

REFUSED = {"error_code": "IOTDA.000006", "error_msg": "Invalid input data."}
PAGE = "<html><head><title>Blocked by policy 7</title></head><body>obs agency instance</body></html>"
BODY = {"region_name": "r", "bucket_name": "b-1", "object_key": "k.bin"}
NEW = {
    "package_type": "firmwarePackage",
    "app_id": "energy",
    "product_id": "p",
    "version": "V1",
    "file_location": {"obs_location": BODY},
}
TASK = {"task_name": "t", "task_type": "firmwareUpgrade", "targets": ["d1"], "document": {"package_ids": ["p1"]}}

CALLS: dict[str, Callable[[Client], object]] = {
    "ListOtaPackageInfo": lambda client: list(client.list_packages(PackageQuery("firmwarePackage"))),
    "ShowOtaPackage": lambda client: client.show_package("p1"),
    "DeleteOtaPackage": lambda client: client.delete_package("p1"),
    "ListBatchTasks": lambda client: list(client.list_batch_tasks("firmwareUpgrade")),
    "ShowBatchTask": lambda client: client.show_batch_task("abc"),
    "StopBatchTask": lambda client: client.stop_batch_task("abc"),
    "DeleteBatchTask": lambda client: client.delete_batch_task("abc"),
}
ONCE: dict[str, Callable[[Client], object]] = {
    "CreateOtaPackage": lambda client: client.create_package(NEW),
    "CreateBatchTask": lambda client: client.create_batch_task(TASK),
    "RetryBatchTask": lambda client: client.retry_batch_task("abc"),
    "ConfirmBatchTask": lambda client: client.confirm_batch_task("abc"),
}


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Client]:
    """Return a client of the emulator."""
    with Client(connection_to(emulator), clock=QUICK, limiter=RequestLimiter()) as connected:
        yield connected


@pytest.mark.parametrize(
    "body",
    [
        REFUSED,
        {**REFUSED, "packages": [], "batchtasks": [], "targets": [], "page": {"count": 0}},
        {"errorCode": "IOTDA.000006", "errorMsg": "Invalid input data."},
    ],
    ids=["error", "error and empty lists", "other names"],
)
@pytest.mark.parametrize("operation", CALLS)
def test_an_error_with_a_status_of_success(emulator: Emulator, client: Client, operation: str, body: Any) -> None:
    """A 200 whose body is an error is that error, whatever else the body holds."""
    emulator.faults.add(operation=operation, status=200, body=body, times=None)

    with pytest.raises(ServiceError) as caught:
        CALLS[operation](client)

    error = caught.value
    assert (error.status, error.error_code, error.error_msg) == (200, "IOTDA.000006", "Invalid input data.")
    assert error.headline.endswith("(200 IOTDA.000006)")
    assert ("response", "Invalid input data.") in error.facts
    assert len(emulator.requests) == 1


@pytest.mark.parametrize("operation", ONCE)
def test_an_error_with_a_status_of_success_proves_no_refusal(
    emulator: Emulator, client: Client, operation: str
) -> None:
    """After a request that is sent once, a 200 with an error leaves open whether the service accepted it."""
    emulator.faults.add(operation=operation, status=200, body=REFUSED, times=None)

    with pytest.raises(OutcomeUnknown) as caught:
        ONCE[operation](client)

    assert "IOTDA.000006" in str(caught.value)
    assert len(emulator.requests) == 1


def test_an_error_of_a_device_is_none_of_the_request(emulator: Emulator, client: Client) -> None:
    """Codes of devices inside of a response are no error of the request."""
    target = {"target": "d1", "status": "failure", "error_code": "IOTDA.014219", "error_msg": "Invalid."}
    emulator.faults.add(operation="StopBatchTask", status=200, body={"targets": [target]})

    assert client.stop_batch_task("abc").targets[0].error_code == "IOTDA.014219"


def test_a_package_that_mentions_an_error_is_no_error(emulator: Emulator, client: Client) -> None:
    """The words of an error in the text of a package are no error; neither is a code that is empty or null."""
    emulator.faults.add(
        operation="ListOtaPackageInfo",
        edit=lambda page: {
            "error_code": None,
            "errorCode": "",
            **page,
            "packages": [{**one, "description": '"error_code"'} for one in page["packages"][:1]],
            "page": {"count": 1},
        },
    )

    assert len(list(client.list_packages(PackageQuery("firmwarePackage")))) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 406, 451])
def test_a_page_of_a_firewall_is_shown_and_not_explained(emulator: Emulator, client: Client, status: int) -> None:
    """If a web page comes in place of a response, the error shows its title and sender; it blames nothing in IoTDA."""
    emulator.faults.add(
        operation="ListOtaPackageInfo",
        status=status,
        body=PAGE,
        headers={"Content-Type": "text/html", "Server": "Fire Wall 9"},
        times=None,
    )

    with pytest.raises(ServiceError) as caught:
        CALLS["ListOtaPackageInfo"](client)

    text = " ".join(str(caught.value).split())
    assert caught.value.headline.startswith(f"could not list OTA packages: the response is a web page ({status}")
    assert "response Blocked by policy 7" in text
    assert "sent by Fire Wall 9" in text
    assert "a firewall or proxy between this machine and IoTDA sent it" in text
    for guess in ("agency", "iotda_admin_trust", "instance_id", "Huawei Cloud refused"):
        assert guess not in text


@pytest.mark.parametrize("body", [b"", b"Forbidden", b"{}", b"[]", b'{"message": "no"}'], ids=repr)
def test_a_403_without_a_code_names_no_agency(emulator: Emulator, client: Client, body: bytes) -> None:
    """A 403 that has no code of the service is not explained by the agency of the service."""
    emulator.faults.add(operation="ListOtaPackageInfo", status=403, body=body, times=None)

    with pytest.raises(IotdaOtaError) as caught:
        CALLS["ListOtaPackageInfo"](client)

    assert "iotda_admin_trust" not in str(caught.value)
