"""Door 2: dynamic resources, thin adapters over ``lifecycle/``.

The class paths of the resources and their providers are stored in stacks' states and therefore frozen: a rename would
orphan resources. A provider holds nothing, so that what is stored is a reference to its class and the same on every
Python.
"""

from __future__ import annotations

import os
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import pulumi
from pulumi import dynamic

from pulumi_iotda_ota import arguments, sdk
from pulumi_iotda_ota.iotda.connection import CONFIG_NAMES
from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError
from pulumi_iotda_ota.iotda.retry import SYSTEM_CLOCK
from pulumi_iotda_ota.lifecycle import pin, upgrade_task
from pulumi_iotda_ota.lifecycle.base import UNKNOWN, World
from pulumi_iotda_ota.run import Run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pulumi_iotda_ota.arguments import Argument, Problem
    from pulumi_iotda_ota.iotda.connection import Connection
    from pulumi_iotda_ota.lifecycle.base import Lifecycle, Properties

__all__ = ["OtaPackagePin", "UpgradeTask"]


# A dynamic provider is one process for one command; it keeps its connections, and no answer: what is created there
# must be seen by the next look.
_run = Run(memo=False)
_created: set[str] = set()


class _Provider(dynamic.ResourceProvider):
    """Hands each call of the engine to a life cycle."""

    # Nothing secret is stored in a provider, and each secret costs an encryption.
    serialize_as_secret_always = False
    lifecycle: ClassVar[type[Lifecycle]]
    # Set on the copy that serves, which is never stored; the provider that a program pickles has none.
    _configuration: Mapping[str, Any] = MappingProxyType({})

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        """Take the stack's configuration; called once, before anything else."""
        sdk.print_own_errors_without_traceback()
        self._configuration = sdk.provider_config(req, CONFIG_NAMES)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        """Complete the inputs, and tell what is wrong with them."""
        checked = self.lifecycle.check(self._world(), _plain(_olds), _plain(news))
        # With a property name the engine prints the value, secret or not.
        failures = [dynamic.CheckFailure("", _reason(problem)) for problem in checked.problems]
        return dynamic.CheckResult(_wire(checked.inputs), failures)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """Tell what the new inputs change."""
        diff = self.lifecycle.diff(self._world(), _id, _plain(_olds), _plain(_news))
        return dynamic.DiffResult(diff.changes, list(diff.replaces), delete_before_replace=diff.delete_first)

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Create the resource."""
        created = self.lifecycle.create(self._world(), _plain(props))
        return dynamic.CreateResult(created.id, created.outputs)

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """Tell the state as it is now."""
        return dynamic.ReadResult(id_, self.lifecycle.read(self._world(), id_, _plain(props)))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Tell the state under the new inputs: all of it, what is left out is lost."""
        return dynamic.UpdateResult(self.lifecycle.update(self._world(), _id, _plain(_olds), _plain(_news)))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Remove the resource."""
        self.lifecycle.delete(self._world(), _id, _plain(_props))

    def _world(self) -> World:
        return World(_run, self._configuration, os.environ, SYSTEM_CLOCK, _warn, _created)


class OtaPackagePinProvider(_Provider):
    """Serves OtaPackagePin. Its path is stored in states."""

    lifecycle = pin.Pin


class UpgradeTaskProvider(_Provider):
    """Serves UpgradeTask. Its path is stored in states."""

    lifecycle = upgrade_task.UpgradeTask


class OtaPackagePin(dynamic.Resource, module="iotda-ota", name="OtaPackagePin"):
    """The package that a lookup found, kept until the selection or ``triggers`` change. Owns nothing on the service.

    It is resolved at the preview, which so shows the id that the update will use. It can not be imported.

    Args:
        resource_name: the name of the resource in the stack.
        package_type: see ``get_ota_package``, as the arguments up to ``with_file_location``.
        app_id: the resource space.
        product_id: the product.
        module_name: the module of a modulePackage.
        version: the exact version.
        version_constraint: a range of versions.
        version_regex: what the whole version must match.
        version_scheme: ``loose`` or ``semver``.
        include_prereleases: keep prereleases.
        preferred_versions: the first of these that fits wins.
        source_versions: what the devices run now.
        allow_downgrade: keep packages below one of ``source_versions``.
        created_after: the earliest upload, inclusive.
        created_before: the end of the uploads, exclusive.
        strict_versions: refuse versions that the scheme can not read.
        require_signature: only a package whose file has a SHA-256 checksum.
        package_id: pin this package instead of selecting one.
        most_recent: take the first by ``order_by`` where several fit.
        order_by: ``version`` or ``create_time``.
        allow_unscoped: allow a choice across resource spaces, products and modules.
        with_file_location: keep the OBS location and checksum too.
        triggers: any values; when one changes, the selection is resolved again.
        expect_package_id: the package that was reviewed; an answer that differs is an error naming both.
        verify: ask at each preview whether the pinned package is still there, one request; True by default.
        connection: where to ask; only what is not secret may be given here.
        opts: options of the resource.

    Raises:
        InputError: ``connection`` holds a secret, or ``opts`` asks for an import.
    """

    package_id: pulumi.Output[str]
    """The id of the package: what an upgrade task wants."""
    app_id: pulumi.Output[str]
    """The resource space."""
    package_type: pulumi.Output[str]
    """The type: softwarePackage, firmwarePackage or modulePackage."""
    product_id: pulumi.Output[str]
    """The product of the devices it is for."""
    product_name: pulumi.Output[str | None]
    """The name of the product."""
    module_name: pulumi.Output[str | None]
    """The module, of a modulePackage."""
    version: pulumi.Output[str]
    """The version."""
    support_source_versions: pulumi.Output[list[str]]
    """The versions it can upgrade; empty: all."""
    description: pulumi.Output[str | None]
    """What the uploader wrote about it."""
    custom_info: pulumi.Output[str | None]
    """What is pushed to the devices with it."""
    create_time: pulumi.Output[str]
    """When it was uploaded, as the API writes it."""
    created_at: pulumi.Output[str]
    """When it was uploaded, as RFC 3339."""
    file_location: pulumi.Output[dict[str, Any] | None]
    """Where its file lies; only when it was asked for."""
    revision: pulumi.Output[int]
    """1 at first; grows each time the pin moves to another package."""
    exists: pulumi.Output[bool]
    """Whether the package is still there, as of the last refresh or update."""
    newer_available: pulumi.Output[str]
    """The version that the selection would give now, as of the last refresh; empty where it is the pinned package."""

    def __init__(
        self,
        resource_name: str,
        *,
        package_type: pulumi.Input[str | None] = None,
        app_id: pulumi.Input[str | None] = None,
        product_id: pulumi.Input[str | None] = None,
        module_name: pulumi.Input[str | None] = None,
        version: pulumi.Input[str | None] = None,
        version_constraint: pulumi.Input[str | None] = None,
        version_regex: pulumi.Input[str | None] = None,
        version_scheme: pulumi.Input[str | None] = None,
        include_prereleases: pulumi.Input[bool | None] = None,
        preferred_versions: pulumi.Input[Sequence[pulumi.Input[str]] | None] = None,
        source_versions: pulumi.Input[Sequence[pulumi.Input[str]] | None] = None,
        allow_downgrade: pulumi.Input[bool | None] = None,
        created_after: pulumi.Input[str | None] = None,
        created_before: pulumi.Input[str | None] = None,
        strict_versions: pulumi.Input[bool | None] = None,
        package_id: pulumi.Input[str | None] = None,
        require_signature: pulumi.Input[bool | None] = None,
        most_recent: pulumi.Input[bool | None] = None,
        order_by: pulumi.Input[str | None] = None,
        allow_unscoped: pulumi.Input[bool | None] = None,
        with_file_location: pulumi.Input[bool | None] = None,
        triggers: pulumi.Input[Any] = None,
        expect_package_id: pulumi.Input[str | None] = None,
        verify: pulumi.Input[bool | None] = None,
        connection: Connection | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        _refuse_import("OtaPackagePin", opts, "leave import_ out; expect_package_id holds the pin to a package")
        _refuse_ignoring(opts)
        inputs = _given(arguments.OTA_PACKAGE_PIN, locals())
        super().__init__(OtaPackagePinProvider(), resource_name, _properties(inputs, pin.OUTPUTS), opts)


class UpgradeTask(dynamic.Resource, module="iotda-ota", name="UpgradeTask"):
    """A campaign that installs packages on devices. It is created once and never waited for.

    An interrupted or repeated update finds the task by its name and takes it over. See the README for what happens at
    a change, a refresh and a destroy.

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
        InputError: ``connection`` holds a secret.
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
        _refuse_import(
            "UpgradeTask", opts, "leave import_ out; a task that this program made is found again by its name"
        )
        inputs = {**_given(arguments.UPGRADE_TASK, locals()), "scope": _scope(resource_name, opts)}
        outputs = ("task_id", "task_name", "status", "status_desc", "progress", "create_time", "identity")
        super().__init__(UpgradeTaskProvider(), resource_name, _properties(inputs, outputs), opts)


