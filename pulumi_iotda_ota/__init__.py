"""Look up Huawei Cloud IoTDA OTA packages in a Pulumi program, and start upgrade tasks with them.

Every name is loaded when it is first used (PEP 562), so that the import of this package takes little time. No loaded
name is stored in this namespace, because Pulumi reads it to find the resources of a plugin.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.lazy_imports import gc_paused

if TYPE_CHECKING:
    from pulumi_iotda_ota._generated.functions import (
        get_device_versions,
        get_device_versions_output,
        get_ota_package,
        get_ota_package_output,
        get_ota_packages,
        get_ota_packages_output,
        get_upgrade_path,
        get_upgrade_path_output,
        get_upgrade_task,
        get_upgrade_task_output,
    )
    from pulumi_iotda_ota._generated.resources import (
        OtaPackage,
        OtaPackagePin,
        UpgradeTask,
        UpgradeTaskCompletion,
        UpgradeTaskConfirmation,
    )
    from pulumi_iotda_ota._generated.results import (
        GetDeviceVersionsResult,
        GetOtaPackageResult,
        GetOtaPackagesResult,
        GetUpgradePathResult,
        GetUpgradeTaskResult,
        OtaPackageResult,
        SkippedPackage,
    )
    from pulumi_iotda_ota.errors import (
        ConfigurationError,
        CredentialsError,
        DeadlineExceeded,
        InputError,
        IotdaOtaError,
        LockError,
        MultiplePackages,
        OutcomeUnknown,
        OutputGiven,
        PackageNotFound,
        ProtocolError,
        ServiceError,
        TransportError,
        UpgradeTaskFailed,
    )

    # At run time it is the class with this name in `connection`, whose errors Pulumi prints as messages.
    from pulumi_iotda_ota.iotda.auth.connection_model import Connection

__all__ = [
    "ConfigurationError",
    "Connection",
    "CredentialsError",
    "DeadlineExceeded",
    "GetDeviceVersionsResult",
    "GetOtaPackageResult",
    "GetOtaPackagesResult",
    "GetUpgradePathResult",
    "GetUpgradeTaskResult",
    "InputError",
    "IotdaOtaError",
    "LockError",
    "MultiplePackages",
    "OtaPackage",
    "OtaPackagePin",
    "OtaPackageResult",
    "OutcomeUnknown",
    "OutputGiven",
    "PackageNotFound",
    "ProtocolError",
    "ServiceError",
    "SkippedPackage",
    "TransportError",
    "UpgradeTask",
    "UpgradeTaskCompletion",
    "UpgradeTaskConfirmation",
    "UpgradeTaskFailed",
    "__version__",
    "get_device_versions",
    "get_device_versions_output",
    "get_ota_package",
    "get_ota_package_output",
    "get_ota_packages",
    "get_ota_packages_output",
    "get_upgrade_path",
    "get_upgrade_path_output",
    "get_upgrade_task",
    "get_upgrade_task_output",
]

_MODULES = {
    "_generated.functions": (
        "get_device_versions",
        "get_device_versions_output",
        "get_ota_package",
        "get_ota_package_output",
        "get_ota_packages",
        "get_ota_packages_output",
        "get_upgrade_path",
        "get_upgrade_path_output",
        "get_upgrade_task",
        "get_upgrade_task_output",
    ),
    "_generated.resources": (
        "OtaPackage",
        "OtaPackagePin",
        "UpgradeTask",
        "UpgradeTaskCompletion",
        "UpgradeTaskConfirmation",
    ),
    "connection": ("Connection",),
    "_generated.results": (
        "GetDeviceVersionsResult",
        "GetOtaPackageResult",
        "GetOtaPackagesResult",
        "GetUpgradePathResult",
        "GetUpgradeTaskResult",
        "OtaPackageResult",
        "SkippedPackage",
    ),
}

if TYPE_CHECKING:
    __version__: str
else:
    # A type checker does not see this function, so that it reports a misspelt name.
    def __getattr__(name: str) -> Any:
        if name == "__version__":
            from importlib.metadata import version  # noqa: PLC0415  it takes as long as all other imports

            return version("pulumi-iotda-ota")
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = next((module for module, names in _MODULES.items() if name in names), "errors")
        with gc_paused():
            return getattr(import_module(f"{__name__}.{module}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
