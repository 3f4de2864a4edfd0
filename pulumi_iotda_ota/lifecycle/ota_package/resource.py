"""OtaPackage: a package of an object in OBS. The service cannot change a package, so every change replaces it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.iotda import limits
from pulumi_iotda_ota.iotda.api.requests import TEXTS as TEXT_LENGTHS
from pulumi_iotda_ota.iotda.api.requests import problems_of_obs_location
from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError, ServiceError
from pulumi_iotda_ota.iotda.references import argument, field
from pulumi_iotda_ota.iotda.sanitize import sanitize
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
)
from pulumi_iotda_ota.lifecycle.identity import (
    is_owned_elsewhere,
    own_imported,
    read_for_import,
    require_gone,
    require_same_place,
    updated_state,
)
from pulumi_iotda_ota.lifecycle.ota_package.create import (
    FILE_INPUTS,
    TEXTS,
    changed_inputs,
    create_package_once,
    described,
    drift,
    kept_key,
    require_no_other,
)
from pulumi_iotda_ota.lifecycle.run_state import Thing
from pulumi_iotda_ota.schema.validation import Problem, normal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pulumi_iotda_ota.iotda.client import Client
    from pulumi_iotda_ota.iotda.models import OtaPackage
    from pulumi_iotda_ota.lifecycle.base import Properties, ResourceContext

# The inputs that describe no part of the package.
_OTHERS = ("allow_replace", "connection")


class Package:
    """The life cycle of a package."""

    input_names: ClassVar = (*(argument.name for argument in schema.OTA_PACKAGE), "connection")
    import_advice: ClassVar = (
        f"declare it without {argument('import_')}; if {', '.join(map(argument, (*FILE_INPUTS, *TEXTS)))} are equal, "
        "the existing package is adopted"
    )

    @staticmethod
    def problems(inputs: Properties) -> list[Problem]:
        """Return all problems of the inputs. An input that is not known yet has none."""
        found = known_problems(schema.OTA_PACKAGE, inputs)
        wrong = {problem.argument for problem in found}
        undecided = any(inputs.get(name) is UNKNOWN for name in ("package_type", "module_name"))
        if not wrong & {"package_type", "module_name"} and not undecided:
            module = limits.problem_of_module(inputs.get("package_type"), module="module_name" in inputs)
            found += [Problem("module_name", module)] if module else []
        for name, most in TEXT_LENGTHS.items():
            text = inputs.get(name)
            problem = limits.problem_of_length(text, most) if isinstance(text, str) else None
            found += [Problem(name, problem)] if problem else []
        return [*found, *_problems_of_object(inputs.get("obs_location"))]

    @staticmethod
    def check(context: ResourceContext, olds: Properties, news: Properties) -> Checked:
        """Check the inputs. A request is sent only if a package is about to be created."""
        olds, news = (declared(schema.OTA_PACKAGE, values) for values in (olds, news))
        inputs = {name: news[name] for name in Package.input_names if name in news}
        problems = Package.problems(inputs)
        changed = changed_inputs(olds, inputs)
        if olds and not changed:
            context.run_state.keep(kept_key(olds))
            # Inputs that were valid when the package was created are not judged again.
            names = [problem.argument.partition(".")[0] for problem in problems]
            new = [one for one, name in zip(problems, names, strict=True) if olds.get(name) != inputs.get(name)]
            return Checked(inputs, new)
        if not problems and not holds_unknown(inputs):
            with collecting(problems):
                if olds and not set(changed) & set(FILE_INPUTS):
                    _require_allowed(inputs, changed)
                if not olds:
                    # For a replacement the engine checks a second time, without the old inputs, after the diff.
                    require_no_other(context, context.run.client(context.resolve(inputs)), inputs)
        return Checked(inputs, problems)

    @staticmethod
    def diff(context: ResourceContext, id_: str, olds: Properties, news: Properties) -> Diff:
        """Return whether the change replaces the package, or only changes the stored state.

        The new package is created before the old one is deleted. The other way round, the engine would first delete the
        tasks that depend on it, and stop them, before it is checked whether they run.
        """
        olds, news = (declared(schema.OTA_PACKAGE, values) for values in (olds, news))
        replaces = changed_inputs(olds, news)
        if not set(replaces) & set(FILE_INPUTS) and not news.get("allow_replace"):
            replaces = ()  # a text that is not known yet; if it differs, it is refused when it is known
        if replaces and not holds_unknown(news.get("connection")):
            require_same_place(olds, context.resolve(news), thing=f"package {id_}")
        context.run_state.compared(Thing.at(olds.get("identity") or {}, id_), kept_key(olds), replaces=bool(replaces))
        others = any(olds.get(name) != news.get(name) for name in _OTHERS)
        return Diff(changes=bool(replaces) or others, replaces=replaces)

    @staticmethod
    def create(context: ResourceContext, inputs: Properties) -> Created:
        """Create the package, or adopt the one that an interrupted run created."""
        inputs = normal(inputs)
        client = context.run.client(context.resolve(inputs))
        package = create_package_once(context, client, inputs)
        return Created(package.package_id, _state(client, package, inputs))

    @staticmethod
    def read(context: ResourceContext, id_: str, state: Properties) -> Properties:
        """Return the state with ``exists`` as it is now. A package that is gone is not created again.

        The inputs stay. If the service describes the package differently, a warning says so at each refresh.
        """
        state = normal(state)
        client = context.run.client(context.resolve(state))
        package = _read_package(client, id_, state)
        if package is None:
            return {**state, "exists": False}
        if differing := drift(package, state):
            context.warn(f"package {id_} has changed since it was created: {'; '.join(differing)}")
        known = ("create_time", "created_at")  # if these differ, they stay too
        return _state(client, package, state) | {name: state[name] for name in known if name in state}

    @staticmethod
    def imported(context: ResourceContext, id_: str, *, owned: bool) -> Imported:
        """Return an existing package as a resource. A destroy of the stack then deletes it."""
        connection = context.resolve({})
        client = context.run.client(connection)
        thing, command = f"package {id_}", "iotda-ota package list"
        package = read_for_import(lambda: client.show_package(id_), connection, thing=thing, command=command)
        inputs = _inputs_of(package)
        if owned:
            own_imported(context, connection, id_, thing=thing)
        return Imported(inputs, _state(client, package, inputs))

    @staticmethod
    def update(context: ResourceContext, id_: str, olds: Properties, news: Properties) -> Properties:
        """Return the state under the new inputs. A request is sent only if the connection changed."""
        olds, news = normal(olds), normal(news)
        kept = {name: value for name, value in olds.items() if name not in _OTHERS}
        return updated_state(
            context,
            olds,
            news,
            kept=kept,
            require=lambda connection: _read_package(context.run.client(connection), id_, olds),
        )

    @staticmethod
    def delete(context: ResourceContext, id_: str, state: Properties) -> None:
        """Delete the package, but not its object in OBS. A package that is gone is no error."""
        if is_owned_elsewhere(context, id_, state, thing=f"package {id_}", action="deleted"):
            return
        client = context.run.client(context.resolve(state))
        try:
            client.delete_package(id_)
        except ServiceError as error:
            require_gone(error, state, client.connection, thing=f"package {id_}")


def _problems_of_object(location: object) -> list[Problem]:
    if not isinstance(location, dict):
        return []  # it is not known yet, or the table has a problem of it
    known = {name: value for name, value in location.items() if not holds_unknown(value)}
    problems = problems_of_obs_location(known, unknown=location.keys() - known.keys())
    return [Problem(f"obs_location.{sanitize(name, limit=40)}", problem) for name, problem in problems.items()]


def _require_allowed(inputs: Properties, changed: Iterable[str]) -> None:
    """Refuse to replace a package only because of its texts, unless ``allow_replace`` is set."""
    texts = ", ".join(map(argument, changed))
    if not texts or inputs.get("allow_replace"):
        return
    cause = (
        f"the service cannot change a package; a new one has another {field('package_id')}, and a task with another "
        "package is a new task"
    )
    fix = f"restore {texts}, or set {argument('allow_replace', True)}"
    facts = [("found", described(inputs)), ("cause", cause), ("fix", fix)]
    raise InputError(f"a change of {texts} replaces the package", facts=facts)


def _inputs_of(package: OtaPackage) -> Properties:
    """Return the inputs that declare an existing package.

    Raises:
        IotdaOtaError: the service does not return its file location.
    """
    location = package.file_location.obs_location if package.file_location else None
    if location is None:
        cause = "the service does not return its file location"
        headline = f"package {sanitize(package.package_id)} cannot be imported: {cause}"
        raise IotdaOtaError(headline, facts=[("fix", "look the package up instead of declaring it")])
    names = [argument.name for argument in schema.OTA_PACKAGE if hasattr(package, argument.name)]
    inputs = {name: getattr(package, name) for name in names}
    inputs["support_source_versions"] = list(package.support_source_versions)
    inputs["obs_location"] = {name: value for name, value in location.model_dump().items() if value}
    return {name: value for name, value in inputs.items() if value}


def _state(client: Client, package: OtaPackage, properties: Properties) -> Properties:
    """Return the state of a package: its inputs, or its state before, and the outputs that the service returns."""
    outputs = {
        "package_id": package.package_id,
        "product_name": package.product_name,
        "create_time": package.create_time,
        "created_at": package.created_at,
        "exists": True,
        "identity": dict(client.connection.identity),
    }
    known = {name: value for name, value in outputs.items() if value is not None}
    return {"support_source_versions": [], **properties, **known}


def _read_package(client: Client, id_: str, state: Properties) -> OtaPackage | None:
    """Return a package, or None if it is gone."""
    try:
        return client.show_package(id_)
    except ServiceError as error:
        require_gone(error, state, client.connection, thing=f"package {id_}")
        return None
