"""The exit codes, and how an error is printed. The reference and the tests are made from the table of codes."""

from __future__ import annotations

import io
import json
import traceback
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from pulumi_iotda_ota import errors
from pulumi_iotda_ota.errors import LockError, MultiplePackages, PackageNotFound, UpgradeTaskFailed
from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError, ServiceError
from pulumi_iotda_ota.iotda.sanitize import redact, sanitize
from pulumi_iotda_ota.message_rendering import COMMAND_LINE, render

if TYPE_CHECKING:
    from pulumi_iotda_ota.cli.session import Session

_LONGEST_LINE = 2_000  # characters
_NUMBERS = ("status", "error_code", "request_id")


class NoSuchTask(IotdaOtaError):
    """No task has the name that a command was given."""


class SeveralTasks(IotdaOtaError):
    """Several tasks have the name that a command was given."""


class Interrupted(Exception):
    """Ctrl-C, with its effect on the task as the message."""


class Unwritten(Exception):
    """A part of the output could not be written, for example because the disk is full."""


class ClosedPipe(Exception):
    """The reader of the output has closed it. Click would use another exit code."""


@dataclass(frozen=True)
class ExitCode:
    """One exit code.

    Attributes:
        number: the code.
        meaning: a sentence.
    """

    number: int
    meaning: str


DONE = ExitCode(0, "Done. An empty list is a result.")
ERROR = ExitCode(1, "An error: settings, credentials, the service, the lock file, or a timeout.")
USAGE = ExitCode(2, "The arguments are wrong. Nothing was changed.")
NOT_FOUND = ExitCode(3, "Nothing was found: no package matches, or there is no such package or task.")
SEVERAL = ExitCode(4, "Several packages match, or several tasks have the name. None was chosen.")
FAILED = ExitCode(5, "The upgrade task failed: more devices failed than allowed, or it was stopped.")
INCAPABLE = ExitCode(6, "`package path`: not every version can reach the target.")
NEWER = ExitCode(7, "`lock check` found another package, or a locked package is gone or has changed.")
INTERRUPTED = ExitCode(130, "Ctrl-C. A task on the service continues.")
CLOSED_PIPE = ExitCode(141, "The reader of the output closed it, as `head` does.")

#: All of them.
CODES = (DONE, ERROR, USAGE, NOT_FOUND, SEVERAL, FAILED, INCAPABLE, NEWER, INTERRUPTED, CLOSED_PIPE)

# The first class that an error is an instance of decides.
_BY_CLASS = {
    LockError: ERROR,
    InputError: USAGE,
    PackageNotFound: NOT_FOUND,
    MultiplePackages: SEVERAL,
    NoSuchTask: NOT_FOUND,
    SeveralTasks: SEVERAL,
    UpgradeTaskFailed: FAILED,
}


def exit_code(error: Exception) -> int:
    """Return the exit code of an error."""
    if isinstance(error, ServiceError) and error.is_not_found:
        return NOT_FOUND.number
    return next((code.number for kind, code in _BY_CLASS.items() if isinstance(error, kind)), ERROR.number)


def report(error: BaseException, session: Session, *, as_json: bool) -> int:
    """Print an error on the standard error, as JSON for a program, and return the exit code."""
    if isinstance(error, ClosedPipe):
        return CLOSED_PIPE.number
    if isinstance(error, (Interrupted, click.Abort, KeyboardInterrupt)):
        message = str(error) if isinstance(error, Interrupted) else "interrupted"
        if session.err.isatty():
            session.note("")  # the terminal printed ^C
        return _print(session, "Interrupted", message, INTERRUPTED.number, as_json=as_json)
    if isinstance(error, Unwritten):
        return _print(session, "Unwritten", str(error), ERROR.number, as_json=as_json)
    if isinstance(error, click.ClickException):
        return _report_usage(error, session, as_json=as_json)
    if isinstance(error, IotdaOtaError):
        return _report_ours(error, session, as_json=as_json)
    # A fault of the program: the traceback helps the people who correct it.
    lines = redact("".join(traceback.format_exception(error)), session.secrets)
    if not as_json:
        lines = f"{lines}this is a fault of iotda-ota: please report it with the lines above"
    return _print(session, type(error).__name__, lines, ERROR.number, as_json=as_json)


def _print(session: Session, kind: str, message: str, code: int, *, as_json: bool, **more: Any) -> int:
    if as_json:
        session.note(json.dumps({"error": {"kind": kind, "message": message, **more, "exit_code": code}}, indent=2))
    else:
        label = click.style("error:", fg="red", bold=True) if session.wants_colour(session.err) else "error:"
        session.note(f"{label} {message}")
    return code


def _report_usage(error: click.ClickException, session: Session, *, as_json: bool) -> int:
    if as_json:
        message = redact(error.format_message(), session.secrets)
        return _print(session, "UsageError", message, error.exit_code, as_json=True)
    text = io.StringIO()
    error.show(file=text)
    for line in text.getvalue().splitlines():  # it repeats the arguments
        session.note(sanitize(line, limit=_LONGEST_LINE, secrets=session.secrets))
    return error.exit_code


def _report_ours(error: IotdaOtaError, session: Session, *, as_json: bool) -> int:
    error.redact(session.secrets)  # before its lines are wrapped
    code = exit_code(error)
    public = (kind.__name__ for kind in type(error).__mro__ if getattr(errors, kind.__name__, None) is kind)
    kind = next(public, IotdaOtaError.__name__)
    if not as_json:
        return _print(session, kind, error.rendered(COMMAND_LINE), code, as_json=False)
    facts = [{"label": label, "text": text} for label, text in error.facts_in(COMMAND_LINE)]
    numbers = {name: value for name in _NUMBERS if (value := getattr(error, name, None))}
    headline = render(error.message.headline, COMMAND_LINE)
    return _print(session, kind, headline, code, as_json=True, facts=facts, **numbers)
