"""The paths of the golden table through every interface: the same request has the same result, or the same error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import grpc
import pulumi
import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota import pulumi_compat, testing
from pulumi_iotda_ota.cli import main as entry
from pulumi_iotda_ota.emulator import Emulator
from pulumi_iotda_ota.message_rendering import COMMAND_LINE, PLUGIN
from pulumi_iotda_ota.schema.validation import normal
from tests.conftest import settings_for
from tests.golden.test_golden import CODES, as_options, call_plugin, value_of
from tests.support.golden_table import PathLookup, camel_keys, path_lookups, path_text, seed, snake_keys
from tests.support.plugin_process import Plugin

if TYPE_CHECKING:
    from collections.abc import Iterator

EVERY = pytest.mark.parametrize("lookup", path_lookups(), ids=lambda lookup: lookup.name)


@pytest.fixture(scope="module")
def golden() -> Iterator[Emulator]:
    """Return a running emulator that holds the packages of the table."""
    with Emulator(seed()) as running:
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


def expected_error(lookup: PathLookup) -> iotda_ota.IotdaOtaError:
    """Return the error of the plain function, after a comparison with the table."""
    assert lookup.error
    kind, text = lookup.error
    with pytest.raises(getattr(iotda_ota, kind)) as caught:
        iotda_ota.get_upgrade_path(**lookup.arguments)
    assert text in str(caught.value)
    assert isinstance(caught.value, iotda_ota.IotdaOtaError)
    return caught.value


def require_same(lookup: PathLookup, paths: list[Any]) -> None:
    """Require the paths of the table, each for its source version."""
    assert "; ".join(path_text(path) for path in paths) == lookup.answer
    assert [path["source_version"] for path in paths] == lookup.arguments["source_versions"]


@EVERY
def test_the_function_and_its_output_form(lookup: PathLookup) -> None:
    """The plain form and the output form return the paths of the table."""
    if lookup.error:
        expected_error(lookup)
        return
    found = iotda_ota.get_upgrade_path(**lookup.arguments)
    require_same(lookup, found.to_dict()["paths"])
    pulumi.runtime.set_mocks(testing.Monitor())
    try:
        assert value_of(iotda_ota.get_upgrade_path_output(**lookup.arguments)) == found
    finally:
        pulumi_compat.leave_program()


@EVERY
def test_the_mocks(lookup: PathLookup, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mocks of a user's tests return the paths of the table, without a service."""
    monkeypatch.delenv("HW_IOTDA_ENDPOINT")
    packages = [{name: value for name, value in given.items() if name != "record_id"} for given in seed()["packages"]]
    pulumi.runtime.set_mocks(testing.Mocks(packages))
    try:
        if lookup.error:
            expected_error(lookup)
        else:
            require_same(lookup, iotda_ota.get_upgrade_path(**lookup.arguments).to_dict()["paths"])
    finally:
        pulumi_compat.leave_program()


@EVERY
def test_the_plugin(lookup: PathLookup, plugin: Plugin) -> None:
    """The process of the plugin returns the paths of the table, or the error of the function."""
    found, error = call_plugin(plugin, "getUpgradePath", camel_keys(lookup.arguments))
    if lookup.error:
        assert error == expected_error(lookup).rendered(PLUGIN)
    else:
        require_same(lookup, [snake_keys(path) for path in normal(found)["paths"]])


@EVERY
def test_the_command_line(lookup: PathLookup, capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints what the function returns. It exits with 6 if a version cannot reach the target."""
    words = ["package", "path", *as_options(lookup.arguments)]
    if lookup.error:
        assert entry.main(words) == CODES[lookup.error[0]]
        assert capsys.readouterr().err == f"error: {expected_error(lookup).rendered(COMMAND_LINE)}\n"
        return
    found = iotda_ota.get_upgrade_path(**lookup.arguments)
    code = 0 if all(path.reachable for path in found.paths) else 6
    assert entry.main([*words, "--json"]) == code
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"result": found.to_dict()}
    assert entry.main([*words, "--format", "json"]) == code
    assert capsys.readouterr().out == printed


def test_arguments_that_are_wrong_send_nothing(plugin: Plugin, golden: Emulator) -> None:
    """A wrong argument of the plugin's function is a failure of its property, and no request is sent."""
    golden.forget_requests()

    assert [one.property for one in plugin.invoke("getUpgradePath", packageId="m07").failures] == ["sourceVersions"]
    wrong = plugin.invoke("getUpgradePath", packageId="m07", sourceVersions=["V1"], maxHops=21)
    assert [one.property for one in wrong.failures] == ["maxHops"]
    with pytest.raises(grpc.RpcError):
        plugin.invoke("getUpgradePaths")
    assert golden.requests == []
