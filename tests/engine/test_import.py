"""Import on the real engine: a task or package that exists already becomes a resource of the stack.

The commands are those of other-languages.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.plugins import generated_python, has_plugin, resource, told, yaml

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator import Emulator
    from tests.engine.conftest import Done, Project

LOCATION = {"region_name": "r", "bucket_name": "b-1", "object_key": "k.bin", "sign": "a" * 64}
FIELDS: dict[str, Any] = {"package_type": "firmwarePackage", "app_id": "energy", "product_id": "smart-meter"}


@pytest.fixture
def package_id(emulator: Emulator) -> str:
    """Return a package that another user has uploaded."""
    return emulator.add_package(
        **FIELDS,
        version="V7",
        description="reads faster",
        custom_info="",
        support_source_versions=["V1.4.10"],
        file_location={"obs_location": LOCATION},
    )


@pytest.fixture
def task_id(emulator: Emulator, package_id: str) -> str:
    """Return a task that another user has started under another name, and that does not end."""
    emulator.set_device("d1", outcome="hang")
    return emulator.add_task(
        task_name="fleet_1",
        task_type="firmwareUpgrade",
        targets=["d1", "d2"],
        document={"package_ids": [package_id]},
        task_policy={"retry_count": 2, "retry_interval": 5},
        task_ext_info={"ticket": "OPS-7"},
    )


def ok(done: Done) -> Done:
    """Require that a command succeeded."""
    assert done.code == 0, done.text
    return done


def changing(emulator: Emulator) -> list[str]:
    """Return the requests that change something."""
    return [request.operation for request in emulator.requests if request.method not in ("GET", "HEAD")]


def imported(project: Project, kind: str, name: str, id_: str) -> str:
    """Import a resource with `pulumi import`, and return the code that it generates."""
    file = project.folder / f"{name}.generated"
    command = told(f"pulumi import iotda-ota:index:{kind} ").split()[1:-2]
    ok(project.run(*command, name, id_, "--yes", "--out", str(file)))
    return file.read_text()


def test_what_pulumi_import_generates_changes_nothing(
    make_yaml: Callable[..., Project], package_id: str, task_id: str, emulator: Emulator
) -> None:
    """After `pulumi import` of a package and a task, the generated program and a refresh have no change.

    A destroy deletes the package, and not the task: the generated program says onDestroy: retain.
    """
    project = make_yaml(resources={})
    code = {
        name: imported(project, kind, name, id_)
        for kind, name, id_ in (("OtaPackage", "fw", package_id), ("UpgradeTask", "canary", task_id))
    }

    assert "onDestroy: retain" in code["canary"]
    program = "\n".join(["resources:", *(text.partition("resources:\n")[2] for text in code.values())])
    head = f"name: {project.name}\nruntime: yaml\n"
    (project.folder / "Pulumi.yaml").write_text(head + program)
    emulator.forget_requests()
    ok(project.up("--expect-no-changes"))
    ok(project.run("refresh", "--yes", "--expect-no-changes"))
    ok(project.preview("--expect-no-changes"))
    state = project.resources()
    assert (state["fw"]["id"], state["canary"]["id"]) == (package_id, task_id)
    assert (state["canary"]["outputs"]["taskName"], changing(emulator)) == ("fleet_1", [])

    refused = project.run("destroy", "--yes")
    assert refused.code != 0
    assert "protect" in refused.text
    ok(project.run("state", "unprotect", "--all", "--yes"))
    ok(project.run("destroy", "--yes"))
    assert changing(emulator) == ["DeleteOtaPackage"]
    assert emulator.tasks[0]["status"] == "Processing"


def test_the_option_import(
    make_yaml: Callable[..., Project], package_id: str, task_id: str, emulator: Emulator
) -> None:
    """The option `import` imports at the update. A destroy then stops the task, unless the program retains it."""
    package = {
        "packageType": "firmwarePackage",
        "appId": "energy",
        "productId": "smart-meter",
        "version": "V7",
        "description": "reads faster",
        "supportSourceVersions": ["V1.4.10"],
        "obsLocation": {"regionName": "r", "bucketName": "b-1", "objectKey": "k.bin", "sign": "a" * 64},
    }
    task = {
        "packageIds": ["${fw.packageId}"],
        "targets": ["d1", "d2"],
        "retryCount": 2,
        "retryInterval": 5,
        "taskExtInfo": {"ticket": "OPS-7"},
        "appId": "energy",
    }

    def resources(**options: str) -> dict[str, Any]:
        fw, canary = ({"import": options[name]} if name in options else {} for name in ("fw", "canary"))
        return {
            "fw": resource("OtaPackage", **package, options=fw),
            "canary": resource("UpgradeTask", **task, options=canary),
        }

    project = make_yaml(resources=resources(fw=package_id, canary=task_id), outputs={"task": "${canary.taskId}"})
    emulator.forget_requests()
    ok(project.preview())
    ok(project.up())
    assert (project.outputs()["task"], changing(emulator)) == (task_id, [])

    yaml(project, resources=resources())
    ok(project.preview("--expect-no-changes"))
    ok(project.run("destroy", "--yes"))
    assert changing(emulator) == ["StopBatchTask", "DeleteOtaPackage"]


def test_an_import_that_does_not_fit(
    make_yaml: Callable[..., Project], package_id: str, task_id: str, emulator: Emulator
) -> None:
    """Other devices, an id that does not exist, and a task that is owned already fail the preview."""
    once = {"retryCount": 2, "retryInterval": 5, "taskExtInfo": {"ticket": "OPS-7"}}
    task = {"packageIds": [package_id], "targets": ["d1", "d2"], **once}

    def preview(stack: str, **resources: Any) -> str:
        done = make_yaml(stack=stack, resources=resources).run("preview")
        assert done.code != 0
        assert ".py" not in done.text
        return " ".join(done.text.split())

    other = {**task, "targets": ["d9"]}
    emulator.forget_requests()
    assert "a change of targets starts a new upgrade task, but fleet_1 is still running" in preview(
        "other", canary=resource("UpgradeTask", **other, options={"import": task_id})
    )
    assert f"there is no upgrade task {'0' * 24}" in preview(
        "missing", canary=resource("UpgradeTask", **task, options={"import": "0" * 24})
    )
    assert "another resource of this stack owns it already" in preview(
        "twice",
        one=resource("UpgradeTask", **task, options={"import": task_id}),
        two=resource("UpgradeTask", **task, options={"import": task_id, "dependsOn": ["${one}"]}),
    )
    assert "it owns nothing on the service" in preview(
        "gate", done=resource("UpgradeTaskCompletion", taskId=task_id, options={"import": task_id})
    )
    assert changing(emulator) == []


def test_a_resource_that_is_only_read(
    make_yaml: Callable[..., Project], package_id: str, task_id: str, emulator: Emulator
) -> None:
    """`get` reads a task or package by its id at the preview, and a destroy does not touch it."""
    read = {
        "fw": {"type": "iotda-ota:OtaPackage", "get": {"id": package_id}},
        "canary": {"type": "iotda-ota:UpgradeTask", "get": {"id": task_id}},
        "again": {"type": "iotda-ota:UpgradeTask", "get": {"id": task_id, "state": {"appId": "energy"}}},
    }
    project = make_yaml(resources=read, outputs={"version": "${fw.version}", "name": "${canary.taskName}"})
    emulator.forget_requests()

    ok(project.preview())
    ok(project.up())
    assert project.outputs() == {"version": "V7", "name": "fleet_1"}
    ok(project.run("refresh", "--yes"))
    ok(project.run("destroy", "--yes"))

    assert changing(emulator) == []
    assert emulator.tasks[0]["status"] == "Processing"


PYTHON = """
import pulumi
import pulumi_iotda_ota as iotda_ota

