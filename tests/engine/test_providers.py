"""Several providers in one program, each of them a process: none removes what another one has adopted."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.conftest import settings_for
from tests.support.engine_plugin import ok, posts, settings
from tests.support.engine_resources import package_of, wait_until
from tests.support.plugin_process import Plugin
from tests.support.plugins import NEWEST, found, has_plugin, resource, yaml
from tests.support.processes import kill_session

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator
    from tests.engine.conftest import Project

METER: dict[str, Any] = {
    "packageType": "firmwarePackage",
    "appId": "energy",
    "productId": "smart-meter",
    "version": "V7.0.0",
    "obsLocation": {"regionName": "cn-north-4", "bucketName": "fleet-firmware", "objectKey": "smart-meter/V7.bin"},
}


def meter(number: int) -> dict[str, Any]:
    """Return the inputs of a package, which differs from the others of a program in its version."""
    return {**METER, "version": f"V7.0.{number}"}


def made(emulator: Emulator) -> list[str]:
    """Return the ids of the packages that a program has made, in the order of their versions."""
    found = [package for package in emulator.packages if package["version"].startswith("V7.")]
    return [str(package["package_id"]) for package in sorted(found, key=lambda package: str(package["version"]))]


def owned(project: Project) -> dict[str, str]:
    """Return the id of each resource of the plugin in the state."""
    return {name: one["id"] for name, one in project.resources().items() if one["type"].startswith("iotda-ota:")}


class Declared(NamedTuple):
    """One resource of a program, and the name of its provider; an empty name is the default provider."""

    kind: str
    name: str
    provider: str
    inputs: dict[str, Any]


class Stack:
    """A YAML program with explicit providers, which a test changes from run to run.

    Args:
        project: the project.
        emulator: where the providers lead to.
    """

    def __init__(self, project: Project, emulator: Emulator) -> None:
        self.project, self._emulator = project, emulator

    def declares(self, *declared: Declared) -> Stack:
        """Declare resources, and the providers that they have."""
        properties = settings(self._emulator)
        resources: dict[str, Any] = {}
        for kind, name, provider, inputs in declared:
            if provider:
                resources[provider] = {"type": "pulumi:providers:iotda-ota", "properties": properties}
            options = {"options": {"provider": f"${{{provider}}}"}} if provider else {}
            resources[name] = resource(kind, **inputs, **options)
        yaml(self.project, resources=resources)
        return self

    def up(self, *arguments: str) -> dict[str, str]:
        """Update, which must succeed; return what the stack then owns."""
        ok(self.project.up(*arguments))
        return owned(self.project)


@pytest.fixture
def stack(make_yaml: Callable[..., Project], emulator: Emulator) -> Stack:
    """Return a stack without a resource."""
    return Stack(make_yaml(), emulator)


def fw(provider: str = "", name: str = "fw") -> Declared:
    """Return a package."""
    return Declared("OtaPackage", name, provider, METER)


#: The provider of each package before and after.
MOVES = [("", "own"), ("own", ""), ("one", "other")]


def test_packages_are_renamed_and_get_another_provider(stack: Stack, emulator: Emulator) -> None:
    """The new provider adopts each package and the old one leaves it; a destroy deletes each once."""
    names = [f"fw-{number}" for number in range(len(MOVES))]
    inputs = [meter(number) for number in range(len(MOVES))]
    before = [Declared("OtaPackage", *one) for one in zip(names, (old for old, _ in MOVES), inputs, strict=True)]
    owns = stack.declares(*before).up()
    after = [
        Declared("OtaPackage", f"{name}-renamed", new, values)
        for name, (_, new), values in zip(names, MOVES, inputs, strict=True)
    ]

    assert stack.declares(*after).up() == {f"{name}-renamed": owns[name] for name in names}

    assert made(emulator) == [owns[name] for name in names]
    ok(stack.project.run("refresh", "--yes"))
    assert all(stack.project.resources()[f"{name}-renamed"]["outputs"]["exists"] for name in names)
    ok(stack.project.run("destroy", "--yes"))
    assert made(emulator) == []


def test_running_tasks_get_another_provider(stack: Stack, emulator: Emulator) -> None:
    """A running task goes on, with `--replace` too, when its provider changes or is renamed; there is one task."""
    cases = [(*move, forced) for move in (("", "own"), ("one", "other")) for forced in (True, False)]
    names = [f"rollout-{number}" for number in range(len(cases))]
    for name in names:
        emulator.set_device(name, outcome="hang")
    package = package_of(emulator)

    def declared(which: int) -> list[Declared]:
        tasks = [{"packageIds": [package], "targets": [name]} for name in names]
        providers = [str(case[which]) for case in cases]
        return [Declared("UpgradeTask", *one) for one in zip(names, providers, tasks, strict=True)]

    owns = stack.declares(*declared(0)).up()
    wait_until(lambda: [task["status"] for task in emulator.tasks] == ["Processing"] * len(cases))
    forced = [name for name, case in zip(names, cases, strict=True) if case[2]]
    urns = [stack.project.resources()[name]["urn"] for name in forced]

    after = stack.declares(*declared(1)).up(*(word for urn in urns for word in ("--replace", urn)))

    assert after == owns
    assert (posts(emulator), [task["status"] for task in emulator.tasks]) == (len(cases), ["Processing"] * len(cases))


def test_killed_while_another_provider_adopts(stack: Stack, emulator: Emulator) -> None:
    """The run that adopts the package is killed; the run after it adopts it too, and the package stays."""
    owns = stack.declares(fw()).up()
    stack.declares(fw("own", "firmware"))
    # The last lookup before the adoption: its response comes after the run was killed.
    emulator.faults.add(operation="ShowOtaPackage", delay=3)
    emulator.forget_requests()
    command = stack.project.start(new_session=True)
    wait_until(lambda: any(request.operation == "ShowOtaPackage" for request in emulator.requests))
    kill_session(command)

    stack.project.run("cancel", "--yes")
    ok(stack.project.run("refresh", "--yes", "--clear-pending-creates"))
    assert stack.up() == {"firmware": owns["fw"]}
    assert made(emulator) == [owns["fw"]]


def test_a_folder_that_cannot_be_used(stack: Stack, emulator: Emulator, tmp_path: Path) -> None:
    """A destroy is refused with a fix that works; nothing was deleted."""
    owns = stack.declares(fw()).up()
    (tmp_path / f"pulumi-iotda-ota-{os.geteuid()}").touch()

    refused = stack.project.run("destroy", "--yes", TMPDIR=str(tmp_path))

    assert refused.code != 0
    assert f"package {owns['fw']} is not deleted" in refused.text
    assert "set TMPDIR to a folder that belongs to you and can be written; then run pulumi again" in " ".join(
        refused.text.split()
    )
    assert made(emulator) == [owns["fw"]]
    ok(stack.project.run("destroy", "--yes"))
    assert made(emulator) == []


def test_an_attached_plugin(stack: Stack, emulator: Emulator, tmp_path: Path) -> None:
    """Engines that attach to one process, run after run, get what the service has now."""
    newest = next(package for package in emulator.packages if package["version"] == "V1.4.11")
    with Plugin(settings_for(emulator), tmp_path, ()) as plugin:
        project = stack.project
        yaml(project, variables={"newest": found(**NEWEST)}, outputs={"version": "${newest.version}"})
        project.environment["PULUMI_DEBUG_PROVIDERS"] = f"iotda-ota:{plugin.port}"
        ok(project.up())
        assert project.outputs() == {"version": "V1.4.11"}
        emulator.add_package(**{**newest, "package_id": "newer", "version": "V1.4.12"})

        ok(project.up())

    assert project.outputs() == {"version": "V1.4.12"}


# A program in Python: resources of the plugin in a component, beside dynamic ones -------------------------------------

PROGRAM = """
import json
import pulumi
import pulumi_iotda_ota as iotda_ota

