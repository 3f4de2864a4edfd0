"""References to arguments, settings and values in messages: each interface renders them in its own spelling.

A reference is a name between two Unicode noncharacters. :func:`~pulumi_iotda_ota.iotda.sanitize.sanitize` escapes
noncharacters in every text from outside. So a text of the service, a file name or a variable is never a reference.
Rendering replaces references, and leaves all other text as it is.

This module has Python's spelling, because ``str(error)`` uses it. ``message_rendering.py`` has the other spellings.
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
    """How an interface writes names and values. This class is Python's spelling, the others are subclasses.

    Attributes:
        variant: the place of the interface in the texts of :func:`by_interface`.
        separator: what stands between two arguments with their values.
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
        """Return a value as a user writes it."""
        if isinstance(value, list):
            return f"[{', '.join(map(self.literal, value))}]"
        if isinstance(value, str):
            return fixed(json.dumps(value, ensure_ascii=False)) if value != "…" else "..."
        return str(value)

    def pair(self, name: str, value: Any) -> str:
        """Return an argument with its value. None stands for an argument that is not set."""
        return f"{name}={self.literal(value)}"


PYTHON = Spelling()


def argument(name: str, value: object = _MISSING) -> str:
    """Return a reference to an argument.

    Args:
        name: the argument in Python's spelling; a field of an object is ``obs_location.sign``.
        value: its value, or nothing for the name alone.
    """
    return _reference("argument", name, *([] if value is _MISSING else [_plain(value)]))


def setting(name: str, value: object = _MISSING) -> str:
    """Return a reference to a setting of the connection; see :func:`argument`."""
    return _reference("setting", name, *([] if value is _MISSING else [_plain(value)]))


def field(name: str) -> str:
    """Return a reference to a field of a result, such as ``support_source_versions``."""
    return _reference("field", name)


def arguments(values: Mapping[str, object]) -> str:
    """Return a reference to several arguments with their values. A user can copy it. None is an argument not set."""
    return _reference("arguments", *([name, _plain(value)] for name, value in values.items()))


def value(given: object) -> str:
    """Return a value for a message: a text in quotes; a boolean, or None, in the spelling of the interface."""
    return _reference("value", given) if given is None or isinstance(given, bool) else quoted(given)


def by_interface(python: str, *, plugin: str | None = None, command_line: str) -> str:
    """Return a reference to a text that differs between the interfaces.

    Args:
        python: the text of the Python functions and resources.
        plugin: the text of the plugin; without it that of Python.
        command_line: the text of the command line.
    """
    return _reference("text", python, python if plugin is None else plugin, command_line)


def render(text: str, spelling: Spelling = PYTHON) -> str:
    """Return a text with its references in the spelling of an interface."""
    return loosened(render_fixed(text, spelling))


def render_fixed(text: str, spelling: Spelling) -> str:
    """Return what :func:`render` returns, with marks for the spaces at which no line is broken."""

    def rendered(found: re.Match[str]) -> str:
        parts = _parts(found[1])
        return _rendered(parts, spelling) if parts else sanitize(found[0])

    return _REFERENCE.sub(rendered, text)


def loosened(text: str) -> str:
    """Return a text that is broken into lines, its marked spaces as usual ones."""
    return text.replace(_FIXED_SPACE, " ")


def redact_references(text: str, secrets: Iterable[str]) -> str:
    """Return a text without secrets, in its references too."""
    known = tuple(secrets)

    def inside(found: re.Match[str]) -> str:
        parts = _parts(found[1])
        return _reference(*(_mapped(lambda part: redact_references(part, known), part) for part in parts))

    # A secret in the plain text is replaced between the references.
    pieces = re.split(f"({_START}[^{_START}{_END}]*{_END})", text)
    return "".join(
        _REFERENCE.sub(inside, piece) if number % 2 else redact(piece, known) for number, piece in enumerate(pieces)
    )


def _reference(*parts: object) -> str:
    # JSON in ASCII holds no noncharacter, so a reference can stand in a part of another.
    return f"{_START}{json.dumps(parts, ensure_ascii=True, separators=(',', ':'))}{_END}"


def _parts(text: str) -> list[Any]:
    """Return the parts of a reference; empty for a text that has noncharacters because nothing sanitized it."""
    try:
        parts = json.loads(text)
    except ValueError:
        return []
    return parts if isinstance(parts, list) else []


def _plain(given: object) -> object:
    if given is None or isinstance(given, (bool, int, float)):
        return given
    if isinstance(given, (list, tuple)):
        items = [_plain(item) for item in given[:_MOST_ITEMS]]
        return [*items, "…"] if len(given) > _MOST_ITEMS else items
    text = sanitize(given, limit=1_024)
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
        return spelling.separator.join(spelling.pair(spelling.argument(name), given) for name, given in rest)
    name = {"argument": spelling.argument, "setting": spelling.setting, "field": spelling.field}[kind](rest[0])
    return spelling.pair(name, rest[1]) if len(rest) > 1 else name


def fixed(text: str) -> str:
    """Return a text that is not broken into lines, if it is short enough for one."""
    return text.replace(" ", _FIXED_SPACE) if len(text) <= _LONGEST_FIXED else text


#: How an origin names the argument, or the option, that holds a setting.
BY_ARGUMENT = by_interface("argument", command_line="option")
