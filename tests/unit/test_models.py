"""The service's answers as values."""

from __future__ import annotations

import json
import re
import tracemalloc
from dataclasses import FrozenInstanceError
from datetime import datetime, timezone
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from pulumi_iotda_ota.iotda import models
from pulumi_iotda_ota.iotda.errors import ProtocolError
from pulumi_iotda_ota.iotda.http import parsing
from pulumi_iotda_ota.iotda.http.parsing import reader
from pulumi_iotda_ota.iotda.models import (
    BatchTask,
    BatchTaskDetail,
    BatchTaskPage,
    OtaPackage,
    OtaPackagePage,
    TaskSummary,
)
from tests.support.fault_helpers import package

TASK = {"task_id": "ab", "task_name": "t", "task_type": "firmwareUpgrade", "status": "Processing"}


def task(**changes: Any) -> BatchTask:
    """Return a task, read from JSON."""
    return BatchTask.model_validate_json(json.dumps({**TASK, **changes}))


def read_package(**changes: Any) -> OtaPackage:
    """Return a package, read from JSON."""
    return reader(OtaPackage)(json.dumps(package(**changes)).encode())


def test_a_package_cannot_be_changed() -> None:
    """A response cannot be changed."""
    found = read_package()

    with pytest.raises(FrozenInstanceError):
        found.version = "other"  # type: ignore[misc]


def test_a_package_of_a_long_list_is_small() -> None:
    """A package takes no more than 1 kB of what a list of 100,000 takes."""
    read = reader(OtaPackagePage)
    pages = [
        json.dumps(
            {"packages": [package(50 * page + number) for number in range(50)], "page": {"count": 2000}}
        ).encode()
        for page in range(40)
    ]
    tracemalloc.start()
    try:
        packages = [found for page in pages for found in read(page).packages or ()]
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(packages) == 2000
    assert taken / len(packages) < 1000


@pytest.mark.parametrize(
    ("create_time", "created_at"),
    [("20230211T121212Z", "2023-02-11T12:12:12Z"), ("2023-02-11", "2023-02-11"), ("", "")],
)
def test_the_time_is_given_in_a_common_form(create_time: str, created_at: str) -> None:
    """The API's time is given as RFC 3339 too. A time of another form stays unchanged."""
    found = read_package(create_time=create_time)

    assert found.created_at == created_at


