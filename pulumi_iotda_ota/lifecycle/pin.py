"""OtaPackagePin: the package that a lookup found, kept until the question changes. Owns nothing on the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pulumi_iotda_ota import arguments
from pulumi_iotda_ota.arguments import Problem
from pulumi_iotda_ota.iotda.errors import IotdaOtaError, PackageNotFound, ServiceError
from pulumi_iotda_ota.lifecycle.base import Checked, Created, Diff, collecting, holds_unknown, other_identity, whole
from pulumi_iotda_ota.lookup import PackageLookup, find_package

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.connection import ResolvedConnection
    from pulumi_iotda_ota.iotda.models import OtaPackage
    from pulumi_iotda_ota.lifecycle.base import Properties, World

__all__ = ["Pin"]

_NOT_FOUND = 404
# There is nothing on the service whose id this could be, and an id that moved would replace the resource.
_ID = "pin"
_OWN = ("triggers", "expect_package_id", "verify", "connection")
_SELECTION = tuple(argument.name for argument in arguments.GET_OTA_PACKAGE if argument.name != "on_missing")
_COMPARED = ("query", *_OWN, "package_id", "revision")
FIELDS = (
    "package_id",
    "app_id",
    "package_type",
    "product_id",
    "product_name",
    "module_name",
    "version",
    "support_source_versions",
    "description",
    "custom_info",
    "create_time",
    "created_at",
    "file_location",
)


class Pin:
    """The life cycle of a pin."""

    input_names: ClassVar = (*_SELECTION, *_OWN)

    @staticmethod
    def check(world: World, olds: Properties, news: Properties) -> Checked:
        """Resolve the selection, or keep what it was resolved to, so that a preview already shows the id.

        What is found is put beside the inputs; the selection as it was asked is kept in ``query``, because a package
        has fields of the same names.
        """
        news = whole(news)
        query = {name: news[name] for name in _SELECTION if news.get(name) is not None}
        inputs = {"query": query, **{name: news[name] for name in _OWN if news.get(name) is not None}}
        if holds_unknown(inputs):
            return Checked(inputs)
        problems = arguments.problems(arguments.OTA_PACKAGE_PIN, news)
        if not problems:
            with collecting(problems):
                inputs |= _kept(world, olds, inputs) or _resolved(world, olds, inputs)
        expected = news.get("expect_package_id")
        if not problems and expected and inputs["package_id"] != expected:
            problems.append(_unexpected(inputs, expected))
        return Checked(inputs, problems)

    @staticmethod
    def diff(world: World, id_: str, olds: Properties, news: Properties) -> Diff:  # noqa: ARG004
        """Return whether the pin moves. It never replaces: a replacement would forget what is pinned."""
        return Diff(changes=any(whole(olds.get(name)) != whole(news.get(name)) for name in _COMPARED))

    @staticmethod
    def create(world: World, inputs: Properties) -> Created:  # noqa: ARG004
        """Return what ``check`` resolved; nothing is created on the service."""
        return Created(_ID, whole(inputs))

    @staticmethod
    def read(world: World, id_: str, state: Properties) -> Properties:  # noqa: ARG004
        """Return the state with ``exists`` as it is now; the pin itself never moves at a refresh."""
        connection = world.resolve(state)
        try:
            world.run.package(connection, state["package_id"])
        except ServiceError as error:
            if error.status != _NOT_FOUND:
                raise
            _require_same_place(state, connection)
            return {**state, "exists": False}
        return {**state, "exists": True}

    @staticmethod
    def update(world: World, id_: str, olds: Properties, news: Properties) -> Properties:  # noqa: ARG004
        """Return what ``check`` resolved."""
        return whole(news)

    @staticmethod
    def delete(world: World, id_: str, state: Properties) -> None:
        """Do nothing: there is nothing of it on the service."""


def _kept(world: World, olds: Properties, inputs: Properties) -> Properties | None:
    """Return what the pin holds already, or None where it is new or is to move."""
    olds = whole(olds)
    if not olds.get("package_id") or any(olds.get(name) != inputs.get(name) for name in ("query", "triggers")):
        return None
    kept = {name: olds[name] for name in (*FIELDS, "identity", "revision", "exists") if name in olds}
    return {**kept, "identity": _where_it_is(world, olds, inputs)} if inputs.get("verify", True) else kept


def _resolved(world: World, olds: Properties, inputs: Properties) -> Properties:
    lookup = PackageLookup.from_arguments(inputs["query"])
    connection = world.resolve(inputs)
    found = find_package(world.run, connection, lookup)
    if found is None:  # only where on_missing is "none", which a pin does not take
        raise PackageNotFound("no OTA package fits")
    before = whole(olds.get("revision") or 0)
    moved = found.package.package_id != olds.get("package_id")
    return {
        **_fields(found.package),
        "identity": dict(connection.identity),
        "revision": before + 1 if moved else before,
        "exists": True,
    }


def _fields(package: OtaPackage) -> Properties:
    fields: dict[str, Any] = package.model_dump(mode="json", exclude_none=True)
    return {**fields, "created_at": package.created_at}


def _where_it_is(world: World, olds: Properties, inputs: Properties) -> Properties:
    """Return the identity under which the pinned package is there.

    One that is gone is refused now, at the preview, rather than in a campaign that fails.
    """
    connection = world.resolve(inputs)
    try:
        world.run.package(connection, olds["package_id"])
        return dict(connection.identity)
    except ServiceError as error:
        if error.status != _NOT_FOUND:
            raise
        _require_same_place(olds, connection)
        facts = [
            ("pinned", f"{olds.get('version')}, package {olds['package_id']}, revision {olds.get('revision')}"),
            ("looked in", connection.described),
            ("what to do", "change triggers to pin what fits now, or upload a package and change the selection"),
        ]
        raise PackageNotFound(f"the pinned package {olds['package_id']} is gone", facts=facts) from error


def _require_same_place(state: Properties, connection: ResolvedConnection) -> None:
    differs = other_identity(state, connection)
    if differs:
        facts = [
            ("differs", differs),
            ("what to do", "correct the connection; it is not the one that the package was pinned with"),
        ]
        raise IotdaOtaError(f"package {state['package_id']} is not where this connection looks", facts=facts)


def _unexpected(inputs: Properties, expected: str) -> Problem:
    found = f"{inputs['package_id']} ({inputs.get('version')})"
    return Problem("expect_package_id", f"is {expected}, but the selection gives {found}: review that one, or repin")
