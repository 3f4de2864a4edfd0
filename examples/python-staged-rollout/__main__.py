"""Roll out firmware in two waves: a canary group, and after the approval of a person the rest."""

import pulumi

import pulumi_iotda_ota as iotda_ota

config = pulumi.Config()

# It changes only if the product or the range below changes, so a new upload starts no task.
pinned = iotda_ota.OtaPackagePin(
    "meter",
    package_type="firmwarePackage",
    product_id=config.require("product"),
    version_constraint=config.require("range"),
    highest_version=True,
    triggers=[config.get("round")],  # another value starts a new lookup
)

# The first wave, and the limits that it must keep before the second one starts.
canary = iotda_ota.UpgradeTask("canary", package_ids=[pinned.package_id], group_ids=[config.require("canary")])
healthy = iotda_ota.UpgradeTaskCompletion(
    "canary-healthy",
    task_id=canary.task_id,
    max_failed_percent=config.get_float("max_failed_percent"),
    retry_failed=config.get_bool("retry_failed"),
    timeout="30m",
)

# The second wave. It is created after the canary succeeded, and its devices wait for a confirmation.
fleet = iotda_ota.UpgradeTask(
    "fleet",
    package_ids=[pinned.package_id],
    group_ids=config.require_object("fleet"),
    need_confirm=True,
    opts=pulumi.ResourceOptions(depends_on=[healthy]),
)

# The approval is the id of the package that was tested on the canary. A reviewed commit writes it into
# Pulumi.<stack>.yaml. If the task installs another package, that is an error.
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
