"""A lock file is made, brought up to date, held against the service: what is written, what is told, what is left."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota.context import Context
from pulumi_iotda_ota.emulator import Emulator
from pulumi_iotda_ota.lock import report
from pulumi_iotda_ota.lock import update as keeping
from pulumi_iotda_ota.lock.files import LOCK_FILE, change, load
from pulumi_iotda_ota.lookup.session import Run
from tests.conftest import settings_for
from tests.support.locks import NEWEST, entry
from tests.support.resource_bench import package

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pulumi_iotda_ota.lock.entry import Entry
    from pulumi_iotda_ota.lock.update import Outcome

SEED = {
    "packages": [
        package("p-1-3-5", "V1.3.5"),
        package(
            "8c0d" + "0" * 24 + "41f2",
            "V1.4.10",
            create_time="20261002T090000Z",
            file_location={
                "obs_location": {
                    "region_name": "r",
                    "bucket_name": "b-1",
                    "object_key": "k",
                    "sign_method": "SHA256",
                    "sign": "ab" * 32,
                }
            },
        ),
        package("s1", "S1", "softwarePackage"),
    ],
}
ASKED: dict[str, Any] = {
    "package_type": "firmwarePackage",
    "product_id": "meter",
    "version_constraint": "^1.4",
    "source_versions": ["V1.3.2"],
    "most_recent": True,
}
SOFTWARE: dict[str, Any] = {"package_type": "softwarePackage", "product_id": "meter", "version": "S1"}
T = TypeVar("T")


class Keeper:
    """Keeps the lock file of a folder against a running service."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self.emulator, self.path = emulator, folder / LOCK_FILE
        self.environ = settings_for(emulator)

    def done(self, work: Callable[..., T], *arguments: Any, **more: Any) -> T:
        """Do something with a run of its own, as each command does."""
        with closing(Run(memo=False)) as run:
            return work(run, Context({}, self.environ).resolved(), self.path, *arguments, **more)

    def add(self, name: str = "meter-firmware", asked: dict[str, Any] = ASKED, **more: Any) -> Outcome:
        """Add a name."""
        return self.done(keeping.add, name, asked, **more)

    def update(self, *names: str) -> list[Outcome]:
        """Bring names up to date."""
        return self.done(keeping.update, names)

    def statuses(self, *names: str) -> dict[str, str]:
        """Hold names against the service."""
        return {one.name: one.status for one in self.done(keeping.check, names)}

    @property
    def entries(self) -> dict[str, Entry]:
        """Return what is in the file."""
        return load(self.path) or {}

    def upload(self, version: str, package_id: str, **more: Any) -> None:
        """Upload a package."""
        self.emulator.add_package(**package(package_id, version, **{"create_time": "20261120T090000Z", **more}))


@pytest.fixture
def keeper(project: Path) -> Iterator[Keeper]:
    """Return a keeper of the lock file of a project."""
    with Emulator(SEED) as emulator:
        yield Keeper(emulator, project)


def test_add_writes_what_where_when_and_why(keeper: Keeper) -> None:
    """An entry tells what was asked, where, what was found with its file, when and why; nothing of who asked."""
    keeper.add()

    added = keeper.entries["meter-firmware"]
    assert added.asked == ASKED
    assert added.place == {
        "region": keeper.emulator.region,
        "endpoint": "http://localhost",
        "project_id": keeper.emulator.project_id,
    }
    assert (added.version, added.package["created_at"]) == ("V1.4.10", "2026-10-02T09:00:00Z")
    assert added.package["file_location"]["obs_location"]["sign"] == "ab" * 32
    assert abs(datetime.fromisoformat(added.locked_at.replace("Z", "+00:00")) - datetime.now(timezone.utc)).seconds < 60
    assert added.why == "highest that fits ^1.4 for devices on V1.3.2"
    text = keeper.path.read_text()
    assert not [secret for secret in (keeper.emulator.access_key, keeper.emulator.secret_key) if secret in text]


def test_add_sends_a_lookup_and_a_detail(keeper: Keeper) -> None:
    """Locking costs what the lookup costs, and one request for the file."""
    keeper.add()

    assert [one.operation for one in keeper.emulator.requests] == ["ListOtaPackageInfo", "ShowOtaPackage"]


