"""The resources on the real engine: what a person sees when they fail, and what the state keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.engine_resources import HEAD, ids, ok, package_of, posts, rollout, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator import Emulator
    from tests.engine.conftest import Project


def test_a_lost_answer_a_second_run_and_a_wrong_place(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """One task comes of a lost answer and a second run; the state holds no secret; a destroy elsewhere keeps it."""
    project = rollout(make_project, emulator)
    emulator.faults.add(operation="CreateBatchTask", accept=True, wire="drop")

    assert "exists already and is adopted" in ok(project.up())
    ok(project.up())

    assert (posts(emulator), len(emulator.tasks)) == (1, 1)
    state = project.resources()["rollout"]
    assert (state["id"], state["outputs"]["task_id"]) == (*ids(emulator), *ids(emulator))
    assert emulator.secret_key not in project.state()
    assert emulator.access_key not in project.state()

    elsewhere = project.run("destroy", "--yes", HW_PROJECT_ID="another-project")
    assert elsewhere.code != 0
    assert "Huawei Cloud refused to read an upgrade task (403" in elsewhere.text
    assert "Traceback" not in elsewhere.text
    assert "rollout" in project.resources()

    ok(project.run("destroy", "--yes"))
    assert project.resources() == {}


def test_a_replacement_is_refused_while_the_campaign_runs(
    make_project: Callable[..., Project], emulator: Emulator
) -> None:
    """A forced replacement takes the running task over. Other triggers are refused at the preview, unless allowed."""
    emulator.set_device("meter-0001", outcome="hang")
    project = rollout(make_project, emulator)
    ok(project.up())
    state = project.resources()["rollout"]

    assert "another resource of the stack owns it now" in ok(project.up("--target-replace", state["urn"]))
    assert [task["status"] for task in emulator.tasks] == ["Processing"]
    assert project.resources()["rollout"]["id"] == ids(emulator)[0] == state["id"]

    project.set("wave", "2")
    refused = project.preview()
    assert refused.code != 0
    assert "a change of triggers starts a new upgrade task" in refused.text
    assert [task["status"] for task in emulator.tasks] == ["Processing"]

    project.set("replace", "true")
    ok(project.up())
    assert [task["status"] for task in emulator.tasks][1:] == ["Stopped"]
    assert project.resources()["rollout"]["id"] == ids(emulator)[0]


def test_a_task_that_depends_on_another_is_asked_before_it_stops(
    make_project: Callable[..., Project], emulator: Emulator
) -> None:
    """A new canary does not stop the fleet's running upgrade task: that change is refused like any other."""
    emulator.set_device("meter-0009", outcome="hang")
    project = make_project(f"""{HEAD}
wave, package = config.get_int("wave") or 1, "{package_of(emulator)}"
canary = iotda_ota.UpgradeTask("canary", package_ids=[package], targets=["meter-0001"], triggers=[wave])
iotda_ota.UpgradeTask("fleet", package_ids=[package], targets=["meter-0009"], triggers=[canary.task_id])
""")
    ok(project.up())
    wait_until(lambda: {task["status"] for task in emulator.tasks} == {"Processing", "Success"})
    project.set("wave", "2")

    refused = project.up()

    assert refused.code != 0
    assert "a change of triggers starts a new upgrade task" in refused.text
    assert "Stopped" not in {task["status"] for task in emulator.tasks}


