"""Device versions through every interface: the same request has the same result, or the same error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota import pulumi_compat, testing
from pulumi_iotda_ota.cli import main as entry
from pulumi_iotda_ota.emulator import Emulator
from pulumi_iotda_ota.message_rendering import COMMAND_LINE, PLUGIN
from pulumi_iotda_ota.schema.validation import normal
from tests.conftest import settings_for
from tests.golden.test_golden import as_options, call_plugin, value_of
from tests.support.golden_table import camel_keys, snake_keys
from tests.support.plugin_process import Plugin

if TYPE_CHECKING:
    from collections.abc import Iterator

DEVICES: dict[str, dict[str, Any]] = {
    "m1": {"product_id": "meter", "fw_version": "V1", "sw_version": "S1"},
    "m2": {"product_id": "meter", "fw_version": "V1"},
    "m3": {"product_id": "meter", "fw_version": "V2"},
    "m4": {"product_id": "meter"},
    "g1": {"product_id": "gateway", "modules": [{"module_name": "modem", "module_version": "M1"}]},
}
GROUPS = {"first": ["m1", "m2"], "second": ["m2", "m3", "m4"], "mixed": ["m1", "g1"], "empty": []}
FIRMWARE = {"package_type": "firmwarePackage"}
# What is requested, and the versions with their devices and the unknown ones; or the error with a part of its text.
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "a product": ({**FIRMWARE, "product_id": "meter"}, "V1 2, V2 1, unknown 1"),
    "a group": ({**FIRMWARE, "group_ids": ["first"]}, "V1 2, unknown 0"),
    "overlapping groups": ({**FIRMWARE, "group_ids": ["first", "second"]}, "V1 2, V2 1, unknown 1"),
    "devices": ({**FIRMWARE, "device_ids": ["m3", "m4"]}, "V2 1, unknown 1"),
    "software": ({"package_type": "softwarePackage", "group_ids": ["first"]}, "S1 1, unknown 1"),
    "a module": (
        {"package_type": "modulePackage", "module_name": "modem", "device_ids": ["g1"]},
        "M1 1, unknown 0",
    ),
    "an empty group": ({**FIRMWARE, "group_ids": ["empty"]}, "unknown 0"),
    "several products": ({**FIRMWARE, "group_ids": ["mixed"]}, "InputError: the devices are of several products"),
    "nothing set": (FIRMWARE, "InputError: set exactly one of"),
}
EVERY = pytest.mark.parametrize("name", CASES)


@pytest.fixture(scope="module")
def golden() -> Iterator[Emulator]:
    """Return a running emulator that holds the devices."""
    described = {
        name: {
            "product_id": fields["product_id"],
            "version": fields.get("fw_version"),
            "sw_version": fields.get("sw_version"),
            "modules": {one["module_name"]: one["module_version"] for one in fields.get("modules", ())},
        }
        for name, fields in DEVICES.items()
    }
    with Emulator({"devices": described, "groups": GROUPS}) as running:
        yield running


@pytest.fixture(autouse=True)
def _service(golden: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in settings_for(golden).items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def plugin(golden: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plugin]:
    """Return a running plugin that the settings lead to the service."""
    with Plugin(settings_for(golden), tmp_path_factory.mktemp("project")) as running:
        yield running.configure()


def text(found: dict[str, Any]) -> str:
    """Return a result as the table writes it."""
    counts = [f"{one['version']} {one['devices']}" for one in found["versions"]]
    return ", ".join([*counts, f"unknown {found['unknown']}"])


def expected_error(name: str) -> iotda_ota.IotdaOtaError | None:
    """Return the error of the plain function, after a comparison with the table; None if it is a result."""
    arguments, expected = CASES[name]
    kind, _, part = expected.partition(": ")
    if not part:
        return None
    with pytest.raises(getattr(iotda_ota, kind), match=part) as caught:
        iotda_ota.get_device_versions(**arguments)
    assert isinstance(caught.value, iotda_ota.IotdaOtaError)
    return caught.value


@EVERY
def test_the_function_and_its_output_form(name: str) -> None:
    """The plain form and the output form return the counts of the table."""
    if expected_error(name):
        return
    arguments, expected = CASES[name]
    found = iotda_ota.get_device_versions(**arguments)
    assert text(found.to_dict()) == expected
    pulumi.runtime.set_mocks(testing.Monitor())
    try:
        assert value_of(iotda_ota.get_device_versions_output(**arguments)) == found
    finally:
        pulumi_compat.leave_program()


@EVERY
def test_the_mocks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mocks of a user's tests return the counts of the table, without a service."""
    monkeypatch.delenv("HW_IOTDA_ENDPOINT")
    pulumi.runtime.set_mocks(testing.Mocks(devices=DEVICES, groups=GROUPS))
    try:
        if not expected_error(name):
            assert text(iotda_ota.get_device_versions(**CASES[name][0]).to_dict()) == CASES[name][1]
    finally:
        pulumi_compat.leave_program()


@EVERY
def test_the_plugin(name: str, plugin: Plugin) -> None:
    """The process of the plugin returns the counts of the table, or the error of the function."""
    found, error = call_plugin(plugin, "getDeviceVersions", camel_keys(CASES[name][0]))
    if expected := expected_error(name):
        assert error == expected.rendered(PLUGIN)
    else:
        assert text(snake_keys(normal(found))) == CASES[name][1]


@EVERY
def test_the_command_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints what the function returns, or its error."""
    words = ["device", "versions", *as_options(CASES[name][0])]
    if expected := expected_error(name):
        assert entry.main(words) == 2
        assert capsys.readouterr().err == f"error: {expected.rendered(COMMAND_LINE)}\n"
    else:
        assert entry.main([*words, "--json"]) == 0
        assert text(json.loads(capsys.readouterr().out)["result"]) == CASES[name][1]


def test_a_device_that_a_test_misspells() -> None:
    """A field of a device that does not exist is an error that names the field that is meant."""
    with pytest.raises(iotda_ota.InputError, match=r"has no field fw_versoin .did you mean fw_version"):
        testing.Mocks(devices={"m1": {"fw_versoin": "V1"}})
