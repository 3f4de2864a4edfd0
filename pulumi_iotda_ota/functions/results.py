"""The base of all results of functions: a read-only mapping that is also a Pulumi output type.

Pulumi exports and stashes a mapping, passes it on as a resource input, and keeps the class of an output type through
``Output.all``. So a result must be both. The mapping holds the fields that are set. Skipped packages are attributes
only, so that an unrelated upload changes no stack output.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, TypeVar

import pulumi

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")


class Field(Generic[T]):
    """An attribute that reads the value of the same name, or None if the value is not set.

    Args:
        description: the documentation of the attribute.
        of: the class of its value.
        each: the class of each item, if it is a list. Without items, the list is empty.
    """

    exported: ClassVar = True

    def __init__(self, description: str, *, of: type[Result] | None = None, each: type[Result] | None = None) -> None:
        self.description, self.of, self.each = description, of, each

    def made(self, value: Any) -> Any:
        """Return a plain value as the result holds it."""
        if self.each is not None:
            return [self.each.from_values(item) for item in value or ()]
        if self.of is not None:
            return self.of.from_values(value) if value else None
        return value

    def __set_name__(self, owner: type[Result], name: str) -> None:
        owner.outputs = {**owner.outputs, name: self}

        def read(result: Result) -> Any:
            return result.value_of(name)

        # Pulumi exports the getters of an output type.
        setattr(owner, name, property(pulumi.getter(name=name)(read) if self.exported else read, doc=self.description))

    if TYPE_CHECKING:

        def __get__(self, result: Result, owner: type) -> T: ...
        def __set__(self, result: Result, value: NoReturn) -> None: ...


class Attribute(Field[T]):
    """A list or mapping that is no key of the result, is never exported, and is empty if it is not set."""

    exported: ClassVar = False

    def made(self, value: Any) -> Any:
        """Return a plain value as the result holds it."""
        made = super().made(value)
        return {} if made is None else made


_NONE: Mapping[str, Field[Any]] = {}


@pulumi.output_type
class Result(Mapping[str, Any]):
    """A read-only mapping over the values that are set. Subclasses are output types too."""

    #: The fields of the class and its bases. It has no annotation, because Pulumi makes annotated names properties.
    outputs = _NONE
    # Results compare by value, and may hold lists.
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, **values: Any) -> None:
        present = {name: value for name, value in values.items() if value is not None}
        hidden = {name: field for name, field in self.outputs.items() if not field.exported}
        self._attributes = {name: present.pop(name, field.made(None)) for name, field in hidden.items()}
        self._values = present

    @classmethod
    def from_values(cls, values: Mapping[str, Any]) -> Self:
        """Return the result with these fields."""
        made = {name: field.made(values.get(name)) for name, field in cls.outputs.items()}
        return cls(**{**values, **made})

    @classmethod
    def from_found(cls, values: Mapping[str, Any]) -> Self | None:
        """Return the result of a lookup, or None if nothing was found."""
        found = {name: value for name, value in values.items() if name != "found"}
        return cls.from_values(found) if values.get("found", True) else None

    def value_of(self, name: str) -> Any:
        """Return a field or attribute, or None if it is not set."""
        return self._values.get(name, self._attributes.get(name))

    def all_values(self) -> dict[str, Any]:
        """Return all values, those of attributes too, as plain dicts and lists."""
        return {**self.to_dict(), **{name: _plain(value) for name, value in self._attributes.items()}}

    def to_dict(self) -> dict[str, Any]:
        """Return the values as plain dicts and lists, ready for JSON."""
        return {name: _plain(value) for name, value in self._values.items()}

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and dict(self) == dict(other)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._values.items())})"


def _plain(value: Any) -> Any:
    if isinstance(value, Result):
        return value.to_dict()
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
