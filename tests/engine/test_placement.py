"""Where a program can put a resource, and what it can pass to one, on the real engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.engine_resources import HEAD, ok, package_of, posts
from tests.support.plugins import resource

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator import Emulator
    from tests.engine.conftest import Project

#: All five resources, at the top or below two components; the outer one can have been renamed.
PLACED = f"""{HEAD}
class Level(pulumi.ComponentResource):
    def __init__(self, name, inner, opts=None):
        super().__init__("acme:fw:Level", name, None, opts)
        inner(self)


def rollout(parent):
    moved = [pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)] if parent else []

    def opts(*after):
        return pulumi.ResourceOptions(parent=parent, aliases=moved, depends_on=list(after))

    package = iotda_ota.OtaPackage(
        "package",
        package_type="firmwarePackage",
        app_id="energy",
        product_id="smart-meter",
        version="V7.0.0",
        obs_location=dict(region_name="cn-north-4", bucket_name="fleet-firmware", object_key="smart-meter/V7.bin"),
        opts=opts(),
    )
    pin = iotda_ota.OtaPackagePin("pin", package_id="PACKAGE", opts=opts(package))
    canary = iotda_ota.UpgradeTask("canary", package_ids=[pin.package_id], targets=["done"], opts=opts())
    healthy = iotda_ota.UpgradeTaskCompletion("healthy", task_id=canary.task_id, opts=opts())
    fleet = iotda_ota.UpgradeTask(
        "fleet", package_ids=[package.package_id], targets=["hangs"], need_confirm=True, opts=opts(healthy)
    )
    iotda_ota.UpgradeTaskConfirmation(
        "approved", task_id=fleet.task_id, approved_package_ids=config.get_object("approved") or [], opts=opts()
    ) if config.get_object("approved") else None


outer = config.get("outer")
if outer:
    before = [pulumi.Alias(name="eu")] if outer != "eu" else []
    opts = pulumi.ResourceOptions(aliases=before)
    Level(outer, lambda it: Level("wave", rollout, pulumi.ResourceOptions(parent=it)), opts)
else:
    rollout(None)
"""


def changes(emulator: Emulator) -> list[str]:
    """Return the requests that do more than read."""
    reads = ("Show", "List")
    return [request.operation for request in emulator.requests if not request.operation.startswith(reads)]


def test_resources_move_below_components(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """With aliases all five resources move below components, and those are renamed: only the state changes."""
    emulator.set_device("hangs", outcome="hang")
    project = make_project(PLACED.replace("PACKAGE", package_of(emulator)))
    ok(project.up())
    package = project.resources()["package"]["id"]
    project.set("approved", [package])
    ok(project.up())
    before, sent = project.resources(), changes(emulator)
    five = ("package", "pin", "canary", "healthy", "fleet", "approved")

    for outer in ("eu", "europe"):
        project.set("outer", outer)
        ok(project.up())
        after = project.resources()
        assert [after[name]["id"] for name in five] == [before[name]["id"] for name in five]
        for name in ("canary", "fleet"):
            assert after[name]["outputs"]["task_name"] == before[name]["outputs"]["task_name"]
        assert after["pin"]["outputs"]["revision"] == 1
        assert "acme:fw:Level$acme:fw:Level$" in after["fleet"]["urn"]

    ok(project.preview("--expect-no-changes"))
    assert changes(emulator) == sent
    assert sorted(task["status"] for task in emulator.tasks) == ["Processing", "Success"]


def test_a_new_stack_below_components(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """A preview of resources below two components, with `depends_on`, and their creation succeed."""
    project = make_project(PLACED.replace("PACKAGE", package_of(emulator)))
    project.set("outer", "eu")

    ok(project.preview())
    assert changes(emulator) == []
    ok(project.up())
    assert posts(emulator) == 2


WRONG: dict[str, tuple[str, str, str]] = {
    "a wrong plain argument": (
        'iotda_ota.UpgradeTask("wave", package_ids=["PACKAGE"], targets=["d1"], retry_count=9)',
        'UpgradeTask "wave": retry_count must be a whole number from 1 to 5, not 9',
        "retry_count and retry_interval: set both or none",
    ),
    "the id of a pin": (
        (
            'pin = iotda_ota.OtaPackagePin("pin", package_id="PACKAGE")\n'
            'iotda_ota.UpgradeTask("wave", package_ids=[pin.id], targets=["d1"])'
        ),
        'UpgradeTask "wave": package_ids[0] is the id of the resource OtaPackagePin "pin", not a package id',
        "pass its output .package_id",
    ),
    "an output that is not there": (
        (
            'other = pulumi.StackReference("organization/engine-lane/dev")\n'
            'iotda_ota.OtaPackagePin("pin", package_type="firmwarePackage", product_id="smart-meter",'
            ' highest_version=True, version_constraint=other.get_output("nope"))'
        ),
        'OtaPackagePin "pin": version_constraint is an Output that resolved to None',
        "correct what version_constraint reads",
    ),
    "an output that is not there, of a function": (
        (
            'other = pulumi.StackReference("organization/engine-lane/dev")\n'
            'found = iotda_ota.get_ota_package_output(package_type="firmwarePackage", product_id="smart-meter",'
            ' highest_version=True, version_constraint=other.get_output("nope"))\n'
            'pulumi.export("id", found.package_id)'
        ),
        "version_constraint is an Output that resolved to None",
        "correct what version_constraint reads",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_a_program_passes_wrong_is_one_message(
    make_project: Callable[..., Project], emulator: Emulator, case: str
) -> None:
    """A preview of a program with a wrong argument ends in one clean message, without a traceback or a request."""
    text, headline, fix = WRONG[case]
    project = make_project(HEAD + text.replace("PACKAGE", package_of(emulator)))

    done: Any = project.preview()

    assert done.code != 0
    assert f"error: {headline}" in done.text
    assert fix in done.text
    assert done.text.count(headline) == 1
    assert "Traceback" not in done.text
    assert "KeyboardInterrupt" not in done.text
    assert changes(emulator) == []


def test_a_derived_id_is_told_by_its_value(make_project: Callable[..., Project], emulator: Emulator) -> None:
    """An Output that was made from a pin's id is refused by the provider when its value is known."""
    project = make_project(
        f'{HEAD}pin = iotda_ota.OtaPackagePin("pin", package_id="{package_of(emulator)}")\n'
        'iotda_ota.UpgradeTask("wave", package_ids=pulumi.Output.all(pin.id), targets=["d1"])'
    )

    done = project.up()

    assert done.code != 0
    assert "has an item that must be the output package_id of a resource instead of its id" in done.text
    assert posts(emulator) == 0


def test_the_id_of_a_pin_in_yaml(make_yaml: Callable[..., Project], emulator: Emulator) -> None:
    """In YAML the id of a pin is refused as a package with the output that is meant."""
    project = make_yaml(
        resources={
            "pin": resource("OtaPackagePin", packageId=package_of(emulator)),
            "wave": resource("UpgradeTask", packageIds=["${pin.id}"], targets=["d1"]),
        }
    )

    done = project.up()

    assert done.code != 0
    assert "has an item that must be the output packageId of a resource instead of its id" in done.text
    assert posts(emulator) == 0
