"""A search for every secret of a program in everything that a run leaves behind, through both interfaces."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.engine_resources import HEAD, ok, package_of
from tests.support.plugins import METER, resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator import Emulator
    from tests.engine.conftest import Project


class Hidden:
    """Secrets by where they are put, each unlike any other text."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def new(self) -> str:
        """Return another one."""
        self.texts.append(f"sekret{secrets.token_hex(8)}")
        return self.texts[-1]


def in_python(make_project: Callable[..., Project], emulator: Emulator, hidden: Hidden) -> Project:
    """Return a project in Python with secrets in texts, lists and objects of its inputs."""
    package = package_of(emulator)
    return make_project(f"""{HEAD}
import logging
logging.basicConfig(level=logging.DEBUG)
secret = pulumi.Output.secret
meter = dict(package_type="firmwarePackage", product_id="smart-meter", highest_version=True)
looked = iotda_ota.get_ota_package_output(**meter, version_regex=secret("V1.4.*|{hidden.new()}"))
iotda_ota.OtaPackagePin("selected", **meter, version_regex=secret("V1.4.*|{hidden.new()}"))
pin = iotda_ota.OtaPackagePin("pin", **meter, triggers=[secret("{hidden.new()}"), {{"deep": secret("{hidden.new()}")}}])
task = iotda_ota.UpgradeTask(
    "rollout",
    package_ids=["{package}"],
    targets=["meter-0001"],
    task_ext_info={{"plain": 1, "deep": [secret("{hidden.new()}")]}},
    triggers=[secret("{hidden.new()}")],
)
iotda_ota.UpgradeTaskCompletion("done", task_id=task.task_id, triggers=[secret("{hidden.new()}")])
pulumi.export("version", looked.version)
""")


def in_yaml(make_yaml: Callable[..., Project], emulator: Emulator, hidden: Hidden) -> Project:
    """Return a project in YAML with the same, and an explicit provider whose credentials are secret."""

    def secret() -> dict[str, Any]:
        return {"fn::secret": hidden.new()}

    keys = {"accessKey": emulator.access_key, "secretKey": {"fn::secret": emulator.secret_key}}
    task = {
        "packageIds": [package_of(emulator)],
        "targets": ["meter-0001"],
        "taskExtInfo": {"plain": 1, "deep": [secret()]},
        "triggers": [secret(), {"deep": secret()}],
    }
    options = {"provider": "${account}"}
    return make_yaml(
        resources={
            "account": {"type": "pulumi:providers:iotda-ota", "properties": keys},
            "pin": resource("OtaPackagePin", **METER, highestVersion=True, triggers=[secret()], options=options),
            "rollout": resource("UpgradeTask", **task, options=options),
            "done": resource("UpgradeTaskCompletion", taskId="${rollout.taskId}", triggers=[secret()], options=options),
        },
    )


@pytest.mark.parametrize("interface", ["python", "yaml"])
def test_no_secret_is_left_anywhere(
    make_project: Callable[..., Project], make_yaml: Callable[..., Project], emulator: Emulator, interface: str
) -> None:
    """No secret input, and no credential, is in state, plan, `--json`, the screen, the events or the debug logs."""
    hidden = Hidden()
    if interface == "python":
        project = in_python(make_project, emulator, hidden)
    else:
        project = in_yaml(make_yaml, emulator, hidden)
        project.environment.pop("HW_ACCESS_KEY")
        project.environment.pop("HW_SECRET_KEY")
    events, plan = project.folder / "events.json", project.folder / "plan.json"
    debug = {"PULUMI_DEBUG_COMMANDS": "true"}

    left = {
        "preview": ok(project.run("preview", "--diff", "--save-plan", str(plan), **debug)),
        "json": project.ok("preview", "--json", **debug).stdout,
        "up": ok(project.run("up", "--yes", "--skip-preview", "--event-log", str(events), **debug)),
        "state": project.ok("stack", "export").stdout,
        "refresh": ok(project.run("refresh", "--yes", "--diff")),
        "outputs": project.ok("stack", "output", "--json").stdout,
    }
    left |= {"plan": plan.read_text(), "events": events.read_text()}
    left["destroy"] = ok(project.run("destroy", "--yes", "--diff"))

    assert emulator.tasks
    for secret in (*hidden.texts, emulator.secret_key):
        assert [place for place, text in left.items() if secret in text] == []


def test_no_secret_is_in_an_error_in_python(make_project: Callable[..., Project]) -> None:
    """A dynamic resource reports a wrong secret without its value, though Pulumi does not mark secrets for it."""
    hidden = Hidden()
    project = make_project(f"""{HEAD}
secret = pulumi.Output.secret
iotda_ota.UpgradeTask(
    "rollout",
    package_ids=[secret("{hidden.new()} with spaces")],
    targets=secret(["{hidden.new()} one"]),
    task_name_prefix=secret("{hidden.new()}-"),
    task_type=pulumi.Output.from_input("typo"),
    retry_count=secret(424242),
    retry_interval=1,
)
""")

    done = project.run("preview")

    assert done.code != 0
    assert "package_ids: has an item that must be" in done.text
    assert 'not "typo"' in done.text
    assert [text for text in (*hidden.texts, "424242") if text in done.text] == []


def test_no_secret_is_in_an_error(make_yaml: Callable[..., Project]) -> None:
    """Wrong secrets fail a preview with what is wrong and without themselves, whatever they are in."""
    hidden = Hidden()
    wrong = {
        "packageIds": [{"fn::secret": f"{hidden.new()} with spaces"}],
        "targets": ["meter-0001"],
        "taskNamePrefix": {"fn::secret": f"{hidden.new()}-"},
        "taskExtInfo": {"deep": {"fn::secret": hidden.new() * 40}},
    }
    project = make_yaml(resources={"rollout": resource("UpgradeTask", **wrong)})

    for command in (["preview"], ["preview", "--json"]):
        done = project.run(*command)
        assert done.code != 0
        assert "packageIds: has an item that must be" in done.text
        assert [secret for secret in hidden.texts if secret in done.text] == []
