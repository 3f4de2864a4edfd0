"""Finds the task that a command names, by its id or by the name that lists and logs show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pulumi_iotda_ota.cli.exit_codes import NoSuchTask, SeveralTasks
from pulumi_iotda_ota.iotda.limits import TASK_ID, TASK_TYPE
from pulumi_iotda_ota.iotda.models import UnreadableRecord, rfc3339
from pulumi_iotda_ota.iotda.retry import Deadline
from pulumi_iotda_ota.iotda.sanitize import sanitize

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_iotda_ota.cli.connect import Service
    from pulumi_iotda_ota.cli.options import CommandInput
    from pulumi_iotda_ota.iotda.models import TaskSummary

# As the service makes ids. A shorter one is allowed, and can be a name as well.
_WHOLE_ID = re.compile(r"[0-9a-f]{24}")


def newest_first(
    connected: Service, type_: str, app_id: str | None = None, status: str | None = None
) -> Iterator[TaskSummary | UnreadableRecord]:
    """Yield the tasks of one type, and the records that cannot be judged, page by page as they are used."""
    deadline = Deadline.start(connected.run.clock, connected.connection.deadline)
    client = connected.run.client(connected.run.completed(connected.connection, deadline=deadline))
    yield from client.list_batch_tasks(type_, app_id, status, deadline=deadline)


def task_id_of(command_input: CommandInput, connected: Service) -> str:
    """Return the id of the task that a command names. A whole id costs no request.

    Raises:
        NoSuchTask: no task has the name.
        SeveralTasks: several tasks have the name.
    """
    given: str = command_input.values["task"]
    if _WHOLE_ID.fullmatch(given):
        return given
    tasks = (task for type_ in TASK_TYPE.options for task in newest_first(connected, type_))
    # A record that cannot be judged and has the name is read by its id next.
    found = [
        (task.id, str(task)) if isinstance(task, UnreadableRecord) else (task.task_id, _line(task))
        for task in tasks
        if (task.name if isinstance(task, UnreadableRecord) else task.task_name) == given
    ]
    if len(found) > 1:
        listed = [line for _, line in found]
        raise SeveralTasks(
            f"{len(found)} upgrade tasks are named {given}",
            facts=[("found", "\n".join(listed)), ("fix", "give the id of one of them instead of the name")],
        )
    if found and found[0][0]:
        return found[0][0]
    if TASK_ID.problem(given) is None:
        return given
    raise NoSuchTask(
        f"no upgrade task is named {given}",
        facts=[("endpoint", connected.connection.described), ("fix", "list the tasks: iotda-ota task list")],
    )


def _line(task: TaskSummary) -> str:
    """Return one of several tasks, safe to print."""
    return f"{sanitize(task.task_id)}  {sanitize(task.status)}, created {sanitize(rfc3339(task.create_time or ''))}"
