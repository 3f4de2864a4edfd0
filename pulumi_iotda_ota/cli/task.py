"""The commands of `task`: what they are given.

What they do is in ``task_queries.py``, ``task_watch.py`` and ``task_actions.py``.
"""

from __future__ import annotations

from dataclasses import replace

import click

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.cli.groups import Family
from pulumi_iotda_ota.cli.options import MOST_LISTED, CommandInput, Option, command
from pulumi_iotda_ota.iotda import limits
from pulumi_iotda_ota.schema import Argument, outputs

_BY_NAME = {
    argument.name: argument
    for table in (schema.UPGRADE_TASK, schema.UPGRADE_TASK_COMPLETION, schema.UPGRADE_TASK_CONFIRMATION)
    for argument in table
}
_TASK = (schema.TASK_ID,)
_LISTED = (
    replace(_BY_NAME["task_type"], description="Tasks of this type. By default all three, one after the other."),
    schema.APP_ID,
    Argument("status", "string", "Tasks of this status alone.", limits.TASK_STATUS),
    replace(
        schema.MAX_ITEMS,
        description=f"List at most this many of each type, 1 or more. By default {MOST_LISTED}.",
        default=MOST_LISTED,
    ),
)
# What changes the task is no part of watching it.
_WATCHED = tuple(
    argument
    for argument in schema.UPGRADE_TASK_COMPLETION
    if argument.name not in ("triggers", "stop_when_exceeded", "retry_failed")
)
_RETRIED = (
    *_TASK,
    Argument(
        "target",
        "list of strings",
        f"Only this device, at most {limits.MAX_ACTION_TARGETS} of them. By default all that failed or were stopped.",
        limits.TARGET,
        maximum=limits.MAX_ACTION_TARGETS,
    ),
)
_FIELD = Option(
    ["--field"],
    type=click.Choice([output.name for output in outputs.GET_UPGRADE_TASK]),
    metavar="NAME",
    help="Print this field alone, such as status.",
)
_YES = Option(["--yes", "-y"], is_flag=True, help="Do not ask. Needed where there is no terminal to ask on.")


@command("list", table=_LISTED)
def list_tasks(command_input: CommandInput) -> None:
    """List upgrade tasks, the newest first.

    A line a task: task_id, name, status and type; with tabs between them where the output is no terminal.
    """
    from pulumi_iotda_ota.cli.task_queries import list_all  # noqa: PLC0415  loads pydantic

    list_all(command_input, _LISTED)


@command("show", table=schema.GET_UPGRADE_TASK, positional="task_id", more=[_FIELD])
def show(command_input: CommandInput) -> None:
    """Show how an upgrade task stands.

    With the first 100 devices that fail, and why; with tabs between the cells where the output is no terminal.
    """
    from pulumi_iotda_ota.cli.task_queries import show_task  # noqa: PLC0415  loads pydantic

    show_task(command_input)


@command("watch", table=_WATCHED, positional="task_id")
def watch(command_input: CommandInput) -> None:
    """Wait for the end of an upgrade task, and judge it.

    The exit code is 5 where more devices failed than may, or the task was stopped: by the rules of an
    UpgradeTaskCompletion. Watching changes nothing: Ctrl-C ends the watching, and the task
    goes on.
    """
    from pulumi_iotda_ota.cli.task_watch import watch_task  # noqa: PLC0415  loads pydantic

    watch_task(command_input)


@command("retry", table=_RETRIED, positional="task_id", more=[_YES])
def retry(command_input: CommandInput) -> None:
    """Try devices again that failed or were stopped."""
    from pulumi_iotda_ota.cli.task_actions import retry_task  # noqa: PLC0415  loads pydantic

    retry_task(command_input, _RETRIED)


@command("stop", table=_TASK, positional="task_id", more=[_YES])
def stop(command_input: CommandInput) -> None:
    """Stop an upgrade task, and wait until it has stopped."""
    from pulumi_iotda_ota.cli.task_actions import stop_task  # noqa: PLC0415  loads pydantic

    stop_task(command_input, _TASK)


@command("confirm", table=schema.UPGRADE_TASK_CONFIRMATION, positional="task_id", more=[_YES])
def confirm(command_input: CommandInput) -> None:
    """Let a task begin that waits to be confirmed.

    It must install the approved packages, and no others.
    """
    from pulumi_iotda_ota.cli.task_actions import confirm_task  # noqa: PLC0415  loads pydantic

    confirm_task(command_input)


group = Family("task", help="See how an upgrade task stands, and look after it.")
for _command in (list_tasks, show, watch, retry, stop, confirm):
    group.add_command(_command)
