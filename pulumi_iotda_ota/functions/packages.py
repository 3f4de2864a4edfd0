"""Door 1: the functions of a Pulumi program in Python. They run inside the program, without a provider process.

The plain forms take plain values and return a result; they work outside a Pulumi program too. The ``_output`` forms
take Inputs and return an Output. Both ask what the API pages ListOtaPackageInfo and ShowOtaPackage describe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from pulumi_iotda_ota.functions import results
from pulumi_iotda_ota.functions.invoke import Function, camel_keys, snake_keys
from pulumi_iotda_ota.functions.tasks import UPGRADE_TASK
from pulumi_iotda_ota.iotda.case import camel
from pulumi_iotda_ota.lookup import find, query
from pulumi_iotda_ota.operations import package_answer
from pulumi_iotda_ota.schema.validation import normal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pulumi

    from pulumi_iotda_ota.context import Context
    from pulumi_iotda_ota.functions.results import GetOtaPackageResult, GetOtaPackagesResult
    from pulumi_iotda_ota.iotda.auth.connection_model import Connection
    from pulumi_iotda_ota.lookup.session import Run

OrderBy = Literal["version", "create_time"]
OnMissing = Literal["error", "none"]
Scheme = Literal["loose", "semver"]


def get_ota_packages(
    *,
    package_type: str,
    app_id: str | None = None,
    product_id: str | None = None,
    module_name: str | None = None,
    version: str | None = None,
    version_constraint: str | None = None,
    version_regex: str | None = None,
    version_scheme: Scheme = "loose",
    include_prereleases: bool | None = None,
    preferred_versions: Sequence[str] | None = None,
    source_versions: Sequence[str] | None = None,
    allow_downgrade: bool = False,
    created_after: str | None = None,
    created_before: str | None = None,
    strict_versions: bool = False,
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
        version_constraint: a range such as ``^1.4``, ``~1.2.3``, ``>=1.2,<2`` or ``1.2.x || 2.1``.
        version_regex: what the whole version must match, in the syntax of Rust's regex crate; linear time.
        version_scheme: ``loose`` (any version, numbers as numbers) or ``semver``; never guessed.
        include_prereleases: keep prereleases; by default a list does.
        preferred_versions: these come first, in this order.
        source_versions: what the devices run now; the package must support all of them and be below none.
        allow_downgrade: keep packages below one of ``source_versions``.
        created_after: the earliest upload, inclusive: RFC 3339 or ``yyyyMMddTHHmmssZ``.
        created_before: the end of the uploads, exclusive; a fixed one makes a preview and its update agree.
        strict_versions: make it an error if a version, or an upload time that is needed, cannot be read.
        order_by: ``version`` or ``create_time``, the highest or newest first; without it the service's order, which is
            the newest record first.
        max_items: return at most this many; the result's ``truncated`` says whether some were left out. Without
            ``order_by`` the list is read no further than that takes, and ``skipped`` and ``skipped_counts`` tell of
            what was read.
        connection: where and as whom to ask; by default from the stack's configuration and the environment.
        opts: options of the call; there is no provider process to choose.

    Returns:
        The packages, in ``packages``; an empty list where nothing fits.

    Raises:
        IotdaOtaError: see ``pulumi_iotda_ota.errors``; there is never a partial list.
    """
    return _PACKAGES.plain(_given(locals()), connection, opts)


