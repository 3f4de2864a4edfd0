"""OtaPackagePin as a program declares it. What it does is in ``lifecycle/``; nothing is asked here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
from pulumi import dynamic

from pulumi_iotda_ota import pulumi_inputs
from pulumi_iotda_ota.dynamic import OtaPackagePinProvider
from pulumi_iotda_ota.dynamic.inputs import given, properties, refuse_import, refused
from pulumi_iotda_ota.lifecycle import pin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi_iotda_ota.iotda.auth.connection_model import Connection


class OtaPackagePin(dynamic.Resource, module="iotda-ota", name="OtaPackagePin"):
    """The package that a lookup found, kept until the selection or ``triggers`` change. Owns nothing on the service.

    With ``lock`` it is the package that is locked, and moves when the lock file does: with the commit.

    It is resolved at the preview, which so shows the id that the update will use. It cannot be imported.

    Args:
        resource_name: the name of the resource in the stack.
        package_type: see ``get_ota_package``, as the arguments up to ``include_file_location``.
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
        strict_versions: make it an error if a version, or an upload time that is needed, cannot be read.
        require_checksum: only a package whose file has a SHA-256 checksum.
        package_id: pin this package instead of selecting one.
        highest_version: if several packages match, take the one with the highest version.
        most_recent: if several packages match, take the one that was uploaded last.
        allow_multiple_scopes: allow a choice across resource spaces, products and modules.
        include_file_location: keep the OBS location and checksum too.
        lock: take the package of this name from the lock file, and move with it: nothing is sent for it. Words of a
            selection beside it must be those that are locked.
        triggers: any values; when one changes, the selection is resolved again.
        expected_package_id: the package that was reviewed; an answer that differs is an error naming both.
        verify: ask at each preview whether the pinned package is still there, one request; True by default, and
            False with ``lock``.
        connection: where to ask; only what is not secret may be given here.
        opts: options of the resource.

    Raises:
        InputError: an argument is wrong, ``connection`` holds a secret, or ``opts`` asks for an import.
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
    available_version: pulumi.Output[str]
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
        require_checksum: pulumi.Input[bool | None] = None,
        highest_version: pulumi.Input[bool | None] = None,
        most_recent: pulumi.Input[bool | None] = None,
        allow_multiple_scopes: pulumi.Input[bool | None] = None,
        include_file_location: pulumi.Input[bool | None] = None,
        lock: pulumi.Input[str | None] = None,
        triggers: pulumi.Input[Any] = None,
        expected_package_id: pulumi.Input[str | None] = None,
        verify: pulumi.Input[bool | None] = None,
        connection: Connection | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        refuse_import("OtaPackagePin", opts, pin.Pin.import_advice)
        _refuse_ignoring(opts)
        inputs = given(OtaPackagePin, locals())
        super().__init__(OtaPackagePinProvider(), resource_name, properties(inputs, pin.OUTPUTS), opts)
        pulumi_inputs.register(self, "package_id", constant_id=True)


def _refuse_ignoring(opts: pulumi.ResourceOptions | None) -> None:
    """Refuse to ignore changes of what selects the package: the engine would put what was found in its place."""
    ignored = sorted({str(name) for name in (opts and opts.ignore_changes) or ()} & {*pin.Pin.input_names, "*"})
    if ignored:
        raise refused(
            f"ignore_changes of {' and '.join(ignored)} would move the pin instead of keeping it",
            "remove it: a pin keeps its package until its selection or triggers change",
        )
