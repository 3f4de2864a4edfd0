"""Device versions over real sockets: methods, completeness, limits and errors."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.context import Context
from pulumi_iotda_ota.emulator import Emulator
from pulumi_iotda_ota.iotda.errors import DeadlineExceeded, InputError, IotdaOtaError, ProtocolError, ServiceError
from pulumi_iotda_ota.lookup.session import Run
from pulumi_iotda_ota.operations import get_device_versions
from tests.support.resource_bench import FakeTime

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRMWARE = "firmwarePackage"
METERS = Counter({"V1.4.9": 4, "V1.3.2": 12, "V1.4.2": 12, "V1.4.8": 12})


class Bench:
    """A service and a time that passes only by waiting."""

    def __init__(self, seed: dict[str, Any] | None = None) -> None:
        self.time = FakeTime()
        self.emulator = Emulator(seed, clock=self.time, auth_clock=self.time)
        self.run = Run(memo=False, clock=self.time.clock)
        self.progress: list[tuple[int, int]] = []

    def find(self, package_type: str = FIRMWARE, **arguments: Any) -> dict[str, Any]:
        """Return the result."""
        context = Context({}, self.emulator.environment)
        values = {"package_type": package_type, **arguments}
        return get_device_versions(
            self.run, context, values, progress=lambda done, total: self.progress.append((done, total))
        )

    def operations(self) -> Counter[str]:
        """Return how often each operation was requested."""
        return Counter(request.operation for request in self.emulator.requests)

    def statements(self) -> list[str]:
        """Return the statements of all searches."""
        searches = [request for request in self.emulator.requests if request.operation == "SearchDevices"]
        return [str(json.loads(request.body)["sql"]) for request in searches]

    def fleet(
        self, devices: int, *, groups: tuple[str, ...] = ("big",), versions: tuple[str, ...] = ("V1.4.8",)
    ) -> None:
        """Add devices, each in all groups."""
        names = [f"many-{number:05}" for number in range(devices)]
        for number, name in enumerate(names):
            self.emulator.set_device(name, product_id="smart-meter", version=versions[number % len(versions)])
        for group in groups:
            self.emulator.set_group(group, names)


FEW_PACKAGES = {
    "packages": [
        {
            "package_id": f"p{version}",
            "app_id": "energy",
            "package_type": FIRMWARE,
            "product_id": "smart-meter",
            "version": version,
            "create_time": f"2026010{number}T000000Z",
            "support_source_versions": ["V1"] if version == "V2" else [],
        }
        for number, version in enumerate(("V2", "V3"), start=1)
    ]
}


@pytest.fixture
def large() -> Iterator[Bench]:
    """Return a service with few packages, and a product that has so many devices that its list takes minutes."""
    bench = Bench(FEW_PACKAGES)
    with bench.emulator:
        bench.emulator.faults.add(
            operation="ListDevices",
            match=lambda request: request.query.get("limit") == "1",
            merge={"page": {"count": 1_000_000}},
            times=None,
        )
        yield bench
        bench.run.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Return a running service with the default catalogue."""
    bench = Bench()
    with bench.emulator:
        yield bench
        bench.run.close()


def counts(found: dict[str, Any]) -> dict[str, int]:
    """Return the devices by version."""
    return {one["version"]: one["devices"] for one in found["versions"]}


def test_a_product_is_listed_at_full_speed(bench: Bench) -> None:
    """All devices of a product are listed, without a search and without a wait."""
    bench.emulator.set_device("radio-1", product_id="gateway", version="V9")
    bench.emulator.set_device("meter-silent", product_id="smart-meter")
    found = bench.find(product_id="smart-meter")

    assert (found["total"], counts(found), found["unknown"]) == (41, METERS, 1)
    assert (found["method"], found["product_id"]) == ("list", "smart-meter")
    assert bench.operations()["SearchDevices"] == 0
    assert bench.time.slept == []
    assert [one["version"] for one in found["versions"]] == ["V1.3.2", "V1.4.2", "V1.4.8", "V1.4.9"]


def test_a_small_group_is_searched(bench: Bench) -> None:
    """A small group costs its count and one page, a second apart, each ordered by marker."""
    found = bench.find(group_ids=["canary"])

    assert (found["total"], counts(found), found["unknown"]) == (4, {"V1.4.9": 4}, 0)
    assert (found["method"], found["requests"]) == ("search", 3)
    assert bench.operations() == {"ShowDevicesInGroup": 1, "SearchDevices": 2}
    assert sum(bench.time.slept) == pytest.approx(1.0)
    assert bench.statements()[1].endswith("order by marker desc limit 50")


