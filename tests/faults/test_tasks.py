"""Upgrade tasks over a real socket: nothing that may have been accepted is sent twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from pulumi_iotda_ota.iotda.client import Client
from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError, OutcomeUnknown, ServiceError, TransportError
from pulumi_iotda_ota.iotda.http.limiter import RequestLimiter
from tests.support.fault_helpers import QUICK, RawServer, closed_port, connection_to, ids_of
from tests.support.login_bench import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_iotda_ota.emulator import Emulator


@pytest.fixture
def client(emulator: Emulator) -> Iterator[Client]:
    """Return a client of the emulator."""
    with Client(connection_to(emulator), clock=QUICK, limiter=RequestLimiter()) as running:
        yield running


def task(emulator: Emulator, **changes: Any) -> dict[str, Any]:
    """Return the body of a task that the emulator takes."""
    package = next(found for found in emulator.packages if found["package_type"] == "firmwarePackage")
    return {
        "task_name": "canary_1",
        "task_type": "firmwareUpgrade",
        "app_id": package["app_id"],
        "targets": ["dev-1", "dev-2"],
        "document": {"package_ids": [package["package_id"]]},
        **changes,
    }


def posts(emulator: Emulator) -> int:
    """Return how often a task was requested."""
    return sum(request.operation == "CreateBatchTask" for request in emulator.requests)


def error_of(client: Client, emulator: Emulator, **fault: Any) -> IotdaOtaError:
    """Return the error that a creation ends with under a fault."""
    emulator.faults.add(operation="CreateBatchTask", **fault)
    with pytest.raises(IotdaOtaError) as caught:
        client.create_batch_task(task(emulator))
    return caught.value


def test_a_task_from_its_creation_to_its_end(emulator: Emulator, client: Client) -> None:
    """A task is created, found in the list, read with its devices, stopped and deleted."""
    # Devices that never answer: one that was done before the stop would leave nothing to stop.
    emulator.set_device("dev-1", outcome="hang")
    emulator.set_device("dev-2", outcome="hang")
    created = client.create_batch_task(task(emulator))

    assert created.package_ids == (task(emulator)["document"]["package_ids"][0],)
    assert ids_of(client.list_batch_tasks("firmwareUpgrade")) == [created.task_id]
    assert client.show_batch_task(created.task_id).task_name == "canary_1"
    client.stop_batch_task(created.task_id)
    emulator.faults.add(operation="DeleteBatchTask", wire="drop")
    while client.show_batch_task(created.task_id).status != "Stopped":
        pass
    assert set(ids_of(client.list_task_details(created.task_id))) == {"dev-1", "dev-2"}
    client.delete_batch_task(created.task_id)
    with pytest.raises(ServiceError) as caught:
        client.show_batch_task(created.task_id)
    assert caught.value.status == 404


def _named(fault: dict[str, Any]) -> str:
    """Return a name that is the same in every process: the text of a function holds an address."""
    return ", ".join(f"{name} {'a function' if callable(value) else value}" for name, value in fault.items())


@pytest.mark.parametrize(
    "fault",
    [
        {"wire": "drop", "accept": True},
        {"wire": "reset", "accept": True},
        {"wire": "cut"},
        {"wire": "garbage", "accept": True},
        {"wire": "endless", "accept": True},
        {"status": 500, "accept": True},
        {"status": 502, "accept": True, "body": "<html>"},
        {"status": 503, "accept": True},
        {"status": 504, "accept": True},
        {"merge": {"task_id": None}},
        {"edit": lambda _: "created"},
        {"wire": "lengths"},
        {"wire": "negative"},
        {"interim": (101,)},
        {"status": 403, "accept": True, "body": "<html>blocked by the filter</html>"},
        {"status": 404, "accept": True, "body": {"message": "not here"}},
        {"status": 303, "accept": True, "headers": {"Location": "/there"}},
    ],
    ids=_named,
)
def test_a_creation_of_unknown_outcome_is_sent_once(emulator: Emulator, client: Client, fault: dict[str, Any]) -> None:
    """When the task may have been accepted, the error says that this is not known, and there is one task."""
    error = error_of(client, emulator, times=None, **fault)

    assert isinstance(error, OutcomeUnknown)
    assert isinstance(error.__cause__, IotdaOtaError)
    assert posts(emulator) == 1
    assert len(emulator.tasks) == 1


def test_a_401_without_a_code_repeats_no_creation(emulator: Emulator) -> None:
    """A 401 from a filter in front of the service proves nothing: with any credential, no second task is created."""
    bench = Bench(emulator)
    emulator.faults.add(operation="CreateBatchTask", status=401, accept=True, body="<html>sign in</html>")

    with bench.client(bench.user()) as client, pytest.raises(OutcomeUnknown):
        client.create_batch_task(task(emulator))

    assert posts(emulator) == 1
    assert len(emulator.tasks) == 1


@pytest.mark.parametrize("interim", [(100,), (102,), (103,), (100, 102, 103, 103)], ids=str)
def test_interim_answers_are_read_past(emulator: Emulator, client: Client, interim: tuple[int, ...]) -> None:
    """An interim answer before the final one changes nothing: the task is created, and its answer is read."""
    emulator.faults.add(operation="CreateBatchTask", interim=interim)

    created = client.create_batch_task(task(emulator))

    assert [found["task_id"] for found in emulator.tasks] == [created.task_id]
    assert posts(emulator) == 1


@pytest.mark.parametrize("wire", ["lengths", "negative"])
def test_a_read_with_a_wrong_length_is_tried_again(emulator: Emulator, client: Client, wire: str) -> None:
    """A response with an invalid length counts as cut off: a read is sent again, and no setting is the cause."""
    created = client.create_batch_task(task(emulator))
    emulator.faults.add(operation="ShowBatchTask", times=2, wire=wire)
    assert client.show_batch_task(created.task_id).task_name == "canary_1"

    emulator.faults.add(operation="ShowBatchTask", times=None, wire=wire)
    with pytest.raises(TransportError, match="the response was cut off or garbled"):
        client.show_batch_task(created.task_id)


@pytest.mark.parametrize("earlier", [requests.ConnectionError, TransportError, OutcomeUnknown])
def test_what_failed_before_says_nothing_of_this_creation(emulator: Emulator, earlier: type[Exception]) -> None:
    """A creation that is made while another error is handled is judged by its own: it is sent once."""
    with (
        RawServer(lambda _request, _stream: None, until=b'"task_name"') as server,
        Client(connection_to(emulator, endpoint=server.url), clock=QUICK, limiter=RequestLimiter()) as client,
    ):
        try:
            fail_before(emulator, earlier)
        except earlier:
            with pytest.raises(OutcomeUnknown):
                client.create_batch_task(task(emulator))

        assert len(server.requests) == 1


def fail_before(emulator: Emulator, kind: type[Exception]) -> None:
    """Fail as a program may have failed before: without a connection, which is never sent."""
    if kind is OutcomeUnknown:
        try:
            requests.get(closed_port(), timeout=5)
        except requests.ConnectionError as error:
            raise OutcomeUnknown("it is not known") from error
    if kind is requests.ConnectionError:
        requests.get(closed_port(), timeout=5)
    with Client(connection_to(emulator, endpoint=closed_port()), clock=QUICK, limiter=RequestLimiter()) as client:
        client.show_batch_task("abc")


def test_a_creation_that_is_not_answered_is_of_unknown_outcome(emulator: Emulator) -> None:
    """A deadline that ends while the service has the request leaves the outcome open."""
    with Client(connection_to(emulator, deadline=0.3), clock=QUICK, limiter=RequestLimiter()) as client:
        assert isinstance(error_of(client, emulator, delay=2), OutcomeUnknown)

    assert posts(emulator) == 1


@pytest.mark.parametrize(
    "fault", [{"status": 429}, {"status": 403, "body": {"error_code": "IOTDA.021101"}}], ids=["429", "403"]
)
def test_a_throttled_creation_is_tried_again(emulator: Emulator, client: Client, fault: dict[str, Any]) -> None:
    """A throttle answer means that nothing was accepted, so that the next attempt makes the one task."""
    emulator.faults.add(operation="CreateBatchTask", times=2, **fault)

    client.create_batch_task(task(emulator))

    assert posts(emulator) == 3
    assert len(emulator.tasks) == 1


def test_a_creation_that_never_left_is_only_a_failed_connection(emulator: Emulator) -> None:
    """Where no connection came up, nothing is open: the error is that of the connection, after all attempts."""
    with (
        Client(connection_to(emulator, endpoint=closed_port()), clock=QUICK, limiter=RequestLimiter()) as client,
        pytest.raises(TransportError) as caught,
    ):
        client.create_batch_task(task(emulator))

    assert ("attempts", "5") in caught.value.facts


def test_a_task_outside_of_the_limits_is_not_sent(emulator: Emulator, client: Client) -> None:
    """What breaks a documented limit never reaches the service."""
    with pytest.raises(InputError, match="task_name"):
        client.create_batch_task(task(emulator, task_name="no-hyphens"))

    assert posts(emulator) == 0


def test_tasks_of_many_devices_are_read_to_the_end(emulator: Emulator, client: Client) -> None:
    """All devices of a task are listed, beyond the 500 that an offset can reach."""
    devices = [f"dev-{number}" for number in range(730)]
    created = client.create_batch_task(task(emulator, targets=devices))
    while client.show_batch_task(created.task_id).status in ("Initializing", "Waitting"):
        pass

    found = ids_of(client.list_task_details(created.task_id))
    assert sorted(found) == sorted(devices)


def test_wrong_filters_are_told_before_the_first_record(client: Client) -> None:
    """A filter that the service does not know is an InputError of the call itself."""
    with pytest.raises(InputError):
        client.list_batch_tasks("firmware")
    with pytest.raises(InputError):
        client.list_batch_tasks("firmwareUpgrade", status="waiting")
    with pytest.raises(InputError):
        client.list_task_details("abc", status="waiting")
