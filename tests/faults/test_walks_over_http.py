"""All three lists over a real socket, from an emulator with odd pages, counts and records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_iotda_ota.emulator import Emulator, Switches
from pulumi_iotda_ota.iotda.client import Client
from pulumi_iotda_ota.iotda.errors import DeadlineExceeded, IotdaOtaError, ProtocolError
from pulumi_iotda_ota.iotda.http.limiter import RequestLimiter
from pulumi_iotda_ota.iotda.models import PackageQuery, UnreadableRecord
from tests.support.fault_helpers import QUICK, connection_to, package
from tests.support.fuzzing import examples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PACKAGES, TASKS, DEVICES = 149, 70, 149
LISTS: dict[str, tuple[str, Callable[[Client], Any]]] = {
    "packages": ("package_id", lambda client: client.list_packages(PackageQuery("firmwarePackage"))),
    "tasks": ("task_id", lambda client: client.list_batch_tasks("firmwareUpgrade")),
    "devices": ("target", lambda client: client.list_task_details(f"{0:024x}")),
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """Return an emulator with several pages of packages, of tasks, and of devices of one task."""
    document = {"package_ids": [package(0)["package_id"]]}
    with Emulator({"packages": [package(number) for number in range(PACKAGES)]}, initializing_seconds=0) as running:
        for number in range(TASKS):
            targets = [f"d{device:03}" for device in range(DEVICES if number == 0 else 1)]
            running.add_task(
                task_id=f"{number:024x}",
                task_name=f"t_{number}",
                task_type="firmwareUpgrade",
                document=document,
                targets=targets,
            )
        yield running


def ids_in(emulator: Emulator, list_: str) -> list[str]:
    """Return the ids that a list has, newest first."""
    if list_ == "devices":
        return [f"d{device:03}" for device in range(DEVICES)][::-1]
    if list_ == "tasks":
        return [f"{number:024x}" for number in range(TASKS)][::-1]
    return [found["package_id"] for found in emulator.packages]


def read(emulator: Emulator, list_: str, **changes: Any) -> list[Any]:
    """Return the records that a client lists."""
    with Client(connection_to(emulator, **changes), clock=QUICK, limiter=RequestLimiter()) as client:
        return list(LISTS[list_][1](client))


@pytest.mark.parametrize("list_", LISTS)
def test_short_pages_and_a_count_with_a_cap(emulator: Emulator, list_: str) -> None:
    """If pages hold 20 records and the count ends at 40, all packages, tasks and devices are listed."""
    emulator.switches = Switches(short_pages=20, count_cap=40)

    name, _ = LISTS[list_]
    assert [getattr(record, name) for record in read(emulator, list_)] == ids_in(emulator, list_)


@st.composite
def switches(draw: st.DrawFn, ids: list[str], name: str) -> Switches:
    """Return any switches of lists."""
    odd = draw(st.lists(st.sampled_from(ids), max_size=3))
    nameless = draw(st.lists(st.sampled_from(ids), max_size=3))
    return Switches(
        empty_marker=draw(st.sampled_from(["absent", "empty", "echo"])),
        count=draw(st.sampled_from(["all", "after_marker", "page"])),
        count_cap=draw(st.sampled_from([0, 1, 20, 50, 100, 120])),
        count_as_text=draw(st.booleans()),
        empty_list=draw(st.sampled_from(["empty", "null", "absent"])),
        empty_page=draw(st.sampled_from(["object", "null", "absent"])),
        odd_fields={id_: {"status": None, "version": None} for id_ in odd},
        absent_fields=dict.fromkeys(nameless, (name,)),
        short_pages=draw(st.sampled_from([0, 7, 20, 49])),
    )


@given(data=st.data(), list_=st.sampled_from(sorted(LISTS)))
@examples(40)
def test_a_list_is_complete_or_an_error(emulator: Emulator, data: st.DataObject, list_: str) -> None:
    """Whatever its pages, counts and records: a list is complete, an error, or ends as docs/limits.md says."""
    name, _ = LISTS[list_]
    ids = ids_in(emulator, list_)
    emulator.switches = shown = data.draw(switches(ids, name))
    emulator.forget_requests()
    try:
        found = read(emulator, list_)
    except ProtocolError:
        # Only an empty page that may be no list can hide records here.
        assert shown.empty_list != "empty" or shown.empty_page != "object"
        return
    read_ids = [record.id if isinstance(record, UnreadableRecord) else getattr(record, name) for record in found]
    named = [id_ for id_ in ids if id_ not in shown.absent_fields]
    if len(found) < len(ids):
        # The documented case: the first short page, and as many records as the first page counted.
        assert shown.count == "page" or shown.count_cap
        assert [id_ for id_ in read_ids if id_] == named[: len([id_ for id_ in read_ids if id_])]
        counted = shown.count_cap or len(ids)
        assert len(found) in (counted, min(counted, shown.short_pages or 50))
    else:
        assert [id_ for id_ in read_ids if id_] == named
    assert len(emulator.requests) <= 2 * len(ids) + 50


@pytest.mark.parametrize("list_", ["packages", "tasks"])
def test_an_endless_list_ends_with_the_deadline(emulator: Emulator, list_: str) -> None:
    """A service that has ever more records to show is read until the deadline, and no list is returned."""
    name, _ = LISTS[list_]
    emulator.switches = Switches()
    pages = iter(range(1 << 40, 0, -1))

    def another(page: dict[str, Any]) -> dict[str, Any]:
        key = "packages" if list_ == "packages" else "batchtasks"
        number = next(pages)
        record = {"task_name": "t", "status": "Success", **package(number), name: f"{number:024x}"}
        return {key: [record], "page": {"count": 1 << 40, "marker": f"{number:024x}"}}

    rule = emulator.faults.add(edit=another, times=None)
    try:
        with pytest.raises(DeadlineExceeded) as caught:
            read(emulator, list_, deadline=0.5)
    finally:
        emulator.faults.clear()
    assert isinstance(caught.value, IotdaOtaError)
    assert rule.hits > 1
