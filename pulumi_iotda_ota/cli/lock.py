"""The commands of `lock`: what they are given. What they do is in ``locking.py``."""

from __future__ import annotations

from pulumi_iotda_ota.cli.groups import Family
from pulumi_iotda_ota.cli.options import CommandInput, Option, Positional, command
from pulumi_iotda_ota.iotda.limits import LOCK_NAME
from pulumi_iotda_ota.schema import WORDS, Argument

_NAME = Argument("name", "string", "What programs call it.", LOCK_NAME, required=True)
_NAMES = Positional(["names"], nargs=-1, metavar="[NAME]...", help="Only these names. By default all.")
_SOME = Positional(["names"], nargs=-1, required=True, metavar="NAME...", help="The names.")
_REPLACE = Option(["--replace"], is_flag=True, help="Lock another lookup under a name that is there already.")


@command("add", table=(_NAME, *WORDS), positional="name", more=[_REPLACE])
def add(command_input: CommandInput) -> None:
    """Look up a package, and write it to the lock file under a name.

    Programs then name it (lock="NAME") and ask nobody; commit the file. It is iotda-ota.lock.json beside Pulumi.yaml,
    or what PULUMI_IOTDA_OTA_LOCK names.
    """
    from pulumi_iotda_ota.cli.locking import add_name  # noqa: PLC0415  loads pydantic

    add_name(command_input)


@command("update", more=[_NAMES])
def update(command_input: CommandInput) -> None:
    """Look everything up again that is locked, or some names, and write what has another package.

    Prints what has changed as the text of a pull request; where nothing has, the file is not touched. A name whose
    lookup fails keeps its package, and the exit code is 1. What is locked in another place is passed over.
    """
    from pulumi_iotda_ota.cli.locking import update_names  # noqa: PLC0415  loads pydantic

    update_names(command_input)


@command("check", more=[_NAMES])
def check(command_input: CommandInput) -> None:
    """Hold everything that is locked, or some names, against the service.

    The exit code is 7 where another package fits now, or a locked one is gone or has changed, and 1 where a lookup
    fails. Nothing is written.
    """
    from pulumi_iotda_ota.cli.locking import check_names  # noqa: PLC0415  loads pydantic

    check_names(command_input)


@command("list", connects=False)
def list_names(command_input: CommandInput) -> None:
    """List what is locked; nothing is sent.

    A line a name: name, version, package_id and since when; with tabs between them where the output is no terminal.
    """
    from pulumi_iotda_ota.cli.locking import list_all  # noqa: PLC0415  loads what reads the file

    list_all(command_input)


@command("remove", more=[_SOME], connects=False)
def remove(command_input: CommandInput) -> None:
    """Take names out of the lock file; nothing is sent."""
    from pulumi_iotda_ota.cli.locking import remove_names  # noqa: PLC0415  as above

    remove_names(command_input)


group = Family("lock", help="Keep the lock file: the same commit gives the same packages.")
for _command in (add, update, check, list_names, remove):
    group.add_command(_command)
