"""The command `emulator`: serve a local IoTDA, with the options of `python -m pulumi_iotda_ota.emulator`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pulumi_iotda_ota.cli.click_classes import OneOf, Option
from pulumi_iotda_ota.cli.options import command
from pulumi_iotda_ota.emulator.__main__ import OPTIONS, serve, values_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.cli.options import CommandInput
    from pulumi_iotda_ota.emulator.instance import Emulator


def _option(name: str, declared: Mapping[str, Any]) -> Option:
    """Return an option of argparse as an option of click."""
    if "action" in declared:
        return Option([name], is_flag=True, help=declared["help"])
    type_: Any = click.Path(path_type=Path) if declared.get("type") is Path else declared.get("type", str)
    more: dict[str, Any] = {"is_flag": False, "flag_value": declared["const"]} if "const" in declared else {}
    return Option(
        [name],
        type=OneOf(declared["choices"]) if "choices" in declared else type_,
        metavar=declared.get("metavar"),
        default=declared.get("default"),
        help=declared["help"],
        **more,
    )


@command(
    "emulator",
    more=[_option(name, declared) for name, declared in OPTIONS.items()],
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
        raise click.UsageError("--json and --env exclude each other")

    def started(running: Emulator) -> None:
        # One line, as without --json: the program that starts it reads one line.
        command_input.session.line(json.dumps({"result": values_of(running)}))
        command_input.session.out.flush()

    try:
        serve(**command_input.flags, started=started if command_input.as_json else None)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    except (ImportError, OSError) as error:
        raise click.ClickException(str(error)) from error
