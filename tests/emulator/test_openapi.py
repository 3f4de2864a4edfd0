"""The description of the emulator's operations against the emulator; ``make fuzz`` tries out all that it promises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi_iotda_ota.emulator
from pulumi_iotda_ota.emulator.operations import OPERATIONS
from tests.support.emulator_callers import package_body, task_body

if TYPE_CHECKING:
    from tests.support.emulator_callers import Caller, Response

FILE = Path(pulumi_iotda_ota.emulator.__file__).with_name("openapi.json")
STORED: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))


def described(operation: str) -> dict[str, Any]:
    """Return the description of an operation."""
    (found,) = [
        item for methods in STORED["paths"].values() for item in methods.values() if item["operationId"] == operation
    ]
    return dict(found)


def unnamed(operation: str, response: Response) -> set[str]:
    """Return the fields of a response that the description of its operation does not have."""
    reference = described(operation)["responses"][str(response.status)]["content"]["application/json"]["schema"]["$ref"]
    schema = STORED["components"]["schemas"][reference.rpartition("/")[2]]
    assert set(schema["required"]) <= set(response.json)
    return set(response.json) - set(schema["properties"])


def test_every_operation_is_described() -> None:
    """The description has every operation and no other."""
    named = [item["operationId"] for methods in STORED["paths"].values() for item in methods.values()]

    assert sorted(named) == sorted(OPERATIONS)


def test_responses_are_as_described(call: Caller) -> None:
    """The responses about packages and tasks have the fields of the description, and no others."""
    assert unnamed("ListOtaPackageInfo", call.packages()) == set()
    made = call("POST", "ota-upgrades/packages", package_body())
    assert unnamed("CreateOtaPackage", made) == set()
    task = call("POST", "batchtasks", task_body(call.emulator, targets=["d1"]))
    assert unnamed("CreateBatchTask", task) == set()
    assert unnamed("ShowBatchTask", call("GET", f"batchtasks/{task.json['task_id']}")) == set()
