"""What the life cycles of all resources share: their answers, the context they act in, and how values are read.

Property values are plain; one that is not known yet is :data:`UNKNOWN`, also inside lists and objects.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pulumi_iotda_ota.context import Context
from pulumi_iotda_ota.iotda.errors import ConfigurationError, InputError, IotdaOtaError
from pulumi_iotda_ota.lifecycle.run_state import RunState
from pulumi_iotda_ota.schema import validation
from pulumi_iotda_ota.schema.validation import Problem

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
    """The inputs as they will be stored, and what is wrong with them."""

    inputs: Properties = field(repr=False)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Diff:
    """What a change of inputs does to the resource.

    Attributes:
        changes: whether anything is done.
        replaces: the inputs whose change replaces the resource.
        delete_first: whether a replacement deletes the old one first. The engine then also deletes what depends on it,
            before that is checked.
    """

    changes: bool
    replaces: tuple[str, ...] = ()
    delete_first: bool = False


@dataclass(frozen=True)
class Created:
    """A resource that was created, or adopted."""

    id: str
    outputs: Properties = field(repr=False)


@dataclass(frozen=True)
class Imported:
    """An existing task or package, as a resource.

    Attributes:
        inputs: what a program declares it with, completed as ``check`` completes it.
        state: what is stored in the state.
    """

    inputs: Properties = field(repr=False)
    state: Properties = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ResourceContext(Context):
    """Everything outside that a life cycle acts on or reads.

    Attributes:
        run: its clients, and the clock.
        warn: shows a warning to whoever runs Pulumi.
        tell: shows a line of progress.
        run_state: what this run of Pulumi has seen and done so far.
        seen: is given a task each time that it is looked at while it is waited for.
        stopping: how to stop a wait, and what remains. Shown when a wait begins; empty shows nothing.
    """

    run: Run
    warn: Callable[[str], None]
    tell: Callable[[str], None]
    run_state: RunState = field(default_factory=RunState)
    seen: Callable[[BatchTask], None] = lambda _: None
    stopping: str = ""

    @property
    def clock(self) -> Clock:
        """Return the time, and the way to wait: the same for what waits here and for what is sent."""
        return self.run.clock

    def resolve(self, inputs: Mapping[str, Any]) -> ResolvedConnection:
        """Return the connection of a resource: its ``connection`` input, the configuration and the environment.

        Called only where something is about to be sent: where no project is given, IAM is asked for it.
        """
        return self.run.completed(self.run.resolved(self.where(inputs)))

    def where(self, inputs: Mapping[str, Any]) -> Context:
        """Return where a resource asks, before anything of it is resolved."""
        from pulumi_iotda_ota.iotda.auth.connection_model import Connection  # noqa: PLC0415  pydantic only when needed

        given = Connection(**(inputs.get("connection") or {}))
        return Context(self.config, self.environ, given, self.folder)


class Lifecycle(Protocol):
    """What a resource does; each method takes the context first and changes nothing of what it is given."""

    #: The inputs of the resource, in the table's order.
    input_names: ClassVar[tuple[str, ...]]

    @staticmethod
    def check(context: ResourceContext, olds: Properties, news: Properties) -> Checked:
        """Return the inputs to store, completed; ``olds`` are the inputs stored before, empty at a creation."""
        ...

    @staticmethod
    def diff(context: ResourceContext, id_: str, olds: Properties, news: Properties) -> Diff:
        """Return what the new inputs change; ``olds`` is the stored state."""
        ...

    @staticmethod
    def create(context: ResourceContext, inputs: Properties) -> Created:
        """Create the resource."""
        ...

    @staticmethod
    def read(context: ResourceContext, id_: str, state: Properties) -> Properties:
        """Return the state as it is now; starts nothing."""
        ...

    @staticmethod
    def imported(context: ResourceContext, id_: str, *, owned: bool) -> Imported:
        """Return an existing task or package by its id, as a resource. Changes nothing.

        Args:
            context: everything outside.
            id_: the id on the service.
            owned: whether the resource owns it from now on, or only reads it.

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


def refused_import(advice: str) -> InputError:
    """Return the error of an import of a resource that owns nothing on the service.

    Args:
        advice: what to do instead.
    """
    headline = "this resource cannot be imported or read by an id: it owns nothing on the service"
    return InputError(headline, facts=[("fix", advice)])


def declared(table: Iterable[Argument], values: Properties) -> Properties:
    """Return values as they are stored and compared: those that equal their default mean the same as no value."""
    return validation.without_defaults(table, validation.normal(values))


def holds_unknown(value: object) -> bool:
    """Return whether a value is, or holds, one that is not known yet."""
    if isinstance(value, dict):
        return any(holds_unknown(item) for item in value.values())
    if isinstance(value, (list, tuple)):
        return any(holds_unknown(item) for item in value)
    return value is UNKNOWN


def known_problems(table: Iterable[Argument], values: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with the values that are known, items of lists too; what is not known is taken to be right.

    Args:
        table: the arguments of the resource.
        values: what was given.
    """
    known = {name: _known_part(value) for name, value in values.items()}
    return validation.problems([argument for argument in table if known.get(argument.name) is not UNKNOWN], known)


def _known_part(value: Any) -> Any:
    if isinstance(value, list) and holds_unknown(value):
        return [item for item in value if not holds_unknown(item)] or UNKNOWN
    return value


@contextmanager
def collecting(problems: list[Problem]) -> Iterator[None]:
    """Turn an error of ours that is raised in the block into a problem of the inputs."""
    try:
        yield
    except InputError as error:
        error.redact(())  # of what is redacted now: the block may be left before the interface renders it
        problems.append(Problem.of(error, error.argument))
    except IotdaOtaError as error:
        error.redact(())
        problems.append(Problem.of(error, "connection" if isinstance(error, ConfigurationError) else ""))
