"""What must hold before a campaign is created: asked at the preview, and only when a task is about to be created."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.api.requests import checked_task_body
from pulumi_iotda_ota.iotda.errors import InputError, ServiceError
from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lifecycle.upgrade_task.changes import require_may_replace
from pulumi_iotda_ota.lifecycle.upgrade_task.naming import TASK_TYPES, new_task, task_name
from pulumi_iotda_ota.lifecycle.upgrade_task.read import find_task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import OtaPackage
    from pulumi_iotda_ota.lifecycle.base import Properties, ResourceContext


def prepare_create(context: ResourceContext, olds: Properties, inputs: Properties) -> Properties:
    """Return the inputs of a task that is due, completed by its type and its name.

    If there are old inputs, :meth:`UpgradeTask.diff` judges the replacement next, because it gets the id of the old
    task. For ``replace_with``, ``deleted_with`` and another provider, the engine compares nothing: its next call is a
    check without the old inputs. In that check the replacement is judged here.

    Args:
        context: everything outside.
        olds: the inputs of the task that it replaces; empty if there is none.
        inputs: what was given.

    Raises:
        IotdaOtaError: the task could not be created, or what it replaces is not to be stopped.
    """
    client = context.run.client(context.resolve(inputs))
    packages = {package_id: _package(client, package_id) for package_id in inputs["package_ids"]}
    _require_one(packages, "product_id", "products")
    _require_space(packages, inputs)
    typed = {**inputs, "task_type": _type_of_packages(packages, inputs)}
    name = task_name(typed)
    named = {**typed, "task_name": name if olds else context.run_state.names.get(name, name)}
    if olds.get("task_name"):
        context.run_state.uncompared[name] = olds
    elif name in context.run_state.uncompared:
        require_may_replace(context, None, context.run_state.uncompared.pop(name), named)
    _require_creatable(context, client, named)
    return named


def _require_creatable(context: ResourceContext, client: Client, inputs: Properties) -> None:
    try:
        checked_task_body(new_task(inputs), now=context.clock.now())
    except InputError as error:
        # The schedule of a task that an interrupted run left may have passed meanwhile.
        if error.argument != "schedule_time" or find_task(client, inputs) is None:
            raise


def _require_one(packages: Mapping[str, OtaPackage], field: str, several: str) -> str:
    """Return what all packages have in a field; refuse those that do not fit together."""
    values = {package_id: str(getattr(package, field)) for package_id, package in packages.items()}
    if len(set(values.values())) > 1:
        found = ", ".join(f"{package_id} is of {sanitize(value)}" for package_id, value in values.items())
        raise InputError(
            f"{argument('package_ids')} are of several {several}: {found}; create a task for each",
            argument="package_ids",
        )
    return next(iter(values.values()))


def _require_space(packages: Mapping[str, OtaPackage], inputs: Properties) -> None:
    """Refuse a package of another resource space than the one whose devices are upgraded."""
    wanted = inputs.get("app_id")
    for package_id, package in packages.items():
        if wanted and package.app_id != wanted:
            misfit = f"{package_id} is of {sanitize(package.app_id)}, and {argument('app_id', wanted)}"
            raise InputError(
                f"{argument('package_ids')} are of another resource space: {misfit}", argument="package_ids"
            )


def _type_of_packages(packages: Mapping[str, OtaPackage], inputs: Properties) -> str:
    """Return the type of task that the packages need."""
    package_type = _require_one(packages, "package_type", "types")
    fitting = TASK_TYPES.get(package_type)
    wanted = inputs.get("task_type") or fitting
    if wanted is None:
        unknown = f"is required: the type of task for a {sanitize(package_type)} is not known"
        raise InputError(f"{argument('task_type')} {unknown}", argument="task_type")
    if fitting not in (None, wanted):
        misfit = f"{wanted} does not fit: the package is a {package_type}, which needs {fitting}"
        raise InputError(f"{argument('task_type')} {misfit}", argument="task_type")
    return str(wanted)


def _package(client: Client, package_id: str) -> OtaPackage:
    try:
        return client.show_package(package_id)
    except ServiceError as error:
        if not error.is_not_found:
            raise
        facts = [("endpoint", client.connection.described), ("fix", "look the package up with the same connection")]
        absent = f"{argument('package_ids')}: there is no OTA package {sanitize(package_id)}"
        raise InputError(absent, argument="package_ids", facts=facts) from error
