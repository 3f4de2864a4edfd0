"""Makes text from outside safe to print: the one place that escapes, masks and cuts it. Result values stay exact.

Messages also count their things here.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REDACTED = "****"

# Cc, Cf (bidi and zero-width), Cs, Co, Cn; Zl and Zp break lines.
_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# A mask for a short text would hit words by chance, and no secret is this short.
SHORTEST_SECRET = 6
# Each but the last of several colons or hashes; two together begin a command to a pipeline.
_COMMAND = re.compile(":(?=:)|#(?=#)")


# The secrets of whoever is served just now.
_hidden: ContextVar[tuple[str, ...]] = ContextVar("hidden", default=())


@contextmanager
def redacting(secrets: Iterable[str]) -> Iterator[None]:
    """Mask some texts in all that is made printable in the block, before anything of it is cut or escaped."""
    token = _hidden.set((*_hidden.get(), *secrets))
    try:
        yield
    finally:
        _hidden.reset(token)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text without secrets: those given, and those that are hidden just now, the longest first."""
    for secret in sorted({*secrets, *_hidden.get()}, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, REDACTED)
    return text


def sanitize(text: object, *, limit: int = 300, secrets: Iterable[str] = ()) -> str:
    r"""Return text from the service or a device, safe for a terminal and a CI log.

    Control, bidi and line-break characters become ``\x1b`` forms, ``::`` and ``##`` (which begin commands to some CI
    systems) are broken up, our own secrets are masked, and what is longer than ``limit`` characters is cut.

    Args:
        text: what came from outside; anything that is not a string is turned into one.
        limit: characters to keep.
        secrets: values that must not appear.
    """
    shown = redact(str(text), secrets)
    if len(shown) > limit:
        shown = f"{shown[:limit]}… ({len(shown) - limit} more characters)"
    shown = "".join(_escaped(character) for character in shown)
    return _COMMAND.sub(r"\g<0> ", shown)


def plural(number: int, word: str) -> str:
    """Return a number of things in words, such as ``1 device`` and ``1,200 devices``.

    Args:
        number: how many.
        word: one of them; more have an s.
    """
    return f"{number:,} {word}{'s' * (number != 1)}"


def _escaped(character: str) -> str:
    if unicodedata.category(character) in _UNSAFE_CATEGORIES:
        return character.encode("unicode_escape").decode("ascii")
    return character


def did_you_mean(value: object, options: Iterable[str]) -> str:
    """Return, for an error, which of the options a value may have meant, or nothing."""
    by_lower = {option.lower(): option for option in options}
    near = difflib.get_close_matches(str(value).lower(), by_lower, n=1, cutoff=0.5)
    return f" (did you mean {by_lower[near[0]]}?)" if near else ""


def quoted(value: object) -> str:
    """Return a value as an error shows it: escaped, cut, text in quotes."""
    if isinstance(value, str):
        return f'"{sanitize(value, limit=80)}"'
    try:
        return sanitize(repr(value), limit=80)
    except Exception:  # noqa: BLE001  what an object raises to show itself is its own: a number too long, a deep list
        return f"something of type {type(value).__name__} that can not be shown"
