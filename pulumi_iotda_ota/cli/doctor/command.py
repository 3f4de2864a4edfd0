"""The command `doctor`: what it is given. What it finds is in ``checks.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.cli.options import command

if TYPE_CHECKING:
    from pulumi_iotda_ota.cli.options import CommandInput


@command("doctor", example="iotda-ota doctor --stack dev")
def doctor(command_input: CommandInput) -> None:
    """Show where each setting comes from, and check the connection.

    Checks the endpoint, the clock, the credentials, and the permissions to list packages and tasks. Warns of secrets
    that are not encrypted in the stack configuration of the Pulumi project around this folder. Secrets are redacted.
    Each problem has a fix. The exit code is 1 if there is a problem; a warning does not change it.
    """
    from pulumi_iotda_ota.cli.doctor.checks import examine  # noqa: PLC0415  loads pydantic

    examine(command_input)
