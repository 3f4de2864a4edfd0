"""The golden table through every interface: each one returns the expected result, or the expected error."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import grpc
import pulumi
import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota import pulumi_compat, testing
from pulumi_iotda_ota.cli import main as entry
from pulumi_iotda_ota.emulator import Emulator
from pulumi_iotda_ota.functions import invoke
from pulumi_iotda_ota.iotda.case import camel
from pulumi_iotda_ota.iotda.errors import IotdaOtaError
from pulumi_iotda_ota.lifecycle.base import ResourceContext
from pulumi_iotda_ota.lifecycle.pin import Pin
from pulumi_iotda_ota.lookup.session import Run
from pulumi_iotda_ota.message_rendering import COMMAND_LINE, PLUGIN
from pulumi_iotda_ota.schema.validation import Problem
from tests.conftest import settings_for
from tests.support import plugin_process
from tests.support.golden_table import Lookup, camel_keys, lookups, seed, snake_keys
from tests.support.locks import lock
from tests.support.plugin_process import Plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LOOKUPS = lookups()
EVERY = pytest.mark.parametrize("lookup", LOOKUPS, ids=lambda lookup: lookup.name)


@pytest.fixture(scope="module")
def golden() -> Iterator[Emulator]:
    """Return a running emulator that holds the packages of the table."""
    with Emulator(seed()) as running:
        yield running


@pytest.fixture(autouse=True)
def _service(golden: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in settings_for(golden).items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def _monitored() -> Iterator[None]:
    pulumi.runtime.set_mocks(testing.Monitor())
    yield
    pulumi_compat.leave_program()


@pytest.fixture
def _mocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Replace the service by a list of packages. There is no endpoint and no key."""
    for name in [name for name in os.environ if name.startswith("HW_")]:
        monkeypatch.delenv(name)
    packages = [{name: value for name, value in fields.items() if name != "record_id"} for fields in seed()["packages"]]
    pulumi.runtime.set_mocks(testing.Mocks(packages))
    yield
    pulumi_compat.leave_program()


@pytest.fixture(scope="module")
def plugin(golden: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plugin]:
    """Return a running plugin that is configured for the service."""
    with Plugin(settings_for(golden), tmp_path_factory.mktemp("project")) as running:
        yield running.configure()


def check(lookup: Lookup, run: Callable[[], Any]) -> None:
    """Compare the result or the error of an interface with the table.

    Args:
        lookup: the line of the table.
        run: runs the lookup, and returns a package, None, or a list. Each package is a mapping.
    """
    if lookup.error:
        kind, parts = lookup.error
        with pytest.raises(IotdaOtaError) as caught:
            run()
        assert isinstance(caught.value, getattr(iotda_ota, kind))
        text = " ".join(str(caught.value).split())
        assert [part for part in parts if part not in text] == []
        return
    check_result(lookup, run())


def check_result(lookup: Lookup, result: Any) -> None:
    """Compare a result, which is no error, with the table."""
    if lookup.many:
        assert [package["version"] for package in result] == lookup.versions
    elif lookup.expected == "none":
        assert result is None
    else:
        assert lookup.expected in (result["version"], result["package_id"])


def plain(arguments: dict[str, Any], *, many: bool) -> Any:
    """Call the plain function."""
    return iotda_ota.get_ota_packages(**arguments).packages if many else iotda_ota.get_ota_package(**arguments)


def value_of(output: pulumi.Output[Any]) -> Any:
    """Return the value of an Output."""
    values: list[Any] = []

    async def wait() -> None:
        values.append(await output.future())

    run_until_complete: Callable[..., Callable[[], None]] = pulumi.runtime.test
    run_until_complete(wait)()
    return values[0]


def test_the_table_is_large() -> None:
    """The table has at least 120 packages and 60 lookups, each with a unique name."""
    assert len(seed()["packages"]) >= 120
    assert len(LOOKUPS) >= 60
    assert len({lookup.name for lookup in LOOKUPS}) == len(LOOKUPS)


