"""Several providers in one program, each of them a process: none removes what another one has adopted."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

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


def made(emulator: Emulator) -> list[str]:
    """Return the ids of the packages that a program has made."""
    return [str(package["package_id"]) for package in emulator.packages if package["version"] == "V7.0.0"]


def owned(project: Project) -> dict[str, str]:
    """Return the id of each resource of the plugin in the state."""
    return {name: one["id"] for name, one in project.resources().items() if one["type"].startswith("iotda-ota:")}


class Stack:
    """A YAML program with explicit providers, which a test changes from run to run.

    Args:
        project: the project.
        emulator: where the providers lead to.
    """

    def __init__(self, project: Project, emulator: Emulator) -> None:
        self.project, self._emulator = project, emulator

    def declares(self, kind: str, name: str, provider: str = "", **inputs: Any) -> Stack:
        """Declare one resource, and the provider that it has."""
        properties = settings(self._emulator)
        explicit = {provider: {"type": "pulumi:providers:iotda-ota", "properties": properties}} if provider else {}
        options = {"options": {"provider": f"${{{provider}}}"}} if provider else {}
        yaml(self.project, resources={**explicit, name: resource(kind, **inputs, **options)})
        return self

    def up(self, *arguments: str) -> dict[str, str]:
        """Update, which must succeed; return what the stack then owns."""
        ok(self.project.up(*arguments))
        return owned(self.project)


@pytest.fixture
def stack(make_yaml: Callable[..., Project], emulator: Emulator) -> Stack:
    """Return a stack without a resource."""
    return Stack(make_yaml(), emulator)


@pytest.mark.parametrize(("before", "after"), [("", "own"), ("own", ""), ("one", "other")])
def test_a_package_is_renamed_and_gets_another_provider(
    stack: Stack, emulator: Emulator, before: str, after: str
) -> None:
    """The new provider adopts the package and the old one leaves it; a destroy deletes it once."""
    owns = stack.declares("OtaPackage", "fw", before, **METER).up()

    assert stack.declares("OtaPackage", "firmware", after, **METER).up() == {"firmware": owns["fw"]}

    assert made(emulator) == [owns["fw"]]
    ok(stack.project.run("refresh", "--yes"))
    assert stack.project.resources()["firmware"]["outputs"]["exists"]
    ok(stack.project.run("destroy", "--yes"))
    assert made(emulator) == []


@pytest.mark.parametrize("forced", [True, False])
@pytest.mark.parametrize(("before", "after"), [("", "own"), ("one", "other")])
def test_a_running_task_gets_another_provider(
    stack: Stack, emulator: Emulator, before: str, after: str, forced: bool
) -> None:
    """A running task goes on, with `--replace` too, when its provider changes or is renamed; there is one task."""
    emulator.set_device("meter-0001", outcome="hang")
    task: dict[str, Any] = {"packageIds": [package_of(emulator)], "targets": ["meter-0001"]}
    owns = stack.declares("UpgradeTask", "rollout", before, **task).up()
    wait_until(lambda: emulator.tasks[0]["status"] == "Processing")

    urn = stack.project.resources()["rollout"]["urn"]
    after_it = stack.declares("UpgradeTask", "rollout", after, **task).up(*(["--replace", urn] if forced else []))

    assert after_it == owns
    assert (posts(emulator), [found["status"] for found in emulator.tasks]) == (1, ["Processing"])


def test_killed_while_another_provider_adopts(stack: Stack, emulator: Emulator) -> None:
    """The run that adopts the package is killed; the run after it adopts it too, and the package stays."""
    owns = stack.declares("OtaPackage", "fw", **METER).up()
    stack.declares("OtaPackage", "firmware", "own", **METER)
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
    owns = stack.declares("OtaPackage", "fw", **METER).up()
    (tmp_path / f"pulumi-iotda-ota-{os.geteuid()}").touch()

    refused = stack.project.run("destroy", "--yes", TMPDIR=str(tmp_path))

    assert refused.code != 0
    assert f"package {owns['fw']} is not deleted" in refused.text
    assert "set TMPDIR to a folder of your own that can be written; then run pulumi again" in " ".join(
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

PROGRAM = f"""
import json
import pulumi
import pulumi_iotda_ota as iotda_ota

config = pulumi.Config()
METER = json.loads({json.dumps(METER)!r})


class Fleet(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("acme:fw:Fleet", name, None, opts)
        opts = pulumi.ResourceOptions(parent=self)
        pulumi.CustomResource("iotda-ota:index:OtaPackage", config.require("name"), dict(METER), opts)


kind = config.require("kind")
if kind == "dynamic":
    location = METER["obsLocation"]
    iotda_ota.OtaPackage(
        config.require("name"),
        package_type=METER["packageType"],
        app_id=METER["appId"],
        product_id=METER["productId"],
        version=METER["version"],
        obs_location=dict(
            region_name=location["regionName"], bucket_name=location["bucketName"], object_key=location["objectKey"]
        ),
    )
elif kind == "default":
    Fleet("fleet")
else:
    provider = pulumi.ProviderResource("iotda-ota", kind, json.loads(config.require("settings")))
    Fleet("fleet", pulumi.ResourceOptions(providers=[provider]))
"""


@pytest.fixture
def python(make_project: Callable[..., Project], emulator: Emulator) -> Project:
    """Return a program in Python that has the plugin and dynamic resources."""
    project = has_plugin(make_project(PROGRAM))
    project.set("settings", json.dumps(settings(emulator)))
    return project


def declared(project: Project, kind: str, name: str) -> str:
    """Update to one package with this provider and this resource name; return its id."""
    project.set("kind", kind)
    project.set("name", name)
    ok(project.up())
    id_: str = project.resources()[name]["id"]
    return id_


@pytest.mark.parametrize(
    ("before", "after"),
    [("default", "own"), ("one", "other"), ("dynamic", "default"), ("own", "dynamic"), ("dynamic", "dynamic")],
)
def test_in_a_component_and_beside_dynamic_resources(
    python: Project, emulator: Emulator, before: str, after: str
) -> None:
    """A package stays if its resource moves between providers of components and Pulumi's dynamic host."""
    id_ = declared(python, before, "fw")

    assert declared(python, after, "firmware") == id_

    assert made(emulator) == [id_]
    ok(python.run("destroy", "--yes"))
    assert made(emulator) == []
