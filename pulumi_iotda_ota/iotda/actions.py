"""The IAM actions of each operation; advice, ``doctor --policy`` and the docs are made from this table.

Source: the vendor's pages on permissions and supported actions of IoTDA, dated 2025-12 to 2026-09.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The actions of each operation, its own first. A retry creates a task too, in the model of roles and policies.
ACTIONS: dict[str, tuple[str, ...]] = {
    "ListOtaPackageInfo": ("iotda:otapackages:queryList",),
    "ShowOtaPackage": ("iotda:otapackages:query",),
    "CreateOtaPackage": ("iotda:otapackages:create",),
    "DeleteOtaPackage": ("iotda:otapackages:delete",),
    "ListBatchTasks": ("iotda:batchtasks:queryList",),
    "ShowBatchTask": ("iotda:batchtasks:query",),
    "CreateBatchTask": ("iotda:batchtasks:create",),
    "RetryBatchTask": ("iotda:batchtasks:retry", "iotda:batchtasks:create"),
    "StopBatchTask": ("iotda:batchtasks:stop",),
    "ConfirmBatchTask": ("iotda:batchtasks:confirm",),
    "DeleteBatchTask": ("iotda:batchtasks:delete",),
    "ListDevices": ("iotda:devices:queryList",),
    "SearchDevices": ("iotda:devices:queryList",),
    "ShowDevicesInGroup": ("iotda:group:queryDeviceList",),
}
#: The operations whose action no page confirms. Messages say so.
UNCONFIRMED = ("SearchDevices", "ShowDevicesInGroup")
#: The agency with which the service reads the object of a package.
AGENCY = "iotda_admin_trust"
AGENCY_NEEDS = "obs:object:GetObject, and KMS Administrator if the bucket is encrypted"
#: The action to resolve a project. IAM is global, so it needs a separate policy.
PROJECTS = "iam:projects:listProjects"

_LOOKUP = ("ListOtaPackageInfo", "ShowOtaPackage")
#: The operations of each purpose.
PURPOSES: dict[str, tuple[str, ...]] = {
    "lookup": _LOOKUP,
    "rollout": (*_LOOKUP, *(name for name in ACTIONS if name.endswith(("BatchTask", "BatchTasks")))),
    "devices": (*_LOOKUP, "ListDevices", "SearchDevices", "ShowDevicesInGroup"),
    "packages": (*_LOOKUP, "CreateOtaPackage", "DeleteOtaPackage"),
}


def actions_for(purposes: Iterable[str]) -> list[str]:
    """Return the actions of some purposes, sorted."""
    return sorted({action for purpose in purposes for name in PURPOSES[purpose] for action in ACTIONS[name]})


def policies(purposes: Iterable[str]) -> dict[str, Any]:
    """Return the least-privilege policy of some purposes, for both models of IAM.

    Returns:
        ``policy`` for roles and policies (a custom policy), and ``identity_policy`` for identity policies.
    """
    allowed = {"Effect": "Allow", "Action": actions_for(purposes)}
    return {
        "policy": {"Version": "1.1", "Statement": [allowed]},
        "identity_policy": {"Version": "5.0", "Statement": [{**allowed, "Resource": ["*"]}]},
    }
