"""The description of one argument of a function or resource, and how it is written for a reader."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from pulumi_iotda_ota.iotda.limits import Choice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

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
        """Return the limit, to read after "must be"."""
        ...

    def problem(self, value: object) -> str | None:
        """Return why the value breaks the limit, or None."""
        ...


@dataclass(frozen=True)
class Change:
    """The effect of a change of an input on a resource that exists.

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


#: The effects that several inputs share.
NEW_TASK = Change("replaces", "Replaces the task. Refused while the task runs, unless {replace_running} is set.")
ONCE = Change(
    "once",
    "Refused until the task has ended: the service reads it once, when the task is created. After the end: stored, "
    "with a warning that it has no effect on the existing task.",
)
NEXT_CREATION = Change("stored", "Stored: it is used when the next task is created.")
NEXT_REPLACEMENT = Change("stored", "Stored: it is used at the next replacement.")
NEW_PACKAGE = Change("replaces", "Replaces the package.")
ALLOWED = Change("allowed", "Refused, unless {allow_replace} is set. Then it replaces the package.")
SELECTS = Change("again", "Selects the package again, and moves the pin if another one is found.")
NEXT_PREVIEW = Change("stored", "Stored: it is used at each preview and update.")
WAITS = Change("again", "Waits for the task and judges it again.")
JUDGED = Change(
    "noted", "Stored, with a warning: the task was judged already. Change {triggers} too, to judge it again."
)
CONFIRMS = Change("again", "Compares the packages and confirms again.")
#: The change of ``connection``, which is not in the tables of arguments, by resource.
CONNECTION = {
    **dict.fromkeys(
        ("UpgradeTask", "OtaPackage"),
        Change("stored", "Stored if the resource is found with it. Otherwise an error says what differs."),
    ),
    "OtaPackagePin": NEXT_PREVIEW,
    **dict.fromkeys(
        ("UpgradeTaskCompletion", "UpgradeTaskConfirmation"),
        Change("stored", "Stored: it is used when the resource does its work again."),
    ),
}


@dataclass(frozen=True)
class Argument:
    """One argument.

    Attributes:
        name: in Python's spelling.
        type: its type in the plugin.
        description: what the argument is, in full sentences. ``{name}`` refers to another argument, so that each
            interface can write it in its own style. Default, limit, allowed values and example are not part of it.
        rule: the documented limit of the value, or of each item of a list.
        required: whether it must be set.
        maximum: how many items a list may have.
        default: the value that has the same meaning as no value.
        allowed: the values of a choice, each with its meaning.
        example: one value that is allowed.
        python_type: the Python type, if the wire type does not say it.
        selects: whether it is a part of the policy that selects packages.
        free: whether it can hold any value, even a secret. An error never contains its value.
        optional_output: whether a Pulumi Output for it may resolve to None, because it neither selects nor limits.
        of: the fields of an object that has names of the API. Without it, the keys are the user's.
        change: the effect of a change on a resource that exists; None for an argument of a function.
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


def named(arguments: Iterable[Argument], *effects: str) -> tuple[str, ...]:
    """Return the names of the inputs whose change has one of the effects, in the table's order."""
    return tuple(argument.name for argument in arguments if argument.change and argument.change.effect in effects)


@dataclass(frozen=True)
class DescriptionStyle:
    """How a description for one reader writes names and values, with the markup of its page.

    Attributes:
        name: returns the name of an argument.
        value: returns a value.
    """

    name: Callable[[str], str]
    value: Callable[[object], str] = lambda value: value if isinstance(value, str) else json.dumps(value)


def rendered(text: str, style: DescriptionStyle) -> str:
    """Return a description with each ``{reference}`` written out."""
    return _REFERENCE.sub(lambda found: style.name(found[1]), text)


def summary(argument: Argument, style: DescriptionStyle) -> str:
    """Return the description, and the default unless it is a boolean. A help page lists the allowed values itself."""
    default = argument.default if argument.type != "boolean" else None
    return rendered(argument.description, style) + (f" Default: {style.value(default)}." if default is not None else "")


def explained(argument: Argument, style: DescriptionStyle) -> str:
    """Return the whole description: what it is, its limit, allowed values, default and one example."""
    parts = [rendered(argument.description, style)]
    if isinstance(argument.rule, Choice):
        parts.append(f"Allowed values: {', '.join(map(style.value, argument.rule.options))}.")
    elif argument.rule is not None:
        meaning = argument.rule.meaning.rstrip(".")
        parts.append(f"{'Each item' if argument.type == 'list of strings' else 'The value'} must be {meaning}.")
    if argument.maximum is not None:
        parts.append(f"At most {argument.maximum:,} items.")
    if argument.default is not None:
        parts.append(f"Default: {style.value(argument.default)}.")
    if argument.example is not None:
        parts.append(f"Example: {style.value(argument.example)}.")
    return " ".join(parts)
