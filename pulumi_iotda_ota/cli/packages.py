"""The commands of `package`: what they are given. What they do is in ``package_output.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.cli.commands import Family
from pulumi_iotda_ota.cli.options import OneOf, Option, command, format_option
from pulumi_iotda_ota.schema import GET_OTA_PACKAGE, GET_OTA_PACKAGES, GET_UPGRADE_PATH, outputs

if TYPE_CHECKING:
    from pulumi_iotda_ota.cli.options import CommandInput

_FIELDS = tuple(output.name for output in outputs.PACKAGE.fields)
_FIELD = Option(["--field"], type=OneOf(_FIELDS), metavar="NAME", help="Print only this field, such as package_id.")
_LIST_FIELD = Option(
    ["--field"],
    # A list never requests where a file is.
    type=OneOf([name for name in _FIELDS if name != "file_location"]),
    metavar="NAME",
    help="Print only this field, such as package_id.",
)
_EXPLAIN = Option(["--explain"], is_flag=True, help="Print which packages were skipped, and why.")
_ALL_SKIPPED = Option(
    ["--all-skipped"], is_flag=True, help="With --explain or --json: all skipped packages, not only the first ones."
)


@command(
    "list",
    table=GET_OTA_PACKAGES,
    more=[_LIST_FIELD],
    example="""\
iotda-ota package list --package-type firmwarePackage \\
  --product-id smart-meter --version-constraint '^1.4' --order-by version""",
)
def list_packages(command_input: CommandInput) -> None:
    """List all OTA packages that match.

    One line for each package: version, package_id, product_id, upload time. If the output is no terminal, tabs separate
    them. If nothing matches, the exit code is 0.
    """
    from pulumi_iotda_ota.cli.package_output import list_all  # noqa: PLC0415  loads pydantic

    list_all(command_input)


@command(
    "get",
    table=GET_OTA_PACKAGE,
    more=[_FIELD, _EXPLAIN, _ALL_SKIPPED],
    example="""\
iotda-ota package get --package-type firmwarePackage \\
  --product-id smart-meter --version-constraint '^1.4' \\
  --source-version V1.3.2 --highest-version""",
)
def get_package(command_input: CommandInput) -> None:
    """Look up one OTA package.

    Prints version, package_id, product_id and upload time, and whether a checksum is recorded if that was requested. If
    the output is no terminal, tabs separate them.
    """
    from pulumi_iotda_ota.cli.package_output import get_one  # noqa: PLC0415  loads pydantic

    get_one(command_input)


@command(
    "path",
    table=GET_UPGRADE_PATH,
    more=[format_option("text", "mermaid", "dot", "json")],
    example="""\
iotda-ota package path --package-type firmwarePackage \\
  --product-id smart-meter --version V1.4.10 --source-version V1.0.0""",
)
def find_path(command_input: CommandInput) -> None:
    """Find the packages by which devices reach a package.

    One line for each hop: the version that devices run, the number of the hop, its version, its package_id. If a
    version cannot reach the target, standard error says what is missing, and the exit code is 6.
    """
    from pulumi_iotda_ota.cli.path_output import print_paths  # noqa: PLC0415  loads pydantic

    print_paths(command_input)


group = Family(
    "package",
    help="Look up OTA packages.",
    example="iotda-ota package list --package-type firmwarePackage --product-id smart-meter",
)
for _command in (get_package, list_packages, find_path):
    group.add_command(_command)
