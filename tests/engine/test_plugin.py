"""The plugin under the real engine: its whole life in YAML, and what only the engine can show."""

from __future__ import annotations

import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.emulator import Emulator
from tests.support.engine_plugin import ok, posts, settings
from tests.support.plugins import METER, NEWEST, found, resource, yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.engine.conftest import Project

TASK = {"packageIds": ["${pin.packageId}"], "targets": ["d1", "d2"]}
PIN = resource("OtaPackagePin", **NEWEST)


def test_from_preview_to_destroy(make_yaml: Callable[..., Project], emulator: Emulator) -> None:
    """A lookup, a pin and a task: known at the preview, created once, unchanged after, refreshed and destroyed."""
    outputs = {"newest": "${newest.version}", "pinned": "${pin.version}", "task": "${task.taskId}"}
    resources = {"pin": PIN, "task": resource("UpgradeTask", **TASK)}
    project = make_yaml(variables={"newest": found(**NEWEST)}, resources=resources, outputs=outputs)

    previewed = ok(project.preview())
    assert 'version              : "V1.4.11"' in previewed.text
    assert posts(emulator) == 0
    ok(project.up())
    assert project.outputs() == {"newest": "V1.4.11", "pinned": "V1.4.11", "task": emulator.tasks[0]["task_id"]}
    ok(project.run("refresh", "--yes"))
    ok(project.preview("--expect-no-changes"))
    ok(project.run("destroy", "--yes"))

    assert posts(emulator) == 1
    assert emulator.tasks[0]["status"] in {"Stopped", "Success"}


def test_errors_are_messages(make_yaml: Callable[..., Project]) -> None:
    """A wrong lookup, setting or input ends the preview with a message, and shows nothing of our code."""
    lookup = make_yaml(variables={"firmware": found(**METER, version="V9")}, outputs={"v": "${firmware.version}"})
    told = lookup.run("preview")
    inputs = make_yaml(stack="b", resources={"task": resource("UpgradeTask", packageIds=["a b"], targets=["d"])})
    refused = inputs.run("preview")
    inputs.set("iotda-ota:deadline", "soon")
    setting = inputs.run("preview")

    assert (
        'no OTA package matches\n      requested    packageType: "firmwarePackage", productId: "smart-meter",'
        in told.text
    )
    assert "property packageIds value {[{a b}]} has a problem: has an item that must be 1 to 36" in refused.text
    assert "property deadline value {soon} has a problem: deadline must be a number of seconds" in setting.text
    for done in (told, refused, setting):
        assert done.code != 0
        assert "Traceback" not in done.text
        assert ".py" not in done.text


def test_a_value_outside_an_enum(make_yaml: Callable[..., Project], emulator: Emulator) -> None:
    """In YAML, a wrong constant of an enum is one error at the preview, with the value and the allowed values.

    Pulumi refuses a literal before it calls the plugin. A value that is an output reaches the plugin.
    """
    inputs = {"packageIds": ["p"], "targets": ["d"]}
    literal = make_yaml(resources={"task": resource("UpgradeTask", **inputs, onDestroy="explode")}).run("preview")
    task = resource("UpgradeTask", **inputs, onDestroy="${newest.version}")
    output = make_yaml(stack="b", variables={"newest": found(**NEWEST)}, resources={"task": task}).run("preview")

    assert "onDestroy: Cannot assign type 'string' to type" in literal.text
    assert 'Allowed values are Stop ("stop"), Retain ("retain"), Delete ("delete")' in literal.text
    refused = 'property onDestroy value {V1.4.11} has a problem: must be one of stop, retain, delete, not "V1.4.11"'
    assert refused in output.text
    assert [done.code != 0 for done in (literal, output)] == [True, True]
    assert posts(emulator) == 0


