"""What the commands of `task` do that only read: `list` and `get`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.cli.connect import service
from pulumi_iotda_ota.cli.options import MOST_LISTED
from pulumi_iotda_ota.cli.session import safe
from pulumi_iotda_ota.cli.task_names import newest_first, task_id_of
from pulumi_iotda_ota.iotda.limits import TASK_TYPE
from pulumi_iotda_ota.iotda.models import UnreadableRecord, rfc3339
from pulumi_iotda_ota.iotda.sanitize import plural
from pulumi_iotda_ota.lifecycle.polling import progress_of
from pulumi_iotda_ota.lifecycle.thresholds import DeviceCounts
from pulumi_iotda_ota.lifecycle.upgrade_task.naming import ENDED
from pulumi_iotda_ota.lifecycle.upgrade_task.read import is_running
from pulumi_iotda_ota.lookup.query import UpgradeTaskLookup
from pulumi_iotda_ota.lookup.tasks import find_upgrade_task
from pulumi_iotda_ota.schema.validation import require_valid
from pulumi_iotda_ota.serialization import task_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi_iotda_ota.cli.connect import Service
    from pulumi_iotda_ota.cli.options import CommandInput
    from pulumi_iotda_ota.cli.session import Session
    from pulumi_iotda_ota.iotda.models import BatchTask, TaskSummary
    from pulumi_iotda_ota.lookup.tasks import FoundTask
    from pulumi_iotda_ota.schema import Argument

_COLUMNS = ("done", "failed", "status", "type", "created", "task_id", "task_name")
_DEVICE = ("status", "target", "error_code", "error_msg")
_MINUTE = len("2027-01-15T08:10")


def list_all(command_input: CommandInput, table: Sequence[Argument]) -> None:
    """List tasks."""
    require_valid(table, command_input.values)
    wanted, session = command_input.values["task_type"], command_input.session
    with service(command_input) as connected:
        listed = [_of(connected, type_, command_input) for type_ in ([wanted] if wanted else TASK_TYPE.options)]
    most = _most(command_input)
    found = [(type_, task) for type_, tasks, _ in listed for task in tasks[:most]]
    if command_input.as_json:
        session.json({"result": [_values(type_, task) for type_, task in found]})
    elif not found:
        session.note(_nothing(command_input))
    else:
        if session.is_terminal(session.out):
            session.note(plural(len(found), "upgrade task"))
        session.rows([_row(session, type_, task) for type_, task in found], header=_COLUMNS)
        if any(len(tasks) > most for _, tasks, _ in listed):
            session.note(f"the newest {most:,} of each type: --max-items lists more")
    session.note_skipped("task", [str(one) for *_, unreadable in listed for one in unreadable])


def _most(command_input: CommandInput) -> int:
    return command_input.values["max_items"] or MOST_LISTED


def _of(
    connected: Service, type_: str, command_input: CommandInput
) -> tuple[str, list[TaskSummary], list[UnreadableRecord]]:
    """Return the newest tasks of a type, one more than is listed if there are more, and the unreadable records."""
    found: list[TaskSummary] = []
    unreadable: list[UnreadableRecord] = []
    for task in newest_first(connected, type_, command_input.values["app_id"], command_input.values["status"]):
        if isinstance(task, UnreadableRecord):
            unreadable.append(task)
            continue
        found.append(task)
        if len(found) > _most(command_input):
            break
    return type_, found, unreadable


def _values(type_: str, task: TaskSummary) -> dict[str, Any]:
    """Return a task as programs read it."""
    return {
        "task_id": task.task_id,
        "task_name": task.task_name,
        "status": task.status,
        "task_type": type_,
        "create_time": task.create_time,
        "progress": task.task_progress.model_dump() if task.task_progress else None,
    }


def _row(session: Session, type_: str, task: TaskSummary) -> list[str]:
    """Return the cells of a task; for a person, the type is one word and the time ends at the minute."""
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


def _nothing(command_input: CommandInput) -> str:
    """Return that there is no task, and what to do."""
    given = [f"--{name.replace('_', '-')}" for name in ("task_type", "app_id", "status") if command_input.values[name]]
    if given:
        return f"no upgrade task matches; list more without {' and '.join(given)}"
    return "no upgrade tasks in this project; to see which project and instance were read, run: iotda-ota doctor"


def found_task(connected: Service, task_id: str) -> FoundTask:
    """Return the task that a command is about, with its failed devices."""
    return find_upgrade_task(
        connected.run, connected.connection, UpgradeTaskLookup.from_arguments({"task_id": task_id})
    )


def get_task(command_input: CommandInput, table: Sequence[Argument]) -> None:
    """Print a task."""
    require_valid(table, command_input.values)
    with service(command_input) as connected:
        found = found_task(connected, task_id_of(command_input, connected))
    values, session = task_values(found), command_input.session
    if command_input.as_json:
        session.json({"result": values})
    elif command_input.flags["field"]:
        session.line(safe(values.get(command_input.flags["field"])))
    else:
        apart = ("id", "failed_devices", "skipped_devices", "progress")
        shown = {name: value for name, value in values.items() if name not in apart}
        session.rows([("progress", progress_of(found.task)), *shown.items()])
        print_failing(session, values["failed_devices"], found.task)
    session.note_skipped("device", [str(one) for one in found.unreadable])


def print_failing(session: Session, devices: Sequence[Mapping[str, Any]], task: BatchTask) -> None:
    """Print the devices that failed, and why; and that there are more, if there are."""
    if devices:
        session.line()
        session.rows([[device.get(name) for name in _DEVICE] for device in devices], header=_DEVICE)
    failed = DeviceCounts.of(task, ended=not is_running(task)).failed
    if failed > len(devices) > 0:
        session.note(f"the first {len(devices):,} of {failed:,} that failed")
