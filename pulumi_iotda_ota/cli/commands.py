"""The commands of `package`, `task` and `lock`: their arguments, help and examples.

This module is light, so that help and completion are fast. A command loads its function when it runs.
"""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.cli.click_classes import Command, Group, OneOf, Option, Positional
from pulumi_iotda_ota.cli.options import CommandInput, command, format_option, lock_names
from pulumi_iotda_ota.iotda import limits
from pulumi_iotda_ota.schema import Argument, outputs

if TYPE_CHECKING:
    from collections.abc import Iterable

#: How many tasks of each type are listed by default.
MOST_LISTED = 20

_BY_NAME = {
    argument.name: argument
    for table in (schema.UPGRADE_TASK, schema.UPGRADE_TASK_COMPLETION, schema.UPGRADE_TASK_CONFIRMATION)
    for argument in table
}
_TASK = Argument("task", "string", "The upgrade task, by its name or its id.", limits.TASK_NAME, required=True)
_ID = "6b49d2003e4405e852000000"
_YES = Option(["--yes", "-y"], is_flag=True, help="Do not ask for confirmation. Required without a terminal.")


def _command(name: str, function: str, help: str, **more: Any) -> Command:  # noqa: A002  as click has it
    """Make a command that loads its function, such as ``packages:get_one``, when it runs."""
    module, _, attribute = function.partition(":")

    def run(command_input: CommandInput) -> None:
        getattr(importlib.import_module(f"{__package__}.{module}"), attribute)(command_input)

    run.__doc__ = help
    return command(name, **more)(run)


def _field(names: Iterable[str], example: str) -> Option:
    return Option(
        ["--field"], type=OneOf(list(names)), metavar="NAME", help=f"Print only this field, such as {example}."
    )


def _names(description: str, *, required: bool) -> Positional:
    metavar = "NAME..." if required else "[NAME]..."
    return Positional(
        ["names"], nargs=-1, required=required, metavar=metavar, shell_complete=lock_names, help=description
    )


package = Group(
    "package",
    help="Look up OTA packages.",
    example="iotda-ota package list --package-type firmwarePackage --product-id smart-meter",
    commands=[
        _command(
            "get",
            "packages:get_one",
            """Look up one OTA package.

            Prints version, package id, product id and upload time, and whether a checksum is recorded if that was
            requested. If the output is no terminal, tabs separate them.
            """,
            table=schema.GET_OTA_PACKAGE,
            more=[
                _field((output.name for output in outputs.PACKAGE.fields), "package_id"),
                Option(["--explain"], is_flag=True, help="Print which packages were skipped, and why."),
                Option(
                    ["--all-skipped"],
                    is_flag=True,
                    help="With --explain or --json: all skipped packages, not only the first ones.",
                ),
            ],
            example="""\
iotda-ota package get --package-type firmwarePackage \\
  --product-id smart-meter --version-constraint '^1.4' \\
  --source-version V1.3.2 --highest-version""",
        ),
        _command(
            "list",
            "packages:list_all",
            """List all OTA packages that match.

            One line for each package: version, package id, product id, upload time. If the output is no terminal, tabs
            separate them. If nothing matches, the exit code is 0.
            """,
            table=schema.GET_OTA_PACKAGES,
            # A list never requests the location of a file.
            more=[
                _field(
                    (output.name for output in outputs.PACKAGE.fields if output.name != "file_location"), "package_id"
                )
            ],
            example="""\
iotda-ota package list --package-type firmwarePackage \\
  --product-id smart-meter --version-constraint '^1.4' --order-by version""",
        ),
        _command(
            "path",
            "path_output:print_paths",
            """Find the packages by which devices reach a package.

            One line for each hop: the version that devices run, the number of the hop, its version, its package id. If
            a version cannot reach the target, standard error says what is missing, and the exit code is 6.
            """,
            table=schema.GET_UPGRADE_PATH,
            more=[format_option("text", "mermaid", "dot", "json")],
            example="""\
iotda-ota package path --package-type firmwarePackage \\
  --product-id smart-meter --version V1.4.10 --source-version V1.0.0""",
        ),
    ],
)

device = Group(
    "device",
    help="Read devices.",
    example="iotda-ota device versions --package-type firmwarePackage --group-id fleet",
    commands=[
        _command(
            "versions",
            "device_output:print_versions",
            """Count the devices that run each version.

            One line for each version: version, devices. The line of devices without a known version begins with a
            hyphen.
            """,
            table=schema.GET_DEVICE_VERSIONS,
            example="iotda-ota device versions --package-type firmwarePackage --group-id fleet",
        )
    ],
)

