"""OtaPackagePin: what it resolves, what it keeps, when it moves, and that it never acts by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.iotda.errors import IotdaOtaError, ServiceError
from pulumi_iotda_ota.lifecycle.base import UNKNOWN
from pulumi_iotda_ota.lifecycle.pin import OUTPUTS, Pin
from tests.support.pins import EXACT, HIGHEST, NEWEST, pinned, problems, upload
from tests.support.resource_bench import package

if TYPE_CHECKING:
    from pulumi_iotda_ota.lifecycle.base import Properties
    from tests.support.resource_bench import Bench

SIGNED: dict[str, Any] = {
    "obs_location": {
        "region_name": "r",
        "bucket_name": "b-1",
        "object_key": "k",
        "sign_method": "SHA256",
        "sign": "ab" * 32,
    }
}


def test_check_resolves(bench: Bench) -> None:
    """The package is known once the inputs are checked, with all its fields, at revision 1."""
    inputs = pinned(bench, NEWEST)

    assert (inputs["package_id"], inputs["version"], inputs["revision"], inputs["exists"]) == ("p2", "V2", 1, True)
    assert inputs["created_at"] == "2026-02-01T00:00:00Z"
    assert inputs["identity"]["project_id"] == bench.emulator.project_id
    assert Pin.create(bench.context, inputs).outputs == inputs


def test_keeps_its_package(bench: Bench) -> None:
    """A newer upload moves no pin: the same selection keeps the package, for one request."""
    first = pinned(bench, NEWEST)
    upload(bench)
    bench.emulator.forget_requests()

    again = pinned(bench, NEWEST, first)

    assert again == first
    assert not Pin.diff(bench.context, "pin", first, again).changes
    assert (bench.count(), bench.count("ShowOtaPackage")) == (1, 1)


def test_what_travels_as_a_float_is_no_change(bench: Bench) -> None:
    """The engine carries whole numbers as floats and drops what is None; neither moves a pin."""
    first = pinned(bench, {**NEWEST, "triggers": {"wave": 1, "note": None}})
    stored = {**first, "revision": 1.0, "triggers": {"wave": 1.0}}

    again = pinned(bench, {**NEWEST, "triggers": {"wave": 1.0}}, stored)

    assert again["revision"] == 1
    assert not Pin.diff(bench.context, "pin", stored, again).changes


@pytest.mark.parametrize("change", [{"triggers": ["again"]}, {"allow_multiple_scopes": True}])
def test_moves_when_asked(bench: Bench, change: dict[str, Any]) -> None:
    """Other triggers, or another selection, select again. The revision grows if the package is another one."""
    first = pinned(bench, NEWEST)
    newest = upload(bench)

    moved = pinned(bench, {**NEWEST, **change}, first)

    assert (moved["package_id"], moved["revision"]) == (newest, 2)
    diff = Pin.diff(bench.context, "pin", first, moved)
    assert (diff.changes, diff.replaces) == (True, ())
    assert Pin.update(bench.context, "pin", first, moved) == moved


def test_revision_stays_with_the_package(bench: Bench) -> None:
    """If a new selection finds the same package, the revision stays."""
    first = pinned(bench, EXACT)

    assert pinned(bench, {**EXACT, "triggers": [2]}, first)["revision"] == 1


def test_a_default_that_is_written_out_is_no_change(bench: Bench) -> None:
    """Saying what is the default anyway does not move a pin."""
    first = pinned(bench, {**NEWEST, "allow_multiple_scopes": None})
    upload(bench)

    again = pinned(bench, {**NEWEST, "allow_multiple_scopes": False}, first)

    assert again["package_id"] == first["package_id"]
    assert not Pin.diff(bench.context, "pin", first, again).changes


def test_location_comes_and_goes_without_a_move(bench: Bench) -> None:
    """The package stays if a program starts or stops requesting the location of its file."""
    first = pinned(bench, NEWEST)
    upload(bench)
    located = pinned(bench, {**EXACT, "include_file_location": True})
    assert located["file_location"]["obs_location"]["object_key"] == "k"

    later = pinned(bench, {**EXACT, "include_file_location": True}, pinned(bench, EXACT))
    assert later["file_location"] == located["file_location"]
    assert pinned(bench, {**NEWEST, "include_file_location": True}, first)["package_id"] == "p2"
    assert "file_location" not in pinned(bench, EXACT, later)


def test_expected_package(bench: Bench) -> None:
    """A package other than the reviewed one is an error that names both, new or kept."""
    assert pinned(bench, {**NEWEST, "expected_package_id": "p2"})["package_id"] == "p2"
    reported = "expected_package_id: is p1, but the pin returns p2 (V2)"
    assert reported in problems(bench, {**NEWEST, "expected_package_id": "p1"})
    assert reported in problems(bench, {**NEWEST, "expected_package_id": "p1"}, pinned(bench, NEWEST))


def test_gone_package_fails_the_check(bench: Bench) -> None:
    """A pinned package that was deleted is an error at the preview, which says how to go on."""
    first = pinned(bench, EXACT)
    bench.emulator.delete_package("p1")

    reported = problems(bench, EXACT, first)

    assert "the pinned package p1 is gone" in reported
    assert "change triggers" in reported


def test_without_verify_nothing_is_sent(bench: Bench) -> None:
    """verify=False keeps a pin without a request and without credentials."""
    first = pinned(bench, EXACT)
    bench.emulator.delete_package("p1")
    bench.emulator.forget_requests()

    again = pinned(bench.silent(), {**EXACT, "verify": False}, first)

    assert again["package_id"] == "p1"
    assert bench.count() == 0


def test_refresh_tells_that_it_is_gone_and_never_moves(bench: Bench) -> None:
    """A refresh sets only exists=False. A check that sends no request does not undo it."""
    first = pinned(bench, {**EXACT, "verify": False})
    bench.emulator.delete_package("p1")

    read = Pin.read(bench.context, "pin", first)

    assert read == {**first, "exists": False}
    checked = pinned(bench, {**EXACT, "verify": False, "expected_package_id": "p1"}, first)
    assert Pin.update(bench.context, "pin", read, checked)["exists"] is False


def test_refresh_of_a_package_that_is_there(bench: Bench) -> None:
    """A refresh of an existing package changes nothing."""
    first = pinned(bench, EXACT)

    assert Pin.read(bench.context, "pin", first) == first


@pytest.mark.parametrize("setting", ["HW_IOTDA_INSTANCE_ID", "HW_REGION_NAME"])
def test_not_found_elsewhere_is_no_gone(bench: Bench, setting: str) -> None:
    """Under another identity "not found" is an error that says what differs, at the preview and at a refresh."""
    first = pinned(bench, EXACT)
    bench.emulator.delete_package("p1")
    bench.environ[setting] = "other"

    with pytest.raises(
        IotdaOtaError, match=r"package p1 is not in the place of this connection[\s\S]*is other and was"
    ):
        Pin.read(bench.context, "pin", first)
    assert "is other and was" in problems(bench, EXACT, first)


def test_a_moved_connection_keeps_a_package_that_is_there(bench: Bench) -> None:
    """A connection that is written otherwise, and finds the package, keeps it under the new identity."""
    first = pinned(bench, NEWEST)
    upload(bench)

    again = pinned(bench, {**NEWEST, "connection": {"instance_id": "i2"}}, first)

    assert (again["package_id"], again["identity"]["instance_id"]) == ("p2", "i2")
    assert Pin.diff(bench.context, "pin", first, again).changes


def test_a_404_of_a_gateway_is_no_gone(bench: Bench) -> None:
    """A 404 that does not come from the service itself is an error."""
    first = pinned(bench, EXACT)
    bench.emulator.faults.add(operation="ShowOtaPackage", error="method_absent", times=None)

    with pytest.raises(ServiceError, match="404"):
        Pin.read(bench.context, "pin", first)
    assert "404" in problems(bench, EXACT, first)


def test_a_wrong_space_is_no_gone(bench: Bench) -> None:
    """403 IOTDA.001000, the application does not exist, is an error."""
    first = pinned(bench, EXACT)
    bench.emulator.faults.add(operation="ShowOtaPackage", error="space_missing", times=None)

    with pytest.raises(ServiceError, match=r"IOTDA\.001000"):
        Pin.read(bench.context, "pin", first)


@pytest.mark.parametrize("name", ["version", "triggers", "package_type"])
def test_what_is_unknown_leaves_the_package_unknown(bench: Bench, name: str) -> None:
    """A selection that is not known yet sends nothing, and the package is not known, in a new pin or an old one."""
    first = pinned(bench, EXACT)
    bench.emulator.forget_requests()

    for olds in ({}, first):
        checked = Pin.check(bench.context, olds, {**EXACT, name: UNKNOWN})
        assert checked.problems == []
        assert checked.inputs["package_id"] is UNKNOWN
        assert Pin.diff(bench.context, "pin", first, checked.inputs).changes
    assert bench.count() == 0


def test_an_unknown_expectation_does_not_hide_the_package(bench: Bench) -> None:
    """Only what decides about the package must be known to show it."""
    assert pinned(bench, {**EXACT, "expected_package_id": UNKNOWN})["package_id"] == "p1"


def test_wrong_inputs_are_told_before_all_is_known(bench: Bench) -> None:
    """All wrong inputs are reported at once although another one is not known yet, and nothing is sent."""
    reported = problems(
        bench, {"package_type": "firmware", "version": UNKNOWN, "product_id": "a b", "highest_version": "yes"}
    )

    assert [line.partition(":")[0] for line in reported.splitlines()] == [
        "package_type",
        "product_id",
        "highest_version",
    ]
    assert bench.count() == 0


@pytest.mark.parametrize(
    ("news", "reported"),
    [
        ({**EXACT, "version": "V9"}, "no OTA package matches"),
        ({**NEWEST, "most_recent": False}, "2 OTA packages match"),
        ({"package_id": "p9"}, "there is no OTA package p9"),
        ({"package_id": "p1", "version": "V1"}, "package_id: excludes all other selection arguments"),
        ({"product_id": "meter"}, "package_type: is required"),
        ({**EXACT, "connection": {"project_id": "not/one"}}, "connection: project_id must be"),
    ],
)
def test_what_does_not_resolve_is_a_problem(bench: Bench, news: Properties, reported: str) -> None:
    """A selection without one match is a problem of the inputs, with the error of the lookup."""
    assert reported in problems(bench, news)


def test_refresh_tells_what_the_selection_would_give_now(bench: Bench) -> None:
    """Only a refresh sets available_version, a move empties it, and it is never a difference."""
    first = pinned(bench, NEWEST)
    assert first["available_version"] == ""
    newest = upload(bench)

    read = Pin.read(bench.context, "pin", first)

    assert read == {**first, "available_version": "V3"}
    again = pinned(bench, NEWEST, first)
    assert again["available_version"] == ""
    assert not Pin.diff(bench.context, "pin", read, again).changes
    located = pinned(bench, {**NEWEST, "include_file_location": True}, first)
    assert Pin.update(bench.context, "pin", read, located)["available_version"] == "V3"
    moved = pinned(bench, {**NEWEST, "triggers": [1]}, first)
    assert Pin.update(bench.context, "pin", read, moved)["available_version"] == ""
    assert moved["package_id"] == newest


@pytest.mark.parametrize(
    ("gone", "reported"), [("p2", "V1"), ("p1", "")], ids=["the pinned package is deleted", "another one is"]
)
def test_refresh_after_a_deletion(bench: Bench, gone: str, reported: str) -> None:
    """If the pinned package is gone, available_version is the version that the selection finds, even a lower one."""
    first = pinned(bench, NEWEST)
    bench.emulator.delete_package(gone)

    read = Pin.read(bench.context, "pin", first)

    assert (read["exists"], read["available_version"], read["package_id"]) == (gone != "p2", reported, "p2")


def test_a_lookup_that_fails_at_refresh_is_a_warning(bench: Bench) -> None:
    """The refresh continues, and keeps the value of the refresh before."""
    first = pinned(bench, NEWEST)
    upload(bench)
    read = Pin.read(bench.context, "pin", first)
    bench.emulator.faults.add(operation="ListOtaPackageInfo", error="space_missing", times=None)

    again = Pin.read(bench.context, "pin", read)

    assert again == read
    assert len(bench.warnings) == 1
    assert bench.warnings[0].startswith("the check for a newer version than V2 failed: ")


def test_a_selection_that_is_ambiguous_by_now_is_a_warning(bench: Bench) -> None:
    """A second package that fits does not fail the refresh of a pin that wants one."""
    first = pinned(bench, EXACT)
    bench.emulator.add_package(**package("p1b", "V1"))

    assert Pin.read(bench.context, "pin", first) == first
    assert "2 OTA packages match" in bench.warnings[0]


def test_a_pin_of_an_id_looks_for_nothing_newer(bench: Bench) -> None:
    """A package that was selected by its id has no newer one, and no list is requested."""
    first = pinned(bench, {"package_id": "p1"})
    bench.emulator.forget_requests()

    assert Pin.read(bench.context, "pin", first) == first
    assert (bench.count(), bench.count("ShowOtaPackage")) == (1, 1)


def test_another_selection_of_the_same_package_is_no_move(bench: Bench) -> None:
    """If a range finds the same package as an exact version, only the selection is stored again."""
    first = pinned(bench, EXACT)
    selection = {**HIGHEST, "version_constraint": "~1", "source_versions": ["V1"]}

    again = pinned(bench, selection, first)

    assert {name: again.get(name) for name in OUTPUTS} == {name: first.get(name) for name in OUTPUTS}
    diff = Pin.diff(bench.context, "pin", first, again)
    assert (diff.changes, diff.replaces) == (True, ())


def test_another_selection_that_finds_nothing_leaves_the_pin(bench: Bench) -> None:
    """A selection that finds nothing, or not the package that was reviewed, is refused before anything moves."""
    first = pinned(bench, EXACT)

    assert "no OTA package matches" in problems(bench, {**NEWEST, "version_constraint": "^9"}, first)
    assert "expected_package_id: is p1, but the pin returns p2" in problems(
        bench, {**NEWEST, "expected_package_id": "p1"}, first
    )


def test_the_revision_counts_moves_there_and_back(bench: Bench) -> None:
    """Each move to another package is one more, back to an earlier one too."""
    revisions = []
    state: Properties = {}
    for version in ("V1", "V2", "V2", "V1"):
        state = pinned(bench, {**EXACT, "version": version}, state)
        revisions.append(state["revision"])

    assert revisions == [1, 2, 2, 3]


def test_selection_words_reach_the_pin(bench: Bench) -> None:
    """Lists and flags of a selection decide in a pin as in a lookup, and are no change when they are said again."""
    selection = {
        **HIGHEST,
        "preferred_versions": ["V9", "V1"],
        "source_versions": ["V1"],
        "include_prereleases": True,
        "version_scheme": "loose",
    }
    first = pinned(bench, selection)
    upload(bench)

    again = pinned(bench, {**selection, "version_scheme": None, "allow_downgrade": False}, first)

    assert first["version"] == "V1"
    assert not Pin.diff(bench.context, "pin", first, again).changes


def test_a_checksum_is_no_lasting_cost(bench: Bench) -> None:
    """require_checksum sends its requests when the pin selects, not at each preview."""
    bench.emulator.add_package(**package("p4", "V4", file_location=SIGNED))
    signed = {**HIGHEST, "require_checksum": True}
    first = pinned(bench, signed)
    bench.emulator.forget_requests()

    again = pinned(bench, signed, first)

    assert (again["package_id"], bench.count()) == ("p4", 1)


def test_delete_needs_nothing(bench: Bench) -> None:
    """A pin is destroyed without a request and without credentials."""
    state = pinned(bench, EXACT)
    bench.emulator.forget_requests()

    Pin.delete(bench.silent().context, "pin", state)

    assert bench.count() == 0


def test_the_order_of_source_versions_says_nothing(bench: Bench) -> None:
    """Another order of source versions is the same selection and moves nothing. The order of preferences decides."""
    query = {"package_type": "firmwarePackage", "product_id": "meter", "highest_version": True}
    first = Pin.check(bench.context, {}, {**query, "source_versions": ["0.9", "0.8"]})
    sent = bench.count()

    again = Pin.check(bench.context, first.inputs, {**query, "source_versions": ["0.8", "0.9"], "verify": False})

    assert (first.problems, again.problems, bench.count()) == ([], [], sent)
    assert again.inputs["source_versions"] == first.inputs["source_versions"]
    for preferred in (["V1", "V2"], ["V2", "V1"]):
        assert pinned(bench, {**query, "preferred_versions": preferred})["version"] == preferred[0]
