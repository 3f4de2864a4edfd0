"""The command `iotda-ota`, its commands `help` and `completion`, and the place where each error gets an exit code."""

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
from click.shell_completion import get_completion_class

from pulumi_iotda_ota.cli import commands, emulator
from pulumi_iotda_ota.cli.click_classes import CONNECTION, Group, OneOf, Positional, write_example, write_records
from pulumi_iotda_ota.cli.doctor import command as doctor
from pulumi_iotda_ota.cli.exit_codes import CLOSED_PIPE, ClosedPipe, Interrupted, Unwritten, report
from pulumi_iotda_ota.cli.options import command, connection_options
from pulumi_iotda_ota.cli.session import Session
from pulumi_iotda_ota.iotda.sanitize import redacting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

    from pulumi_iotda_ota.cli.options import CommandInput

PROGRAM = "iotda-ota"
#: The topic of `help` that is no command.
TOPIC = "connection"
#: The text above the connection options.
CONNECTION_TEXT = """\
Every command that sends requests takes these options. Each setting is read from the first place that has it: the
option, the configuration of the stack that --stack names, a profile, the environment, the vendor's files.

Credentials are no options, because other processes can read a command line. They are read from the environment or
from files. `iotda-ota doctor` shows where each setting comes from."""
_CONNECTION_EXAMPLE = """\
export HW_REGION_NAME=cn-north-4 HW_ACCESS_KEY=... HW_SECRET_KEY=...
iotda-ota doctor --stack dev --deadline 20"""


@contextmanager
def _translated() -> Iterator[None]:
    """Translate a closed pipe and Ctrl-C before click does, which has other exit codes and texts for them."""
    try:
        yield
    except OSError as error:
        # Windows has no broken pipes: there it is an invalid argument.
        if error.errno == errno.EPIPE or (os.name == "nt" and error.errno == errno.EINVAL):
            raise ClosedPipe from error
        if error.errno == errno.ENOSPC:
            raise Unwritten("the output could not be written: no space is left") from error
        raise
    except KeyboardInterrupt:
        raise Interrupted("interrupted") from None


class _Root(Group):
    def make_context(self, *args: Any, **more: Any) -> click.Context:
        with _translated():
            return super().make_context(*args, **more)

    def invoke(self, ctx: click.Context) -> Any:
        with _translated():
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


@command(
    "completion",
    more=[
        Positional(
            ["shell"], metavar="SHELL", type=OneOf(("bash", "zsh", "fish")), help="bash (4.4 or later), zsh or fish."
        )
    ],
    connects=False,
    example='eval "$(iotda-ota completion bash)"',
)
def completion(command_input: CommandInput) -> None:
    """Print the script with which a shell completes commands, options and values."""
    script = get_completion_class(command_input.flags["shell"])
    assert script is not None  # noqa: S101  click has all three
    # Click reads this variable when the script calls the program.
    text = script(root, {}, PROGRAM, "_IOTDA_OTA_COMPLETE").source()
    if command_input.as_json:
        command_input.session.json({"result": {"script": text}})
    else:
        command_input.session.line(text)


def _complete_topic(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Complete the next command of a topic."""
    topic = ctx.params.get(str(param.name)) or ()
    found: click.Command = root
    for name in topic:
        found = found.commands.get(name, found) if isinstance(found, click.Group) else found
    names = list(found.commands) if isinstance(found, click.Group) else []
    return [name for name in (*names, *(() if topic else (TOPIC,))) if name.startswith(incomplete)]


@command(
    "help",
    more=[
        Positional(
            ["topic"],
            nargs=-1,
            metavar="[COMMAND]...",
            shell_complete=_complete_topic,
            help=f"A command, such as task watch, or {TOPIC}. Default: the list of commands.",
        )
    ],
    connects=False,
    example="iotda-ota help connection",
)
def help_command(command_input: CommandInput) -> None:
    """Show the help of a command, or of the connection options.

    The connection options set the endpoint and the credentials of requests.
    """
    topic = command_input.flags["topic"] or []
    context = click.get_current_context().find_root()
    text = _connection_help(context) if topic == [TOPIC] else _command_help(context, topic)
    if command_input.as_json:
        command_input.session.json({"result": {"help": text}})
    else:
        command_input.session.line(text)


def _command_help(context: click.Context, names: Sequence[str]) -> str:
    """Return the help of a command, or raise a usage error."""
    for word in names:
        group = context.command
        if not isinstance(group, click.Group):
            raise click.UsageError(f"{context.command_path} has no commands.", context)
        name, found, _ = group.resolve_command(context, [word])
        if found is None:
            raise click.UsageError(f"No such command {word!r}.", context)
        context = found.context_class(found, info_name=name, parent=context)
    return context.get_help()


def _connection_help(context: click.Context) -> str:
    formatter = context.make_formatter()
    formatter.write_text(CONNECTION_TEXT)
    records = [record for option in connection_options() if (record := option.get_help_record(context)) is not None]
    write_records(formatter, CONNECTION, records)
    write_example(formatter, _CONNECTION_EXAMPLE)
    return formatter.getvalue().strip("\n")


for _command in (
    commands.package,
    commands.device,
    commands.task,
    commands.lock,
    doctor.doctor,
    emulator.emulator,
    completion,
    help_command,
):
    root.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: the arguments without the program's name; default: those of the process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    session = Session(dict(os.environ), _open(sys.stdout), _open(sys.stderr))
    try:
        with redacting(session.secrets):
            code = root.main(words or ["--help"], prog_name=PROGRAM, standalone_mode=False, obj=session)
        with _translated():
            session.out.flush()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  the last place where it can become a message
        if isinstance(error, (ClosedPipe, Unwritten)):
            _discard(sys.stdout)
        try:
            code = report(error, session, as_json=_wants_json(words))
        except OSError:  # the standard error is closed
            _discard(sys.stderr)
            code = CLOSED_PIPE.number
    return code if isinstance(code, int) else 0


def _wants_json(words: Sequence[str]) -> bool:
    """Return whether a program reads the result. Errors of the command's own options are JSON too."""
    return "--json" in words or "--format=json" in words or ("--format", "json") in pairwise(words)


def _open(stream: TextIO | None) -> TextIO:
    """Return a stream that can be written to: Python has None if the shell has closed it."""
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")  # the encoding may not have every character of a version
    return stream


def _discard(stream: TextIO) -> None:
    """Discard what Python still writes to a stream at the end of the process."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
