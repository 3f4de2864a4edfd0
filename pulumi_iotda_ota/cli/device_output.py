"""Print what `device versions` finds, and its progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pulumi_iotda_ota.cli.connect import given_connection, service, stack_config
from pulumi_iotda_ota.context import Context
from pulumi_iotda_ota.iotda.retry import SYSTEM_CLOCK
from pulumi_iotda_ota.iotda.sanitize import plural
from pulumi_iotda_ota.operations import get_device_versions

if TYPE_CHECKING:
    from pulumi_iotda_ota.cli.options import CommandInput
    from pulumi_iotda_ota.cli.session import Session

_HEADER = ("version", "devices")
_NO_VERSION = "-"
# How often progress is printed: a line that is rewritten on a terminal, or a new line in a log.
_SECONDS_ON_TERMINAL, _SECONDS_IN_LOG = 0.2, 30.0


def print_versions(command_input: CommandInput) -> None:
    """Print how many devices run each version."""
    session = command_input.session
    progress = _Progress(session)
    try:
        with service(command_input) as connected:
            context = Context(stack_config(command_input), session.environ, given_connection(command_input))
            found = get_device_versions(connected.run, context, command_input.values, progress=progress)
    finally:
        progress.end()
    if command_input.as_json:
        session.json({"result": found})
        return
    if session.is_terminal(session.out):
        session.note(f"{plural(found['total'], 'device')} ({plural(found['requests'], 'request')}, {found['method']})")
    rows = [(one["version"], one["devices"]) for one in found["versions"]]
    rows += [(_NO_VERSION, found["unknown"])] if found["unknown"] else []
    session.rows(rows, header=_HEADER if rows else ())
    if found["unreadable_records"]:
        session.note(f"skipped {plural(found['unreadable_records'], 'device')} that cannot be judged")


class _Progress:
    """Prints how many devices are read, from time to time."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._on_terminal = session.is_terminal(session.err)
        self._printed = SYSTEM_CLOCK.monotonic()
        self._has_line = False

    def __call__(self, done: int, total: int) -> None:
        now = SYSTEM_CLOCK.monotonic()
        if now - self._printed < (_SECONDS_ON_TERMINAL if self._on_terminal else _SECONDS_IN_LOG):
            return
        self._printed = now
        line = f"read {done:,} of {plural(total, 'device')}"
        if self._on_terminal:
            self._has_line = True
            click.echo(f"\r{line}\x1b[K", file=self._session.err, nl=False)
        else:
            self._session.note(line)

    def end(self) -> None:
        """Remove the line of a terminal."""
        if self._has_line:
            click.echo("\r\x1b[K", file=self._session.err, nl=False)
