"""The command `emulator`: starts the local IoTDA, with the options of `python -m pulumi_iotda_ota.emulator`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pulumi_iotda_ota.cli.options import OneOf, Option, command
from pulumi_iotda_ota.emulator.__main__ import OPTIONS, serve, values_of

if TYPE_CHECKING:
    from pulumi_iotda_ota.cli.options import CommandInput
    from pulumi_iotda_ota.emulator.__main__ import CommandOption
    from pulumi_iotda_ota.emulator.instance import Emulator


def _option(option: CommandOption) -> Option:
    text = f"{option.help[:1].upper()}{option.help[1:]}."
    if option.type is None:
        return Option([option.name], is_flag=True, help=text)
    type_: Any = click.Path(path_type=Path) if option.type is Path else option.type
    more: dict[str, Any] = {"is_flag": False, "flag_value": option.alone} if option.alone else {}
    return Option(
        [option.name],
        type=OneOf(option.choices) if option.choices else type_,
        metavar=option.metavar,
        default=option.default,
        help=text,
        **more,
    )


@command(
    "emulator",
    more=[_option(option) for option in OPTIONS],
    connects=False,
    example="""\
iotda-ota emulator --env > emulator.env &
until [ -s emulator.env ]; do sleep 1; done; . ./emulator.env""",
)
def emulator(command_input: CommandInput) -> None:
    """Serve a local IoTDA, to try things out without an account.

    Prints one line of JSON: endpoint, access_key, secret_key, project_id and region. With --env it prints the
    environment variables as commands of a shell. Ctrl-C ends it. Needs the extra `emulator`.
    """
    if command_input.as_json and command_input.flags["env"]:
        raise click.UsageError("--json and --env: give one of them")

    def started(running: Emulator) -> None:
        # In one line, as without --json: the program that starts it reads one.
        command_input.session.line(json.dumps({"result": values_of(running)}))
        command_input.session.out.flush()

    try:
        serve(**command_input.flags, started=started if command_input.as_json else None)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    except (ImportError, OSError) as error:
        raise click.ClickException(str(error)) from error
