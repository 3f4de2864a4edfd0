"""Prints tables on a terminal. Only a terminal loads it."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from rich.cells import cell_len
from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

_GAP = 2
# What follows the first line of a row is indented.
_INDENT = 2
# A column of sentences is not made narrower than this; it goes to a line of its own instead.
_NARROWEST = 24


def console(stream: TextIO, *, colour: bool) -> Console:
    """Return a console that writes to a stream."""
    return Console(file=stream, no_color=not colour, highlight=False, markup=False, emoji=False)


@dataclass(frozen=True)
class _Column:
    """Where a column is: on which line of a row, how far from the left, and how wide."""

    line: int
    start: int
    width: int


def print_table(
    stream: TextIO, rows: Sequence[Sequence[str]], header: Sequence[str], indent: str, *, colour: bool
) -> None:
    """Print a table in which every id can be copied.

    A row that is too wide for the terminal goes on in the next line, between two cells. Only a cell with spaces, which
    is a sentence, is broken itself, and only between words.
    """
    width = console(stream, colour=False).width - len(indent)
    columns = _arranged([*rows, *([header] if header else [])], rows, width)
    for line in _lines(header, columns) if header else ():
        click.echo(f"{indent}{click.style(line, bold=True) if colour else line}", file=stream)
    for row in rows:
        for line in _lines(row, columns):
            click.echo(f"{indent}{line}", file=stream)


def _arranged(everything: Sequence[Sequence[str]], rows: Sequence[Sequence[str]], width: int) -> list[_Column]:
    """Return where each column is: beside the one before it if there is room, or else on the next line."""
    columns: list[_Column] = []
    line = start = 0
    for number in range(max(map(len, everything), default=0)):
        cells = [row[number] for row in everything if number < len(row)]
        natural = max(map(cell_len, cells))
        words = max((cell_len(word) for cell in cells for word in cell.split(" ")), default=0)
        sentences = any(" " in row[number] for row in rows if number < len(row))
        least = max(words, min(natural, _NARROWEST)) if sentences else natural
        if start and start + least > width:
            line, start = line + 1, _INDENT
        columns.append(_Column(line, start, min(natural, max(least, width - start)) if sentences else natural))
        start += columns[-1].width + _GAP
    return columns


def _lines(row: Sequence[str], columns: Sequence[_Column]) -> Iterator[str]:
    """Yield the lines of a row. A cell that has several lines pushes down what is below it."""
    for number in range(columns[-1].line + 1 if columns else 0):
        placed = [(column, cell) for column, cell in zip(columns, row, strict=False) if column.line == number]
        parts = [(column, _wrapped(cell, column.width)) for column, cell in placed]
        for part in range(max((len(lines) for _, lines in parts), default=0)):
            text = ""
            for column, lines in parts:
                cell = lines[part] if part < len(lines) else ""
                text += f"{'':{max(0, column.start - cell_len(text))}}{cell}" if cell else ""
            if text:
                yield text


def _wrapped(cell: str, width: int) -> list[str]:
    if cell_len(cell) <= width:
        return [cell]
    return textwrap.wrap(cell, max(1, width), break_long_words=False, break_on_hyphens=False) or [""]


def wrapped(stream: TextIO, text: str, *, indent: int) -> list[str]:
    """Return a sentence as lines of the terminal, broken between words only.

    Args:
        stream: the terminal.
        text: the sentence.
        indent: how many characters stand before each line.
    """
    return _wrapped(text, console(stream, colour=False).width - indent)
