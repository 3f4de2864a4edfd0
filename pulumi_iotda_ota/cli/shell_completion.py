"""The command `completion`: prints what lets a shell complete commands, options and values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from click.shell_completion import get_completion_class

from pulumi_iotda_ota.cli.commands import Positional
from pulumi_iotda_ota.cli.options import OneOf, command

if TYPE_CHECKING:
    from pulumi_iotda_ota.cli.options import CommandInput

_SHELLS = ("bash", "zsh", "fish")
# What click looks for in the environment when it is asked for completions.
_VARIABLE = "_IOTDA_OTA_COMPLETE"


@command(
    "completion",
    more=[Positional(["shell"], metavar="SHELL", type=OneOf(_SHELLS), help="bash (4.4 or later), zsh or fish.")],
    connects=False,
    example='eval "$(iotda-ota completion bash)"',
)
def completion(command_input: CommandInput) -> None:
    """Print the script with which a shell completes commands, options and values."""
    context = click.get_current_context().find_root()
    script = get_completion_class(command_input.flags["shell"])
    if script is None:  # click has all three
        raise click.UsageError(f"click knows no completion for {command_input.flags['shell']}")
    text = script(context.command, {}, str(context.info_name), _VARIABLE).source()
    if command_input.as_json:
        command_input.session.json({"result": {"script": text}})
    else:
        command_input.session.line(text)
