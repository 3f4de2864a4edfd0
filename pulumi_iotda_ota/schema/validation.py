"""Check values against the tables, and convert them: to the form in which they compare, and between spellings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda import references
from pulumi_iotda_ota.iotda.case import camel, snake
from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.references import PYTHON, render

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pulumi_iotda_ota.iotda.errors import IotdaOtaError
    from pulumi_iotda_ota.iotda.references import Spelling
    from pulumi_iotda_ota.schema.argument import Argument
    from pulumi_iotda_ota.schema.outputs import Output

    Field = Argument | Output


@dataclass(frozen=True)
class Problem:
    """One problem of the arguments.

    Attributes:
        argument: the argument in Python's spelling, or empty.
        reason: the problem, to read after the name, with references.
        error: the whole error, if it has more lines than the reason.
    """

    argument: str
    reason: str
    error: IotdaOtaError | None = None

    @classmethod
    def of(cls, error: IotdaOtaError, argument: str = "") -> Problem:
        """Return the problem of an error. If its headline begins with the argument, the reason does not repeat it."""
        name = references.argument(argument)
        return cls(argument, error.message.headline.removeprefix(name).lstrip(": ") if argument else "", error)

    @property
    def text(self) -> str:
        """Return the argument and the reason, in one line with references."""
        if self.error is not None:
            return self.error.message.headline
        return f"{references.argument(self.argument)} {self.reason}" if self.argument else self.reason

    def rendered(self, spelling: Spelling = PYTHON) -> str:
        """Return the reason in the spelling of an interface, to read after the name of the argument."""
        if self.error is None:
            return render(self.reason, spelling)
        name = render(references.argument(self.argument), spelling) if self.argument else ""
        return self.error.rendered(spelling).removeprefix(name).lstrip(": ")


def normal(value: Any) -> Any:
    """Return a value in the form in which values compare: whole numbers as integers, and no None.

    The engine sends every number as a float and drops None. A program under test keeps both.
    """
    if isinstance(value, dict):
        return {name: normal(item) for name, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [normal(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def without_defaults(arguments: Iterable[Argument], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values without those that equal their default, which have the same meaning as no value.

    SDKs that are generated from the schema send every default. That is no change of a resource.
    """
    defaults = {argument.name: argument.default for argument in arguments if argument.default is not None}
    return {name: value for name, value in values.items() if name not in defaults or not _same(value, defaults[name])}


def _same(value: object, default: object) -> bool:
    # 1 equals True in Python, but it is another value of an argument.
    return value == default and isinstance(value, bool) == isinstance(default, bool)


_PYTHON_TYPES: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "string": (str, "a string"),
    "boolean": (bool, f"{references.value(True)} or {references.value(False)}"),
    "integer": (int, "a whole number"),
    "number": ((int, float), "a number"),
    "object": (dict, "an object"),
}


def problems(arguments: Iterable[Argument], values: Mapping[str, Any]) -> list[Problem]:
    """Return all problems of the values, in the order of the arguments.

    Args:
        arguments: the part of the table that applies.
        values: the values by name. None means that an argument is not set. Names outside the table are ignored.
    """
    found = [(argument, values.get(argument.name)) for argument in arguments]
    return [Problem(argument.name, reason) for argument, value in found if (reason := _reason(argument, value))]


def require_valid(arguments: Iterable[Argument], values: Mapping[str, Any]) -> None:
    """Refuse values that break the table, all of them in one error; see :func:`problems`.

    Raises:
        InputError: at least one value breaks its rule.
    """
    if wrong := problems(arguments, values):
        raise error_of(wrong)


def error_of(problems: Sequence[Problem], label: str = "") -> InputError:
    """Return one error for several problems, at least one."""
    first, *others = problems
    facts = list(first.error.message.facts) if first.error else []
    facts += [("also wrong", problem.text) for problem in others]
    return InputError(f"{label}{first.text}", argument=first.argument, facts=facts)


def _reason(argument: Argument, value: object) -> str | None:
    if value is None:
        return "is required" if argument.required else None
    if argument.type == "list of strings":
        return _list_reason(argument, value)
    expected = _PYTHON_TYPES.get(argument.type)
    if expected and (not isinstance(value, expected[0]) or (isinstance(value, bool) and argument.type != "boolean")):
        return f"must be {expected[1]}, not {_describe_value(argument, value)}"
    problem = argument.rule.problem(value) if argument.rule else None
    return f"{problem}, not {_describe_value(argument, value)}" if problem else None


def _describe_value(argument: Argument, value: object) -> str:
    return f"of type {type(value).__name__}" if argument.free else references.value(value)


def _list_reason(argument: Argument, value: object) -> str | None:
    if not isinstance(value, (list, tuple, set, frozenset)):
        return f"must be a list, not {references.value(value)}"
    if not value:
        return "must not be empty"
    if argument.maximum is not None and len(value) > argument.maximum:
        return f"has {len(value):,} items; at most {argument.maximum:,} are allowed"
    for item in value:
        problem = argument.rule.problem(item) if argument.rule else None
        if problem:
            return f"has an item that {problem}, not {references.value(item)}"
    return None


def to_python(fields: Iterable[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return properties under the names of Python.

    A free-form object keeps the keys of its user. So a name inside a value changes only if the tables know the object.
    """
    return _renamed(snake, fields, values)


def to_wire(fields: Iterable[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return properties under the names of the plugin; see :func:`to_python`."""
    return _renamed(camel, fields, values)


def _renamed(rename: Callable[[str], str], fields: Iterable[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    known = {item.name: item for item in fields}
    return {rename(name): _inside(rename, known.get(snake(name)), value) for name, value in values.items()}


def _inside(rename: Callable[[str], str], field_: Field | None, value: Any) -> Any:
    of = getattr(field_, "of", None)
    if of is not None and isinstance(value, dict):
        return _renamed(rename, of.fields, value)
    if of is not None and isinstance(value, Iterable) and not isinstance(value, str):
        return [_inside(rename, field_, item) for item in value]
    kind = field_.type if field_ is not None else ""
    if kind == "counts by argument" and isinstance(value, dict):
        return {rename(name): item for name, item in value.items()}
    return rename(value) if kind == "argument" and isinstance(value, str) else value