def test_overlapping_groups_count_each_device_once(bench: Bench) -> None:
    """A device in several groups counts once, with one condition for all groups, or by listing."""
    bench.emulator.set_group("half", [f"meter-{number:04}" for number in range(1, 21)])
    found = bench.find(group_ids=["half", "canary", "fleet"])
    assert (found["total"], counts(found)) == (40, METERS)
    assert "group_id in ('half','canary','fleet')" in bench.statements()[0]

    many = [f"{number:036x}" for number in range(12)]
    for group in many:
        bench.emulator.set_group(group, ["meter-0001", "meter-0002", "meter-0020"])
    bench.emulator.forget_requests()
    found = bench.find(group_ids=many)
    assert (found["total"], found["method"]) == (3, "list")
    assert bench.operations()["SearchDevices"] == 0


def test_a_large_group_is_counted_by_version(large: Bench) -> None:
    """A large group is counted: one search for each known version. What no package names is unknown."""
    large.fleet(300, versions=("V3", "V2", "V1", "V7-unknown"))
    found = large.find(group_ids=["big"])

    assert found["total"] == 300
    assert counts(found) == {"V3": 75, "V2": 75, "V1": 75}
    assert (found["unknown"], found["method"], found["product_id"]) == (75, "count", "smart-meter")
    # The total, the devices of other products, and three versions.
    assert large.operations()["SearchDevices"] == 5
    assert sum(large.time.slept) == pytest.approx(4.0)
    assert large.progress == [(75, 300), (150, 300), (225, 300)]
    assert all("order by" not in statement for statement in large.statements())


def test_a_version_that_no_search_can_match_is_unknown(large: Bench) -> None:
    """A package version with a quote is not searched for; no statement has a quote inside of a value."""
    large.emulator.add_package(package_id="odd", product_id="smart-meter", version="V9")
    large.emulator.switches = dataclasses.replace(large.emulator.switches, odd_fields={"odd": {"version": "V'9"}})
    large.fleet(300, versions=("V3", "V9"))

    assert large.find(group_ids=["big"])["unknown"] == 150
    assert [statement for statement in large.statements() if statement.count("'") % 2] == []
    assert "V" + "'" + "9" not in "".join(large.statements())


def test_seconds_decide_not_requests(bench: Bench) -> None:
    """If the list of the product takes fewer seconds than searches, it is read, though it costs more requests."""
    bench.fleet(400, versions=("V1.4.8", "V7-unknown"))
    found = bench.find(group_ids=["big"])

    assert (found["method"], counts(found)) == ("list", {"V1.4.8": 200, "V7-unknown": 200})
    assert sum(bench.time.slept) < 5


def test_a_count_ends_when_all_devices_are_counted(large: Bench) -> None:
    """A count requests no further version once every device is counted. The newest packages come first."""
    large.fleet(300, versions=("V3",))
    assert counts(large.find(group_ids=["big"])) == {"V3": 300}
    assert large.operations()["SearchDevices"] == 3


def test_devices_by_id(bench: Bench) -> None:
    """Devices are searched by their ids, in statements of at most 400 characters. Many are listed by product."""
    few = bench.find(device_ids=["meter-0001", "meter-0005", "meter-0001"])
    assert (few["total"], few["method"], bench.operations()["SearchDevices"]) == (2, "search", 1)

    bench.fleet(600)
    bench.emulator.forget_requests()
    ids = [f"many-{number:05}" for number in range(600)]
    many = bench.find(device_ids=ids)
    assert (many["total"], many["method"], counts(many)) == (600, "list", {"V1.4.8": 600})
    assert bench.operations()["SearchDevices"] == 1
    assert max(map(len, bench.statements())) <= 400
    for missing in (["meter-9998", "meter-9999"], ["meter-9998", "meter-0001", "meter-9999"]):
        with pytest.raises(InputError, match="there is no device meter-9998, meter-9999"):
            bench.find(device_ids=missing)


def test_the_package_type_decides_which_version(bench: Bench) -> None:
    """Software and module versions are their own. Modules are read by searches."""
    bench.emulator.set_device("radio-1", product_id="gateway", version="F1", sw_version="S1", modules={"modem": "M1"})
    bench.emulator.set_device("radio-2", product_id="gateway", modules={"other": "M2"})
    bench.emulator.set_group("radios", ["radio-1", "radio-2"])

    for kind, version in ((FIRMWARE, "F1"), ("softwarePackage", "S1")):
        found = bench.find(kind, group_ids=["radios"])
        assert (counts(found), found["unknown"]) == ({version: 1}, 1)
    for where in ({"group_ids": ["radios"]}, {"product_id": "gateway"}, {"device_ids": ["radio-1", "radio-2"]}):
        found = bench.find("modulePackage", module_name="modem", **where)
        assert (counts(found), found["unknown"], found["method"]) == ({"M1": 1}, 1, "search")


