"""The golden table through every door that stands: the same question has the same answer, or the same error."""

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
EVERY = pytest.mark.parametrize("asked", LOOKUPS, ids=lambda asked: asked.name)
Answer = list[tuple[str, str]] | None


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
    """Let a list of packages answer, and no service: there is no endpoint and no key."""
    for name in [name for name in os.environ if name.startswith("HW_")]:
        monkeypatch.delenv(name)
    packages = [{name: value for name, value in given.items() if name != "record_id"} for given in seed()["packages"]]
    pulumi.runtime.set_mocks(testing.Mocks(packages))
    yield
    pulumi_compat.leave_program()


@pytest.fixture(scope="module")
def plugin(golden: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plugin]:
    """Return a running plugin that the settings lead to the service."""
    with Plugin(settings_for(golden), tmp_path_factory.mktemp("project")) as running:
        yield running.configure()


def held(asked: Lookup, answer: Callable[[], Any]) -> None:
    """Hold what a door answers to the table.

    Args:
        asked: the line of the table.
        answer: asks the door; returns one package, None, or a list, each package as a mapping.
    """
    if asked.error:
        kind, words = asked.error
        with pytest.raises(IotdaOtaError) as caught:
            answer()
        assert isinstance(caught.value, getattr(iotda_ota, kind))
        text = " ".join(str(caught.value).split())
        assert [word for word in words if word not in text] == []
        return
    same(asked, answer())


def same(asked: Lookup, found: Any) -> None:
    """Hold an answer, which is no error, to the table; see :func:`held`."""
    if asked.many:
        assert [package["version"] for package in found] == asked.versions
    elif asked.answer == "none":
        assert found is None
    else:
        assert asked.answer in (found["version"], found["package_id"])


def plain(arguments: dict[str, Any], *, many: bool) -> Any:
    """Ask the plain function."""
    return iotda_ota.get_ota_packages(**arguments).packages if many else iotda_ota.get_ota_package(**arguments)


def settled(output: pulumi.Output[Any]) -> Any:
    """Return the value of an Output."""
    found: list[Any] = []

    async def look() -> None:
        found.append(await output.future())

    run_to_the_end: Callable[..., Callable[[], None]] = pulumi.runtime.test
    run_to_the_end(look)()
    return found[0]


def test_the_table_is_large() -> None:
    """At least 120 names and 60 lookups, each shown once."""
    assert len(seed()["packages"]) >= 120
    assert len(LOOKUPS) >= 60
    assert len({asked.name for asked in LOOKUPS}) == len(LOOKUPS)


@EVERY
def test_the_function(asked: Lookup) -> None:
    """The plain function answers as the table says."""
    held(asked, lambda: plain(asked.arguments, many=asked.many))


@EVERY
@pytest.mark.usefixtures("_mocked")
def test_the_mocks(asked: Lookup) -> None:
    """The mocks of a user's tests answer as the table says, without a service."""
    held(asked, lambda: plain(asked.arguments, many=asked.many))


@EVERY
@pytest.mark.usefixtures("_monitored")
def test_the_output_form(asked: Lookup) -> None:
    """The output form in a program under the test monitor answers as the table says."""

    def answer() -> Any:
        if asked.many:
            return settled(iotda_ota.get_ota_packages_output(**asked.arguments).packages)
        return settled(iotda_ota.get_ota_package_output(**asked.arguments))

    held(asked, answer)


@EVERY
def test_the_call_of_a_monitor(asked: Lookup) -> None:
    """What stands in for the engine answers as the table says, in the plugin's names."""

    def answer() -> Any:
        token = f"iotda-ota:index:getOtaPackage{'s' * asked.many}"
        answered = invoke.answer(token, camel_keys(asked.arguments))
        if asked.many:
            return answered["packages"]
        return {**answered, "package_id": answered["packageId"]} if answered.get("found", True) else None

    held(asked, answer)


@pytest.mark.parametrize(
    "asked",
    [asked for asked in LOOKUPS if not asked.many and "on_missing" not in asked.arguments],
    ids=lambda asked: asked.name,
)
def test_the_check_of_a_pin(asked: Lookup, golden: Emulator) -> None:
    """A pin resolves to what the table says, or refuses its inputs in the same words."""
    run = Run(memo=False)
    context = ResourceContext(run=run, config={}, environ=settings_for(golden), warn=print, report=print)
    checked = Pin.check(context, {}, asked.arguments)
    run.close()

    if asked.error:
        told = " ".join(f"{problem.argument} {problem.rendered()}" for problem in checked.problems)
        text = " ".join(told.split())
        assert [word for word in asked.error[1] if word not in text] == []
    else:
        assert checked.problems == []
        assert asked.answer in (checked.inputs["version"], checked.inputs["package_id"])


