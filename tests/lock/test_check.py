"""Checking, removing and listing what a lock file holds."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota.lock import report
from pulumi_iotda_ota.lock import update as keeping
from pulumi_iotda_ota.lock.files import change
from tests.support.lock_keeper import ASKED, SOFTWARE, Keeper
from tests.support.locks import entry


def test_add_writes_what_where_when_and_why(keeper: Keeper) -> None:
    """An entry has the query, the place, the package with its file, the time and the reason, and no credentials."""
    keeper.add()

    added = keeper.entries["meter-firmware"]
    assert added.selection == ASKED
    assert added.place == {
        "region": keeper.emulator.region,
        "endpoint": "http://localhost",
        "project_id": keeper.emulator.project_id,
    }
    assert (added.version, added.package["created_at"]) == ("V1.4.10", "2026-10-02T09:00:00Z")
    assert added.package["file_location"]["obs_location"]["sign"] == "ab" * 32
    assert abs(datetime.fromisoformat(added.locked_at.replace("Z", "+00:00")) - datetime.now(timezone.utc)).seconds < 60
    assert added.reason == "highest version that matches ^1.4 for devices on V1.3.2"
    text = keeper.path.read_text()
    assert not [secret for secret in (keeper.emulator.access_key, keeper.emulator.secret_key) if secret in text]


def test_check_tells_what_is_newer_gone_or_changed(keeper: Keeper) -> None:
    """A check prints one line for each status, and changes nothing."""
    keeper.add()
    keeper.add("software", SOFTWARE)
    keeper.upload("V1.9", "deleted", kind="softwarePackage")
    keeper.add("deleted", {**SOFTWARE, "version": "V1.9"})
    keeper.add("exact", {**ASKED, "version_constraint": None, "version": "V1.3.5", "source_versions": None})
    assert set(keeper.statuses().values()) == {"current"}
    change(
        keeper.path,
        lambda there: {
            **there,
            "exact": replace(there["exact"], package={**there["exact"].package, "description": "another"}),
        },
    )
    before = keeper.path.read_bytes()
    keeper.upload("V1.4.12", "p-1-4-12")
    keeper.emulator.delete_package("deleted")

    outcomes = keeper.done(keeping.check)

    assert [report.state_text(one) for one in outcomes] == [
        "deleted: V1.9 is gone, nothing matches now",
        "exact: V1.3.5 has changed: description",
        "meter-firmware: V1.4.10 is locked, V1.4.12 matches now",
        "software: S1 is current",
    ]
    assert keeper.path.read_bytes() == before


def test_what_is_gone_and_replaced(keeper: Keeper) -> None:
    """A package that was deleted and uploaded again has another id: gone, and the update takes the new one."""
    keeper.add("software", SOFTWARE)
    keeper.emulator.delete_package("s1")
    keeper.upload("S1", "s1-again", kind="softwarePackage")

    assert keeper.statuses() == {"software": "gone"}
    (outcome,) = keeper.update()
    assert report.state_text(outcome) == "software: S1 is gone, another S1, package s1-again, matches now"
    assert report.news_text(outcome).startswith("software: S1 -> S1\n  package s1 -> s1-again, uploaded 2026-11-20")
    assert keeper.statuses() == {"software": "current"}


@pytest.mark.parametrize("newer", [True, False])
def test_a_refusal_is_no_deletion(keeper: Keeper, newer: bool) -> None:
    """If the service refuses to show the locked package, its name fails. Only "not found" means that it is gone."""
    keeper.add("software", SOFTWARE)
    keeper.emulator.delete_package("s1")
    if newer:
        keeper.upload("S1", "s1-again", kind="softwarePackage")

    def refuse(request: Any) -> bool:
        return bool(request.path.endswith("/s1"))

    keeper.emulator.faults.add(operation="ShowOtaPackage", match=refuse, error="denied", times=None)

    assert keeper.statuses() == {"software": "failed"}
    (outcome,) = keeper.update()
    assert "refused to read an OTA package" in str(outcome.error)
    assert keeper.entries["software"].package_id == "s1"


def test_remove(keeper: Keeper) -> None:
    """Names are removed together, or none if one does not exist."""
    change(keeper.path, lambda _: {name: entry(name) for name in ("a", "b", "c")})

    with pytest.raises(iotda_ota.LockError, match='"x" is not locked in'):
        keeping.remove(keeper.path, ["a", "x"])
    assert list(keeper.entries) == ["a", "b", "c"]

    assert [report.state_text(one) for one in keeping.remove(keeper.path, ["c", "a"])] == [
        "c: V1 is not locked any more",
        "a: V1 is not locked any more",
    ]
    assert list(keeper.entries) == ["b"]


def test_names_of_another_place(keeper: Keeper) -> None:
    """A name that is locked for another project is skipped. If it is named, or is the only one, it is an error."""
    keeper.add()
    change(keeper.path, lambda there: {**there, "prod": entry("prod")})

    assert keeper.statuses() == {"meter-firmware": "current", "prod": "elsewhere"}
    (outcome,) = keeper.update("prod")
    assert outcome.status == "failed"
    assert "is locked for another endpoint, project or instance" in str(outcome.error)
    change(keeper.path, lambda there: {"prod": there["prod"]})
    with pytest.raises(iotda_ota.LockError, match='"prod" is locked for another endpoint, project or instance'):
        keeper.update()


def test_no_file(keeper: Keeper) -> None:
    """A command that needs a lock file names its path, and how to create it."""
    for work in (keeper.update, lambda: keeping.locked(keeper.path), keeper.statuses):
        with pytest.raises(iotda_ota.LockError, match="nothing is locked: there is no"):
            work()
    with pytest.raises(iotda_ota.LockError, match="is not locked: there is no"):
        keeper.update("meter")


def test_refused_credentials_are_told_once(keeper: Keeper) -> None:
    """A key that is refused ends an update at once, and is not tried for each name."""
    keeper.add("a")
    keeper.add("b")
    keeper.environ["HW_SECRET_KEY"] = "wrong-secret"
    keeper.emulator.forget_requests()

    with pytest.raises(iotda_ota.CredentialsError):
        keeper.update()
    assert len(keeper.emulator.requests) == 1


@pytest.mark.parametrize(
    ("selection", "why"),
    [
        ({"version": "V1.4.10"}, "the only package that matches V1.4.10"),
        ({"version_constraint": ">=1.4"}, "the only package that matches >=1.4"),
        ({"highest_version": True}, "highest version there is"),
        (
            {"most_recent": True, "created_before": "2026-02-01T00:00:00Z"},
            (
                "newest package uploaded before 20260201T000000Z "
                "(skipped 1 newer: V1.4.10 not uploaded before 20260201T000000Z)"
            ),
        ),
        (
            {"preferred_versions": ["V1.3.5"]},
            "V1.3.5, a preferred version (skipped 1 newer: V1.4.10 is not preferred)",
        ),
        ({"highest_version": True, "require_checksum": True}, "highest version with a checksum"),
        (
            {"highest_version": True, "version_constraint": "<1.4", "version_regex": "V.*"},
            "highest version that matches <1.4 and the pattern V.* (skipped 1 newer: V1.4.10 outside <1.4)",
        ),
    ],
)
def test_why(keeper: Keeper, selection: dict[str, Any], why: str) -> None:
    """The reason names the choice, the higher versions, and why they were skipped."""
    added = keeper.add(selection={"package_type": "firmwarePackage", "product_id": "meter", **selection})

    assert added.now is not None
    assert added.now.reason == why


def test_why_of_an_id(keeper: Keeper) -> None:
    """A package that is requested by its id can be locked too."""
    added = keeper.add(selection={"package_id": "s1"})

    assert added.now is not None
    assert (added.now.reason, added.now.version) == ("requested by its id", "S1")
    assert iotda_ota.get_ota_package(lock="meter-firmware").package_id == "s1"


def test_values_for_programs(keeper: Keeper) -> None:
    """An outcome is plain values: the name, the status, the locked package and the current one."""
    keeper.add()
    keeper.upload("V1.4.12", "p-1-4-12")

    values = report.outcome_values(keeper.update()[0])

    assert (values["name"], values["status"]) == ("meter-firmware", "newer")
    assert values["locked"]["package"]["version"] == "V1.4.10"
    assert values["now"]["package"]["package_id"] == "p-1-4-12"
    assert values["now"]["reason"] == "highest version that matches ^1.4 for devices on V1.3.2"
