"""OtaPackagePin: the package that a lookup found, kept until the question changes. Owns nothing on the service."""

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

# There is nothing on the service whose id this could be, and an id that moved would replace the resource.
_ID = "pin"
_OWN = ("include_file_location", "lock", "triggers", "expected_package_id", "verify", "connection")
#: The words that select a package, and what each means when it is not given.
_SELECTION = {argument.name: argument.default for argument in schema.WORDS}
OUTPUTS = tuple(output.name for output in outputs.OTA_PACKAGE_PIN)
_IDENTITY = ("region", "endpoint", "project_id", "instance_id", "profile")
# What is pinned depends on these; all others can be unknown at a preview that shows the id.
_DECIDING = ("lock", "triggers", "include_file_location", "verify", "connection")
_COMPARED = (*_OWN, "package_id", "revision", "locked_query")


class Pin:
    """The life cycle of a pin."""

    input_names: ClassVar = (*_SELECTION, *_OWN)
    import_advice: ClassVar = (
        f"declare it; to pin one package, set {argument('package_id')} and no other selection argument"
    )

    @staticmethod
    def problems(inputs: Properties) -> list[Problem]:
        """Return everything that is wrong with the inputs; one that is not known yet is taken to be right."""
        problems = known_problems(schema.OTA_PACKAGE_PIN, inputs)
        query = {**_asked(inputs), "include_file_location": inputs.get("include_file_location")}
        if not problems and inputs.get("lock") is None and not holds_unknown(query):
            with collecting(problems):
                PackageLookup.from_arguments(query)
        return problems

    @staticmethod
    def check(context: ResourceContext, olds: Properties, news: Properties) -> Checked:
        """Resolve the selection, or keep what it was resolved to, so that a preview already shows the id.

        What is found is put beside the inputs. A package has fields of the names of some words; one that was asked for
        has what was asked. So each word stays under its own name, by which Pulumi knows what is secret, and
        ``selection_keys`` tells the words from what was found.
        """
        olds, news = (declared(schema.OTA_PACKAGE_PIN, values) for values in (olds, news))
        query = _asked(news)
        inputs = {**query, "selection_keys": sorted(query), **{name: news[name] for name in _OWN if name in news}}
        problems = Pin.problems(news)
        if holds_unknown([query, *(inputs.get(name) for name in _DECIDING)]):
            return Checked({**inputs, **dict.fromkeys(OUTPUTS, UNKNOWN)}, problems)
        if not problems:
            with collecting(problems):
                inputs |= _found(context, olds, inputs)
                problems += _unexpected(inputs)
        return Checked(inputs, problems)

    @staticmethod
    def diff(context: ResourceContext, id_: str, olds: Properties, news: Properties) -> Diff:  # noqa: ARG004
        """Return whether the pin moves. It never replaces: a replacement would forget what is pinned."""
        olds, news = (declared(schema.OTA_PACKAGE_PIN, values) for values in (olds, news))
        other = _query(olds) != _query(news)
        return Diff(changes=other or any(olds.get(name) != news.get(name) for name in _COMPARED))

    @staticmethod
    def create(context: ResourceContext, inputs: Properties) -> Created:  # noqa: ARG004
        """Return what ``check`` resolved; nothing is created on the service."""
        return Created(_ID, normal(inputs))

    @staticmethod
    def read(context: ResourceContext, id_: str, state: Properties) -> Properties:  # noqa: ARG004
        """Return the state with ``exists`` as it is now; the pin itself never moves at a refresh."""
        state = normal(state)
        connection = context.resolve(state)
        package = _show(context, state, connection)
        if package is not None and (differs := _differs(state, package)):
            context.warn(f"the pinned package {state['package_id']} has changed since it was pinned: {differs}")
        seen = {"exists": package is not None, "available_version": _newer(context, state, connection)}
        known = {} if package is None or "locked_query" in state else {"identity": dict(connection.identity)}
        return {**state, **known, **seen}

    @staticmethod
    def imported(context: ResourceContext, id_: str, *, owned: bool) -> Imported:  # noqa: ARG004
        """Refuse: nothing on the service has its id."""
        raise refused_import(Pin.import_advice)

    @staticmethod
    def update(context: ResourceContext, id_: str, olds: Properties, news: Properties) -> Properties:  # noqa: ARG004
        """Return what ``check`` resolved."""
        olds, news = normal(olds), normal(news)
        if olds.get("package_id") != news.get("package_id"):
            return news
        # Of what was not asked for again the last refresh knows best.
        kept = {"available_version": olds.get("available_version", "")}
        return {**news, **kept, **({} if _verifies(news) else {"exists": olds.get("exists", True)})}

    @staticmethod
    def delete(context: ResourceContext, id_: str, state: Properties) -> None:
        """Do nothing: there is nothing of it on the service."""


def _asked(given: Properties) -> Properties:
    """Return the arguments that select a package."""
    return {name: _in_order(name, given[name]) for name, usual in _SELECTION.items() if given.get(name, usual) != usual}


def _query(properties: Properties) -> Properties:
    """Return the selection as it was asked by the program."""
    return {name: properties.get(name) for name in properties.get("selection_keys", ())}


def _selection(properties: Properties) -> Properties:
    """Return the selection as it was asked, by the program or by what is locked."""
    return properties.get("locked_query") or _query(properties)


def _verifies(properties: Properties) -> bool:
    """Return whether the service is asked for the pinned package at each preview: with a lock only where it is said."""
    asked = properties.get("verify")
    return asked if isinstance(asked, bool) else properties.get("lock") is None


def _found(context: ResourceContext, olds: Properties, inputs: Properties) -> Properties:
    """Return the package, from where it is to come: what is locked moves the pin, and nothing else does."""
    if inputs.get("lock") is not None:
        return _locked(context, olds, inputs)
    return _kept(context, olds, inputs) or _resolved(context, olds, inputs)


