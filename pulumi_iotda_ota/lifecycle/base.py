"""What the life cycles of all resources share: their results, their context, and how they read values.

Property values are plain. A value that is not known yet is :data:`UNKNOWN`, also inside lists and objects.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pulumi_iotda_ota.context import Context
from pulumi_iotda_ota.iotda.errors import ConfigurationError, InputError, IotdaOtaError
from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.lifecycle.run_state import RunState
from pulumi_iotda_ota.schema import validation
from pulumi_iotda_ota.schema.argument import named
from pulumi_iotda_ota.schema.validation import Problem, normal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.models import BatchTask
    from pulumi_iotda_ota.iotda.retry import Clock
    from pulumi_iotda_ota.lookup.session import Run
    from pulumi_iotda_ota.schema import Argument

Properties = dict[str, Any]


class _Unknown:
    """The type of :data:`UNKNOWN`."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = _Unknown()


@dataclass
class Checked:
    """The inputs as they will be stored, and their problems."""

    inputs: Properties = field(repr=False)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Diff:
    """The effect of a change of inputs on the resource.

    Attributes:
        changes: whether anything is done.
        replaces: the inputs whose change replaces the resource.
        delete_first: whether a replacement deletes the old resource first. The engine then also deletes what depends on
            it, before that is checked.
    """

    changes: bool
    replaces: tuple[str, ...] = ()
    delete_first: bool = False


@dataclass(frozen=True)
class Created:
    """A resource that was created or adopted."""

    id: str
    outputs: Properties = field(repr=False)


@dataclass(frozen=True)
class Imported:
    """An existing task or package, as a resource.

    Attributes:
        inputs: the inputs that declare it, completed as ``check`` completes them.
        state: the properties that the state stores.
    """

    inputs: Properties = field(repr=False)
    state: Properties = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ResourceContext(Context):
    """Everything outside that a life cycle reads or acts on.

    Attributes:
        run: its clients, and the clock.
        warn: prints a warning to the user.
        report: prints a line of progress to the user.
        run_state: the facts of this run of Pulumi.
        on_task: is called with a task each time that a wait polls it.
        how_to_stop: how to end a wait, and what continues. It is printed when a wait begins.
    """

    run: Run
    warn: Callable[[str], None]
    report: Callable[[str], None]
    run_state: RunState = field(default_factory=RunState)
    on_task: Callable[[BatchTask], None] = lambda _: None
    how_to_stop: str = ""

    @property
    def clock(self) -> Clock:
        """Return the clock of the run: requests and waits share it."""
        return self.run.clock

    def resolve(self, inputs: Mapping[str, Any]) -> ResolvedConnection:
        """Return the connection of a resource: its ``connection`` input, the configuration and the environment.

        Call it only before a request: if no project is set, it requests the project from IAM.
        """
        return self.run.completed(self.run.resolved(self.of(inputs)))

    def of(self, inputs: Mapping[str, Any]) -> Context:
        """Return the context of a resource: this one with the ``connection`` input."""
        from pulumi_iotda_ota.iotda.auth.connection_model import Connection  # noqa: PLC0415  pydantic only when needed

        connection = Connection(**(inputs.get("connection") or {}))
        return Context(self.config, self.environ, connection, self.folder)


class Lifecycle(Protocol):
    """The life cycle of a resource. Each method takes the context first and changes none of its arguments."""

    #: The inputs of the resource, in the table's order.
    input_names: ClassVar[tuple[str, ...]]

    @staticmethod
    def problems(inputs: Properties) -> list[Problem]:
        """Return all problems of the inputs by themselves. An input that is not known yet has none."""
        ...

    @staticmethod
    def check(context: ResourceContext, olds: Properties, news: Properties) -> Checked:
        """Return the completed inputs to store. ``olds`` are the inputs stored before, empty at a creation."""
        ...

    @staticmethod
    def diff(context: ResourceContext, id_: str, olds: Properties, news: Properties) -> Diff:
        """Return the effect of the new inputs. ``olds`` is the stored state."""
        ...

    @staticmethod
    def create(context: ResourceContext, inputs: Properties) -> Created:
        """Create the resource."""
        ...

    @staticmethod
    def read(context: ResourceContext, id_: str, state: Properties) -> Properties:
        """Return the state as it is now. Starts nothing."""
        ...

    @staticmethod
    def imported(context: ResourceContext, id_: str, *, owned: bool) -> Imported:
        """Return an existing task or package by its id, as a resource. If it is not ``owned``, it is only read.

        Raises:
            IotdaOtaError: the id does not exist, or such a resource cannot be imported.
        """
        ...

    @staticmethod
    def update(context: ResourceContext, id_: str, olds: Properties, news: Properties) -> Properties:
        """Return the state under the new inputs."""
        ...

    @staticmethod
    def delete(context: ResourceContext, id_: str, state: Properties) -> None:
        """Remove the resource."""
        ...