@EVERY
def test_the_function(lookup: Lookup) -> None:
    """The plain function returns what the table expects."""
    check(lookup, lambda: plain(lookup.arguments, many=lookup.many))


@EVERY
@pytest.mark.usefixtures("_mocked")
def test_the_mocks(lookup: Lookup) -> None:
    """The mocks for tests of users return what the table expects, without a service."""
    check(lookup, lambda: plain(lookup.arguments, many=lookup.many))


@EVERY
@pytest.mark.usefixtures("_monitored")
def test_the_output_form(lookup: Lookup) -> None:
    """The output form returns what the table expects, in a program under the test monitor."""

    def run() -> Any:
        if lookup.many:
            return value_of(iotda_ota.get_ota_packages_output(**lookup.arguments).packages)
        return value_of(iotda_ota.get_ota_package_output(**lookup.arguments))

    check(lookup, run)


@EVERY
def test_the_call_of_a_monitor(lookup: Lookup) -> None:
    """A call of the function by its token returns what the table expects, with the names of the plugin."""

    def run() -> Any:
        token = f"iotda-ota:index:getOtaPackage{'s' * lookup.many}"
        result = invoke.answer(token, camel_keys(lookup.arguments))
        if lookup.many:
            return result["packages"]
        return {**result, "package_id": result["packageId"]} if result.get("found", True) else None

    check(lookup, run)


@pytest.mark.parametrize(
    "lookup",
    [lookup for lookup in LOOKUPS if not lookup.many and "on_missing" not in lookup.arguments],
    ids=lambda lookup: lookup.name,
)
def test_the_check_of_a_pin(lookup: Lookup, golden: Emulator) -> None:
    """A pin resolves to the expected package, or reports the same error as the function."""
    run = Run(memo=False)
    context = ResourceContext(run=run, config={}, environ=settings_for(golden), warn=print, report=print)
    checked = Pin.check(context, {}, lookup.arguments)
    run.close()

    if lookup.error:
        problems = " ".join(f"{problem.argument} {problem.rendered()}" for problem in checked.problems)
        text = " ".join(problems.split())
        assert [part for part in lookup.error[1] if part not in text] == []
    else:
        assert checked.problems == []
        assert lookup.expected in (checked.inputs["version"], checked.inputs["package_id"])


