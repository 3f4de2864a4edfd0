"""OtaPackagePin with a lock: it has the package of the lock file, moves with it and back, and sends no request."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.iotda.errors import IotdaOtaError
from pulumi_iotda_ota.lifecycle.base import UNKNOWN
from pulumi_iotda_ota.lifecycle.pin import OUTPUTS, Pin
from pulumi_iotda_ota.lock.files import LOCK_FILE, change
from tests.support.locks import lock
from tests.support.pins import EXACT, NEWEST, pinned, problems, upload

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.resource_bench import Bench

LOCKED: dict[str, Any] = {"lock": "meter"}


def locked(bench: Bench, folder: Path, **query: Any) -> None:
    """Lock a lookup under the name of these tests."""
    lock(bench.emulator, folder, "meter", clock=bench.time.clock, **query)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a project, which the process runs in."""
    (tmp_path / "Pulumi.yaml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_is_what_is_locked(bench: Bench, project: Path) -> None:
    """The package is that of the file, with all its fields, without a request and without credentials."""
    locked(bench, project, **NEWEST)
    resolved = pinned(bench, NEWEST)
    bench.emulator.forget_requests()

    inputs = pinned(bench.silent(), LOCKED)

    assert {name: inputs[name] for name in resolved if name in OUTPUTS and name != "identity"} == {
        name: value for name, value in resolved.items() if name in OUTPUTS and name != "identity"
    }
    assert inputs["identity"]["project_id"] == bench.emulator.project_id
    assert "file_location" not in inputs
    assert bench.count() == 0


def test_it_moves_with_the_file_and_back(bench: Bench, project: Path) -> None:
    """Another package in the file moves the pin in place; the commit that takes it back moves it back."""
    locked(bench, project, **NEWEST)
    before = (project / LOCK_FILE).read_bytes()
    first = pinned(bench, LOCKED)
    newest = upload(bench)
    assert pinned(bench, LOCKED, first) == first

    locked(bench, project, **NEWEST)
    moved = pinned(bench.silent(), LOCKED, first)

    assert (moved["package_id"], moved["revision"]) == (newest, 2)
    diff = Pin.diff(bench.context, "pin", first, moved)
    assert (diff.changes, diff.replaces) == (True, ())
    assert Pin.update(bench.context, "pin", first, moved) == moved

    (project / LOCK_FILE).write_bytes(before)
    back = pinned(bench.silent(), LOCKED, moved)
    assert (back["package_id"], back["revision"]) == ("p2", 3)
    assert Pin.diff(bench.context, "pin", moved, back).changes


def test_another_time_of_the_same_package_is_no_change(bench: Bench, project: Path) -> None:
    """Only what is locked counts, not when it was: a file that was written again moves nothing."""
    locked(bench, project, **NEWEST)
    first = pinned(bench, LOCKED)
    change(
        project / LOCK_FILE,
        lambda there: {"meter": replace(there["meter"], locked_at="2027-01-01T00:00:00Z", reason="another")},
    )

    again = pinned(bench, LOCKED, first)

    assert again == first
    assert not Pin.diff(bench.context, "pin", first, again).changes


def test_triggers_do_not_move_it(bench: Bench, project: Path) -> None:
    """With a lock nothing but the file moves the pin."""
    locked(bench, project, **NEWEST)
    first = pinned(bench, LOCKED)
    upload(bench)

    assert pinned(bench, {**LOCKED, "triggers": [2]}, first)["package_id"] == "p2"


def test_words_beside_the_lock_must_be_the_locked_ones(bench: Bench, project: Path) -> None:
    """The selection of the program is compared with the locked one. An equal one changes only what is stored."""
    locked(bench, project, **NEWEST)
    first = pinned(bench, LOCKED)

    assert pinned(bench, {**LOCKED, **NEWEST}, first)["package_id"] == "p2"
    reported = problems(bench.silent(), {**LOCKED, **EXACT})
    assert reported.startswith('lock: "meter" is locked for another query')
    assert 'most_recent=None, version="V1"' in reported


def test_a_lock_that_comes_or_goes_keeps_the_package(bench: Bench, project: Path) -> None:
    """The same selection with a lock and without one is the same pin: nothing moves, for the file is what it held."""
    locked(bench, project, **NEWEST)
    query = pinned(bench, NEWEST)
    upload(bench)

    with_lock = pinned(bench, {**NEWEST, **LOCKED}, query)
    assert (with_lock["package_id"], with_lock["revision"]) == ("p2", 1)
    assert Pin.diff(bench.context, "pin", query, with_lock).changes
    again = pinned(bench, NEWEST, pinned(bench, LOCKED, with_lock))
    assert (again["package_id"], again["revision"]) == ("p2", 1)
    assert "locked_query" not in again


def test_a_time_in_another_form_keeps_the_package(bench: Bench, project: Path) -> None:
    """If a lock is removed and the query stays, nothing moves, even if the program writes its time in another form."""
    locked(bench, project, **NEWEST, created_after="2026-01-01T00:00:00Z")
    first = pinned(bench, LOCKED)
    upload(bench)

    again = pinned(bench, {**NEWEST, "created_after": "20260101T000000Z"}, first)

    assert (again["package_id"], again["revision"]) == ("p2", 1)


def test_expected_package(bench: Bench, project: Path) -> None:
    """What is locked must be the package that is expected."""
    locked(bench, project, **NEWEST)

    assert pinned(bench, {**LOCKED, "expected_package_id": "p2"})["package_id"] == "p2"
    reported = problems(bench, {**LOCKED, "expected_package_id": "p1"})
    assert "expected_package_id: is p1, but the pin returns p2 (V2)" in reported


def test_location_comes_from_the_file(bench: Bench, project: Path) -> None:
    """The location of the file is locked too, and returned without a request if it is requested."""
    locked(bench, project, **EXACT)
    bench.emulator.forget_requests()

    located = pinned(bench.silent(), {**LOCKED, "include_file_location": True})

    assert located["file_location"]["obs_location"]["object_key"] == "k"
    assert bench.count() == 0


def test_verify_asks(bench: Bench, project: Path) -> None:
    """verify=True reads the locked package at each preview. If it is gone, the preview fails."""
    locked(bench, project, **NEWEST)
    bench.emulator.forget_requests()
    first = pinned(bench, {**LOCKED, "verify": True})
    assert (bench.count(), bench.count("ShowOtaPackage")) == (1, 1)

    bench.emulator.delete_package("p2")

    reported = problems(bench, {**LOCKED, "verify": True}, first)
    assert "the locked package p2 does not exist any more" in reported
    assert "iotda-ota lock update meter" in reported
    assert pinned(bench.silent(), LOCKED, first)["package_id"] == "p2"


def test_refresh_tells_what_the_locked_query_gives_now(bench: Bench, project: Path) -> None:
    """A refresh reads the locked package. It sets available_version and exists, and nothing moves."""
    locked(bench, project, **NEWEST)
    first = pinned(bench, LOCKED)
    assert Pin.read(bench.context, "pin", first) == first
    upload(bench)

    read = Pin.read(bench.context, "pin", first)
    assert (read["available_version"], read["package_id"]) == ("V3", "p2")
    again = pinned(bench, LOCKED, first)
    assert not Pin.diff(bench.context, "pin", read, again).changes

    bench.emulator.delete_package("p2")
    assert Pin.read(bench.context, "pin", first)["exists"] is False
    # The state keeps what the refresh has seen, since the next preview sends no request.
    kept = Pin.update(
        bench.context, "pin", Pin.read(bench.context, "pin", first), {**again, "expected_package_id": "p2"}
    )
    assert kept["exists"] is False


def test_refresh_elsewhere_is_no_gone(bench: Bench, project: Path) -> None:
    """A refresh in another place than the locked one does not report the package as gone."""
    locked(bench, project, **NEWEST)
    first = pinned(bench, LOCKED)
    bench.emulator.delete_package("p2")
    bench.environ["HW_IOTDA_INSTANCE_ID"] = "other"

    with pytest.raises(IotdaOtaError, match="package p2 is not in the place of this connection"):
        Pin.read(bench.context, "pin", first)


@pytest.mark.parametrize("name", ["lock", "version"])
def test_what_is_unknown_leaves_the_package_unknown(bench: Bench, project: Path, name: str) -> None:
    """If the name of the lock or an argument beside it is unknown, the package is unknown."""
    locked(bench, project, **NEWEST)

    checked = Pin.check(bench.context, {}, {**LOCKED, name: UNKNOWN})

    assert checked.problems == []
    assert checked.inputs["package_id"] is UNKNOWN


@pytest.mark.parametrize(
    ("news", "reported"),
    [
        ({"lock": "other"}, f'lock: "other" is not locked in {LOCK_FILE}'),
        ({"lock": "a b"}, "lock: must be 1 to 64 letters"),
        (
            {"lock": "meter", "connection": {"project_id": "other"}},
            'lock: "meter" is locked for another endpoint, project or instance',
        ),
    ],
)
def test_what_does_not_answer_is_a_problem(bench: Bench, project: Path, news: dict[str, Any], reported: str) -> None:
    """A lock that cannot be used is a problem of that input, with the error of the lookup."""
    locked(bench, project, **NEWEST)

    assert reported in problems(bench, news)
