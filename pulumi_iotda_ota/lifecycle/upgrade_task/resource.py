"""UpgradeTask: the campaign that installs packages on devices. Creates it once, never waits for its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.lifecycle.base import Checked, Created, Diff, Imported, collecting, declared, holds_unknown
from pulumi_iotda_ota.lifecycle.identity import require_same_place
from pulumi_iotda_ota.lifecycle.importing import (
    found,
    inputs_of_task,
    own,
    still_unread,
    told_unread,
    unread_inputs,
)
from pulumi_iotda_ota.lifecycle.run_state import Thing
from pulumi_iotda_ota.lifecycle.upgrade_task.changes import require_may_replace, require_may_store
from pulumi_iotda_ota.lifecycle.upgrade_task.create import create_task_once
from pulumi_iotda_ota.lifecycle.upgrade_task.naming import CAMPAIGN_INPUTS, changed_inputs, task_name
from pulumi_iotda_ota.lifecycle.upgrade_task.preflight import prepare_create
from pulumi_iotda_ota.lifecycle.upgrade_task.read import outputs_of, show_task
from pulumi_iotda_ota.lifecycle.upgrade_task.stop import delete_task, stop_task
from pulumi_iotda_ota.lifecycle.upgrade_task.validation import problems_of_task
from pulumi_iotda_ota.schema.validation import Problem, normal

if TYPE_CHECKING:
    from pulumi_iotda_ota.lifecycle.base import Properties, ResourceContext

_GONE = "Gone"
# These can be unknown at a preview that makes sure of all that is sent.
_NOT_SENT = ("on_destroy", "adopt_within")


class UpgradeTask:
    """The life cycle of an upgrade task."""

    input_names: ClassVar = (*(argument.name for argument in schema.UPGRADE_TASK), "connection", "scope")

    @staticmethod
    def check(context: ResourceContext, olds: Properties, news: Properties) -> Checked:
        """Check the inputs; what needs the service is asked only when a task is about to be created.

        An unchanged campaign sends nothing, so that a stack of last year still previews.
        """
        olds, news = (declared(schema.UPGRADE_TASK, values) for values in (olds, news))
        inputs = {name: news[name] for name in UpgradeTask.input_names if name in news}
        problems = problems_of_task(inputs)
        if olds.get("task_name") and not changed_inputs(olds, inputs):
            return _unchanged(context, olds, inputs, problems)
        if not problems and _is_known(inputs):
            with collecting(problems):
                inputs = prepare_create(context, olds, inputs)
        return Checked(inputs, problems)

    @staticmethod
    def diff(context: ResourceContext, id_: str, olds: Properties, news: Properties) -> Diff:
        """Return whether the change is a new campaign, or alters the stored state only.

        Raises:
            IotdaOtaError: the task may not be replaced, or an input that the service reads once has changed.
        """
        olds, news = (declared(schema.UPGRADE_TASK, values) for values in (olds, news))
        replaces = changed_inputs(olds, news)
        if replaces and not holds_unknown(news.get("connection")):
            require_same_place(olds, context.resolve(news), thing=f"upgrade task {id_}")
        if replaces and "task_name" in news:
            context.run_state.uncompared.pop(news["task_name"], None)
            # If this depends on a replaced resource, its inputs are not known yet.
            if _is_known(news):
                require_may_replace(context, id_, olds, news)
        elif not replaces:
            require_may_store(context, id_, olds, news)
        thing = Thing.at(olds.get("identity") or {}, id_)
        context.run_state.compared(thing, olds.get("task_name"), replaces=bool(replaces))
        others = (name for name in UpgradeTask.input_names if name not in CAMPAIGN_INPUTS)
        changes = bool(replaces) or any(olds.get(name) != news.get(name) for name in (*others, "unread_inputs"))
        # Deleted first, it would take the tasks that depend on it along before anybody asked whether they run. What
        # does not run needs no deleting before the next.
        return Diff(changes=changes, replaces=replaces, delete_first=bool(news.get("replace_running")))

    @staticmethod
    def create(context: ResourceContext, inputs: Properties) -> Created:
        """Create the task, or take over the one that an interrupted run left."""
        inputs = normal(inputs)
        connection = context.resolve(inputs)
        task = create_task_once(context, context.run.client(connection), inputs)
        return Created(task.task_id, {**inputs, **outputs_of(task), "identity": dict(connection.identity)})

    @staticmethod
    def read(context: ResourceContext, id_: str, state: Properties) -> Properties:
        """Return the task as it is now; one that is gone has the status ``Gone`` and starts nothing."""
        state = normal(state)
        connection = context.resolve(state)
        task = show_task(context.run.client(connection), id_, state)
        if task is None:
            return {**state, "status": _GONE}
        return {**state, **outputs_of(task), "identity": dict(connection.identity)}

    @staticmethod
    def imported(context: ResourceContext, id_: str, *, owned: bool) -> Imported:
        """Return an existing upgrade task as a resource. It keeps its name."""
        connection = context.resolve({})
        client = context.run.client(connection)
        thing = f"upgrade task {id_}"
        task = found(lambda: client.show_batch_task(id_), connection, thing=thing, command="iotda-ota task list")
        given = inputs_of_task(task)
        unread = unread_inputs(given)
        inputs = {**given, "task_name": task.task_name, "unread_inputs": unread}
        if owned:
            own(context, connection, id_, thing=thing)
            if missing := told_unread(unread):
                context.warn(
                    f"IoTDA does not return the {missing} of {thing}: what the program declares is not compared"
                )
        return Imported(inputs, {**inputs, **outputs_of(task), "identity": dict(connection.identity)})

    @staticmethod
    def update(context: ResourceContext, id_: str, olds: Properties, news: Properties) -> Properties:
        """Return the state under the new inputs; nothing is sent but to make sure of another connection."""
        olds, news = normal(olds), normal(news)
        kept = {name: value for name, value in olds.items() if name not in UpgradeTask.input_names}
        if olds.get("connection") != news.get("connection"):
            connection = context.resolve(news)
            show_task(context.run.client(connection), id_, olds)
            kept["identity"] = dict(connection.identity)
        return {**kept, **news}

    @staticmethod
    def delete(context: ResourceContext, id_: str, state: Properties) -> None:
        """Do what ``on_destroy`` says: ``stop`` what runs, ``delete`` it too, or ``retain`` it untouched."""
        action = state.get("on_destroy") or schema.ON_DESTROY.default
        if action == "retain":
            return
        thing = Thing.at(state.get("identity") or context.resolve(state).identity, id_)
        if context.run_state.owned_elsewhere(thing, action=f"upgrade task {id_} is not stopped"):
            # A replacement that was forced takes the same campaign over, and then deletes what it took it from: in
            # this run, or in a later one where this one fails on its way.
            context.warn(f"upgrade task {id_} is not stopped: another resource of the stack owns it now")
            return
        client = context.run.client(context.resolve(state))
        task = stop_task(context.clock, client, id_, state)
        if task is not None and action == "delete":
            delete_task(client, id_, state)


def _is_known(inputs: Properties) -> bool:
    """Return whether every input that a task is created from is known."""
    return not holds_unknown({name: value for name, value in inputs.items() if name not in _NOT_SENT})


def _unchanged(context: ResourceContext, olds: Properties, inputs: Properties, problems: list[Problem]) -> Checked:
    """Return the inputs of a campaign that is there; what was good enough when it was created is not judged again."""
    if not problems and not holds_unknown(inputs):
        context.run_state.names[task_name(inputs)] = olds["task_name"]
        context.run_state.keep(olds["task_name"])
    wanted = inputs.get("task_type", olds["task_type"])
    told = [problem for problem in problems if olds.get(problem.argument) != inputs.get(problem.argument)]
    if wanted != olds["task_type"] and not told:
        reason = f"is {wanted}, but the task is a {olds['task_type']}: remove it, or change {argument('triggers')} too"
        told.append(Problem("task_type", reason))
    kept = {"task_name": olds["task_name"], "task_type": olds["task_type"], **still_unread(olds, inputs)}
    return Checked({**inputs, **kept}, told)
