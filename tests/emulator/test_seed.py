"""The packages and devices at the start: the catalogue, seeds, and mistakes in seeds."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.emulator import Emulator, ManualClock, SeedError, Switches
from tests.support.emulator_callers import Caller, calling

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = {
    "package_id": "a" * 32,
    "app_id": "space",
    "package_type": "firmwarePackage",
    "product_id": "p1",
    "version": "V1",
    "create_time": "20260101T000000Z",
}


def test_the_catalogue_is_what_the_documents_quote() -> None:
    """The default catalogue has 1,204 packages of three products and 40 meters in two groups."""
    emulator = Emulator()
    packages = emulator.packages
    assert Counter(p["product_id"] for p in packages) == {"smart-meter": 341, "gateway": 740, "water-valve": 123}
    assert {p["app_id"] for p in packages} == {"energy", "water"}
    assert len(emulator.device_versions) == 40
    meter = [p for p in packages if (p["product_id"], p["package_type"]) == ("smart-meter", "firmwarePackage")]
    assert len(meter) == 41
    assert [p["version"] for p in meter[:4]] == ["V1.3.5", "V1.5.0-rc1", "V1.4.11", "V1.4.10"]
    wanted = [p for p in meter if p["version"] == "V1.4.10"]
    assert [(p["package_id"], p["create_time"]) for p in wanted] == [
        ("169ea9fd475dde0c9e14299b41281f51", "20261002T090000Z")
    ]
    assert set(emulator.device_versions.values()) <= {*wanted[0]["support_source_versions"]}


def test_the_catalogue_is_the_same_every_time() -> None:
    """Ids, times and order do not change from start to start."""
    assert Emulator().packages == Emulator().packages


def test_every_package_of_the_catalogue_keeps_to_the_limits(call: Caller) -> None:
    """Each package can be created again unchanged."""
    for package in call.emulator.packages[::50]:
        body = {name: value for name, value in package.items() if name not in {"package_id", "create_time"}}
        assert call("POST", "ota-upgrades/packages", body).status == 201


def test_a_seed_is_a_mapping_or_a_file(tmp_path: Path) -> None:
    """The same seed works in process and from a file."""
    seed = {"packages": [PACKAGE]}
    file = tmp_path / "seed.json"
    file.write_text(json.dumps(seed), encoding="utf-8")
    assert Emulator(seed).packages == Emulator(file).packages == Emulator(str(file)).packages == [PACKAGE]


def test_seeded_packages_are_ordered_by_upload_or_by_hand() -> None:
    """The newest upload comes first, unless record ids set another order."""
    older = {**PACKAGE, "package_id": "b" * 32, "version": "V2", "create_time": "20250101T000000Z"}
    assert [p["version"] for p in Emulator({"packages": [PACKAGE, older]}).packages] == ["V1", "V2"]
    by_hand = [{**PACKAGE, "record_id": "0" * 23 + "1"}, {**older, "record_id": "0" * 23 + "2"}]
    emulator = Emulator({"packages": by_hand})
    assert [p["version"] for p in emulator.packages] == ["V2", "V1"]
    assert "record_id" not in emulator.packages[0]


def test_a_seed_describes_groups_devices_tasks_and_spaces() -> None:
    """All parts of a seed are there when the emulator starts."""
    document = {"package_ids": [PACKAGE["package_id"]]}
    task = {"task_name": "t", "task_type": "firmwareUpgrade", "document": document}
    seed: dict[str, Any] = {
        "packages": [PACKAGE],
        "groups": {"g": ["d1", "d2"]},
        "devices": {"d1": {"version": "V0", "outcome": "fail"}},
        "tasks": [{**task, "targets_filter": {"group_ids": ["g"]}, "create_time": "20260102T000000Z"}],
        "spaces": ["empty"],
    }
    with calling(Emulator(seed)) as call:
        task_id = call.emulator.tasks[0]["task_id"]
        assert call.details(task_id) == {"d1": "Fail", "d2": "Success"}
        assert call.packages(app_id="empty").json["page"]["count"] == 0


def test_reset_goes_back_to_the_seed() -> None:
    """After a reset nothing that was added, deleted or done is left; the switches stay."""
    emulator = Emulator({"packages": [PACKAGE]}, switches=Switches(count="after_marker"))
    emulator.add_package(version="V9")
    emulator.delete_package(PACKAGE["package_id"])
    emulator.set_device("d1", version="V1")
    emulator.faults.add(status=500)
    emulator.reset()
    assert emulator.packages == [PACKAGE]
    assert emulator.device_versions == {}
    assert list(emulator.faults) == []
    assert emulator.switches.count == "after_marker"


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        ({"package": []}, "seed: package: Extra"),
        ({"packages": [PACKAGE, {**PACKAGE, "version": "V 1"}]}, r"seed: packages\[1\].version: "),
        ({"packages": [{**PACKAGE, "versoin": "V1"}]}, r"packages\[0\].versoin: Extra"),
        ({"packages": [PACKAGE, PACKAGE]}, r"packages\[1\].package_id occurs twice"),
        ({"packages": [{**PACKAGE, "create_time": "2026-01-01"}]}, r"packages\[0\].create_time: "),
        ({"devices": {"d1": {"outcome": "explode"}}}, "devices.d1.outcome: "),
        ({"groups": {"g": "d1"}}, "groups.g: "),
        (
            {
                "tasks": [
                    {
                        "task_name": "t",
                        "task_type": "firmwareUpgrade",
                        "document": {"package_id": "x"},
                        "targets": ["d"],
                    }
                ]
            },
            r"tasks\[0\]: The package does not exist",
        ),
    ],
)
def test_a_mistake_in_a_seed_names_its_place(seed: dict[str, Any], message: str) -> None:
    """A wrong seed is an error with the place and the cause."""
    with pytest.raises(SeedError, match=message):
        Emulator(seed)


@pytest.mark.parametrize(("text", "message"), [("{", "not JSON"), ("[]", "seed.json: "), (None, "No such file")])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, text: str | None, message: str) -> None:
    """A seed file that is missing or no JSON object is named in the error."""
    file = tmp_path / "seed.json"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(SeedError, match=message):
        Emulator(file)


def test_a_hundred_thousand_packages_are_walked(clock: ManualClock) -> None:
    """The pages of a large list are fast, because all of them use one filtered list."""
    packages = [{**PACKAGE, "package_id": f"{number:032x}", "version": f"V{number}"} for number in range(100_000)]
    with calling(Emulator({"packages": packages}, clock=clock)) as call:
        body = call.packages(limit=50, offset=500).json
        assert body["page"]["count"] == 100_000
        assert body["packages"][0]["version"] == "V99499"
