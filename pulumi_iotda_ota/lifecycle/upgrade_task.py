"""UpgradeTask: the campaign that installs packages on devices. Creates it once, never waits for its end."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from pulumi_iotda_ota import arguments
from pulumi_iotda_ota.arguments import Problem
from pulumi_iotda_ota.iotda import limits
from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError, ServiceError
from pulumi_iotda_ota.iotda.text import printable
from pulumi_iotda_ota.lifecycle.base import Checked, Created, Diff, collecting, holds_unknown, other_identity, whole
from pulumi_iotda_ota.lifecycle.campaign import CAMPAIGN_INPUTS, RUNNING, TASK_TYPES, changed_inputs, task_name
from pulumi_iotda_ota.lifecycle.durations import parse_duration, parse_time
from pulumi_iotda_ota.lifecycle.once import create_once, find_task

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.connection import ResolvedConnection
    from pulumi_iotda_ota.iotda.models import BatchTask
    from pulumi_iotda_ota.lifecycle.base import Properties, World

__all__ = ["UpgradeTask"]

_NOT_FOUND = 404
_GONE = "Gone"
_STOP_WITHIN_SECONDS = 300
_STOP_POLL_SECONDS = 1
_SCHEDULE_AHEAD = timedelta(days=7)
_FROM_CHECK = ("task_name", "task_type")


class UpgradeTask:
    """The life cycle of an upgrade task."""

    input_names: ClassVar = (*(argument.name for argument in arguments.UPGRADE_TASK), "connection", "scope")

    @staticmethod
    def check(world: World, olds: Properties, news: Properties) -> Checked:
        """Check the inputs; what needs the service is asked only when a task is about to be created.

        An unchanged campaign sends nothing, so that a stack of last year still previews.
        """
        olds, inputs = whole(olds), whole({name: news[name] for name in UpgradeTask.input_names if name in news})
        problems = [
            problem
            for problem in arguments.problems(arguments.UPGRADE_TASK, inputs)
            if not holds_unknown(inputs.get(problem.argument))
        ]
        problems += _rules_over_several(inputs)
        campaign = [inputs.get(name) for name in (*CAMPAIGN_INPUTS, "task_type")]
        if problems or holds_unknown(campaign):
            return Checked(inputs, problems)
        if olds.get("task_name") and not changed_inputs(olds, inputs):
            return Checked({**inputs, **{name: olds[name] for name in _FROM_CHECK}})
        with collecting(problems):
            inputs |= _about_to_be_created(world, olds, inputs)
        return Checked(inputs, problems)

    @staticmethod
    def diff(world: World, id_: str, olds: Properties, news: Properties) -> Diff:  # noqa: ARG004
        """Return whether the change is a new campaign, or alters the stored state only."""
        olds, news = whole(olds), whole(news)
        replaces = changed_inputs(olds, news)
        others = any(
            olds.get(name) != news.get(name) for name in UpgradeTask.input_names if name not in CAMPAIGN_INPUTS
        )
        return Diff(changes=bool(replaces) or others, replaces=replaces)

    @staticmethod
    def create(world: World, inputs: Properties) -> Created:
        """Create the task, or take over the one that an interrupted run left."""
        inputs = whole(inputs)
        connection = world.resolve(inputs)
        task = create_once(world, world.run.client(connection), inputs)
        return Created(task.task_id, {**inputs, **_outputs(task), "identity": dict(connection.identity)})

    @staticmethod
    def read(world: World, id_: str, state: Properties) -> Properties:
        """Return the task as it is now; one that is gone has the status ``Gone`` and starts nothing."""
        connection = world.resolve(state)
        task = _show(world.run.client(connection), id_, state, connection)
        return {**state, **(_outputs(task) if task else {"status": _GONE})}

    @staticmethod
    def update(world: World, id_: str, olds: Properties, news: Properties) -> Properties:
        """Return the state under the new inputs; nothing is sent but to make sure of another connection."""
        olds, news = whole(olds), whole(news)
        kept = {name: value for name, value in olds.items() if name not in UpgradeTask.input_names}
        if olds.get("connection") != news.get("connection"):
            connection = world.resolve(news)
            _show(world.run.client(connection), id_, olds, connection)
            kept["identity"] = dict(connection.identity)
        return {**kept, **{name: value for name, value in news.items() if name not in _FROM_CHECK}}

    @staticmethod
    def delete(world: World, id_: str, state: Properties) -> None:
        """Do what ``on_destroy`` says: ``stop`` what runs, ``delete`` it too, or ``retain`` it untouched."""
        action = state.get("on_destroy") or "stop"
        if action == "retain":
            return
        connection = world.resolve(state)
        client = world.run.client(connection)
        task = _show(client, id_, state, connection)
        if task is not None and task.status in RUNNING:
            task = _stopped(world, client, task, state, connection)
        if task is not None and action == "delete":
            _delete(client, id_)


def _rules_over_several(inputs: Properties) -> list[Problem]:
    """Return what is wrong with arguments together; one that is not known yet is taken to be right."""
    problems: list[Problem] = []
    given = [name for name in ("targets", "group_ids") if inputs.get(name) is not None]
    if len(given) != 1:
        problems.append(Problem("targets", "and group_ids: give exactly one of them"))
    if (inputs.get("retry_count") is None) != (inputs.get("retry_interval") is None):
        problems.append(Problem("retry_count", "and retry_interval go together: give both or none"))
    packages = inputs.get("package_ids")
    single = inputs.get("document_key") == "package_id"
    if single and isinstance(packages, list) and len(packages) != 1:
        problems.append(Problem("document_key", "package_id takes exactly one package"))
    info = inputs.get("task_ext_info")
    if info is not None and not holds_unknown(info) and len(json.dumps(info)) > limits.MAX_TASK_EXT_INFO:
        problems.append(Problem("task_ext_info", f"is longer than {limits.MAX_TASK_EXT_INFO} characters as JSON"))
    for name, parse in (("adopt_within", parse_duration), ("schedule_time", parse_time)):
        if inputs.get(name) is not None and not holds_unknown(inputs[name]):
            problems += _unreadable(name, inputs[name], parse)
    return problems


def _unreadable(name: str, value: object, parse: Any) -> list[Problem]:
    try:
        parse(name, value)
    except InputError as error:
        return [Problem(name, error.headline.removeprefix(f"{name} "))]
    return []


def _about_to_be_created(world: World, olds: Properties, inputs: Properties) -> Properties:
    """Return what ``check`` adds to the inputs of a task that is due, after asking the service what it needs."""
    _require_schedule_ahead(world, inputs)
    connection = world.resolve(inputs)
    client = world.run.client(connection)
    task_type = _type_of_packages(client, inputs, connection)
    if olds.get("task_name"):
        _require_may_be_replaced(world, olds, inputs)
    return {"task_type": task_type, "task_name": task_name(inputs)}


def _require_schedule_ahead(world: World, inputs: Properties) -> None:
    if inputs.get("schedule_time") is None:
        return
    start, now = parse_time("schedule_time", inputs["schedule_time"]), world.clock.now()
    if start <= now:
        raise InputError(f"schedule_time {inputs['schedule_time']} has passed; leave it out to start at once")
    if start - now > _SCHEDULE_AHEAD:
        raise InputError(f"schedule_time {inputs['schedule_time']} is more than 7 days ahead")


def _type_of_packages(client: Client, inputs: Properties, connection: ResolvedConnection) -> str:
    """Return the type of task that the packages need, after making sure that they are there and fit together."""
    types = {package_id: _type_of(client, package_id, connection) for package_id in inputs["package_ids"]}
    if len(set(types.values())) > 1:
        found = ", ".join(f"{package_id} is a {printable(type_)}" for package_id, type_ in types.items())
        raise InputError(f"package_ids are of several types: {found}; make a task for each")
    package_type = next(iter(types.values()))
    fitting = TASK_TYPES.get(package_type)
    wanted = inputs.get("task_type") or fitting
    if wanted is None:
        raise InputError(f"task_type must be given: what fits a {printable(package_type)} is not known")
    if fitting not in (None, wanted):
        raise InputError(f"task_type {wanted} does not fit: the package is a {package_type}, which needs {fitting}")
    return str(wanted)


def _type_of(client: Client, package_id: str, connection: ResolvedConnection) -> str:
    try:
        return client.show_package(package_id).package_type
    except ServiceError as error:
        if error.status != _NOT_FOUND:
            raise
        facts = [("looked in", connection.described), ("what to do", "look the package up in the same place")]
        raise InputError(f"package_ids: there is no OTA package {package_id}", facts=facts) from error


def _require_may_be_replaced(world: World, olds: Properties, inputs: Properties) -> None:
    """Refuse, before anything is stopped, to replace a campaign that still runs."""
    if inputs.get("replace_running"):
        return
    task = find_task(world.run.client(world.resolve(olds)), olds)
    if task is not None and task.status in RUNNING:
        changed = ", ".join(changed_inputs(olds, inputs))
        facts = [
            ("running", f"task_id {printable(task.task_id)}, status {printable(task.status)}"),
            ("what to do", "wait for its end, or set replace_running=True to stop it for the new one"),
        ]
        raise InputError(f"a change of {changed} is a new campaign, and {task.task_name} still runs", facts=facts)


def _outputs(task: BatchTask) -> Properties:
    progress = task.task_progress.model_dump() if task.task_progress else {}
    return {
        "task_id": task.task_id,
        "task_name": task.task_name,
        "status": task.status,
        "status_desc": task.status_desc or "",
        "progress": progress,
        "create_time": task.create_time or "",
    }


def _show(client: Client, id_: str, state: Properties, connection: ResolvedConnection) -> BatchTask | None:
    """Return the task, or None where it is gone: not found in the place where it was created."""
    try:
        return client.show_batch_task(id_)
    except ServiceError as error:
        if error.status != _NOT_FOUND:
            raise
        differs = other_identity(state, connection)
        if not differs:
            return None
        facts = [
            ("differs", differs),
            ("what to do", "correct the connection; it is not the one that the task was created with"),
        ]
        raise IotdaOtaError(f"upgrade task {id_} is not where this connection looks", facts=facts) from error


def _stopped(
    world: World, client: Client, task: BatchTask, state: Properties, connection: ResolvedConnection
) -> BatchTask | None:
    """Stop a task and return it once it has stopped, or None where it is gone meanwhile."""
    try:
        client.stop_batch_task(task.task_id)
    except ServiceError:
        # A task that ended at the same moment can not be stopped and need not be.
        now = _show(client, task.task_id, state, connection)
        if now is not None and now.status in RUNNING and now.status != "Stopping":
            raise
        task_now = now
    else:
        task_now = task
        refused = None
    end = world.clock.monotonic() + _STOP_WITHIN_SECONDS
    while task_now is not None and task_now.status in RUNNING:
        if world.clock.monotonic() > end:
            raise IotdaOtaError(
                f"upgrade task {task.task_name} did not stop within {_STOP_WITHIN_SECONDS} seconds",
                facts=[("status", printable(task_now.status)), ("what to do", "run the command again")],
            ) from refused
        world.clock.sleep(_STOP_POLL_SECONDS)
        task_now = _show(client, task.task_id, state, connection)
    return task_now


def _delete(client: Client, id_: str) -> None:
    try:
        client.delete_batch_task(id_)
    except ServiceError as error:
        if error.status != _NOT_FOUND:  # gone already is what was wanted
            raise
