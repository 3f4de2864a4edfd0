"""Converts properties between Python's names and those of the plugin, as the tables describe them.

A free-form object keeps the keys of its user. So a name inside a value changes only if the tables know the object.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.case import camel, snake

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulumi_iotda_ota.schema.argument import Argument
    from pulumi_iotda_ota.schema.outputs import Output

    Field = Argument | Output


def to_python(fields: Iterable[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return properties under Python's names."""
    return _renamed(snake, fields, values)


def to_wire(fields: Iterable[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return properties under the names of the wire."""
    return _renamed(camel, fields, values)


def _renamed(rename: Callable[[str], str], fields: Iterable[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    known = {item.name: item for item in fields}
    return {rename(name): _inside(rename, known.get(snake(name)), value) for name, value in values.items()}


def _inside(rename: Callable[[str], str], field_: Field | None, value: Any) -> Any:
    """Return a value with the names inside it; only an object that the table knows has names of ours."""
    of = getattr(field_, "of", None)
    if of is not None and isinstance(value, dict):
        return _renamed(rename, of.fields, value)
    if of is not None and isinstance(value, Iterable) and not isinstance(value, str):
        return [_inside(rename, field_, item) for item in value]
    kind = field_.type if field_ is not None else ""
    if kind == "counts by argument" and isinstance(value, dict):
        return {rename(name): item for name, item in value.items()}
    return rename(value) if kind == "argument" and isinstance(value, str) else value
