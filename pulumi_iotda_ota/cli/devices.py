"""The commands of `device`: their options. What they do is in ``device_output.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.cli.commands import Family
from pulumi_iotda_ota.cli.options import command
from pulumi_iotda_ota.schema import GET_DEVICE_VERSIONS

if TYPE_CHECKING:
    from pulumi_iotda_ota.cli.options import CommandInput


@command(
    "versions",
    table=GET_DEVICE_VERSIONS,
    example="iotda-ota device versions --package-type firmwarePackage --group-id fleet",
)
def device_versions(command_input: CommandInput) -> None:
    """Count the devices that run each version.

    One line for each version: version, devices. The line of devices without a known version begins with a hyphen.
    """
    from pulumi_iotda_ota.cli.device_output import print_versions  # noqa: PLC0415  loads pydantic

    print_versions(command_input)


group = Family(
    "device",
    help="Read devices.",
    example="iotda-ota device versions --package-type firmwarePackage --group-id fleet",
)
group.add_command(device_versions)
