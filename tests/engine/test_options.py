"""What each resource option does to each resource, in Python and in YAML, on the real engine.

``CELLS`` is the table: for each option, what a run does to the five resources after a change of one input, and whether
what they own on the service is left alone when the program no longer declares them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from pulumi_iotda_ota.iotda.case import camel
from tests.engine.conftest import PREVIEWED
from tests.support.engine_resources import HEAD, ok, wait_until
from tests.support.plugins import resource, yaml

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator import Emulator
    from tests.engine.conftest import Project

KINDS = ("OtaPackage", "OtaPackagePin", "UpgradeTask", "UpgradeTaskCompletion", "UpgradeTaskConfirmation")
#: The input of each kind that the second run changes, as Python spells it.
CHANGED = dict(
    zip(KINDS, ("version", "package_id", "triggers", "max_failed_devices", "approved_package_ids"), strict=True)
)
#: An output of each kind.
OUTPUT = dict(zip(KINDS, ("package_id", "package_id", "task_name", "status", "status"), strict=True))
# What a run does: a replacement, an update in place, nothing, or a refusal that a separate test shows.
R, U, S, REFUSED = "replace", "update", "same", "refused"


class Cell(NamedTuple):
    """What happens to the five resources under one option.

    Attributes:
        python: what the second run does to each, in the order of ``KINDS``.
        yaml: the same of a program in YAML; none where YAML has no such option.
        left: whether a package stays and a task runs on once they are no longer declared.
        changed: whether the second run changes ``CHANGED``; otherwise the option itself is what is new.
    """

    python: tuple[str, ...]
    yaml: tuple[str, ...]
    left: bool = False
    changed: bool = True


PLAIN = (R, U, R, U, U)
UNCHANGED = (S, S, S, S, S)
CELLS = {
    "none": Cell(PLAIN, PLAIN),
    # A pin refuses it: the engine would put the package that was found in the place of the selection.
    "ignore_changes": Cell((S, REFUSED, S, S, S), (S, REFUSED, S, S, S)),
    # Pulumi applies it to the differences that a provider names, and its dynamic provider names none.
    "replace_on_changes": Cell(PLAIN, (R, R, R, R, R)),
    "delete_before_replace": Cell(PLAIN, PLAIN),
    "depends_on": Cell(PLAIN, PLAIN),
    "transforms": Cell(PLAIN, ()),
    "custom_timeouts": Cell(PLAIN, PLAIN),
    "additional_secret_outputs": Cell(PLAIN, PLAIN),
    "retain_on_delete": Cell(UNCHANGED, UNCHANGED, left=True, changed=False),
    "deleted_with": Cell(UNCHANGED, UNCHANGED, left=True, changed=False),
    "protect": Cell(UNCHANGED, UNCHANGED, changed=False),
    # The Python provider does not receive the parent of a task. So the program stores it, and that input is updated.
    "parent": Cell((S, S, U, S, S), UNCHANGED, changed=False),
    "aliases": Cell((S, S, U, S, S), UNCHANGED, changed=False),
}
# `provider` and `import_` of the Python resources are refused: see tests/resources.

PYTHON = f"""{HEAD}
CELLS, CHANGED, OUTPUT = CELLS_, CHANGED_, OUTPUT_
step = config.get_int("step") or 1
first, other = "FIRST", "OTHER"


class Level(pulumi.ComponentResource):
    def __init__(self):
        super().__init__("acme:fw:Level", "level")


def transformed(args):
    changes = dict(OtaPackage=("description", "transformed"), OtaPackagePin=("verify", False),
        UpgradeTask=("retry_count", 3), UpgradeTaskCompletion=("min_devices", 0))
    kind = args.type_.rpartition(":")[2]
    name, value = changes.get(kind, ("unused", None))
    props = dict(args.props)
    if value is not None:
        props[name] = value
    if kind == "UpgradeTask":
        props["retry_interval"] = 7
    return pulumi.ResourceTransformResult(props=props, opts=args.opts)