task = Group(
    "task",
    help="List, watch, retry, stop and confirm upgrade tasks.",
    example=f"iotda-ota task watch {_ID}",
    commands=[
        _command(
            "get",
            "tasks:get_task",
            """Show the status of an upgrade task, and its failed devices.

            Lists the first 100 devices that failed, with the reason. If the output is no terminal, tabs separate the
            cells.
            """,
            table=[_TASK],
            positional="task",
            more=[_field((output.name for output in outputs.GET_UPGRADE_TASK), "status")],
            example=f"iotda-ota task get {_ID}",
        ),
        _command(
            "list",
            "tasks:list_all",
            """List upgrade tasks, the newest first.

            One line for each task: devices done of all devices, failed devices, status, type, creation time, task_id
            and name. If the output is no terminal, tabs separate them.
            """,
            table=[
                replace(
                    _BY_NAME["task_type"],
                    description="Only tasks of this type. Default: all three types, one after the other.",
                ),
                schema.APP_ID,
                Argument("status", "string", "Only tasks of this status.", limits.TASK_STATUS),
                replace(
                    schema.MAX_ITEMS,
                    description="The most tasks to list of each type, 1 or more.",
                    default=MOST_LISTED,
                ),
            ],
            example="iotda-ota task list --status Processing",
        ),
        _command(
            "watch",
            "task_actions:watch_task",
            """Wait until an upgrade task has ended.

            The exit code is 5 if more devices failed than allowed, or if the task was stopped. The rules are those of
            an UpgradeTaskCompletion. The command changes nothing. Ctrl-C ends it, and the task continues.
            """,
            # Options that change the task are no options of this command.
            table=[
                _TASK,
                *(
                    argument
                    for argument in schema.UPGRADE_TASK_COMPLETION
                    if argument.name not in ("task_id", "triggers", "stop_when_exceeded", "retry_failed")
                ),
            ],
            positional="task",
            example=f"iotda-ota task watch {_ID} --max-failed-percent 2",
        ),
        _command(
            "retry",
            "task_actions:retry_task",
            "Retry the devices that failed or were stopped.",
            table=[
                _TASK,
                Argument(
                    "target",
                    "list of strings",
                    f"Only this device, at most {limits.MAX_ACTION_TARGETS} of them. "
                    "Default: all devices that failed or were stopped.",
                    limits.TARGET,
                    maximum=limits.MAX_ACTION_TARGETS,
                ),
            ],
            positional="task",
            more=[_YES],
            example=f"iotda-ota task retry {_ID} --target meter-0002",
        ),
        _command(
            "stop",
            "task_actions:stop_task",
            "Stop an upgrade task, and wait until it has stopped.",
            table=[_TASK],
            positional="task",
            more=[_YES],
            example=f"iotda-ota task stop {_ID}",
        ),
        _command(
            "confirm",
            "task_actions:confirm_task",
            """Confirm an upgrade task that waits for a confirmation, so that its devices start.

            The task must install the approved packages, and no others.
            """,
            table=[
                _TASK,
                *(argument for argument in schema.UPGRADE_TASK_CONFIRMATION if argument.name != "task_id"),
            ],
            positional="task",
            more=[_YES],
            example=f"""\
iotda-ota task confirm {_ID} \\
  --approved-package-id 8e99e4f7765dfb08dbfee0054d004b3b""",
        ),
    ],
)

lock = Group(
    "lock",
    help="Write and check the lock file, so that the same commit uses the same packages.",
    example="iotda-ota lock check",
    commands=[
        _command(
            "add",
            "locks:add_name",
            """Look up a package, and write it to the lock file under a name.

            A program with lock="NAME" then reads the package from the file and sends no request. Commit the file. It is
            iotda-ota.lock.json beside Pulumi.yaml, or the file that PULUMI_IOTDA_OTA_LOCK names.
            """,
            table=[
                Argument("name", "string", "The name that programs use.", limits.LOCK_NAME, required=True),
                # The description of a lookup also names `--lock`, which is no option here.
                replace(
                    schema.SELECTION[0],
                    description=f"{schema.PACKAGE_TYPE.description} Required, unless {{package_id}} is set.",
                ),
                *schema.SELECTION[1:],
            ],
            positional="name",
            more=[Option(["--replace"], is_flag=True, help="Replace a lookup that is locked under the same name.")],
            example="""\
iotda-ota lock add meter-firmware --package-type firmwarePackage \\
  --product-id smart-meter --version-constraint '^1.4' --highest-version""",
        ),
        _command(
            "update",
            "locks:update_names",
            """Look up locked packages again, and write those that have changed.

            Prints the changes as the text of a pull request. If nothing has changed, the file is not written. If a
            lookup fails, its name keeps its package, and the exit code is 1. Names that are locked for another
            endpoint, project or instance are skipped.
            """,
            more=[_names("Only these names. Default: all names.", required=False)],
            example="iotda-ota lock update meter-firmware",
        ),
        _command(
            "check",
            "locks:check_names",
            """Compare locked packages with the service, and write nothing.

            The exit code is 7 if a lookup finds another package, or if a locked package is gone or has changed. It is 1
            if a lookup fails.
            """,
            more=[_names("Only these names. Default: all names.", required=False)],
            example="iotda-ota lock check",
        ),
        _command(
            "list",
            "locks:list_all",
            """List the names in the lock file, and send no request.

            One line for each name: name, version, package id, and the time of the lock. If the output is no terminal,
            tabs separate them.
            """,
            connects=False,
            example="iotda-ota lock list",
        ),
        _command(
            "remove",
            "locks:remove_names",
            "Remove names from the lock file, and send no request.",
            more=[_names("The names to remove.", required=True)],
            connects=False,
            example="iotda-ota lock remove meter-firmware",
        ),
    ],
)
