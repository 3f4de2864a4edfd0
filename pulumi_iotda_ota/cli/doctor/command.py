"""The command `doctor`: what it is given. What it finds is in ``checks.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.cli.options import command

if TYPE_CHECKING:
    from pulumi_iotda_ota.cli.options import CommandInput


@command("doctor")
def doctor(command_input: CommandInput) -> None:
    """Find out why asking does not work.

    Tells where every setting comes from, whether the endpoint can be reached, whether the clock is right, whether the
    credential is let in and may list packages and tasks; and warns of secrets that stand unencrypted in the
    configuration of a stack of the Pulumi project around this folder. Secrets are masked. Each finding has its remedy.
    The exit code is 1 where something does not work; a warning does not change it.
    """
    from pulumi_iotda_ota.cli.doctor.checks import examine  # noqa: PLC0415  loads pydantic

    examine(command_input)
