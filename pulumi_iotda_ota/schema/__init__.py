"""The one table of every argument: its name, type, what it means and its rule.

The functions and resources are written by hand and compared with this table by a test. What is documented or checked
about an argument is written here and nowhere else: of the functions in ``schema/lookup_arguments.py``, of the resources
in ``schema/resource_arguments.py``. This package sends nothing and imports nothing of Pulumi.
"""

from __future__ import annotations

from pulumi_iotda_ota.schema.argument import Argument
from pulumi_iotda_ota.schema.lookup_arguments import (
    APP_ID,
    GET_OTA_PACKAGE,
    GET_OTA_PACKAGES,
    GET_UPGRADE_TASK,
    MAX_ITEMS,
    PACKAGE_TYPE,
    WORDS,
)
from pulumi_iotda_ota.schema.resource_arguments import (
    OTA_PACKAGE,
    OTA_PACKAGE_PIN,
    TASK_ID,
    UPGRADE_TASK,
    UPGRADE_TASK_COMPLETION,
    UPGRADE_TASK_CONFIRMATION,
)

__all__ = [
    "APP_ID",
    "GET_OTA_PACKAGE",
    "GET_OTA_PACKAGES",
    "GET_UPGRADE_TASK",
    "MAX_ITEMS",
    "OTA_PACKAGE",
    "OTA_PACKAGE_PIN",
    "PACKAGE_TYPE",
    "TASK_ID",
    "UPGRADE_TASK",
    "UPGRADE_TASK_COMPLETION",
    "UPGRADE_TASK_CONFIRMATION",
    "WORDS",
    "Argument",
]
