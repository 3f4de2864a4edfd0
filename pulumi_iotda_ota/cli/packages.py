"""The commands `list` and `get`: what they are given. What they do is in ``package_output.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pulumi_iotda_ota.cli.options import Option, command
from pulumi_iotda_ota.schema import GET_OTA_PACKAGE, GET_OTA_PACKAGES, outputs

if TYPE_CHECKING:
    from pulumi_iotda_ota.cli.options import CommandInput

_FIELDS = tuple(output.name for output in outputs.PACKAGE.fields)
_FIELD = Option(
    ["--field"], type=click.Choice(_FIELDS), metavar="NAME", help="Print this field alone, such as package_id."
)


_LIST_FIELD = Option(
    ["--field"],
    # A list never asks where a file is.
    type=click.Choice([name for name in _FIELDS if name != "file_location"]),
    metavar="NAME",
    help="Print this field alone, such as package_id.",
)


@command("list", table=GET_OTA_PACKAGES, more=[_LIST_FIELD])
def list_packages(command_input: CommandInput) -> None:
    """List the OTA packages that fit, over all pages.

    A line a package: version, package_id, product_id, upload time; with tabs between them where the output is no
    terminal. A list that is empty is an answer, too: the exit code is 0.
    """
    from pulumi_iotda_ota.cli.package_output import list_all  # noqa: PLC0415  loads pydantic

    list_all(command_input)


@command(
    "get",
    table=GET_OTA_PACKAGE,
    more=[
        _FIELD,
        Option(["--why"], is_flag=True, help="Tell which packages were passed over for it, and why."),
        Option(["--all"], is_flag=True, help="With --why or --json: all that were passed over, not the first few."),
    ],
)
def get_package(command_input: CommandInput) -> None:
    """Look up the one OTA package that fits.

    Prints version, package_id, product_id and upload time, and whether the file has a checksum where that was asked
    for; with tabs between them where the output is no terminal.
    """
    from pulumi_iotda_ota.cli.package_output import get_one  # noqa: PLC0415  loads pydantic

    get_one(command_input)
