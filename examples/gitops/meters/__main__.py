"""Roll out the package that a commit names: to the canary group first, then to the fleet."""

import pulumi

import pulumi_iotda_ota as iotda_ota

config = pulumi.Config()

# The id is in Pulumi.<stack>.yaml, so it is part of the review. If the selection finds another package, the preview and
# the update fail, even if the gate is opened days later.
pinned = iotda_ota.OtaPackagePin(
    "meter",
    package_type="firmwarePackage",
    product_id=config.require("product"),
    version_constraint=config.require("range"),
    highest_version=True,
    expected_package_id=config.require("reviewed"),
    triggers=[config.require("reviewed")],  # another id starts a new lookup
)
canary = iotda_ota.UpgradeTask("canary", package_ids=[pinned.package_id], group_ids=["canary"])
healthy = iotda_ota.UpgradeTaskCompletion("canary-healthy", task_id=canary.task_id, timeout="2h")
fleet = iotda_ota.UpgradeTask(
    "fleet",
    package_ids=[pinned.package_id],
    group_ids=["fleet"],
    opts=pulumi.ResourceOptions(depends_on=[healthy]),
)

pulumi.export("firmware", {"version": pinned.version, "package_id": pinned.package_id})
pulumi.export("tasks", {"canary": canary.task_id, "fleet": fleet.task_id})