anchor = iotda_ota.OtaPackagePin("anchor", package_id=first)
done = iotda_ota.UpgradeTask("done", package_ids=[first], targets=["done"])
waits = iotda_ota.UpgradeTask("waits", package_ids=[first], targets=["waits"], need_confirm=True)
level, below_the_stack = Level(), pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)
for index, (option, changed) in enumerate(CELLS.items()):
    now = step if changed else 1
    inputs = dict(
        OtaPackage=dict(
            package_type="firmwarePackage", app_id="energy", product_id="smart-meter", version=f"V9.{{index}}.{{now}}",
            obs_location=dict(region_name="cn-north-4", bucket_name="fleet-firmware", object_key="smart-meter/V9.bin"),
        ),
        OtaPackagePin=dict(package_id=first if now == 1 else other),
        UpgradeTask=dict(package_ids=[first], targets=[f"task-{{option}}"], triggers=[now], replace_running=True),
        UpgradeTaskCompletion=dict(task_id=done.task_id, max_failed_devices=now),
        UpgradeTaskConfirmation=dict(task_id=waits.task_id, approved_package_ids=[first] * now),
    )
    for kind, values in inputs.items():
        name, old = f"{{option}}-{{kind}}", None
        options = dict(
            ignore_changes=dict(ignore_changes=[CHANGED[kind]] if kind != "OtaPackagePin" else []),
            replace_on_changes=dict(replace_on_changes=[CHANGED[kind]]),
            delete_before_replace=dict(delete_before_replace=True),
            depends_on=dict(depends_on=[done]),
            transforms=dict(transforms=[transformed]),
            custom_timeouts=dict(custom_timeouts=pulumi.CustomTimeouts(create="1s", update="1s", delete="1s")),
            additional_secret_outputs=dict(additional_secret_outputs=[OUTPUT[kind]]),
            retain_on_delete=dict(retain_on_delete=True),
            deleted_with=dict(deleted_with=anchor),
            protect=dict(protect=True),
            parent=dict(parent=level, aliases=[below_the_stack]) if step > 1 else dict(),
            aliases=dict(aliases=[pulumi.Alias(name=name)]) if step > 1 else dict(),
        ).get(option, dict())
        renamed = f"{{name}}-renamed" if option == "aliases" and step > 1 else name
        getattr(iotda_ota, kind)(renamed, **values, opts=pulumi.ResourceOptions(**options))
