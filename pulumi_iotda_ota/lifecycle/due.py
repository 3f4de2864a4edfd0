"""What must hold before a campaign is created: asked at the preview, and only when a task is about to be created."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.errors import InputError, ServiceError
from pulumi_iotda_ota.iotda.models import parse_api_time
from pulumi_iotda_ota.iotda.task_body import checked_task_body
from pulumi_iotda_ota.iotda.text import printable
from pulumi_iotda_ota.lifecycle.campaign import TASK_TYPES, changed_inputs, new_task, task_name
from pulumi_iotda_ota.lifecycle.task_reads import described, find_task, is_running
from pulumi_iotda_ota.lifecycle.verdict import Standing
from pulumi_iotda_ota.lifecycle.watching import awaits_confirmation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import BatchTask, OtaPackage
    from pulumi_iotda_ota.lifecycle.base import Properties, World

__all__ = ["completed"]


def completed(world: World, olds: Properties, inputs: Properties) -> Properties:
    """Return the inputs of a task that is due, completed by its type and its name.

    Args:
        world: what is asked and read.
        olds: the inputs of the task that it replaces; empty where there is none.
        inputs: what was given.

    Raises:
        IotdaOtaError: the task could not be created, or what it replaces is not to be stopped.
    """
    client = world.run.client(world.resolve(inputs))
    packages = {package_id: _package(client, package_id) for package_id in inputs["package_ids"]}
    _require_one(packages, "product_id", "products")
    _require_space(packages, inputs)
    typed = {**inputs, "task_type": _type_of_packages(packages, inputs)}
    name = task_name(typed)
    named = {**typed, "task_name": name if olds else world.run_state.names.get(name, name)}
    if olds.get("task_name"):
        _require_may_replace(world, client, olds, named)
    _require_creatable(world, client, named)
    return named


def _require_creatable(world: World, client: Client, inputs: Properties) -> None:
    try:
        checked_task_body(new_task(inputs), now=world.clock.now())
    except InputError as error:
        # The schedule of a task that an interrupted run left may have passed meanwhile.
        if error.argument != "schedule_time" or find_task(client, inputs) is None:
            raise


def _require_one(packages: Mapping[str, OtaPackage], field: str, several: str) -> str:
    """Return what all packages have in a field; refuse those that do not fit together."""
    values = {package_id: str(getattr(package, field)) for package_id, package in packages.items()}
    if len(set(values.values())) > 1:
        found = ", ".join(f"{package_id} is of {printable(value)}" for package_id, value in values.items())
        raise InputError(f"package_ids are of several {several}: {found}; make a task for each", argument="package_ids")
    return next(iter(values.values()))


def _require_space(packages: Mapping[str, OtaPackage], inputs: Properties) -> None:
    """Refuse a package of another resource space than the one whose devices are upgraded."""
    wanted = inputs.get("app_id")
    for package_id, package in packages.items():
        if wanted and package.app_id != wanted:
            misfit = f"{package_id} is of {printable(package.app_id)}, and app_id is {wanted}"
            raise InputError(f"package_ids are of another resource space: {misfit}", argument="package_ids")


def _type_of_packages(packages: Mapping[str, OtaPackage], inputs: Properties) -> str:
    """Return the type of task that the packages need."""
    package_type = _require_one(packages, "package_type", "types")
    fitting = TASK_TYPES.get(package_type)
    wanted = inputs.get("task_type") or fitting
    if wanted is None:
        unknown = f"must be given: what fits a {printable(package_type)} is not known"
        raise InputError(f"task_type {unknown}", argument="task_type")
    if fitting not in (None, wanted):
        misfit = f"{wanted} does not fit: the package is a {package_type}, which needs {fitting}"
        raise InputError(f"task_type {misfit}", argument="task_type")
    return str(wanted)


def _package(client: Client, package_id: str) -> OtaPackage:
    try:
        return client.show_package(package_id)
    except ServiceError as error:
        if not error.says_missing:
            raise
        facts = [("looked in", client.connection.described), ("what to do", "look the package up in the same place")]
        absent = f"package_ids: there is no OTA package {package_id}"
        raise InputError(absent, argument="package_ids", facts=facts) from error


def _require_may_replace(world: World, client: Client, olds: Properties, inputs: Properties) -> None:
    """Refuse, before anything is stopped, to replace a campaign that runs, or to replace it by one of the past."""
    changed = ", ".join(changed_inputs(olds, inputs))
    old = find_task(world.run.client(world.resolve(olds)), olds)
    if old is not None and is_running(old) and not inputs.get("replace_running"):
        waits = awaits_confirmation(old, Standing.of(old, ended=False))
        ends = "it waits to be confirmed: confirm it" if waits else "wait for its end"
        facts = [
            ("running", described(old)),
            ("what to do", f"{ends}, or set replace_running=True to stop it for the new one"),
        ]
        raise InputError(f"a change of {changed} is a new campaign, and {old.task_name} still runs", facts=facts)
    earlier = find_task(client, inputs)
    if earlier is not None and not is_running(earlier) and _is_not_after(earlier, old):
        # It would be taken for what an interrupted run left, and the devices stay as they are.
        facts = [
            ("it ran as", f"{described(earlier)}, created {printable(earlier.create_time or '')}"),
            ("what to do", "change triggers too, to run it again"),
        ]
        raise InputError(f"a change of {changed} goes back to a campaign that has run before", facts=facts)


def _is_not_after(task: BatchTask, other: BatchTask | None) -> bool:
    try:
        # Of what is gone nothing is known: that the devices have it already is not the safe side.
        return other is None or parse_api_time(task.create_time or "") <= parse_api_time(other.create_time or "")
    except ValueError:
        return False  # create_once still decides whether it may be taken over
