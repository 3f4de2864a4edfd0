"""UpgradeTaskConfirmation as a program declares it. What it does is in ``lifecycle/``; nothing is asked here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi import dynamic

from pulumi_iotda_ota import pulumi_compat, pulumi_inputs
from pulumi_iotda_ota.dynamic import UpgradeTaskConfirmationProvider
from pulumi_iotda_ota.dynamic.inputs import given, properties, refuse_import
from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.lifecycle.confirmation import Confirmation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi_iotda_ota.iotda.auth.connection_model import Connection


class UpgradeTaskConfirmation(dynamic.Resource, module="iotda-ota", name="UpgradeTaskConfirmation"):
    """A person's approval of a campaign whose task was created with ``need_confirm``: its devices start with it.

    It is refused unless the approved packages are the task's, so that a task that was replaced is never confirmed
    unseen. It owns nothing on the service, and forgetting it stops nothing.

    Args:
        resource_name: the name of the resource in the stack.
        task_id: the task to confirm.
        approved_package_ids: the packages that were reviewed, written out in the program; no Output is taken.
        connection: where to ask; only what is not secret may be given here.
        opts: options of the resource.

    Raises:
        InputError: ``approved_package_ids`` is an Output, ``connection`` holds a secret, or ``opts`` asks for an
            import.
    """

    task_id: pulumi.Output[str]
    """The task that was confirmed."""
    task_name: pulumi.Output[str]
    """Its name."""
    status: pulumi.Output[str]
    """Its status before it was confirmed, or as it was found where it had begun already."""

    def __init__(
        self,
        resource_name: str,
        *,
        task_id: pulumi.Input[str],
        approved_package_ids: Sequence[str],
        connection: Connection | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        refuse_import("UpgradeTaskConfirmation", opts, Confirmation.import_advice)
        _require_written_out(approved_package_ids)
        inputs = given(UpgradeTaskConfirmation, locals())
        outputs = properties(inputs, Confirmation.outputs)
        super().__init__(UpgradeTaskConfirmationProvider(), resource_name, outputs, opts)
        pulumi_inputs.register(self, "task_id", constant_id=True)


def _require_written_out(approved: object) -> None:
    """Refuse an Output: what a lookup finds is approved by nobody."""
    if pulumi_compat.holds_output(approved):
        error = InputError(
            "approved_package_ids is a Pulumi Output, but must be literal ids, so that a review shows each change",
            argument="approved_package_ids",
            facts=[("fix", "write the ids of the reviewed packages as strings, or read them from the configuration")],
        )
        raise pulumi_compat.as_run_error(error)