"""


def packages(emulator: Emulator) -> tuple[str, str]:
    """Return two firmware packages of the meter."""
    found = [
        str(package["package_id"])
        for package in emulator.packages
        if (package["product_id"], package["package_type"]) == ("smart-meter", "firmwarePackage")
    ]
    return found[0], found[1]


def hang(emulator: Emulator) -> None:
    """Let the devices of all tasks under options go on for ever."""
    for option in CELLS:
        emulator.set_device(f"task-{option}", outcome="hang")
    emulator.set_device("waits", outcome="hang")


def previewed(project: Project) -> dict[str, str]:
    """Return what a preview says that it would do to each resource, by name."""
    done = project.run("preview", "--json")
    assert done.code == 0, done.text
    steps: dict[str, str] = {}
    for step in json.loads(done.stdout)["steps"]:
        name = step["urn"].rpartition("::")[2].removesuffix("-renamed")
        steps[name] = R if R in (steps.get(name), step["op"]) else step["op"]
    return steps


def compared(project: Project, cells: dict[str, tuple[str, ...]]) -> None:
    """Compare the second run with the table."""
    steps = previewed(project)
    told = {
        option: tuple(
            REFUSED if wanted == REFUSED else steps.get(f"{option}-{kind}", S)
            for kind, wanted in zip(KINDS, wanted_of, strict=True)
        )
        for option, wanted_of in cells.items()
    }
    assert told == cells


def left(emulator: Emulator) -> tuple[set[str], set[str]]:
    """Return the options whose package is there, and those whose task runs."""
    there = {package["version"] for package in emulator.packages if package["version"].startswith("V9.")}
    options = list(CELLS)
    running = {task["targets"][0] for task in emulator.tasks if task["status"] == "Processing"}
    return (
        {options[int(version.split(".")[1])] for version in there},
        {option for option in options if f"task-{option}" in running},
    )


def removed(project: Project, emulator: Emulator, options: set[str]) -> None:
    """Compare what happens to resources that are no longer declared with the table."""
    wait_until(lambda: left(emulator)[1] == options)
    # The preview refuses a protected resource before anything is deleted.
    refused = project.run("destroy", "--yes", PREVIEWED)
    assert refused.code != 0
    for kind in KINDS:
        assert f"::protect-{kind}" in refused.text, refused.text
    assert left(emulator) == (options, options)

    project.ok("state", "unprotect", "--all", "--yes")
    ok(project.up())
    stays = {option for option, cell in CELLS.items() if cell.left}
    assert left(emulator) == (stays, stays)


def test_options_in_python(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """Each option does to each Python resource what the table says, at a change and when the resource goes."""
    hang(emulator)
    first, other = packages(emulator)
    text = PYTHON.replace("CELLS_", repr({option: cell.changed for option, cell in CELLS.items()}))
    text = text.replace("CHANGED_", repr(CHANGED)).replace("OUTPUT_", repr(OUTPUT))
    project = make_project(text.replace("FIRST", first).replace("OTHER", other))
    ok(project.up())

    state = project.resources()
    for kind in KINDS:
        assert state[f"depends_on-{kind}"]["dependencies"], kind
        assert state[f"additional_secret_outputs-{kind}"]["additionalSecretOutputs"] == [OUTPUT[kind]]
        assert isinstance(state[f"additional_secret_outputs-{kind}"]["outputs"][OUTPUT[kind]], dict)
        assert state[f"custom_timeouts-{kind}"]["customTimeouts"]
    assert state["transforms-UpgradeTask"]["inputs"]["retry_count"] == 3
    assert state["transforms-OtaPackage"]["inputs"]["description"] == "transformed"
    assert state["transforms-OtaPackagePin"]["inputs"]["verify"] is False
    assert state["transforms-UpgradeTaskCompletion"]["inputs"]["min_devices"] == 0

    project.set("step", "2")
    compared(project, {option: cell.python for option, cell in CELLS.items()})
    ok(project.up())
    ok(project.preview("--expect-no-changes"))

    project.write("import pulumi")
    removed(project, emulator, set(CELLS))


def in_yaml(step: int, first: str, other: str) -> dict[str, Any]:
    """Return the resources of the same program in YAML."""
    resources = {
        "anchor": resource("OtaPackagePin", packageId=first),
        "done": resource("UpgradeTask", packageIds=[first], targets=["done"]),
        "waits": resource("UpgradeTask", packageIds=[first], targets=["waits"], needConfirm=True),
    }
    for index, (option, cell) in enumerate(CELLS.items()):
        now = step if cell.changed else 1
        inputs: dict[str, dict[str, Any]] = {
            "OtaPackage": {
                "packageType": "firmwarePackage",
                "appId": "energy",
                "productId": "smart-meter",
                "version": f"V9.{index}.{now}",
                "obsLocation": {
                    "regionName": "cn-north-4",
                    "bucketName": "fleet-firmware",
                    "objectKey": "smart-meter/V9.bin",
                },
            },
            "OtaPackagePin": {"packageId": first if now == 1 else other},
            "UpgradeTask": {
                "packageIds": [first],
                "targets": [f"task-{option}"],
                "triggers": [now],
                "replaceRunning": True,
            },
            "UpgradeTaskCompletion": {"taskId": "${done.taskId}", "maxFailedDevices": now},
            "UpgradeTaskConfirmation": {"taskId": "${waits.taskId}", "approvedPackageIds": [first] * now},
        }
        for kind, values in inputs.items() if cell.yaml else ():
            name = f"{option}-{kind}"
            renamed = f"{name}-renamed" if option == "aliases" and step > 1 else name
            resources[renamed] = resource(kind, **values, options=_yaml_options(option, kind, name, step))
    return resources


def _yaml_options(option: str, kind: str, name: str, step: int) -> dict[str, Any]:
    changed = [camel(CHANGED[kind])]
    options: dict[str, dict[str, Any]] = {
        "ignore_changes": {"ignoreChanges": changed if kind != "OtaPackagePin" else []},
        "replace_on_changes": {"replaceOnChanges": changed},
        "delete_before_replace": {"deleteBeforeReplace": True},
        "depends_on": {"dependsOn": ["${done}"]},
        "custom_timeouts": {"customTimeouts": {"create": "60s", "update": "60s", "delete": "60s"}},
        "additional_secret_outputs": {"additionalSecretOutputs": [camel(OUTPUT[kind])]},
        "retain_on_delete": {"retainOnDelete": True},
        "deleted_with": {"deletedWith": "${anchor}"},
        "protect": {"protect": True},
        "parent": {"parent": "${anchor}", "aliases": [{"noParent": True}]} if step > 1 else {},
        "aliases": {"aliases": [{"name": name}]} if step > 1 else {},
    }
    return options.get(option, {})


def test_options_in_yaml(make_yaml: Callable[..., Project], emulator: Emulator) -> None:
    """Each option does to each resource of the plugin what the table says, at a change and when the resource goes."""
    hang(emulator)
    first, other = packages(emulator)
    project = make_yaml(resources=in_yaml(1, first, other))
    ok(project.up())

    state = project.resources()
    for kind in KINDS:
        assert state[f"depends_on-{kind}"]["dependencies"], kind
        assert isinstance(state[f"additional_secret_outputs-{kind}"]["outputs"][camel(OUTPUT[kind])], dict)

    yaml(project, resources=in_yaml(2, first, other))
    compared(project, {option: cell.yaml for option, cell in CELLS.items() if cell.yaml})
    ok(project.up())
    ok(project.preview("--expect-no-changes"))

    yaml(project, resources={})
    removed(project, emulator, {option for option, cell in CELLS.items() if cell.yaml})
