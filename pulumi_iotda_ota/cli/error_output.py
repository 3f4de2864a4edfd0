"""Tells what went wrong, in one form for people and one for programs, and says what the process ends with."""

from __future__ import annotations

import io
import json
import traceback
from typing import TYPE_CHECKING, Any

import click

from pulumi_iotda_ota import errors
from pulumi_iotda_ota.cli import exit_codes
from pulumi_iotda_ota.iotda.errors import IotdaOtaError
from pulumi_iotda_ota.iotda.sanitize import redact, sanitize
from pulumi_iotda_ota.message_rendering import COMMAND_LINE, render

if TYPE_CHECKING:
    from pulumi_iotda_ota.cli.session import Session

_LONGEST_LINE = 2_000  # characters
_NUMBERS = ("status", "error_code", "request_id")


class Interrupted(Exception):
    """Ctrl-C, with what that means for the task on the service."""


class Unwritten(Exception):
    """The output takes nothing more, and what is missing of it is not to be taken for an answer."""


class ClosedPipe(Exception):
    """Whoever read the output has gone. Click would end with an exit code of its own."""


def report(error: BaseException, session: Session, *, as_json: bool) -> int:
    """Tell an error on the standard error, and return the exit code.

    Args:
        error: what ended the command.
        session: where it is told, and what must not be.
        as_json: whether a program reads it.
    """
    if isinstance(error, ClosedPipe):
        return exit_codes.CLOSED_PIPE.number
    if isinstance(error, (Interrupted, click.Abort, KeyboardInterrupt)):
        message = str(error) if isinstance(error, Interrupted) else "interrupted"
        if session.err.isatty():
            session.note("")  # the terminal has shown ^C
        return _told(session, "Interrupted", message, exit_codes.INTERRUPTED.number, as_json=as_json)
    if isinstance(error, Unwritten):
        return _told(session, "Unwritten", str(error), exit_codes.ERROR.number, as_json=as_json)
    if isinstance(error, click.ClickException):
        return _usage(error, session, as_json=as_json)
    if isinstance(error, IotdaOtaError):
        return _ours(error, session, as_json=as_json)
    return _fault(error, session, as_json=as_json)


def _fault(error: BaseException, session: Session, *, as_json: bool) -> int:
    """Tell what should not be, with the lines that whoever mends it asks for, and without a secret."""
    lines = redact("".join(traceback.format_exception(error)), session.secrets)
    if not as_json:
        lines = f"{lines}this is a fault of iotda-ota: please report it with the lines above"
    return _told(session, type(error).__name__, lines, exit_codes.ERROR.number, as_json=as_json)


def _told(session: Session, kind: str, message: str, code: int, *, as_json: bool, **more: Any) -> int:
    if as_json:
        session.note(json.dumps({"error": {"kind": kind, "message": message, **more, "exit_code": code}}, indent=2))
    else:
        session.note(f"{_head(session)} {message}")
    return code


def _usage(error: click.ClickException, session: Session, *, as_json: bool) -> int:
    if as_json:
        message = redact(error.format_message(), session.secrets)
        return _told(session, "UsageError", message, error.exit_code, as_json=True)
    shown = io.StringIO()
    error.show(file=shown)
    for line in shown.getvalue().splitlines():  # it repeats what was typed
        session.note(sanitize(line, limit=_LONGEST_LINE, secrets=session.secrets))
    return error.exit_code


def _ours(error: IotdaOtaError, session: Session, *, as_json: bool) -> int:
    error.redact(session.secrets)  # before its lines are broken
    kind, code = _kind(error), exit_codes.exit_code(error)
    if not as_json:
        return _told(session, kind, error.rendered(COMMAND_LINE), code, as_json=False)
    facts = [{"label": label, "text": text} for label, text in error.facts_in(COMMAND_LINE)]
    numbers = {name: value for name in _NUMBERS if (value := getattr(error, name, None))}
    headline = render(error.message.headline, COMMAND_LINE)
    return _told(session, kind, headline, code, as_json=True, facts=facts, **numbers)


def _kind(error: IotdaOtaError) -> str:
    """Return the public name of an error's class."""
    ours = (kind for kind in type(error).__mro__ if getattr(errors, kind.__name__, None) is kind)
    return next(ours, IotdaOtaError).__name__


def _head(session: Session) -> str:
    return click.style("error:", fg="red", bold=True) if session.wants_colour(session.err) else "error:"