config = pulumi.Config()
task_id = config.get("import")
package = iotda_ota.OtaPackage(
    "fw",
    package_type="firmwarePackage",
    app_id="energy",
    product_id="smart-meter",
    version="V7",
    description="reads faster",
    support_source_versions=["V1.4.10"],
    obs_location={"region_name": "r", "bucket_name": "b-1", "object_key": "k.bin"},
)
if task_id:
    opts = pulumi.ResourceOptions(import_=task_id)
    iotda_ota.UpgradeTask("canary", package_ids=[package.package_id], targets=["d1", "d2"], opts=opts)
pulumi.export("package_id", package.package_id)
"""


def test_python_declares_an_equal_package(
    make_project: Callable[..., Project], package_id: str, task_id: str, emulator: Emulator
) -> None:
    """A Python program adopts a package by declaring it. For a task, the error names the way that works."""
    project = make_project(PYTHON)
    emulator.forget_requests()

    assert "exists already and is adopted" in ok(project.up()).text
    assert (project.outputs()["package_id"], changing(emulator)) == (package_id, [])
    project.set("import", task_id)
    refused = project.preview()
    assert refused.code != 0
    text = " ".join(refused.text.split())
    assert "UpgradeTask cannot be imported" in text
    assert f"pulumi import iotda-ota:index:UpgradeTask canary {task_id}" in text
    assert "Traceback" not in text


def test_pulumi_import_of_a_python_class(make_project: Callable[..., Project], task_id: str) -> None:
    """`pulumi import` of the type of a Python class ends in an error of Pulumi's own, as docs/resources.md says."""
    project = make_project(PYTHON)

    done = project.run("import", "pulumi-python:dynamic/iotda-ota:UpgradeTask", "canary", task_id, "--yes")

    assert done.code != 0
    assert "canary" not in project.resources()


def test_python_imports_a_task_with_the_plugin(
    make_project: Callable[..., Project], task_id: str, emulator: Emulator
) -> None:
    """A Python program imports a task with the plugin's generated code; the classes of this library can use it."""
    project = has_plugin(make_project(""))
    project.environment["PYTHONPATH"] = str(generated_python())
    code = imported(project, "UpgradeTask", "canary", task_id)
    assert "pulumi_iotda_ota_provider" in code
    emulator.forget_requests()

    project.write(code)
    ok(project.preview("--expect-no-changes"))
    judged = 'library.UpgradeTaskCompletion("judged", task_id=canary.task_id, timeout=0, max_failed_devices=2)'
    project.write(f"import pulumi_iotda_ota as library\n{code}\n{judged}\n")
    assert task_id in project.up().text
    assert (project.resources()["canary"]["id"], changing(emulator)) == (task_id, [])