def test_the_time_of_an_upload_can_be_compared() -> None:
    """The time is given as one that can be ordered."""
    found = read_package(create_time="20230211T121212Z")

    assert found.created == datetime(2023, 2, 11, 12, 12, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize("text", ["", "2023-02-11", "20230211T121212", "2023211T121212Z", "20231311T121212Z", "\x1b"])
def test_a_time_that_cannot_be_read_is_none(text: str) -> None:
    """A package of an unreadable time has no place in time, and its time stays as it came."""
    found = read_package(create_time=text)

    assert found.created is None
    assert found.created_at == found.create_time == text


@pytest.mark.parametrize(
    ("create_time", "created_at"),
    [
        ("2026-01-01T02:00:00+02:00", "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00.500000Z"),
        ("2026-01-01t00:00:00.123456789z", "2026-01-01T00:00:00.123456Z"),
        ("1767225600000", "2026-01-01T00:00:00Z"),
        (1767225600123, "2026-01-01T00:00:00.123000Z"),
    ],
)
def test_times_of_other_forms_are_read(create_time: str | int, created_at: str) -> None:
    """RFC 3339 with an offset or a fraction, and milliseconds since 1970, also as a number, are times."""
    found = read_package(create_time=create_time)

    assert (found.create_time, found.created_at) == (str(create_time), created_at)


@pytest.mark.parametrize("versions", [None, []])
def test_a_null_array_is_an_empty_one(versions: object) -> None:
    """Null and an empty array are read as the same."""
    content = {"packages": [package(support_source_versions=versions)], "page": {"count": 1}}

    (found,) = OtaPackagePage.model_validate_json(json.dumps(content)).packages or ()
    assert isinstance(found, OtaPackage)
    assert found.support_source_versions == ()


def test_nested_arrays_are_read() -> None:
    """Arrays inside of arrays are read from JSON, and their items are checked."""
    content: dict[str, Any] = {"batchtask": {**TASK, "targets": ["d1"]}}

    assert BatchTaskDetail.model_validate_json(json.dumps(content)).batchtask.targets == ("d1",)
    content["batchtask"] = {**TASK, "targets": [1]}
    with pytest.raises(ValidationError):
        BatchTaskDetail.model_validate_json(json.dumps(content))


def test_a_list_reads_no_more_of_a_task_than_it_needs() -> None:
    """A task with odd fields does not prevent that another task is found."""
    odd = {"task_id": "1", "task_name": "n", "status": "Paused", "targets": "all", "task_progress": [], "document": 7}

    page = BatchTaskPage.model_validate_json(json.dumps({"batchtasks": [odd], "page": {"count": 1}}))

    assert page.batchtasks == (TaskSummary(task_id="1", task_name="n", status="Paused"),)


@pytest.mark.parametrize("empty", [None, [], "", {}])
def test_what_is_empty_in_another_way(empty: object) -> None:
    """A count that is null counts nothing; an object that is null, or empty in any other way, is none."""
    content = {**TASK, "task_progress": {"total": 3, "removed": None}, "task_policy": empty, "document": empty}

    task = BatchTask.model_validate_json(json.dumps(content))

    assert task.task_progress is not None
    assert (task.task_progress.total, task.task_progress.removed, task.package_ids) == (3, 0, None)
    assert not task.task_policy


@pytest.mark.parametrize(
    ("document", "package_ids"),
    [
        ({"package_ids": ["a", "b"]}, ("a", "b")),
        ({"package_id": "a"}, ("a",)),
        ({}, None),
        (None, None),
    ],
)
def test_both_documented_forms_of_the_document_are_read(document: object, package_ids: tuple[str, ...] | None) -> None:
    """A task names its packages in one of two keys, according to the age of the page."""
    assert task(document=document).package_ids == package_ids


def test_counts_that_the_service_leaves_out_are_nothing() -> None:
    """Older responses have no count of removed devices."""
    progress = task(task_progress={"total": 3, "waitting": 3}).task_progress

    assert progress is not None
    assert (progress.total, progress.waitting, progress.removed) == (3, 3, 0)


def test_the_output_of_a_device_has_no_place() -> None:
    """The output of a device is not kept when the response is read."""
    content = {"batchtask": TASK, "task_details": [{"target": "d", "status": "Success", "output": "secret"}]}
    found = BatchTaskDetail.model_validate_json(json.dumps(content))

    assert "secret" not in f"{found!r}{found.model_dump_json()}"


MODELS = [
    model
    for model in vars(models).values()
    if isinstance(model, type) and model.__module__ == models.__name__ and hasattr(model, "__pydantic_fields__")
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_an_error_names_the_field_and_nothing_of_the_code(model: Any) -> None:
    """A value of a wrong type is named by its path in the response, without a type, a class or a union of ours."""
    for name in model.__pydantic_fields__:
        for wrong in (5, True, {"a": 5}, [5], ["a", {}], "a"):
            for path, message in problems(model, {name: wrong}):
                assert re.fullmatch(r"[a-z_]+(?:\[\d\]|\.[a-z_]+)*", path), path
                assert not any(cls.__name__ in message for cls in MODELS), message


def problems(model: Any, content: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the path of each wrong field and what is wrong with it, as an error of a response has them."""
    try:
        TypeAdapter(model).validate_json(json.dumps(content))
    except ValidationError as error:
        return [(parsing._field_path(one["loc"]), parsing._problem_text(one)) for one in error.errors()]
    return []


def test_an_object_that_is_none() -> None:
    """Null, and an empty list or string, mean no object. A number is an error that names the field."""
    values: list[Any] = [None, [], "", {"a": 1}]

    assert [task(document=value).document for value in values] == [None, None, None, {"a": 1}]
    with pytest.raises(ProtocolError, match=r"shape: document should be an object"):
        reader(BatchTask)(json.dumps({**TASK, "document": 5}).encode())