def _given(table: Iterable[Argument], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs among what a constructor was given: the table's arguments and the connection."""
    inputs = {argument.name: given[argument.name] for argument in table if argument.name in given}
    if sdk.holds_asset(inputs.get("triggers")):
        error = InputError(
            "triggers can not hold an asset: give its text, or a checksum of its file", argument="triggers"
        )
        raise sdk.rendered(error)
    return {**inputs, "connection": _public(given["connection"])}


def _refuse_import(kind: str, opts: pulumi.ResourceOptions | None, advice: str) -> None:
    if opts is not None and opts.import_ is not None:
        raise _told(f"{kind} can not be imported: a dynamic resource is made by its program alone", advice)


def _refuse_ignoring(opts: pulumi.ResourceOptions | None) -> None:
    """Refuse to ignore changes of what selects the package: the engine would put what was found in its place."""
    ignored = sorted({str(name) for name in (opts and opts.ignore_changes) or ()} & {*pin.Pin.input_names, "*"})
    if ignored:
        raise _told(
            f"ignore_changes of {' and '.join(ignored)} would move the pin instead of keeping it",
            "leave it out: a pin keeps its package until its selection or triggers change",
        )


def _told(headline: str, advice: str) -> IotdaOtaError:
    return sdk.rendered(InputError(headline, argument="opts", facts=[("what to do", advice)]))


def _scope(resource_name: str, opts: pulumi.ResourceOptions | None) -> dict[str, str]:
    """Return what keeps equal campaigns of two resources apart; a dynamic provider can not see it."""
    scope = {
        "organization": pulumi.get_organization(),
        "project": pulumi.get_project(),
        "stack": pulumi.get_stack(),
        "name": resource_name,
    }
    parent = opts.parent if opts else None
    if parent is not None:
        # Children of two components may have one name.
        scope["parent"] = f"{parent.pulumi_resource_type}::{parent.pulumi_resource_name}"
    return scope


def _properties(inputs: dict[str, Any], outputs: Iterable[str]) -> dict[str, Any]:
    """Return what a resource registers; an output without an input of that name is announced by None."""
    return {**dict.fromkeys(outputs), **inputs}


def _public(connection: Connection | None) -> dict[str, Any] | None:
    """Return the connection as inputs, which are stored in the state and must hold no secret."""
    if connection is None:
        return None
    if connection.has_secrets:
        error = InputError(
            "connection holds a secret, and what a resource is given is stored in the stack's state",
            argument="connection",
            facts=[
                ("what to do", "put credentials into the environment (HW_ACCESS_KEY, HW_SECRET_KEY) or the stack's"),
                ("", "configuration (pulumi config set --secret iotda-ota:secretKey)"),
            ],
        )
        raise sdk.rendered(error)
    return connection.public()


def _plain(properties: Mapping[str, Any]) -> Properties:
    known: Properties = sdk.without_unknowns(dict(properties), UNKNOWN)
    known.pop("__provider", None)
    return known


def _wire(properties: Properties) -> dict[str, Any]:
    wired: dict[str, Any] = sdk.with_unknowns(properties, UNKNOWN)
    return wired


def _reason(problem: Problem) -> str:
    return f"{problem.argument}: {problem.reason}" if problem.argument else problem.reason


def _warn(line: str) -> None:
    # Pulumi shows the standard error of a provider below the stack.
    print(f"warning: {line}", file=sys.stderr, flush=True)  # noqa: T201
