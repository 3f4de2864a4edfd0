"""Import an existing task or package into a stack by its id, without creating or changing anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError, ServiceError
from pulumi_iotda_ota.iotda.references import setting
from pulumi_iotda_ota.iotda.sanitize import quoted, sanitize
from pulumi_iotda_ota.lifecycle.run_state import Thing
from pulumi_iotda_ota.lifecycle.upgrade_task.naming import TASK_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.models import BatchTask, OtaPackage
    from pulumi_iotda_ota.lifecycle.base import Properties, ResourceContext

_DEVICES = ("targets", "group_ids")
_POLICY = ("schedule_time", "retry_count", "retry_interval")
# IoTDA never returns ``app_id``. Some instances return no devices. It does not know ``triggers``: they are not set.
_MAY_BE_UNREAD = ("package_ids", "app_id", *_DEVICES)


def found(request: Callable[[], Any], connection: ResolvedConnection, *, thing: str, command: str) -> Any:
    """Send a request by id and return its result.

    Args:
        request: sends it.
        connection: where it goes.
        thing: how an error names what it is about, such as ``upgrade task 5c8b…``.
        command: the command that lists what is there.

    Raises:
        IotdaOtaError: the id does not exist.
    """
    try:
        return request()
    except ServiceError as error:
        if not error.is_not_found:
            raise
        facts = [
            ("endpoint", connection.described),
            (
                "fix",
                f"check the id, {setting('project_id')} and {setting('instance_id')}; list what exists: {command}",
            ),
        ]
        raise IotdaOtaError(f"there is no {thing}", facts=facts) from None


def own(context: ResourceContext, connection: ResolvedConnection, id_: str, *, thing: str) -> None:
    """Record that an imported resource owns a thing.

    Raises:
        InputError: another resource of the stack owns it already, in this run.
    """
    imported = Thing.at(connection.identity, id_)
    if context.run_state.owned_elsewhere(imported, action=f"{thing} is not imported"):
        facts = [("fix", "declare it once, and use the outputs of that resource")]
        raise InputError(f"{thing} cannot be imported: another resource of this stack owns it already", facts=facts)
    context.run_state.note_created(imported)


def inputs_of_package(package: OtaPackage) -> Properties:
    """Return the inputs that declare a package as it is.

    Raises:
        IotdaOtaError: the service does not return its file location.
    """
    location = package.file_location.obs_location if package.file_location else None
    if location is None:
        headline = (
            f"package {sanitize(package.package_id)} cannot be imported: the service does not return its file location"
        )
        raise IotdaOtaError(headline, facts=[("fix", "look the package up instead of declaring it")])
    names = [argument.name for argument in schema.OTA_PACKAGE if hasattr(package, argument.name)]
    inputs = {name: getattr(package, name) for name in names}
    inputs["support_source_versions"] = list(package.support_source_versions)
    inputs["obs_location"] = {name: value for name, value in location.model_dump().items() if value}
    return {name: value for name, value in inputs.items() if value}


def inputs_of_task(task: BatchTask) -> Properties:
    """Return the inputs that declare a task as far as the service returns them.

    The stack did not start the task, so ``on_destroy`` is ``retain``: a destroy does not stop it.

    Raises:
        InputError: it is not an upgrade task.
    """
    if task.task_type not in TASK_TYPES.values():
        headline = f"task {sanitize(task.task_id)} is not an upgrade task: its type is {quoted(task.task_type)}"
        kinds = ", ".join(TASK_TYPES.values())
        raise InputError(headline, facts=[("fix", f"pass the id of a task of one of these types: {kinds}")])
    policy = task.task_policy or {}
    inputs = {
        "package_ids": list(task.package_ids or ()),
        "targets": list(task.targets or ()),
        "group_ids": list((task.targets_filter or {}).get("group_ids") or ()),
        "task_type": task.task_type,
        **{name: policy.get(name) for name in _POLICY},
        "need_confirm": task.need_confirm,
        "task_mode": task.task_mode,
        "task_ext_info": task.task_ext_info,
        "on_destroy": "retain",
    }
    # A retry_interval of 0 is a value. Any other empty value means that the input is not set.
    return {name: value for name, value in inputs.items() if value or (value == 0 and value is not False)}


def unread_inputs(inputs: Properties) -> list[str]:
    """Return the inputs of an imported task that the service may have, but does not return.

    Their first value in the program is stored without a comparison. If any other input is missing, the task was created
    without it.
    """
    return _without_devices([name for name in _MAY_BE_UNREAD if name not in inputs], inputs)


def still_unread(olds: Properties, inputs: Properties) -> Properties:
    """Return the inputs that the program has not declared yet; nothing if the task was not imported."""
    if "unread_inputs" not in olds:
        return {}
    return {"unread_inputs": _without_devices([name for name in olds["unread_inputs"] if name not in inputs], inputs)}


def told_unread(unread: list[str]) -> str:
    """Return what the warning names because the service does not return it; usually empty."""
    missing = {"packages": "package_ids", "devices": "targets"}
    return " and ".join(word for word, name in missing.items() if name in unread)


def _without_devices(names: list[str], known: Properties) -> list[str]:
    # A task has targets or group_ids, so if one is known, the other is not missing.
    return [name for name in names if name not in _DEVICES or not {*_DEVICES} & {*known}]
