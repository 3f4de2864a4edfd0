"""UpgradeTask: the task that installs packages on devices. It is created once, and the resource never waits for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.iotda import limits
from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.iotda.sanitize import quoted, sanitize
from pulumi_iotda_ota.lifecycle.base import (
    Checked,
    Created,
    Diff,
    Imported,
    collecting,
    declared,
    holds_unknown,
    known_problems,
)
from pulumi_iotda_ota.lifecycle.identity import (
    is_owned_elsewhere,
    own_imported,
    read_for_import,
    require_same_place,
    updated_state,
)
from pulumi_iotda_ota.lifecycle.run_state import Thing
from pulumi_iotda_ota.lifecycle.upgrade_task.changes import require_may_replace, require_may_store
from pulumi_iotda_ota.lifecycle.upgrade_task.create import create_task_once, prepare_create
from pulumi_iotda_ota.lifecycle.upgrade_task.naming import (
    POLICY,
    REPLACING_INPUTS,
    TASK_TYPES,
    changed_inputs,
    task_name,
)
from pulumi_iotda_ota.lifecycle.upgrade_task.tasks import delete_task, outputs_of, read_task, stop_task
from pulumi_iotda_ota.schema.validation import Problem, normal

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import BatchTask
    from pulumi_iotda_ota.lifecycle.base import Properties, ResourceContext

_GONE = "Gone"
# No request has these, so they can be unknown at a preview that checks everything else.
_NOT_SENT = ("on_destroy", "adopt_within")
_DEVICES = ("targets", "group_ids")
# IoTDA never returns ``app_id``. Some instances return no devices. It does not know ``triggers``: they are not set.
_MAY_BE_UNREAD = ("package_ids", "app_id", *_DEVICES)


class UpgradeTask:
    """The life cycle of an upgrade task."""

    input_names: ClassVar = (*(argument.name for argument in schema.UPGRADE_TASK), "connection", "scope")

    @staticmethod
    def problems(inputs: Properties) -> list[Problem]:
        """Return all problems of the inputs. An input that is not known yet has none, and counts as set."""
        info, packages = inputs.get("task_ext_info"), inputs.get("package_ids")
        found = {
            "targets": limits.problem_of_devices(targets="targets" in inputs, group_ids="group_ids" in inputs),
            "retry_count": limits.problem_of_retries(
                count="retry_count" in inputs, interval="retry_interval" in inputs
            ),
        }
        if inputs.get("document_key") == "package_id" and isinstance(packages, list) and len(packages) > 1:
            found["document_key"] = '"package_id" allows exactly one package'
        if isinstance(info, dict) and not holds_unknown(info):
            found["task_ext_info"] = limits.problem_of_task_ext_info(info)
        of_several = [Problem(name, problem) for name, problem in found.items() if problem]
        return [*known_problems(schema.UPGRADE_TASK, inputs), *of_several]

    @staticmethod
    def check(context: ResourceContext, olds: Properties, news: Properties) -> Checked:
        """Check the inputs. Requests are sent only if a task is about to be created.

        So a stack whose old task has ended, or whose packages are deleted, still previews.
        """
        olds, news = (declared(schema.UPGRADE_TASK, values) for values in (olds, news))
        inputs = {name: news[name] for name in UpgradeTask.input_names if name in news}
        problems = UpgradeTask.problems(inputs)
        if olds.get("task_name") and not changed_inputs(olds, inputs):
            return _unchanged(context, olds, inputs, problems)
        if not problems and _is_known(inputs):
            with collecting(problems):
                inputs = prepare_create(context, olds, inputs)
        return Checked(inputs, problems)

    @staticmethod
    def diff(context: ResourceContext, id_: str, olds: Properties, news: Properties) -> Diff:
        """Return whether the change needs a new task, or only changes the stored state.

        Raises:
            IotdaOtaError: the task must not be replaced, or an input that the service reads once has changed.
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
        others = (name for name in UpgradeTask.input_names if name not in REPLACING_INPUTS)
        changes = bool(replaces) or any(olds.get(name) != news.get(name) for name in (*others, "unread_inputs"))
        # If it is deleted first, the engine deletes the tasks that depend on it before it is checked whether they run.
        # So that happens only with replace_running. A task that does not run need not be deleted before the next one.
        return Diff(changes=changes, replaces=replaces, delete_first=bool(news.get("replace_running")))

    @staticmethod
    def create(context: ResourceContext, inputs: Properties) -> Created:
        """Create the task, or adopt the one that an interrupted run created."""
        inputs = normal(inputs)
        client = context.run.client(context.resolve(inputs))
        task = create_task_once(context, client, inputs)
        return Created(task.task_id, _state(client, task, inputs))

    @staticmethod
    def read(context: ResourceContext, id_: str, state: Properties) -> Properties:
        """Return the task as it is now. A task that is gone has the status ``Gone`` and is not created again."""
        state = normal(state)
        client = context.run.client(context.resolve(state))
        task = read_task(client, id_, state)
        return {**state, "status": _GONE} if task is None else _state(client, task, state)

    @staticmethod
    def imported(context: ResourceContext, id_: str, *, owned: bool) -> Imported:
        """Return an existing upgrade task as a resource. It keeps its name."""
        connection = context.resolve({})
        client = context.run.client(connection)
        thing, command = f"upgrade task {id_}", "iotda-ota task list"
        task = read_for_import(lambda: client.show_batch_task(id_), connection, thing=thing, command=command)
        known = _inputs_of(task)
        # Their first value in the program is stored without a comparison. If any other input is missing, the task was
        # created without it.
        unread = _without_devices([name for name in _MAY_BE_UNREAD if name not in known], known)
        inputs = {**known, "task_name": task.task_name, "unread_inputs": unread}
        if owned:
            own_imported(context, connection, id_, thing=thing)
            missing = [
                word for word, name in {"packages": "package_ids", "devices": "targets"}.items() if name in unread
            ]
            if missing:
                context.warn(
                    f"IoTDA does not return the {' and '.join(missing)} of {thing}: what the program declares is not "
                    "compared"
                )
        return Imported(inputs, _state(client, task, inputs))

    @staticmethod
    def update(context: ResourceContext, id_: str, olds: Properties, news: Properties) -> Properties:
        """Return the state under the new inputs. A request is sent only if the connection changed."""
        olds, news = normal(olds), normal(news)
        kept = {name: value for name, value in olds.items() if name not in UpgradeTask.input_names}
        return updated_state(
            context,
            olds,
            news,
            kept=kept,
            require=lambda connection: read_task(context.run.client(connection), id_, olds),
        )

    @staticmethod
    def delete(context: ResourceContext, id_: str, state: Properties) -> None:
        """Do what ``on_destroy`` says: ``stop`` a running task, also ``delete`` it, or ``retain`` it unchanged."""
        action = state.get("on_destroy") or schema.ON_DESTROY.default
        if action == "retain" or is_owned_elsewhere(context, id_, state, thing=f"upgrade task {id_}", action="stopped"):
            return
        client = context.run.client(context.resolve(state))
        task = stop_task(context.clock, client, id_, state)
        if task is not None and action == "delete":
            delete_task(client, id_, state)


