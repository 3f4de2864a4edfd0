"""OtaPackagePin: the package that a lookup found, kept until the selection changes. Owns nothing on the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.errors import PackageNotFound
from pulumi_iotda_ota.iotda.errors import IotdaOtaError, ServiceError
from pulumi_iotda_ota.iotda.references import argument, field
from pulumi_iotda_ota.iotda.sanitize import plural, quoted
from pulumi_iotda_ota.lifecycle.base import (
    UNKNOWN,
    Checked,
    Created,
    Diff,
    Imported,
    collecting,
    declared,
    holds_unknown,
    known_problems,
    refused_import,
)
from pulumi_iotda_ota.lifecycle.identity import require_gone
from pulumi_iotda_ota.lock.entry import differing_places, differing_words, place_of
from pulumi_iotda_ota.lookup.find import contradictions, find_package
from pulumi_iotda_ota.lookup.query import PackageLookup
from pulumi_iotda_ota.operations import locked_entry, locked_fields, require_unchanged
from pulumi_iotda_ota.schema import outputs
from pulumi_iotda_ota.schema.validation import Problem, normal
from pulumi_iotda_ota.selection.choose import UNREADABLE
from pulumi_iotda_ota.serialization import package_values

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.models import OtaPackage
    from pulumi_iotda_ota.lifecycle.base import Properties, ResourceContext

# A constant, because nothing on the service has an id of the pin. Another id would replace the resource.
_ID = "pin"
_OTHER_INPUTS = ("include_file_location", "lock", "triggers", "expected_package_id", "verify", "connection")
# The selection arguments, and the value of each that has the same meaning as no value.
_SELECTION = {argument.name: argument.default for argument in schema.SELECTION}
OUTPUTS = tuple(output.name for output in outputs.OTA_PACKAGE_PIN)
_IDENTITY = ("region", "endpoint", "project_id", "instance_id", "profile")
# The package depends on these. All others can be unknown at a preview that shows the id.
_DECIDING = ("lock", "triggers", "include_file_location", "verify", "connection")
_COMPARED = (*_OTHER_INPUTS, "package_id", "revision", "locked_query")


class Pin:
    """The life cycle of a pin."""

    input_names: ClassVar = (*_SELECTION, *_OTHER_INPUTS)
    import_advice: ClassVar = (
        f"declare it; to pin one package, set {argument('package_id')} and no other selection argument"
    )

    @staticmethod
    def problems(inputs: Properties) -> list[Problem]:
        """Return all problems of the inputs. An input that is not known yet has none."""
        return _checked_lookup(inputs)[0]

    @staticmethod
    def check(context: ResourceContext, olds: Properties, news: Properties) -> Checked:
        """Select the package, or keep the pinned one, so that the preview already shows the id.

        The fields of the package are stored beside the inputs, and some have the name of a selection argument. An
        argument that is set equals the field. So each argument keeps its name, by which Pulumi knows secrets.
        ``selection_keys`` lists the arguments, to distinguish them from the fields.
        """
        olds, news = (declared(schema.OTA_PACKAGE_PIN, values) for values in (olds, news))
        query = _selection_in(news)
        others = {name: news[name] for name in _OTHER_INPUTS if name in news}
        inputs = {**query, "selection_keys": sorted(query), **others}
        problems, lookup = _checked_lookup(news)
        if holds_unknown([query, *(inputs.get(name) for name in _DECIDING)]):
            return Checked({**inputs, **dict.fromkeys(OUTPUTS, UNKNOWN)}, problems)
        if not problems:
            with collecting(problems):
                if lookup is None:
                    inputs |= _locked(context, olds, inputs)
                else:
                    inputs |= _kept(context, olds, inputs) or _selected(context, olds, inputs, lookup)
                problems += _unexpected(inputs)
        return Checked(inputs, problems)

    @staticmethod
    def diff(context: ResourceContext, id_: str, olds: Properties, news: Properties) -> Diff:  # noqa: ARG004
        """Return whether the pin moves. It never replaces: a replacement would forget the pinned package."""
        olds, news = (declared(schema.OTA_PACKAGE_PIN, values) for values in (olds, news))
        moves = _stored_query(olds) != _stored_query(news)
        return Diff(changes=moves or any(olds.get(name) != news.get(name) for name in _COMPARED))

    @staticmethod
    def create(context: ResourceContext, inputs: Properties) -> Created:  # noqa: ARG004
        """Return what ``check`` found. Nothing is created on the service."""
        return Created(_ID, normal(inputs))

    @staticmethod
    def read(context: ResourceContext, id_: str, state: Properties) -> Properties:  # noqa: ARG004
        """Return the state with ``exists`` and ``available_version`` as they are now. A refresh never moves the pin."""
        state = normal(state)
        connection = context.resolve(state)
        package = _read_package(context, state, connection)
        if package is not None and (differing := _drift(state, package)):
            context.warn(f"the pinned package {state['package_id']} has changed since it was pinned: {differing}")
        now = {"exists": package is not None, "available_version": _available_version(context, state, connection)}
        known = {} if package is None or "locked_query" in state else {"identity": dict(connection.identity)}
        return {**state, **known, **now}

    @staticmethod
    def imported(context: ResourceContext, id_: str, *, owned: bool) -> Imported:  # noqa: ARG004
        """Refuse, because nothing on the service has its id."""
        raise refused_import(Pin.import_advice)

    @staticmethod
    def update(context: ResourceContext, id_: str, olds: Properties, news: Properties) -> Properties:  # noqa: ARG004
        """Return what ``check`` found."""
        olds, news = normal(olds), normal(news)
        if olds.get("package_id") != news.get("package_id"):
            return news
        # The check does not read these again, so the last refresh has the newest values.
        kept = {"available_version": olds.get("available_version", "")}
        return {**news, **kept, **({} if _verifies(news) else {"exists": olds.get("exists", True)})}

    @staticmethod
    def delete(context: ResourceContext, id_: str, state: Properties) -> None:
        """Do nothing, because nothing on the service belongs to it."""


def _checked_lookup(inputs: Properties) -> tuple[list[Problem], PackageLookup | None]:
    """Return all problems of the inputs, and the lookup if all of it is known and nothing is locked."""
    problems = known_problems(schema.OTA_PACKAGE_PIN, inputs)
    values = {**_selection_in(inputs), "include_file_location": inputs.get("include_file_location")}
    lookup = None
    if not problems and inputs.get("lock") is None and not holds_unknown(values):
        with collecting(problems):
            lookup = PackageLookup.from_valid(values)
    return problems, lookup


def _selection_in(inputs: Properties) -> Properties:
    """Return the selection arguments that are set to another value than their default."""
    return {
        name: _sorted(name, inputs[name])
        for name, default in _SELECTION.items()
        if inputs.get(name, default) != default
    }


def _sorted(name: str, value: Any) -> Any:
    """Return a list without an order sorted. Only ``preferred_versions`` has an order."""
    sortable = name == "source_versions" and isinstance(value, list) and not holds_unknown(value)
    return sorted(value, key=str) if sortable else value


def _stored_query(properties: Properties) -> Properties:
    """Return the selection arguments of the program in stored properties."""
    return {name: properties.get(name) for name in properties.get("selection_keys", ())}


def _effective_query(properties: Properties) -> Properties:
    """Return the selection arguments of the locked entry, or of the program if nothing is locked."""
    return properties.get("locked_query") or _stored_query(properties)


def _verifies(properties: Properties) -> bool:
    """Return whether each preview reads the pinned package. With a lock that is off unless ``verify`` is set."""
    verify = properties.get("verify")
    return verify if isinstance(verify, bool) else properties.get("lock") is None


def _revision(olds: Properties, package_id: str) -> int:
    before: int = olds.get("revision") or 0
    return before + 1 if package_id != olds.get("package_id") else before


def _locked(context: ResourceContext, olds: Properties, inputs: Properties) -> Properties:
    """Return the locked package. A request is sent only if ``verify`` is set."""
    pin_context = context.of(inputs)
    entry = locked_entry(pin_context, {**_stored_query(inputs), "lock": inputs["lock"]})
    if _verifies(inputs):
        require_unchanged(context.run, pin_context, entry)
    return {
        **locked_fields(entry, include_file_location=bool(inputs.get("include_file_location"))),
        # Stored, because at a refresh the file can have another query already.
        "locked_query": dict(entry.selection),
        "identity": {**dict.fromkeys(_IDENTITY, ""), **entry.place},
        "revision": _revision(olds, entry.package_id),
        "exists": True,
        "available_version": "",
    }


def _kept(context: ResourceContext, olds: Properties, inputs: Properties) -> Properties | None:
    """Return the pinned package, or None if the pin is new or must move."""
    equal = not differing_words(_stored_query(inputs), _effective_query(olds))
    if not olds.get("package_id") or not equal or olds.get("triggers") != inputs.get("triggers"):
        return None
    kept = {name: olds[name] for name in OUTPUTS if name in olds}
    wants_location = inputs.get("include_file_location", False)
    location = kept.pop("file_location", None)
    if _verifies(inputs) or (wants_location and not location):
        connection = context.resolve(inputs)
        package = _require_unchanged(context, olds, connection)
        location = location or package_values(package).get("file_location")
        kept |= {"identity": dict(connection.identity), "exists": True}
    return {**kept, "file_location": location} if wants_location and location else kept


def _selected(context: ResourceContext, olds: Properties, inputs: Properties, lookup: PackageLookup) -> Properties:
    """Return the package that the selection finds now."""
    connection = context.resolve(inputs)
    found = find_package(context.run, connection, lookup)
    if found is None:  # only if on_missing is "none", and a pin has no such argument
        raise PackageNotFound("no OTA package matches")
    for record in found.selection.first_records[:1]:
        count = found.selection.skipped_counts[UNREADABLE]
        context.warn(f"{plural(count, 'package')} of the list cannot be judged and can be a better match: {record}")
    return {
        **package_values(found.package),
        "identity": dict(connection.identity),
        "revision": _revision(olds, found.package.package_id),
        "exists": True,
        "available_version": "",
    }


def _available_version(context: ResourceContext, state: Properties, connection: ResolvedConnection) -> str:
    """Return the version that the selection finds now; empty if it finds the pinned package or none.

    It is only reported. So a lookup that fails is a warning, and the refresh goes on.
    """
    query = _effective_query(state)
    if "package_id" in query:
        return ""
    try:
        found = find_package(context.run, connection, PackageLookup.from_arguments({**query, "on_missing": "none"}))
    except IotdaOtaError as error:
        context.warn(f"the check for a newer version than {state.get('version')} failed: {error.message.headline}")
        return str(state.get("available_version") or "")
    return found.package.version if found and found.package.package_id != state["package_id"] else ""


def _read_package(context: ResourceContext, state: Properties, connection: ResolvedConnection) -> OtaPackage | None:
    """Return the pinned package, or None if it is gone."""
    try:
        return context.run.package(connection, state["package_id"])
    except ServiceError as error:
        place = state.get("identity") or {}
        # A lock stores only a part of the place. If the connection agrees with that part, it is the place.
        if "locked_query" in state and not differing_places(connection.identity, place_of(place)):
            place = connection.identity
        thing = f"package {state['package_id']}"
        fix = f", or change {argument('triggers')} to pin the package that matches in this one"
        require_gone(error, {**state, "identity": place}, connection, thing=thing, or_else=fix)
        return None


def _require_unchanged(context: ResourceContext, olds: Properties, connection: ResolvedConnection) -> OtaPackage:
    """Return the pinned package.

    Raises:
        PackageNotFound: it is gone. So the preview fails, instead of an upgrade task later.
        IotdaOtaError: the service describes it differently now.
    """
    package = _read_package(context, olds, connection)
    differing = "" if package is None else _drift(olds, package)
    if package is not None and not differing:
        return package
    fix = (
        f"change {argument('triggers')} to pin the package that matches now, or upload a package and change the "
        "selection"
    )
    facts = [
        ("requested", f"{olds.get('version')}, package {olds['package_id']}, revision {olds.get('revision')}"),
        ("endpoint", connection.described),
        ("fix", fix),
    ]
    pinned = f"the pinned package {olds['package_id']}"
    if package is None:
        raise PackageNotFound(f"{pinned} is gone", facts=facts)
    raise IotdaOtaError(f"{pinned} has changed since it was pinned: {differing}", facts=facts)


def _drift(state: Properties, package: OtaPackage) -> str:
    """Return the fields that the service describes differently now, with both values; empty if there are none."""
    now = package_values(package)
    return ", ".join(
        f"{field(name)}: {quoted(now[name])}, pinned {quoted(state[name])}" for name in contradictions(state, now)
    )


def _unexpected(inputs: Properties) -> list[Problem]:
    """Return a problem if the package is not the one that was reviewed."""
    expected = inputs.get("expected_package_id")
    if expected in (None, UNKNOWN, inputs["package_id"]):
        return []
    found = f"{inputs['package_id']} ({inputs.get('version')})"
    return [
        Problem("expected_package_id", f"is {expected}, but the pin returns {found}: review that package, or pin again")
    ]
