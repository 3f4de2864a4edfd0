"""The memory of one run: equal queries are sent once."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.context import Context
from pulumi_iotda_ota.emulator import Emulator, Switches
from pulumi_iotda_ota.iotda.auth.connection import resolve
from pulumi_iotda_ota.iotda.errors import DeadlineExceeded, ServiceError
from pulumi_iotda_ota.iotda.models import PackageQuery
from pulumi_iotda_ota.iotda.retry import SYSTEM_CLOCK, Deadline
from pulumi_iotda_ota.lookup.session import Run
from tests.conftest import settings_for
from tests.support.fault_helpers import ids_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from pulumi_iotda_ota.iotda.models import ListedPackage

METER = PackageQuery(package_type="firmwarePackage", product_id="smart-meter")
VALVE = PackageQuery(package_type="firmwarePackage", product_id="water-valve")


@pytest.fixture
def run() -> Iterator[Run]:
    """Return a run that is closed at the end."""
    running = Run()
    yield running
    running.close()


def test_twenty_equal_questions_are_one_walk(emulator: Emulator, run: Run) -> None:
    """Equal lookups at the same time share one list."""
    connection = resolve(None, config={}, environ=settings_for(emulator))
    together = threading.Barrier(20)

    def ask() -> int:
        together.wait()
        return len(run.packages(connection, METER).packages)

    with ThreadPoolExecutor(20) as pool:
        found = [future.result() for future in [pool.submit(ask) for _ in range(20)]]

    assert set(found) == {41}
    assert len(emulator.requests) == 1


def test_a_run_resolves_equal_settings_once(emulator: Emulator, tmp_path: Path) -> None:
    """A run reads the sources of equal settings once; other settings, another run and no memo read them again."""
    file = tmp_path / "credentials"
    environ = {"HW_IOTDA_ENDPOINT": emulator.endpoint, "HW_REGION_NAME": emulator.region, "HW_PROJECT_ID": "p1"}
    environ |= {"HUAWEICLOUD_SDK_CREDENTIALS_FILE": str(file)}

    def key(run: Run, **config: str) -> str:
        return run.resolved(Context(dict(config), dict(environ))).secrets[0]

    run, without_memo = Run(), Run(memo=False)
    for number in ("AK-1", "AK-2"):
        file.write_text(f"[basic]\nak = {number}\nsk = SK\n")
        assert key(run) == "AK-1"
        assert key(run, instanceId=number) == key(without_memo) == key(Run()) == number
    run.begin_again()
    assert key(run) == "AK-2"


def test_another_question_is_asked(emulator: Emulator, run: Run) -> None:
    """Another query or another connection is another question."""
    connection = resolve(None, config={}, environ=settings_for(emulator))
    other = resolve(None, config={"instanceId": "i1"}, environ=settings_for(emulator))

    counts = [len(run.packages(where, query).packages) for where, query in ((connection, METER), (connection, VALVE))]
    run.packages(other, METER)

    assert counts == [41, 99]
    assert len(emulator.requests) == 1 + 2 + 1


def test_a_failure_is_not_remembered(emulator: Emulator, run: Run) -> None:
    """A lookup that failed is sent again by later lookups."""
    emulator.faults.add(operation="ListOtaPackageInfo", status=403, body={"error_code": "IOTDA.001000"})
    connection = resolve(None, config={}, environ=settings_for(emulator))

    with pytest.raises(ServiceError):
        run.packages(connection, METER)
    assert len(run.packages(connection, METER).packages) == 41


def test_without_memo_each_is_asked(emulator: Emulator) -> None:
    """A run without memory sends each request."""
    run = Run(memo=False)
    connection = resolve(None, config={}, environ=settings_for(emulator))

    for _ in range(2):
        run.packages(connection, METER)
    run.close()

    assert len(emulator.requests) == 2


def newest(number: int) -> Callable[[Iterable[ListedPackage]], list[str]]:
    """Return a use of so many packages."""
    return lambda packages: ids_of(islice(packages, number))


def test_some_packages_are_not_all(emulator: Emulator, run: Run) -> None:
    """The result of a limited lookup is not used for a longer one."""
    connection = resolve(None, config={}, environ=settings_for(emulator))

    few = run.some_packages(connection, VALVE, newest(3), key=3)
    more = run.some_packages(connection, VALVE, newest(70), key=70)
    every = ids_of(run.packages(connection, VALVE).packages)

    assert (few, more, len(every)) == (every[:3], every[:70], 99)
    assert len(emulator.requests) == 1 + 2 + 2


def test_all_packages_are_some_too(emulator: Emulator, run: Run) -> None:
    """A limited lookup uses the whole list if another lookup has read it."""
    connection = resolve(None, config={}, environ=settings_for(emulator))
    every = run.packages(connection, VALVE).packages
    asked = len(emulator.requests)

    assert run.some_packages(connection, VALVE, newest(60), key=60) == ids_of(every[:60])
    assert len(emulator.requests) == asked


def test_equal_questions_about_some_are_asked_once(emulator: Emulator, run: Run) -> None:
    """Equal limited lookups share one request, until the run forgets its results."""
    connection = resolve(None, config={}, environ=settings_for(emulator))

    first, again = (run.some_packages(connection, VALVE, newest(3), key=3) for _ in range(2))
    assert first == again
    assert len(emulator.requests) == 1
    run.forget()
    run.some_packages(connection, VALVE, newest(3), key=3)
    assert len(emulator.requests) == 2


def test_the_first_packages_are_one_request(emulator: Emulator, run: Run) -> None:
    """The newest packages are one page, even if the service returns short pages."""
    emulator.switches = Switches(short_pages=7)
    connection = resolve(None, config={}, environ=settings_for(emulator))

    assert len(run.first_packages(connection, VALVE)) == 7
    assert len(emulator.requests) == 1


def test_who_waits_has_a_deadline_of_his_own(emulator: Emulator, run: Run) -> None:
    """If an equal lookup runs out of time, the one that waits for it sends the request with its own time."""
    connection = resolve(None, config={}, environ=settings_for(emulator))
    asked, ended = threading.Event(), threading.Event()

    def hold() -> None:
        asked.set()
        ended.wait()

    emulator.faults.add(operation="ListOtaPackageInfo", before=hold)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(run.packages, connection, METER, deadline=Deadline.start(SYSTEM_CLOCK, 2))
        assert asked.wait(60)
        second = pool.submit(run.packages, connection, METER, deadline=Deadline.start(SYSTEM_CLOCK, 60))
        try:
            assert isinstance(first.exception(), DeadlineExceeded)
            assert len(second.result().packages) == 41
        finally:
            ended.set()
    assert len(emulator.requests) == 2
