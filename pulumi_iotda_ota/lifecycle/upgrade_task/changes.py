"""Which changes of inputs a task that exists allows. The task is read by its id: a list can have a new task late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.models import read_service_time
from pulumi_iotda_ota.iotda.references import argument, arguments
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lifecycle.polling import awaits_confirmation
from pulumi_iotda_ota.lifecycle.thresholds import DeviceCounts
from pulumi_iotda_ota.lifecycle.upgrade_task.naming import changed_inputs, changed_once
from pulumi_iotda_ota.lifecycle.upgrade_task.tasks import described, find_task, is_running, read_task
from pulumi_iotda_ota.schema.argument import named

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import BatchTask
    from pulumi_iotda_ota.lifecycle.base import Properties, ResourceContext

_NOTED = named(schema.UPGRADE_TASK, "noted")


def require_may_replace(context: ResourceContext, id_: str | None, olds: Properties, inputs: Properties) -> None:
    """Refuse to replace a task that runs, or to replace it by a task that has run before.

    Args:
        context: everything outside.
        id_: the task, or None if the engine does not send its id.
        olds: the stored state of the task; without an id its old inputs.
        inputs: the new inputs, with the name and type of the new task.

    Raises:
        InputError: the replacement is refused.
    """
    changed = ", ".join(map(argument, changed_inputs(olds, inputs)))
    client = _client_of(context, olds)
    old = read_task(client, id_, olds) if id_ else find_task(client, olds)
    if old is not None and is_running(old) and not inputs.get("replace_running"):
        waits = awaits_confirmation(old, DeviceCounts.of(old, ended=False))
        ends = "it waits to be confirmed: confirm it" if waits else "wait for its end"
        facts = [
            ("found", described(old)),
            ("fix", f"{ends}; or set {argument('replace_running', True)} to stop it for the new one"),
        ]
        headline = f"a change of {changed} starts a new upgrade task, but {sanitize(old.task_name)} is still running"
        raise InputError(headline, facts=facts)
    earlier = find_task(_client_of(context, inputs), inputs)
    if earlier is not None and not is_running(earlier) and _is_not_after(earlier, old):
        # Creation would adopt it as the task of an interrupted run, and the devices would stay as they are.
        facts = [
            ("found", f"{described(earlier)}, created {sanitize(earlier.create_time or '')}"),
            ("fix", f"change {argument('triggers')} too, to run it again"),
        ]
        raise InputError(f"a change of {changed} returns to an upgrade task that has run before", facts=facts)


def require_may_store(context: ResourceContext, id_: str, olds: Properties, news: Properties) -> None:
    """Refuse a change of an input that the service reads once until the task has ended. After that, warn.

    Raises:
        InputError: an input that the service reads once has changed, and the task has not ended.
    """
    once = changed_once(olds, news)
    state = "exists already"
    if once:
        task = read_task(_client_of(context, olds), id_, olds)
        if task is not None and is_running(task):
            raise _read_before(task, once, olds, news)
        state = "is gone" if task is None else "has ended"
    noted = [*once, *(name for name in _NOTED if olds.get(name) != news.get(name))]
    if noted:
        task_name = sanitize(str(olds.get("task_name", id_)))
        context.warn(
            f"upgrade task {task_name} {state}, so a change of {_joined(noted)} has no effect on it; "
            f"to create a new task with it, change {argument('triggers')} too"
        )


def _read_before(task: BatchTask, once: Iterable[str], olds: Properties, news: Properties) -> InputError:
    before = {name: olds[name] for name in once if olds.get(name) is not None}
    added = [name for name in once if name not in before]
    back = ", ".join(argument(name, value) for name, value in before.items())
    undo = " and ".join(
        filter(None, [f"set {back} again" if back else "", f"remove {_joined(added)}" if added else ""])
    )
    replace = (
        f"change {argument('triggers')} and set {argument('replace_running', True)}: a new task then replaces this one"
    )
    facts = [
        ("requested", arguments({name: news.get(name) for name in once})),
        ("found", f"{described(task)}, created with {arguments({name: olds.get(name) for name in once})}"),
        ("cause", "the service reads this only when it creates a task"),
        ("fix", f"{undo}; or {replace}"),
    ]
    headline = f"{_joined(once)} cannot change: upgrade task {sanitize(task.task_name)} has not ended"
    return InputError(headline, facts=facts)


def _client_of(context: ResourceContext, properties: Properties) -> Client:
    return context.run.client(context.resolve(properties))


def _joined(names: Iterable[str]) -> str:
    *first, last = map(argument, names)
    return f"{', '.join(first)} and {last}" if first else last


def _is_not_after(task: BatchTask, other: BatchTask | None) -> bool:
    if other is None:
        return True  # without the old task the order is not known, and an adoption would leave the devices as they are
    first, second = (read_service_time(one.create_time or "") for one in (task, other))
    # If a time cannot be read, create_once still decides whether the task may be adopted.
    return first is not None and second is not None and first <= second