def test_a_task_that_was_deleted_elsewhere(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """After a task ends, an update stores its input in place. A refresh reports its deletion. Neither starts a task."""
    project = rollout(make_project, emulator)
    ok(project.up())
    wait_until(lambda: emulator.tasks[0]["status"] == "Success")
    before = project.resources()["rollout"]["outputs"]

    project.set("confirm", "true")
    ok(project.up())
    after = project.resources()["rollout"]["outputs"]
    assert {name for name in after if after[name] != before.get(name)} == {"need_confirm"}
    assert posts(emulator) == 1

    emulator.reset()
    ok(project.run("refresh", "--yes"))
    assert project.resources()["rollout"]["outputs"]["status"] == "Gone"
    ok(project.preview("--expect-no-changes"))
    assert (posts(emulator), emulator.tasks) == (0, [])


def test_two_stacks_do_not_share_a_task(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """The same program in two stacks makes two upgrade tasks."""
    stacks = [rollout(make_project, emulator, stack=name) for name in ("blue", "green")]

    for stack in stacks:
        ok(stack.up())

    assert sorted(stack.resources()["rollout"]["id"] for stack in stacks) == sorted(ids(emulator))
    assert len(emulator.tasks) == 2


CHAIN = f"""{HEAD}
canary = iotda_ota.UpgradeTask("canary", package_ids=["PACKAGE"], targets=["a"], triggers=[config.get_int("wave")])
pinned = iotda_ota.OtaPackagePin("meter", package_id="PACKAGE", triggers=[canary.task_id])
iotda_ota.UpgradeTask("fleet", package_ids=[pinned.package_id], targets=["b"])
pulumi.export("digits", pinned.package_id.apply(len))
"""


def test_what_is_not_known_at_the_preview(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """A pin that hangs on a task to come is unknown at the preview, new or old, and known at the update."""
    project = make_project(CHAIN.replace("PACKAGE", package_of(emulator)))
    ok(project.up())
    before = project.resources()["fleet"]["id"]
    wait_until(lambda: all(task["status"] == "Success" for task in emulator.tasks))
    project.set("wave", "2")

    ok(project.preview())
    ok(project.up())

    assert project.resources()["fleet"]["id"] == before
    assert (len(emulator.tasks), project.outputs()["digits"]) == (3, 32)


WRONG = f"""{HEAD}
iotda_ota.UpgradeTask("rollout", package_ids=["a b"], targets=["d"], group_ids=["g"], on_destroy="destroy")
"""


def test_wrong_inputs_are_told_once_and_together(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """Wrong inputs fail the preview with a line each, and with nothing of how this library works."""
    done = make_project(WRONG).run("preview")

    assert done.code != 0
    for told in (
        "package_ids has an item that must be 1 to 36",
        "on_destroy must be one of",
        "targets and group_ids: ",
    ):
        assert told in " ".join(done.text.split())
    assert emulator.secret_key not in done.text
    assert "pulumi_iotda_ota/" not in done.text
    assert emulator.requests == []


def test_a_failing_create_is_our_message_alone(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """A create that the service refuses prints what it said and none of our code, and leaves nothing in the state."""
    project = rollout(make_project, emulator)
    emulator.faults.add(operation="CreateBatchTask", error="denied")

    done = project.up()

    assert done.code != 0
    assert "Huawei Cloud refused to create an upgrade task (403 APIGW.0302" in done.text
    # The engine interrupts the program, whose host may print a traceback of that; there is none of the error.
    assert "pulumi_iotda_ota/" not in done.text
    assert "dynamic/__main__.py" not in done.text
    assert "rollout" not in project.resources()


CONFIGURED = f"""{HEAD}
meter = dict(package_type="firmwarePackage", product_id="smart-meter", version="V1.4.10")
pulumi.export("found", iotda_ota.get_ota_package(**meter).version)
pin = iotda_ota.OtaPackagePin("pin", **meter)
iotda_ota.UpgradeTask("rollout", package_ids=[pin.package_id], targets=["meter-0001"])
"""


def test_credentials_of_the_configuration_stay_encrypted(
    make_project: Callable[..., Project], emulator: Emulator
) -> None:
    """Settings in the stack's configuration lead functions and resources to the service, and none shows in the state.

    The credentials were set with `--secret`.
    """
    project = make_project(CONFIGURED)
    del project.environment["HW_IOTDA_ENDPOINT"]
    access_key, secret_key = project.environment.pop("HW_ACCESS_KEY"), project.environment.pop("HW_SECRET_KEY")
    keys = [f"iotda-ota:accessKey={access_key}", f"iotda-ota:secretKey={secret_key}"]
    project.ok("config", "set-all", "--secret", keys[0], "--secret", keys[1])
    project.set("iotda-ota:endpoint", emulator.endpoint)

    ok(project.up())
    assert (project.outputs(), len(emulator.tasks)) == ({"found": "V1.4.10"}, 1)
    assert secret_key not in project.state()
    ok(project.run("destroy", "--yes"))

    assert {task["status"] for task in emulator.tasks} <= {"Success", "Stopped", "PartialSuccess"}
