"""UpgradeTaskCompletion as a program declares it. What it does is in ``lifecycle/``; nothing is asked here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
from pulumi import dynamic

from pulumi_iotda_ota import pulumi_inputs
from pulumi_iotda_ota.dynamic import UpgradeTaskCompletionProvider
from pulumi_iotda_ota.dynamic.inputs import given, properties, refuse_import
from pulumi_iotda_ota.lifecycle.completion import Completion

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.auth.connection_model import Connection


class UpgradeTaskCompletion(dynamic.Resource, module="iotda-ota", name="UpgradeTaskCompletion"):
    """The good end of a campaign: it is created once the task has ended well enough, and fails where it has not.

    So what depends on it starts only then: canary, completion, next wave. It owns nothing on the service. A wait that
    was cut off loses nothing, the next update goes on waiting. Its limits act only while it waits.

    Args:
        resource_name: the name of the resource in the stack.
        task_id: the task to wait for.
        max_failed_devices: how many devices may fail, 0 by default; either this or ``max_failed_percent``.
        max_failed_percent: how many devices of a hundred may fail, 0 to 100.
        min_devices: how many devices the task must have at least, 1 by default.
        timeout: how long to wait: seconds, ``15m``, ``2h``; ``1h`` by default. 0 judges the task as it is now.
        stop_when_exceeded: stop the task as soon as more devices have failed than may.
        retry_failed: try the devices that failed once more, one retry an update, and judge the task after that.
        triggers: any values; when one changes, the task is waited for and judged again.
        connection: where to ask; only what is not secret may be given here.
        opts: options of the resource.

    Raises:
        InputError: an argument is wrong, ``connection`` holds a secret, or ``opts`` asks for an import.
    """

    task_id: pulumi.Output[str]
    """The task that was waited for."""
    task_name: pulumi.Output[str]
    """Its name."""
    status: pulumi.Output[str]
    """How it ended: Success, PartialSuccess or Fail, within the limits."""
    status_desc: pulumi.Output[str]
    """What the service says about the status."""
    progress: pulumi.Output[dict[str, int]]
    """How many devices were where at the end, in the API's words."""
    failed_count: pulumi.Output[int]
    """How many devices were not upgraded."""

    def __init__(
        self,
        resource_name: str,
        *,
        task_id: pulumi.Input[str],
        max_failed_devices: pulumi.Input[int | None] = None,
        max_failed_percent: pulumi.Input[float | None] = None,
        min_devices: pulumi.Input[int | None] = None,
        timeout: pulumi.Input[str | float | None] = None,
        stop_when_exceeded: pulumi.Input[bool | None] = None,
        retry_failed: pulumi.Input[bool | None] = None,
        triggers: pulumi.Input[Any] = None,
        connection: Connection | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        refuse_import("UpgradeTaskCompletion", opts, Completion.import_advice)
        inputs = given(UpgradeTaskCompletion, locals())
        super().__init__(UpgradeTaskCompletionProvider(), resource_name, properties(inputs, Completion.outputs), opts)
        pulumi_inputs.register(self, "task_id", constant_id=True)
