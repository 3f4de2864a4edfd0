"""What only a terminal gets: tables that fit its width, and a progress bar. It loads rich, so the rest does not."""

from __future__ import annotations

import textwrap
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from rich.cells import cell_len
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

    from rich.console import RenderableType

_GAP = 2
# The indent of the lines of a row after the first.
_INDENT = 2
# A column of sentences that would be narrower than this goes to the next line instead.
_NARROWEST = 24
_WIDEST_BAR = 40


def _console(stream: TextIO, *, colour: bool = False) -> Console:
    return Console(file=stream, no_color=not colour, highlight=False, markup=False, emoji=False)


@dataclass(frozen=True)
class _Column:
    """The place of a column: the line in a row, the indent, and the width."""

    line: int
    start: int
    width: int


def print_table(
    stream: TextIO, rows: Sequence[Sequence[str]], header: Sequence[str], indent: str, *, colour: bool
) -> None:
    """Print a table in which every id can be copied.

    A row that is too wide for the terminal continues in the next line, between two cells. Only a cell with spaces,
    which is a sentence, is wrapped itself, and only between words.
    """
    columns = _arranged([*rows, *([header] if header else [])], rows, _console(stream).width - len(indent))
    for line in _lines(header, columns) if header else ():
        click.echo(f"{indent}{click.style(line, bold=True) if colour else line}", file=stream)
    for row in rows:
        for line in _lines(row, columns):
            click.echo(f"{indent}{line}", file=stream)


def _arranged(everything: Sequence[Sequence[str]], rows: Sequence[Sequence[str]], width: int) -> list[_Column]:
    """Return the place of each column: beside the previous one if there is room, or else on the next line."""
    columns: list[_Column] = []
    line = start = 0
    for number in range(max(map(len, everything), default=0)):
        cells = [row[number] for row in everything if number < len(row)]
        natural = max(map(cell_len, cells))
        longest_word = max((cell_len(word) for cell in cells for word in cell.split(" ")), default=0)
        sentences = any(" " in row[number] for row in rows if number < len(row))
        least = max(longest_word, min(natural, _NARROWEST)) if sentences else natural
        if start and start + least > width:
            line, start = line + 1, _INDENT
        columns.append(_Column(line, start, min(natural, max(least, width - start)) if sentences else natural))
        start += columns[-1].width + _GAP
    return columns


def _lines(row: Sequence[str], columns: Sequence[_Column]) -> Iterator[str]:
    """Yield the lines of a row. A cell of several lines moves the cells below it down."""
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
    """Return a sentence as lines of the terminal, wrapped between words only, for an indent of so many characters."""
    return _wrapped(text, _console(stream).width - indent)


class Progress:
    """A bar and one line below it. Assign to the attributes while it is displayed.

    Attributes:
        line: the line.
        ended: how many devices have ended.
        failed: how many of them have failed.
        total: how many devices there are; without any there is no bar.
    """

    def __init__(self) -> None:
        self.line = ""
        self.ended = self.failed = self.total = 0

    def __rich__(self) -> RenderableType:
        line = Text(self.line, overflow="fold")
        if not self.total:
            return line
        row = Table.grid(padding=(0, 1))
        row.add_row(
            ProgressBar(total=self.total, completed=self.ended, width=_WIDEST_BAR),
            Text(f"{self.ended}/{self.total}"),
            Text(f"{self.failed} failed" if self.failed else "", style="red"),
        )
        return Group(row, line)


@contextmanager
def progress_bar(stream: TextIO, *, colour: bool) -> Iterator[Progress]:
    """Display a bar until the end of the block."""
    progress = Progress()
    with Live(progress, console=_console(stream, colour=colour), refresh_per_second=4, transient=True):
        yield progress
