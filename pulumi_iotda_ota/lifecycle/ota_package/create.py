"""Create a package at most once, and compare packages.

The identity of a package is its type, resource space, product, module and version. Whether the service accepts a second
package with one identity is not documented. A package that equals every input was created by an interrupted run and is
adopted. A package that equals only some inputs belongs to another owner, and is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.api.requests import OBS_FIELDS
from pulumi_iotda_ota.iotda.errors import IotdaOtaError, ProtocolError, ServiceError
from pulumi_iotda_ota.iotda.models import PackageQuery, UnreadableRecord
from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.iotda.sanitize import quoted, sanitize
from pulumi_iotda_ota.lifecycle.base import holds_unknown
from pulumi_iotda_ota.lifecycle.recovery import Creation, create_once
from pulumi_iotda_ota.lookup.find import contradictions, held_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import ListedPackage, OtaPackage
    from pulumi_iotda_ota.iotda.retry import Deadline
    from pulumi_iotda_ota.lifecycle.base import Properties, ResourceContext

IDENTITY = ("package_type", "app_id", "product_id", "module_name", "version")
#: A change of one of these is another file, or is for other devices.
FILE_INPUTS = (*IDENTITY, "obs_location")
#: The texts about a package. The service cannot change them either.
TEXTS = ("support_source_versions", "description", "custom_info")

_FREE_TEXTS = ("description", "custom_info")  # their values can be long and private, so no error contains them
_SIGN_METHOD = "SHA256"  # the value of the API if none is sent
# The usual number is one. If the service accepts several packages with one identity, the newest ones are compared.
_MOST_TWINS = 10


def create_package_once(context: ResourceContext, client: Client, inputs: Properties) -> OtaPackage:
    """Return the package, created now or adopted.

    Raises:
        IotdaOtaError: a package with this identity exists that differs, or that another resource owns.
        OutcomeUnknown: the service may have accepted the request, and the package did not appear within two minutes.
    """

    def create() -> OtaPackage:
        body = {name: inputs[name] for name in (*IDENTITY, *TEXTS) if name in inputs}
        try:
            return client.create_package({**body, "file_location": {"obs_location": inputs["obs_location"]}})
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
    """Refuse at the preview what the update would refuse.

    Raises:
        IotdaOtaError: a package with this identity exists that differs.
    """
    if found := _twins(client, inputs, _replaced(context, client)):
        _equal(inputs, found)


def _twins(
    client: Client, inputs: Properties, replaced: set[str], *, deadline: Deadline | None = None
) -> list[OtaPackage]:
    """Return the newest packages with the same identity and their files, without those to be replaced."""
    listed = [package for package in _listed(client, inputs, deadline) if _id(package) not in replaced]
    found: list[OtaPackage] = []
    for package in listed[:_MOST_TWINS]:
        try:
            detail = client.show_package(_id(package), deadline=deadline)
        except ServiceError as error:
            if not error.is_not_found:
                raise
            continue  # it was deleted after the list was read
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
    """Return the packages with the same identity, and the records that may be one of them.

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


def _equal(inputs: Properties, found: Sequence[OtaPackage]) -> OtaPackage:
    """Return the newest package that equals every input, out of one or more."""
    for package in found:
        if not _differing(package, inputs):
            return package
    newest = found[0]
    facts = [
        ("found", f"package {sanitize(newest.package_id)}, uploaded {sanitize(newest.created_at)}"),
        *(("", _difference(*differing)) for differing in _differing(newest, inputs)),
        ("fix", f"change {argument('version')}, or declare it with equal values to adopt it, or delete that package"),
    ]
    raise IotdaOtaError(f"another {described(inputs)} exists already", facts=facts)


def _note_predecessor(error: ServiceError, client: Client, inputs: Properties, context: ResourceContext) -> None:
    """Add a fix to the error of a service that accepts no second package with one identity."""
    replaced = _replaced(context, client)
    if not replaced:
        return
    try:
        twins = [package for package in map(_id, _listed(client, inputs, None)) if package in replaced]
    except IotdaOtaError:
        return  # the first error is the one to report
    if twins:
        error.note("found", f"package {twins[0]}, which is kept until the new one exists")
        error.note(
            "fix",
            f"change {argument('version')}; or, if the service accepts no second package of this version, let Pulumi "
            f"delete the old one first ({argument('delete_before_replace', True)} in its options), with all that "
            "depends on it",
        )


def changed_inputs(olds: Properties, news: Properties) -> tuple[str, ...]:
    """Return the inputs in which two packages differ. An input that is not known yet may differ, and counts."""
    unknown = {name for name in (*FILE_INPUTS, *TEXTS) if holds_unknown(news.get(name))}
    before = _compared(olds)
    after = _compared({name: value for name, value in news.items() if name not in unknown})
    differing = {name.partition(".")[0] for name in before if before[name] != after[name]}
    return tuple(name for name in (*FILE_INPUTS, *TEXTS) if name in differing | unknown)


def kept_key(properties: Properties) -> str:
    """Return a key of a package that the program declares: equal for equal packages."""
    return repr(sorted(_compared(properties).items()))


def drift(package: OtaPackage, state: Properties) -> list[str]:
    """Return a description of each field that the service now describes differently than the state.

    A field that the service does not return agrees.
    """
    differing = [(name, now, before) for name, now, before in _differing(package, state) if now]
    if contradictions({"create_time": state.get("create_time")}, {"create_time": package.create_time}):
        differing.append(("create_time", package.create_time, state["create_time"]))
    return [_difference(name, now, before) for name, now, before in differing]


def described(inputs: Properties) -> str:
    """Return the name of a package in an error or warning."""
    module = f", module {inputs['module_name']}" if inputs.get("module_name") else ""
    return f"{inputs['package_type']} of product {inputs['product_id']}{module}, version {inputs['version']}"


def _differing(package: OtaPackage, inputs: Properties) -> list[tuple[str, Any, Any]]:
    """Return name, value on the service and declared value of each input that a package does not equal.

    A checksum that is not declared is no difference: the service can compute it itself.
    """
    location = package.file_location.obs_location if package.file_location else None
    fields = {name: getattr(package, name) for name in (*IDENTITY, *TEXTS)}
    found = _compared({**fields, "obs_location": location.model_dump() if location else {}})
    wanted = _compared(inputs)
    if wanted["obs_location.sign"] is None:
        found["obs_location.sign"] = None
    return [(name, found[name], wanted[name]) for name in wanted if found[name] != wanted[name]]


def _compared(properties: Properties) -> dict[str, Any]:
    """Return the compared values of a package, each in one form. The properties need not be valid."""
    location, versions = properties.get("obs_location"), properties.get("support_source_versions")
    obs = {name: location.get(name) if isinstance(location, dict) else None for name in OBS_FIELDS}
    return {
        **{name: properties.get(name) or None for name in IDENTITY},
        **{name: properties.get(name) or "" for name in _FREE_TEXTS},
        "support_source_versions": sorted(
            {str(item) for item in versions} if isinstance(versions, (list, tuple)) else ()
        ),
        **{f"obs_location.{name}": value for name, value in obs.items()},
        "obs_location.sign_method": obs["sign_method"] or _SIGN_METHOD,
        "obs_location.sign": str(obs["sign"]).lower() if obs["sign"] else None,
    }


def _difference(name: str, found: Any, wanted: Any) -> str:
    if name in _FREE_TEXTS:
        return f"{argument(name)} differs"
    return f"{argument(name)} is {_value(found)}, not {_value(wanted)}"


def _value(value: Any) -> str:
    return "none" if value in (None, []) else quoted(value)
