"""The command `iotda-ota`: its commands, and one place where whatever goes wrong becomes a message and an exit code."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pulumi_iotda_ota.cli import devices, emulator, help_command, lock, packages, shell_completion, task
from pulumi_iotda_ota.cli.commands import Family
from pulumi_iotda_ota.cli.doctor import command as doctor
from pulumi_iotda_ota.cli.error_output import ClosedPipe, Interrupted, Unwritten, report
from pulumi_iotda_ota.cli.exit_codes import CLOSED_PIPE
from pulumi_iotda_ota.cli.session import Session
from pulumi_iotda_ota.iotda.sanitize import redacting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

PROGRAM = "iotda-ota"
#: What there is; a new family of commands is one more entry.
COMMANDS: tuple[click.Command, ...] = (
    packages.group,
    devices.group,
    task.group,
    lock.group,
    doctor.doctor,
    emulator.emulator,
    shell_completion.completion,
    help_command.help_command,
)


@contextmanager
def _ours() -> Iterator[None]:
    """Take a closed pipe and Ctrl-C before click does, which has an exit code and a line of its own for them."""
    try:
        yield
    except OSError as error:
        # Windows has no broken pipes; there it is an argument that is not valid.
        if error.errno == errno.EPIPE or (os.name == "nt" and error.errno == errno.EINVAL):
            raise ClosedPipe from error
        if error.errno == errno.ENOSPC:
            raise Unwritten("the output could not be written: no space is left") from error
        raise
    except KeyboardInterrupt:
        raise Interrupted("interrupted") from None


class _Root(Family):
    def make_context(self, *args: Any, **more: Any) -> click.Context:
        with _ours():
            return super().make_context(*args, **more)

    def invoke(self, ctx: click.Context) -> Any:
        with _ours():
            return super().invoke(ctx)


@click.version_option(version("pulumi-iotda-ota"), prog_name=PROGRAM, message="%(prog)s %(version)s")
@click.group(
    cls=_Root,
    context_settings={"help_option_names": ["--help", "-h"]},
    example="""\
export HW_REGION_NAME=cn-north-4 HW_ACCESS_KEY=... HW_SECRET_KEY=...
iotda-ota doctor
iotda-ota package list --package-type firmwarePackage""",
)
def root() -> None:
    """Look up OTA packages of Huawei Cloud IoTDA, and manage upgrade tasks and lock files.

    Credentials are read from the environment or from files, never from options. `iotda-ota doctor` shows where each
    setting comes from, and checks the connection.
    """


for _command in COMMANDS:
    root.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: what follows the program's name; by default what the process was given.

    Returns:
        The exit code; see ``exit_codes.py``.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    session = Session(dict(os.environ), _open(sys.stdout), _open(sys.stderr))
    try:
        with redacting(session.secrets):
            code = root.main(given or ["--help"], prog_name=PROGRAM, standalone_mode=False, obj=session)
        with _ours():
            session.out.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  the last place where it can become a message
        if isinstance(error, (ClosedPipe, Unwritten)):
            _forget(sys.stdout)
        code = _reported(error, session, as_json=_wants_json(given))
    return code if isinstance(code, int) else 0


def _wants_json(words: Sequence[str]) -> bool:
    """Return whether a program reads the result. Errors of the command's own options are JSON too."""
    return "--json" in words or "--format=json" in words or ("--format", "json") in pairwise(words)


def _reported(error: BaseException, session: Session, *, as_json: bool) -> int:
    """Tell an error, where anybody can still be told, and return the exit code."""
    try:
        return report(error, session, as_json=as_json)
    except OSError:
        _forget(sys.stderr)
        return CLOSED_PIPE.number


def _open(stream: TextIO | None) -> TextIO:
    """Return a stream that can be written to: Python has none where the shell has closed it."""
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")  # a version is no reason to end in an encoding's error
    return stream


def _forget(stream: TextIO) -> None:
    """Let nothing be written at the end of the process to a stream that takes nothing more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
