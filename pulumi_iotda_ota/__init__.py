"""Look up Huawei Cloud IoTDA OTA packages in a Pulumi program, and start upgrade tasks with them.

Every name is served when it is first used (PEP 562), so that importing this package costs a program next to nothing.
Nothing that is served is stored in this namespace: Pulumi reads it to decide what a plugin hosts.
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

    # At run time it is the class of the same name in `connection`, whose errors Pulumi prints as messages.
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
    # Under a type checker there is no such function, so that it sees a misspelt name.
    def __getattr__(name: str) -> Any:
        if name == "__version__":
            from importlib.metadata import version  # noqa: PLC0415  it takes as long as all the rest

            return version("pulumi-iotda-ota")
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = next((module for module, names in _MODULES.items() if name in names), "errors")
        with gc_paused():
            return getattr(import_module(f"{__name__}.{module}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
