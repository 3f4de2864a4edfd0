"""How the plugin words what people read: arguments have the names that they have in the schema."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.auth.settings import SETTINGS
from pulumi_iotda_ota.iotda.limits import Choice
from pulumi_iotda_ota.plugin.values import in_camel
from pulumi_iotda_ota.schema.registry import FUNCTIONS, RESOURCES

if TYPE_CHECKING:
    from pulumi_iotda_ota.schema import Argument


@cache
def _names() -> frozenset[str]:
    tables = [*(item.arguments for item in FUNCTIONS.values()), *(item.arguments for item in RESOURCES.values())]
    known = [argument for table in tables for argument in table]
    inside = {field.name for argument in known if argument.of for field in argument.of.fields}
    return frozenset({argument.name for argument in known} | inside | {item.name for item in SETTINGS})


def worded(text: str, argument: Argument | None = None) -> str:
    """Return a message with the names of the schema.

    Args:
        text: the message in Python's names.
        argument: what it is about; the values it can have are no names.
    """
    options = argument.rule.options if argument and isinstance(argument.rule, Choice) else ()
    return in_camel(text, _names() - {*options})
