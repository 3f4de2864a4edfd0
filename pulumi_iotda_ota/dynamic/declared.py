"""The constructor of every dynamic resource. The signatures are in ``_generated/resources.py``.

Nothing is sent here. The work of a resource is in ``lifecycle/``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
from pulumi import dynamic

from pulumi_iotda_ota import pulumi_compat, pulumi_inputs
from pulumi_iotda_ota.dynamic import PROVIDERS, SECRET_INPUTS
from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.lifecycle.base import UNKNOWN
from pulumi_iotda_ota.schema.registry import RESOURCES
from pulumi_iotda_ota.schema.validation import error_of, normal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.iotda.auth.connection_model import Connection
    from pulumi_iotda_ota.iotda.errors import IotdaOtaError

# The resources whose id is the id of a task or package. The id of every other resource is a constant.
_OWNERS = ("OtaPackage", "UpgradeTask")


class DeclaredResource(dynamic.Resource):
    """A resource of this library.

    Args:
        kind: its name in the table of resources.
        arguments: the local names of the constructor, with the arguments of the program.

    Raises:
        InputError: an argument is wrong, ``connection`` holds a secret, or an option has no effect.
    """

    def __init__(self, kind: str, arguments: Mapping[str, Any]) -> None:
        resource_name, opts = arguments["resource_name"], arguments["opts"]
        _refuse_import(kind, resource_name, opts)
        if kind == "OtaPackagePin":
            _refuse_ignored_changes(opts)
        if kind == "UpgradeTaskConfirmation":
            _refuse_output(arguments["approved_package_ids"])
        inputs = _checked_inputs(kind, arguments)
        if kind == "UpgradeTask":
            inputs["scope"] = _scope(resource_name, opts)
        # Pulumi announces an output that is None now.
        properties = {**dict.fromkeys(output.name for output in RESOURCES[kind].outputs), **inputs}
        if pulumi_inputs.holds_output(inputs):  # only an Output can be a secret
            properties[SECRET_INPUTS] = pulumi_inputs.SecretNames(inputs)
        super().__init__(PROVIDERS[kind](), resource_name, properties, opts)
        result = "package_id" if kind.startswith("OtaPackage") else "task_id"
        pulumi_inputs.register(self, result, constant_id=kind not in _OWNERS)


def _checked_inputs(kind: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs of a constructor, after a check of all values that are known.

    A wrong plain argument ends the program here with one message. If the provider refused it later, Pulumi's host would
    interrupt the program with a traceback.
    """
    resource = RESOURCES[kind]
    label = f'{kind} "{arguments["resource_name"]}": '
    pulumi_inputs.refuse_provider(label, arguments["opts"])
    inputs = {argument.name: arguments[argument.name] for argument in resource.arguments if argument.name in arguments}
    pulumi_inputs.refuse_resources(inputs, label)
    pulumi_inputs.refuse_unsendable(inputs, label)
    if problems := resource.lifecycle.problems(normal(pulumi_inputs.known_values(inputs, UNKNOWN))):
        raise pulumi_compat.as_run_error(error_of(problems, label))
    optional = [argument.name for argument in resource.arguments if argument.optional_output]
    free = [argument.name for argument in resource.arguments if argument.type == "object" and argument.of is None]
    required = pulumi_inputs.requiring_values(inputs, label, optional=optional, free=free)
    return {**required, "connection": _public(arguments["connection"])}


def _refuse_import(kind: str, resource_name: str, opts: pulumi.ResourceOptions | None) -> None:
    """Refuse ``import_``, for which Pulumi raises a KeyError.

    The engine sends only the id for an import, but the host of Python providers expects the provider in the inputs. A
    test in ``test_pulumi_compat.py`` fails when that has changed.
    """
    if opts is None or opts.import_ is None:
        return
    if kind == "UpgradeTask":
        fix = (
            "add the plugin to this project with pulumi package add, then run pulumi import "
            f"iotda-ota:index:UpgradeTask {resource_name} {opts.import_}; if you only wait for the task, declare an "
            "UpgradeTaskCompletion with its task_id instead"
        )
    else:
        fix = RESOURCES[kind].lifecycle.import_advice
    raise _refused(f"{kind} cannot be imported: Pulumi imports no resource whose provider is a Python class", fix)


def _refuse_ignored_changes(opts: pulumi.ResourceOptions | None) -> None:
    """Refuse to ignore changes of the inputs of a pin: the engine would restore fields of the package as inputs."""
    names = {*RESOURCES["OtaPackagePin"].lifecycle.input_names, "*"}
    ignored = sorted({str(name) for name in (opts and opts.ignore_changes) or ()} & names)
    if ignored:
        raise _refused(
            f"ignore_changes of {' and '.join(ignored)} would move the pin instead of keeping it",
            "remove it: a pin keeps its package until its selection or triggers change",
        )


def _refused(headline: str, fix: str) -> IotdaOtaError:
    return pulumi_compat.as_run_error(InputError(headline, argument="opts", facts=[("fix", fix)]))


def _refuse_output(approved: object) -> None:
    """Refuse an Output as the approved packages, because the result of a lookup was not reviewed."""
    if pulumi_inputs.holds_output(approved):
        fix = "write the ids of the reviewed packages as strings, or read them from the configuration"
        error = InputError(
            "approved_package_ids is a Pulumi Output, but must be literal ids, so that a review shows each change",
            argument="approved_package_ids",
            facts=[("fix", fix)],
        )
        raise pulumi_compat.as_run_error(error)


def _scope(resource_name: str, opts: pulumi.ResourceOptions | None) -> dict[str, pulumi.Input[str]]:
    """Return the place of a resource, which distinguishes equal tasks. A dynamic provider does not get it."""
    scope: dict[str, pulumi.Input[str]] = {
        "organization": pulumi.get_organization(),
        "project": pulumi.get_project(),
        "stack": pulumi.get_stack(),
        "name": resource_name,
    }
    parent = opts.parent if opts else None
    if parent is not None:
        # Children of two components can have one name. The URN distinguishes them.
        scope["parent"] = pulumi_compat.urn_without_dependencies(parent)
    return scope


def _public(connection: Connection | None) -> dict[str, Any] | None:
    """Return the connection as inputs, which the state stores. So it must have no secret."""
    try:
        pulumi_inputs.require_connection(connection)
    except InputError as wrong:
        raise pulumi_compat.as_run_error(wrong) from None
    if connection is None:
        return None
    if connection.has_secrets:
        error = InputError(
            "connection has a secret, and Pulumi stores the inputs of a resource in the stack's state",
            argument="connection",
            facts=[
                ("fix", "put credentials into the environment (HW_ACCESS_KEY, HW_SECRET_KEY) or the stack's"),
                ("", "configuration (pulumi config set --secret iotda-ota:secretKey)"),
            ],
        )
        raise pulumi_compat.as_run_error(error)
    return connection.public()
