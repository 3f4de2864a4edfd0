"""Prints tables on a terminal, with rich. Loaded where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO


# Characters that a column must have, with what stands between columns; with less a table loses text.
_NARROWEST = 6


def console(stream: TextIO, *, colour: bool) -> Console:
    """Return a console that writes to a stream."""
    return Console(file=stream, no_color=not colour, highlight=False, markup=False, emoji=False)


def print_table(
    stream: TextIO, rows: Sequence[Sequence[str]], header: Sequence[str], indent: str, *, colour: bool
) -> None:
    """Print a table; what is too wide for the terminal is folded, never cut: an id is there to be copied."""
    shown_on = console(stream, colour=colour)
    if shown_on.width - len(indent) < _NARROWEST * max(map(len, [*rows, header]), default=0):
        for line in filter(None, [header, *rows]):
            click.echo(f"{indent}{'  '.join(line)}", file=stream)  # the terminal itself breaks it
        return
    style = "bold" if colour else ""
    table = Table(box=None, pad_edge=False, show_header=bool(header), header_style=style, padding=(0, 2, 0, 0))
    for number in range(max(map(len, [*rows, header]), default=0)):
        table.add_column(Text(header[number]) if header else "", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    shown_on.print(Padding(table, (0, 0, 0, len(indent))))
