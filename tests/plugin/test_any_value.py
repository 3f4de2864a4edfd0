"""Any input ends in a result, in a failure of a property of the schema, or in a message, and never in a fault."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from tests.support.plugin_process import ROOT, UNKNOWN, Plugin, secret, token, urn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_iotda_ota.emulator import Emulator

SCHEMA: dict[str, Any] = json.loads((ROOT / "pulumi_iotda_ota" / "plugin" / "schema.json").read_text())
VALUES: list[Any] = [0, -1, 2.5, "", "no such thing", True, [], [1], ["x", "x"], {}, {"a_b": [None]}, UNKNOWN]
RESOURCES = [name.rpartition(":")[2] for name in SCHEMA["resources"]]
FUNCTIONS = [name.rpartition(":")[2] for name in SCHEMA["functions"]]

VALID: dict[str, dict[str, Any]] = {
    "OtaPackage": {
        "packageType": "firmwarePackage",
        "appId": "app",
        "productId": "meter",
        "version": "V1",
        "obsLocation": {"regionName": "r", "bucketName": "b-1", "objectKey": "k.bin"},
    },
    "OtaPackagePin": {"packageType": "firmwarePackage"},
    "UpgradeTask": {"packageIds": ["p"], "targets": ["d"]},
}


def combinations(properties: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return inputs: each property with each value, plain and secret, beside what is often required."""
    usual = {"packageType": "firmwarePackage", "productId": "smart-meter", "packageIds": ["p"], "targets": ["d"]}
    base = {name: value for name, value in usual.items() if name in properties}
    yield from ({**base, name: value} for name in properties for value in VALUES)
    yield from ({**base, name: secret(value)} for name in properties for value in VALUES)


def require_property(property_: str, reason: str, properties: dict[str, Any]) -> None:
    """Require that a failure is about a property of the schema."""
    assert property_.partition(".")[0] in {"", *properties}
    assert reason
    assert "fault of this plugin" not in reason


@pytest.mark.parametrize("name", RESOURCES)
def test_any_input_of_a_resource(plugin: Plugin, emulator: Emulator, name: str) -> None:
    """A check of any input ends in inputs or in failures of the schema's properties."""
    properties = SCHEMA["resources"][token(name)]["inputProperties"]
    for news in combinations(properties):
        _, problems = plugin.check(urn(name), news)
        for property_, reason in problems:
            require_property(property_, reason, properties)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_any_argument_of_a_function(plugin: Plugin, name: str) -> None:
    """A call with any argument ends in a result, in failures of the schema's properties, or in a message."""
    properties = SCHEMA["functions"][token(name)]["inputs"]["properties"]
    for arguments in combinations(properties):
        code, failures = result_of(plugin, name, arguments)
        assert code in (grpc.StatusCode.OK, grpc.StatusCode.FAILED_PRECONDITION), arguments
        for property_, reason in failures:
            require_property(property_, reason, properties)


def result_of(plugin: Plugin, name: str, arguments: dict[str, Any]) -> tuple[grpc.StatusCode, list[tuple[str, str]]]:
    """Return the status of a call, and its failures."""
    try:
        answered = plugin.invoke(name, **arguments)
    except grpc.RpcError as error:
        return error.code(), []
    return grpc.StatusCode.OK, [(failure.property, failure.reason) for failure in answered.failures]


def enums(properties: dict[str, Any]) -> dict[str, list[str]]:
    """Return the allowed values of each property that is an enum of the schema."""
    found = {}
    for name, property_ in properties.items():
        type_ = SCHEMA["types"].get(property_.get("$ref", "").removeprefix("#/types/"), {})
        if "enum" in type_:
            found[name] = [member["value"] for member in type_["enum"]]
    return found


def one_error(failures: list[tuple[str, str]], name: str, allowed: list[str]) -> None:
    """Require one failure, of the property, that has the value and all allowed values."""
    ((property_, reason),) = failures
    one_of = f"one of {', '.join(allowed)}" if len(allowed) > 1 else allowed[0]
    # Pulumi prints the property in front of a failure of a resource, and behind a failure of a function.
    assert (property_, reason.removeprefix(f"{name} ")) == (name, f'must be {one_of}, not "?"')


@pytest.mark.parametrize("name", RESOURCES)
def test_a_value_outside_an_enum_of_a_resource(plugin: Plugin, emulator: Emulator, name: str) -> None:
    """A value that an enum input does not have is one error with the value and the allowed values, in any language.

    YAML, and a string that is cast in TypeScript, Go or Python, reach the plugin with such a value.
    """
    for input_, allowed in enums(SCHEMA["resources"][token(name)]["inputProperties"]).items():
        news = {**VALID.get(name, {}), input_: "?"}

        one_error(plugin.check(urn(name), news)[1], input_, allowed)
    assert emulator.requests == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_value_outside_an_enum_of_a_function(plugin: Plugin, emulator: Emulator, name: str) -> None:
    """A value that an enum argument of a function does not have is one error, as for a resource."""
    for argument, allowed in enums(SCHEMA["functions"][token(name)]["inputs"]["properties"]).items():
        required = {"packageType": "firmwarePackage"} | ({"sourceVersions": ["V1"]} if name == "getUpgradePath" else {})
        code, failures = result_of(plugin, name, {**required, argument: "?"})

        assert code is grpc.StatusCode.OK
        one_error(failures, argument, allowed)
    assert emulator.requests == []


def test_every_choice_is_an_enum() -> None:
    """The tests above have every enum of the schema."""
    places = [*SCHEMA["resources"].values(), *(one["inputs"] for one in SCHEMA["functions"].values())]
    used = [name for place in places for name in enums(place.get("inputProperties") or place["properties"])]

    assert {name[:1].upper() + name[1:] for name in used} == {
        name.rpartition(":")[2] for name, type_ in SCHEMA["types"].items() if "enum" in type_
    }


def test_any_setting(plugin: Plugin) -> None:
    """A check of any setting ends in settings or in failures of the schema's properties."""
    from tests.support.plugin_process import check_config

    properties = SCHEMA["config"]["variables"]
    for name in properties:
        for value in VALUES:
            for property_, reason in check_config(plugin, **{name: value})[1]:
                require_property(property_, reason, properties)