def test_two_accounts_in_one_program(make_yaml: Callable[..., Project], emulator: Emulator) -> None:
    """Each explicit provider sends requests with its settings. The default provider uses the stack's settings."""
    with Emulator({"packages": [one("V7", "p7")]}) as seven, Emulator({"packages": [one("V8", "p8")]}) as eight:
        providers = {
            name: {"type": "pulumi:providers:iotda-ota", "properties": settings(other)}
            for name, other in (("seven", seven), ("eight", eight))
        }
        asked = {**METER, "highestVersion": True}
        lookups = {
            name: {"fn::invoke": {**found(**asked)["fn::invoke"], "options": {"provider": f"${{{name}}}"}}}
            for name in providers
        }
        pins = {
            f"pin-{name}": resource("OtaPackagePin", **asked, options={"provider": f"${{{name}}}"})
            for name in providers
        }
        project = make_yaml(
            variables={**{f"by-{name}": lookup for name, lookup in lookups.items()}, "default": found(**asked)},
            resources={**providers, **pins},
            outputs={
                "found": ["${by-seven.version}", "${by-eight.version}", "${default.version}"],
                "pinned": ["${pin-seven.version}", "${pin-eight.version}"],
            },
        )
        project.set("iotda-ota:allowedProjectIds", f'["{emulator.project_id}"]')
        ok(project.up())

        assert project.outputs() == {"found": ["V7", "V8", "V1.4.11"], "pinned": ["V7", "V8"]}
        assert seven.secret_key not in project.state()
        ok(project.run("destroy", "--yes"))


def one(version: str, package_id: str) -> dict[str, Any]:
    """Return a package of a seed."""
    fields = {"app_id": "energy", "create_time": "20260101T000000Z", "product_id": "smart-meter"}
    return {**fields, "package_id": package_id, "package_type": "firmwarePackage", "version": version}


def test_settings_that_a_resource_will_give(make_yaml: Callable[..., Project], emulator: Emulator) -> None:
    """A provider whose settings are unknown at the preview sends no request then, and works at the update."""
    late = {**settings(emulator), "projectId": "${id.output}"}
    project = make_yaml(
        resources={
            "id": {"type": "pulumi:index:Stash", "properties": {"input": emulator.project_id}},
            "late": {"type": "pulumi:providers:iotda-ota", "properties": late},
            "pin": resource("OtaPackagePin", **NEWEST, options={"provider": "${late}"}),
        },
        outputs={"version": "${pin.version}"},
    )

    ok(project.preview())
    ok(project.up())

    assert project.outputs() == {"version": "V1.4.11"}


def test_secrets_stay_secret(make_yaml: Callable[..., Project], emulator: Emulator) -> None:
    """The state encrypts a secret of the selection. It also encrypts credentials that no program marks."""
    secret = {"fn::secret": "<77.66.55"}
    project = make_yaml(
        resources={"pin": resource("OtaPackagePin", **METER, highestVersion=True, versionConstraint=secret)},
        variables={"looked": found(**METER, highestVersion=True, versionConstraint=secret)},
        outputs={"version": "${looked.version}"},
    )
    project.set("iotda-ota:accessKey", project.environment.pop("HW_ACCESS_KEY"))
    key = project.environment.pop("HW_SECRET_KEY")
    project.set("iotda-ota:secretKey", key)

    ok(project.up())
    ok(project.preview("--expect-no-changes"))

    assert "77.66.55" not in project.state()
    assert key not in project.state()


def test_a_child_of_a_component(make_yaml: Callable[..., Project], emulator: Emulator) -> None:
    """A resource below another one is served, moved below it by an alias without a change, and has its own task."""
    child = {"parent": "${pin}"}
    project = make_yaml(resources={"pin": PIN, "task": resource("UpgradeTask", **TASK)})
    ok(project.up())

    below = resource("UpgradeTask", **TASK, options={**child, "aliases": [{"noParent": True}]})
    yaml(
        project,
        resources={"pin": PIN, "task": below, "other": resource("UpgradeTask", **TASK, options=child)},
    )
    ok(project.up())

    assert posts(emulator) == 2
    assert (
        project.resources()["task"]["urn"].split("::")[2] == "iotda-ota:index:OtaPackagePin$iotda-ota:index:UpgradeTask"
    )
    ok(project.preview("--expect-no-changes"))


def test_options_of_the_engine(make_yaml: Callable[..., Project], emulator: Emulator) -> None:
    """`replaceOnChanges` and `ignoreChanges` are honoured by a task; a pin refuses to ignore what selects it."""
    kept = {"replaceOnChanges": ["onDestroy"], "ignoreChanges": ["retryCount", "retryInterval"]}

    def resources(pin: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"pin": pin, "task": resource("UpgradeTask", **TASK, **more, options=kept)}

    project = make_yaml(resources=resources(PIN, onDestroy="stop"))
    ok(project.up())
    yaml(project, resources=resources(PIN, onDestroy="stop", retryCount=2, retryInterval=1))
    ok(project.preview("--expect-no-changes"))
    yaml(project, resources=resources(PIN, onDestroy="retain"))
    assert "replace" in ok(project.preview()).text

    ignoring = resource(
        "OtaPackagePin", **{**NEWEST, "versionConstraint": "^1.3"}, options={"ignoreChanges": ["versionConstraint"]}
    )
    yaml(project, resources=resources(ignoring, onDestroy="stop"))
    refused = project.preview()

    assert refused.code != 0
    assert "ignoreChanges of versionConstraint would move the pin instead of keeping it" in refused.text


