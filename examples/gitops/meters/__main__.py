"""The firmware of the meters: what a commit says is rolled out to the canary group, and then to the fleet."""

import pulumi

import pulumi_iotda_ota as iotda_ota

config = pulumi.Config()

# The id is in Pulumi.<stack>.yaml, where a review sees it. Whatever else the selection gives, now or when the gate is
# opened days later, is refused, at the preview and at the update.
pinned = iotda_ota.OtaPackagePin(
    "meter",
    package_type="firmwarePackage",
    product_id=config.require("product"),
    version_constraint=config.require("range"),
    highest_version=True,
    expected_package_id=config.require("reviewed"),
    triggers=[config.require("reviewed")],  # another id looks again
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
