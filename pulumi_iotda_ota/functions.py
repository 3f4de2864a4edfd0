"""Door 1: the functions of a Pulumi program in Python. They run inside the program, without a provider process.

The plain forms take plain values and return a result; they work outside a Pulumi program too. The ``_output`` forms
take Inputs and return an Output.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from pulumi_iotda_ota import lookup, results
from pulumi_iotda_ota.arguments import normal
from pulumi_iotda_ota.invocation import Function, camel_keys, snake_keys

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pulumi

    from pulumi_iotda_ota.iotda.connection import Connection, ResolvedConnection
    from pulumi_iotda_ota.results import GetOtaPackageResult, GetOtaPackagesResult
    from pulumi_iotda_ota.run import Run

__all__ = ["answer", "get_ota_package", "get_ota_package_output", "get_ota_packages", "get_ota_packages_output"]

OrderBy = Literal["version", "create_time"]
OnMissing = Literal["error", "none"]


def get_ota_packages(
    *,
    package_type: str,
    app_id: str | None = None,
    product_id: str | None = None,
    module_name: str | None = None,
    version: str | None = None,
    order_by: OrderBy | None = None,
    max_items: int | None = None,
    connection: Connection | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> GetOtaPackagesResult:
    """List the OTA packages that fit, over all pages.

    Args:
        package_type: ``softwarePackage``, ``firmwarePackage`` or ``modulePackage``.
        app_id: the resource space, at most 36 characters; without it every space that the credentials see.
        product_id: the product, at most 36 characters.
        module_name: the module of a modulePackage, at most 64 characters.
        version: the exact version, at most 256 characters.
        order_by: ``version`` or ``create_time``, the highest or newest first; without it the service's order, which is
            the newest record first.
        max_items: return at most this many; the result's ``truncated`` says whether some were left out.
        connection: where and as whom to ask; by default from the stack's configuration and the environment.
        opts: options of the call; there is no provider process to choose.

    Returns:
        The packages, in ``packages``; an empty list where nothing fits.

    Raises:
        IotdaOtaError: see ``pulumi_iotda_ota.iotda.errors``; there is never a partial list.

    Source: the API page ListOtaPackageInfo.
    """
    values = {
        "package_type": package_type,
        "app_id": app_id,
        "product_id": product_id,
        "module_name": module_name,
        "version": version,
        "order_by": order_by,
        "max_items": max_items,
    }
    return _PACKAGES.plain(values, connection, opts)


def get_ota_packages_output(
    *,
    package_type: pulumi.Input[str],
    app_id: pulumi.Input[str | None] = None,
    product_id: pulumi.Input[str | None] = None,
    module_name: pulumi.Input[str | None] = None,
    version: pulumi.Input[str | None] = None,
    order_by: pulumi.Input[OrderBy | None] = None,
    max_items: pulumi.Input[int | None] = None,
    connection: Connection | None = None,
    opts: pulumi.InvokeOptions | pulumi.InvokeOutputOptions | None = None,
) -> pulumi.Output[GetOtaPackagesResult]:
    """List the OTA packages that fit, as an Output; see :func:`get_ota_packages`.

    An unknown argument, or a ``depends_on`` that is not created yet, gives an unknown result and sends nothing. A
    secret argument makes the result secret.
    """
    values = {
        "package_type": package_type,
        "app_id": app_id,
        "product_id": product_id,
        "module_name": module_name,
        "version": version,
        "order_by": order_by,
        "max_items": max_items,
    }
    return _PACKAGES.output(values, connection, opts)


@overload
def get_ota_package(
    *,
    package_type: str | None = None,
    app_id: str | None = None,
    product_id: str | None = None,
    module_name: str | None = None,
    version: str | None = None,
    package_id: str | None = None,
    most_recent: bool = False,
    order_by: OrderBy = "version",
    on_missing: Literal["error"] = "error",
    allow_unscoped: bool = False,
    with_file_location: bool = False,
    connection: Connection | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> GetOtaPackageResult: ...
@overload
def get_ota_package(
    *,
    package_type: str | None = None,
    app_id: str | None = None,
    product_id: str | None = None,
    module_name: str | None = None,
    version: str | None = None,
    package_id: str | None = None,
    most_recent: bool = False,
    order_by: OrderBy = "version",
    on_missing: OnMissing,
    allow_unscoped: bool = False,
    with_file_location: bool = False,
    connection: Connection | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> GetOtaPackageResult | None: ...
def get_ota_package(
    *,
    package_type: str | None = None,
    app_id: str | None = None,
    product_id: str | None = None,
    module_name: str | None = None,
    version: str | None = None,
    package_id: str | None = None,
    most_recent: bool = False,
    order_by: OrderBy = "version",
    on_missing: OnMissing = "error",
    allow_unscoped: bool = False,
    with_file_location: bool = False,
    connection: Connection | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> GetOtaPackageResult | None:
    """Look up the one OTA package that fits.

    Args:
        package_type: ``softwarePackage``, ``firmwarePackage`` or ``modulePackage``; required without ``package_id``.
        app_id: the resource space, at most 36 characters; without it every space that the credentials see.
        product_id: the product, at most 36 characters.
        module_name: the module of a modulePackage, at most 64 characters.
        version: the exact version, at most 256 characters.
        package_id: fetch this package (ShowOtaPackage) instead of selecting one; goes with no selection argument.
        most_recent: take the first by ``order_by`` where several fit; otherwise that is an error that lists them.
        order_by: ``version`` (highest; in this release with an exact version only) or ``create_time`` (newest upload).
            Ties go to the newest record.
        on_missing: ``error``, or ``none`` to return None where nothing fits.
        allow_unscoped: allow a choice among packages of several resource spaces, products or modules.
        with_file_location: fetch the OBS location and checksum of the package too: one more request.
        connection: where and as whom to ask; by default from the stack's configuration and the environment.
        opts: options of the call; there is no provider process to choose.

    Returns:
        The package, or None where nothing fits and ``on_missing`` is ``none``.

    Raises:
        PackageNotFound: nothing fits; the error tells what came near.
        MultiplePackages: more than one fits; the error lists them.
        IotdaOtaError: see ``pulumi_iotda_ota.iotda.errors``.

    Source: the API pages ListOtaPackageInfo and ShowOtaPackage.
    """
    values = {
        "package_type": package_type,
        "app_id": app_id,
        "product_id": product_id,
        "module_name": module_name,
        "version": version,
        "package_id": package_id,
        "most_recent": most_recent,
        "order_by": order_by,
        "on_missing": on_missing,
        "allow_unscoped": allow_unscoped,
        "with_file_location": with_file_location,
    }
    return _PACKAGE.plain(values, connection, opts)


@overload
def get_ota_package_output(
    *,
    package_type: pulumi.Input[str | None] = None,
    app_id: pulumi.Input[str | None] = None,
    product_id: pulumi.Input[str | None] = None,
    module_name: pulumi.Input[str | None] = None,
    version: pulumi.Input[str | None] = None,
    package_id: pulumi.Input[str | None] = None,
    most_recent: pulumi.Input[bool] = False,
    order_by: pulumi.Input[OrderBy] = "version",
    on_missing: Literal["error"] = "error",
    allow_unscoped: pulumi.Input[bool] = False,
    with_file_location: pulumi.Input[bool] = False,
    connection: Connection | None = None,
    opts: pulumi.InvokeOptions | pulumi.InvokeOutputOptions | None = None,
) -> pulumi.Output[GetOtaPackageResult]: ...
@overload
def get_ota_package_output(
    *,
    package_type: pulumi.Input[str | None] = None,
    app_id: pulumi.Input[str | None] = None,
    product_id: pulumi.Input[str | None] = None,
    module_name: pulumi.Input[str | None] = None,
    version: pulumi.Input[str | None] = None,
    package_id: pulumi.Input[str | None] = None,
    most_recent: pulumi.Input[bool] = False,
    order_by: pulumi.Input[OrderBy] = "version",
    on_missing: pulumi.Input[OnMissing],
    allow_unscoped: pulumi.Input[bool] = False,
    with_file_location: pulumi.Input[bool] = False,
    connection: Connection | None = None,
    opts: pulumi.InvokeOptions | pulumi.InvokeOutputOptions | None = None,
) -> pulumi.Output[GetOtaPackageResult | None]: ...
def get_ota_package_output(
    *,
    package_type: pulumi.Input[str | None] = None,
    app_id: pulumi.Input[str | None] = None,
    product_id: pulumi.Input[str | None] = None,
    module_name: pulumi.Input[str | None] = None,
    version: pulumi.Input[str | None] = None,
    package_id: pulumi.Input[str | None] = None,
    most_recent: pulumi.Input[bool] = False,
    order_by: pulumi.Input[OrderBy] = "version",
    on_missing: pulumi.Input[OnMissing] = "error",
    allow_unscoped: pulumi.Input[bool] = False,
    with_file_location: pulumi.Input[bool] = False,
    connection: Connection | None = None,
    opts: pulumi.InvokeOptions | pulumi.InvokeOutputOptions | None = None,
) -> Any:
    """Look up the one OTA package that fits, as an Output; see :func:`get_ota_package`.

    An unknown argument, or a ``depends_on`` that is not created yet, gives an unknown result and sends nothing. A
    secret argument makes the result secret. Where the result can be None, read it with ``.apply``.
    """
    values = {
        "package_type": package_type,
        "app_id": app_id,
        "product_id": product_id,
        "module_name": module_name,
        "version": version,
        "package_id": package_id,
        "most_recent": most_recent,
        "order_by": order_by,
        "on_missing": on_missing,
        "allow_unscoped": allow_unscoped,
        "with_file_location": with_file_location,
    }
    return _PACKAGE.output(values, connection, opts)


def _list(run: Run, connection: ResolvedConnection, values: Mapping[str, Any]) -> GetOtaPackagesResult:
    return results.packages_result(lookup.find_packages(run, connection, lookup.PackagesLookup.from_arguments(values)))


def _find(run: Run, connection: ResolvedConnection, values: Mapping[str, Any]) -> GetOtaPackageResult | None:
    found = lookup.find_package(run, connection, lookup.PackageLookup.from_arguments(values))
    return None if found is None else results.package_result(found)


def answer(token: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a function by its token, in the plugin's names, as a stand-in for the engine needs it.

    Args:
        token: such as ``iotda-ota:index:getOtaPackage``.
        arguments: in camelCase.

    Raises:
        KeyError: there is no such function.
        IotdaOtaError: the lookup failed.
    """
    function: Function[Any] = {function.token: function for function in (_PACKAGES, _PACKAGE)}[token]
    result = function.work(normal(snake_keys(dict(arguments))), None)()
    if result is None:
        return {"found": False}
    skipped = [item.to_dict() for item in result.skipped]
    answered: dict[str, Any] = camel_keys(
        {**result.to_dict(), "skipped": skipped, "skipped_counts": result.skipped_counts}
    )
    return answered


def _mocked_package(answer: dict[str, Any]) -> GetOtaPackageResult | None:
    """Return the result of what a user's ``Mocks.call`` gave, in the plugin's names; ``found: False`` is None."""
    return results.package_from_mapping(snake_keys(answer)) if answer.get("found", True) else None


def _mocked_packages(answer: dict[str, Any]) -> GetOtaPackagesResult:
    return results.packages_from_mapping(snake_keys(answer))


_PACKAGES = Function("get_ota_packages", _list, _mocked_packages)
_PACKAGE = Function("get_ota_package", _find, _mocked_package)