def test_absent_null_and_empty_versions_are_unknown(bench: Bench) -> None:
    """A version that is null or empty is counted as unknown, as one that is absent."""
    bench.emulator.switches = dataclasses.replace(
        bench.emulator.switches,
        odd_fields={"meter-0001": {"fw_version": None}, "meter-0002": {"fw_version": ""}},
        absent_fields={"meter-0003": ("fw_version",)},
    )
    for where in ({"product_id": "smart-meter"}, {"group_ids": ["canary"]}):
        assert bench.find(**where)["unknown"] == 3


def test_a_record_that_cannot_be_judged_is_reported(bench: Bench) -> None:
    """A device whose id is no string is counted beside the others."""
    bench.emulator.switches = dataclasses.replace(bench.emulator.switches, odd_fields={"meter-0001": {"fw_version": 7}})
    found = bench.find(product_id="smart-meter")
    assert (found["total"], found["unreadable_records"]) == (39, 1)


@pytest.mark.parametrize("switch", ["unpublished", "unsupported"])
def test_an_edition_without_a_search(bench: Bench, switch: Any) -> None:
    """Without a search, the devices of groups and ids are listed. Versions of modules are one clear error."""
    bench.emulator.switches = dataclasses.replace(bench.emulator.switches, search=switch)

    assert counts(bench.find(group_ids=["canary", "fleet"])) == METERS
    assert counts(bench.find(device_ids=["meter-0001", "meter-0020"])) == {"V1.4.9": 1, "V1.4.2": 1}
    with pytest.raises(IotdaOtaError, match="the versions of modules cannot be read"):
        bench.find("modulePackage", module_name="modem", group_ids=["canary"])


@pytest.mark.parametrize("operation", ["SearchDevices", "ListDevices", "ShowDevicesInGroup"])
@pytest.mark.parametrize("fault", [{"wire": "drop"}, {"wire": "cut"}, {"error": "bad_gateway"}, {"wire": "garbage"}])
def test_a_read_that_fails_is_repeated(bench: Bench, operation: str, fault: dict[str, Any]) -> None:
    """A lost or failed response to any of the reads is requested again, and the result is the same."""
    bench.emulator.faults.add(operation=operation, **fault)
    if operation == "ListDevices":
        assert counts(bench.find(product_id="smart-meter")) == METERS
    else:
        assert counts(bench.find(group_ids=["canary", "fleet"])) == METERS


@pytest.mark.parametrize(
    "switches",
    [
        {"short_pages": 7},
        {"empty_marker": "echo"},
        {"empty_list": "null", "empty_page": "absent"},
        {"count": "page"},
        {"count_cap": 5},
        {"count_as_text": True},
    ],
    ids=str,
)
def test_lists_are_complete_whatever_a_page_says(bench: Bench, switches: dict[str, Any]) -> None:
    """Undocumented forms of a page cost requests, and lose no device."""
    bench.emulator.switches = dataclasses.replace(bench.emulator.switches, search="unpublished", **switches)
    assert counts(bench.find(product_id="smart-meter")) == METERS
    assert counts(bench.find(group_ids=["canary", "fleet"])) == METERS


def test_devices_that_come_during_a_search(large: Bench) -> None:
    """A device that joins a group between two pages of a search changes nothing else, and no device counts twice."""
    large.fleet(120, versions=("V3",))

    def join() -> None:
        large.emulator.set_device("late", product_id="smart-meter", version="V2")
        large.emulator.set_group("big", ["late", *large.emulator.groups["big"]])

    large.emulator.faults.add(operation="SearchDevices", nth=3, before=join)
    found = large.find(group_ids=["big"])
    assert (found["method"], counts(found)) == ("search", {"V3": 120})


def test_an_empty_group(bench: Bench) -> None:
    """A group without devices is a result, after one search."""
    bench.emulator.set_group("empty", [])
    found = bench.find(group_ids=["empty"])
    assert (found["total"], found["versions"], found["unknown"]) == (0, [], 0)
    assert "product_id" not in found
    assert bench.operations() == {"ShowDevicesInGroup": 1, "SearchDevices": 1}


def test_too_many_ids_of_modules_are_refused_at_once(bench: Bench) -> None:
    """If searches by ids would take longer than the deadline, none is sent."""
    ids = [f"device-with-a-long-name-{number:05}" for number in range(9_000)]
    with pytest.raises(DeadlineExceeded, match="could not read the versions of devices"):
        bench.find("modulePackage", module_name="modem", device_ids=ids)
    assert bench.emulator.requests == []


