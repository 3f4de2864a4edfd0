"""Anything given to any argument: a right answer or one error of ours, and what is wrong in itself sends nothing.

``make fuzz`` tries many more; see ``tests/support/fuzzing.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota import schema
from pulumi_iotda_ota.emulator import Emulator
from pulumi_iotda_ota.iotda.case import camel
from pulumi_iotda_ota.iotda.errors import ConfigurationError, InputError, IotdaOtaError
from pulumi_iotda_ota.lifecycle.base import ResourceContext
from pulumi_iotda_ota.lookup.session import Run
from pulumi_iotda_ota.schema.registry import FUNCTIONS, RESOURCES
from tests.conftest import settings_for
from tests.support import plugin_process
from tests.support.any_values import python_values, wire_values, world_values
from tests.support.fault_helpers import hold_readable
from tests.support.fuzzing import examples
from tests.support.plugin_process import Plugin
from tests.support.resource_bench import SCOPE, SEED, FakeTime

if TYPE_CHECKING:
    from collections.abc import Iterator

FUNCTIONS_OF_PYTHON = {
    "get_device_versions": schema.GET_DEVICE_VERSIONS,
    "get_ota_package": schema.GET_OTA_PACKAGE,
    "get_ota_packages": schema.GET_OTA_PACKAGES,
    "get_upgrade_path": schema.GET_UPGRADE_PATH,
    "get_upgrade_task": schema.GET_UPGRADE_TASK,
}


@pytest.fixture(scope="module")
def service() -> Iterator[Emulator]:
    """Return a running emulator that counts what it is sent."""
    time = FakeTime()
    with Emulator(SEED, clock=time) as emulator:
        emulator.add_task(
            task_name="t",
            task_type="firmwareUpgrade",
            task_id="a1b2c3",
            targets=["d1"],
            document={"package_ids": ["p1"]},
        )
        yield emulator


@pytest.fixture(autouse=True)
def _settings(service: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    service.forget_requests()
    for name, value in settings_for(service).items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def plugin(service: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plugin]:
    """Return a running plugin that the settings lead to the service."""
    with Plugin(settings_for(service), tmp_path_factory.mktemp("project")) as running:
        yield running.configure()


@pytest.mark.parametrize("name", FUNCTIONS_OF_PYTHON)
@examples(40)
@given(data=st.data())
def test_functions(service: Emulator, name: str, data: st.DataObject) -> None:
    """A function given anything answers or raises an error of ours; where that is about the input, nothing was sent."""
    values = data.draw(python_values(FUNCTIONS_OF_PYTHON[name]))
    service.forget_requests()
    failed: IotdaOtaError | None = None
    try:
        getattr(iotda_ota, name)(**values)
    except IotdaOtaError as error:
        failed = error
    hold_readable(str(failed))
    assert not (isinstance(failed, (InputError, ConfigurationError)) and service.requests)


@pytest.mark.parametrize("name", RESOURCES)
@examples(40)
@given(data=st.data())
def test_resources(service: Emulator, name: str, data: st.DataObject) -> None:
    """A resource accepts or reports any input. If the input itself is wrong, it sends nothing."""
    resource = RESOURCES[name]
    values = data.draw(world_values(resource.arguments))
    inputs = {**values, "scope": SCOPE} if name == "UpgradeTask" else values
    service.forget_requests()
    told: list[str] = []
    run = Run(memo=False)
    try:
        # Without settings no request is possible: the inputs alone cause each report.
        alone = resource.lifecycle.check(
            ResourceContext(run=run, config={}, environ={}, warn=told.append, report=told.append), {}, inputs
        )
        context = ResourceContext(
            run=run, config={}, environ=settings_for(service), warn=told.append, report=told.append
        )
        checked = resource.lifecycle.check(context, {}, inputs)
        resource.lifecycle.diff(context, "a1b2c3", checked.inputs, inputs)
    finally:
        run.close()
    for problem in [*alone.problems, *checked.problems]:
        hold_readable(f"{problem.argument} {problem.rendered()}")
    wrong = {problem.argument for problem in alone.problems} & {argument.name for argument in resource.arguments}
    assert not (wrong and service.requests), wrong


@pytest.mark.parametrize("name", FUNCTIONS)
@examples(15)
@given(data=st.data())
def test_functions_of_the_plugin(service: Emulator, plugin: Plugin, name: str, data: st.DataObject) -> None:
    """A function of the plugin's process given anything answers, or fails in a message; never by an exception."""
    values = data.draw(wire_values(FUNCTIONS[name].arguments))
    service.forget_requests()
    failures: list[str] = []
    failed = ""
    try:
        answered = plugin.invoke(name, **{camel(key): value for key, value in values.items()})
        failures = [failure.reason for failure in answered.failures]
    except grpc.RpcError as error:
        failed = str(error.details())
    hold_readable("\n".join(["reported:", failed, *failures]))
    assert "a fault of this plugin" not in failed
    assert not (failures and service.requests)


@pytest.mark.parametrize("name", RESOURCES)
@examples(15)
@given(data=st.data())
def test_resources_of_the_plugin(plugin: Plugin, name: str, data: st.DataObject) -> None:
    """The plugin's process checks any input of a resource, and reports a problem beside its property."""
    values = data.draw(wire_values(RESOURCES[name].arguments))
    given_names = {camel(key): value for key, value in values.items()}

    inputs, problems = plugin.check(plugin_process.urn(name), given_names)

    properties = {camel(field.name) for field in RESOURCES[name].fields}
    for at, reason in problems:
        hold_readable(reason)
        assert at.partition(".")[0] in {*properties, ""}
    plugin.diff(plugin_process.urn(name), "a1b2c3", inputs, given_names)


@pytest.mark.parametrize("name", FUNCTIONS_OF_PYTHON)
def test_a_number_that_python_will_not_write_out(service: Emulator, name: str) -> None:
    """A number of 5,000 digits, for any argument, is reported as wrong without its digits."""
    for argument in FUNCTIONS_OF_PYTHON[name]:
        for value in (10**5000, [10**5000], {"k": 10**5000}):
            values: dict[str, object] = {"package_type": "firmwarePackage"} if name != "get_upgrade_task" else {}
            values |= {"source_versions": ["V1"]} if name == "get_upgrade_path" else {}
            with pytest.raises(InputError) as caught:
                getattr(iotda_ota, name)(**{**values, argument.name: value})
            hold_readable(str(caught.value))
    assert service.requests == []


def test_a_list_that_holds_itself(service: Emulator) -> None:
    """A list without an end is reported as wrong, as any other list in its place."""
    endless: list[object] = []
    endless.append(endless)

    with pytest.raises(InputError, match=r"version must be a string, not \[\[\.\.\.\]\]"):
        iotda_ota.get_ota_package(package_type="firmwarePackage", version=endless)  # type: ignore[call-overload]
    assert service.requests == []


@pytest.mark.parametrize("inputs", [{"\x1b[31m": 1}, {"obsLocation": {"\x1b[31m": 1}}], ids=["argument", "field"])
def test_a_name_that_nobody_knows(plugin: Plugin, inputs: dict[str, object]) -> None:
    """An unknown name is reported, escaped."""
    _, problems = plugin.check(plugin_process.urn("OtaPackage"), inputs)

    assert [reason for _, reason in problems if "\\x1b[31m" in reason or "is no field" in reason]
    for at, reason in problems:
        hold_readable(f"{at} {reason}")
