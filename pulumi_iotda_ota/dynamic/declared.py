"""What a resource does when a program declares it. Their signatures are in ``_generated/resources.py``.

Nothing is sent here: what a resource does later is in ``lifecycle/``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pulumi import dynamic

from pulumi_iotda_ota import pulumi_compat, pulumi_inputs
from pulumi_iotda_ota.dynamic import (
    OtaPackagePinProvider,
    OtaPackageProvider,
    UpgradeTaskCompletionProvider,
    UpgradeTaskConfirmationProvider,
    UpgradeTaskProvider,
)
from pulumi_iotda_ota.dynamic.inputs import given, properties, refuse_import, refused, scope
from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.lifecycle.completion import Completion
from pulumi_iotda_ota.lifecycle.confirmation import Confirmation
from pulumi_iotda_ota.lifecycle.ota_package.resource import ADOPTED_IF_EQUAL
from pulumi_iotda_ota.lifecycle.pin import Pin
from pulumi_iotda_ota.schema.registry import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pulumi

    from pulumi_iotda_ota.dynamic import Adapter


class DeclaredResource(dynamic.Resource):
    """A resource of this library.

    Args:
        kind: its name in the table of resources.
        arguments: the local names of the constructor, with everything that the program gave.

    Raises:
        InputError: an argument is wrong, ``connection`` holds a secret, or ``opts`` asks for what has no effect.
    """

    def __init__(self, kind: str, arguments: Mapping[str, Any]) -> None:
        behaviour = _BEHAVIOURS[kind]
        resource_name, opts = arguments["resource_name"], arguments["opts"]
        refuse_import(kind, opts, behaviour.import_advice(resource_name, opts))
        behaviour.refuse(arguments)
        inputs = {**given(kind, arguments), **behaviour.more(resource_name, opts)}
        outputs = [output.name for output in RESOURCES[kind].outputs]
        super().__init__(behaviour.provider(), resource_name, properties(inputs, outputs), opts)
        pulumi_inputs.register(self, behaviour.result, constant_id=behaviour.constant_id)


@dataclass(frozen=True)
class _Behaviour:
    """What differs from resource to resource.

    Attributes:
        provider: what serves the resource.
        result: the output that other arguments want.
        constant_id: whether the id is a constant, because the resource owns nothing on the service.
    """

    provider: type[Adapter]
    result: str
    constant_id: bool = True
    advice: str = ""

    def import_advice(self, resource_name: str, opts: pulumi.ResourceOptions | None) -> str:  # noqa: ARG002
        """Return what to do instead of an import."""
        return self.advice

    def refuse(self, arguments: Mapping[str, Any]) -> None:
        """Refuse what the table of arguments cannot say."""

    def more(self, resource_name: str, opts: pulumi.ResourceOptions | None) -> dict[str, Any]:  # noqa: ARG002
        """Return the inputs that no program gives."""
        return {}


class _PinBehaviour(_Behaviour):
    def refuse(self, arguments: Mapping[str, Any]) -> None:
        """Refuse to ignore changes of what selects the package: the engine would put what was found in its place."""
        opts = arguments["opts"]
        ignored = sorted({str(name) for name in (opts and opts.ignore_changes) or ()} & {*Pin.input_names, "*"})
        if ignored:
            raise refused(
                f"ignore_changes of {' and '.join(ignored)} would move the pin instead of keeping it",
                "remove it: a pin keeps its package until its selection or triggers change",
            )


class _ConfirmationBehaviour(_Behaviour):
    def refuse(self, arguments: Mapping[str, Any]) -> None:
        """Refuse an Output: what a lookup finds was not reviewed."""
        if pulumi_compat.holds_output(arguments["approved_package_ids"]):
            error = InputError(
                "approved_package_ids is a Pulumi Output, but must be literal ids, so that a review shows each change",
                argument="approved_package_ids",
                facts=[
                    ("fix", "write the ids of the reviewed packages as strings, or read them from the configuration")
                ],
            )
            raise pulumi_compat.as_run_error(error)


class _TaskBehaviour(_Behaviour):
    def import_advice(self, resource_name: str, opts: pulumi.ResourceOptions | None) -> str:
        """Return the command that imports the task with the plugin."""
        task_id = opts.import_ if opts else None
        return (
            "add the plugin to this project with pulumi package add, then run pulumi import "
            f"iotda-ota:index:UpgradeTask {resource_name} {task_id}; if you only wait for the task, declare an "
            "UpgradeTaskCompletion with its task_id instead"
        )

    def more(self, resource_name: str, opts: pulumi.ResourceOptions | None) -> dict[str, Any]:
        """Return what keeps the equal tasks of two resources apart."""
        return {"scope": scope(resource_name, opts)}


_BEHAVIOURS = {
    "OtaPackage": _Behaviour(OtaPackageProvider, "package_id", constant_id=False, advice=ADOPTED_IF_EQUAL),
    "OtaPackagePin": _PinBehaviour(OtaPackagePinProvider, "package_id", advice=Pin.import_advice),
    "UpgradeTask": _TaskBehaviour(UpgradeTaskProvider, "task_id", constant_id=False),
    "UpgradeTaskCompletion": _Behaviour(UpgradeTaskCompletionProvider, "task_id", advice=Completion.import_advice),
    "UpgradeTaskConfirmation": _ConfirmationBehaviour(
        UpgradeTaskConfirmationProvider, "task_id", advice=Confirmation.import_advice
    ),
}
