"""The functions of `lock`: change the lock file, and print the result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pulumi_iotda_ota.cli import exit_codes
from pulumi_iotda_ota.cli.connect import service
from pulumi_iotda_ota.lock import report, update
from pulumi_iotda_ota.lock.files import lock_path
from pulumi_iotda_ota.message_rendering import COMMAND_LINE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi_iotda_ota.cli.options import CommandInput
    from pulumi_iotda_ota.lock.update import Outcome

_COLUMNS = ("name", "version", "package_id", "locked_at")
_NEWS = ("newer", "changed", "gone")


def add_name(command_input: CommandInput) -> None:
    """Lock a lookup."""
    name = command_input.values.pop("name")
    with service(command_input) as connected:
        outcome = update.add(
            connected.run,
            connected.connection,
            _path(command_input),
            name,
            command_input.values,
            replace=command_input.flags["replace"],
        )
    _print(command_input, [outcome])


def update_names(command_input: CommandInput) -> None:
    """Bring names up to date."""
    with service(command_input) as connected:
        outcomes = update.update(
            connected.run, connected.connection, _path(command_input), command_input.flags["names"] or ()
        )
    _print(command_input, outcomes)
    # A name whose package is gone, if no other package matches, was not updated.
    if any(one.error for one in outcomes):
        click.get_current_context().exit(exit_codes.ERROR.number)


def check_names(command_input: CommandInput) -> None:
    """Compare names with the service."""
    with service(command_input) as connected:
        outcomes = update.check(
            connected.run, connected.connection, _path(command_input), command_input.flags["names"] or ()
        )
    if command_input.as_json:
        _print_json(command_input, outcomes)
    else:
        for one in _redacted(command_input, outcomes):
            is_result = one.status not in ("failed", "elsewhere")
            output = command_input.session.line if is_result else command_input.session.note
            output(report.state_text(one, COMMAND_LINE))
        _note_unreadable(command_input, outcomes)
    if any(one.status == "failed" for one in outcomes):
        click.get_current_context().exit(exit_codes.ERROR.number)
    if any(one.status in _NEWS for one in outcomes):
        click.get_current_context().exit(exit_codes.NEWER.number)


def list_all(command_input: CommandInput) -> None:
    """List the names."""
    entries = update.locked(_path(command_input))
    if command_input.as_json:
        values = [report.entry_values(entry) for entry in entries]
        command_input.session.json({"result": values, "file": str(_path(command_input))})
    elif not entries:
        command_input.session.note("nothing is locked; to lock a lookup, run: iotda-ota lock add NAME")
    else:
        rows = [(entry.name, entry.version, entry.package_id, entry.locked_at) for entry in entries]
        command_input.session.rows(rows, header=_COLUMNS)


def remove_names(command_input: CommandInput) -> None:
    """Remove names."""
    _print(command_input, update.remove(_path(command_input), command_input.flags["names"]))


def _path(command_input: CommandInput) -> Path:
    return lock_path(command_input.session.environ, Path())


def _print(command_input: CommandInput, outcomes: Sequence[Outcome]) -> None:
    """Print changes on the standard output, and failures on the standard error."""
    if command_input.as_json:
        _print_json(command_input, outcomes)
        return
    for one in _redacted(command_input, outcomes):
        if one.error is not None or one.status == "elsewhere":
            command_input.session.note(report.state_text(one, COMMAND_LINE))
        elif one.status != "current":
            command_input.session.line(report.news_text(one, COMMAND_LINE))
    if all(one.status in ("current", "elsewhere") for one in outcomes):
        command_input.session.note("nothing has changed")
    _note_unreadable(command_input, outcomes)


def _note_unreadable(command_input: CommandInput, outcomes: Sequence[Outcome]) -> None:
    """Report the records that cannot be judged, once for all names that share a list."""
    for records, count in dict.fromkeys((one.unreadable, one.unreadable_count) for one in outcomes):
        command_input.session.note_skipped("package", records, count)


def _print_json(command_input: CommandInput, outcomes: Sequence[Outcome]) -> None:
    result = [report.outcome_values(one, COMMAND_LINE) for one in _redacted(command_input, outcomes)]
    command_input.session.json({"result": result, "file": str(_path(command_input))})


def _redacted(command_input: CommandInput, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """Redact the errors of outcomes, before their lines are wrapped."""
    for one in outcomes:
        if one.error is not None:
            one.error.redact(command_input.session.secrets)
    return outcomes
