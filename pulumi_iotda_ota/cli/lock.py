"""The commands of `lock`: what they are given. What they do is in ``locking.py``."""

from __future__ import annotations

from pulumi_iotda_ota.cli import completions
from pulumi_iotda_ota.cli.commands import Family, Positional
from pulumi_iotda_ota.cli.options import CommandInput, Option, command
from pulumi_iotda_ota.iotda.limits import LOCK_NAME
from pulumi_iotda_ota.schema import SELECTION, Argument

_NAME = Argument("name", "string", "The name that programs use.", LOCK_NAME, required=True)
_NAMES = Positional(
    ["names"],
    nargs=-1,
    metavar="[NAME]...",
    shell_complete=completions.lock_names,
    help="Only these names. Default: all names.",
)
_SOME = Positional(
    ["names"],
    nargs=-1,
    required=True,
    metavar="NAME...",
    shell_complete=completions.lock_names,
    help="The names to remove.",
)
_REPLACE = Option(["--replace"], is_flag=True, help="Replace a lookup that is locked under the same name.")


@command(
    "add",
    table=(_NAME, *SELECTION),
    positional="name",
    more=[_REPLACE],
    example="""\
iotda-ota lock add meter-firmware --package-type firmwarePackage \\
  --product-id smart-meter --version-constraint '^1.4' --highest-version""",
)
def add(command_input: CommandInput) -> None:
    """Look up a package, and write it to the lock file under a name.

    A program with lock="NAME" then reads the package from the file and sends no request. Commit the file. It is
    iotda-ota.lock.json beside Pulumi.yaml, or the file that PULUMI_IOTDA_OTA_LOCK names.
    """
    from pulumi_iotda_ota.cli.locking import add_name  # noqa: PLC0415  loads pydantic

    add_name(command_input)


@command("update", more=[_NAMES], example="iotda-ota lock update meter-firmware")
def update(command_input: CommandInput) -> None:
    """Look up locked packages again, and write those that have changed.

    Prints the changes as the text of a pull request. If nothing has changed, the file is not written. If a lookup
    fails, its name keeps its package, and the exit code is 1. Names that are locked for another endpoint, project or
    instance are skipped.
    """
    from pulumi_iotda_ota.cli.locking import update_names  # noqa: PLC0415  loads pydantic

    update_names(command_input)


@command("check", more=[_NAMES], example="iotda-ota lock check")
def check(command_input: CommandInput) -> None:
    """Compare locked packages with the service, and write nothing.

    The exit code is 7 if a lookup finds another package, or if a locked package is gone or has changed. It is 1 if a
    lookup fails.
    """
    from pulumi_iotda_ota.cli.locking import check_names  # noqa: PLC0415  loads pydantic

    check_names(command_input)


@command("list", connects=False, example="iotda-ota lock list")
def list_names(command_input: CommandInput) -> None:
    """List the lock file, and send no request.

    One line for each name: name, version, package_id, and when it was locked. If the output is no terminal, tabs
    separate them.
    """
    from pulumi_iotda_ota.cli.locking import list_all  # noqa: PLC0415  loads what reads the file

    list_all(command_input)


@command("remove", more=[_SOME], connects=False, example="iotda-ota lock remove meter-firmware")
def remove(command_input: CommandInput) -> None:
    """Remove names from the lock file, and send no request."""
    from pulumi_iotda_ota.cli.locking import remove_names  # noqa: PLC0415  as above

    remove_names(command_input)


group = Family(
    "lock",
    help="Keep the lock file, so that the same commit gives the same packages.",
    example="iotda-ota lock check",
)
for _command in (add, update, check, list_names, remove):
    group.add_command(_command)
