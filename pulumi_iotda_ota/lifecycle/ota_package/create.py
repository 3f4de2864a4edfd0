"""Creates a package at most once, by what it is: type, resource space, product, module and version.

Whether the service accepts a second package of one version is not documented. A package that agrees in every input was
created by an interrupted run and is adopted. One that agrees in part belongs to someone else and is left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.errors import IotdaOtaError, ProtocolError, ServiceError
from pulumi_iotda_ota.iotda.models import PackageQuery, UnreadableRecord
from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lifecycle.ota_package.fields import IDENTITY, described, differences, new_package
from pulumi_iotda_ota.lifecycle.recovery import Creation, create_once
from pulumi_iotda_ota.lookup.find import held_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import ListedPackage, OtaPackage
    from pulumi_iotda_ota.iotda.retry import Deadline
    from pulumi_iotda_ota.lifecycle.base import Properties, ResourceContext

# One is usual; where the service takes several, the newest ones are compared.
_MOST_TWINS = 10


def create_package_once(context: ResourceContext, client: Client, inputs: Properties) -> OtaPackage:
    """Return the package, created now or adopted.

    Raises:
        IotdaOtaError: a package is there that agrees only in part, or that is another resource's.
        OutcomeUnknown: the service may have accepted the request, and the package did not appear within two minutes.
    """

    def create() -> OtaPackage:
        try:
            return client.create_package(new_package(inputs))
        except ServiceError as error:
            _note_predecessor(error, client, inputs, context)
            raise

    return create_once(
        context,
        client.connection.identity,
        Creation(
            kind="OTA package",
            name=described(inputs),
            key=("package", *(inputs.get(name) for name in IDENTITY)),
            find=lambda deadline: _twins(client, inputs, _replaced(context, client), deadline=deadline) or None,
            create=create,
            select=lambda found: _equal(inputs, found),
            id_of=lambda package: package.package_id,
            describe=lambda package: f"package {sanitize(package.package_id)}, uploaded {package.created_at}",
            advice=f"declare it once, and use its {argument('package_id')}",
        ),
    )


def require_no_other(context: ResourceContext, client: Client, inputs: Properties) -> None:
    """Refuse, at the preview, what the update would not create.

    Raises:
        IotdaOtaError: a package is there that agrees only in part.
    """
    found = _twins(client, inputs, _replaced(context, client))
    if found:
        _equal(inputs, found)


def _twins(
    client: Client, inputs: Properties, replaced: set[str], *, deadline: Deadline | None = None
) -> list[OtaPackage]:
    """Return the newest packages that agree in what a package is, with their files, without those to be replaced."""
    listed = [package for package in _listed(client, inputs, deadline) if _id(package) not in replaced]
    found: list[OtaPackage] = []
    for package in listed[:_MOST_TWINS]:
        detail = _detail(client, _id(package), deadline)
        if detail is None:
            continue
        if not isinstance(package, UnreadableRecord):
            held_to(package, detail)
        if _is_twin(detail, inputs):
            found.append(detail)
    return found


def _id(package: ListedPackage) -> str:
    return package.id if isinstance(package, UnreadableRecord) else package.package_id


def _replaced(context: ResourceContext, client: Client) -> set[str]:
    """Return the ids of the packages that exist only until their replacements are created."""
    return context.run_state.replaced(client.connection.identity)


def _listed(client: Client, inputs: Properties, deadline: Deadline | None) -> list[ListedPackage]:
    """Return the packages that agree in what a package is, and the records that may be one of them.

    Raises:
        ProtocolError: a record that cannot be judged has no id by which it could be read.
    """
    names = ("package_type", "app_id", "product_id", "version")
    found: list[ListedPackage] = []
    for package in client.list_packages(PackageQuery(**{name: inputs[name] for name in names}), deadline=deadline):
        if isinstance(package, UnreadableRecord) and not package.id:
            raise ProtocolError(
                f"whether a {described(inputs)} exists is not known: the list has {package}",
                facts=[("fix", "correct or delete that package on the console, and run pulumi up again")],
            )
        if isinstance(package, UnreadableRecord) or _is_twin(package, inputs):
            found.append(package)
    return found


def _is_twin(package: OtaPackage, inputs: Properties) -> bool:
    return all((getattr(package, name) or None) == inputs.get(name) for name in IDENTITY)


def _detail(client: Client, package_id: str, deadline: Deadline | None) -> OtaPackage | None:
    """Return a package with its file, or None where it was deleted since it was listed."""
    try:
        return client.show_package(package_id, deadline=deadline)
    except ServiceError as error:
        if not error.is_not_found:
            raise
        return None


def _equal(inputs: Properties, found: Sequence[OtaPackage]) -> OtaPackage:
    """Return the newest package that agrees in everything, out of one or more."""
    for package in found:
        if not differences(package, inputs):
            return package
    newest = found[0]
    facts = [
        ("found", f"package {sanitize(newest.package_id)}, uploaded {sanitize(newest.created_at)}"),
        *(("", difference) for difference in differences(newest, inputs)),
        ("fix", f"change {argument('version')}, or declare it with equal values to adopt it, or delete that package"),
    ]
    raise IotdaOtaError(f"another {described(inputs)} exists already", facts=facts)


def _note_predecessor(error: ServiceError, client: Client, inputs: Properties, context: ResourceContext) -> None:
    """Say what can be done where a service takes no second package of one version."""
    replaced = _replaced(context, client)
    if not replaced:
        return
    try:
        twins = [package for package in map(_id, _listed(client, inputs, None)) if package in replaced]
    except IotdaOtaError:
        return  # the refusal is what counts
    if twins:
        error.note("found", f"package {twins[0]}, which is kept until the new one exists")
        error.note(
            "fix",
            f"change {argument('version')}; or, if the service accepts no second package of this version, let Pulumi "
            f"delete the old one first ({argument('delete_before_replace', True)} in its options), with all that "
            "depends on it",
        )
