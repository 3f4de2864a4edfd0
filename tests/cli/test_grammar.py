"""The grammar of the command line: noun, verb, singular options; and the help of each command."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import click
import pytest

from pulumi_iotda_ota.cli.click_classes import Command, Group
from pulumi_iotda_ota.cli.main import root
from pulumi_iotda_ota.iotda.auth.settings import SETTINGS
from tests.support.shell import METER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_iotda_ota.emulator import Emulator
    from tests.support.shell import Shell

AT_80 = {"COLUMNS": "80"}


def everything(command: click.Command = root, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every group and command, the program itself first."""
    yield path
    for name, inner in command.commands.items() if isinstance(command, click.Group) else ():
        yield from everything(inner, (*path, name))


def command_of(path: tuple[str, ...]) -> click.Command:
    """Return the command at a path."""
    found: click.Command = root
    for word in path:
        assert isinstance(found, click.Group)
        found = found.commands[word]
    return found


EVERY = pytest.mark.parametrize("path", list(everything()), ids=" ".join)


def test_the_commands() -> None:
    """A noun comes before its verb: package, task and lock; the other commands are single words."""
    assert [path for path in everything() if len(path) != 1] == [
        (),
        *(("package", verb) for verb in ("get", "list", "path")),
        ("device", "versions"),
        *(("task", verb) for verb in ("get", "list", "watch", "retry", "stop", "confirm")),
        *(("lock", verb) for verb in ("add", "update", "check", "list", "remove")),
    ]
    assert list(root.commands) == ["package", "device", "task", "lock", "doctor", "emulator", "completion", "help"]


@pytest.mark.parametrize(
    "words",
    [
        ("get", *METER),
        ("list", *METER),
        ("task", "show", "abc"),
        ("package", "get", *METER, "--why"),
        ("package", "get", *METER, "--all"),
        ("package", "get", *METER, "--source-versions", "V1"),
        ("package", "list", *METER, "--preferred-versions", "V1"),
        ("task", "confirm", "abc", "--approved-package-ids", "p1"),
    ],
)
def test_no_alias_is_left(alone: Shell, words: tuple[str, ...]) -> None:
    """An old name is an error, like any other word that is no command or option."""
    done = alone.inside(*words)

    assert (done.code, done.out) == (2, "")
    assert "No such " in done.err


@EVERY
def test_the_help_of_a_command(alone: Shell, path: tuple[str, ...]) -> None:
    """-h is --help. The help has at most 100 lines of 80 columns, cuts no sentence, and ends with one example."""
    short, long = alone.inside(*path, "-h", environ=AT_80), alone.inside(*path, "--help", environ=AT_80)
    lines = short.out.splitlines()

    assert (short.code, short.out, short.err) == (0, long.out, "")
    assert len(lines) <= 100
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if re.search(r"[a-z,]\.\.\.$", line)] == []
    assert re.findall(r"^(\w[\w ]*):$", short.out, re.MULTILINE)[-1] == "Example"
    assert re.findall(r"\b(TEXT|INTEGER|FLOAT)\b", short.out) == []


@EVERY
def test_the_options_that_a_help_names(alone: Shell, path: tuple[str, ...]) -> None:
    """The help of a command names only options that the command has."""
    command = command_of(path)
    options = {
        name
        for option in command.params
        if isinstance(option, click.Option)
        for name in (*option.opts, *option.secondary_opts)
    }
    text = alone.inside(*path, "-h", environ=AT_80).out.partition("Example:")[0]
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))

    assert named - options - {"--help"} == set()


@EVERY
def test_the_example_of_a_command(path: tuple[str, ...]) -> None:
    """The example in the help of a command calls this command, and the command accepts every word of it."""
    command = command_of(path)
    assert isinstance(command, (Command, Group))
    text = command.example
    lines = text.replace("\\\n", "").splitlines()
    calls = [words[1:] for line in lines if (words := shlex.split(line.split(" > ")[0]))[0] == "iotda-ota"]

    assert any(tuple(call[: len(path)]) == path for call in calls) or path == ("completion",)
    for call in calls:
        called: click.Command = root
        while isinstance(called, click.Group):
            called = called.commands[call.pop(0)]
        # A command keeps the names of its help option from the first context that it has.
        called.make_context(called.name, list(call), parent=click.Context(root, **root.context_settings))


def test_the_connection_options(alone: Shell) -> None:
    """The help of a command names one command that lists the connection options, and each command still takes them."""
    command = alone.inside("package", "list", "-h", environ=AT_80).out
    listed = alone.inside("help", "connection", environ=AT_80).out
    public = [setting.name.replace("_", "-") for setting in SETTINGS if not setting.secret]

    assert "iotda-ota help connection" in command
    assert "--iam-endpoint" not in command
    assert [name for name in public if name.removesuffix("s") not in listed] == []
    assert len(listed.splitlines()) <= 100
    assert "connection options" not in alone.inside("lock", "list", "-h").out


def test_the_command_help(alone: Shell) -> None:
    """`help` prints the help of any command, and suggests the nearest one if there is no such command."""
    assert alone.inside("help", "task", "watch").out == alone.inside("task", "watch", "-h").out
    assert alone.inside("help").out == alone.inside("-h").out
    assert alone.inside("help", "task", "--json").answer["result"]["help"] == alone.inside("task", "-h").out.strip()

    wrong = alone.inside("help", "task", "wacth")
    assert wrong.code == 2
    assert "watch" in wrong.err.splitlines()[-1]
    assert alone.inside("help", "doctor", "more").code == 2


def test_a_list_is_an_option_that_is_repeated(shell: Shell, emulator: Emulator) -> None:
    """Every option for a list is a singular noun, and each use of it counts."""
    lists = [
        name
        for path in everything()
        for option in command_of(path).params
        if isinstance(option, click.Option) and option.multiple
        for name in option.opts
    ]
    assert {"--source-version", "--preferred-version", "--target", "--approved-package-id"} < set(lists)
    assert [name for name in lists if name.endswith("s")] == []

    project = emulator.project_id
    one = shell.inside("package", "list", *METER, "--allowed-project-id", "other")
    both = shell.inside("package", "list", *METER, "--allowed-project-id", "other", "--allowed-project-id", project)
    assert (one.code, both.code) == (1, 0)


def test_a_missing_option(alone: Shell) -> None:
    """A required option that is missing is one line that lists the values there are."""
    done = alone.inside("package", "list")

    assert done.code == 2
    assert done.err.splitlines()[-1] == (
        "Error: Missing option '--package-type'. Choose one of softwarePackage, firmwarePackage, modulePackage."
    )
    assert "\\t" not in done.err
