"""UpgradeTask as a program declares it. What it does is in ``lifecycle/``; nothing is asked here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
from pulumi import dynamic

from pulumi_iotda_ota import pulumi_inputs
from pulumi_iotda_ota.dynamic import UpgradeTaskProvider
from pulumi_iotda_ota.dynamic.inputs import given, properties, refuse_import, scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi_iotda_ota.iotda.auth.connection_model import Connection


class UpgradeTask(dynamic.Resource, module="iotda-ota", name="UpgradeTask"):
    """A campaign that installs packages on devices. It is created once and never waited for.

    An interrupted or repeated update finds the task by its name and takes it over. docs/campaigns.md says what happens
    at a change, a refresh and a destroy.

    Args:
        resource_name: the name of the resource in the stack; the task's name starts with it.
        package_ids: the packages to install.
        targets: the devices, a set of at most 30,000 ids; either these or ``group_ids``.
        group_ids: the device groups, as they are when the task is created.
        task_type: by default what fits the type of the packages.
        app_id: the resource space; without it the default space.
        task_name_prefix: what the task's name starts with: letters, digits and ``_``.
        schedule_time: when the task starts, at most 7 days ahead: RFC 3339 or ``yyyyMMddTHHmmssZ``.
        retry_count: how often a device is tried again, 1 to 5; goes with ``retry_interval``.
        retry_interval: minutes between two tries, 0 to 1440.
        need_confirm: let the devices wait until the task is confirmed.
        task_mode: ``GATEWAY``, for devices behind a gateway.
        task_ext_info: an object of at most 512 characters as JSON.
        triggers: any values; when one changes, a new campaign starts.
        on_destroy: ``stop`` (default: a running task is stopped, a finished one stays), ``retain`` or ``delete``.
        document_key: ``package_ids`` (default), or ``package_id`` for instances that know only that.
        replace_running: allow a change to stop a campaign that still runs.
        adopt_within: how old a finished task of this campaign may be to be taken over: seconds, ``15m``, ``24h``.
        connection: where to create it; only what is not secret may be given here.
        opts: options of the resource.

    Raises:
        InputError: an argument is wrong, ``connection`` holds a secret.
    """

    task_id: pulumi.Output[str]
    """The id of the task."""
    task_name: pulumi.Output[str]
    """Its name: the prefix and 16 digits that stand for the campaign."""
    task_type: pulumi.Output[str]
    """softwareUpgrade, firmwareUpgrade or moduleUpgrade."""
    status: pulumi.Output[str]
    """Its status as of the last update or refresh; ``Gone`` when it was deleted elsewhere."""
    status_desc: pulumi.Output[str]
    """What the service says about the status."""
    progress: pulumi.Output[dict[str, int]]
    """How many devices are where, in the API's words, as of the last update or refresh."""
    create_time: pulumi.Output[str]
    """When it was created, as the API writes it."""

    def __init__(
        self,
        resource_name: str,
        *,
        package_ids: pulumi.Input[Sequence[pulumi.Input[str]]],
        targets: pulumi.Input[Sequence[pulumi.Input[str]] | None] = None,
        group_ids: pulumi.Input[Sequence[pulumi.Input[str]] | None] = None,
        task_type: pulumi.Input[str | None] = None,
        app_id: pulumi.Input[str | None] = None,
        task_name_prefix: pulumi.Input[str | None] = None,
        schedule_time: pulumi.Input[str | None] = None,
        retry_count: pulumi.Input[int | None] = None,
        retry_interval: pulumi.Input[int | None] = None,
        need_confirm: pulumi.Input[bool | None] = None,
        task_mode: pulumi.Input[str | None] = None,
        task_ext_info: pulumi.Input[Mapping[str, Any] | None] = None,
        triggers: pulumi.Input[Any] = None,
        on_destroy: pulumi.Input[str | None] = None,
        document_key: pulumi.Input[str | None] = None,
        replace_running: pulumi.Input[bool | None] = None,
        adopt_within: pulumi.Input[str | float | None] = None,
        connection: Connection | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        refuse_import("UpgradeTask", opts, _import_by_plugin(resource_name, opts))
        inputs = {**given(UpgradeTask, locals()), "scope": scope(resource_name, opts)}
        outputs = ("task_id", "task_name", "status", "status_desc", "progress", "create_time", "identity")
        super().__init__(UpgradeTaskProvider(), resource_name, properties(inputs, outputs), opts)
        pulumi_inputs.register(self, "task_id", constant_id=False)


def _import_by_plugin(resource_name: str, opts: pulumi.ResourceOptions | None) -> str:
    task_id = opts.import_ if opts else None
    return (
        "add the plugin to this project with pulumi package add, then run pulumi import "
        f"iotda-ota:index:UpgradeTask {resource_name} {task_id}; if you only wait for the task, declare an "
        "UpgradeTaskCompletion with its task_id instead"
    )
