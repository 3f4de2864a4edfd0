"""What `task retry`, `stop` and `confirm` do. They change a campaign: a person is asked, or has said so with `--yes`.

A request of unknown outcome is told as that, and never repeated here.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from pulumi_iotda_ota.cli.connect import resource_context, service
from pulumi_iotda_ota.cli.error_output import Interrupted
from pulumi_iotda_ota.cli.task_names import task_id_of
from pulumi_iotda_ota.cli.task_watch import LastSeenTask, inputs_of, print_task, progress
from pulumi_iotda_ota.iotda.errors import IotdaOtaError, ServiceError
from pulumi_iotda_ota.iotda.sanitize import plural, sanitize
from pulumi_iotda_ota.lifecycle.confirmation import Confirmation
from pulumi_iotda_ota.lifecycle.polling import progress_of
from pulumi_iotda_ota.lifecycle.upgrade_task import tasks
from pulumi_iotda_ota.lifecycle.upgrade_task.tasks import is_running, refusal_text
from pulumi_iotda_ota.lookup.tasks import missing_task
from pulumi_iotda_ota.message_rendering import COMMAND_LINE, render
from pulumi_iotda_ota.schema.validation import require_valid

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pulumi_iotda_ota.cli.connect import Service
    from pulumi_iotda_ota.cli.options import CommandInput
    from pulumi_iotda_ota.iotda.models import BatchTask, TargetResult
    from pulumi_iotda_ota.schema import Argument


def retry_task(command_input: CommandInput, table: Sequence[Argument]) -> None:
    """Try devices again, once.

    Raises:
        OutcomeUnknown: the service may have accepted it.
        IotdaOtaError: it was refused, for some devices or for all.
    """
    require_valid(table, command_input.values)
    targets = command_input.values["target"] or []
    with _acting(command_input) as connected:
        task = _read_task(connected, task_id_of(command_input, connected))
        which = plural(len(targets), "device") if targets else "every device that failed or was stopped"
        _agree(command_input, f"Try {which} of {_named(task)} again?")
        answers = connected.client.retry_batch_task(task.task_id, targets).targets
    _tell_answers(command_input, task, answers, "tried again")


def stop_task(command_input: CommandInput, table: Sequence[Argument]) -> None:
    """Stop a task, and wait until it has stopped.

    Raises:
        IotdaOtaError: it can not be stopped, or did not stop in time.
    """
    require_valid(table, command_input.values)
    with _acting(command_input) as connected:
        task = _read_task(connected, task_id_of(command_input, connected))
        if is_running(task):
            _agree(command_input, f"Stop {_named(task)}?")
            identity = {"identity": connected.connection.identity}
            task = tasks.stop_task(connected.run.clock, connected.client, task.task_id, identity) or task
    print_task(command_input, task)


def confirm_task(command_input: CommandInput, table: Sequence[Argument]) -> None:
    """Let a task begin whose packages are the approved ones.

    Raises:
        IotdaOtaError: they are others, or the task does not wait for a confirmation.
    """
    inputs = inputs_of(command_input, table, Confirmation)
    with _acting(command_input) as connected:
        task = _read_task(connected, task_id_of(command_input, connected))
        inputs["task_id"] = task.task_id
        _agree(command_input, f"Let {_named(task)} begin, which installs {', '.join(inputs['approved_package_ids'])}?")
        last_seen = LastSeenTask()
        with progress(command_input, last_seen) as (tell, seen):
            Confirmation.run(resource_context(command_input, connected, tell=tell, seen=seen), inputs)
        task = _seen_after(command_input, connected, task.task_id, last_seen)
    print_task(command_input, task)


@contextmanager
def _acting(command_input: CommandInput) -> Iterator[Service]:
    """Give what a command asks, where somebody can be asked whether it may act.

    Raises:
        click.UsageError: nobody can be asked.
        Interrupted: Ctrl-C; what was sent by then stays sent.
    """
    if not command_input.flags["yes"] and not (sys.stdin.isatty() and command_input.session.err.isatty()):
        raise click.UsageError("this changes an upgrade task, and there is no terminal to confirm it: add --yes")
    try:
        with service(command_input) as connected:
            yield connected
    except KeyboardInterrupt:
        again = f"iotda-ota task get {command_input.values['task']}"
        raise Interrupted(f"interrupted; what was asked of the service by then stays, see: {again}") from None


def _agree(command_input: CommandInput, question: str) -> None:
    """Ask whether to go on, unless that was said before.

    Raises:
        IotdaOtaError: the answer is no.
    """
    if not command_input.flags["yes"] and not click.confirm(question, err=True):
        raise IotdaOtaError("cancelled; nothing changed")


def _read_task(connected: Service, task_id: str) -> BatchTask:
    """Return the task as it is now."""
    try:
        return connected.client.show_batch_task(task_id)
    except ServiceError as error:
        if not error.is_not_found:
            raise
        raise missing_task(task_id, error, connected.connection) from error


def _seen_after(command_input: CommandInput, connected: Service, task_id: str, last_seen: LastSeenTask) -> BatchTask:
    """Return the task as it is after the confirmation, or as it was before if it cannot be read again."""
    try:
        return _read_task(connected, task_id)
    except IotdaOtaError as error:
        if last_seen.task is None:
            raise
        if not command_input.as_json:
            error.redact(command_input.session.secrets)
            command_input.session.note(
                f"it was confirmed, but could not be read after that: {render(error.message.headline, COMMAND_LINE)}"
            )
        return last_seen.task


def _named(task: BatchTask) -> str:
    return f"upgrade task {sanitize(task.task_name)} ({progress_of(task)})"


def _tell_answers(command_input: CommandInput, task: BatchTask, answers: Sequence[TargetResult], done: str) -> None:
    """Tell what became of each device.

    Raises:
        IotdaOtaError: it was refused for some.
    """
    refusal = refusal_text(answers)
    accepted = sum(answer.status == "success" for answer in answers)
    if command_input.as_json:
        print_task(command_input, task, targets=[answer.model_dump(exclude_none=True) for answer in answers])
    elif not refusal:
        which = plural(accepted, "device") if answers else "its devices"
        command_input.session.line(f"upgrade task {sanitize(task.task_name)}: {which} {done}")
    if refusal:
        facts = [(done, plural(accepted, "device")), ("refused", refusal)]
        part = "some" if accepted else "all"
        raise IotdaOtaError(f"the service refused {part} of upgrade task {sanitize(task.task_name)}", facts=facts)
