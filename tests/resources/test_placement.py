"""The place of a resource in a program: in components at any depth, and after its dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from pulumi_iotda_ota import pulumi_compat, testing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

to_the_end: Callable[..., Callable[[], None]] = (
    pulumi.runtime.test
)  # Pulumi's own way to run a program to its last Output
PACKAGES = [{"product_id": "meter", "version": "V1", "package_id": "p1"}]
#: All five resources below components of the depth DEPTH, with an explicit dependency on another component.
PROGRAM = """
import pulumi
import pulumi_iotda_ota as iotda_ota


class Level(pulumi.ComponentResource):
    def __init__(self, name, depth, opts=None):
        super().__init__("acme:fw:Level", name, None, opts)
        mine = pulumi.ResourceOptions(parent=self)
        after = pulumi.ResourceOptions(parent=self, depends_on=opts.depends_on if opts else None)
        if depth > 1:
            Level(f"{name}-in", depth - 1, after)
            return
        made = iotda_ota.OtaPackage(
            f"{name}-package", package_type="firmwarePackage", app_id="energy", product_id="meter",
            version=f"V9-{name}",
            obs_location=dict(region_name="r", bucket_name="bucket", object_key="k.bin"), opts=after,
        )
        pin = iotda_ota.OtaPackagePin(f"{name}-pin", package_id="p1", opts=mine)
        task = iotda_ota.UpgradeTask(
            f"{name}-task", package_ids=[pin.package_id], targets=["d1"], need_confirm=True, opts=after
        )
        approved = iotda_ota.UpgradeTaskConfirmation(
            f"{name}-approved", task_id=task.task_id, approved_package_ids=["p1"], opts=mine
        )
        iotda_ota.UpgradeTaskCompletion(
            f"{name}-done", task_id=task.task_id, timeout=0,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[approved]),
        )


first = Level("first", DEPTH)
Level("second", DEPTH, pulumi.ResourceOptions(depends_on=[first]))
"""


def ran(tmp_path: Path, text: str, **options: Any) -> testing.Mocks:
    """Run a program against a list of packages."""
    (tmp_path / "__main__.py").write_text(text)
    return testing.run_program(tmp_path / "__main__.py", mocks=testing.Mocks(PACKAGES), **options)


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("preview", [True, False], ids=["preview", "up"])
def test_resources_stand_below_components(tmp_path: Path, depth: int, preview: bool) -> None:
    """All five resources are children of a component at any depth, with `depends_on` another component."""
    mocks = ran(tmp_path, PROGRAM.replace("DEPTH", str(depth)), preview=preview)

    assert len(mocks.resources) == 10
    assert len(mocks.tasks) == (0 if preview else 2)


def test_a_result_that_waits_for_a_component_can_be_used(tmp_path: Path) -> None:
    """The result of a function with `depends_on` is an input of a resource, and of one below a component."""
    mocks = ran(
        tmp_path,
        """
import pulumi
import pulumi_iotda_ota as iotda_ota

level = pulumi.ComponentResource("acme:fw:Level", "level")
pin = iotda_ota.OtaPackagePin("pin", package_id="p1", opts=pulumi.ResourceOptions(parent=level))
found = iotda_ota.get_ota_package_output(
    package_type="firmwarePackage", product_id="meter", opts=pulumi.InvokeOutputOptions(depends_on=[level])
)
iotda_ota.UpgradeTask("task", package_ids=[found.package_id], targets=["d1"])
""",
    )

    assert len(mocks.tasks) == 1


def test_children_of_two_components_are_two_tasks(tmp_path: Path) -> None:
    """Two tasks of one name below components of different types have different names on the service."""
    mocks = ran(
        tmp_path,
        """
import pulumi
import pulumi_iotda_ota as iotda_ota

for kind in ("North", "South"):
    level = pulumi.ComponentResource(f"acme:fw:{kind}", kind)
    iotda_ota.UpgradeTask(
        "wave", package_ids=["p1"], targets=["d1"], opts=pulumi.ResourceOptions(parent=level)
    )
""",
    )

    assert len({task["task_name"] for task in mocks.tasks}) == 2


class _Inputs(pulumi.runtime.Mocks):
    """Returns its inputs."""

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, object], None]:
        """Fail: a resource calls no function."""
        raise AssertionError(args.token)

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, object]]:
        """Return the inputs."""
        return f"{args.name}-id", args.inputs


def test_pulumis_own_mocks_place_resources_too() -> None:
    """Under mocks of the user's own a child of a component registers its parent's URN, and depends on nothing."""
    pulumi.runtime.set_mocks(_Inputs())

    @to_the_end
    async def run() -> None:
        parent = pulumi.ComponentResource("acme:fw:Level", "level")
        child = pulumi.CustomResource(
            "acme:x:Y",
            "child",
            {"urn": pulumi_compat.urn_without_dependencies(parent)},
            pulumi.ResourceOptions(parent=parent),
        )
        alone = pulumi_compat.urn_without_dependencies(parent)
        assert await alone.future() == await parent.urn.future()
        assert await alone.resources() == set()
        assert await child.urn.future()

    run()