def get_ota_packages_output(
    *,
    package_type: pulumi.Input[str],
    app_id: pulumi.Input[str | None] = None,
    product_id: pulumi.Input[str | None] = None,
    module_name: pulumi.Input[str | None] = None,
    version: pulumi.Input[str | None] = None,
    version_constraint: pulumi.Input[str | None] = None,
    version_regex: pulumi.Input[str | None] = None,
    version_scheme: pulumi.Input[Scheme] = "loose",
    include_prereleases: pulumi.Input[bool | None] = None,
    preferred_versions: pulumi.Input[Sequence[pulumi.Input[str]] | None] = None,
    source_versions: pulumi.Input[Sequence[pulumi.Input[str]] | None] = None,
    allow_downgrade: pulumi.Input[bool] = False,
    created_after: pulumi.Input[str | None] = None,
    created_before: pulumi.Input[str | None] = None,
    strict_versions: pulumi.Input[bool] = False,
    order_by: pulumi.Input[OrderBy | None] = None,
    max_items: pulumi.Input[int | None] = None,
    connection: Connection | None = None,
    opts: pulumi.InvokeOptions | pulumi.InvokeOutputOptions | None = None,
) -> pulumi.Output[GetOtaPackagesResult]:
    """List the OTA packages that fit, as an Output; see :func:`get_ota_packages`.

    An unknown argument, or a ``depends_on`` that is not created yet, gives an unknown result and sends nothing. A
    secret argument makes the result secret. An Output that resolves to None is an error.
    """
    return _PACKAGES.output(_given(locals()), connection, opts)


