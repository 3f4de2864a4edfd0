"""Run the real command line as a shell does, and return its exit code and both outputs."""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.cli.main import main
from tests.conftest import settings_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator

METER = ("--package-type", "firmwarePackage", "--product-id", "smart-meter")


@dataclass(frozen=True)
class Done:
    """The exit code and the outputs of a command."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> dict[str, Any]:
        """Return the JSON on its standard output."""
        read: dict[str, Any] = json.loads(self.out)
        return read

    @property
    def error(self) -> dict[str, Any]:
        """Return the error that is JSON on its standard error."""
        read: dict[str, Any] = json.loads(self.err)["error"]
        return read

    @property
    def rows(self) -> list[list[str]]:
        """Return the cells of its lines."""
        return [line.split("\t") for line in self.out.splitlines()]


class _Stream(io.TextIOWrapper):
    """An output in memory, with or without a terminal."""

    def __init__(self, columns: int) -> None:
        self._kept = io.BytesIO()
        super().__init__(self._kept, encoding="utf-8", newline="")
        self._columns = columns

    def isatty(self) -> bool:
        return self._columns > 0

    def text(self) -> str:
        """Return the output."""
        self.flush()
        return self._kept.getvalue().decode()


class Shell:
    """Runs commands against one emulator.

    Args:
        emulator: the one that they query, or None.
        folder: where they run.
    """

    def __init__(self, emulator: Emulator | None, folder: Path) -> None:
        self.folder = folder
        ours = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
        self.environ = {**ours, "HOME": str(folder), **(settings_for(emulator) if emulator else {})}

    def __call__(self, *words: str, stdin: str = "", environ: Mapping[str, str | None] | None = None) -> Done:
        """Run `iotda-ota` and return its result; a variable that is None is not set."""
        changed = {**self.environ, **(environ or {})}
        done = subprocess.run(
            [sys.executable, "-m", "pulumi_iotda_ota.cli", *words],
            cwd=self.folder,
            env={name: value for name, value in changed.items() if value is not None},
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=120,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def inside(self, *words: str, environ: Mapping[str, str | None] | None = None, columns: int = 0) -> Done:
        """Run a command in this process, which is faster than another one.

        Args:
            words: the command.
            environ: variables that are set, or with None not set.
            columns: how wide the terminal is that both outputs are; 0 for no terminal.
        """
        out, err = _Stream(columns), _Stream(columns)
        environ = {
            **({"TERM": "xterm", "NO_COLOR": "1", "COLUMNS": str(columns)} if columns else {}),
            **(environ or {}),
        }
        with (
            pytest.MonkeyPatch.context() as patch,
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            for name in os.environ:
                patch.delenv(name)
            for name, value in {**self.environ, **environ}.items():
                if value is not None:
                    patch.setenv(name, value)
            patch.chdir(self.folder)
            code = main_or_exit(words)
        return Done(code, out.text(), err.text())

    def on_terminal(
        self,
        *words: str,
        keys: str = "",
        interrupt_at: str = "",
        columns: int = 80,
        environ: Mapping[str, str | None] | None = None,
    ) -> Done:
        """Run `iotda-ota` with a terminal as all of its inputs and outputs; both outputs are ``out``.

        Args:
            words: the command.
            keys: what a person types.
            interrupt_at: the text after which they press Ctrl-C.
            columns: how wide the terminal is.
            environ: variables that are set, or with None not set.
        """
        changed = {**self.environ, "TERM": "xterm-256color", "COLUMNS": None, "LINES": None, **(environ or {})}
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen(
            [sys.executable, "-m", "pulumi_iotda_ota.cli", *words],
            cwd=self.folder,
            env={name: value for name, value in changed.items() if value is not None},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        os.write(ours, keys.encode())
        shown = b""
        while chunk := _chunk_of(ours):
            shown += chunk
            if interrupt_at and interrupt_at.encode() in shown:
                process.send_signal(signal.SIGINT)
                interrupt_at = ""
        os.close(ours)
        return Done(process.wait(timeout=60), shown.decode().replace("\r\n", "\n"), "")


class Inside(Shell):
    """Runs commands in this process, for tests that are not about the process."""

    def __call__(self, *words: str, stdin: str = "", environ: Mapping[str, str | None] | None = None) -> Done:
        """Run `iotda-ota` and return its result; with an input, run it in another process."""
        return super().__call__(*words, stdin=stdin, environ=environ) if stdin else self.inside(*words, environ=environ)


def main_or_exit(words: Sequence[str]) -> int:
    """Run the program and return its exit code; after a completion click ends it by an exception."""
    try:
        return main(words)
    except SystemExit as ended:
        return int(ended.code or 0)


def _chunk_of(terminal: int) -> bytes:
    """Return the next output; nothing after the process has closed the terminal."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def plain(text: str) -> str:
    """Return the output of a terminal without colours and movements."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)
