"""The functions of `task watch`, `retry`, `stop` and `confirm`.

Watching has the rules of an UpgradeTaskCompletion and changes nothing. The others need a confirmation or `--yes`. A
request of unknown outcome is an error and is not repeated.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from pulumi_iotda_ota.cli.connect import service
from pulumi_iotda_ota.cli.exit_codes import Interrupted
from pulumi_iotda_ota.cli.tasks import find_task, print_failed_devices, task_id_of
from pulumi_iotda_ota.errors import UpgradeTaskFailed
from pulumi_iotda_ota.iotda.errors import IotdaOtaError, ServiceError
from pulumi_iotda_ota.iotda.sanitize import plural, sanitize
from pulumi_iotda_ota.lifecycle.base import ResourceContext
from pulumi_iotda_ota.lifecycle.completion import Completion
from pulumi_iotda_ota.lifecycle.confirmation import Confirmation
from pulumi_iotda_ota.lifecycle.polling import progress_of
from pulumi_iotda_ota.lifecycle.thresholds import DeviceCounts
from pulumi_iotda_ota.lifecycle.upgrade_task import tasks
from pulumi_iotda_ota.lifecycle.upgrade_task.tasks import is_running, refusal_text
from pulumi_iotda_ota.lookup.tasks import missing_task
from pulumi_iotda_ota.message_rendering import COMMAND_LINE, render
from pulumi_iotda_ota.schema.validation import error_of, require_valid
from pulumi_iotda_ota.serialization import task_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pulumi_iotda_ota.cli.connect import Service
    from pulumi_iotda_ota.cli.options import CommandInput
    from pulumi_iotda_ota.iotda.models import BatchTask
    from pulumi_iotda_ota.lifecycle.base import OneShot


def watch_task(command_input: CommandInput) -> None:
    """Wait for the end of a task, and print it.

    Raises:
        UpgradeTaskFailed: more devices failed than allowed, or the task was stopped.
        DeadlineExceeded: it did not end in time.
        Interrupted: Ctrl-C; the task continues.
    """
    inputs = _inputs(command_input, Completion)
    last_seen = LastSeenTask()
    with service(command_input) as connected:
        inputs["task_id"] = task_id = task_id_of(command_input, connected)
        try:
            with _progress(command_input, connected, last_seen) as context:
                Completion.run(context, inputs)
        except UpgradeTaskFailed:
            if command_input.as_json:
                _print_result(command_input, connected, task_id, last_seen)
            raise
        except KeyboardInterrupt:
            again = f"iotda-ota task watch {task_id}"
            raise Interrupted(f"stopped waiting; the task continues. Wait again: {again}") from None
        _print_result(command_input, connected, task_id, last_seen)


def retry_task(command_input: CommandInput) -> None:
    """Retry devices once.

    Raises:
        OutcomeUnknown: the service may have accepted the request.
        IotdaOtaError: the service refused some devices or all.
    """
    require_valid(command_input.table, command_input.values)
    targets = command_input.values["target"] or []
    with _acting(command_input) as connected:
        task = _read_task(connected, task_id_of(command_input, connected))
        which = plural(len(targets), "device") if targets else "every device that failed or was stopped"
        _confirm(command_input, f"Retry {which} of {_described(task)}?")
        results = connected.client.retry_batch_task(task.task_id, targets).targets
    refusal = refusal_text(results)
    accepted = plural(sum(result.status == "success" for result in results), "device")
    if command_input.as_json:
        _print_task(command_input, task, targets=[result.model_dump(exclude_none=True) for result in results])
    elif not refusal:
        which = accepted if results else "its devices"
        command_input.session.line(f"upgrade task {sanitize(task.task_name)}: retrying {which}")
    if refusal:
        part = "some" if any(result.status == "success" for result in results) else "all"
        raise IotdaOtaError(
            f"the service refused to retry {part} devices of upgrade task {sanitize(task.task_name)}",
            facts=[("retried", accepted), ("refused", refusal)],
        )


def stop_task(command_input: CommandInput) -> None:
    """Stop a task, and wait until it has stopped.

    Raises:
        IotdaOtaError: it cannot be stopped, or did not stop in time.
    """
    require_valid(command_input.table, command_input.values)
    with _acting(command_input) as connected:
        task = _read_task(connected, task_id_of(command_input, connected))
        if is_running(task):
            _confirm(command_input, f"Stop {_described(task)}?")
            identity = {"identity": connected.connection.identity}
            task = tasks.stop_task(connected.run.clock, connected.client, task.task_id, identity) or task
    _print_task(command_input, task)


def confirm_task(command_input: CommandInput) -> None:
    """Confirm a task that installs the approved packages.

    Raises:
        IotdaOtaError: it installs others, or it does not wait for a confirmation.
    """
    inputs = _inputs(command_input, Confirmation)
    last_seen = LastSeenTask()
    with _acting(command_input) as connected:
        task = _read_task(connected, task_id_of(command_input, connected))
        inputs["task_id"] = task.task_id
        packages = ", ".join(inputs["approved_package_ids"])
        _confirm(command_input, f"Confirm {_described(task)}, which installs {packages}?")
        with _progress(command_input, connected, last_seen) as context:
            Confirmation.run(context, inputs)
        try:
            task = _read_task(connected, task.task_id)
        except IotdaOtaError as error:
            task = _last_seen(command_input, last_seen, error, "it was confirmed, but could not be read after that")
    _print_task(command_input, task)


class LastSeenTask:
    """The task of the last poll, for the case that no more request succeeds."""

    def __init__(self) -> None:
        self.task: BatchTask | None = None

    def take(self, task: BatchTask) -> None:
        """Store the task of a poll."""
        self.task = task


def _inputs(command_input: CommandInput, one_shot: type[OneShot]) -> dict[str, Any]:
    """Return the inputs of the resource that does the same, without the task, or raise InputError."""
    require_valid(command_input.table, command_input.values)
    given = {name: value for name, value in command_input.values.items() if value is not None and name != "task"}
    problems = [problem for problem in one_shot.problems(dict(given)) if problem.argument != "task_id"]
    if problems:
        raise error_of(problems)
    return {**given, "connection": command_input.settings}


@contextmanager
def _progress(command_input: CommandInput, connected: Service, last_seen: LastSeenTask) -> Iterator[ResourceContext]:
    """Return a context that displays progress: a bar on a terminal, lines otherwise, nothing with ``--json``."""
    session = command_input.session

    def context(on_line: Callable[[str], None], on_task: Callable[[BatchTask], None]) -> ResourceContext:
        return ResourceContext(
            run=connected.run,
            config=connected.config,
            environ=session.environ,
            warn=lambda line: session.note(render(line, COMMAND_LINE)),
            report=lambda line: on_line(render(line, COMMAND_LINE)),
            on_task=on_task,
            how_to_stop="Ctrl-C stops the wait, not the task",
        )

    if command_input.as_json or not session.is_terminal(session.err):
        yield context((lambda _: None) if command_input.as_json else session.note, last_seen.take)
        return
    from pulumi_iotda_ota.cli.terminal import progress_bar  # noqa: PLC0415  rich is loaded for a terminal only

    with progress_bar(session.err, colour=session.wants_colour(session.err)) as progress:

        def on_line(line: str) -> None:
            progress.line = line

        def on_task(task: BatchTask) -> None:
            last_seen.take(task)
            counts = DeviceCounts.of(task, ended=not is_running(task))
            progress.total, progress.failed = counts.total, counts.failed
            progress.ended = counts.succeeded + counts.failed

        yield context(on_line, on_task)


@contextmanager
def _acting(command_input: CommandInput) -> Iterator[Service]:
    """Connect a command that changes a task, if it was confirmed with ``--yes`` or in a terminal.

    Raises:
        click.UsageError: neither is the case.
        Interrupted: Ctrl-C; requests that were sent stay in effect.
    """
    if not command_input.flags["yes"] and not (sys.stdin.isatty() and command_input.session.err.isatty()):
        raise click.UsageError("this changes an upgrade task, and there is no terminal to confirm it: add --yes")
    try:
        with service(command_input) as connected:
            yield connected
    except KeyboardInterrupt:
        task = f"iotda-ota task get {command_input.values['task']}"
        raise Interrupted(f"interrupted; requests that were sent stay in effect. See the task: {task}") from None


def _confirm(command_input: CommandInput, question: str) -> None:
    if not command_input.flags["yes"] and not click.confirm(question, err=True):
        raise IotdaOtaError("cancelled; nothing changed")


def _read_task(connected: Service, task_id: str) -> BatchTask:
    try:
        return connected.client.show_batch_task(task_id)
    except ServiceError as error:
        if not error.is_not_found:
            raise
        raise missing_task(task_id, error, connected.connection) from error


def _print_result(command_input: CommandInput, connected: Service, task_id: str, last_seen: LastSeenTask) -> None:
    """Print the task as it is now, with the devices that failed."""
    try:
        found = find_task(connected, task_id)
    except IotdaOtaError as error:
        _print_task(command_input, _last_seen(command_input, last_seen, error, "its devices could not be read"))
        return
    values = task_values(found)
    if command_input.as_json:
        command_input.session.json({"result": values})
    else:
        _print_task(command_input, found.task)
        print_failed_devices(command_input.session, values["failed_devices"], found.task)


def _last_seen(command_input: CommandInput, last_seen: LastSeenTask, error: IotdaOtaError, note: str) -> BatchTask:
    """Return the task of the last poll, with a note: its end is known, so an outage after it is no failure."""
    if last_seen.task is None:
        raise error
    if not command_input.as_json:
        error.redact(command_input.session.secrets)
        command_input.session.note(f"{note}: {render(error.message.headline, COMMAND_LINE)}")
    return last_seen.task


def _print_task(command_input: CommandInput, task: BatchTask, **more: Any) -> None:
    """Print a task without its devices."""
    if command_input.as_json:
        values = {"task_id": task.task_id, "task_name": task.task_name, "status": task.status, **more}
        command_input.session.json({"result": values})
    else:
        command_input.session.line(f"{progress_of(task)}: upgrade task {sanitize(task.task_name)}")


def _described(task: BatchTask) -> str:
    return f"upgrade task {sanitize(task.task_name)} ({progress_of(task)})"
