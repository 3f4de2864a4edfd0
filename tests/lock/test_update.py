"""Creates, updates and checks a lock file: what is written, what is reported, and what stays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota.emulator import Switches
from pulumi_iotda_ota.lock import report
from pulumi_iotda_ota.lock.files import change
from tests.support.lock_keeper import SOFTWARE, Keeper
from tests.support.locks import NEWEST, entry

if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator


def test_add_sends_a_lookup_and_a_detail(keeper: Keeper) -> None:
    """Locking costs what the lookup costs, and one request for the file."""
    keeper.add()

    assert [one.operation for one in keeper.emulator.requests] == ["ListOtaPackageInfo", "ShowOtaPackage"]


def test_the_text_of_a_pull_request(keeper: Keeper) -> None:
    """An update reports the old and the new version, the package, the reason, and the skipped newer versions."""
    keeper.add()
    for version, package_id in (("V1.4.12", "5e77" + "0" * 24 + "09ab"), ("V1.5.0-rc1", "rc"), ("V2.0.0", "v2")):
        keeper.upload(version, package_id, support_source_versions=["V1.3.2", "V1.4.0"])

    (outcome,) = keeper.update()

    assert report.news_text(outcome) == (
        "meter-firmware: V1.4.10 -> V1.4.12\n"
        "  package 8c0d…41f2 -> 5e77…09ab, uploaded 2026-11-20, supports V1.3.2, V1.4.0, sha256 yes\n"
        "  because: highest version that matches ^1.4 for devices on V1.3.2 "
        "(skipped 2 newer: V2.0.0 outside ^1.4, V1.5.0-rc1 prerelease)"
    )
    assert keeper.entries["meter-firmware"].version == "V1.4.12"


def test_text_of_the_service_means_nothing_in_a_pull_request(keeper: Keeper) -> None:
    """What a service writes for a version or an id is no Markdown, no mention, and no word to a pipeline."""
    added = keeper.add(selection={"package_id": "s1"})
    assert added.now is not None
    hostile = {"version": "[skip ci]", "created_at": "[skip ci]", "package_id": "[ci skip]"}
    told = []
    for sources in (["[skip ci]", "@everyone", "#7", "![](http://x)"], ["`", "<b>", "*", "\x1b[0m\u202e"]):
        now = replace(added.now, package={**added.now.package, **hostile, "support_source_versions": sources})
        told += [report.news_text(replace(added, now=now))]
        told += [report.news_text(replace(added, status="newer", before=now, now=now))]
        told += [report.state_text(replace(added, status="newer", before=now, now=now))]

    assert not set("[]@#!()`<*/\x1b\u202e") & set("".join(told))
    assert all("\\u005bskip" in text for text in told)


def test_nothing_new_touches_nothing(keeper: Keeper) -> None:
    """If every lookup selects the locked package, the file keeps every byte, even after other uploads."""
    keeper.add()
    keeper.add("software", SOFTWARE)
    keeper.path.write_text(keeper.path.read_text().replace("\n\n", "\n"))
    before = keeper.path.read_bytes(), keeper.path.stat().st_mtime_ns
    keeper.upload("V1.4.9", "older")
    keeper.upload("V3", "outside")

    assert [one.status for one in keeper.update()] == ["current", "current"]
    assert (keeper.path.read_bytes(), keeper.path.stat().st_mtime_ns) == before


def test_only_what_moved_is_written(keeper: Keeper) -> None:
    """An update changes the lines of what moved: when and why the others were locked stays."""
    keeper.add()
    keeper.add("software", SOFTWARE)
    old = {name: replace(one, locked_at="2026-01-01T00:00:00Z", reason="then") for name, one in keeper.entries.items()}
    change(keeper.path, lambda _: old)
    keeper.upload("V1.4.12", "p-1-4-12")

    keeper.update()

    assert keeper.entries["software"] == old["software"]
    assert keeper.entries["meter-firmware"].version == "V1.4.12"
    assert keeper.entries["meter-firmware"].locked_at > "2026-01-01T00:00:00Z"


def test_update_of_one_name(keeper: Keeper) -> None:
    """A name that is given is brought up to date, and no other."""
    keeper.add()
    keeper.add("other")
    keeper.upload("V1.4.12", "p-1-4-12")

    assert [(one.name, one.status) for one in keeper.update("other")] == [("other", "newer")]
    assert keeper.entries["meter-firmware"].version == "V1.4.10"


def test_one_name_that_fails_loses_no_other(keeper: Keeper) -> None:
    """A lookup that fails keeps what it had, and the others move."""
    keeper.add()
    keeper.add("software", SOFTWARE)
    keeper.upload("V1.4.12", "p-1-4-12")
    keeper.upload("S1", "s1-again", kind="softwarePackage")

    outcomes = {one.name: one for one in keeper.update()}

    assert {name: one.status for name, one in outcomes.items()} == {"meter-firmware": "newer", "software": "failed"}
    told = report.state_text(outcomes["software"])
    assert told.startswith("software: failed, S1 stays locked\n  2 OTA packages match\n    requested    package_type=")
    assert {name: one.version for name, one in keeper.entries.items()} == {
        "meter-firmware": "V1.4.12",
        "software": "S1",
    }


def test_equal_lookups_share_a_walk(keeper: Keeper) -> None:
    """Names with the same query share one list."""
    for name in ("a", "b", "c"):
        keeper.add(name)
    keeper.emulator.forget_requests()

    keeper.update()

    assert sum(one.operation == "ListOtaPackageInfo" for one in keeper.emulator.requests) == 1


def test_a_name_is_added_once(keeper: Keeper) -> None:
    """A name that is there is refused before anything is sent, unless it is to be replaced."""
    keeper.add()
    keeper.emulator.forget_requests()

    with pytest.raises(iotda_ota.LockError, match='"meter-firmware" is locked already') as caught:
        keeper.add(selection=SOFTWARE)
    assert "--replace" in str(caught.value)
    assert keeper.emulator.requests == []

    outcome = keeper.add(selection=SOFTWARE, replace=True)
    assert report.news_text(outcome).startswith("meter-firmware: V1.4.10 -> S1\n")
    assert keeper.entries["meter-firmware"].selection == SOFTWARE


def test_replacing_by_the_same_is_no_change(keeper: Keeper) -> None:
    """What is locked again as it was keeps its bytes, when and why too."""
    keeper.add()
    change(keeper.path, lambda there: {name: replace(one, reason="then") for name, one in there.items()})
    before = keeper.path.read_bytes()

    assert keeper.add(replace=True).status == "current"
    assert keeper.path.read_bytes() == before


def test_replacing_from_another_place_is_a_change(keeper: Keeper) -> None:
    """An equal package in another place is another lookup: ``--replace`` writes the new place."""
    keeper.add()
    there = keeper.entries["meter-firmware"]
    elsewhere = replace(there, place={**there.place, "project_id": "another"})
    change(keeper.path, lambda _: {"meter-firmware": elsewhere})

    assert keeper.add(replace=True).status == "added"
    assert keeper.entries["meter-firmware"].place == there.place


def test_two_adds_of_one_name_at_once(keeper: Keeper) -> None:
    """If another program locks the same name during the lookup, the later one is refused and changes nothing."""
    first = entry("meter-firmware")
    keeper.emulator.faults.add(
        operation="ListOtaPackageInfo", before=lambda: change(keeper.path, lambda there: {**there, first.name: first})
    )

    with pytest.raises(iotda_ota.LockError, match='"meter-firmware" is locked already'):
        keeper.add()
    assert keeper.entries == {"meter-firmware": first}


def test_a_lookup_that_fails_locks_nothing(keeper: Keeper) -> None:
    """If the lookup fails, its error is reported and no file is created."""
    with pytest.raises(iotda_ota.PackageNotFound):
        keeper.add(selection={**SOFTWARE, "version": "S9"})
    with pytest.raises(iotda_ota.InputError, match="package_type is required"):
        keeper.add(selection={"product_id": "meter"})
    with pytest.raises(iotda_ota.InputError, match="name must be 1 to 64"):
        keeper.add("a b")

    assert not keeper.path.exists()


def test_a_name_that_somebody_else_changes_meanwhile(keeper: Keeper) -> None:
    """Two writers of different names both succeed. If they write one name, the later one fails."""
    keeper.add()
    keeper.upload("V1.4.12", "p-1-4-12")
    by_hand = replace(keeper.entries["meter-firmware"], reason="by hand")
    both = {"meter-firmware": by_hand, "other": entry("other")}
    keeper.emulator.faults.add(
        operation="ListOtaPackageInfo", before=lambda: change(keeper.path, lambda there: {**there, **both}), times=None
    )

    with pytest.raises(iotda_ota.LockError, match="changed by another program meanwhile"):
        keeper.update()
    assert keeper.entries == both

    keeper.add("third", SOFTWARE)
    assert set(keeper.entries) == {*both, "third"}
    with pytest.raises(iotda_ota.LockError, match='"other" is locked already'):
        keeper.add("other")


def test_the_catalogue_is_locked_as_the_lookup_finds_it(emulator: Emulator, project: Path) -> None:
    """All skipped newer versions are counted, and three are named."""
    for number in range(120):
        emulator.add_package(
            package_type="firmwarePackage", app_id="a", product_id="smart-meter", version=f"V9.{number}"
        )
    keeper = Keeper(emulator, project)

    added = keeper.add(selection=NEWEST)

    assert added.now is not None
    assert "(skipped 121 newer: V9.119 outside ^1.4, V9.118 outside ^1.4, V9.117" in added.now.reason
    assert added.now.reason.endswith("and 118 more)")


@pytest.mark.parametrize(
    ("selection", "skipped"),
    [
        ({"most_recent": True}, "skipped 1 package without a readable upload time; skipped 1 record that cannot be"),
        ({"highest_version": True}, "skipped 1 record that cannot be judged"),
        (
            {"highest_version": True, "version_scheme": "semver"},
            "skipped 2 versions that semver cannot read; skipped 1 record that cannot be judged",
        ),
    ],
    ids=["times", "records", "versions"],
)
def test_the_reason_counts_what_could_not_be_judged(
    emulator: Emulator, project: Path, selection: dict[str, Any], skipped: str
) -> None:
    """The reason counts skipped versions and upload times that cannot be read, and skipped odd records."""
    keeper = Keeper(emulator, project)
    made = {
        version: emulator.add_package(package_type="firmwarePackage", app_id="a", product_id="lamp", version=version)
        for version in ("odd", "1.2.0", "V1.0", "v0.9")
    }
    emulator.switches = Switches(odd_fields={made["odd"]: {"app_id": None}, made["V1.0"]: {"create_time": "soon"}})

    added = keeper.add(selection={"package_type": "firmwarePackage", "product_id": "lamp", **selection})

    assert added.now is not None
    assert skipped in added.now.reason


def test_a_newer_version_without_a_readable_upload_time(emulator: Emulator, project: Path) -> None:
    """If a window skips a newer version because its upload time cannot be read, the reason says that."""
    keeper = Keeper(emulator, project)
    emulator.add_package(package_type="firmwarePackage", app_id="a", product_id="smart-meter", version="V9")
    emulator.faults.add(
        operation="ListOtaPackageInfo",
        times=None,
        edit=lambda page: {
            **page,
            "packages": [
                {**one, **({"create_time": "odd"} if one["version"] == "V9" else {})} for one in page["packages"]
            ],
        },
    )

    added = keeper.add(selection={**NEWEST, "version_constraint": "*", "created_before": "2030-01-01T00:00:00Z"})

    assert added.now is not None
    assert added.now.version != "V9"
    assert "V9 without a readable upload time" in added.now.reason


def test_a_newer_record_that_cannot_be_judged(emulator: Emulator, project: Path) -> None:
    """A newer record that no rule can judge is skipped, and the reason says so."""
    keeper = Keeper(emulator, project)
    odd = emulator.add_package(package_type="firmwarePackage", app_id="a", product_id="smart-meter", version="V9")
    emulator.switches = Switches(odd_fields={odd: {"app_id": None}})

    added = keeper.add(selection={**NEWEST, "version_constraint": "*"})

    assert added.now is not None
    assert added.now.version != "V9"
    assert "V9 cannot be judged" in added.now.reason
