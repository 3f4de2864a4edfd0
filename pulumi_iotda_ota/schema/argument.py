"""What the table tells of one argument."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.limits import Rule
    from pulumi_iotda_ota.schema.outputs import Object


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
        type: ``text``, ``flag``, ``number`` (a whole one), ``decimal``, ``texts`` (a list), ``duration``, ``object`` or
            ``triggers``.
        description: a full sentence with default and limits.
        rule: the documented limit of the value, or of each of several.
        required: whether it must be given.
        maximum: how many items a list may have.
        default: what not giving it means.
        free: whether it can hold anything, a secret too; an error then never shows it.
        optional_output: whether a Pulumi Output for it may resolve to None; the argument neither selects nor limits.
        of: the fields of an object that has names of the API; without it its keys are the user's.
        change: what a change does to a resource that exists; None for an argument of a function.
    """

    name: str
    type: str
    description: str
    rule: Rule | None = None
    required: bool = False
    maximum: int | None = None
    default: object = None
    free: bool = False
    optional_output: bool = False
    of: Object | None = None
    change: Change | None = None
