"""A list of several pages over a real socket, with what can go wrong with lists alone; the rest is in the matrix.

Each promise is the same: the right answer or one clear error, inside the deadline, and never a partial list.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.emulator import Emulator, Switches
from pulumi_iotda_ota.iotda.client import Client
from pulumi_iotda_ota.iotda.errors import (
    CredentialsError,
    DeadlineExceeded,
    IotdaOtaError,
    ProtocolError,
)
from pulumi_iotda_ota.iotda.http.limiter import RequestLimiter
from pulumi_iotda_ota.iotda.models import PackageQuery
from tests.support.fault_helpers import IN_FLIGHT, QUICK, Meeting, connection_to, ids_of, package

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = 120
QUERY = PackageQuery("firmwarePackage")


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Return an emulator with three pages of packages."""
    with Emulator({"packages": [package(number) for number in range(PACKAGES)]}) as running:
        yield running


def listed(emulator: Emulator, **changes: Any) -> list[str]:
    """Return the ids that a client lists."""
    connection = connection_to(emulator, **changes)
    with Client(connection, clock=QUICK, limiter=RequestLimiter()) as client:
        return ids_of(client.list_packages(QUERY))


def error_of(emulator: Emulator, **changes: Any) -> IotdaOtaError:
    """Return the error that a list ends with."""
    with pytest.raises(IotdaOtaError) as caught:
        listed(emulator, **changes)
    return caught.value


def expected(emulator: Emulator) -> list[str]:
    """Return the ids that the emulator holds, newest record first."""
    return [found["package_id"] for found in emulator.packages]


FINAL: dict[str, tuple[dict[str, Any], type[IotdaOtaError]]] = {
    "401 with half a body": ({"status": 401, "body": {"error_code": "IOTDA.000002"}, "wire": "cut"}, CredentialsError),
    "401 in bad gzip": (
        {"status": 401, "body": b"not gzip", "headers": {"Content-Encoding": "gzip"}},
        CredentialsError,
    ),
    "a wrong count": ({"merge": {"page": {"count": "many"}}}, ProtocolError),
    "5,000 digits": ({"status": 200, "body": b'{"packages":[],"page":{"count":' + b"9" * 5000 + b"}}"}, ProtocolError),
    "no page": ({"merge": {"page": None}}, ProtocolError),
    "a marker that is none": ({"merge": {"page": {"marker": "next"}}}, ProtocolError),
    "a marker that does not lead on": ({"merge": {"page": {"marker": "f" * 24}}}, ProtocolError),
}


@pytest.mark.parametrize("page", [1, 2])
@pytest.mark.parametrize("fault", FINAL)
def test_what_will_not_pass_is_one_error_at_once(emulator: Emulator, fault: str, page: int) -> None:
    """A refusal or a wrong shape ends the list on any page, and no page is requested again."""
    spoilt, kind = FINAL[fault]
    rule = emulator.faults.add(nth=page, times=None, **spoilt)

    assert type(error_of(emulator)) is kind
    # The first page runs exclusively, the two others together.
    assert rule.hits <= page


@pytest.mark.parametrize(("page", "requests"), [(20, 9), (50, 4)])
def test_a_count_with_a_cap_hides_nothing(page: int, requests: int) -> None:
    """If a count ends at 100 and pages hold 20 or 50 records, all 149 packages are listed."""
    switches = Switches(count_cap=100, short_pages=page)
    with Emulator({"packages": [package(number) for number in range(149)]}, switches=switches) as emulator:
        assert listed(emulator) == expected(emulator)
        assert len(emulator.requests) == requests


def test_a_first_page_that_counts_and_shows_nothing_is_an_error(emulator: Emulator) -> None:
    """A list that begins with nothing, though there are matches by its own count, is no empty list."""
    emulator.faults.add(merge={"packages": []})

    assert isinstance(error_of(emulator), ProtocolError)


def test_an_answer_that_does_not_come_ends_with_the_deadline(emulator: Emulator) -> None:
    """A server that takes the request and stays silent is waited for until the deadline."""
    emulator.faults.add(nth=2, times=None, delay=5)
    error = error_of(emulator, deadline=0.4)

    assert isinstance(error, DeadlineExceeded)
    assert ("cause", "could not list OTA packages: no complete response in time") in error.facts


