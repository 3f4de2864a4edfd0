"""Look up the highest firmware that fits the devices, pin it, and roll it out: a canary group first, then the fleet."""

from typing import Any

import pulumi

import pulumi_iotda_ota as iotda_ota

config = pulumi.Config()
meter: dict[str, Any] = {
    "package_type": "firmwarePackage",
    "product_id": config.require("product"),
    "version_constraint": config.require("range"),
    "source_versions": [config.require("runs")],  # what the devices run today
    "highest_version": True,
}

# What matches now, asked at every preview and update: to look at.
firmware = iotda_ota.get_ota_package(**meter)

# What is rolled out: decided once, and kept until the selection changes, so that a new upload starts no campaign.
pinned = iotda_ota.OtaPackagePin("meter", **meter)

# The canary group, and its good end.
canary = iotda_ota.UpgradeTask("canary", package_ids=[pinned.package_id], group_ids=[config.require("canary")])
healthy = iotda_ota.UpgradeTaskCompletion("canary-healthy", task_id=canary.task_id, timeout="30m")

# Everybody else, once the canary is healthy.
fleet = iotda_ota.UpgradeTask(
    "fleet",
    package_ids=[pinned.package_id],
    group_ids=[config.require("fleet")],
    opts=pulumi.ResourceOptions(depends_on=[healthy]),
)

pulumi.export("firmware", {"version": firmware.version, "package_id": firmware.package_id})
pulumi.export("package_id", pinned.package_id)
pulumi.export("tasks", {"canary": canary.task_id, "fleet": fleet.task_id})