@overload
def get_ota_package(
    *,
    package_type: str | None = None,
    app_id: str | None = None,
    product_id: str | None = None,
    module_name: str | None = None,
    version: str | None = None,
    version_constraint: str | None = None,
    version_regex: str | None = None,
    version_scheme: Scheme = "loose",
    include_prereleases: bool | None = None,
    preferred_versions: Sequence[str] | None = None,
    source_versions: Sequence[str] | None = None,
    allow_downgrade: bool = False,
    created_after: str | None = None,
    created_before: str | None = None,
    strict_versions: bool = False,
    package_id: str | None = None,
    require_checksum: bool = False,
    highest_version: bool = False,
    most_recent: bool = False,
    on_missing: Literal["error"] = "error",
    allow_multiple_scopes: bool = False,
    include_file_location: bool = False,
    lock: str | None = None,
    verify: bool = False,
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
    version_constraint: str | None = None,
    version_regex: str | None = None,
    version_scheme: Scheme = "loose",
    include_prereleases: bool | None = None,
    preferred_versions: Sequence[str] | None = None,
    source_versions: Sequence[str] | None = None,
    allow_downgrade: bool = False,
    created_after: str | None = None,
    created_before: str | None = None,
    strict_versions: bool = False,
    package_id: str | None = None,
    require_checksum: bool = False,
    highest_version: bool = False,
    most_recent: bool = False,
    on_missing: OnMissing,
    allow_multiple_scopes: bool = False,
    include_file_location: bool = False,
    lock: str | None = None,
    verify: bool = False,
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
    version_constraint: str | None = None,
    version_regex: str | None = None,
    version_scheme: Scheme = "loose",
    include_prereleases: bool | None = None,
    preferred_versions: Sequence[str] | None = None,
    source_versions: Sequence[str] | None = None,
    allow_downgrade: bool = False,
    created_after: str | None = None,
    created_before: str | None = None,
    strict_versions: bool = False,
    package_id: str | None = None,
    require_checksum: bool = False,
    highest_version: bool = False,
    most_recent: bool = False,
    on_missing: OnMissing = "error",
    allow_multiple_scopes: bool = False,
    include_file_location: bool = False,
    lock: str | None = None,
    verify: bool = False,
    connection: Connection | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> GetOtaPackageResult | None:
    """Return the one OTA package that fits, or None where nothing does and ``on_missing`` is ``none``.

    Args:
        package_type: ``softwarePackage``, ``firmwarePackage`` or ``modulePackage``; required without ``package_id``.
        app_id: the resource space, at most 36 characters; without it every space that the credentials see.
        product_id: the product, at most 36 characters.
        module_name: the module of a modulePackage, at most 64 characters.
        version: the exact version, at most 256 characters.
        version_constraint: a range such as ``^1.4``, ``~1.2.3``, ``>=1.2,<2`` or ``1.2.x || 2.1``.
        version_regex: what the whole version must match, in the syntax of Rust's regex crate; linear time.
        version_scheme: ``loose`` (any version, numbers as numbers) or ``semver``; never guessed.
        include_prereleases: keep prereleases; by default only where one is asked for by name.
        preferred_versions: the first of these that a package has wins, before any order.
        source_versions: what the devices run now; the package must support all of them and be below none.
        allow_downgrade: keep packages below one of ``source_versions``.
        created_after: the earliest upload, inclusive: RFC 3339 or ``yyyyMMddTHHmmssZ``.
        created_before: the end of the uploads, exclusive; a fixed one makes a preview and its update agree.
        strict_versions: make it an error if a version, or an upload time that is needed, cannot be read.
        package_id: fetch this package (ShowOtaPackage) instead of selecting one; goes with no selection argument.
        require_checksum: only a package whose file has a SHA-256 checksum; one more request a candidate, 50 at most.
        highest_version: if several packages match, take the one with the highest version. Ties go to the newest record.
        most_recent: if several packages match, take the one that was uploaded last. Excludes ``highest_version``; if
            neither is set, several matches are an error that lists them.
        on_missing: ``error``, or ``none`` to return None where nothing fits.
        allow_multiple_scopes: allow a choice among packages of several resource spaces, products or modules.
        include_file_location: fetch the OBS location and checksum of the package too: one more request.
        lock: answer by this name from the lock file, which ``iotda-ota lock`` writes: nothing is sent, and no
            credentials are needed. Words of a selection beside it must be those that are locked.
        verify: ask whether the locked package is still there, and unchanged: one request. Goes with ``lock``.
        connection: where and as whom to ask; by default from the stack's configuration and the environment.
        opts: options of the call; there is no provider process to choose.

    Raises:
        PackageNotFound: nothing fits; the error tells what came near. Or what is locked is gone, with ``verify``.
        LockError: the lock file can not answer: it says what to run.
        MultiplePackages: more than one fits; the error lists them. Others: see :func:`get_ota_packages`.
    """
    return _PACKAGE.plain(_given(locals()), connection, opts)


@overload
def get_ota_package_output(
    *,
    package_type: pulumi.Input[str | None] = None,
    app_id: pulumi.Input[str | None] = None,
    product_id: pulumi.Input[str | None] = None,
    module_name: pulumi.Input[str | None] = None,
    version: pulumi.Input[str | None] = None,
    version_constraint: pulumi.Input[str | None] = None,
    version_regex: pulumi.Input[str | None] = None,
    version_scheme: pulumi.Input[Scheme] = "loose",
    include_prereleases: pulumi.Input[bool | None] = None,
    preferred_versions: pulumi.Input[Sequence[pulumi.Input[str]] | None] = None,
    source_versions: pulumi.Input[Sequence[pulumi.Input[str]] | None] = None,
    allow_downgrade: pulumi.Input[bool] = False,
    created_after: pulumi.Input[str | None] = None,
    created_before: pulumi.Input[str | None] = None,
    strict_versions: pulumi.Input[bool] = False,
    package_id: pulumi.Input[str | None] = None,
    require_checksum: pulumi.Input[bool] = False,
    highest_version: pulumi.Input[bool] = False,
    most_recent: pulumi.Input[bool] = False,
    on_missing: Literal["error"] = "error",
    allow_multiple_scopes: pulumi.Input[bool] = False,
    include_file_location: pulumi.Input[bool] = False,
    lock: pulumi.Input[str | None] = None,
    verify: pulumi.Input[bool] = False,
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
    version_constraint: pulumi.Input[str | None] = None,
    version_regex: pulumi.Input[str | None] = None,
    version_scheme: pulumi.Input[Scheme] = "loose",
    include_prereleases: pulumi.Input[bool | None] = None,
    preferred_versions: pulumi.Input[Sequence[pulumi.Input[str]] | None] = None,
    source_versions: pulumi.Input[Sequence[pulumi.Input[str]] | None] = None,
    allow_downgrade: pulumi.Input[bool] = False,
    created_after: pulumi.Input[str | None] = None,
    created_before: pulumi.Input[str | None] = None,
    strict_versions: pulumi.Input[bool] = False,
    package_id: pulumi.Input[str | None] = None,
    require_checksum: pulumi.Input[bool] = False,
    highest_version: pulumi.Input[bool] = False,
    most_recent: pulumi.Input[bool] = False,
    on_missing: pulumi.Input[OnMissing],
    allow_multiple_scopes: pulumi.Input[bool] = False,
    include_file_location: pulumi.Input[bool] = False,
    lock: pulumi.Input[str | None] = None,
    verify: pulumi.Input[bool] = False,
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
    version_constraint: pulumi.Input[str | None] = None,
    version_regex: pulumi.Input[str | None] = None,
    version_scheme: pulumi.Input[Scheme] = "loose",
    include_prereleases: pulumi.Input[bool | None] = None,
    preferred_versions: pulumi.Input[Sequence[pulumi.Input[str]] | None] = None,
    source_versions: pulumi.Input[Sequence[pulumi.Input[str]] | None] = None,
    allow_downgrade: pulumi.Input[bool] = False,
    created_after: pulumi.Input[str | None] = None,
    created_before: pulumi.Input[str | None] = None,
    strict_versions: pulumi.Input[bool] = False,
    package_id: pulumi.Input[str | None] = None,
    require_checksum: pulumi.Input[bool] = False,
    highest_version: pulumi.Input[bool] = False,
    most_recent: pulumi.Input[bool] = False,
    on_missing: pulumi.Input[OnMissing] = "error",
    allow_multiple_scopes: pulumi.Input[bool] = False,
    include_file_location: pulumi.Input[bool] = False,
    lock: pulumi.Input[str | None] = None,
    verify: pulumi.Input[bool] = False,
    connection: Connection | None = None,
    opts: pulumi.InvokeOptions | pulumi.InvokeOutputOptions | None = None,
) -> Any:
    """Look up the one OTA package that fits, as an Output; see :func:`get_ota_package`.

    An unknown argument, or a ``depends_on`` that is not created yet, gives an unknown result and sends nothing. A
    secret argument makes the result secret. An Output that resolves to None is an error. Where the result can be None,
    read it with ``.apply``.
    """
    return _PACKAGE.output(_given(locals()), connection, opts)


def _given(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of the table that a function was given."""
    return {name: value for name, value in given.items() if name not in ("connection", "opts")}


def _list(run: Run, context: Context, values: Mapping[str, Any]) -> GetOtaPackagesResult:
    asked = query.PackagesLookup.from_arguments(values)
    return results.packages_result(find.find_packages(run, context.resolved(), asked))


def _find(run: Run, context: Context, values: Mapping[str, Any]) -> GetOtaPackageResult | None:
    found = package_answer(run, context, values)
    return None if found is None else results.package_from_mapping(found)


def answer(token: str, arguments: Mapping[str, Any], *, asked: tuple[Run, Context] | None = None) -> dict[str, Any]:
    """Answer a function by its token, in the plugin's names, as a stand-in for the engine needs it.

    Args:
        token: such as ``iotda-ota:index:getOtaPackage``.
        arguments: in camelCase.
        asked: who is asked and where; by default the service that the program's settings lead to.

    Raises:
        KeyError: there is no such function.
        IotdaOtaError: the lookup failed.
    """
    function: Function[Any] = {function.token: function for function in (_PACKAGES, _PACKAGE, UPGRADE_TASK)}[token]
    values = normal(snake_keys(dict(arguments)))
    result = function.work(values, None)() if asked is None else function.ask(*asked, values)
    if result is None:
        return {"found": False}
    answered: dict[str, Any] = results.answered(result)
    for skipped in answered.get("skipped", ()):
        skipped["rule"] = camel(skipped["rule"])
    named: dict[str, Any] = camel_keys(answered)
    return {"found": True, **named} if function is _PACKAGE else named


def _mocked_package(answer: dict[str, Any]) -> GetOtaPackageResult | None:
    """Return the result of what a user's ``Mocks.call`` gave, in the plugin's names; ``found: False`` is None."""
    return results.package_from_mapping(snake_keys(answer)) if answer.get("found", True) else None


def _mocked_packages(answer: dict[str, Any]) -> GetOtaPackagesResult:
    return results.packages_from_mapping(snake_keys(answer))


_PACKAGES = Function("get_ota_packages", _list, _mocked_packages)
_PACKAGE = Function("get_ota_package", _find, _mocked_package)
