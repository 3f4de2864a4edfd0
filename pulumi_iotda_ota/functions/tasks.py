"""Door 1, of upgrade tasks: how a campaign stands, asked inside the program.

See ``functions/packages.py`` for packages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.functions import results
from pulumi_iotda_ota.functions.invoke import Function, snake_keys
from pulumi_iotda_ota.lookup import query, tasks

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pulumi

    from pulumi_iotda_ota.context import Context
    from pulumi_iotda_ota.functions.results import GetUpgradeTaskResult
    from pulumi_iotda_ota.iotda.auth.connection_model import Connection
    from pulumi_iotda_ota.lookup.session import Run


def get_upgrade_task(
    *, task_id: str, connection: Connection | None = None, opts: pulumi.InvokeOptions | None = None
) -> GetUpgradeTaskResult:
    """Return an upgrade task as it is now, with the first 100 devices that fail and why; wait for nothing.

    It is asked anew at each call (ShowBatchTask): one request, and one more for each failing status that occurs and 50
    devices of it. What devices report back is never read, it can hold their secrets.

    Args:
        task_id: the task, 1 to 24 lower-case hexadecimal digits.
        connection: where and as whom to ask; by default from the stack's configuration and the environment.
        opts: options of the call; there is no provider process to choose.

    Raises:
        ServiceError: there is no such task (``status`` 404), or the service refused.
        IotdaOtaError: see ``pulumi_iotda_ota.errors``.
    """
    return UPGRADE_TASK.plain({"task_id": task_id}, connection, opts)


def get_upgrade_task_output(
    *,
    task_id: pulumi.Input[str],
    connection: Connection | None = None,
    opts: pulumi.InvokeOptions | pulumi.InvokeOutputOptions | None = None,
) -> pulumi.Output[GetUpgradeTaskResult]:
    """Return an upgrade task as an Output; see :func:`get_upgrade_task`.

    An unknown id, or a ``depends_on`` that is not created yet, gives an unknown result and sends nothing. A secret id
    makes the result secret.
    """
    return UPGRADE_TASK.output({"task_id": task_id}, connection, opts)


def _show(run: Run, context: Context, values: Mapping[str, Any]) -> GetUpgradeTaskResult:
    lookup = query.UpgradeTaskLookup.from_arguments(values)
    return results.task_result(tasks.find_upgrade_task(run, context.resolved(), lookup))


def _mocked(answer: dict[str, Any]) -> GetUpgradeTaskResult:
    return results.task_from_mapping(snake_keys(answer))


UPGRADE_TASK = Function("get_upgrade_task", _show, _mocked)
