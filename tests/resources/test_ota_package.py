"""OtaPackage: its inputs, what a change of one does, refresh and destroy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.emulator.behavior import Switches
from pulumi_iotda_ota.iotda.errors import ConfigurationError, IotdaOtaError, ServiceError
from pulumi_iotda_ota.lifecycle.base import UNKNOWN, Created, Properties
from pulumi_iotda_ota.lifecycle.ota_package.resource import Package
from tests.support.resource_packages import INPUTS, OBJECT, SIGN, create, created_ids, inputs, problems

if TYPE_CHECKING:
    from tests.support.resource_bench import Bench

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"package_type": "firmware"}, "package_type: must be one of .*did you mean firmwarePackage"),
    ({"app_id": None}, "app_id: is required"),
    ({"product_id": "a b"}, "product_id: must be 1 to 36 letters"),
    ({"version": "1+0"}, "version: must be 1 to 256 letters"),
    ({"module_name": "radio"}, "module_name: is only for a modulePackage"),
    ({"package_type": "modulePackage"}, "module_name: is required for a modulePackage"),
    ({"package_type": "modulePackage", "module_name": "a/b"}, "module_name: must be 1 to 64 letters"),
    ({"description": "d" * 1025}, "description: must be at most 1,024 characters, not 1,025$"),
    ({"custom_info": "c" * 4097}, "custom_info: must be at most 4,096 characters, not 4,097$"),
    ({"support_source_versions": [f"V{n}" for n in range(21)]}, "support_source_versions: has 21 items; at most 20"),
    ({"support_source_versions": ["V 1"]}, "support_source_versions: has an item that must be"),
    ({"support_source_versions": "V1"}, "support_source_versions: must be a list"),
    ({"obs_location": None}, "obs_location: is required"),
    ({"obs_location": "obs://firmware/V7.bin"}, "obs_location: must be an object"),
    ({"obs_location": {**OBJECT, "key": "x"}}, "obs_location.key: is not a field of it"),
    ({"obs_location": {"region_name": "r", "object_key": "k.bin"}}, "obs_location.bucket_name: is required"),
    ({"obs_location": {**OBJECT, "region_name": "cn_north"}}, "obs_location.region_name: must be 1 to 256"),
    ({"obs_location": {**OBJECT, "bucket_name": "Firmware"}}, "obs_location.bucket_name: must be 3 to 63 lower-case"),
    ({"obs_location": {**OBJECT, "object_key": "k" * 1021 + ".bin"}}, "obs_location.object_key: must be 1 to 1,024"),
    ({"obs_location": {**OBJECT, "object_key": "V7.hex"}}, r"obs_location.object_key: must end with one of \.bin"),
    ({"obs_location": {**OBJECT, "sign_method": "MD5"}}, 'obs_location.sign_method: must be SHA256, not "MD5"'),
    ({"obs_location": {**OBJECT, "sign": "abc"}}, "obs_location.sign: must be a SHA-256 checksum"),
    ({"obs_location": {**OBJECT, "sign": 7}}, "obs_location.sign: must be a string"),
    ({"allow_replace": "yes"}, "allow_replace: must be True or False"),
]


@pytest.mark.parametrize(("change", "reported"), WRONG, ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("olds", [{}, INPUTS], ids=["new", "changed"])
def test_wrong_inputs_are_told_before_anything_is_sent(
    bench: Bench, olds: Properties, change: dict[str, Any], reported: str
) -> None:
    """A value that breaks a documented limit is reported with its name, and nothing is sent."""
    assert re.search(reported, problems(bench.silent().context, olds, **change), re.MULTILINE)
    assert bench.emulator.requests == []


def test_all_wrong_inputs_are_told_at_once(bench: Bench) -> None:
    """Several wrong values are reported together, and no free text is repeated."""
    long = "hush " * 1000
    location = {"bucket_name": "B", "object_key": "k"}

    reported = problems(bench.silent().context, app_id="a b", custom_info=long, obs_location=location, module_name="m")

    for name in ("app_id", "custom_info", "region_name", "bucket_name", "object_key", "module_name"):
        assert name in reported
    assert "hush" not in reported


@pytest.mark.parametrize("key", ["a.BIN", "a.tar.gz", "a.tar.xz", "a.pack", "a.img", "dir with space/ä.zip"])
def test_documented_files(bench: Bench, key: str) -> None:
    """Each documented kind of file is taken, capitals or not."""
    assert problems(bench.context, obs_location={**OBJECT, "object_key": key}) == ""


@pytest.mark.parametrize(
    "unknown",
    [
        {"version": UNKNOWN},
        {"package_type": UNKNOWN, "module_name": "radio"},
        {"package_type": "modulePackage", "module_name": UNKNOWN},
        {"obs_location": UNKNOWN},
        {"obs_location": {**OBJECT, "object_key": UNKNOWN}},
        {"support_source_versions": [UNKNOWN, "V1"]},
        {"description": UNKNOWN},
    ],
    ids=str,
)
def test_what_is_not_known_yet_is_taken_to_be_right(bench: Bench, unknown: dict[str, Any]) -> None:
    """An input that is not known yet sends nothing and comes back as it was."""
    checked = Package.check(bench.silent().context, {}, inputs(**unknown))

    assert checked.problems == []
    assert checked.inputs == inputs(**unknown)
    assert bench.emulator.requests == []


def test_what_is_known_of_an_object_is_judged(bench: Bench) -> None:
    """A wrong field beside one that is not known yet is reported."""
    location = {**OBJECT, "object_key": UNKNOWN, "bucket_name": "B"}

    assert "bucket_name" in problems(bench.silent().context, obs_location=location)


# Changes -------------------------------------------------------------------------------------------------------------

FILES = [
    {"package_type": "softwarePackage"},
    {"app_id": "water"},
    {"product_id": "pump"},
    {"version": "V8"},
    {"obs_location": {**OBJECT, "object_key": "other.bin"}},
    {"obs_location": {**OBJECT, "sign": "cd" * 32}},
    {"obs_location": {**OBJECT, "bucket_name": "other"}},
    {"obs_location": {**OBJECT, "region_name": "cn-east-3"}},
]
TEXTS = [{"description": "new"}, {"custom_info": None}, {"support_source_versions": ["V6"]}]


@pytest.mark.parametrize("change", FILES, ids=str)
def test_another_file_is_another_package(bench: Bench, change: dict[str, Any]) -> None:
    """A change of type, space, product, version or object replaces the package, the new one first."""
    created = create(bench.context)

    assert problems(bench.context, inputs(), **change) == ""
    diff = Package.diff(bench.context, created.id, created.outputs, inputs(**change))
    assert (diff.changes, diff.replaces, diff.delete_first) == (True, tuple(change), False)


def test_another_module_is_another_package(bench: Bench) -> None:
    """A change of the module replaces the package."""
    module = inputs(package_type="modulePackage", module_name="radio")

    assert Package.diff(bench.context, "p", module, {**module, "module_name": "screen"}).replaces == ("module_name",)


@pytest.mark.parametrize("change", TEXTS, ids=str)
def test_other_texts_are_refused_at_the_preview(bench: Bench, change: dict[str, Any]) -> None:
    """A change of what is written about a package is refused without allow_replace, and with it replaces."""
    created = create(bench.context)
    (name,) = change

    reported = " ".join(problems(bench.silent().context, inputs(), **change).split())
    assert f"a change of {name} replaces the package" in reported
    assert "a new one has another package_id, and a task with another package is a new task" in reported
    assert f"restore {name}, or set allow_replace=True" in reported
    assert "secret-of-the-fleet" not in reported
    assert problems(bench.silent().context, inputs(), **change, allow_replace=True) == ""
    diff = Package.diff(bench.context, created.id, created.outputs, inputs(**change, allow_replace=True))
    assert (diff.replaces, diff.delete_first) == ((name,), False)


def test_other_texts_of_another_file_need_no_leave(bench: Bench) -> None:
    """A new version with a new description is a new package anyway."""
    assert problems(bench.silent().context, inputs(), version="V8", description="new") == ""


@pytest.mark.parametrize(
    "same",
    [
        {"support_source_versions": ["V6", "V5", "V6"]},
        {"obs_location": {**OBJECT, "sign_method": "SHA256"}},
        {"obs_location": {**OBJECT, "sign": SIGN.upper()}},
    ],
    ids=str,
)
def test_what_means_the_same_is_no_change(bench: Bench, same: dict[str, Any]) -> None:
    """Order, capitals and defaults change nothing, and an unchanged package sends nothing."""
    created = create(bench.context)
    bench.emulator.forget_requests()

    assert problems(bench.silent().context, inputs(), **same) == ""
    assert not Package.diff(bench.context, created.id, created.outputs, inputs(**same)).changes
    assert bench.emulator.requests == []


def test_a_package_of_last_year_still_previews(bench: Bench) -> None:
    """What was good enough when a package was created is not judged again."""
    old = inputs(obs_location={**OBJECT, "object_key": "V7.hex"})

    assert Package.check(bench.silent().context, old, old).problems == []
    assert Package.check(bench.silent().context, old, {**old, "allow_replace": "yes"}).problems != []


@pytest.mark.parametrize("name", ["version", "obs_location"])
def test_a_file_that_is_not_known_yet_may_be_another(bench: Bench, name: str) -> None:
    """If an input of the file is unknown, the preview shows a replacement."""
    created = create(bench.context)

    assert Package.diff(bench.context, created.id, created.outputs, inputs(**{name: UNKNOWN})).replaces == (name,)


def test_a_text_that_is_not_known_yet(bench: Bench) -> None:
    """A text that is not known yet replaces nothing at the preview, unless it may: another one would be refused."""
    created = create(bench.context)
    unknown = inputs(description=UNKNOWN)

    assert problems(bench.silent().context, inputs(), description=UNKNOWN) == ""
    assert not Package.diff(bench.context, created.id, created.outputs, unknown).changes
    allowed = {**unknown, "allow_replace": True}
    assert Package.diff(bench.context, created.id, created.outputs, allowed).replaces == ("description",)


def replaced(bench: Bench, **change: Any) -> tuple[Created, Created]:
    """Replace a package as the engine does: check, diff, check without the old inputs, create."""
    before = create(bench.context)
    context = bench.context
    assert Package.check(context, inputs(), inputs(**change)).problems == []
    assert Package.diff(context, before.id, before.outputs, inputs(**change)).replaces
    assert problems(context, **change) == ""
    after = Package.create(context, inputs(**change))
    Package.delete(context, before.id, before.outputs)
    return before, after


@pytest.mark.parametrize("change", [*FILES[3:5], {"description": "new", "allow_replace": True}], ids=str)
def test_a_replacement_leaves_the_new_one(bench: Bench, change: dict[str, Any]) -> None:
    """The package to be replaced does not block its replacement, and is deleted after it."""
    before, after = replaced(bench, **change)

    assert before.id != after.id
    ids = [package["package_id"] for package in bench.emulator.packages]
    assert after.id in ids
    assert before.id not in ids


def test_a_service_that_takes_one_package_of_a_version(bench: Bench) -> None:
    """If the service refuses a second package of the version, the error says how to delete the old one first."""
    bench.emulator.switches = Switches(duplicate_packages="refuse")

    with pytest.raises(
        ServiceError, match=r"which\s+is\s+kept\s+until\s+the\s+new\s+one\s+exists[\s\S]*delete_before_replace=True"
    ):
        replaced(bench, description="new", allow_replace=True)
    assert len(created_ids(bench)) == 1


def test_other_inputs_alter_the_state_alone(bench: Bench) -> None:
    """allow_replace and another connection are stored in place."""
    created = create(bench.context)
    bench.emulator.forget_requests()
    news = inputs(allow_replace=True, connection={"deadline": 30})

    diff = Package.diff(bench.context, created.id, created.outputs, news)
    state = Package.update(bench.context, created.id, created.outputs, news)

    assert (diff.changes, diff.replaces) == (True, ())
    assert state == {**created.outputs, "allow_replace": True, "connection": {"deadline": 30}}
    assert [request.operation for request in bench.emulator.requests] == ["ShowOtaPackage"]
    assert "allow_replace" not in Package.update(bench.context, created.id, state, inputs())


def test_another_connection_must_lead_to_it(bench: Bench) -> None:
    """A connection under which the package is not found is refused, and the state keeps the old one."""
    created = create(bench.context)
    bench.emulator.delete_package(created.id)

    with pytest.raises(IotdaOtaError, match="is not in the place of this connection"):
        Package.update(bench.context, created.id, created.outputs, inputs(connection={"instance_id": "i2"}))


# Refresh and destroy -------------------------------------------------------------------------------------------------


def test_refresh_of_a_package_that_is_gone_starts_nothing(bench: Bench) -> None:
    """A refresh reports that a package is gone. That is no change, and a destroy succeeds."""
    created = create(bench.context)
    bench.emulator.delete_package(created.id)
    bench.emulator.forget_requests()

    state = Package.read(bench.context, created.id, created.outputs)

    assert state == {**created.outputs, "exists": False}
    assert [request.operation for request in bench.emulator.requests] == ["ShowOtaPackage"]
    assert Package.check(bench.silent().context, inputs(), inputs()).problems == []
    assert not Package.diff(bench.context, created.id, state, inputs()).changes
    Package.delete(bench.context, created.id, state)
    assert created_ids(bench) == []


def location(**changes: str) -> dict[str, Any]:
    """Return the file location of the package with other values in it."""
    return {"obs_location": {**OBJECT, **changes}}


@pytest.mark.parametrize(
    ("name", "value", "reported"),
    [
        ("package_type", "softwarePackage", 'package_type is "softwarePackage", not "firmwarePackage"'),
        ("app_id", "water", 'app_id is "water", not "energy"'),
        ("product_id", "valve", 'product_id is "valve", not "meter"'),
        ("module_name", "radio", 'module_name is "radio", not none'),
        ("version", "V9", 'version is "V9", not "V7"'),
        ("support_source_versions", ["V5"], "support_source_versions is "),
        ("description", "other", "description differs"),
        ("custom_info", "other", "custom_info differs"),
        ("create_time", "20270606T000000Z", 'create_time is "20270606T000000Z", not '),
        ("file_location", location(object_key="other.bin"), 'obs_location.object_key is "other.bin", not '),
        ("file_location", location(sign="cd" * 32), "obs_location.sign is "),
    ],
)
def test_refresh_reports_what_the_service_describes_differently(
    bench: Bench, name: str, value: object, reported: str
) -> None:
    """If the service describes the package differently, a refresh warns with both values, and keeps the inputs."""
    created = create(bench.context)
    bench.emulator.faults.add(operation="ShowOtaPackage", merge={name: value}, times=None)

    state = Package.read(bench.context, created.id, created.outputs)

    (warning,) = bench.warnings
    assert f"package {created.id} has changed since it was created: " in warning
    assert reported in warning
    assert {name: state[name] for name in INPUTS} == {name: created.outputs[name] for name in INPUTS}


@pytest.mark.parametrize("name", ["support_source_versions", "description", "custom_info", "file_location"])
def test_what_the_service_leaves_out_is_no_difference(bench: Bench, name: str) -> None:
    """If the service returns a field no longer, or in another form, a refresh reports nothing."""
    created = create(bench.context)
    form = {"create_time": created.outputs["created_at"], name: None}
    bench.emulator.faults.add(operation="ShowOtaPackage", edit=lambda package: {**package, **form}, times=None)

    Package.read(bench.context, created.id, created.outputs)

    assert bench.warnings == []


def test_refresh_finds_it_again(bench: Bench) -> None:
    """A package that is found over another instance exists, and belongs there from then on."""
    created = create(bench.context)
    bench.environ["HW_IOTDA_INSTANCE_ID"] = "i2"

    state = Package.read(bench.context, created.id, {**created.outputs, "exists": False})

    assert (state["exists"], state["identity"]["instance_id"]) == (True, "i2")


@pytest.mark.parametrize("setting", ["HW_IOTDA_INSTANCE_ID", "HW_REGION_NAME"])
@pytest.mark.parametrize("method", ["read", "delete"])
def test_not_found_elsewhere_is_no_gone(bench: Bench, setting: str, method: str) -> None:
    """Under another identity "not found" is an error that says what differs, at a refresh and at a destroy."""
    created = create(bench.context)
    bench.emulator.delete_package(created.id)
    bench.environ[setting] = "other"

    with pytest.raises(IotdaOtaError, match=r"is not in the place of this connection[\s\S]*is other and was"):
        getattr(Package, method)(bench.context, created.id, created.outputs)


@pytest.mark.parametrize("error", ["space_missing", "project", "method_absent", "unknown_uri"])
@pytest.mark.parametrize(("method", "operation"), [("read", "ShowOtaPackage"), ("delete", "DeleteOtaPackage")])
def test_other_refusals_are_no_gone(bench: Bench, error: str, method: str, operation: str) -> None:
    """403 IOTDA.001000, a wrong project and a 404 of a gateway are errors. The package stays in the state."""
    created = create(bench.context)
    bench.emulator.faults.add(operation=operation, error=error, times=None)

    with pytest.raises(ServiceError):
        getattr(Package, method)(bench.context, created.id, created.outputs)
    assert created_ids(bench) == [created.id]


def test_a_destroy_deletes_it(bench: Bench) -> None:
    """A destroy deletes the package, even if the first response is lost."""
    created = create(bench.context)
    bench.emulator.faults.add(operation="DeleteOtaPackage", accept=True, wire="drop")

    Package.delete(bench.context, created.id, created.outputs)

    assert created_ids(bench) == []
    assert bench.count("DeleteOtaPackage") == 2


def test_a_forced_replacement_keeps_the_package(bench: Bench) -> None:
    """A forced replacement does not delete the package that it adopted."""
    created = create(bench.context)
    context = bench.context
    assert Package.create(context, inputs()).id == created.id

    Package.delete(context, created.id, created.outputs)

    assert created_ids(bench) == [created.id]
    assert "another resource of the stack owns it now" in bench.warnings[-1]


def test_a_place_that_is_not_complete_sends_nothing(bench: Bench) -> None:
    """Without a connection a new package fails the preview with what is missing."""
    assert "connection: the connection is incomplete" in problems(bench.silent().context)
    with pytest.raises(ConfigurationError):
        Package.create(bench.silent().context, inputs())
