"""What `task watch` does: waits as an UpgradeTaskCompletion does, by the same rules, and shows how it goes on."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.cli.connect import resource_context, service
from pulumi_iotda_ota.cli.error_output import Interrupted
from pulumi_iotda_ota.cli.task_names import task_id_of
from pulumi_iotda_ota.cli.task_queries import found_task, print_failing
from pulumi_iotda_ota.errors import UpgradeTaskFailed
from pulumi_iotda_ota.iotda.errors import IotdaOtaError
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lifecycle.completion import Completion
from pulumi_iotda_ota.lifecycle.polling import progress_of
from pulumi_iotda_ota.message_rendering import COMMAND_LINE, render
from pulumi_iotda_ota.schema.validation import error_of, require_valid
from pulumi_iotda_ota.serialization import task_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pulumi_iotda_ota.cli.connect import Service
    from pulumi_iotda_ota.cli.options import CommandInput
    from pulumi_iotda_ota.iotda.models import BatchTask
    from pulumi_iotda_ota.lifecycle.base import OneShot
    from pulumi_iotda_ota.schema import Argument

    Progress = tuple[Callable[[str], None], Callable[[BatchTask], None]]


def watch_task(command_input: CommandInput, table: Sequence[Argument]) -> None:
    """Wait for the end of a task, and tell how it ended.

    Raises:
        UpgradeTaskFailed: it ended with more failures than may be.
        DeadlineExceeded: it did not end in time.
        Interrupted: Ctrl-C; the task goes on.
    """
    inputs = inputs_of(command_input, table, Completion)
    last_seen = LastSeenTask()
    with service(command_input) as connected:
        task_id = task_id_of(command_input, connected)
        inputs["task_id"] = task_id
        try:
            with progress(command_input, last_seen) as (tell, seen):
                Completion.run(resource_context(command_input, connected, tell=tell, seen=seen), inputs)
        except UpgradeTaskFailed:
            if command_input.as_json:
                _tell(command_input, connected, task_id, last_seen)
            raise
        except KeyboardInterrupt:
            again = f"iotda-ota task watch {task_id}"
            raise Interrupted(f"stopped waiting; the task continues. Wait again: {again}") from None
        _tell(command_input, connected, task_id, last_seen)


class LastSeenTask:
    """What a task was when it was looked at last: all that is known of it where it cannot be read once more."""

    def __init__(self) -> None:
        self.task: BatchTask | None = None

    def take(self, task: BatchTask) -> None:
        """Keep a task."""
        self.task = task


def inputs_of(command_input: CommandInput, table: Sequence[Argument], one_shot: type[OneShot]) -> dict[str, Any]:
    """Return what a command was given as the inputs of the resource that does the same, without the task.

    Raises:
        InputError: something is wrong with them.
    """
    require_valid(table, command_input.values)
    given = {name: value for name, value in command_input.values.items() if value is not None and name != "task"}
    problems = [problem for problem in one_shot.problems(dict(given)) if problem.argument != "task_id"]
    if problems:
        raise error_of(problems)
    return {**given, "connection": command_input.settings}


@contextmanager
def progress(command_input: CommandInput, last_seen: LastSeenTask) -> Iterator[Progress]:
    """Give what shows how a task goes on: a bar on a terminal, lines elsewhere, nothing where a program reads."""
    if command_input.as_json:
        yield lambda _: None, last_seen.take
    elif not command_input.session.is_terminal(command_input.session.err):
        yield command_input.session.note, last_seen.take
    else:
        from pulumi_iotda_ota.cli.progress import bar  # noqa: PLC0415  rich is loaded for a terminal alone

        with bar(command_input.session) as (tell, seen):

            def taken(task: BatchTask) -> None:
                last_seen.take(task)
                seen(task)

            yield tell, taken


def _tell(command_input: CommandInput, connected: Service, task_id: str, last_seen: LastSeenTask) -> None:
    """Tell how the task stands now, with the devices that failed: also of one that ended well enough."""
    try:
        found = found_task(connected, task_id)
    except IotdaOtaError as error:
        # What became of the campaign is known; an outage that comes after that is no other end of it.
        if last_seen.task is None:
            raise
        print_task(command_input, last_seen.task)
        if not command_input.as_json:
            error.redact(command_input.session.secrets)
            command_input.session.note(f"its devices could not be read: {render(error.message.headline, COMMAND_LINE)}")
        return
    values = task_values(found)
    if command_input.as_json:
        command_input.session.json({"result": values})
    else:
        print_task(command_input, found.task)
        print_failing(command_input.session, values["failed_devices"], found.task)


def print_task(command_input: CommandInput, task: BatchTask, **more: Any) -> None:
    """Tell how a task stands, without its devices."""
    if command_input.as_json:
        values = {"task_id": task.task_id, "task_name": task.task_name, "status": task.status, **more}
        command_input.session.json({"result": values})
    else:
        command_input.session.line(f"{progress_of(task)}: upgrade task {sanitize(task.task_name)}")
