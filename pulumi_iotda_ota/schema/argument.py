"""Describe one argument of a function or resource, and write its description for a reader."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from pulumi_iotda_ota.iotda.limits import Choice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulumi_iotda_ota.iotda.auth.settings import Setting
    from pulumi_iotda_ota.schema.outputs import Object

WireType = Literal["string", "boolean", "integer", "number", "list of strings", "duration", "object", "any"]

_REFERENCE = re.compile(r"\{(\w+)\}")
_PYTHON_TYPES: Mapping[WireType, str] = {
    "string": "str",
    "boolean": "bool",
    "integer": "int",
    "number": "float",
    "list of strings": "Sequence[str]",
    "duration": "str | float",
    "object": "Mapping[str, Any]",
    "any": "Any",
}


class Rule(Protocol):
    """A limit of a value."""

    @property
    def meaning(self) -> str:
        """Return the limit in words, to read after "must be"."""
        ...

    def problem(self, value: object) -> str | None:
        """Return why the value breaks the limit, or None."""
        ...


@dataclass(frozen=True)
class Change:
    """What a change of an input does to a resource that exists.

    Attributes:
        effect: one of:

            * ``replaces``: the resource is replaced.
            * ``again``: the resource does its work again.
            * ``refused``: the change is refused.
            * ``allowed``: the change is refused, unless another input allows it. Then the resource is replaced.
            * ``once``: the service reads the input once. The change is refused until the task has ended.
            * ``noted``: the value is stored with a warning, because it has no effect on what exists.
            * ``stored``: the value is stored for later use.
        description: the effect in a sentence for users, with the reason.
    """

    effect: Literal["replaces", "again", "refused", "allowed", "once", "noted", "stored"]
    description: str


@dataclass(frozen=True)
class Argument:
    """One argument.

    Attributes:
        name: as the Python functions spell it.
        type: what travels to and from the plugin.
        description: what the argument is, in full sentences. ``{name}`` refers to another argument, so that each
            interface can write it in its own spelling. Default, limit, allowed values and example are not part of it.
        rule: the documented limit of the value, or of each item of a list.
        required: whether it must be set.
        maximum: how many items a list may have.
        default: the value that has the same meaning as no value.
        allowed: the values of a choice, each with its meaning.
        example: one value that is allowed.
        python_type: the Python type, if the wire type does not say it.
        selects: whether it is a part of the policy that selects packages.
        free: whether it can hold anything, even a secret. An error never shows its value.
        optional_output: whether a Pulumi Output for it may resolve to None, because it neither selects nor limits.
        of: the fields of an object that has names of the API. Without it, the keys are the user's.
        change: what a change does to a resource that exists; None for an argument of a function.
    """

    name: str
    type: WireType
    description: str
    rule: Rule | None = None
    required: bool = False
    maximum: int | None = None
    default: object = None
    allowed: Mapping[str, str] = field(default_factory=dict)
    example: object = None
    python_type: str = ""
    selects: bool = False
    free: bool = False
    optional_output: bool = False
    of: Object | None = None
    change: Change | None = None

    @property
    def python(self) -> str:
        """Return its Python type, without None."""
        return self.python_type or _PYTHON_TYPES[self.type]


@dataclass(frozen=True)
class Spelling:
    """How one interface writes names and values.

    Attributes:
        name: returns an argument as the interface spells it.
        value: returns a value as the interface writes it.
    """

    name: Callable[[str], str]
    value: Callable[[object], str] = lambda value: value if isinstance(value, str) else json.dumps(value)


def rendered(text: str, spelling: Spelling) -> str:
    """Return a description with each ``{reference}`` in the spelling of an interface."""
    return _REFERENCE.sub(lambda found: spelling.name(found[1]), text)


def summary(argument: Argument | Setting, spelling: Spelling) -> str:
    """Return what it is, and its default if that is a value: for a help page, which shows the allowed values itself."""
    default = argument.default if argument.type != "boolean" else None
    told = f" Default: {spelling.value(default)}." if default is not None else ""
    return rendered(argument.description, spelling) + told


def explained(argument: Argument | Setting, spelling: Spelling) -> str:
    """Return all that a reader must know: what it is, its limit, allowed values, default and one example."""
    parts = [rendered(argument.description, spelling)]
    if isinstance(argument.rule, Choice):
        parts.append(f"Allowed values: {', '.join(map(spelling.value, argument.rule.options))}.")
    elif argument.rule is not None:
        meaning = argument.rule.meaning.rstrip(".")
        parts.append(f"{'Each item' if argument.type == 'list of strings' else 'The value'} must be {meaning}.")
    if argument.maximum is not None:
        parts.append(f"At most {argument.maximum:,} items.")
    if argument.default is not None:
        parts.append(f"Default: {spelling.value(argument.default)}.")
    if argument.example is not None:
        parts.append(f"Example: {spelling.value(argument.example)}.")
    return " ".join(parts)