def _state(client: Client, task: BatchTask, properties: Properties) -> Properties:
    """Return the state of a task: its inputs, or its state before, and the outputs."""
    return {**properties, **outputs_of(task), "identity": dict(client.connection.identity)}


def _is_known(inputs: Properties) -> bool:
    """Return whether every input that a task is created from is known."""
    return not holds_unknown({name: value for name, value in inputs.items() if name not in _NOT_SENT})


def _unchanged(context: ResourceContext, olds: Properties, inputs: Properties, problems: list[Problem]) -> Checked:
    """Return the inputs of a task that exists. Inputs that were valid when it was created are not judged again."""
    if not problems and not holds_unknown(inputs):
        context.run_state.names[task_name(inputs)] = olds["task_name"]
        context.run_state.keep(olds["task_name"])
    wanted = inputs.get("task_type", olds["task_type"])
    new = [problem for problem in problems if olds.get(problem.argument) != inputs.get(problem.argument)]
    if wanted != olds["task_type"] and not new:
        reason = f"is {wanted}, but the task is a {olds['task_type']}: remove it, or change {argument('triggers')} too"
        new.append(Problem("task_type", reason))
    kept = {name: olds[name] for name in ("task_name", "task_type")}
    if "unread_inputs" in olds:  # the task was imported, and the program may not declare all of its inputs yet
        unread = [name for name in olds["unread_inputs"] if name not in inputs]
        kept["unread_inputs"] = _without_devices(unread, inputs)
    return Checked({**inputs, **kept}, new)


def _without_devices(names: list[str], known: Properties) -> list[str]:
    # A task has targets or group_ids, so if one is known, the other is not missing.
    return [name for name in names if name not in _DEVICES or not {*_DEVICES} & {*known}]


def _inputs_of(task: BatchTask) -> Properties:
    """Return the inputs that declare an existing task, as far as the service returns them.

    The stack did not start the task, so ``on_destroy`` is ``retain``: a destroy does not stop it.

    Raises:
        InputError: it is not an upgrade task.
    """
    if task.task_type not in TASK_TYPES.values():
        headline = f"task {sanitize(task.task_id)} is not an upgrade task: its type is {quoted(task.task_type)}"
        fix = f"pass the id of a task of one of these types: {', '.join(TASK_TYPES.values())}"
        raise InputError(headline, facts=[("fix", fix)])
    policy = task.task_policy or {}
    inputs = {
        "package_ids": list(task.package_ids or ()),
        "targets": list(task.targets or ()),
        "group_ids": list((task.targets_filter or {}).get("group_ids") or ()),
        "task_type": task.task_type,
        **{name: policy.get(name) for name in POLICY},
        "need_confirm": task.need_confirm,
        "task_mode": task.task_mode,
        "task_ext_info": task.task_ext_info,
        "on_destroy": "retain",
    }
    # A retry_interval of 0 is a value. Any other empty value means that the input is not set.
    return {name: value for name, value in inputs.items() if value or (value == 0 and value is not False)}
