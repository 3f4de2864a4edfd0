"""OtaPackage: one package of an object in OBS, whatever becomes of the request that creates it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pulumi_iotda_ota.emulator.behavior import Switches
from pulumi_iotda_ota.iotda.errors import CredentialsError, InputError, IotdaOtaError, OutcomeUnknown, ServiceError
from pulumi_iotda_ota.lifecycle.ota_package.resource import Package
from tests.support.resource_packages import INPUTS, OBJECT, SIGN, add, create, created_ids, inputs, problems

if TYPE_CHECKING:
    from tests.support.resource_bench import Bench


def test_it_is_looked_for_and_asked_for_once(bench: Bench) -> None:
    """A package is searched for at the preview and at the update, requested once, and its response is the outputs."""
    created = create(bench.context)

    operations = [request.operation for request in bench.emulator.requests]
    assert operations == ["ListOtaPackageInfo", "ListOtaPackageInfo", "CreateOtaPackage"]
    stored = bench.emulator.packages[0]
    assert stored["file_location"]["obs_location"] == {**OBJECT, "sign_method": "SHA256"}
    assert {name: stored[name] for name in INPUTS if name != "obs_location"} == {
        name: value for name, value in INPUTS.items() if name != "obs_location"
    }
    assert (created.id, created.outputs["package_id"]) == (stored["package_id"], stored["package_id"])
    assert created.outputs["created_at"] == "2026-11-22T12:00:00Z"
    assert (created.outputs["exists"], created.outputs["obs_location"]) == (True, OBJECT)
    assert created.outputs["identity"]["endpoint"] == bench.emulator.endpoint


def test_what_is_left_out_is_not_sent(bench: Bench) -> None:
    """A package without texts is sent without them, and supports all versions."""
    created = create(bench.context, description=None, custom_info=None, support_source_versions=None)

    (request,) = [request for request in bench.emulator.requests if request.operation == "CreateOtaPackage"]
    assert json.loads(request.body).keys() == {
        "app_id",
        "package_type",
        "product_id",
        "version",
        "file_location",
    }
    assert created.outputs["support_source_versions"] == []


def test_a_module_has_its_name(bench: Bench) -> None:
    """Modules of one product and version are separate packages."""
    module = {"package_type": "modulePackage", "module_name": "radio"}
    create(bench.context, **module)
    create(bench.context, **{**module, "module_name": "screen"})

    assert [package["module_name"] for package in bench.emulator.packages[:2]] == ["screen", "radio"]


# Adoption ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"support_source_versions": ["V6", "V5"]},
        {"obs_location": {**OBJECT, "sign_method": "SHA256", "sign": SIGN.upper()}},
    ],
    ids=str,
)
def test_an_equal_package_is_taken_over(bench: Bench, change: dict[str, Any]) -> None:
    """A package with equal fields and an equal object was left by an interrupted run. It is adopted with a warning."""
    package_id = add(bench, **change)

    created = create(bench.context)

    assert (created.id, bench.count("CreateOtaPackage")) == (package_id, 0)
    (warning,) = bench.warnings
    assert f"exists already and is adopted: package {package_id}" in warning
    assert not Package.diff(bench.context, created.id, created.outputs, inputs()).changes


def test_a_checksum_that_was_not_asked_for(bench: Bench) -> None:
    """A checksum that the service computed itself does not prevent an adoption."""
    package_id = add(bench)

    assert create(bench.context, obs_location={**OBJECT, "sign": None}).id == package_id


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        ({"description": "another"}, "description differs"),
        ({"description": None}, "description differs"),
        ({"custom_info": "hush"}, "custom_info differs"),
        ({"support_source_versions": None}, r"support_source_versions is none, not \['V5', 'V6'\]"),
        ({"obs_location": {**OBJECT, "bucket_name": "other"}}, 'bucket_name is "other", not "firmware"'),
        ({"obs_location": {**OBJECT, "region_name": "r"}}, 'region_name is "r", not "cn-north-4"'),
        ({"obs_location": {**OBJECT, "object_key": "x.bin"}}, 'object_key is "x.bin", not "meter/V7.bin"'),
        ({"obs_location": {**OBJECT, "sign": "cd" * 32}}, f'sign is "{"cd" * 32}", not "{SIGN}"'),
        ({"obs_location": {**OBJECT, "sign": None}}, "sign is none, not"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_package_that_agrees_in_part_is_an_error(bench: Bench, change: dict[str, Any], reported: str) -> None:
    """A package that differs in some inputs is an error that names them at the preview, and nothing is sent."""
    package_id = add(bench, **change)

    at_preview = problems(bench.context)
    with pytest.raises(IotdaOtaError, match="version V7 exists already") as caught:
        Package.create(bench.context, inputs())

    assert str(caught.value) in at_preview
    assert re.search(reported, " ".join(at_preview.split()))
    assert package_id in at_preview
    assert "hush" not in at_preview
    assert created_ids(bench) == [package_id]


def test_a_file_that_is_not_told_is_not_taken_for_ours(bench: Bench) -> None:
    """A package whose object the service does not return differs."""
    add(bench)
    bench.emulator.faults.add(operation="ShowOtaPackage", times=None, merge={"file_location": None})

    with pytest.raises(IotdaOtaError, match=r"bucket_name is none"):
        Package.create(bench.context, inputs())


@pytest.mark.parametrize("error", ["denied", "invalid"])
def test_a_twin_that_can_not_be_read(bench: Bench, error: str) -> None:
    """If the service refuses to show a package that may be equal, no second one is created."""
    package_id = add(bench)
    bench.emulator.faults.add(operation="ShowOtaPackage", error=error)

    with pytest.raises(ServiceError, match="refused to read an OTA package"):
        Package.create(bench.context, inputs())
    assert (bench.count("CreateOtaPackage"), created_ids(bench)) == (0, [package_id])


def test_the_newest_equal_one_of_several(bench: Bench) -> None:
    """Of several twins, the newest that equals every input is adopted."""
    add(bench)
    equal = add(bench)
    add(bench, description="another")

    assert create(bench.context).id == equal


def test_one_that_goes_while_it_is_looked_at(bench: Bench) -> None:
    """A twin that is deleted between the list and its file was none."""
    package_id = add(bench)
    bench.emulator.faults.add(operation="ShowOtaPackage", before=lambda: bench.emulator.delete_package(package_id))

    assert Package.create(bench.context, inputs()).id != package_id


def test_one_package_has_one_resource(bench: Bench) -> None:
    """Two resources of one program that describe one OTA package are an error: destroying one would delete both."""
    context = bench.context
    create(context)

    with pytest.raises(InputError, match="two resources declare the same OTA package"):
        Package.create(context, inputs())


# Lost answers --------------------------------------------------------------------------------------------------------

LOST = {
    "dropped": {"accept": True, "wire": "drop"},
    "reset": {"accept": True, "wire": "reset"},
    "cut": {"accept": True, "wire": "cut"},
    "garbage": {"accept": True, "wire": "garbage"},
    "no JSON": {"accept": True, "status": 201, "body": "<html>created</html>"},
    "of another shape": {"merge": {"package_id": None}},
    "500": {"accept": True, "error": "internal"},
    "504": {"accept": True, "error": "gateway_timeout"},
}
UNKNOWN_OUTCOMES = {
    "dropped": {"wire": "drop"},
    "500": {"error": "internal"},
    "503": {"error": "iam_down"},
    "504": {"error": "gateway_timeout"},
}


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
@pytest.mark.parametrize("duplicates", ["accept", "refuse"])
def test_an_accepted_request_whose_answer_is_lost(bench: Bench, fault: dict[str, Any], duplicates: Any) -> None:
    """If the response is lost, the package is found in the same run, and the request is not repeated."""
    bench.emulator.switches = Switches(duplicate_packages=duplicates)
    bench.emulator.faults.add(operation="CreateOtaPackage", **fault)

    created = create(bench.context)

    assert bench.count("CreateOtaPackage") == 1
    assert created_ids(bench) == [created.id]


@pytest.mark.parametrize("seconds", [1, 28, 110])
def test_a_request_that_is_accepted_late(bench: Bench, seconds: float) -> None:
    """A package that appears within two minutes after its response was lost is adopted."""

    def accept_later(request: Any) -> bool:
        bench.time.after(seconds, lambda: bench.emulator.add_package(**json.loads(request.body)))
        return True

    bench.emulator.faults.add(operation="CreateOtaPackage", match=accept_later, wire="drop")

    created = create(bench.context)

    assert bench.count("CreateOtaPackage") == 1
    assert created_ids(bench) == [created.id]


@pytest.mark.parametrize("fault", UNKNOWN_OUTCOMES.values(), ids=UNKNOWN_OUTCOMES)
def test_an_unknown_outcome_ends_after_two_minutes(bench: Bench, fault: dict[str, Any]) -> None:
    """A request that may have been accepted is not repeated: after two minutes the run fails."""
    bench.emulator.faults.add(operation="CreateOtaPackage", **fault)

    with pytest.raises(
        OutcomeUnknown, match=r"unknown whether the OTA package was created[\s\S]*run pulumi up again"
    ) as caught:
        create(bench.context)

    assert ("requested", "firmwarePackage of product meter, version V7") in caught.value.facts
    assert bench.count("CreateOtaPackage") == 1
    assert sum(bench.time.slept) == pytest.approx(120)
    created = create(bench.context)
    assert created_ids(bench) == [created.id]


@pytest.mark.parametrize("error", ["invalid", "denied", "space_missing", "package_exists"])
def test_a_refused_request_creates_nothing(bench: Bench, error: str) -> None:
    """A request that the service refuses is an error at once, sent once."""
    bench.emulator.faults.add(operation="CreateOtaPackage", error=error)

    with pytest.raises(ServiceError, match="Huawei Cloud refused to create an OTA package"):
        create(bench.context)
    assert (bench.count("CreateOtaPackage"), created_ids(bench), bench.time.slept) == (1, [], [])


def test_a_missing_agency_is_told(bench: Bench) -> None:
    """A 403 of an operation on packages points to the agency that lets the service read the object."""
    bench.emulator.faults.add(
        operation="CreateOtaPackage", status=403, body={"error_code": "IOTDA.014999", "error_msg": "No permission."}
    )

    with pytest.raises(ServiceError, match=r"iotda_admin_trust lacks obs:object:GetObject, and KMS\s+Administrator"):
        create(bench.context)


def test_what_a_creation_names_and_is_not_there(bench: Bench) -> None:
    """A 404 of the service at a creation points to what the package names."""
    bench.emulator.faults.add(
        operation="CreateOtaPackage",
        status=404,
        body={"error_code": "IOTDA.014281", "error_msg": "The module does not exist."},
    )

    with pytest.raises(ServiceError, match="check product_id, module_name and obs_location"):
        create(bench.context)


def test_throttling_is_no_acceptance(bench: Bench) -> None:
    """A request that was throttled was not accepted, and is sent again."""
    bench.emulator.faults.add(operation="CreateOtaPackage", error="throttled")

    created = create(bench.context)

    assert bench.count("CreateOtaPackage") == 2
    assert created_ids(bench) == [created.id]


def test_refused_credentials_create_nothing(bench: Bench) -> None:
    """Credentials that are refused end the create at once."""
    bench.environ["HW_SECRET_KEY"] = "another"

    with pytest.raises(CredentialsError):
        Package.create(bench.context, inputs())
    assert bench.count("CreateOtaPackage") == 0


FAULTS = [*LOST.values(), *UNKNOWN_OUTCOMES.values(), {"error": "throttled"}, {"error": "invalid"}, {"delay": 0.0}]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(FAULTS), max_size=3))
def test_runs_that_fail_in_any_way_end_with_one_package(bench: Bench, faults: list[dict[str, Any]]) -> None:
    """However the requests of several runs fail, a run that succeeds leaves exactly one package, which it knows."""
    bench.emulator.reset()
    for fault in faults:
        bench.emulator.faults.add(operation="CreateOtaPackage", **fault)
        try:
            create(bench.context, connection={"max_attempts": 1})
        except IotdaOtaError:
            pass
        else:
            break

    bench.emulator.faults.clear()
    created = create(bench.context)
    assert created_ids(bench) == [created.id]