class OneShot(ABC):
    """The life cycle of a resource that owns nothing: its creation does its work, and fails if the work fails.

    Resources that depend on it are created only if the work succeeded. A refresh and a destroy send no request, and
    need no credentials.

    Attributes:
        arguments: the part of the table that applies.
        id: a constant, because nothing on the service has an id of it. Another id would replace the resource.
        import_advice: what to do instead of an import.
        outputs: the names of what :meth:`run` returns.
        deciding: the inputs whose change does the work again.
        noted: the inputs that the work has used. A change of these alone has no effect, and is a warning.
        input_names: the inputs of the resource, in the table's order.
    """

    arguments: ClassVar[tuple[Argument, ...]]
    id: ClassVar[str]
    import_advice: ClassVar[str]
    outputs: ClassVar[tuple[str, ...]]
    deciding: ClassVar[tuple[str, ...]]
    noted: ClassVar[tuple[str, ...]]
    input_names: ClassVar[tuple[str, ...]]

    def __init_subclass__(cls) -> None:
        cls.input_names = (*(argument.name for argument in cls.arguments), "connection")
        cls.deciding = named(cls.arguments, "again")
        cls.noted = named(cls.arguments, "noted")

    @classmethod
    @abstractmethod
    def run(cls, context: ResourceContext, inputs: Properties) -> Properties:
        """Do the work of the resource, and return its outputs."""

    @classmethod
    def problems(cls, inputs: Properties) -> list[Problem]:
        """Return all problems of the inputs. An input that is not known yet has none."""
        return known_problems(cls.arguments, inputs)

    @classmethod
    def check(cls, context: ResourceContext, olds: Properties, news: Properties) -> Checked:  # noqa: ARG003
        """Check the inputs. Sends nothing."""
        news = declared(cls.arguments, news)
        inputs = {name: news[name] for name in cls.input_names if name in news}
        return Checked(inputs, cls.problems(inputs))

    @classmethod
    def diff(cls, context: ResourceContext, id_: str, olds: Properties, news: Properties) -> Diff:  # noqa: ARG003
        """Return whether anything changes. It never replaces, so that what depends on it is not deleted."""
        olds, news = (declared(cls.arguments, values) for values in (olds, news))
        noted = _differing(olds, news, cls.noted)
        if noted and not _differing(olds, news, cls.deciding):
            context.warn(
                f"a change of {', '.join(map(argument, noted))} has no effect: the task was judged already; "
                f"change {argument('triggers')} to judge it again"
            )
        return Diff(changes=bool(_differing(olds, news, cls.input_names)))

    @classmethod
    def create(cls, context: ResourceContext, inputs: Properties) -> Created:
        """Do the work of the resource; see :meth:`run`."""
        inputs = normal(inputs)
        return Created(cls.id, {**inputs, **cls.run(context, inputs)})

    @classmethod
    def read(cls, context: ResourceContext, id_: str, state: Properties) -> Properties:  # noqa: ARG003
        """Return the state as it was after the work. Sends nothing."""
        return dict(normal(state))

    @classmethod
    def imported(cls, context: ResourceContext, id_: str, *, owned: bool) -> Imported:  # noqa: ARG003
        """Refuse, because nothing on the service has its id."""
        raise refused_import(cls.import_advice)

    @classmethod
    def update(cls, context: ResourceContext, id_: str, olds: Properties, news: Properties) -> Properties:  # noqa: ARG003
        """Do the work again if a deciding input changed."""
        olds, news = normal(olds), normal(news)
        if _differing(olds, news, cls.deciding):
            return cls.create(context, news).outputs
        return {**{name: olds[name] for name in cls.outputs if name in olds}, **news}

    @classmethod  # noqa: B027  there is nothing to do
    def delete(cls, context: ResourceContext, id_: str, state: Properties) -> None:
        """Do nothing, because nothing on the service belongs to it."""


def _differing(olds: Properties, news: Properties, names: tuple[str, ...]) -> list[str]:
    olds, news = normal(olds), normal(news)
    return [name for name in names if olds.get(name) != news.get(name)]


def refused_import(advice: str) -> InputError:
    """Return the error of an import of a resource that owns nothing on the service."""
    headline = "this resource cannot be imported or read by an id: it owns nothing on the service"
    return InputError(headline, facts=[("fix", advice)])


def declared(table: Iterable[Argument], values: Properties) -> Properties:
    """Return values as they are stored and compared: without those that equal their default."""
    return validation.without_defaults(table, normal(values))


def holds_unknown(value: object) -> bool:
    """Return whether a value is, or holds, one that is not known yet."""
    if isinstance(value, dict):
        return any(holds_unknown(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(holds_unknown(item) for item in value)
    return value is UNKNOWN


def known_problems(table: Iterable[Argument], values: Mapping[str, Any]) -> list[Problem]:
    """Return the problems of the values that are known, items of lists too."""
    known = {name: _known_part(value) for name, value in values.items()}
    return validation.problems([argument for argument in table if known.get(argument.name) is not UNKNOWN], known)


def _known_part(value: Any) -> Any:
    if isinstance(value, list) and holds_unknown(value):
        return [item for item in value if not holds_unknown(item)] or UNKNOWN
    return value


@contextmanager
def collecting(problems: list[Problem]) -> Iterator[None]:
    """Turn an error of this library that the block raises into a problem of the inputs."""
    try:
        yield
    except IotdaOtaError as error:
        # Now, because the secrets of the block are known only in it, and the interface renders the problem later.
        error.redact(())
        if isinstance(error, InputError):
            problems.append(Problem.of(error, error.argument))
        else:
            problems.append(Problem.of(error, "connection" if isinstance(error, ConfigurationError) else ""))
