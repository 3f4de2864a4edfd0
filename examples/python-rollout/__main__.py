"""Pin the highest firmware version that the devices support, and roll it out: a canary group first, then the fleet."""

from typing import Any

import pulumi

import pulumi_iotda_ota as iotda_ota

config = pulumi.Config()
meter: dict[str, Any] = {
    "package_type": "firmwarePackage",
    "product_id": config.require("product"),
    "version_constraint": config.require("range"),
    "source_versions": [config.require("runs")],  # the version that the devices run now
    "highest_version": True,
}

# Looked up on every run; for display only.
firmware = iotda_ota.get_ota_package(**meter)

# The package to roll out. It changes only if the selection changes, so a new upload starts no task.
pinned = iotda_ota.OtaPackagePin("meter", **meter)

# The canary group, and the wait until it succeeds.
canary = iotda_ota.UpgradeTask("canary", package_ids=[pinned.package_id], group_ids=[config.require("canary")])
healthy = iotda_ota.UpgradeTaskCompletion("canary-healthy", task_id=canary.task_id, timeout="30m")

# All other devices, after the canary.
fleet = iotda_ota.UpgradeTask(
    "fleet",
    package_ids=[pinned.package_id],
    group_ids=[config.require("fleet")],
    opts=pulumi.ResourceOptions(depends_on=[healthy]),
)

pulumi.export("firmware", {"version": firmware.version, "package_id": firmware.package_id})
pulumi.export("package_id", pinned.package_id)
pulumi.export("tasks", {"canary": canary.task_id, "fleet": fleet.task_id})