def test_the_text_of_a_pull_request(keeper: Keeper) -> None:
    """An update tells what moved: from, to, the package, and why it and not what is newer still."""
    keeper.add()
    for version, package_id in (("V1.4.12", "5e77" + "0" * 24 + "09ab"), ("V1.5.0-rc1", "rc"), ("V2.0.0", "v2")):
        keeper.upload(version, package_id, support_source_versions=["V1.3.2", "V1.4.0"])

    (outcome,) = keeper.update()

    assert report.news_text(outcome) == (
        "meter-firmware: V1.4.10 -> V1.4.12\n"
        "  package 8c0d…41f2 -> 5e77…09ab, uploaded 2026-11-20, supports V1.3.2, V1.4.0, sha256 yes\n"
        "  why: highest that fits ^1.4 for devices on V1.3.2 "
        "(2 newer passed over: V2.0.0 outside ^1.4, V1.5.0-rc1 prerelease)"
    )
    assert keeper.entries["meter-firmware"].version == "V1.4.12"


def test_text_of_the_service_means_nothing_in_a_pull_request(keeper: Keeper) -> None:
    """What a service writes for a version or an id is no Markdown, no mention, and no word to a pipeline."""
    added = keeper.add(asked={"package_id": "s1"})
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
    """Where every lookup gives what is locked the file stays byte for byte, whatever else was uploaded."""
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
    old = {name: replace(one, locked_at="2026-01-01T00:00:00Z", why="then") for name, one in keeper.entries.items()}
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
    assert told.startswith(
        "software: failed, S1 stays\n  2 OTA packages fit, and most_recent is not set\n    asked for"
    )
    assert {name: one.version for name, one in keeper.entries.items()} == {
        "meter-firmware": "V1.4.12",
        "software": "S1",
    }


def test_equal_lookups_share_a_walk(keeper: Keeper) -> None:
    """Names that ask the service for the same packages cost one walk together."""
    for name in ("a", "b", "c"):
        keeper.add(name)
    keeper.emulator.forget_requests()

    keeper.update()

    assert sum(one.operation == "ListOtaPackageInfo" for one in keeper.emulator.requests) == 1


def test_check_tells_what_is_newer_gone_or_changed(keeper: Keeper) -> None:
    """A check tells each case apart, in a line each, and changes nothing."""
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
        "deleted: V1.9 is gone, nothing fits now",
        "exact: V1.3.5 has changed: description",
        "meter-firmware: V1.4.10 is locked, V1.4.12 fits now",
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
    assert report.state_text(outcome) == "software: S1 is gone, another S1, package s1-again, fits now"
    assert report.news_text(outcome).startswith("software: S1 -> S1\n  package s1 -> s1-again, uploaded 2026-11-20")
    assert keeper.statuses() == {"software": "current"}


def test_a_name_is_added_once(keeper: Keeper) -> None:
    """A name that is there is refused before anything is sent, unless it is to be replaced."""
    keeper.add()
    keeper.emulator.forget_requests()

    with pytest.raises(iotda_ota.LockError, match='"meter-firmware" is locked already') as caught:
        keeper.add(asked=SOFTWARE)
    assert "--replace" in str(caught.value)
    assert keeper.emulator.requests == []

    outcome = keeper.add(asked=SOFTWARE, replace=True)
    assert report.news_text(outcome).startswith("meter-firmware: V1.4.10 -> S1\n")
    assert keeper.entries["meter-firmware"].asked == SOFTWARE


def test_replacing_by_the_same_is_no_change(keeper: Keeper) -> None:
    """What is locked again as it was keeps its bytes, when and why too."""
    keeper.add()
    change(keeper.path, lambda there: {name: replace(one, why="then") for name, one in there.items()})
    before = keeper.path.read_bytes()

    assert keeper.add(replace=True).status == "current"
    assert keeper.path.read_bytes() == before


def test_a_lookup_that_fails_locks_nothing(keeper: Keeper) -> None:
    """What has no one answer is the error of the lookup, and makes no file."""
    with pytest.raises(iotda_ota.PackageNotFound):
        keeper.add(asked={**SOFTWARE, "version": "S9"})
    with pytest.raises(iotda_ota.InputError, match="package_type is required"):
        keeper.add(asked={"product_id": "meter"})
    with pytest.raises(iotda_ota.InputError, match="name must be 1 to 64"):
        keeper.add("a b")

    assert not keeper.path.exists()


def test_remove(keeper: Keeper) -> None:
    """Names are taken out together, or none where one is not there."""
    change(keeper.path, lambda _: {name: entry(name) for name in ("a", "b", "c")})

    with pytest.raises(iotda_ota.LockError, match='"x" is not locked in'):
        keeping.remove(keeper.path, ["a", "x"])
    assert list(keeper.entries) == ["a", "b", "c"]

    assert [report.state_text(one) for one in keeping.remove(keeper.path, ["c", "a"])] == [
        "c: V1 is locked no more",
        "a: V1 is locked no more",
    ]
    assert list(keeper.entries) == ["b"]


