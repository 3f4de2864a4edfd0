"""What the resources share that own nothing: what they do is done at their creation, and gates what depends on them.

A refresh and a destroy ask nobody, and need no credentials.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.lifecycle.base import Checked, Created, Diff, Imported, declared, known_problems, refused_import
from pulumi_iotda_ota.schema.changes import named
from pulumi_iotda_ota.schema.validation import normal

if TYPE_CHECKING:
    from pulumi_iotda_ota.lifecycle.base import Properties, ResourceContext
    from pulumi_iotda_ota.schema import Argument
    from pulumi_iotda_ota.schema.validation import Problem


class OneShot(ABC):
    """The life cycle of a resource that owns nothing.

    Attributes:
        arguments: the part of the table that applies.
        id: there is nothing on the service whose id this could be, and an id that moved would replace the resource.
        import_advice: what to do instead of an import.
        outputs: what :meth:`run` returns.
        deciding: a change of one of these inputs does it again; a change of any other alters the stored state only.
        noted: the inputs that were used when it was done; a change of these alone has no effect, and is a warning.
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
        """Do what the resource is for, and return its outputs; an error of ours keeps the gate shut."""

    @classmethod
    def problems(cls, inputs: Properties) -> list[Problem]:
        """Return everything that is wrong with the inputs; one that is not known yet is taken to be right."""
        return known_problems(cls.arguments, inputs)

    @classmethod
    def check(cls, context: ResourceContext, olds: Properties, news: Properties) -> Checked:  # noqa: ARG003
        """Check the inputs; nothing is sent."""
        news = declared(cls.arguments, news)
        inputs = {name: news[name] for name in cls.input_names if name in news}
        return Checked(inputs, cls.problems(inputs))

    @classmethod
    def diff(cls, context: ResourceContext, id_: str, olds: Properties, news: Properties) -> Diff:  # noqa: ARG003
        """Return whether something changes. It never replaces: what depends on it is not to be deleted on the way."""
        olds, news = (declared(cls.arguments, values) for values in (olds, news))
        noted = _differing(olds, news, cls.noted)
        if noted and not _differing(olds, news, cls.deciding):
            told = f"a change of {', '.join(map(argument, noted))} has no effect"
            context.warn(f"{told}: the task was judged already; change {argument('triggers')} to judge it again")
        return Diff(changes=bool(_differing(olds, news, cls.input_names)))

    @classmethod
    def create(cls, context: ResourceContext, inputs: Properties) -> Created:
        """Do what the resource is for; see :meth:`run`."""
        inputs = normal(inputs)
        return Created(cls.id, {**inputs, **cls.run(context, inputs)})

    @classmethod
    def read(cls, context: ResourceContext, id_: str, state: Properties) -> Properties:  # noqa: ARG003
        """Return the state: it tells what was found when the gate opened, and nothing is asked about that again."""
        kept: Properties = normal(state)
        return kept

    @classmethod
    def imported(cls, context: ResourceContext, id_: str, *, owned: bool) -> Imported:  # noqa: ARG003
        """Refuse: nothing on the service has its id."""
        raise refused_import(cls.import_advice)

    @classmethod
    def update(cls, context: ResourceContext, id_: str, olds: Properties, news: Properties) -> Properties:  # noqa: ARG003
        """Do it again where a deciding input changed."""
        olds, news = normal(olds), normal(news)
        if _differing(olds, news, cls.deciding):
            return cls.create(context, news).outputs
        return {**{name: olds[name] for name in cls.outputs if name in olds}, **news}

    @classmethod  # noqa: B027  there is nothing to do
    def delete(cls, context: ResourceContext, id_: str, state: Properties) -> None:
        """Do nothing: there is nothing of it on the service, and what has begun is not undone by forgetting it."""


def _differing(olds: Properties, news: Properties, names: tuple[str, ...]) -> list[str]:
    olds, news = normal(olds), normal(news)
    return [name for name in names if olds.get(name) != news.get(name)]
