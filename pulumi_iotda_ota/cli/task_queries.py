"""What the commands of `task` do that only ask: `list` and `show`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.cli.connect import service
from pulumi_iotda_ota.cli.options import MOST_LISTED
from pulumi_iotda_ota.cli.session import safe
from pulumi_iotda_ota.iotda.limits import TASK_TYPE
from pulumi_iotda_ota.iotda.models import UnreadableRecord
from pulumi_iotda_ota.iotda.retry import Deadline
from pulumi_iotda_ota.lifecycle.polling import stands
from pulumi_iotda_ota.lifecycle.thresholds import DeviceCounts
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
    from pulumi_iotda_ota.iotda.models import BatchTask
    from pulumi_iotda_ota.lookup.tasks import FoundTask
    from pulumi_iotda_ota.schema import Argument

_COLUMNS = ("task_id", "task_name", "status", "task_type")
_DEVICE = ("target", "status", "error_code", "error_msg")


def list_all(command_input: CommandInput, table: Sequence[Argument]) -> None:
    """List tasks."""
    require_valid(table, command_input.values)
    wanted = command_input.values["task_type"]
    with service(command_input) as connected:
        listed = [_of(connected, type_, command_input) for type_ in ([wanted] if wanted else TASK_TYPE.options)]
    most = _most(command_input)
    found = [task for tasks, _ in listed for task in tasks[:most]]
    if command_input.as_json:
        command_input.session.json({"result": found})
    else:
        command_input.session.rows([[task[name] for name in _COLUMNS] for task in found], header=_COLUMNS)
        if any(len(tasks) > most for tasks, _ in listed):
            command_input.session.note(f"the newest {most:,} of each type: --max-items lists more")
    command_input.session.note_skipped("task", [str(one) for _, unreadable in listed for one in unreadable])


def _most(command_input: CommandInput) -> int:
    return command_input.values["max_items"] or MOST_LISTED


def _of(
    connected: Service, type_: str, command_input: CommandInput
) -> tuple[list[dict[str, str]], list[UnreadableRecord]]:
    """Return the newest tasks of a type, one more than is listed if there are more, and what cannot be judged."""
    deadline = Deadline.start(connected.run.clock, connected.connection.deadline)
    client = connected.run.client(connected.run.completed(connected.connection, deadline=deadline))
    values = command_input.values
    found: list[dict[str, str]] = []
    unreadable: list[UnreadableRecord] = []
    for task in client.list_batch_tasks(type_, values["app_id"], values["status"], deadline=deadline):
        if isinstance(task, UnreadableRecord):
            unreadable.append(task)
            continue
        found.append({"task_id": task.task_id, "task_name": task.task_name, "status": task.status, "task_type": type_})
        if len(found) > _most(command_input):
            break
    return found, unreadable


def found_task(command_input: CommandInput, connected: Service) -> FoundTask:
    """Return the task that a command is about, with its failing devices."""
    lookup = UpgradeTaskLookup.from_arguments({"task_id": command_input.values["task_id"]})
    return find_upgrade_task(connected.run, connected.connection, lookup)


def show_task(command_input: CommandInput) -> None:
    """Show a task."""
    with service(command_input) as connected:
        found = found_task(command_input, connected)
    values = task_values(found)
    if command_input.as_json:
        command_input.session.json({"result": values})
    elif command_input.flags["field"]:
        command_input.session.line(safe(values.get(command_input.flags["field"])))
    else:
        shown = {name: value for name, value in values.items() if name not in ("id", "failed_devices", "progress")}
        command_input.session.rows([*shown.items(), ("stands", stands(found.task))])
        print_failing(command_input.session, values["failed_devices"], found.task)
    command_input.session.note_skipped("device", [str(one) for one in found.unreadable])


def print_failing(session: Session, devices: Sequence[Mapping[str, Any]], task: BatchTask) -> None:
    """Print the devices that fail, and why; and that there are more, where there are."""
    if devices:
        session.line()
        session.rows([[device.get(name) for name in _DEVICE] for device in devices], header=_DEVICE)
    failed = DeviceCounts.of(task, ended=not is_running(task)).failed
    if failed > len(devices) > 0:
        session.note(f"the first {len(devices):,} of {failed:,} that failed")
