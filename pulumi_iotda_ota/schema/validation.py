"""Checks values against the table of arguments, and brings them into the form in which they compare. Sends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda import references
from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.references import PYTHON, render

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pulumi_iotda_ota.iotda.errors import IotdaOtaError
    from pulumi_iotda_ota.iotda.references import Spelling
    from pulumi_iotda_ota.schema import Argument


@dataclass(frozen=True)
class Problem:
    """What is wrong with one argument.

    Attributes:
        argument: its name in Python's spelling, or empty.
        reason: what is wrong, to read after the name, with references.
        error: the whole error, if the problem has more lines than the reason.
    """

    argument: str
    reason: str
    error: IotdaOtaError | None = None

    @classmethod
    def of(cls, error: IotdaOtaError, argument: str = "") -> Problem:
        """Return the problem of an error that is raised because of an argument.

        Args:
            error: the error. If its headline begins with the argument, the reason does not repeat it.
            argument: the argument, or empty.
        """
        name = references.argument(argument)
        return cls(argument, error.message.headline.removeprefix(name).lstrip(": ") if argument else "", error)

    @property
    def text(self) -> str:
        """Return the argument and what is wrong with it, in one line with references."""
        if self.error is not None:
            return self.error.message.headline
        return f"{references.argument(self.argument)} {self.reason}" if self.argument else self.reason

    def rendered(self, spelling: Spelling = PYTHON) -> str:
        """Return what is wrong, to read after the name of the argument, in the spelling of an interface."""
        if self.error is None:
            return render(self.reason, spelling)
        name = render(references.argument(self.argument), spelling) if self.argument else ""
        return self.error.rendered(spelling).removeprefix(name).lstrip(": ")


def normal(value: Any) -> Any:
    """Return a value as it can be compared, whichever way it came.

    The engine carries every number as a float and drops what is None, a program under test keeps both.
    """
    if isinstance(value, dict):
        return {name: normal(item) for name, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [normal(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def without_defaults(arguments: Iterable[Argument], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values without those that equal the default of the table: they mean the same as no value.

    The SDKs that are generated from the schema send every default. Neither that, nor writing a default out in a
    program, is a change of a resource.
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
    """Return everything that is wrong with the values, in the table's order.

    Args:
        arguments: the part of the table that applies.
        values: what was given, None for an argument that was not. What the table does not list is not looked at.
    """
    found = [(argument, values.get(argument.name)) for argument in arguments]
    return [Problem(argument.name, reason) for argument, value in found if (reason := _reason(argument, value))]


def require_valid(arguments: Iterable[Argument], values: Mapping[str, Any]) -> None:
    """Refuse values that break the table, all of them in one error; see :func:`problems`.

    Raises:
        InputError: at least one value breaks its rule.
    """
    wrong = problems(arguments, values)
    if wrong:
        raise error_of(wrong)


def error_of(problems: Sequence[Problem], label: str = "") -> InputError:
    """Return one error that names several problems.

    Args:
        problems: the problems, at least one.
        label: what the headline begins with, such as the resource.
    """
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
