"""What a failed run leaves to be deleted, and what is forced, never ends what the stack owns: on the real engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.engine_packages import made
from tests.support.engine_resources import HEAD, ok, package_of, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator import Emulator
    from tests.engine.conftest import Project

ROLLBACK = f"""{HEAD}
package = iotda_ota.OtaPackage(
    "package",
    package_type="firmwarePackage",
    app_id="energy",
    product_id="smart-meter",
    version=config.get("version") or "V7.0.0",
    obs_location=dict(region_name="cn-north-4", bucket_name="fleet-firmware", object_key="smart-meter/V7.bin"),
)
canary = iotda_ota.UpgradeTask(
    "canary", package_ids=[package.package_id], targets=["meter-0001"], triggers=[config.get_int("wave") or 1]
)
iotda_ota.UpgradeTaskCompletion("healthy", task_id=canary.task_id)
"""


def test_back_to_the_version_before_a_failed_canary(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """After a rollback the stack's package is there, whatever the failed run had left to be deleted."""
    project = make_project(ROLLBACK)
    ok(project.up())
    emulator.set_device("meter-0001", outcome="fail")
    project.set("version", "V8.0.0")
    assert project.up().code != 0

    emulator.set_device("meter-0001", outcome="success")
    project.set("version", "V7.0.0")
    project.set("wave", "2")
    ok(project.up())

    held = project.resources()["package"]["id"]
    assert held in [package["package_id"] for package in made(emulator)]
    ok(project.run("refresh", "--yes"))
    assert project.resources()["package"]["outputs"]["exists"]


TASK = f"""{HEAD}
task = iotda_ota.UpgradeTask(
    "rollout",
    package_ids=["PACKAGE"],
    targets=["meter-0001"],
)
if config.get_bool("gate"):
    iotda_ota.UpgradeTaskCompletion("done", task_id=task.task_id, timeout=0)
"""


def running(make_project: Callable[..., Project], emulator: Emulator) -> Project:
    """Return a stack whose upgrade task runs on."""
    emulator.set_device("meter-0001", outcome="hang")
    project = make_project(TASK.replace("PACKAGE", package_of(emulator)))
    ok(project.up())
    return project


WAVES = f"""{HEAD}
for name in config.require_object("names"):
    wave = config.get_int("wave") if name == "replaced" else 1
    iotda_ota.UpgradeTask(name, package_ids=["PACKAGE"], targets=[name], triggers=[wave], replace_running=True)
"""


def test_what_goes_after_a_refresh_goes(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """A refresh in the same command keeps nothing from being stopped: what is destroyed, removed or replaced."""
    for name in ("removed", "replaced"):
        emulator.set_device(name, outcome="hang")
    project = make_project(WAVES.replace("PACKAGE", package_of(emulator)))

    def statuses() -> list[tuple[str, str]]:
        return [(task["targets"][0], task["status"]) for task in reversed(emulator.tasks)]

    project.set("names", '["removed", "replaced"]')
    project.set("wave", "1")
    ok(project.up())
    wait_until(lambda: [status for _, status in statuses()] == ["Processing"] * 2)

    project.set("names", '["replaced"]')
    project.set("wave", "2")
    ok(project.up("--refresh"))
    assert sorted(statuses()[:2]) == [("removed", "Stopped"), ("replaced", "Stopped")]
    wait_until(lambda: statuses()[2:] == [("replaced", "Processing")])

    ok(project.run("destroy", "--yes", "--refresh"))
    assert statuses()[2:] == [("replaced", "Stopped")]

    project.set("wave", "3")
    ok(project.up())
    wait_until(lambda: statuses()[3:] == [("replaced", "Processing")])
    ok(project.run("destroy", "--yes", "--refresh", "--run-program"))
    assert statuses()[3:] == [("replaced", "Stopped")]


def test_a_forced_replacement_in_a_run_that_fails(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """A run adopts an upgrade task and then fails. The next run does not stop that task."""
    project = running(make_project, emulator)
    urn = project.resources()["rollout"]["urn"]
    project.set("gate", "true")
    assert project.up("--replace", urn).code != 0

    project.set("gate", "false")
    ok(project.up())

    assert [task["status"] for task in emulator.tasks] == ["Processing"]


def test_a_forced_replacement_by_another_campaign(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """A forced replacement by another upgrade task is refused, and the running task continues.

    It is forced by `--replace`, by that after a move below a component, and by a taint.
    """
    project = running(make_project, emulator)
    first = TASK.replace("PACKAGE", package_of(emulator))
    below = "opts=pulumi.ResourceOptions(parent=eu, aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)]),"
    component = 'eu = pulumi.ComponentResource("acme:fw:Rollout", "eu")\ntask = '
    moved = first.replace("task = ", component).replace('["meter-0001"],', f'["meter-0001"], {below}')

    def refuses(*arguments: str) -> None:
        refused = project.up(*arguments)
        assert refused.code != 0
        assert "a task with the same devices still runs" in refused.text
        assert [task["status"] for task in emulator.tasks] == ["Processing"]
        assert project.resources()["rollout"]["id"] == emulator.tasks[0]["task_id"]

    project.write(first.replace('["meter-0001"],', '["meter-0001"], triggers=[2],'))
    refuses("--replace", project.resources()["rollout"]["urn"])

    project.write(moved)
    ok(project.up())
    project.write(moved.replace('["meter-0001"],', '["meter-0001"], triggers=[2],'))
    refuses("--replace", project.resources()["rollout"]["urn"])

    project.ok("state", "taint", project.resources()["rollout"]["urn"], "--yes")
    refuses()
