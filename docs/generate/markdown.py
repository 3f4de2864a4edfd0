"""Markdown from plain values, independent of the product."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_WIDTH = 120


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table with a title for each column."""
    return "".join([_line(titles), "|" + "---|" * len(titles) + "\n", *(_line(row) for row in rows)])


def code(name: str) -> str:
    """Return a name as code."""
    return f"`{name}`"


def listed(names: Iterable[str]) -> str:
    """Return names as code, with commas between them."""
    return ", ".join(code(name) for name in names)


def wrapped(text: str) -> str:
    """Return a paragraph in lines of at most 120 characters."""
    return "\n".join(textwrap.wrap(text, _WIDTH, break_long_words=False, break_on_hyphens=False)) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_cell(cell) for cell in cells).replace("|  |", "| |") + " |\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