def told_by(plugin: Plugin, token: str, arguments: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Ask the plugin's process; return its answer and its error, one of them empty."""
    try:
        answered = plugin.invoke(token, **arguments)
    except grpc.RpcError as error:
        return {}, str(error.details())
    if answered.failures:
        return {}, "".join(failure.reason for failure in answered.failures)
    return plugin_process.plain(getattr(answered, "return")), ""


@EVERY
def test_the_plugin(asked: Lookup, plugin: Plugin) -> None:
    """The plugin's process answers as the table says, and word for word as the function does."""
    token = f"getOtaPackage{'s' * asked.many}"
    answered, error = told_by(plugin, token, camel_keys(asked.arguments))

    if asked.error:
        with pytest.raises(IotdaOtaError) as caught:
            plain(asked.arguments, many=asked.many)
        assert error == caught.value.rendered(PLUGIN)
        return
    assert error == ""
    monitored = invoke.answer(f"iotda-ota:index:{token}", camel_keys(asked.arguments))
    assert answered == monitored
    found = [snake_keys(item) for item in answered["packages"]] if asked.many else snake_keys(answered)
    same(asked, found if asked.many or answered["found"] else None)


@pytest.mark.parametrize(
    "asked",
    [asked for asked in LOOKUPS if not asked.many and "on_missing" not in asked.arguments],
    ids=lambda asked: asked.name,
)
def test_a_pin_of_the_plugin(asked: Lookup, plugin: Plugin) -> None:
    """A pin through the plugin's process resolves to what the table says, or refuses its inputs in the same words."""
    inputs, problems = plugin.check(plugin_process.urn("OtaPackagePin"), camel_keys(asked.arguments))

    if asked.error:
        with pytest.raises(IotdaOtaError) as caught:
            plain(asked.arguments, many=asked.many)
        argument = getattr(caught.value, "argument", "")
        assert problems == [(camel(argument), Problem.of(caught.value, argument).rendered(PLUGIN))]
    else:
        assert asked.answer in (inputs["version"], inputs["packageId"])


@pytest.mark.parametrize(
    "asked",
    [asked for asked in LOOKUPS if not (asked.many or asked.error or asked.answer == "none")],
    ids=lambda asked: asked.name,
)
def test_the_lock_file(asked: Lookup, golden: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is locked is the answer of the lookup, by the name alone and with the words of the table beside it."""
    lock(golden, tmp_path, "asked", **asked.arguments)
    monkeypatch.chdir(tmp_path)

    beside = iotda_ota.get_ota_package(lock="asked", **asked.arguments)
    assert beside is not None
    same(asked, beside)
    assert beside.to_dict() == plain(asked.arguments, many=False).to_dict()
    assert iotda_ota.get_ota_package(lock="asked").package_id == beside.package_id


CODES = {"IotdaOtaError": 1, "InputError": 2, "PackageNotFound": 3, "MultiplePackages": 4}


def options(arguments: dict[str, Any]) -> list[str]:
    """Return arguments as options of the command line."""
    given: list[str] = []
    for name, value in arguments.items():
        long = name.replace("_", "-")
        if isinstance(value, bool):
            given.append(f"--{'' if value else 'no-'}{long}")
        elif isinstance(value, list):
            given += [word for one in value for word in (f"--{long.removesuffix('s')}", str(one))]
        else:
            given += [f"--{long}", str(value)]
    return given


@EVERY
def test_the_command_line(asked: Lookup, capsys: pytest.CaptureFixture[str]) -> None:
    """The command line answers as the table says, and word for word as the function does, with its exit code."""
    given = ["package", "list" if asked.many else "get", *options(asked.arguments)]
    if asked.error:
        with pytest.raises(IotdaOtaError) as caught:
            plain(asked.arguments, many=asked.many)
        assert entry.main(given) == CODES[asked.error[0]]
        told = capsys.readouterr()
        # click refuses a value that is none of a few, in its own words.
        assert told.out == ""
        assert (
            told.err == f"error: {caught.value.rendered(COMMAND_LINE)}\n"
            or "Invalid value for '--version-scheme': 'pep440'" in told.err
        )
        return
    assert entry.main([*given, "--json"]) == 0
    answered = json.loads(capsys.readouterr().out)
    found = answered["result"]
    same(asked, found["packages"] if asked.many else found)
    if found is not None:
        get: Any = iotda_ota.get_ota_packages if asked.many else iotda_ota.get_ota_package
        fields = get(**asked.arguments).all_values()
        passed_over = {name: fields.pop(name) for name in ("skipped", "skipped_counts")}
        assert answered == {"result": fields, **passed_over}


@pytest.mark.parametrize(
    "asked",
    [one for one in LOOKUPS if not (one.error or one.answer == "none" or "package_id" in one.arguments)],
    ids=lambda asked: asked.name,
)
def test_what_was_passed_over_is_the_same_and_complete(asked: Lookup) -> None:
    """Function and monitor tell the same packages as passed over, and each package is accounted for."""
    get: Any = iotda_ota.get_ota_packages if asked.many else iotda_ota.get_ota_package
    found = get(**asked.arguments)
    answered = invoke.answer(f"iotda-ota:index:getOtaPackage{'s' * asked.many}", camel_keys(asked.arguments))

    skipped = [{**one.to_dict(), "rule": camel(one.rule)} for one in found.skipped]
    assert answered["skipped"] == camel_keys(skipped)
    assert answered["skippedCounts"] == camel_keys(found.skipped_counts)
    assert len(found.skipped) == min(100, sum(found.skipped_counts.values()))
