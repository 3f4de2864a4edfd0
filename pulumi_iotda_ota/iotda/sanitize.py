"""Makes text from outside safe to print: escapes it, redacts secrets, cuts it. Values of results stay exact."""

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
# A shorter text occurs in words by chance, and no secret is this short.
SHORTEST_SECRET = 6
# Two colons or hashes together begin a command of some CI systems.
_COMMAND = re.compile(":(?=:)|#(?=#)")


# The secrets of the current call.
_secrets: ContextVar[tuple[str, ...]] = ContextVar("secrets", default=())


@contextmanager
def redacting(secrets: Iterable[str]) -> Iterator[None]:
    """Redact secrets in every text that is sanitized in the block, before it is escaped or cut."""
    token = _secrets.set((*_secrets.get(), *secrets))
    try:
        yield
    finally:
        _secrets.reset(token)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text without these secrets and those of :func:`redacting`. Longer ones are replaced first."""
    for secret in sorted({*secrets, *_secrets.get()}, key=len, reverse=True):
        if len(secret) >= SHORTEST_SECRET:
            text = text.replace(secret, REDACTED)
    return text


def sanitize(text: object, *, limit: int = 300, secrets: Iterable[str] = ()) -> str:
    r"""Return text from the service or a device, safe for a terminal and a CI log.

    Control, bidi and line-break characters become ``\x1b`` forms. ``::`` and ``##``, which begin commands of some CI
    systems, are separated. Secrets are redacted, and a long text is cut.

    Args:
        text: the text. Another value is converted to a string.
        limit: the most characters.
        secrets: values that must not be printed.
    """
    safe = redact(str(text), secrets)
    if len(safe) > limit:
        safe = f"{safe[:limit]}… ({len(safe) - limit} more characters)"
    safe = "".join(_escaped(character) for character in safe)
    return _COMMAND.sub(r"\g<0> ", safe)


def plural(number: int, word: str) -> str:
    """Return a number with its noun, such as ``1 device`` and ``1,200 devices``."""
    return f"{number:,} {word}{'s' * (number != 1)}"


def _escaped(character: str) -> str:
    if unicodedata.category(character) in _UNSAFE_CATEGORIES:
        return character.encode("unicode_escape").decode("ascii")
    return character


def did_you_mean(value: object, options: Iterable[str]) -> str:
    """Return a hint at the most similar option, or an empty string."""
    by_lower = {option.lower(): option for option in options}
    near = difflib.get_close_matches(str(value).lower(), by_lower, n=1, cutoff=0.5)
    return f" (did you mean {by_lower[near[0]]}?)" if near else ""


def quoted(value: object) -> str:
    """Return a value for an error: escaped, cut, a string in quotes."""
    if isinstance(value, str):
        return f'"{sanitize(value, limit=80)}"'
    try:
        return sanitize(repr(value), limit=80)
    except Exception:  # noqa: BLE001  repr can raise anything, such as for a very long number
        return f"a value of type {type(value).__name__} that cannot be printed"
