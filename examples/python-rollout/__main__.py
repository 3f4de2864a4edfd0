"""Look up a firmware package by product and version, pin it, and roll it out to a group of devices."""

import pulumi

import pulumi_iotda_ota as iotda_ota

config = pulumi.Config()
product, version = config.require("product"), config.require("version")

# What is it? Asked at every preview and update; one request.
firmware = iotda_ota.get_ota_package(package_type="firmwarePackage", product_id=product, version=version)

# Which one do we roll out? Decided once, kept until the product or the version above changes.
pinned = iotda_ota.OtaPackagePin("meter", package_type="firmwarePackage", product_id=product, version=version)

# The campaign. It starts once, and again only for another package or other devices.
rollout = iotda_ota.UpgradeTask("rollout", package_ids=[pinned.package_id], group_ids=[config.require("group")])

pulumi.export("firmware", firmware)
pulumi.export("package_id", pinned.package_id)
pulumi.export("task_id", rollout.task_id)
