"""The functions of `task get` and `task list`, and how a command finds and prints a task."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.cli.commands import MOST_LISTED
from pulumi_iotda_ota.cli.connect import service
from pulumi_iotda_ota.cli.exit_codes import NoSuchTask, SeveralTasks
from pulumi_iotda_ota.cli.session import safe
from pulumi_iotda_ota.iotda.limits import TASK_ID, TASK_TYPE
from pulumi_iotda_ota.iotda.models import UnreadableRecord, rfc3339
from pulumi_iotda_ota.iotda.retry import Deadline
from pulumi_iotda_ota.iotda.sanitize import plural, sanitize
from pulumi_iotda_ota.lifecycle.polling import progress_of
from pulumi_iotda_ota.lifecycle.thresholds import DeviceCounts
from pulumi_iotda_ota.lifecycle.upgrade_task.naming import ENDED
from pulumi_iotda_ota.lifecycle.upgrade_task.read import is_running
from pulumi_iotda_ota.lookup.query import UpgradeTaskLookup
from pulumi_iotda_ota.lookup.tasks import find_upgrade_task
from pulumi_iotda_ota.message_rendering import option as long_option
from pulumi_iotda_ota.schema.validation import require_valid
from pulumi_iotda_ota.serialization import task_values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pulumi_iotda_ota.cli.connect import Service
    from pulumi_iotda_ota.cli.options import CommandInput
    from pulumi_iotda_ota.cli.session import Session
    from pulumi_iotda_ota.iotda.models import BatchTask, TaskSummary
    from pulumi_iotda_ota.lookup.tasks import FoundTask

_COLUMNS = ("done", "failed", "status", "type", "created", "task_id", "task_name")
_DEVICE = ("status", "target", "error_code", "error_msg")
_MINUTE = len("2027-01-15T08:10")
# The form of the ids of the service. A shorter id is allowed, and can also be a name.
_WHOLE_ID = re.compile(r"[0-9a-f]{24}")


def list_all(command_input: CommandInput) -> None:
    """List tasks."""
    require_valid(command_input.table, command_input.values)
    session, task_type = command_input.session, command_input.values["task_type"]
    most = command_input.values["max_items"] or MOST_LISTED
    found: list[tuple[str, TaskSummary]] = []
    unreadable: list[str] = []
    truncated = False
    with service(command_input) as connected:
        for type_ in [task_type] if task_type else TASK_TYPE.options:
            count = 0
            for task in _newest_first(connected, type_, command_input.values["app_id"], command_input.values["status"]):
                if isinstance(task, UnreadableRecord):
                    unreadable.append(str(task))
                elif count < most:
                    found.append((type_, task))
                    count += 1
                else:
                    truncated = True
                    break
    if command_input.as_json:
        session.json({"result": [_values(type_, task) for type_, task in found]})
    elif not found:
        session.note(_no_task(command_input))
    else:
        if session.is_terminal(session.out):
            session.note(plural(len(found), "upgrade task"))
        session.rows([_row(session, type_, task) for type_, task in found], header=_COLUMNS)
        if truncated:
            session.note(f"the newest {most:,} of each type: --max-items lists more")
    session.note_skipped("task", unreadable)


def get_task(command_input: CommandInput) -> None:
    """Print a task."""
    require_valid(command_input.table, command_input.values)
    with service(command_input) as connected:
        found = find_task(connected, task_id_of(command_input, connected))
    values, session = task_values(found), command_input.session
    if command_input.as_json:
        session.json({"result": values})
    elif command_input.flags["field"]:
        session.line(safe(values.get(command_input.flags["field"])))
    else:
        rows = [item for item in values.items() if item[0] not in ("id", "failed_devices", "progress")]
        session.rows([("progress", progress_of(found.task)), *rows])
        print_failed_devices(session, values["failed_devices"], found.task)
    session.note_skipped("device", [str(one) for one in found.unreadable])


def find_task(connected: Service, task_id: str) -> FoundTask:
    """Return a task with its failed devices."""
    return find_upgrade_task(
        connected.run, connected.connection, UpgradeTaskLookup.from_arguments({"task_id": task_id})
    )


def print_failed_devices(session: Session, devices: Sequence[Mapping[str, Any]], task: BatchTask) -> None:
    """Print the devices that failed, with the cause, and a note if there are more."""
    if devices:
        session.line()
        session.rows([[device.get(name) for name in _DEVICE] for device in devices], header=_DEVICE)
    failed = DeviceCounts.of(task, ended=not is_running(task)).failed
    if failed > len(devices) > 0:
        session.note(f"the first {len(devices):,} of {failed:,} failed devices")


def task_id_of(command_input: CommandInput, connected: Service) -> str:
    """Return the id of the task in the arguments, which have its id or its name. A whole id costs no request.

    Raises:
        NoSuchTask: no task has the name.
        SeveralTasks: several tasks have the name.
    """
    name: str = command_input.values["task"]
    if _WHOLE_ID.fullmatch(name):
        return name
    tasks = (task for type_ in TASK_TYPE.options for task in _newest_first(connected, type_))
    # A record with this name that cannot be judged here is read by its id next.
    found = [
        (task.id, str(task)) if isinstance(task, UnreadableRecord) else (task.task_id, _line(task))
        for task in tasks
        if (task.name if isinstance(task, UnreadableRecord) else task.task_name) == name
    ]
    if len(found) > 1:
        raise SeveralTasks(
            f"{len(found)} upgrade tasks are named {name}",
            facts=[
                ("found", "\n".join(line for _, line in found)),
                ("fix", "use the id of one of them instead of the name"),
            ],
        )
    if found and found[0][0]:
        return found[0][0]
    if TASK_ID.problem(name) is None:
        return name
    raise NoSuchTask(
        f"no upgrade task is named {name}",
        facts=[("endpoint", connected.connection.described), ("fix", "list the tasks: iotda-ota task list")],
    )


def _newest_first(
    connected: Service, type_: str, app_id: str | None = None, status: str | None = None
) -> Iterator[TaskSummary | UnreadableRecord]:
    """Yield the tasks of one type, and the records that cannot be judged. Pages are read when they are used."""
    deadline = Deadline.start(connected.run.clock, connected.connection.deadline)
    client = connected.run.client(connected.run.completed(connected.connection, deadline=deadline))
    yield from client.list_batch_tasks(type_, app_id, status, deadline=deadline)


def _line(task: TaskSummary) -> str:
    """Return one of several tasks, sanitized."""
    return f"{sanitize(task.task_id)}  {sanitize(task.status)}, created {sanitize(rfc3339(task.create_time or ''))}"


def _values(type_: str, task: TaskSummary) -> dict[str, Any]:
    """Return a task for the JSON output."""
    return {
        "task_id": task.task_id,
        "task_name": task.task_name,
        "status": task.status,
        "task_type": type_,
        "create_time": task.create_time,
        "progress": task.task_progress.model_dump() if task.task_progress else None,
    }


def _row(session: Session, type_: str, task: TaskSummary) -> list[str]:
    """Return the cells of a task. On a terminal the type is one word, and the time has minutes."""
    terminal = session.is_terminal(session.out)
    counts = DeviceCounts.of(task, ended=task.status in ENDED)
    known = task.task_progress is not None
    created = rfc3339(task.create_time or "")
    return [
        f"{counts.succeeded}/{counts.total}" if known else "",
        str(counts.failed) if known else "",
        task.status,
        type_.removesuffix("Upgrade") if terminal else type_,
        created[:_MINUTE] if terminal else created,
        task.task_id,
        task.task_name,
    ]


def _no_task(command_input: CommandInput) -> str:
    """Return that no task was found, with a fix."""
    filters = [long_option(name) for name in ("task_type", "app_id", "status") if command_input.values[name]]
    if filters:
        return f"no upgrade task matches; list more without {' and '.join(filters)}"
    return "no upgrade tasks in this project; to see which project and instance were read, run: iotda-ota doctor"
