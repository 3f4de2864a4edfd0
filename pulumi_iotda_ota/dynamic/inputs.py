"""What the constructors of the resources share: which inputs they register, and what they refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi

from pulumi_iotda_ota import pulumi_compat, pulumi_inputs, schema
from pulumi_iotda_ota.dynamic import SECRET_INPUTS
from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError
from pulumi_iotda_ota.lifecycle.base import UNKNOWN
from pulumi_iotda_ota.lifecycle.completion import Completion
from pulumi_iotda_ota.lifecycle.confirmation import Confirmation
from pulumi_iotda_ota.lifecycle.ota_package.validation import problems_of_package
from pulumi_iotda_ota.lifecycle.pin import Pin
from pulumi_iotda_ota.lifecycle.upgrade_task.validation import problems_of_task
from pulumi_iotda_ota.schema.validation import error_of, normal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pulumi_iotda_ota.iotda.auth.connection_model import Connection
    from pulumi_iotda_ota.lifecycle.base import Properties
    from pulumi_iotda_ota.schema import Argument
    from pulumi_iotda_ota.schema.validation import Problem

# The arguments of each resource, and the rules that its provider checks them by.
_RULES: dict[str, tuple[tuple[Argument, ...], Callable[[Properties], list[Problem]]]] = {
    "OtaPackagePin": (schema.OTA_PACKAGE_PIN, Pin.problems),
    "OtaPackage": (schema.OTA_PACKAGE, problems_of_package),
    "UpgradeTask": (schema.UPGRADE_TASK, problems_of_task),
    "UpgradeTaskCompletion": (schema.UPGRADE_TASK_COMPLETION, Completion.problems),
    "UpgradeTaskConfirmation": (schema.UPGRADE_TASK_CONFIRMATION, Confirmation.problems),
}


def given(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a constructor registers as inputs, after a check of everything that is known.

    Nothing is sent. A program with a wrong plain argument ends here with one message. If the provider refused it later,
    Pulumi's host would interrupt the program with a traceback.

    Args:
        kind: the name of the resource in the tables.
        given: the arguments of its constructor.

    Raises:
        InputError: an argument is wrong, or an option has no effect.
    """
    table, problems = _RULES[kind]
    label = f'{kind} "{given["resource_name"]}": '
    pulumi_inputs.refuse_provider(label, given["opts"])
    inputs = {argument.name: given[argument.name] for argument in table if argument.name in given}
    pulumi_inputs.refuse_resources(inputs, label)
    pulumi_inputs.refuse_unsendable(inputs, label)
    wrong = problems(normal(pulumi_inputs.known_values(inputs, UNKNOWN)))
    if wrong:
        raise pulumi_compat.as_run_error(error_of(wrong, label))
    optional = [argument.name for argument in table if argument.optional_output]
    free = [argument.name for argument in table if argument.type == "object" and argument.of is None]
    required = pulumi_inputs.requiring_values(inputs, label, optional=optional, free=free)
    return {**required, "connection": _public(given["connection"])}


def refuse_import(kind: str, opts: pulumi.ResourceOptions | None, advice: str) -> None:
    """Refuse ``import_``, which Pulumi ends in a KeyError of its own.

    For an import the engine sends the id alone. The host of Python providers looks for the provider in the inputs.
    A test in ``test_pulumi_compat.py`` fails when that has changed.

    Args:
        kind: the class of the resource.
        opts: the options it was given.
        advice: what to do instead.

    Raises:
        InputError: the options ask for an import.
    """
    if opts is not None and opts.import_ is not None:
        raise refused(f"{kind} cannot be imported: Pulumi imports no resource whose provider is a Python class", advice)


def refused(headline: str, advice: str) -> IotdaOtaError:
    """Return the error of an option that a resource does not take."""
    return pulumi_compat.as_run_error(InputError(headline, argument="opts", facts=[("fix", advice)]))


def scope(resource_name: str, opts: pulumi.ResourceOptions | None) -> dict[str, pulumi.Input[str]]:
    """Return what keeps equal campaigns of two resources apart; a dynamic provider can not see it."""
    scope: dict[str, pulumi.Input[str]] = {
        "organization": pulumi.get_organization(),
        "project": pulumi.get_project(),
        "stack": pulumi.get_stack(),
        "name": resource_name,
    }
    parent = opts.parent if opts else None
    if parent is not None:
        # Children of two components may have one name; what tells these apart is in the URN.
        scope["parent"] = pulumi_compat.urn_without_dependencies(parent)
    return scope


def properties(inputs: dict[str, Any], outputs: Iterable[str]) -> dict[str, Any]:
    """Return what a resource registers; an output without an input of that name is announced by None."""
    registered = {**dict.fromkeys(outputs), **inputs}
    # Where no value is to come, none can be secret.
    return (
        {**registered, SECRET_INPUTS: pulumi_inputs.SecretNames(inputs)}
        if pulumi_compat.holds_output(inputs)
        else registered
    )


def _public(connection: Connection | None) -> dict[str, Any] | None:
    """Return the connection as inputs, which are stored in the state and must hold no secret."""
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
