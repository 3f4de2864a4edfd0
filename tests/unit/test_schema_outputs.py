"""The table of outputs against the classes of results and resources, which are written by hand."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest
from pydantic import TypeAdapter

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota.functions import results
from pulumi_iotda_ota.iotda import models
from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
from pulumi_iotda_ota.lifecycle import completion, confirmation
from pulumi_iotda_ota.lifecycle.ota_package import resource as ota_package
from pulumi_iotda_ota.schema import outputs

if TYPE_CHECKING:
    from pulumi_iotda_ota.schema.outputs import Object, Output

CLASSES = [
    (iotda_ota.GetOtaPackageResult, outputs.GET_OTA_PACKAGE),
    (iotda_ota.GetOtaPackagesResult, outputs.GET_OTA_PACKAGES),
    (iotda_ota.OtaPackageResult, outputs.PACKAGE.fields),
    (iotda_ota.SkippedPackage, outputs.SKIPPED_PACKAGE.fields),
    (iotda_ota.GetUpgradeTaskResult, outputs.GET_UPGRADE_TASK),
    (results.FailingDeviceResult, outputs.FAILING_DEVICE.fields),
    (results.TaskProgressResult, outputs.TASK_PROGRESS.fields),
    (results.FileLocationResult, outputs.FILE_LOCATION.fields),
    (results.ObsLocationResult, outputs.OBS_LOCATION.fields),
]
RESOURCES = [
    (iotda_ota.OtaPackage, outputs.OTA_PACKAGE),
    (iotda_ota.OtaPackagePin, outputs.OTA_PACKAGE_PIN),
    (iotda_ota.UpgradeTask, outputs.UPGRADE_TASK),
    (iotda_ota.UpgradeTaskCompletion, outputs.UPGRADE_TASK_COMPLETION),
    (iotda_ota.UpgradeTaskConfirmation, outputs.UPGRADE_TASK_CONFIRMATION),
]
EVERY: list[Output] = [
    *(output for _, table in (*CLASSES, *RESOURCES) for output in table),
    *(output for item in outputs.OBJECTS.values() for output in item.fields),
]


@pytest.mark.parametrize(("result", "table"), CLASSES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_result_has_the_outputs_of_the_table(result: type, table: tuple[Output, ...]) -> None:
    """A result class has an attribute for each output of the table and no other."""
    attributes = {name for name, _ in inspect.getmembers(result, lambda value: isinstance(value, property))}

    assert attributes == {output.name for output in table}


@pytest.mark.parametrize(("resource", "table"), RESOURCES, ids=lambda value: getattr(value, "__name__", ""))
def test_a_resource_has_the_outputs_of_the_table(resource: type, table: tuple[Output, ...]) -> None:
    """A resource class announces each output of the table and no other; where it was made is for us alone."""
    announced = set(inspect.get_annotations(resource))

    assert announced == {output.name for output in table} - {"identity"}


@pytest.mark.parametrize(
    ("model", "table"),
    [
        (models.OtaPackage, outputs.PACKAGE),
        (models.FileLocation, outputs.FILE_LOCATION),
        (models.ObsLocation, outputs.OBS_LOCATION),
        (models.TaskProgress, outputs.TASK_PROGRESS),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_table_has_the_fields_of_the_service(model: type[object], table: Object) -> None:
    """What the service answers is in the table, and is optional there where it is optional here."""
    described = TypeAdapter(model).json_schema()
    fields = {name: name not in described.get("required", ()) for name in described["properties"]}
    told = {output.name: output.optional for output in table.fields if output.name != "created_at"}

    # An array that is missing is an empty one.
    assert told == {name: optional and name != "support_source_versions" for name, optional in fields.items()}


def test_the_identity_is_that_of_a_connection() -> None:
    """The table has the parts of an identity."""
    connection = ResolvedConnection("https://e", "r", "p", None, "standard", None)  # type: ignore[arg-type]

    assert [output.name for output in outputs.OBJECTS["Identity"].fields] == list(connection.identity)


def test_the_life_cycles_tell_the_outputs_of_the_table() -> None:
    """What the life cycles tell is what the table says."""
    told = {
        outputs.OTA_PACKAGE: ota_package.OUTPUTS,
        outputs.UPGRADE_TASK_COMPLETION: ("task_id", *completion.Completion.outputs),
        outputs.UPGRADE_TASK_CONFIRMATION: ("task_id", *confirmation.Confirmation.outputs),
    }
    for table, names in told.items():
        assert {output.name for output in table} == set(names)


@pytest.mark.parametrize("output", EVERY, ids=lambda output: output.name)
def test_descriptions_are_sentences(output: Output) -> None:
    """What the table says of an output is a full sentence, and an object has its fields."""
    assert output.description[0].isupper() or output.description[0].isdigit()
    assert output.description.endswith(".")
    assert (output.of is not None) == (output.type in ("object", "objects"))
