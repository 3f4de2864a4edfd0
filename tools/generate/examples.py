"""The examples of the schema: one for each function and resource, independent of the language.

``tools/generate/languages.py`` writes them in each language. Tests run or compile every one of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.schema.argument import Argument

from pulumi_iotda_ota.schema.registry import FUNCTIONS, RESOURCES


@dataclass(frozen=True)
class Ref:
    """An output of an earlier step."""

    step: str
    output: str


@dataclass(frozen=True)
class Step:
    """A call of a function, or the declaration of a resource.

    Attributes:
        name: the variable, and the name of a resource in the stack.
        kind: the function or resource.
        arguments: its arguments, by their names in the tables.
        depends_on: the steps that a resource depends on.
    """

    name: str
    kind: str
    arguments: Mapping[str, Any]
    depends_on: tuple[str, ...] = ()

    @property
    def is_function(self) -> bool:
        """Return whether it is a function."""
        return self.kind in FUNCTIONS

    @property
    def given(self) -> list[tuple[Argument, Any]]:
        """Return the arguments of the table with their values."""
        served = FUNCTIONS[self.kind] if self.is_function else RESOURCES[self.kind]
        table = {argument.name: argument for argument in served.arguments}
        return [(table[name], value) for name, value in self.arguments.items()]


@dataclass(frozen=True)
class Example:
    """A program.

    Attributes:
        steps: in their order.
        outputs: the stack outputs.
    """

    steps: tuple[Step, ...]
    outputs: Mapping[str, Ref] = field(default_factory=dict)


_METER = {"package_type": "firmwarePackage", "product_id": "smart-meter"}
_RANGE = {**_METER, "version_constraint": "^1.4", "highest_version": True}
_PINNED = Step("pinned", "OtaPackagePin", _RANGE)
_CANARY = Step("canary", "UpgradeTask", {"package_ids": [Ref("pinned", "package_id")], "group_ids": ["canary"]})

EXAMPLES: Mapping[str, Example] = {
    "getDeviceVersions": Example(
        (Step("fleet", "getDeviceVersions", {"package_type": "firmwarePackage", "group_ids": ["fleet"]}),),
        {"versions": Ref("fleet", "versions"), "unknown": Ref("fleet", "unknown")},
    ),
    "getOtaPackage": Example(
        (Step("firmware", "getOtaPackage", _RANGE),),
        {"version": Ref("firmware", "version"), "packageId": Ref("firmware", "package_id")},
    ),
    "getOtaPackages": Example(
        (Step("newest", "getOtaPackages", {**_METER, "order_by": "create_time", "max_items": 3}),),
        {"packages": Ref("newest", "packages")},
    ),
    "getUpgradePath": Example(
        (Step("found", "getUpgradePath", {**_RANGE, "source_versions": ["V1.0.0", "V1.3.2"], "max_hops": 3}),),
        {"paths": Ref("found", "paths")},
    ),
    "getUpgradeTask": Example(
        (_PINNED, _CANARY, Step("current", "getUpgradeTask", {"task_id": Ref("canary", "task_id")})),
        {"status": Ref("current", "status"), "failedDevices": Ref("current", "failed_devices")},
    ),
    "OtaPackage": Example(
        (
            Step(
                "firmware",
                "OtaPackage",
                {
                    **_METER,
                    "app_id": "energy",
                    "version": "V2.0.0",
                    "obs_location": {
                        "region_name": "cn-north-4",
                        "bucket_name": "firmware",
                        "object_key": "meter/V2.0.0.bin",
                    },
                    "support_source_versions": ["V1.4.11"],
                },
            ),
        ),
        {"packageId": Ref("firmware", "package_id")},
    ),
    "OtaPackagePin": Example(
        (Step("pinned", "OtaPackagePin", {**_RANGE, "triggers": ["2026-11"]}),),
        {"packageId": Ref("pinned", "package_id"), "availableVersion": Ref("pinned", "available_version")},
    ),
    "UpgradeTask": Example(
        (
            _PINNED,
            Step("canary", "UpgradeTask", {**_CANARY.arguments, "retry_count": 2, "retry_interval": 10}),
        ),
        {"taskId": Ref("canary", "task_id")},
    ),
    "UpgradeTaskCompletion": Example(
        (
            _PINNED,
            _CANARY,
            Step(
                "healthy",
                "UpgradeTaskCompletion",
                {"task_id": Ref("canary", "task_id"), "max_failed_percent": 2.5, "timeout": "2h"},
            ),
            Step(
                "fleet",
                "UpgradeTask",
                {"package_ids": [Ref("pinned", "package_id")], "group_ids": ["fleet"]},
                depends_on=("healthy",),
            ),
        ),
        {"failedCount": Ref("healthy", "failed_count")},
    ),
    "UpgradeTaskConfirmation": Example(
        (
            Step(
                "canary",
                "UpgradeTask",
                {
                    "package_ids": ["8e99e4f7765dfb08dbfee0054d004b3b"],
                    "group_ids": ["canary"],
                    "need_confirm": True,
                },
            ),
            Step(
                "approved",
                "UpgradeTaskConfirmation",
                {
                    "task_id": Ref("canary", "task_id"),
                    "approved_package_ids": ["8e99e4f7765dfb08dbfee0054d004b3b"],
                },
            ),
        ),
        {"status": Ref("approved", "status")},
    ),
}
