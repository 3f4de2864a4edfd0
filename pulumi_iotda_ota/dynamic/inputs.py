"""What the constructors of the resources share: which inputs they register, and what they refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi

from pulumi_iotda_ota import sdk
from pulumi_iotda_ota.dynamic import SECRET_INPUTS
from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pulumi_iotda_ota.arguments import Argument
    from pulumi_iotda_ota.iotda.connection import Connection

__all__ = ["SECRET_INPUTS", "given", "properties", "refuse_import", "refused", "scope"]


def given(table: Iterable[Argument], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs among what a constructor was given: the table's arguments and the connection."""
    inputs = {argument.name: given[argument.name] for argument in table if argument.name in given}
    if sdk.holds_asset(inputs.get("triggers")):
        error = InputError(
            "triggers can not hold an asset: give its text, or a checksum of its file", argument="triggers"
        )
        raise sdk.rendered(error)
    return {**inputs, "connection": _public(given["connection"])}


def refuse_import(kind: str, opts: pulumi.ResourceOptions | None, advice: str) -> None:
    """Refuse ``import_``, which Pulumi ends in a KeyError of its own.

    For an import the engine sends the id alone. The host of Python providers looks for the provider in the inputs.
    ``test_sdk.py`` says when it does not need to.

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
    return sdk.rendered(InputError(headline, argument="opts", facts=[("what to do", advice)]))


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
        scope["parent"] = parent.urn
    return scope


def properties(inputs: dict[str, Any], outputs: Iterable[str]) -> dict[str, Any]:
    """Return what a resource registers; an output without an input of that name is announced by None."""
    registered = {**dict.fromkeys(outputs), **inputs}
    # Where no value is to come, none can be secret.
    return {**registered, SECRET_INPUTS: sdk.SecretNames(inputs)} if sdk.holds_output(inputs) else registered


def _public(connection: Connection | None) -> dict[str, Any] | None:
    """Return the connection as inputs, which are stored in the state and must hold no secret."""
    if connection is None:
        return None
    if connection.has_secrets:
        error = InputError(
            "connection holds a secret, and what a resource is given is stored in the stack's state",
            argument="connection",
            facts=[
                ("what to do", "put credentials into the environment (HW_ACCESS_KEY, HW_SECRET_KEY) or the stack's"),
                ("", "configuration (pulumi config set --secret iotda-ota:secretKey)"),
            ],
        )
        raise sdk.rendered(error)
    return connection.public()
