"""A value that equals its default means the same as no value, through the plugin's process and in a Python program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pulumi import dynamic

from pulumi_iotda_ota import dynamic as providers
from pulumi_iotda_ota.iotda.case import camel
from pulumi_iotda_ota.schema.registry import RESOURCES
from tests.conftest import settings_for
from tests.support.plugin_process import urn
from tests.support.plugin_resources import NONE, package_of

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator
    from tests.support.plugin_process import Plugin

METER = {"package_type": "firmwarePackage", "product_id": "smart-meter"}
FILE = {"region_name": "cn-north-4", "bucket_name": "firmware", "object_key": "V9.9.bin"}
KINDS = ("OtaPackage", "OtaPackagePin", "UpgradeTask", "UpgradeTaskCompletion", "UpgradeTaskConfirmation")


def inputs_of(kind: str, emulator: Emulator) -> dict[str, Any]:
    """Return the inputs of a resource, without any that has a default, except for those that must be set."""
    package = package_of(emulator)
    inputs: dict[str, dict[str, Any]] = {
        "OtaPackage": {**METER, "app_id": "energy", "version": "V9.9", "obs_location": FILE},
        "OtaPackagePin": {**METER, "version": "V1.4.10"},
        "UpgradeTask": {"package_ids": [package], "targets": ["d1"]},
        "UpgradeTaskCompletion": {"task_id": "5c8b1c2d3e4f5a6b7c8d9e0f"},
        "UpgradeTaskConfirmation": {"task_id": "5c8b1c2d3e4f5a6b7c8d9e0f", "approved_package_ids": [package]},
    }
    return inputs[kind]


def defaults(kind: str) -> dict[str, Any]:
    """Return every default of a resource, as generated code sends them."""
    return {item.name: item.default for item in RESOURCES[kind].arguments if item.default is not None}


@pytest.mark.parametrize("kind", KINDS)
def test_the_plugin_drops_defaults(plugin: Plugin, emulator: Emulator, kind: str) -> None:
    """The stored inputs are the same with every default and with none, and a state that holds them has no change."""
    bare = {camel(name): _camel(value) for name, value in inputs_of(kind, emulator).items()}
    full = {**bare, **{camel(name): value for name, value in defaults(kind).items()}}
    at = urn(kind, "thing")

    inputs = plugin.checked(at, bare)
    assert plugin.checked(at, full) == inputs
    assert not set(inputs) & set(map(camel, defaults(kind)))
    change = plugin.diff(at, "thing", {**inputs, **full}, plugin.checked(at, bare, full))
    assert (change.changes, list(change.diffs)) == (NONE, [])


@pytest.mark.parametrize("kind", KINDS)
def test_a_python_resource_drops_defaults(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """The provider of a Python program stores the same inputs with every default and with none."""
    for name, value in settings_for(emulator).items():
        monkeypatch.setenv(name, value)
    provider: dynamic.ResourceProvider = getattr(providers, f"{kind}Provider")()
    provider.configure(dynamic.ConfigureRequest(dynamic.Config({}, "project")))
    scope = {"scope": {"project": "p", "stack": "s", "name": "n"}} if kind == "UpgradeTask" else {}
    bare = {**inputs_of(kind, emulator), **scope}

    checked, full = provider.check({}, bare), provider.check({}, {**bare, **defaults(kind)})

    assert (checked.failures, full.failures) == ([], [])
    assert full.inputs == checked.inputs
    assert not set(checked.inputs) & set(defaults(kind))


def _camel(value: Any) -> Any:
    return {camel(name): item for name, item in value.items()} if isinstance(value, dict) else value
