"""The command `emulator`: starts the local IoTDA, with the options of `python -m pulumi_iotda_ota.emulator`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pulumi_iotda_ota.cli.options import Option, command
from pulumi_iotda_ota.emulator.__main__ import OPTIONS, serve

if TYPE_CHECKING:
    from pulumi_iotda_ota.cli.options import CommandInput
    from pulumi_iotda_ota.emulator.__main__ import CommandOption


def _option(option: CommandOption) -> Option:
    text = f"{option.help[:1].upper()}{option.help[1:]}."
    if option.type is None:
        return Option([option.name], is_flag=True, help=text)
    type_ = click.Path(path_type=Path) if option.type is Path else option.type
    return Option([option.name], type=type_, metavar=option.metavar, default=option.default, help=text)


@command("emulator", more=[_option(option) for option in OPTIONS], connects=False)
def emulator(command_input: CommandInput) -> None:
    """Serve a local IoTDA, to try things out without an account.

    Prints one line of JSON: endpoint, access_key, secret_key, project_id and region. Ends with Ctrl-C. Needs the extra
    emulator.
    """

    def tell(values: dict[str, str]) -> None:
        command_input.session.line(
            json.dumps({"result": values})
        )  # one line, as without it: whoever starts it reads one
        command_input.session.out.flush()

    told = {"tell": tell} if command_input.as_json else {}
    try:
        serve(**{**command_input.flags, **told})
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    except (ImportError, OSError) as error:
        raise click.ClickException(str(error)) from error
