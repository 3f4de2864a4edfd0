"""The arguments of the functions that read devices, in one table."""

from __future__ import annotations

from dataclasses import replace

from pulumi_iotda_ota.iotda import limits
from pulumi_iotda_ota.iotda.limits import Number
from pulumi_iotda_ota.schema.argument import Argument
from pulumi_iotda_ota.schema.lookup_arguments import APP_ID, MODULE_NAME, PACKAGE_TYPE

GET_DEVICE_VERSIONS: tuple[Argument, ...] = (
    replace(
        PACKAGE_TYPE,
        description="The type of the package. It decides which version of a device is read: that of its firmware, its "
        "software or a module.",
        selects=False,
    ),
    Argument(
        "group_ids",
        "list of strings",
        "The device groups. A device in several groups counts once. Set either this, {product_id} or {device_ids}.",
        limits.GROUP_ID,
        example=["fleet"],
    ),
    Argument(
        "product_id",
        "string",
        "The product, all of whose devices are read. Set either this, {group_ids} or {device_ids}.",
        limits.PRODUCT_ID,
        example="smart-meter",
    ),
    Argument(
        "device_ids",
        "list of strings",
        "The devices. Set either this, {group_ids} or {product_id}.",
        limits.TARGET,
        maximum=limits.MAX_TARGETS,
        example=["meter-0001"],
    ),
    replace(
        MODULE_NAME,
        description="The module whose version is read. Required for a modulePackage, and only for one.",
        selects=False,
    ),
    replace(
        APP_ID,
        description="The resource space of the devices of {product_id}. If it is not set, all resource spaces.",
        selects=False,
    ),
    Argument(
        "devices_deadline",
        "integer",
        "How many seconds it may take. A search is allowed once a second.",
        Number(1, 3_600),
        default=600,
        example=60,
    ),
)
