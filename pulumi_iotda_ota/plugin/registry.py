"""What the plugin serves: a table of functions and a table of resources. To serve another one is one more entry.

Their code is named here and loaded when it is first called: most programs use a part of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.schema import outputs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulumi_iotda_ota.lifecycle.base import Lifecycle
    from pulumi_iotda_ota.schema import Argument
    from pulumi_iotda_ota.schema.outputs import Output

PACKAGE = "iotda-ota"


def token_of(name: str) -> str:
    """Return the token of a function or resource, such as ``iotda-ota:index:getOtaPackage``."""
    return f"{PACKAGE}:index:{name}"


@dataclass(frozen=True)
class Function:
    """A function of the plugin.

    Attributes:
        code: the function that asks, as ``module:name``; it takes a run, where to ask and the arguments.
        arguments: its arguments.
        outputs: the fields of its answer.
        description: one sentence.
    """

    code: str
    arguments: tuple[Argument, ...]
    outputs: tuple[Output, ...]
    description: str

    @property
    def ask(self) -> Callable[..., dict[str, Any]]:
        """Return its code."""
        return cast("Callable[..., dict[str, Any]]", _loaded(self.code))


@dataclass(frozen=True)
class Resource:
    """A resource of the plugin.

    Attributes:
        code: its life cycle, as ``module:name``.
        arguments: its inputs.
        outputs: what it tells beside them.
        description: one sentence.
        replacing: the inputs whose change replaces it, as ``module:name``, or empty.
        known_when_checked: whether ``check`` already knows all outputs, so that a preview can show them.
        refuses_ignoring: whether ``ignoreChanges`` of its inputs is refused.
        made_from: the inputs that outputs are made from and repeat: what is made from a secret is one.
    """

    code: str
    arguments: tuple[Argument, ...]
    outputs: tuple[Output, ...]
    description: str
    replacing: str = ""
    known_when_checked: bool = False
    refuses_ignoring: bool = False
    made_from: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def lifecycle(self) -> type[Lifecycle]:
        """Return its life cycle."""
        return cast("type[Lifecycle]", _loaded(self.code))

    @property
    def fields(self) -> tuple[Argument | Output, ...]:
        """Return all its properties; where an input and an output share a name, the output comes last and counts."""
        return (*self.arguments, *self.outputs)

    @property
    def replaced_by(self) -> tuple[str, ...]:
        """Return the inputs whose change replaces it."""
        return cast("tuple[str, ...]", _loaded(self.replacing)) if self.replacing else ()


def _loaded(code: str) -> object:
    module, _, name = code.partition(":")
    return getattr(import_module(f"pulumi_iotda_ota.{module}"), name)


_FOUND = outputs.Output(
    "found", "flag", "Whether a package fits; without one, and with on_missing none, there are no other fields."
)

FUNCTIONS = {
    "getOtaPackage": Function(
        "plugin.functions:get_ota_package",
        schema.GET_OTA_PACKAGE,
        (_FOUND, *outputs.GET_OTA_PACKAGE),
        "Look up the one OTA package that matches, over all pages. Several matches are an error, unless "
        "highest_version or most_recent is set.",
    ),
    "getOtaPackages": Function(
        "plugin.functions:get_ota_packages",
        schema.GET_OTA_PACKAGES,
        outputs.GET_OTA_PACKAGES,
        "Lists the OTA packages that fit, over all pages; there is never a partial list.",
    ),
    "getUpgradeTask": Function(
        "plugin.functions:get_upgrade_task",
        schema.GET_UPGRADE_TASK,
        outputs.GET_UPGRADE_TASK,
        "Tells how an upgrade task stands, with the first 100 devices that fail and why. It waits for nothing.",
    ),
}

RESOURCES = {
    "OtaPackage": Resource(
        "lifecycle.ota_package.resource:Package",
        schema.OTA_PACKAGE,
        outputs.OTA_PACKAGE,
        "A package made of an object that lies in OBS. The service can not change one: a change replaces it, with a "
        "new id.",
        replacing="lifecycle.ota_package.fields:FILE_INPUTS",
    ),
    "OtaPackagePin": Resource(
        "lifecycle.pin:Pin",
        schema.OTA_PACKAGE_PIN,
        outputs.OTA_PACKAGE_PIN,
        "The package that a lookup found, kept until the selection or the triggers change. It is resolved at the "
        "preview and owns nothing on the service.",
        known_when_checked=True,
        refuses_ignoring=True,
        made_from=dict.fromkeys(
            (output.name for output in outputs.OTA_PACKAGE_PIN),
            tuple(argument.name for argument in schema.GET_OTA_PACKAGE),
        ),
    ),
    "UpgradeTask": Resource(
        "lifecycle.upgrade_task.resource:UpgradeTask",
        schema.UPGRADE_TASK,
        outputs.UPGRADE_TASK,
        "A campaign that installs packages on devices. It is created once and never waited for; an interrupted or "
        "repeated update takes over the task that it finds by its name.",
        replacing="lifecycle.upgrade_task.naming:CAMPAIGN_INPUTS",
        made_from={"task_name": ("task_name_prefix",)},
    ),
    "UpgradeTaskCompletion": Resource(
        "lifecycle.completion:Completion",
        schema.UPGRADE_TASK_COMPLETION,
        outputs.UPGRADE_TASK_COMPLETION,
        "The good end of a campaign: it is created once the task has ended well enough, and fails where it has not, so "
        "that what depends on it stays untouched. It owns nothing on the service.",
    ),
    "UpgradeTaskConfirmation": Resource(
        "lifecycle.confirmation:Confirmation",
        schema.UPGRADE_TASK_CONFIRMATION,
        outputs.UPGRADE_TASK_CONFIRMATION,
        "The approval of a campaign whose task was created with needConfirm: its devices start with it. It owns "
        "nothing on the service.",
    ),
}