def test_a_failing_create_keeps_what_was_made_before(make_yaml: Callable[..., Project], emulator: Emulator) -> None:
    """A create that the service refuses prints its words, and the state has what was made before and nothing else."""
    project = make_yaml(resources={"pin": PIN, "task": resource("UpgradeTask", **TASK)})
    emulator.faults.add(operation="CreateBatchTask", error="denied")

    done = project.up()

    assert done.code != 0
    assert "Huawei Cloud refused to create an upgrade task (403 APIGW.0302" in done.text
    assert ".py" not in done.text
    assert {"pin"} == {"pin", "task"} & set(project.resources())


def test_a_gate_that_stays_shut(make_yaml: Callable[..., Project], emulator: Emulator) -> None:
    """A completion that fails is not stored, so that the next run waits again; what depends on it is not begun."""
    emulator.set_device("d1", fails_first=1)
    gate: dict[str, Any] = {"taskId": "${task.taskId}"}

    def resources(**more: Any) -> dict[str, Any]:
        fleet = resource("UpgradeTask", **{**TASK, "targets": ["d3"]}, options={"dependsOn": ["${healthy}"]})
        healthy = resource("UpgradeTaskCompletion", **gate, **more)
        return {"pin": PIN, "task": resource("UpgradeTask", **TASK), "healthy": healthy, "fleet": fleet}

    project = make_yaml(resources=resources())
    failed = project.up()
    assert failed.code != 0
    assert "1 of 2 devices" in failed.text
    assert "maxFailedDevices" in failed.text
    assert not {"healthy", "fleet"} & set(project.resources())
    assert posts(emulator) == 1

    yaml(project, resources=resources(retryFailed=True))
    done = ok(project.up())

    assert "2 of 2 done" in done.text
    assert posts(emulator) == 2
    ok(project.preview("--expect-no-changes"))


def test_ctrl_c_ends_a_wait(make_yaml: Callable[..., Project], emulator: Emulator) -> None:
    """One Ctrl-C ends a wait that would go on for minutes; what was waited for is still in the state."""
    for device in ("d1", "d2"):
        emulator.set_device(device, outcome="hang")
    project = make_yaml(resources={"pin": PIN, "task": resource("UpgradeTask", **TASK)})
    ok(project.up())
    emulator.faults.add(operation="StopBatchTask", status=200, body={"targets": []}, times=None)
    emulator.forget_requests()

    with subprocess.Popen(
        ["pulumi", "destroy", "--yes", "--non-interactive"],
        cwd=project.folder,
        env=project.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as destroying:
        while sum(request.operation == "ShowBatchTask" for request in emulator.requests) < 3:
            time.sleep(0.05)
        destroying.send_signal(signal.SIGINT)
        text, _ = destroying.communicate(timeout=30)

    assert destroying.returncode != 0
    assert "it was cancelled while it waited" in text
    assert "task" in project.resources()


HOSTILE = ("semver.py", "requests.py", "grpc.py", "pydantic.py", "pulumi_iotda_ota/__init__.py", "pulumi/__init__.py")


def test_a_hostile_folder(make_yaml: Callable[..., Project], plugin_checkout: Path) -> None:
    """Files of the consumer's project that have names of ours are not run, neither is the plugin kept from starting."""
    packages = {"iotda-ota": str(plugin_checkout)}
    project = make_yaml(packages=packages, resources={"pin": PIN}, outputs={"version": "${pin.version}"})
    for name in HOSTILE:
        (project.folder / name).parent.mkdir(exist_ok=True)
        project.write('raise SystemExit("a file of the project was run")', name)

    ok(project.up())

    assert project.outputs() == {"version": "V1.4.11"}


def test_installed_beforehand_and_without_internet(make_yaml: Callable[..., Project]) -> None:
    """In an image that the plugin was installed in, a program needs neither a path to it nor the internet."""
    project = make_yaml(resources={"pin": PIN}, outputs={"version": "${pin.version}"})
    dead = "http://127.0.0.1:9"
    project.environment |= {"HTTPS_PROXY": dead, "HTTP_PROXY": dead, "NO_PROXY": "127.0.0.1"}

    ok(project.up())

    assert project.outputs() == {"version": "V1.4.11"}