def call_plugin(plugin: Plugin, token: str, arguments: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Call the plugin's process, and return its result and its error. One of them is empty."""
    try:
        response = plugin.invoke(token, **arguments)
    except grpc.RpcError as error:
        return {}, str(error.details())
    if response.failures:
        return {}, "".join(failure.reason for failure in response.failures)
    return plugin_process.plain(getattr(response, "return")), ""


@EVERY
def test_the_plugin(lookup: Lookup, plugin: Plugin) -> None:
    """The plugin's process returns what the table expects, and exactly what the function returns."""
    token = f"getOtaPackage{'s' * lookup.many}"
    result, error = call_plugin(plugin, token, camel_keys(lookup.arguments))

    if lookup.error:
        with pytest.raises(IotdaOtaError) as caught:
            plain(lookup.arguments, many=lookup.many)
        assert error == caught.value.rendered(PLUGIN)
        return
    assert error == ""
    assert result == invoke.answer(f"iotda-ota:index:{token}", camel_keys(lookup.arguments))
    packages = [snake_keys(item) for item in result["packages"]] if lookup.many else snake_keys(result)
    check_result(lookup, packages if lookup.many or result["found"] else None)


@pytest.mark.parametrize(
    "lookup",
    [lookup for lookup in LOOKUPS if not lookup.many and "on_missing" not in lookup.arguments],
    ids=lambda lookup: lookup.name,
)
def test_a_pin_of_the_plugin(lookup: Lookup, plugin: Plugin) -> None:
    """A pin of the plugin resolves to the expected package, or reports the same error as the function."""
    inputs, problems = plugin.check(plugin_process.urn("OtaPackagePin"), camel_keys(lookup.arguments))

    if lookup.error:
        with pytest.raises(IotdaOtaError) as caught:
            plain(lookup.arguments, many=lookup.many)
        argument = getattr(caught.value, "argument", "")
        assert problems == [(camel(argument), Problem.of(caught.value, argument).rendered(PLUGIN))]
    else:
        assert lookup.expected in (inputs["version"], inputs["packageId"])


@pytest.mark.parametrize(
    "lookup",
    [lookup for lookup in LOOKUPS if not (lookup.many or lookup.error or lookup.expected == "none")],
    ids=lambda lookup: lookup.name,
)
def test_the_lock_file(lookup: Lookup, golden: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock entry is the result of the lookup, requested by its name alone or with the same arguments."""
    lock(golden, tmp_path, "meter", **lookup.arguments)
    monkeypatch.chdir(tmp_path)

    with_arguments = iotda_ota.get_ota_package(lock="meter", **lookup.arguments)
    assert with_arguments is not None
    check_result(lookup, with_arguments)
    assert with_arguments.to_dict() == plain(lookup.arguments, many=False).to_dict()
    assert iotda_ota.get_ota_package(lock="meter").package_id == with_arguments.package_id


CODES = {"IotdaOtaError": 1, "InputError": 2, "PackageNotFound": 3, "MultiplePackages": 4}


def as_options(arguments: dict[str, Any]) -> list[str]:
    """Return arguments as options of the command line."""
    options: list[str] = []
    for name, value in arguments.items():
        long = name.replace("_", "-")
        if isinstance(value, bool):
            options.append(f"--{'' if value else 'no-'}{long}")
        elif isinstance(value, list):
            options += [part for one in value for part in (f"--{long.removesuffix('s')}", str(one))]
        else:
            options += [f"--{long}", str(value)]
    return options


@EVERY
def test_the_command_line(lookup: Lookup, capsys: pytest.CaptureFixture[str]) -> None:
    """The command line prints what the table expects, exactly what the function returns, with the exit code."""
    command = ["package", "list" if lookup.many else "get", *as_options(lookup.arguments)]
    if lookup.error:
        with pytest.raises(IotdaOtaError) as caught:
            plain(lookup.arguments, many=lookup.many)
        assert entry.main(command) == CODES[lookup.error[0]]
        printed = capsys.readouterr()
        # click itself refuses a value that is not one of the allowed values.
        assert printed.out == ""
        assert (
            printed.err == f"error: {caught.value.rendered(COMMAND_LINE)}\n"
            or "Invalid value for '--version-scheme': 'pep440'" in printed.err
        )
        return
    assert entry.main([*command, "--json"]) == 0
    printed_json = json.loads(capsys.readouterr().out)
    result = printed_json["result"]
    check_result(lookup, result["packages"] if lookup.many else result)
    if result is not None:
        get: Any = iotda_ota.get_ota_packages if lookup.many else iotda_ota.get_ota_package
        fields = get(**lookup.arguments).all_values()
        skipped = {name: fields.pop(name) for name in ("skipped", "skipped_counts")}
        assert printed_json == {"result": fields, **skipped}


@pytest.mark.parametrize(
    "lookup",
    [one for one in LOOKUPS if not (one.error or one.expected == "none" or "package_id" in one.arguments)],
    ids=lambda lookup: lookup.name,
)
def test_the_skipped_packages_are_the_same_and_complete(lookup: Lookup) -> None:
    """The function and its token report the same skipped packages, and count each of them."""
    get: Any = iotda_ota.get_ota_packages if lookup.many else iotda_ota.get_ota_package
    found = get(**lookup.arguments)
    result = invoke.answer(f"iotda-ota:index:getOtaPackage{'s' * lookup.many}", camel_keys(lookup.arguments))

    skipped = [{**one.to_dict(), "rule": camel(one.rule)} for one in found.skipped]
    assert result["skipped"] == camel_keys(skipped)
    assert result["skippedCounts"] == camel_keys(found.skipped_counts)
    assert len(found.skipped) == min(100, sum(found.skipped_counts.values()))
