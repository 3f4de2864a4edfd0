"""Create an upgrade task at most once, by its name, after a check of its packages at the preview.

The name is made from the inputs. If a task with that name exists, an interrupted run created it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.durations import parse_duration
from pulumi_iotda_ota.iotda.api.requests import checked_task_body
from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError, ServiceError
from pulumi_iotda_ota.iotda.models import read_service_time
from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lifecycle.recovery import Creation, create_once
from pulumi_iotda_ota.lifecycle.upgrade_task.changes import require_may_replace
from pulumi_iotda_ota.lifecycle.upgrade_task.naming import TASK_TYPES, disagreements, new_task, task_name
from pulumi_iotda_ota.lifecycle.upgrade_task.tasks import (
    RETRYABLE,
    STOPPED,
    described,
    find_task,
    find_task_or_rival,
    is_running,
)
from pulumi_iotda_ota.message_rendering import NEW_TASK, delete_task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import BatchTask, OtaPackage
    from pulumi_iotda_ota.iotda.retry import Deadline
    from pulumi_iotda_ota.lifecycle.base import Properties, ResourceContext


def prepare_create(context: ResourceContext, olds: Properties, inputs: Properties) -> Properties:
    """Return the inputs of a task that is about to be created, with its type and its name.

    If there are old inputs, :meth:`UpgradeTask.diff` judges the replacement next, because it gets the id of the old
    task. For ``replace_with``, ``deleted_with`` and another provider, the engine calls no diff. Its next call is a
    check without the old inputs, which judges the replacement here.

    Raises:
        IotdaOtaError: the task could not be created, or the task that it replaces must not be stopped.
    """
    client = context.run.client(context.resolve(inputs))
    packages = {package_id: _package(client, package_id) for package_id in inputs["package_ids"]}
    _require_one(packages, "product_id", "products")
    _require_space(packages, inputs)
    typed = {**inputs, "task_type": _type_of_packages(packages, inputs)}
    name = task_name(typed)
    completed = {**typed, "task_name": name if olds else context.run_state.names.get(name, name)}
    if olds.get("task_name"):
        context.run_state.uncompared[name] = olds
    elif name in context.run_state.uncompared:
        require_may_replace(context, None, context.run_state.uncompared.pop(name), completed)
    try:
        checked_task_body(new_task(completed), now=context.clock.now())
    except InputError as error:
        # If an interrupted run created the task, its schedule_time may have passed since.
        if error.argument != "schedule_time" or find_task(client, completed) is None:
            raise
    return completed


def _require_one(packages: Mapping[str, OtaPackage], field: str, several: str) -> str:
    """Return the value of a field that all packages share; refuse packages that differ in it."""
    values = {package_id: str(getattr(package, field)) for package_id, package in packages.items()}
    if len(set(values.values())) > 1:
        found = ", ".join(f"{package_id} is of {sanitize(value)}" for package_id, value in values.items())
        headline = f"{argument('package_ids')} are of several {several}: {found}; create a task for each"
        raise InputError(headline, argument="package_ids")
    return next(iter(values.values()))


def _require_space(packages: Mapping[str, OtaPackage], inputs: Properties) -> None:
    """Refuse a package of another resource space than the devices."""
    wanted = inputs.get("app_id")
    for package_id, package in packages.items():
        if wanted and package.app_id != wanted:
            misfit = f"{package_id} is of {sanitize(package.app_id)}, and {argument('app_id', wanted)}"
            headline = f"{argument('package_ids')} are of another resource space: {misfit}"
            raise InputError(headline, argument="package_ids")


def _type_of_packages(packages: Mapping[str, OtaPackage], inputs: Properties) -> str:
    """Return the task type that the packages need."""
    package_type = _require_one(packages, "package_type", "types")
    fitting = TASK_TYPES.get(package_type)
    wanted = inputs.get("task_type") or fitting
    problem = ""
    if wanted is None:
        problem = f"is required: the type of task for a {sanitize(package_type)} is not known"
    elif fitting not in (None, wanted):
        problem = f"{wanted} does not fit: the package is a {package_type}, which needs {fitting}"
    if problem:
        raise InputError(f"{argument('task_type')} {problem}", argument="task_type")
    return str(wanted)


def _package(client: Client, package_id: str) -> OtaPackage:
    try:
        return client.show_package(package_id)
    except ServiceError as error:
        if not error.is_not_found:
            raise
        facts = [("endpoint", client.connection.described), ("fix", "look the package up with the same connection")]
        headline = f"{argument('package_ids')}: there is no OTA package {sanitize(package_id)}"
        raise InputError(headline, argument="package_ids", facts=facts) from error


def create_task_once(context: ResourceContext, client: Client, inputs: Properties) -> BatchTask:
    """Return the task, created now or adopted.

    Raises:
        IotdaOtaError: a task with that name exists that must not be adopted.
        OutcomeUnknown: the service may have accepted the request, and the task did not appear within two minutes.
    """

    def find(deadline: Deadline | None) -> BatchTask | None:
        if deadline is not None:  # after a request of this run, before which no other task was found
            return find_task(client, inputs, deadline=deadline)
        found, rival = find_task_or_rival(client, inputs)
        if found is None and rival is not None:
            raise _devices_held(rival, inputs)
        return found

    return create_once(
        context,
        client.connection.identity,
        Creation(
            kind="upgrade task",
            name=f"upgrade task {sanitize(inputs['task_name'])}",
            key=("task", inputs["task_name"]),
            find=find,
            create=lambda: client.create_batch_task(new_task(inputs)),
            select=lambda task: _require_adoptable(context, inputs, task),
            id_of=lambda task: task.task_id,
            describe=_describe_adopted,
            advice=f"declare it once, or set other {argument('triggers')} in one of them",
        ),
    )


def _describe_adopted(task: BatchTask) -> str:
    """Describe an adopted task. If it has failed, it is not started again."""
    failed = f"; it has failed: change {argument('triggers')} to start a new one" if task.status in RETRYABLE else ""
    return f"{described(task)}{failed}"


def _require_adoptable(context: ResourceContext, inputs: Properties, task: BatchTask) -> BatchTask:
    within = inputs.get("adopt_within", schema.ADOPT_WITHIN.default)
    problem = ""
    if differing := disagreements(task, inputs):
        problem = f"with other inputs: {'; '.join(differing)}"
    elif task.status in STOPPED:
        problem = "and was stopped"
    elif not is_running(task) and not _is_recent(context, task, parse_duration("adopt_within", within)):
        problem = f"and ended; it is older than {argument('adopt_within', within)}"
    if not problem:
        return task
    facts = [
        ("found", f"{described(task)}, created {sanitize(task.create_time or 'at an unknown time')}"),
        ("fix", f"{NEW_TASK}; or {delete_task(task.task_id, is_running=is_running(task))}"),
    ]
    raise IotdaOtaError(f"upgrade task {sanitize(task.task_name)} exists already {problem}", facts=facts)


def _is_recent(context: ResourceContext, task: BatchTask, seconds: float) -> bool:
    created = read_service_time(task.create_time or "")
    # A time that cannot be read may be old, and a task that is not recent is an error instead of a silent adoption.
    return created is not None and (context.clock.now() - created).total_seconds() <= seconds


def _devices_held(rival: BatchTask, inputs: Properties) -> InputError:
    """Return the error of a task whose devices a running task of the same resource has: each device would fail.

    The engine compares nothing if a replacement is forced or the resource has another name. So no earlier call could
    refuse the change, and the engine would delete the running task next.
    """
    fix = (
        f"wait for the end of the running task; or set {argument('replace_running', True)} and run pulumi up without "
        "--replace, --target-replace and pulumi state taint; if the resource was renamed, give it aliases"
    )
    facts = [
        ("found", f"{sanitize(rival.task_name)}, {described(rival)}"),
        ("cause", "the service refuses a device that another running task has"),
        ("fix", fix),
    ]
    name = sanitize(inputs["task_name"])
    return InputError(f"upgrade task {name} is not created: a task with the same devices still runs", facts=facts)
