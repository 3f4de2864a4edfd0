"""Roll firmware out in two waves: a canary group, its good end, a person's approval, then the rest."""

import pulumi

import pulumi_iotda_ota as iotda_ota

config = pulumi.Config()

# Decided once, and kept until the product or the range below changes: a new upload starts no campaign.
pinned = iotda_ota.OtaPackagePin(
    "meter",
    package_type="firmwarePackage",
    product_id=config.require("product"),
    version_constraint=config.require("range"),
    highest_version=True,
    triggers=[config.get("round")],  # another one looks again, for what fits then
)

# The first wave, and what must be true before anything else starts.
canary = iotda_ota.UpgradeTask("canary", package_ids=[pinned.package_id], group_ids=[config.require("canary")])
healthy = iotda_ota.UpgradeTaskCompletion(
    "canary-healthy",
    task_id=canary.task_id,
    max_failed_percent=config.get_float("max_failed_percent"),
    retry_failed=config.get_bool("retry_failed"),
    timeout="30m",
)

# The rest. It is created once the canary is healthy, and its devices wait until somebody has confirmed it.
fleet = iotda_ota.UpgradeTask(
    "fleet",
    package_ids=[pinned.package_id],
    group_ids=config.require_object("fleet"),
    need_confirm=True,
    opts=pulumi.ResourceOptions(depends_on=[healthy]),
)

# The approval is the id of the package that was tried on the canary, written into Pulumi.<stack>.yaml by a reviewed
# commit. Another id than the one that fleet installs is refused.
approved = config.get_object("approved")
if approved:
    confirmed = iotda_ota.UpgradeTaskConfirmation(
        "fleet-approved", task_id=fleet.task_id, approved_package_ids=approved
    )
    iotda_ota.UpgradeTaskCompletion(
        "fleet-done",
        task_id=fleet.task_id,
        max_failed_percent=5,
        timeout="4h",
        opts=pulumi.ResourceOptions(depends_on=[confirmed]),
    )

pulumi.export("package", {"package_id": pinned.package_id, "version": pinned.version})
pulumi.export("tasks", {"canary": canary.task_id, "fleet": fleet.task_id})