def _locked(context: ResourceContext, olds: Properties, inputs: Properties) -> Properties:
    """Return the package that is locked; the service is asked only where ``verify`` says so."""
    pin_context = context.where(inputs)
    entry = locked_entry(pin_context, {**_query(inputs), "lock": inputs["lock"]})
    if _verifies(inputs):
        require_unchanged(context.run, pin_context, entry)
    return {
        **locked_fields(entry, include_file_location=bool(inputs.get("include_file_location"))),
        # At a refresh the file may be another one already; what is pinned is what this one asked for.
        "locked_query": dict(entry.selection),
        "identity": {**dict.fromkeys(_IDENTITY, ""), **entry.place},
        "revision": _revision(olds, entry.package_id),
        "exists": True,
        "available_version": "",
    }


def _revision(olds: Properties, package_id: str) -> int:
    before: int = olds.get("revision") or 0
    return before + 1 if package_id != olds.get("package_id") else before


def _in_order(name: str, value: Any) -> Any:
    """Return a list whose order says nothing in one order; only preferences have one."""
    sortable = name == "source_versions" and isinstance(value, list) and not holds_unknown(value)
    return sorted(value, key=str) if sortable else value


def _kept(context: ResourceContext, olds: Properties, inputs: Properties) -> Properties | None:
    """Return what the pin holds already, or None where it is new or is to move."""
    same = not differing_words(_query(inputs), _selection(olds)) and olds.get("triggers") == inputs.get("triggers")
    if not olds.get("package_id") or not same:
        return None
    kept = {name: olds[name] for name in OUTPUTS if name in olds}
    wants_location = inputs.get("include_file_location", False)
    location = kept.pop("file_location", None)
    if _verifies(inputs) or (wants_location and not location):
        connection = context.resolve(inputs)
        package = _require_there(context, olds, connection)
        location = location or package_values(package).get("file_location")
        kept |= {"identity": dict(connection.identity), "exists": True}
    return {**kept, "file_location": location} if wants_location and location else kept


def _resolved(context: ResourceContext, olds: Properties, inputs: Properties) -> Properties:
    """Return the package that the selection gives now."""
    asked = {**_query(inputs), "include_file_location": inputs.get("include_file_location")}
    lookup = PackageLookup.from_arguments(asked)
    connection = context.resolve(inputs)
    found = find_package(context.run, connection, lookup)
    if found is None:  # only where on_missing is "none", which a pin does not take
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


def _newer(context: ResourceContext, state: Properties, connection: ResolvedConnection) -> str:
    """Return the version that the selection gives now, or nothing where it is what is pinned.

    Only told, never acted on: a lookup that fails is a warning, and the refresh goes on.
    """
    query = _selection(state)
    if "package_id" in query:
        return ""
    try:
        found = find_package(context.run, connection, PackageLookup.from_arguments({**query, "on_missing": "none"}))
    except IotdaOtaError as error:
        context.warn(f"the check for a newer version than {state.get('version')} failed: {error.message.headline}")
        return str(state.get("available_version") or "")
    return found.package.version if found and found.package.package_id != state["package_id"] else ""


def _show(context: ResourceContext, state: Properties, connection: ResolvedConnection) -> OtaPackage | None:
    """Return the pinned package, or None where it is gone."""
    try:
        return context.run.package(connection, state["package_id"])
    except ServiceError as error:
        advice = f", or change {argument('triggers')} to pin the package that matches in this one"
        made = {**state, "identity": _made_in(state, connection)}
        require_gone(error, made, connection, thing=f"package {state['package_id']}", or_else=advice)
        return None


def _made_in(state: Properties, connection: ResolvedConnection) -> Any:
    """Return where the pin was made; what is locked knows less of it than a connection, which counts where it fits."""
    made = state.get("identity") or {}
    fits = "locked_query" in state and not differing_places(connection.identity, place_of(made))
    return connection.identity if fits else made


def _require_there(context: ResourceContext, olds: Properties, connection: ResolvedConnection) -> OtaPackage:
    """Return the pinned package.

    Raises:
        PackageNotFound: it is gone. So the preview fails, and not an upgrade task later.
        IotdaOtaError: the service describes it differently now.
    """
    package = _show(context, olds, connection)
    differs = "" if package is None else _differs(olds, package)
    if package is not None and not differs:
        return package
    facts = [
        ("requested", f"{olds.get('version')}, package {olds['package_id']}, revision {olds.get('revision')}"),
        ("endpoint", connection.described),
        (
            "fix",
            (
                f"change {argument('triggers')} to pin the package that matches now, or upload a package and change "
                "the selection"
            ),
        ),
    ]
    if package is None:
        raise PackageNotFound(f"the pinned package {olds['package_id']} is gone", facts=facts)
    raise IotdaOtaError(
        f"the pinned package {olds['package_id']} has changed since it was pinned: {differs}", facts=facts
    )


def _differs(state: Properties, package: OtaPackage) -> str:
    """Return the fields that the service describes differently now, with both values; empty if there are none."""
    now = package_values(package)
    return ", ".join(
        f"{field(name)}: {quoted(now[name])}, pinned {quoted(state[name])}" for name in contradictions(state, now)
    )


def _unexpected(inputs: Properties) -> list[Problem]:
    """Return the problem of a package that is not the one that was reviewed."""
    expected = inputs.get("expected_package_id")
    if expected in (None, UNKNOWN, inputs["package_id"]):
        return []
    found = f"{inputs['package_id']} ({inputs.get('version')})"
    return [
        Problem("expected_package_id", f"is {expected}, but the pin returns {found}: review that package, or pin again")
    ]
