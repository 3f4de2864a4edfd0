"""OtaPackage as a program declares it. What it does is in ``lifecycle/``; nothing is asked here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi import dynamic

from pulumi_iotda_ota import pulumi_inputs
from pulumi_iotda_ota.dynamic import OtaPackageProvider
from pulumi_iotda_ota.dynamic.inputs import given, properties, refuse_import
from pulumi_iotda_ota.lifecycle.ota_package import resource as ota_package

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi_iotda_ota.iotda.auth.connection_model import Connection


class OtaPackage(dynamic.Resource, module="iotda-ota", name="OtaPackage"):
    """A package made of an object that lies in OBS. The service can not change one: a change replaces it.

    A package that agrees in everything is taken over; one that agrees only in part is an error. The object itself is
    never touched. Declare an existing package with equal arguments to adopt it; ``import_`` is refused.

    Args:
        resource_name: the name of the resource in the stack.
        package_type: ``softwarePackage``, ``firmwarePackage`` or ``modulePackage``.
        app_id: the resource space.
        product_id: the product of the devices.
        version: the version.
        obs_location: where the file lies: ``region_name``, ``bucket_name``, ``object_key``, and optionally its SHA-256
            as ``sign`` (64 hexadecimal digits; ``sign_method`` is SHA256). The service takes files of at most 1 GB.
        module_name: the module, for a modulePackage and only for one.
        support_source_versions: the versions that it can upgrade, at most 20; by default all.
        description: at most 1,024 characters.
        custom_info: what is pushed to the devices with it, at most 4,096 characters.
        allow_replace: let a change of ``description``, ``custom_info`` or ``support_source_versions`` replace the
            package, and so its id; by default that is an error at the preview.
        connection: where to create it; only what is not secret may be given here.
        opts: options of the resource.

    Raises:
        InputError: an argument is wrong, ``connection`` holds a secret, or ``opts`` asks for an import.
    """

    package_id: pulumi.Output[str]
    """The id of the package: what an upgrade task wants."""
    package_type: pulumi.Output[str]
    """The type: softwarePackage, firmwarePackage or modulePackage."""
    app_id: pulumi.Output[str]
    """The resource space."""
    product_id: pulumi.Output[str]
    """The product of the devices it is for."""
    product_name: pulumi.Output[str | None]
    """The name of the product."""
    version: pulumi.Output[str]
    """The version."""
    obs_location: pulumi.Output[dict[str, str]]
    """Where the file lies, as it was given."""
    module_name: pulumi.Output[str | None]
    """The module, of a modulePackage."""
    support_source_versions: pulumi.Output[list[str]]
    """The versions it can upgrade; empty: all."""
    description: pulumi.Output[str | None]
    """What is written about it."""
    custom_info: pulumi.Output[str | None]
    """What is pushed to the devices with it."""
    create_time: pulumi.Output[str]
    """When it was created, as the API writes it."""
    created_at: pulumi.Output[str]
    """When it was created, as RFC 3339."""
    exists: pulumi.Output[bool]
    """Whether it is still there, as of the last refresh or update."""

    def __init__(
        self,
        resource_name: str,
        *,
        package_type: pulumi.Input[str],
        app_id: pulumi.Input[str],
        product_id: pulumi.Input[str],
        version: pulumi.Input[str],
        obs_location: pulumi.Input[Mapping[str, pulumi.Input[str]]],
        module_name: pulumi.Input[str | None] = None,
        support_source_versions: pulumi.Input[Sequence[pulumi.Input[str]] | None] = None,
        description: pulumi.Input[str | None] = None,
        custom_info: pulumi.Input[str | None] = None,
        allow_replace: pulumi.Input[bool | None] = None,
        connection: Connection | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        refuse_import("OtaPackage", opts, ota_package.ADOPTED_IF_EQUAL)
        inputs = given(OtaPackage, locals())
        super().__init__(OtaPackageProvider(), resource_name, properties(inputs, ota_package.OUTPUTS), opts)
        pulumi_inputs.register(self, "package_id", constant_id=False)
