"""The commands of `task`: what they are given.

What they do is in ``task_queries.py``, ``task_watch.py`` and ``task_actions.py``.
"""

from __future__ import annotations

from dataclasses import replace

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.cli.commands import Family
from pulumi_iotda_ota.cli.options import MOST_LISTED, CommandInput, OneOf, Option, command
from pulumi_iotda_ota.iotda import limits
from pulumi_iotda_ota.schema import Argument, outputs

_BY_NAME = {
    argument.name: argument
    for table in (schema.UPGRADE_TASK, schema.UPGRADE_TASK_COMPLETION, schema.UPGRADE_TASK_CONFIRMATION)
    for argument in table
}
_TASK = (Argument("task", "string", "The upgrade task, by its name or its id.", limits.TASK_NAME, required=True),)
_LISTED = (
    replace(
        _BY_NAME["task_type"], description="Only tasks of this type. Default: all three types, one after the other."
    ),
    schema.APP_ID,
    Argument("status", "string", "Only tasks of this status.", limits.TASK_STATUS),
    replace(
        schema.MAX_ITEMS,
        description="The most tasks to list of each type, 1 or more.",
        default=MOST_LISTED,
    ),
)
# What changes the task is no part of watching it.
_WATCHED = (
    *_TASK,
    *(
        argument
        for argument in schema.UPGRADE_TASK_COMPLETION
        if argument.name not in ("task_id", "triggers", "stop_when_exceeded", "retry_failed")
    ),
)
_CONFIRMED = (*_TASK, *(argument for argument in schema.UPGRADE_TASK_CONFIRMATION if argument.name != "task_id"))
_RETRIED = (
    *_TASK,
    Argument(
        "target",
        "list of strings",
        f"Only this device, at most {limits.MAX_ACTION_TARGETS} of them. Default: all that failed or were stopped.",
        limits.TARGET,
        maximum=limits.MAX_ACTION_TARGETS,
    ),
)
_FIELD = Option(
    ["--field"],
    type=OneOf([output.name for output in outputs.GET_UPGRADE_TASK]),
    metavar="NAME",
    help="Print only this field, such as status.",
)
_YES = Option(["--yes", "-y"], is_flag=True, help="Do not ask for confirmation. Required without a terminal.")


@command("list", table=_LISTED, example="iotda-ota task list --status Processing")
def list_tasks(command_input: CommandInput) -> None:
    """List upgrade tasks, the newest first.

    One line for each task: devices done of all devices, failed devices, status, type, creation time, task_id and name.
    If the output is no terminal, tabs separate them.
    """
    from pulumi_iotda_ota.cli.task_queries import list_all  # noqa: PLC0415  loads pydantic

    list_all(command_input, _LISTED)


@command("get", table=_TASK, positional="task", more=[_FIELD], example="iotda-ota task get 6b49d2003e4405e852000000")
def get(command_input: CommandInput) -> None:
    """Show the status of an upgrade task, and its failed devices.

    Lists the first 100 devices that failed, with the reason. If the output is no terminal, tabs separate the cells.
    """
    from pulumi_iotda_ota.cli.task_queries import get_task  # noqa: PLC0415  loads pydantic

    get_task(command_input, _TASK)


@command(
    "watch",
    table=_WATCHED,
    positional="task",
    example="iotda-ota task watch 6b49d2003e4405e852000000 --max-failed-percent 2",
)
def watch(command_input: CommandInput) -> None:
    """Wait until an upgrade task has ended.

    The exit code is 5 if more devices failed than allowed, or if the task was stopped: the rules of an
    UpgradeTaskCompletion. The command changes nothing. Ctrl-C ends it, and the task continues.
    """
    from pulumi_iotda_ota.cli.task_watch import watch_task  # noqa: PLC0415  loads pydantic

    watch_task(command_input, _WATCHED)


@command(
    "retry",
    table=_RETRIED,
    positional="task",
    more=[_YES],
    example="iotda-ota task retry 6b49d2003e4405e852000000 --target meter-0002",
)
def retry(command_input: CommandInput) -> None:
    """Retry the devices that failed or were stopped."""
    from pulumi_iotda_ota.cli.task_actions import retry_task  # noqa: PLC0415  loads pydantic

    retry_task(command_input, _RETRIED)


@command("stop", table=_TASK, positional="task", more=[_YES], example="iotda-ota task stop 6b49d2003e4405e852000000")
def stop(command_input: CommandInput) -> None:
    """Stop an upgrade task, and wait until it has stopped."""
    from pulumi_iotda_ota.cli.task_actions import stop_task  # noqa: PLC0415  loads pydantic

    stop_task(command_input, _TASK)


@command(
    "confirm",
    table=_CONFIRMED,
    positional="task",
    more=[_YES],
    example="""\
iotda-ota task confirm 6b49d2003e4405e852000000 \\
  --approved-package-id 8e99e4f7765dfb08dbfee0054d004b3b""",
)
def confirm(command_input: CommandInput) -> None:
    """Confirm an upgrade task that waits for it, so that its devices begin.

    The task must install the approved packages, and no others.
    """
    from pulumi_iotda_ota.cli.task_actions import confirm_task  # noqa: PLC0415  loads pydantic

    confirm_task(command_input, _CONFIRMED)


group = Family(
    "task",
    help="List, watch, retry, stop and confirm upgrade tasks.",
    example="iotda-ota task watch 6b49d2003e4405e852000000",
)
for _command in (get, list_tasks, watch, retry, stop, confirm):
    group.add_command(_command)
