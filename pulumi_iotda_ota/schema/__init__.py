"""The tables of arguments, outputs, functions and resources.

The description and the limits of an argument are written here and nowhere else: for the functions in
``schema/lookup_arguments.py``, for the resources in ``schema/resource_arguments.py``. ``make generate`` writes from the
tables: the functions and classes of ``_generated/``, the policy of a selection, the plugin's schema, and the reference
pages. This package sends nothing and imports nothing of Pulumi.
"""

from __future__ import annotations

from pulumi_iotda_ota.schema.argument import Argument
from pulumi_iotda_ota.schema.device_arguments import GET_DEVICE_VERSIONS
from pulumi_iotda_ota.schema.lookup_arguments import (
    APP_ID,
    GET_OTA_PACKAGE,
    GET_OTA_PACKAGES,
    GET_UPGRADE_PATH,
    GET_UPGRADE_TASK,
    MAX_ITEMS,
    PACKAGE_TYPE,
    POLICY,
    SELECTION,
)
from pulumi_iotda_ota.schema.resource_arguments import (
    ADOPT_WITHIN,
    MIN_DEVICES,
    ON_DESTROY,
    OTA_PACKAGE,
    OTA_PACKAGE_PIN,
    TASK_ID,
    TIMEOUT,
    UPGRADE_TASK,
    UPGRADE_TASK_COMPLETION,
    UPGRADE_TASK_CONFIRMATION,
)

__all__ = [
    "ADOPT_WITHIN",
    "APP_ID",
    "GET_DEVICE_VERSIONS",
    "GET_OTA_PACKAGE",
    "GET_OTA_PACKAGES",
    "GET_UPGRADE_PATH",
    "GET_UPGRADE_TASK",
    "MAX_ITEMS",
    "MIN_DEVICES",
    "ON_DESTROY",
    "OTA_PACKAGE",
    "OTA_PACKAGE_PIN",
    "PACKAGE_TYPE",
    "POLICY",
    "SELECTION",
    "TASK_ID",
    "TIMEOUT",
    "UPGRADE_TASK",
    "UPGRADE_TASK_COMPLETION",
    "UPGRADE_TASK_CONFIRMATION",
    "Argument",
]
