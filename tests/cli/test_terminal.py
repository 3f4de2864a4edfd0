"""The output on a terminal, a pipe or a file: tables, colours, widths, encodings."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.command_words import SEVERAL
from tests.support.shell import METER, Shell, plain

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator


def test_a_closed_pipe(shell: Shell) -> None:
    """If the reader closes the pipe, as `head` does, the command ends with 141 and no message."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pulumi_iotda_ota.cli", *SEVERAL],
        env=shell.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    process.stdout.close()
    assert process.stderr
    with process.stderr:
        printed = process.stderr.read()

    assert (process.wait(timeout=60), printed) == (141, "")


def test_a_closed_standard_output(shell: Shell) -> None:
    """A standard output that is closed from the start causes no traceback, also for the help."""
    for words in ("--help", f"package list {' '.join(METER)}"):
        script = f"{sys.executable} -m pulumi_iotda_ota.cli {words} | true"
        done = subprocess.run(["bash", "-c", script], env=shell.environ, capture_output=True, text=True, check=False)
        assert done.stderr == ""


def test_streams_that_are_not_there(shell: Shell) -> None:
    """If the shell has closed the outputs, the exit code is the same."""
    command = f"{sys.executable} -m pulumi_iotda_ota.cli"
    for words, code in (
        (f"package list {' '.join(METER)} >&-", 0),
        (f"package get {' '.join(METER)} 2>&-", 4),
        ("--help >&- 2>&-", 0),
    ):
        done = subprocess.run(["bash", "-c", f"{command} {words}"], env=shell.environ, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (code, b"")


def test_a_terminal_shows_a_table(shell: Shell) -> None:
    """A table on a terminal has a header, the day of the upload, colour, and whole ids."""
    done = shell.on_terminal(*SEVERAL)

    assert "\x1b[1m" in done.out
    lines = plain(done.out).splitlines()
    assert lines[0] == "13 OTA packages"
    assert lines[1].split() == ["version", "package_id", "product_id", "created_at"]
    assert ["V1.4.10", "169ea9fd475dde0c9e14299b41281f51", "smart-meter", "2026-10-02"] in [
        line.split() for line in lines
    ]


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour_if_none_is_wanted(shell: Shell, environ: dict[str, str]) -> None:
    """With NO_COLOR or a simple terminal there are no colours, also in errors."""
    assert "\x1b[" not in shell.on_terminal(*SEVERAL, environ=environ).out
    assert "\x1b[" not in shell.on_terminal("package", "get", *METER, environ=environ).out


def test_an_error_on_a_terminal(shell: Shell) -> None:
    """On a terminal an error begins in red."""
    assert shell.on_terminal("package", "get", *METER).out.startswith(
        "\x1b[31m\x1b[1merror:\x1b[0m 40 OTA packages match"
    )


def test_a_narrow_terminal(shell: Shell) -> None:
    """On 40 columns nothing is lost: a row that is too wide continues on the next line."""
    words_of = ("package", "get", *METER, "--version-constraint", "^1.4", "--highest-version", "--explain")
    wide, narrow = shell.on_terminal(*words_of, columns=200), shell.on_terminal(*words_of, columns=40)

    assert Counter("".join(plain(narrow.out).split())) == Counter("".join(plain(wide.out).split()))
    assert max(len(line.rstrip()) for line in plain(narrow.out).splitlines()) <= 40


@pytest.mark.parametrize("columns", ["40", "1", "0", "-3", "wide"])
def test_a_width_from_the_environment(shell: Shell, columns: str) -> None:
    """For any value of COLUMNS there is a result."""
    assert shell.on_terminal(*SEVERAL, environ={"COLUMNS": columns}).code == 0
    assert shell("package", "get", "--help", environ={"COLUMNS": columns}).code == 0


def test_an_encoding_that_knows_little(shell: Shell, emulator: Emulator) -> None:
    """A character that the encoding does not have is escaped, and is no error."""
    emulator.add_package(version="V9.9", description="ünïcode")
    for encoding in ("ascii", "cp1252"):
        environ = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
        assert shell("package", "get", *METER, environ=environ).code == 4
        assert shell("package", "get", *METER, "--version", "V9.9", "--field", "description", environ=environ).code == 0


def test_text_of_the_service_cannot_move_the_terminal(shell: Shell, emulator: Emulator) -> None:
    """Text of an upload is escaped on a terminal, and exact in the JSON."""
    emulator.add_package(version="V9.9", description="a\x1b[2Jb\nc")
    output = shell.inside("package", "get", *METER, "--version", "V9.9", "--field", "description")
    printed = shell.inside("package", "get", *METER, "--version", "V9.9", "--json")

    assert output.out == "a\\x1b[2Jb\\nc\n"
    assert printed.answer["result"]["description"] == "a\x1b[2Jb\nc"
    assert "\x1b" not in printed.out


def test_no_space_for_the_result(shell: Shell) -> None:
    """A result that could not be written is one clear error, and never exit code 0."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("there is no /dev/full here")
    with full.open("wb") as out:
        done = subprocess.run(
            [sys.executable, "-m", "pulumi_iotda_ota.cli", *SEVERAL],
            env=shell.environ,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "error: the output could not be written: no space is left\n")


def test_a_closed_standard_error(shell: Shell) -> None:
    """A closed standard error ends the command as a closed pipe does."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "pulumi_iotda_ota.cli", "package", "get", "--nope"],
        env=shell.environ,
        stderr=writing,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 141


def test_an_argument_cannot_move_the_terminal(alone: Shell) -> None:
    """A usage error repeats the argument without control characters and without a secret."""
    done = alone.inside("package", "get", "\x1b[2J\x07gone", "hidden-key-1", environ={"HW_SECRET_KEY": "hidden-key-1"})
    assert done.code == 2
    assert "\\x07gone ****" in done.err
    assert "\x1b" not in done.err


@pytest.mark.parametrize("columns", [1, 20])
def test_a_terminal_too_narrow_for_a_table(shell: Shell, columns: int) -> None:
    """If there is no room for columns, each cell is on a separate line, so that an id can be copied."""
    done = shell.inside(*SEVERAL, columns=columns)
    assert "V1.4.10\n  169ea9fd475dde0c9e14299b41281f51\n  smart-meter\n  2026-10-02\n" in plain(done.out)