def test_names_of_another_place(keeper: Keeper) -> None:
    """What is locked in another place is passed over; it fails where it is named, and where there is nothing else."""
    keeper.add()
    change(keeper.path, lambda there: {**there, "prod": entry("prod")})

    assert keeper.statuses() == {"meter-firmware": "current", "prod": "elsewhere"}
    (outcome,) = keeper.update("prod")
    assert outcome.status == "failed"
    assert "is locked in another place" in str(outcome.error)
    change(keeper.path, lambda there: {"prod": there["prod"]})
    with pytest.raises(iotda_ota.LockError, match='"prod" is locked in another place'):
        keeper.update()


def test_a_name_that_somebody_else_changes_meanwhile(keeper: Keeper) -> None:
    """Two writers: other names are both kept; of one name the later writer is told, and nothing is lost."""
    keeper.add()
    keeper.upload("V1.4.12", "p-1-4-12")
    by_hand = replace(keeper.entries["meter-firmware"], why="by hand")
    both = {"meter-firmware": by_hand, "other": entry("other")}
    keeper.emulator.faults.add(
        operation="ListOtaPackageInfo", before=lambda: change(keeper.path, lambda there: {**there, **both}), times=None
    )

    with pytest.raises(iotda_ota.LockError, match="changed by somebody else meanwhile"):
        keeper.update()
    assert keeper.entries == both

    keeper.add("third", SOFTWARE)
    assert set(keeper.entries) == {*both, "third"}
    with pytest.raises(iotda_ota.LockError, match='"other" is locked already'):
        keeper.add("other")


def test_no_file(keeper: Keeper) -> None:
    """What needs a lock file says where it was looked for, and how it is made."""
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
    ("asked", "why"),
    [
        ({"version": "V1.4.10"}, "the only one that fits V1.4.10"),
        ({"version_constraint": ">=1.4"}, "the only one that fits >=1.4"),
        ({"most_recent": True}, "highest there is"),
        (
            {"most_recent": True, "order_by": "create_time", "created_before": "2026-02-01T00:00:00Z"},
            (
                "newest upload that fits uploaded before 20260201T000000Z "
                "(1 newer passed over: V1.4.10 not uploaded before 20260201T000000Z)"
            ),
        ),
        (
            {"preferred_versions": ["V1.3.5"]},
            "V1.3.5 is preferred, and is there (1 newer passed over: V1.4.10 is not preferred)",
        ),
        ({"most_recent": True, "require_signature": True}, "highest that fits with a checksum"),
        (
            {"most_recent": True, "version_constraint": "<1.4", "version_regex": "V.*"},
            "highest that fits <1.4 version matching V.* (1 newer passed over: V1.4.10 outside <1.4)",
        ),
    ],
)
def test_why(keeper: Keeper, asked: dict[str, Any], why: str) -> None:
    """Why a package was chosen is told for each kind of choice, with what is higher and why not."""
    added = keeper.add(asked={"package_type": "firmwarePackage", "product_id": "meter", **asked})

    assert added.now is not None
    assert added.now.why == why


def test_why_of_an_id(keeper: Keeper) -> None:
    """A package that is asked for by its id can be locked too."""
    added = keeper.add(asked={"package_id": "s1"})

    assert added.now is not None
    assert (added.now.why, added.now.version) == ("its id was asked for", "S1")
    assert iotda_ota.get_ota_package(lock="meter-firmware").package_id == "s1"


def test_values_for_programs(keeper: Keeper) -> None:
    """An outcome is plain values: the name, the status, what was locked and what is there now."""
    keeper.add()
    keeper.upload("V1.4.12", "p-1-4-12")

    values = report.outcome_values(keeper.update()[0])

    assert (values["name"], values["status"]) == ("meter-firmware", "newer")
    assert values["locked"]["package"]["version"] == "V1.4.10"
    assert values["now"]["package"]["package_id"] == "p-1-4-12"
    assert values["now"]["why"] == "highest that fits ^1.4 for devices on V1.3.2"


def test_the_catalogue_is_locked_as_the_lookup_finds_it(emulator: Emulator, project: Path) -> None:
    """However many are passed over, all are counted, and three are named."""
    for number in range(120):
        emulator.add_package(
            package_type="firmwarePackage", app_id="a", product_id="smart-meter", version=f"V9.{number}"
        )
    keeper = Keeper(emulator, project)

    added = keeper.add(asked=NEWEST)

    assert added.now is not None
    assert "(121 newer passed over: V9.119 outside ^1.4, V9.118 outside ^1.4, V9.117" in added.now.why
    assert added.now.why.endswith("and 118 more)")
