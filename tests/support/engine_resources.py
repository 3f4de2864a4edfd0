"""What tests of resources with the real engine share: programs, ids, what was sent, and how a run is awaited."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.emulator import Emulator
    from tests.engine.conftest import Done, Project


HEAD = """
import pulumi
import pulumi_iotda_ota as iotda_ota

config = pulumi.Config()
"""


ROLLOUT = f"""{HEAD}
iotda_ota.UpgradeTask(
    "rollout",
    package_ids=["PACKAGE"],
    targets=["meter-0001", "meter-0002"],
    triggers=[config.get_int("wave") or 1],
    replace_running=config.get_bool("replace"),
    need_confirm=config.get_bool("confirm"),
)
"""


def package_of(emulator: Emulator) -> str:
    """Return the id of a firmware package of the meter."""
    firmware = ("smart-meter", "firmwarePackage")
    found = (
        package["package_id"]
        for package in emulator.packages
        if (package["product_id"], package["package_type"]) == firmware
    )
    return str(next(found))


def rollout(make_project: Callable[..., Project], emulator: Emulator, **names: str) -> Project:
    """Return a project that rolls a package out."""
    return make_project(ROLLOUT.replace("PACKAGE", package_of(emulator)), **names)


def posts(emulator: Emulator) -> int:
    """Return how many tasks were requested."""
    return sum(1 for request in emulator.requests if request.operation == "CreateBatchTask")


def ids(emulator: Emulator) -> list[str]:
    """Return the ids of all tasks on the service."""
    return [task["task_id"] for task in emulator.tasks]


def wait_until(holds: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)


def ok(done: Done) -> str:
    """Return what a command that must succeed printed."""
    assert done.code == 0, done.text
    return done.text
