"""Shows on a terminal how a task goes on, with rich. Loaded where there is one."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pulumi_iotda_ota.cli.tables import console
from pulumi_iotda_ota.lifecycle.thresholds import DeviceCounts
from pulumi_iotda_ota.lifecycle.upgrade_task.tasks import is_running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.console import RenderableType

    from pulumi_iotda_ota.cli.session import Session
    from pulumi_iotda_ota.iotda.models import BatchTask

_WIDEST = 40


class _Shown:
    """What is on the terminal: a bar once the devices are known, and below it the last line that was told."""

    def __init__(self) -> None:
        self.line = ""
        self.standing = DeviceCounts()

    def __rich__(self) -> RenderableType:
        line = Text(self.line, overflow="fold")
        if not self.standing.total:
            return line
        ended = self.standing.succeeded + self.standing.failed
        row = Table.grid(padding=(0, 1))
        row.add_row(
            ProgressBar(total=self.standing.total, completed=ended, width=_WIDEST),
            Text(f"{ended}/{self.standing.total}"),
            Text(f"{self.standing.failed} failed" if self.standing.failed else "", style="red"),
        )
        return Group(row, line)


@contextmanager
def bar(session: Session) -> Iterator[tuple[Callable[[str], None], Callable[[BatchTask], None]]]:
    """Give what is told each line of progress, and what is given the task at each look."""
    shown = _Shown()
    with Live(
        shown,
        console=console(session.err, colour=session.wants_colour(session.err)),
        refresh_per_second=4,
        transient=True,
    ) as live:

        def tell(line: str) -> None:
            shown.line = line
            live.refresh()

        def seen(task: BatchTask) -> None:
            shown.standing = DeviceCounts.of(task, ended=not is_running(task))

        yield tell, seen
