"""What the commands of `lock` do: keep the lock file, and print what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pulumi_iotda_ota.cli import exit_codes
from pulumi_iotda_ota.cli.words import reword
from pulumi_iotda_ota.lock import report, update
from pulumi_iotda_ota.lock.files import lock_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi_iotda_ota.cli.options import CommandInput
    from pulumi_iotda_ota.lock.update import Outcome

_COLUMNS = ("name", "version", "package_id", "locked_at")
_NEWS = ("newer", "changed", "gone")


def add_name(asked: CommandInput) -> None:
    """Lock a lookup."""
    from pulumi_iotda_ota.cli.connect import service  # noqa: PLC0415  loads pydantic

    name = asked.values.pop("name")
    with service(asked) as asking:
        outcome = update.add(
            asking.run, asking.connection, _path(asked), name, asked.values, replace=asked.flags["replace"]
        )
    _tell(asked, [outcome])


def update_names(asked: CommandInput) -> None:
    """Bring names up to date."""
    from pulumi_iotda_ota.cli.connect import service  # noqa: PLC0415  loads pydantic

    with service(asked) as asking:
        outcomes = update.update(asking.run, asking.connection, _path(asked), asked.flags["names"] or ())
    _tell(asked, outcomes)
    # A name that is gone, with nothing that fits, could not be brought up to date.
    _exit(exit_codes.ERROR if any(one.error for one in outcomes) else exit_codes.DONE)


def check_names(asked: CommandInput) -> None:
    """Hold names against the service."""
    from pulumi_iotda_ota.cli.connect import service  # noqa: PLC0415  loads pydantic

    with service(asked) as asking:
        outcomes = update.check(asking.run, asking.connection, _path(asked), asked.flags["names"] or ())
    if asked.as_json:
        _json(asked, outcomes)
    else:
        for one in _reworded(asked, outcomes):
            tell = asked.session.note if one.status in ("failed", "elsewhere") else asked.session.line
            tell(report.state_text(one))
    news = exit_codes.NEWER if any(one.status in _NEWS for one in outcomes) else exit_codes.DONE
    _exit(exit_codes.ERROR if any(one.status == "failed" for one in outcomes) else news)


def list_all(asked: CommandInput) -> None:
    """List what is locked."""
    entries = update.locked(_path(asked))
    if asked.as_json:
        values = [report.entry_values(entry) for entry in entries]
        asked.session.json({"result": values, "file": str(_path(asked))})
    else:
        rows = [(entry.name, entry.version, entry.package_id, entry.locked_at) for entry in entries]
        asked.session.rows(rows, header=_COLUMNS)


def remove_names(asked: CommandInput) -> None:
    """Take names out."""
    _tell(asked, update.remove(_path(asked), asked.flags["names"]))


def _path(asked: CommandInput) -> Path:
    return lock_path(asked.session.environ, Path())


def _tell(asked: CommandInput, outcomes: Sequence[Outcome]) -> None:
    """Tell what was changed as the answer, and what could not be beside it."""
    if asked.as_json:
        _json(asked, outcomes)
        return
    for one in _reworded(asked, outcomes):
        if one.error is not None or one.status == "elsewhere":
            asked.session.note(report.state_text(one))
        elif one.status != "current":
            asked.session.line(report.news_text(one))
    if all(one.status in ("current", "elsewhere") for one in outcomes):
        asked.session.note("nothing has changed")


def _json(asked: CommandInput, outcomes: Sequence[Outcome]) -> None:
    result = [report.outcome_values(one) for one in _reworded(asked, outcomes)]
    asked.session.json({"result": result, "file": str(_path(asked))})


def _reworded(asked: CommandInput, outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """Return outcomes whose errors are in the words of the command line, without secrets."""
    for one in outcomes:
        if one.error is not None:
            one.error.redact(asked.session.secrets)  # before its lines are broken
            reword(one.error)
    return outcomes


def _exit(code: exit_codes.ExitCode) -> None:
    if code is not exit_codes.DONE:
        click.get_current_context().exit(code.number)
