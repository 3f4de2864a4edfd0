"""The table of functions and the table of resources of this package.

To add a function or resource, add an entry. Its code is named here and loaded when it is first called, because most
programs use only a part of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from pulumi_iotda_ota.schema import device_arguments, lookup_arguments, outputs, resource_arguments
from pulumi_iotda_ota.schema.argument import named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulumi_iotda_ota.schema.argument import Argument
    from pulumi_iotda_ota.schema.outputs import Output

PACKAGE = "iotda-ota"


def token_of(name: str) -> str:
    """Return the token of a function or resource, such as ``iotda-ota:index:getOtaPackage``."""
    return f"{PACKAGE}:index:{name}"


@dataclass(frozen=True)
class Function:
    """A function.

    Attributes:
        code: its operation, as ``module:name``. It takes a run, a context and the arguments.
        arguments: its arguments.
        outputs: the fields of its result.
        description: what it does. The first sentence stands alone.
    """

    code: str
    arguments: tuple[Argument, ...]
    outputs: tuple[Output, ...]
    description: str

    @property
    def operation(self) -> Callable[..., dict[str, Any]]:
        """Return its operation."""
        return cast("Callable[..., dict[str, Any]]", _loaded(self.code))


@dataclass(frozen=True)
class Resource:
    """A resource.

    Attributes:
        code: its life cycle, as ``module:name``.
        arguments: its inputs.
        outputs: its outputs, beside the inputs.
        description: what it does. The first sentence stands alone.
        known_when_checked: whether ``check`` already knows all outputs, so that a preview can show them.
        refuses_ignoring: whether ``ignoreChanges`` of its inputs is refused.
        made_from: for an output, the inputs that it can repeat. If one of them is a secret, the output is a secret.
    """

    code: str
    arguments: tuple[Argument, ...]
    outputs: tuple[Output, ...]
    description: str
    known_when_checked: bool = False
    refuses_ignoring: bool = False
    made_from: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def lifecycle(self) -> Any:
        """Return its life cycle, a class of ``lifecycle/``."""
        return _loaded(self.code)

    @property
    def fields(self) -> tuple[Argument | Output, ...]:
        """Return all its properties. If an input and an output share a name, the output comes last and counts."""
        return (*self.arguments, *self.outputs)

    @property
    def replaced_by(self) -> tuple[str, ...]:
        """Return the inputs whose change replaces it."""
        return named(self.arguments, "replaces")


def _loaded(code: str) -> object:
    module, _, name = code.partition(":")
    return getattr(import_module(f"pulumi_iotda_ota.{module}"), name)


_FOUND = outputs.Output(
    "found",
    "boolean",
    "Whether a package was found. If not, and {on_missing} is none, there are no other outputs.",
)

FUNCTIONS = {
    "getDeviceVersions": Function(
        "operations:get_device_versions",
        device_arguments.GET_DEVICE_VERSIONS,
        outputs.GET_DEVICE_VERSIONS,
        "Count the devices that run each version of firmware, software or a module. The result is complete, or it is "
        "an error. Large groups are counted by version, one version a second.",
    ),
    "getOtaPackage": Function(
        "operations:get_package",
        lookup_arguments.GET_OTA_PACKAGE,
        (_FOUND, *outputs.GET_OTA_PACKAGE),
        "Look up the one OTA package that matches. All pages of the list are read. If several packages match, it is an "
        "error, unless {highest_version} or {most_recent} is set.",
    ),
    "getOtaPackages": Function(
        "operations:list_packages",
        lookup_arguments.GET_OTA_PACKAGES,
        outputs.GET_OTA_PACKAGES,
        "List the OTA packages that match. All pages of the list are read. If a page cannot be read, it is an error: "
        "there is never a partial list.",
    ),
    "getUpgradePath": Function(
        "operations:get_upgrade_path",
        lookup_arguments.GET_UPGRADE_PATH,
        outputs.GET_UPGRADE_PATH,
        "Find the packages by which devices reach a target package, for each version that they run. The path with the "
        "fewest hops is returned. If no path exists, the result says what is missing.",
    ),
    "getUpgradeTask": Function(
        "operations:get_task",
        lookup_arguments.GET_UPGRADE_TASK,
        outputs.GET_UPGRADE_TASK,
        "Fetch an upgrade task as it is now. The result has the first 100 devices that failed, each with the reason. "
        "The function does not wait for the end of the task.",
    ),
}

RESOURCES = {
    "OtaPackage": Resource(
        "lifecycle.ota_package.resource:Package",
        resource_arguments.OTA_PACKAGE,
        outputs.OTA_PACKAGE,
        "Create an OTA package from a file in OBS. The service cannot change a package, so a change replaces it, and "
        "the package id changes. If an equal package exists, it is adopted. If one exists that differs in a part, it "
        "is an error.",
    ),
    "OtaPackagePin": Resource(
        "lifecycle.pin:Pin",
        resource_arguments.OTA_PACKAGE_PIN,
        outputs.OTA_PACKAGE_PIN,
        "Look up an OTA package once, and keep it until the selection or {triggers} changes. The package is resolved "
        "during preview, so the preview shows the id. The resource owns nothing on the service.",
        known_when_checked=True,
        refuses_ignoring=True,
        made_from=dict.fromkeys(
            (output.name for output in outputs.OTA_PACKAGE_PIN),
            tuple(argument.name for argument in lookup_arguments.GET_OTA_PACKAGE),
        ),
    ),
    "UpgradeTask": Resource(
        "lifecycle.upgrade_task.resource:UpgradeTask",
        resource_arguments.UPGRADE_TASK,
        outputs.UPGRADE_TASK,
        "Create an upgrade task that installs packages on devices. The resource does not wait for the end of the task. "
        "An interrupted or repeated update finds the task by its name and adopts it, so there is no second task.",
        made_from={"task_name": ("task_name_prefix",)},
    ),
    "UpgradeTaskCompletion": Resource(
        "lifecycle.completion:Completion",
        resource_arguments.UPGRADE_TASK_COMPLETION,
        outputs.UPGRADE_TASK_COMPLETION,
        "Wait for the end of an upgrade task, and fail if too many devices failed. Resources that depend on it are "
        "created only after it. If the wait is interrupted, the next update continues it. The resource owns nothing on "
        "the service.",
    ),
    "UpgradeTaskConfirmation": Resource(
        "lifecycle.confirmation:Confirmation",
        resource_arguments.UPGRADE_TASK_CONFIRMATION,
        outputs.UPGRADE_TASK_CONFIRMATION,
        "Confirm an upgrade task that was created with {need_confirm}, so that its devices begin. The task is "
        "confirmed only if it installs exactly the approved packages. The resource owns nothing on the service.",
    ),
}

#: Everything that is served.
SERVED: Mapping[str, Function | Resource] = {**FUNCTIONS, **RESOURCES}
