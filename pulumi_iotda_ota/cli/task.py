"""The commands of `task`: what they are given. What they do is in ``tasks.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pulumi_iotda_ota.arguments import GET_UPGRADE_TASK
from pulumi_iotda_ota.cli.options import command

if TYPE_CHECKING:
    from pulumi_iotda_ota.cli.options import Asked

__all__ = ["group"]


@command("show", table=GET_UPGRADE_TASK, positional="task_id")
def show(asked: Asked) -> None:
    """Show how an upgrade task stands, with the first 100 devices that fail and why."""
    from pulumi_iotda_ota.cli.tasks import show_task  # noqa: PLC0415  loads pydantic

    show_task(asked)


group = click.Group("task", commands=[show], help="Look after an upgrade task.")
