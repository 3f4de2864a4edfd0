"""The command `doctor`: what it is given. What it finds is in ``checks.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pulumi_iotda_ota.cli.options import Option, command
from pulumi_iotda_ota.iotda.actions import PROJECTS, PURPOSES, policies

if TYPE_CHECKING:
    from pulumi_iotda_ota.cli.options import CommandInput


@command(
    "doctor",
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
    """Find out why asking does not work.

    Tells where every setting comes from, whether the endpoint can be reached, whether the clock is right, whether the
    credential is let in and may list packages and tasks; and warns of secrets that stand unencrypted in the
    configuration of a stack of the Pulumi project around this folder. Secrets are masked. Each finding has its remedy.
    The exit code is 1 where something does not work; a warning does not change it.
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
