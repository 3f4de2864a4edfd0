"""The one table of every argument: its name, type, what it means and its rule.

The functions and resources are written by hand and compared with this table by a test. What is documented or checked
about an argument is written here and nowhere else: of the functions in ``lookups.py``, of the resources in
``resources.py``. This room sends nothing and imports nothing of Pulumi.
"""

from __future__ import annotations

from pulumi_iotda_ota.arguments.argument import Argument
from pulumi_iotda_ota.arguments.lookups import (
    APP_ID,
    GET_OTA_PACKAGE,
    GET_OTA_PACKAGES,
    GET_UPGRADE_TASK,
    MAX_ITEMS,
    PACKAGE_TYPE,
    WORDS,
)
from pulumi_iotda_ota.arguments.resources import (
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
