"""Upgrade tasks on the real engine: gates, approvals, progress, retries, and a wait that is cut off."""

from __future__ import annotations

import json
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from tests.engine.conftest import PRINTED
from tests.support.engine_resources import HEAD, ids, ok, package_of, posts, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator import Emulator
    from tests.engine.conftest import Project

STAGED = Path(__file__).parents[2] / "examples" / "python-staged-rollout" / "__main__.py"


def staged(make_project: Callable[..., Project]) -> Project:
    """Return the project of the example."""
    project = make_project(STAGED.read_text(), name="python-staged-rollout")
    settings = {"product": "smart-meter", "range": "^1.4", "canary": "canary", "fleet": ["fleet"]}
    for name, value in settings.items():
        project.set(name, value)
    return project


def statuses(emulator: Emulator) -> list[str]:
    """Return the status of every task on the service, oldest first."""
    return [task["status"] for task in reversed(emulator.tasks)]


def operations(emulator: Emulator) -> list[str]:
    """Return the operations that change something at the service, in order."""
    return [str(request.operation) for request in emulator.requests if request.method != "GET"]


def test_a_staged_rollout(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """Canary, its good end, an approval, the rest: each waits for the one before, in one program."""
    project = staged(make_project)
    ok(project.preview())
    assert operations(emulator) == []

    ok(project.up())
    assert statuses(emulator) == ["Success", "Waitting"]

    project.set("approved", ["another-package"])
    refused = project.up()
    assert refused.code != 0
    assert "the upgrade task installs other packages than the approved ones; it was not confirmed" in refused.text
    assert statuses(emulator) == ["Success", "Waitting"]

    project.set("approved", [project.outputs()["package"]["package_id"]])
    ok(project.up())
    assert statuses(emulator) == ["Success", "Success"]
    assert operations(emulator) == ["CreateBatchTask", "CreateBatchTask", "ConfirmBatchTask"]
    ok(project.run("refresh", "--yes"))
    ok(project.preview("--expect-no-changes"))

    ok(project.run("destroy", "--yes"))
    assert project.resources() == {}
    assert statuses(emulator) == ["Success", "Success"]


def test_a_failed_canary_leaves_the_rest_untouched(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """A failed canary fails the run with one clear error. A retry succeeds without a new upgrade task."""
    emulator.set_device("meter-0002", fails_first=2, error_code="IOTDA.014112", error_msg="Integrity check failure")
    project = staged(make_project)

    failed = project.up()

    assert failed.code != 0
    name = emulator.tasks[0]["task_name"]
    assert f"error: upgrade task {name} failed: 1 of 4 devices (limit 0)" in failed.text
    assert "meter-0002   Integrity check failure (IOTDA.014112)" in failed.text
    assert "pulumi_iotda_ota/" not in failed.text
    assert {"canary", "meter"} <= {*project.resources()}
    assert not {"canary-healthy", "fleet"} & {*project.resources()}
    assert statuses(emulator) == ["PartialSuccess"]

    project.set("retry_failed", "true")
    assert project.up().code != 0  # it fails once more
    ok(project.up())
    assert operations(emulator) == ["CreateBatchTask", "RetryBatchTask", "RetryBatchTask", "CreateBatchTask"]
    assert statuses(emulator) == ["Success", "Waitting"]


def test_a_raised_limit_judges_the_same_campaign(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """With the limit that the error names the next run goes on, with the task that is there."""
    emulator.set_device("meter-0002", outcome="offline")
    project = staged(make_project)
    assert project.up().code != 0

    project.set("max_failed_percent", "25")
    ok(project.up())

    assert operations(emulator) == ["CreateBatchTask", "CreateBatchTask"]
    assert project.resources()["canary-healthy"]["outputs"]["failed_count"] == 1


WAIT = f"""{HEAD}
task = iotda_ota.UpgradeTask("canary", package_ids=["PACKAGE"], targets=["meter-0001", "meter-0002"])
done = iotda_ota.UpgradeTaskCompletion("done", task_id=task.task_id, timeout=config.get("timeout") or "5m")
pulumi.export("status", done.status)
"""


def waiting(make_project: Callable[..., Project], emulator: Emulator) -> Project:
    """Return a project that waits for a task."""
    return make_project(WAIT.replace("PACKAGE", package_of(emulator)))


def test_progress_shows_and_json_stays_json(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """While it waits the counts show as they change, and how to stop; `--json` prints JSON alone, with these lines."""
    emulator.set_device("meter-0001", seconds=2)
    project = waiting(make_project, emulator)

    done = project.ok("up", "--yes", "--skip-preview", "--json")

    events = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
    lines = [event["diagnosticEvent"]["message"] for event in events if "diagnosticEvent" in event]
    shown = [re.sub(r"<\{%.*?%\}>", "", line).strip().partition(": ")[0] for line in lines if "upgrade task" in line]
    assert shown[-1] == "2 of 2 done, 0 failed, 0 running, 0 waiting, Success"
    assert "1 of 2 done, 0 failed, 1 running, 0 waiting, Processing" in shown
    assert len(shown) == len(set(shown))
    assert sum("Ctrl-C twice stops the wait, not the task" in line for line in lines) == 1


def test_a_wait_that_runs_out_goes_on_in_the_next_run(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """A wait that took too long keeps the task; the next run waits for the same one."""
    emulator.set_device("meter-0001", seconds=6)
    project = waiting(make_project, emulator)
    project.set("timeout", "1s")

    late = project.up()
    assert late.code != 0
    assert "did not end within 1 seconds" in late.text
    assert "canary" in project.resources()

    project.set("timeout", "1m")
    ok(project.up())
    assert (posts(emulator), project.outputs()["status"]) == (1, "Success")


def test_an_interrupted_wait_loses_nothing(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """Ctrl-C twice while it waits: the task goes on and is in the state, and the next run waits for it."""
    emulator.set_device("meter-0001", seconds=8)
    project = waiting(make_project, emulator)
    command = project.start()
    wait_until(lambda: any(request.operation == "ShowBatchTask" for request in emulator.requests))
    command.send_signal(signal.SIGINT)
    wait_until(lambda: "press ^C again" in (project.folder / PRINTED).read_text())
    command.send_signal(signal.SIGINT)
    command.wait(timeout=60)

    project.run("cancel", "--yes")
    project.run("refresh", "--yes", "--clear-pending-creates")
    ok(project.up())

    assert (posts(emulator), project.resources()["canary"]["id"]) == (1, ids(emulator)[0])
    assert project.outputs()["status"] == "Success"


MANY = f"""{HEAD}
for number in range(6):
    task = iotda_ota.UpgradeTask(f"wave-{{number}}", package_ids=["PACKAGE"], targets=[f"slow-{{number}}"])
    iotda_ota.UpgradeTaskCompletion(f"done-{{number}}", task_id=task.task_id)
"""


def test_many_waits_hold_nothing_up(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """More upgrade tasks than Pulumi's host serves at once run side by side. None waits for another to end."""
    for number in range(6):
        emulator.set_device(f"slow-{number}", seconds=8)
    project = make_project(MANY.replace("PACKAGE", package_of(emulator)))
    seen: list[list[str]] = []
    emulator.faults.add(operation="CreateBatchTask", times=None, before=lambda: seen.append(statuses(emulator)))

    ok(project.up())

    assert len(seen) == 6
    assert "Success" not in seen[-1]


def test_wrong_inputs_fail_the_preview(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """The preview reports all wrong inputs of a wait at once, and sends nothing."""
    wrong = 'task_id="no!", max_failed_devices=1, max_failed_percent=1, timeout="soon"'
    done = make_project(f"{HEAD}\niotda_ota.UpgradeTaskCompletion('done', {wrong})\n").run("preview")

    assert done.code != 0
    told = (
        "task_id must be 1 to 24 lower-case",
        "max_failed_devices and max_failed_percent: set one of them",
        'timeout must be seconds or a string such as "90s"',
    )
    assert [line for line in told if line not in " ".join(done.text.split())] == []
    assert emulator.requests == []


def test_an_approval_is_written_out(make_project: Callable[..., Project]) -> None:
    """What a lookup finds is no approval: an Output is refused in the program."""
    done = make_project(f"""{HEAD}
found = iotda_ota.get_ota_package_output(package_type="firmwarePackage", product_id="smart-meter", version="V1.4.10")
iotda_ota.UpgradeTaskConfirmation("approved", task_id="abc", approved_package_ids=[found.package_id])
""").run("preview")

    assert done.code != 0
    assert "error: approved_package_ids is a Pulumi Output, but must be literal ids" in done.text


def test_destroy_without_credentials_of_what_owns_nothing(
    make_project: Callable[..., Project], emulator: Emulator
) -> None:
    """Waits and approvals are removed without a request, also if no credentials exist any more."""
    project = waiting(make_project, emulator)
    ok(project.up())
    urn = project.resources()["done"]["urn"]
    for name in ("HW_ACCESS_KEY", "HW_SECRET_KEY"):
        del project.environment[name]

    ok(project.run("destroy", "--yes", "--target", urn))

    assert "done" not in project.resources()
