"""Twenty lookups at the same time: they share connections, keep to eight requests, and give way to a service in need.

What is in flight is counted by the service. Requests are held there until as many have come as may, so that nothing
here depends on how fast anything is.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.emulator import Emulator
from pulumi_iotda_ota.iotda.auth.connection import resolve
from pulumi_iotda_ota.iotda.errors import CredentialsError, IotdaOtaError, ServiceError
from pulumi_iotda_ota.lookup.find import find_packages
from pulumi_iotda_ota.lookup.query import PackagesLookup
from pulumi_iotda_ota.lookup.session import Run
from tests.conftest import settings_for
from tests.support.fault_helpers import IN_FLIGHT, QUICK, Meeting, package
from tests.support.plugin_process import Plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LOOKUPS = 20
CLEAN = 10
ATTEMPTS = 5
# Three pages each.
PACKAGES = [
    package(number, product_id=f"product-{number % LOOKUPS}", version=f"V{number}") for number in range(LOOKUPS * 120)
]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Return an emulator in which every lookup takes three pages."""
    with Emulator({"packages": PACKAGES}, latency=0.002) as running:
        yield running


@pytest.fixture
def run() -> Iterator[Run]:
    """Return what the lookups of one program share."""
    run = Run(clock=QUICK)
    yield run
    run.close()


def lookup(emulator: Emulator, run: Run, number: int) -> list[str]:
    """Return the versions of one product."""
    asked = PackagesLookup.from_arguments({"package_type": "firmwarePackage", "product_id": f"product-{number}"})
    connection = resolve(None, config={}, environ=settings_for(emulator))
    return [found.version for found in find_packages(run, connection, asked).packages]


def versions(number: int) -> list[str]:
    """Return what a lookup is to find: the packages of a seed come oldest last."""
    return [found["version"] for found in PACKAGES if found["product_id"] == f"product-{number}"]


def all_at_once(look: Callable[[int], Any]) -> list[Any]:
    """Return what twenty lookups at the same time answer; the error of one that fails is its answer."""

    def one(number: int) -> Any:
        try:
            return look(number)
        except IotdaOtaError as error:
            return error

    with ThreadPoolExecutor(LOOKUPS) as pool:
        return list(pool.map(one, range(LOOKUPS)))


class Watcher:
    """Notes how many requests were in flight between each two that came."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self.most: list[int] = []

    def __call__(self) -> None:
        """Note it, as a request comes."""
        self.most.append(self._emulator.most_at_once)
        self._emulator.forget_requests()


def test_lookups_share_connections(emulator: Emulator, run: Run) -> None:
    """Twenty lookups have eight requests in flight and eight connections. Each gets its complete response."""
    # The first request of a credential runs exclusively until the service accepts it.
    lookup(emulator, run, 0)
    emulator.faults.add(times=None, before=Meeting())

    answers = all_at_once(lambda number: sorted(lookup(emulator, run, number)))

    assert answers == [sorted(versions(number)) for number in range(LOOKUPS)]
    assert emulator.most_at_once == IN_FLIGHT
    assert emulator.connections <= IN_FLIGHT
    assert len(emulator.requests) == LOOKUPS * 3


def test_functions_of_the_plugin_share_connections(emulator: Emulator, tmp_path: Path) -> None:
    """The same of twenty functions that an engine calls in the plugin's process at the same time."""
    with Plugin(settings_for(emulator), tmp_path) as plugin:
        plugin.configure()

        def call(number: int) -> Any:
            found = plugin.answer("getOtaPackages", packageType="firmwarePackage", productId=f"product-{number}")
            return sorted(package["version"] for package in found["packages"])

        call(0)
        emulator.faults.add(times=None, before=Meeting())
        answers = all_at_once(call)

    assert answers == [sorted(versions(number)) for number in range(LOOKUPS)]
    assert emulator.most_at_once == IN_FLIGHT
    assert emulator.connections <= IN_FLIGHT


@pytest.mark.parametrize("error", ["throttled", "rate_limit"])
def test_one_at_a_time_after_a_throttle_answer(emulator: Emulator, run: Run, error: str) -> None:
    """Once the service throttles, requests come singly until ten were clean; then as many as before."""
    lookup(emulator, run, 0)
    watch = Watcher(emulator)
    emulator.faults.add(times=IN_FLIGHT, before=Meeting(), error=error)
    emulator.faults.add(nth=IN_FLIGHT + 1, times=None, before=watch)

    answers = all_at_once(lambda number: sorted(lookup(emulator, run, number)))

    assert answers == [sorted(versions(number)) for number in range(LOOKUPS)]
    # The first of these still saw what was in flight before; the request that saw the last of them was the tenth.
    assert watch.most[1:CLEAN] == [1] * (CLEAN - 1)
    assert max(watch.most[CLEAN:]) > 1


def test_a_service_that_throttles_is_not_hammered(emulator: Emulator, run: Run) -> None:
    """A service that goes on throttling gets five requests of a lookup at most, one after the other."""
    lookup(emulator, run, 0)
    watch = Watcher(emulator)
    held = emulator.faults.add(times=IN_FLIGHT, before=Meeting(), error="throttled")
    rest = emulator.faults.add(nth=IN_FLIGHT + 1, times=None, before=watch, error="throttled")

    errors = all_at_once(lambda number: lookup(emulator, run, number))

    # The run sends the first lookup once.
    assert [type(error) for error in errors[1:]] == [ServiceError] * (LOOKUPS - 1)
    assert held.hits + rest.hits == (LOOKUPS - 1) * ATTEMPTS
    assert set(watch.most[1:]) == {1}


def test_a_service_that_names_a_time_is_left_alone(emulator: Emulator, run: Run) -> None:
    """A service that names a longer pause than the time that is left gets one request of each lookup."""
    lookup(emulator, run, 0)
    rule = emulator.faults.add(times=None, error="throttled", headers={"Retry-After": "3600"})

    errors = all_at_once(lambda number: lookup(emulator, run, number))

    assert [type(error) for error in errors[1:]] == [ServiceError] * (LOOKUPS - 1)
    assert rule.hits == LOOKUPS - 1


def test_a_key_that_is_withdrawn_meanwhile_is_used_no_more(emulator: Emulator, run: Run) -> None:
    """Of twenty lookups under way with a good key that is withdrawn, only what was in flight is refused by the service.

    A key that was never accepted is sent once; ``test_connections.py`` has that.
    """
    lookup(emulator, run, 0)
    emulator.forget_requests()
    rule = emulator.faults.add(times=None, before=Meeting(), error="signature")

    errors = all_at_once(lambda number: lookup(emulator, run, number))

    assert [type(error) for error in errors[1:]] == [CredentialsError] * (LOOKUPS - 1)
    assert rule.hits == len(emulator.requests) == IN_FLIGHT
