"""OtaPackage: a package made of an object in OBS. The service can not change one, so that every change replaces it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.iotda.errors import ServiceError
from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.lifecycle.base import Checked, Created, Diff, Imported, collecting, declared, holds_unknown
from pulumi_iotda_ota.lifecycle.identity import require_gone, require_same_place
from pulumi_iotda_ota.lifecycle.importing import found, inputs_of_package, own
from pulumi_iotda_ota.lifecycle.ota_package.create import create_package_once, require_no_other
from pulumi_iotda_ota.lifecycle.ota_package.fields import FILE_INPUTS, TEXTS, changed_inputs, drift, kept_key
from pulumi_iotda_ota.lifecycle.ota_package.validation import problems_of_package, require_allowed
from pulumi_iotda_ota.lifecycle.run_state import Thing
from pulumi_iotda_ota.schema.validation import normal

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import OtaPackage
    from pulumi_iotda_ota.lifecycle.base import Properties, ResourceContext
    from pulumi_iotda_ota.schema.validation import Problem

_OTHERS = ("allow_replace", "connection")
#: The advice that says how a declaration adopts an existing package.
ADOPTED_IF_EQUAL = (
    f"declare it without {argument('import_')}; if {', '.join(map(argument, (*FILE_INPUTS, *TEXTS)))} are equal, "
    "the existing package is adopted"
)


class Package:
    """The life cycle of a package."""

    input_names: ClassVar = (*(argument.name for argument in schema.OTA_PACKAGE), "connection")

    @staticmethod
    def check(context: ResourceContext, olds: Properties, news: Properties) -> Checked:
        """Check the inputs; the service is asked only when a package is about to be created."""
        olds, news = (declared(schema.OTA_PACKAGE, values) for values in (olds, news))
        inputs = {name: news[name] for name in Package.input_names if name in news}
        problems = problems_of_package(inputs)
        changed = changed_inputs(olds, inputs)
        if olds and not changed:
            context.run_state.keep(kept_key(olds))
            return Checked(inputs, _new(problems, olds, inputs))
        if not problems and not holds_unknown(inputs):
            with collecting(problems):
                if olds and not set(changed) & set(FILE_INPUTS):
                    require_allowed(inputs, changed)
                if not olds:
                    # At a replacement the engine checks a second time, without the old inputs, once it has the diff.
                    require_no_other(context, context.run.client(context.resolve(inputs)), inputs)
        return Checked(inputs, problems)

    @staticmethod
    def diff(context: ResourceContext, id_: str, olds: Properties, news: Properties) -> Diff:
        """Return whether the change is another package, or alters the stored state only.

        The new one is created before the old one is deleted: the other way round, the engine would first delete the
        tasks that depend on it, and so stop campaigns, before anybody asked whether they run.
        """
        olds, news = (declared(schema.OTA_PACKAGE, values) for values in (olds, news))
        replaces = changed_inputs(olds, news)
        if not set(replaces) & set(FILE_INPUTS) and not news.get("allow_replace"):
            replaces = ()  # a text that is not known yet: another one than it was is refused when it is known
        if replaces and not holds_unknown(news.get("connection")):
            require_same_place(olds, context.resolve(news), thing=f"package {id_}")
        context.run_state.compared(Thing.at(olds.get("identity") or {}, id_), kept_key(olds), replaces=bool(replaces))
        others = any(olds.get(name) != news.get(name) for name in _OTHERS)
        return Diff(changes=bool(replaces) or others, replaces=replaces)

    @staticmethod
    def create(context: ResourceContext, inputs: Properties) -> Created:
        """Create the package, or take over the one that an interrupted run left."""
        inputs = normal(inputs)
        connection = context.resolve(inputs)
        package = create_package_once(context, context.run.client(connection), inputs)
        told = {**_told(package), "identity": dict(connection.identity)}
        return Created(package.package_id, {"support_source_versions": [], **inputs, **told})

    @staticmethod
    def read(context: ResourceContext, id_: str, state: Properties) -> Properties:
        """Return the state with ``exists`` as it is now. A package that is gone is not created again.

        The inputs stay. If the service describes the package differently, a warning says so at each refresh.
        """
        state = normal(state)
        connection = context.resolve(state)
        package = _read_package(context.run.client(connection), id_, state)
        if package is None:
            return {**state, "exists": False}
        if differing := drift(package, state):
            context.warn(f"package {id_} has changed since it was created: {'; '.join(differing)}")
        times = {name: state[name] for name in ("create_time", "created_at") if name in state}
        return {**state, **_told(package), **times, "identity": dict(connection.identity)}

    @staticmethod
    def imported(context: ResourceContext, id_: str, *, owned: bool) -> Imported:
        """Return an existing package as a resource. A destroy of the stack then deletes it."""
        connection = context.resolve({})
        client = context.run.client(connection)
        thing = f"package {id_}"
        package = found(lambda: client.show_package(id_), connection, thing=thing, command="iotda-ota package list")
        inputs = inputs_of_package(package)
        if owned:
            own(context, connection, id_, thing=thing)
        told = {**_told(package), "identity": dict(connection.identity)}
        return Imported(inputs, {"support_source_versions": [], **inputs, **told})

    @staticmethod
    def update(context: ResourceContext, id_: str, olds: Properties, news: Properties) -> Properties:
        """Return the state under the new inputs; nothing is sent but to make sure of another connection."""
        olds, news = normal(olds), normal(news)
        kept = {name: value for name, value in olds.items() if name not in _OTHERS}
        if olds.get("connection") != news.get("connection"):
            connection = context.resolve(news)
            _read_package(context.run.client(connection), id_, olds)
            kept["identity"] = dict(connection.identity)
        return {**kept, **news}

    @staticmethod
    def delete(context: ResourceContext, id_: str, state: Properties) -> None:
        """Delete the package, not its object in OBS; one that is gone is what was wanted."""
        thing = Thing.at(state.get("identity") or context.resolve(state).identity, id_)
        if context.run_state.owned_elsewhere(thing, action=f"package {id_} is not deleted"):
            # Two resources can describe one package, and what a failed run left to be deleted goes in a later one.
            context.warn(f"package {id_} is not deleted: another resource of the stack owns it now")
            return
        client = context.run.client(context.resolve(state))
        try:
            client.delete_package(id_)
        except ServiceError as error:
            require_gone(error, state, client.connection, thing=f"package {id_}")


def _told(package: OtaPackage) -> Properties:
    """Return what the service tells of a package beyond what was asked for."""
    told = {
        "package_id": package.package_id,
        "product_name": package.product_name,
        "create_time": package.create_time,
        "created_at": package.created_at,
        "exists": True,
    }
    return {name: value for name, value in told.items() if value is not None}


def _read_package(client: Client, id_: str, state: Properties) -> OtaPackage | None:
    """Return a package, or None where it is gone."""
    try:
        return client.show_package(id_)
    except ServiceError as error:
        require_gone(error, state, client.connection, thing=f"package {id_}")
        return None


def _new(problems: list[Problem], olds: Properties, inputs: Properties) -> list[Problem]:
    """Return what is wrong with other inputs than those that were good enough when the package was created."""
    names = [problem.argument.partition(".")[0] for problem in problems]
    return [problem for problem, name in zip(problems, names, strict=True) if olds.get(name) != inputs.get(name)]
