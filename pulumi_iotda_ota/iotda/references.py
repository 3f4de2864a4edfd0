"""References to arguments, settings and values in messages. Each interface renders them in its own spelling.

A reference is JSON between two Unicode noncharacters. :func:`~pulumi_iotda_ota.iotda.sanitize.sanitize` escapes
noncharacters in every text from outside, so a text of the service, a file name or a variable is never a reference.
Rendering changes nothing else.

This module has Python's spelling, which ``str(error)`` uses. ``message_rendering.py`` has the other spellings.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, ClassVar

from pulumi_iotda_ota.iotda.sanitize import quoted, redact, sanitize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_START, _END = "\ufdd0", "\ufdd1"
# A space at which a line is not broken, so that an argument with its value can be copied.
_FIXED_SPACE = "\ufdd2"
_REFERENCE = re.compile(f"{_START}([^{_START}{_END}]*){_END}")
_MISSING = object()

_LONGEST = 100  # characters of a value
_MOST_ITEMS = 4  # of a list
_LONGEST_FIXED = 60  # characters that are not broken into lines


class Spelling:
    """The spelling of names and values in an interface. This class is Python's spelling; the others are subclasses.

    Attributes:
        variant: the index of the interface in the texts of :func:`by_interface`.
        separator: the text between two arguments with their values.
    """

    variant: ClassVar[int] = 0
    separator: ClassVar[str] = ", "

    def argument(self, name: str) -> str:
        """Return the name of an argument."""
        return name

    def setting(self, name: str) -> str:
        """Return the name of a setting of the connection."""
        return self.argument(name)

    def field(self, name: str) -> str:
        """Return the name of a field of a result."""
        return name

    def literal(self, value: Any) -> str:
        """Return a value as a literal."""
        if isinstance(value, list):
            return f"[{', '.join(map(self.literal, value))}]"
        if isinstance(value, str):
            return fixed(json.dumps(value, ensure_ascii=False)) if value != "…" else "..."
        return str(value)

    def pair(self, name: str, value: Any) -> str:
        """Return an argument with its value. None means that the argument is not set."""
        return f"{name}={self.literal(value)}"


PYTHON = Spelling()


def argument(name: str, value: object = _MISSING) -> str:
    """Return a reference to an argument.

    Args:
        name: the argument in Python's spelling. A field of an object is ``obs_location.sign``.
        value: the value; without it, the reference is to the name alone.
    """
    return _reference("argument", name, *([] if value is _MISSING else [_plain(value)]))


def setting(name: str, value: object = _MISSING) -> str:
    """Return a reference to a setting of the connection; see :func:`argument`."""
    return _reference("setting", name, *([] if value is _MISSING else [_plain(value)]))


def field(name: str) -> str:
    """Return a reference to a field of a result, such as ``support_source_versions``."""
    return _reference("field", name)


def arguments(values: Mapping[str, object]) -> str:
    """Return a reference to several arguments with their values, which a user can copy."""
    return _reference("arguments", *([name, _plain(value)] for name, value in values.items()))


def value(item: object) -> str:
    """Return a value for a message: a string in quotes, or a reference to a boolean or None."""
    return _reference("value", item) if item is None or isinstance(item, bool) else quoted(item)


def by_interface(python: str, *, plugin: str | None = None, command_line: str) -> str:
    """Return a reference to a text that differs between the interfaces. Default of ``plugin``: the text of Python."""
    return _reference("text", python, python if plugin is None else plugin, command_line)


def render(text: str, spelling: Spelling = PYTHON) -> str:
    """Return a text with its references in the spelling of an interface."""
    return loosened(render_fixed(text, spelling))


def render_fixed(text: str, spelling: Spelling) -> str:
    """Return the result of :func:`render`, with marks for the spaces at which no line is broken."""

    def rendered(found: re.Match[str]) -> str:
        parts = _parts(found[1])
        return _rendered(parts, spelling) if parts else sanitize(found[0])

    return _REFERENCE.sub(rendered, text)


def loosened(text: str) -> str:
    """Return a text with ordinary spaces instead of the marked ones."""
    return text.replace(_FIXED_SPACE, " ")


def redact_references(text: str, secrets: Iterable[str]) -> str:
    """Return a text without secrets, also inside its references."""
    known = tuple(secrets)

    def inside(found: re.Match[str]) -> str:
        parts = _parts(found[1])
        return _reference(*(_mapped(lambda part: redact_references(part, known), part) for part in parts))

    # The plain text between the references is redacted as it is.
    pieces = re.split(f"({_START}[^{_START}{_END}]*{_END})", text)
    return "".join(
        _REFERENCE.sub(inside, piece) if number % 2 else redact(piece, known) for number, piece in enumerate(pieces)
    )


def _reference(*parts: object) -> str:
    # JSON in ASCII has no noncharacter, so a reference can be a part of another.
    return f"{_START}{json.dumps(parts, ensure_ascii=True, separators=(',', ':'))}{_END}"


def _parts(text: str) -> list[Any]:
    """Return the parts of a reference, or an empty list for a text from outside that was not sanitized."""
    try:
        parts = json.loads(text)
    except ValueError:
        return []
    return parts if isinstance(parts, list) else []


def _plain(item: object) -> object:
    if item is None or isinstance(item, (bool, int, float)):
        return item
    if isinstance(item, (list, tuple)):
        items = [_plain(one) for one in item[:_MOST_ITEMS]]
        return [*items, "…"] if len(item) > _MOST_ITEMS else items
    text = sanitize(item, limit=1_024)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _mapped(change: Callable[[str], str], part: Any) -> Any:
    if isinstance(part, list):
        return [_mapped(change, item) for item in part]
    return change(part) if isinstance(part, str) else part


def _rendered(parts: list[Any], spelling: Spelling) -> str:
    kind, *rest = parts
    if kind == "text":
        return render_fixed(rest[spelling.variant], spelling)
    if kind == "value":
        return spelling.literal(rest[0])
    if kind == "arguments":
        return spelling.separator.join(spelling.pair(spelling.argument(name), item) for name, item in rest)
    name = {"argument": spelling.argument, "setting": spelling.setting, "field": spelling.field}[kind](rest[0])
    return spelling.pair(name, rest[1]) if len(rest) > 1 else name


def fixed(text: str) -> str:
    """Return a text that is not broken into lines, if it is short enough."""
    return text.replace(" ", _FIXED_SPACE) if len(text) <= _LONGEST_FIXED else text


#: The origin of a setting that is set by an argument or an option.
BY_ARGUMENT = by_interface("argument", command_line="option")