config = pulumi.Config()


class Fleet(pulumi.ComponentResource):
    def __init__(self, name, resource, meter, opts=None):
        super().__init__("acme:fw:Fleet", name, None, opts)
        opts = pulumi.ResourceOptions(parent=self)
        pulumi.CustomResource("iotda-ota:index:OtaPackage", resource, meter, opts)


for number, (kind, name, meter) in enumerate(config.require_object("declared")):
    if kind == "dynamic":
        location = meter["obsLocation"]
        iotda_ota.OtaPackage(
            name,
            package_type=meter["packageType"],
            app_id=meter["appId"],
            product_id=meter["productId"],
            version=meter["version"],
            obs_location=dict(
                region_name=location["regionName"],
                bucket_name=location["bucketName"],
                object_key=location["objectKey"],
            ),
        )
    elif kind == "default":
        Fleet(f"fleet-{number}", name, meter)
    else:
        settings = json.loads(config.require("settings"))
        provider = pulumi.ProviderResource("iotda-ota", f"{kind}-{number}", settings)
        Fleet(f"fleet-{number}", name, meter, pulumi.ResourceOptions(providers=[provider]))
"""
#: The provider of each package before and after, or Pulumi's dynamic host.
HOSTS = [("default", "own"), ("one", "other"), ("dynamic", "default"), ("own", "dynamic"), ("dynamic", "dynamic")]


def test_in_a_component_and_beside_dynamic_resources(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """A package stays if its resource moves between providers of components and Pulumi's dynamic host."""
    project = has_plugin(make_project(PROGRAM))
    project.set("settings", json.dumps(settings(emulator)))

    def declared(which: int, name: str) -> list[str]:
        cases = [(hosts[which], f"{name}-{number}", meter(number)) for number, hosts in enumerate(HOSTS)]
        project.set("declared", json.dumps(cases))
        ok(project.up())
        state = project.resources()
        return [state[name]["id"] for _, name, _ in cases]

    ids = declared(0, "fw")

    assert declared(1, "firmware") == ids

    assert made(emulator) == ids
    ok(project.run("destroy", "--yes"))
    assert made(emulator) == []
