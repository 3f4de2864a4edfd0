"""The command `help`: the help of any command, and of the connection options that commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pulumi_iotda_ota.cli.commands import CONNECTION, Positional, write_example, write_records
from pulumi_iotda_ota.cli.options import command, connection_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi_iotda_ota.cli.options import CommandInput

#: The topic that is no command.
TOPIC = "connection"
#: What is said of the connection options.
CONNECTION_TEXT = """\
Every command that sends requests takes these options. Each setting is read from the first place that has it: the
option, the configuration of the stack that --stack names, a profile, the environment, the vendor's files.

Credentials are no options, because other processes can read a command line. They are read from the environment or
from files. `iotda-ota doctor` shows where each setting comes from."""
CONNECTION_EXAMPLE = """\
export HW_REGION_NAME=cn-north-4 HW_ACCESS_KEY=... HW_SECRET_KEY=...
iotda-ota doctor --stack dev --deadline 20"""


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the commands that go on with what was typed."""
    found: click.Command = ctx.find_root().command
    for word in ctx.params.get(str(param.name)) or ():
        found = found.commands.get(word, found) if isinstance(found, click.Group) else found
    names = (
        [*found.commands, *((TOPIC,) if found is ctx.find_root().command else ())]
        if isinstance(found, click.Group)
        else []
    )
    return [name for name in names if name.startswith(incomplete)]


_TOPIC = Positional(
    ["topic"],
    nargs=-1,
    metavar="[COMMAND]...",
    shell_complete=_complete,
    help=f"A command, such as task watch, or {TOPIC}. Default: the list of commands.",
)


@command("help", more=[_TOPIC], connects=False, example="iotda-ota help connection")
def help_command(command_input: CommandInput) -> None:
    """Show the help of a command, or of the connection options.

    The connection options say where requests go, and with which credentials.
    """
    words = command_input.flags["topic"] or []
    root = click.get_current_context().find_root()
    text = _connection_help(root) if words == [TOPIC] else _command_help(root, words)
    if command_input.as_json:
        command_input.session.json({"result": {"help": text}})
    else:
        command_input.session.line(text)


def _command_help(context: click.Context, words: Sequence[str]) -> str:
    """Return the help of a command.

    Raises:
        click.UsageError: there is no such command.
    """
    for word in words:
        group = context.command
        if not isinstance(group, click.Group):
            raise click.UsageError(f"{context.command_path} has no commands.", context)
        name, found, _ = group.resolve_command(context, [word])
        if found is None:
            raise click.UsageError(f"No such command {word!r}.", context)
        context = found.context_class(found, info_name=name, parent=context)
    return context.get_help()


def _connection_help(context: click.Context) -> str:
    formatter = context.make_formatter()
    for paragraph in CONNECTION_TEXT.split("\n\n"):
        formatter.write_paragraph()
        formatter.write_text(" ".join(paragraph.split()))
    records = [record for option in connection_options() if (record := option.get_help_record(context)) is not None]
    write_records(formatter, CONNECTION, records)
    write_example(formatter, CONNECTION_EXAMPLE)
    return formatter.getvalue().strip("\n")