@pytest.mark.parametrize(
    "switches",
    [
        Switches(empty_marker="empty"),
        Switches(empty_marker="echo"),
        Switches(count="after_marker"),
        Switches(short_pages=7),
        Switches(short_pages=1, count="after_marker", empty_marker="echo"),
        Switches(gzip=False),
        Switches(count_as_text=True),
        Switches(count="page"),
        Switches(count_cap=100),
        Switches(count_cap=100, short_pages=20),
        Switches(count_cap=70, short_pages=35),
        Switches(count="after_marker", short_pages=20, count_as_text=True),
        Switches(empty_list="null"),
        Switches(empty_list="null", short_pages=40),
        Switches(empty_page="null", short_pages=40),
        Switches(empty_page="absent", short_pages=40),
    ],
    ids=lambda switches: " ".join(
        f"{name}={value}" for name, value in vars(switches).items() if value != getattr(Switches(), name)
    ),
)
def test_what_the_documents_leave_open_makes_no_difference(emulator: Emulator, switches: Switches) -> None:
    """The list is the same however the service fills in what its documents do not say."""
    emulator.switches = switches

    assert listed(emulator) == expected(emulator)


def test_packages_that_come_and_go_between_pages(emulator: Emulator) -> None:
    """A package that exists during the complete walk is listed once, despite uploads and deletions."""
    before = expected(emulator)
    gone = [before[10], before[70], before[119]]

    def change() -> None:
        emulator.add_package()
        for package_id in gone:
            emulator.delete_package(package_id)

    emulator.faults.add(nth=2, before=change)

    found = listed(emulator)
    assert len(found) == len(set(found))
    assert set(before) - set(gone) <= set(found) <= set(before)


def test_one_page_is_one_request() -> None:
    """Fewer than 50 matches are one request."""
    with Emulator({"packages": [package(number) for number in range(49)]}) as emulator:
        assert len(listed(emulator)) == 49
        assert len(emulator.requests) == 1


@pytest.fixture
def large() -> Iterator[Emulator]:
    """Return an emulator with 24 pages of packages."""
    with Emulator({"packages": [package(number) for number in range(1200)]}, latency=0.002) as running:
        yield running


def test_pages_are_asked_for_together(large: Emulator) -> None:
    """Once the first page was answered eight requests are in flight, over eight connections."""
    large.faults.add(nth=2, times=IN_FLIGHT, before=Meeting())

    assert listed(large) == expected(large)
    assert large.most_at_once == IN_FLIGHT
    assert large.connections <= IN_FLIGHT


@pytest.mark.parametrize("page", [2, 5, 12, 20])
@pytest.mark.parametrize("fault", [{"status": 503}, {"error": "throttled"}, {"wire": "drop"}], ids=str)
def test_one_failure_among_many_loses_nothing(large: Emulator, fault: dict[str, Any], page: int) -> None:
    """If one of the pages that are requested together fails once, it is requested again. The list is complete."""
    large.faults.add(nth=page, **fault)

    assert listed(large) == expected(large)


def test_a_service_that_takes_no_offset_is_asked_for_page_after_page(large: Emulator) -> None:
    """Where an offset beside a marker is refused, the list is the same and costs a few requests more."""
    large.faults.add(times=None, match=lambda request: "offset" in request.query, error="offset")

    assert listed(large) == expected(large)
    assert len(large.requests) <= 24 + 2 * IN_FLIGHT


def test_deletions_under_a_parallel_walk(large: Emulator) -> None:
    """A package that exists during the complete walk is listed once, despite deletions between the pages."""
    before = expected(large)
    doomed = iter(before[60::97])

    def delete() -> None:
        package_id = next(doomed, None)
        if package_id is not None:
            large.delete_package(package_id)

    large.faults.add(nth=2, times=None, before=delete)

    found = listed(large)
    assert found == [package_id for package_id in before if package_id in set(found)]
    assert set(expected(large)) <= set(found)
