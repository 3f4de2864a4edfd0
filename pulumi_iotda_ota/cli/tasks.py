"""What the commands of `task` do that only ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.answers import task_values
from pulumi_iotda_ota.cli.asking import service
from pulumi_iotda_ota.query import UpgradeTaskLookup
from pulumi_iotda_ota.task_lookup import find_upgrade_task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.cli.options import Asked
    from pulumi_iotda_ota.cli.session import Session

__all__ = ["show_task"]


def show_task(asked: Asked) -> None:
    """Show a task."""
    lookup = UpgradeTaskLookup.from_arguments(asked.values)
    with service(asked) as asking:
        values = task_values(find_upgrade_task(asking.run, asking.connection, lookup))
    if asked.as_json:
        asked.session.json({"result": values})
    else:
        _print(asked.session, values)


def _print(session: Session, values: Mapping[str, Any]) -> None:
    shown = {name: value for name, value in values.items() if name not in ("id", "failing")}
    session.rows(list(shown.items()))
    session.rows([list(device.values()) for device in values["failing"]])