def test_a_first_page_without_the_counted_devices(bench: Bench) -> None:
    """If a search counts devices and then returns none, the list may be partial: an error."""
    bench.emulator.faults.add(operation="SearchDevices", nth=2, body={"devices": []}, status=200)
    with pytest.raises(ProtocolError, match="the first page holds no records, though it counts 4"):
        bench.find(group_ids=["canary"])
    bench.emulator.faults.add(operation="SearchDevices", body={"devices": []}, status=200)
    with pytest.raises(ProtocolError, match="has no count"):
        bench.find(group_ids=["canary"])


def test_a_throttled_search_waits_until_the_deadline(bench: Bench) -> None:
    """If another program uses the rate of the account, a search waits. It does not fail before the deadline."""
    bench.emulator.faults.add(operation="SearchDevices", error="search_rate", times=40)
    assert bench.find(group_ids=["canary"])["total"] == 4
    bench.emulator.faults.add(operation="SearchDevices", error="rate_limit", times=None)
    with pytest.raises(DeadlineExceeded, match="could not search devices within the deadline of 30 s") as caught:
        bench.find(group_ids=["canary"], devices_deadline=30)
    assert "raise devices_deadline" in str(caught.value)


def test_groups_that_do_not_exist(bench: Bench) -> None:
    """Groups that do not exist are one error that names them all."""
    with pytest.raises(ServiceError, match="there is no device group none, no-such-group") as caught:
        bench.find(group_ids=["none", "canary", "no-such-group"])
    assert caught.value.status == 404
    assert bench.operations()["SearchDevices"] == 0


def test_a_group_that_is_too_large(bench: Bench) -> None:
    """More than 20,000 devices in a group are an error before anything is counted."""
    bench.emulator.set_group("huge", [f"d{number}" for number in range(20_001)])
    with pytest.raises(InputError, match="the device group huge has 20,001 devices; at most 20,000 are supported"):
        bench.find(group_ids=["huge"])
    assert len(bench.emulator.requests) == 1


def test_devices_of_other_products(bench: Bench, large: Bench) -> None:
    """Devices of several products are one error, whichever method reads them."""
    bench.emulator.set_device("radio-1", product_id="gateway", version="V1")
    bench.emulator.set_group("mixed", ["radio-1", "meter-0001"])
    with pytest.raises(InputError, match="the devices are of several products") as caught:
        bench.find(group_ids=["mixed"])
    assert "gateway, smart-meter" in str(caught.value)
    with pytest.raises(InputError, match="of several products"):
        bench.find(device_ids=["radio-1", "meter-0001"])

    large.emulator.set_device("a-radio", product_id="gateway", version="V1")
    large.fleet(300, versions=("V3",))
    large.emulator.set_group("big", ["a-radio", *large.emulator.groups["big"]])
    with pytest.raises(InputError, match="of several products") as caught:
        large.find(group_ids=["big"])
    assert "1 device of other products" in str(caught.value)


def test_an_account_that_may_not_search(bench: Bench) -> None:
    """A denial names the action that the user needs."""
    bench.emulator.faults.add(operation="SearchDevices", error="denied", times=None)
    with pytest.raises(ServiceError) as caught:
        bench.find(group_ids=["canary"])
    assert "grant the user probably iotda:devices:queryList" in " ".join(str(caught.value).split())


def test_a_deadline_that_is_too_short(large: Bench) -> None:
    """If the estimate is longer than the deadline, it is an error before the work begins."""
    large.fleet(300, versions=("V3", "V7-unknown"))
    with pytest.raises(DeadlineExceeded, match="could not read the versions of devices") as caught:
        large.find(group_ids=["big"], devices_deadline=3)
    assert "300 devices; to read their versions takes about 4 s" in " ".join(str(caught.value).split())
    assert large.operations()["SearchDevices"] == 1


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "set exactly one of group_ids, product_id and device_ids"),
        ({"group_ids": ["a"], "product_id": "b"}, "set exactly one of"),
        ({"group_ids": ["it's"]}, "group_ids has an item that must be 1 to 36"),
        ({"group_ids": ["a"], "module_name": "m"}, "module_name is only for a modulePackage"),
        ({"package_type": "modulePackage", "group_ids": ["a"]}, "module_name is required for a modulePackage"),
        ({"group_ids": ["a"], "app_id": "x"}, "app_id needs product_id"),
        ({"group_ids": ["a"], "devices_deadline": 0}, "devices_deadline must be a whole number from 1 to 3600"),
    ],
)
def test_wrong_arguments_send_nothing(bench: Bench, arguments: dict[str, Any], text: str) -> None:
    """A wrong argument is one error, and no request is sent."""
    with pytest.raises(InputError, match=text):
        bench.find(**arguments)
    assert bench.emulator.requests == []
