"""The table of outputs against the service, the life cycles and the classes of results."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from pydantic import TypeAdapter

from pulumi_iotda_ota._generated import results
from pulumi_iotda_ota.iotda import models
from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
from pulumi_iotda_ota.lifecycle import completion, confirmation
from pulumi_iotda_ota.schema import outputs
from pulumi_iotda_ota.schema.registry import SERVED

if TYPE_CHECKING:
    from pulumi_iotda_ota.schema.outputs import Object, Output

EVERY: list[Output] = [
    *(output for served in SERVED.values() for output in served.outputs),
    *(output for item in outputs.OBJECTS.values() for output in item.fields),
]


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
    """The fields of the service are in the table, and a field is optional in both or in neither."""
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
    """The life cycles return exactly the outputs of the table."""
    told = {
        outputs.UPGRADE_TASK_COMPLETION: ("task_id", *completion.Completion.outputs),
        outputs.UPGRADE_TASK_CONFIRMATION: ("task_id", *confirmation.Confirmation.outputs),
    }
    for table, names in told.items():
        assert {output.name for output in table} == set(names)


@pytest.mark.parametrize("output", EVERY, ids=lambda output: output.name)
def test_an_output_is_described_in_full(output: Output) -> None:
    """An output has full sentences of at most 20 words, and an object has its fields."""
    text = output.full_description
    sentences = re.split(r"(?<=[.:])\s", text)

    assert output.description[0].isupper() or output.description[0].isdigit()
    assert text.endswith(".")
    assert [sentence for sentence in sentences if len(sentence.split()) > 20] == []
    assert (output.of is not None) == (output.type in ("object", "list of objects"))


def test_a_result_reads_what_a_lookup_returns() -> None:
    """A result is a mapping of the fields that are set; what was skipped is in attributes only, and never None."""
    skipped = {"package_id": "p0", "version": "1", "rule": "version", "reason": "other"}
    values = {"found": True, "package_id": "p1", "skipped": [skipped], "skipped_counts": {"version": 1}}
    found = results.GetOtaPackageResult.from_found(values)

    assert found is not None
    assert (dict(found), found.package_id, found.product_name) == ({"package_id": "p1"}, "p1", None)
    assert ([*map(dict, found.skipped)], found.skipped_counts) == ([skipped], {"version": 1})
    assert found.all_values() == {name: value for name, value in values.items() if name != "found"}
    assert results.GetOtaPackageResult.from_found({"found": False}) is None
    bare = results.GetOtaPackageResult(package_id="p1")
    assert (dict(bare), bare.skipped, bare.skipped_counts) == ({"package_id": "p1"}, [], {})
    task = results.GetUpgradeTaskResult.from_values({"task_id": "t1", "progress": {"total": 2}})
    assert task.progress is not None
    assert (task.progress.total, task.failed_devices) == (2, [])
