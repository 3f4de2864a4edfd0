"""The program behind the state of each release, with one of each resource. It may grow, and never changes."""

from typing import Any

import pulumi

import pulumi_iotda_ota as iotda_ota

METER: dict[str, Any] = {"package_type": "firmwarePackage", "product_id": "meter"}

pinned = iotda_ota.OtaPackagePin(
    "pinned", **METER, version_constraint="^1", source_versions=["V1.0"], highest_version=True, triggers=["first"]
)
made = iotda_ota.OtaPackage(
    "made",
    **METER,
    app_id="energy",
    version="V1.2",
    obs_location={"region_name": "cn-north-4", "bucket_name": "firmware", "object_key": "meter/V1.2.bin"},
    # A secret, because a state stores it encrypted.
    custom_info=pulumi.Output.secret("for the devices"),
    opts=pulumi.ResourceOptions(depends_on=[pinned]),
)
canary = iotda_ota.UpgradeTask(
    "canary",
    package_ids=[pinned.package_id],
    group_ids=["canary"],
    retry_count=1,
    retry_interval=5,
    triggers={"round": 1},
    on_destroy="delete",
)
healthy = iotda_ota.UpgradeTaskCompletion(
    "healthy", task_id=canary.task_id, max_failed_percent=2.5, min_devices=1, timeout="5m"
)
fleet = iotda_ota.UpgradeTask(
    "fleet",
    package_ids=[pinned.package_id],
    targets=["meter-3", "meter-4"],
    need_confirm=True,
    opts=pulumi.ResourceOptions(depends_on=[healthy]),
)
iotda_ota.UpgradeTaskConfirmation("approved", task_id=fleet.task_id, approved_package_ids=["p11"])

pulumi.export("package_id", pinned.package_id)
pulumi.export("tasks", [canary.task_id, fleet.task_id])
