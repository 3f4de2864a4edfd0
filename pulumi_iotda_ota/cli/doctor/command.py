"""The command `doctor`: what it is given. What it finds is in ``checks.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pulumi_iotda_ota.cli.click_classes import Option
from pulumi_iotda_ota.cli.options import command
from pulumi_iotda_ota.iotda.actions import PROJECTS, PURPOSES, policies

if TYPE_CHECKING:
    from pulumi_iotda_ota.cli.options import CommandInput


@command(
    "doctor",
    example="iotda-ota doctor --stack dev",
    more=[
        Option(
            ["--policy"],
            is_flag=True,
            help="Print the least IAM policy as JSON, for both models of IAM, and examine nothing.",
        ),
        Option(
            ["--for", "purposes"],
            type=click.Choice(tuple(PURPOSES)),
            multiple=True,
            help="With --policy: what it is for. By default lookup. Repeat the option for several.",
        ),
    ],
)
def doctor(command_input: CommandInput) -> None:
    """Show where each setting comes from, and check the connection.

    Checks the endpoint, the clock, the credentials, and the permissions to list packages and tasks. Warns of secrets
    that are not encrypted in the stack configuration of the Pulumi project around this folder. Secrets are redacted.
    Each problem has a fix. The exit code is 1 if there is a problem; a warning does not change it.
    """
    purposes = command_input.flags["purposes"]
    if purposes and not command_input.flags["policy"]:
        raise click.UsageError("--for needs --policy")
    if command_input.flags["policy"]:
        made = policies(purposes or ["lookup"])
        command_input.session.json({"result": made} if command_input.as_json else made)
        command_input.session.note(
            f"If neither --project-id nor HW_PROJECT_ID is set, also allow {PROJECTS}, in a policy of its own, "
            "because IAM is a global service."
        )
        return
    from pulumi_iotda_ota.cli.doctor.checks import examine  # noqa: PLC0415  loads pydantic

    examine(command_input)
