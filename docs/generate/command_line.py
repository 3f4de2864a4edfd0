"""Make docs/command-line.md: describe every command, and run every example on a terminal, against an emulator.

The time of the emulator moves only when an example moves it, so that each run makes the same page.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import shlex
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from docs.generate.markdown import table
from pulumi_iotda_ota.cli.click_classes import CONNECTION, Positional
from pulumi_iotda_ota.cli.exit_codes import CODES
from pulumi_iotda_ota.cli.main import CONNECTION_TEXT, PROGRAM, root
from pulumi_iotda_ota.emulator import Emulator
from pulumi_iotda_ota.emulator.seed import DEFAULT_APP_ID
from pulumi_iotda_ota.lock.files import LOCK_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

__all__ = ["page"]

_COLUMNS = 100
# V1.4.11 of the smart meter in the built-in catalogue.
_PACKAGE = "8e99e4f7765dfb08dbfee0054d004b3b"
_METER = "--package-type firmwarePackage --product-id smart-meter"
_PORT = re.compile(r"127\.0\.0\.1:\d+")
_MOVES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
_BEGIN = """# The command line

`iotda-ota` looks up packages, explains the choice, and manages upgrade tasks and the lock file, from a shell or a
pipeline. Its results are those of the functions, and each argument of a function is an option. For a list, repeat the
option: `--source-version V1.3.2 --source-version V1.4.0`. Install it from a checkout:

<!-- not run: it is installed before any page is tried -->
```sh
python -m pip install '.[cli]'
```

{get}
If a row is too wide for the terminal, it continues on the next line. An id is never split. If the output is no
terminal, there is no header, tabs separate the cells, and no value is shortened: `cut -f2` prints the id of a package.
`--field` prints one value:

{field}"""
_JSON = """## For a program

With `--json` the standard output is one JSON object, `{{"result": …}}`, with the result of the function. It is `null`
if no package matches and `--on-missing none` is set. `package list` and `package get` add `skipped` (the first 100, or
all with `package get --all-skipped`) and `skipped_counts`. Characters beyond ASCII are escaped, and values are exact.

{json}
An error is one object on the standard error, and the standard output is empty. Three errors also have a result: a task
that failed (`task watch`), devices that were refused (`task retry`), and problems (`doctor`):

{error}"""
_SETTINGS = f"""## {CONNECTION}

{CONNECTION_TEXT}

`--stack dev` reads `Pulumi.dev.yaml` beside the `Pulumi.yaml` of this folder or one above it. If a setting in it is
encrypted, it is an error, unless `--decrypt` lets `pulumi` decrypt it. `iotda-ota help connection` lists these options:

"""


class _Time:
    """The clock of the emulator."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class _Shell:
    """Runs each example in a process with a terminal."""

    def __init__(self, emulator: Emulator, time: _Time, folder: str) -> None:
        self.emulator = emulator
        self.time = time
        kept = {name: os.environ[name] for name in ("LANG", "LC_ALL") if name in os.environ}
        self._folder = folder
        self._environ = {
            **kept,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"]),
            "HOME": folder,
            "NO_COLOR": "1",
            "PYTHONUTF8": "1",
            **emulator.environment,
        }

    def __call__(self, command: str, *, lines: bool = False) -> str:
        """Return a command and its output on a terminal, as a block of Markdown.

        Args:
            command: the command.
            lines: whether the terminal can only print lines, because a page cannot display a bar that moves.
        """
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, _COLUMNS, 0, 0))
        # The commands are those of this module.
        process = subprocess.Popen(  # noqa: S603
            ["bash", "-c", command],  # noqa: S607
            cwd=self._folder, env={**self._environ, "TERM": "dumb" if lines else "xterm"},
            stdin=theirs, stdout=theirs, stderr=theirs,
        )  # fmt: skip
        os.close(theirs)
        output = b"".join(_chunks(ours))
        os.close(ours)
        process.wait()
        return _block(command, output.decode(), self.emulator)

    def forget(self, name: str) -> None:
        """Remove a file of the folder."""
        (Path(self._folder) / name).unlink(missing_ok=True)

    def begin(self, command: str, *, lines: int = 1) -> str:
        """Return a command that serves, and the first lines of its output; then end it."""
        words = shlex.split(command)
        with subprocess.Popen(  # noqa: S603  as above
            words, cwd=self._folder, env=self._environ, stdout=subprocess.PIPE, text=True
        ) as process:
            text = "".join(process.stdout.readline() for _ in range(lines)) if process.stdout else ""
            process.terminate()
        return _block(command, text, self.emulator)


def _chunks(terminal: int) -> Iterator[bytes]:
    """Yield the output until the process closes the terminal, which is an error on some systems."""
    try:
        while chunk := os.read(terminal, 65536):
            yield chunk
    except OSError:
        return


def _block(command: str, output: str, emulator: Emulator) -> str:
    text = _PORT.sub("127.0.0.1:41233", _MOVES.sub("", output).replace("\r\n", "\n"))
    for secret in (emulator.access_key, emulator.secret_key):
        text = text.replace(secret, "…")
    lines = [line.rstrip() for line in text.rstrip("\n").split("\n")]
    body = "\n".join([f"$ {command}", *lines]).rstrip("\n")
    return f"<!-- made by the code -->\n```console\n{body}\n```\n"


def page() -> str:
    """Return the page."""
    time = _Time()
    emulator = Emulator(
        clock=time,
        project_id="0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        access_key="AKEXAMPLE0123456789Q",
        secret_key="sk-example-0123456789",  # noqa: S106  of an emulator that this module starts
        stopping_seconds=0,
    )
    with emulator, tempfile.TemporaryDirectory() as folder:
        return "".join(_parts(_Shell(emulator, time, folder)))


def _parts(shell: _Shell) -> Iterator[str]:
    why = (
        f"iotda-ota package get {_METER} --version-constraint '^1.4' --source-version V1.3.2 "
        "--highest-version --explain"
    )
    version = f"iotda-ota package get {_METER} --version V1.4.10"
    yield _BEGIN.format(get=shell(why), field=shell(f"{version} --field package_id"))
    yield "\n## Exit codes\n\n"
    yield table(("code", "meaning"), ((f"{code.number}", code.meaning) for code in CODES))
    nothing = f"iotda-ota package get {_METER} --version-constraint '^9' --json"
    yield "\n" + _JSON.format(json=shell(f"{version} --json"), error=shell(nothing))
    yield "\n" + _SETTINGS + _options(_command("package", "list"), CONNECTION)
    yield "\n## Commands\n"
    for words, command in _commands(root, ()):
        yield from _of_command(words, command, shell)


def _of_command(words: tuple[str, ...], command: click.Command, shell: _Shell) -> Iterator[str]:
    """Yield the section of a command: its help, its usage, its options, and an example."""
    positional = "".join(f" {parameter.metavar or ''}" for parameter in _positionals(command))
    yield f"\n### {' '.join(words)}\n\n{_text(command.help)}\n\n`{PROGRAM} {' '.join(words)}{positional} [options]`\n\n"
    yield _options(command, "")
    for example in _EXAMPLES[words](shell):
        yield f"\n{example}"


def _commands(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command that is no group, in the order of the help."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name), command


def _command(*words: str) -> click.Command:
    return dict(_commands(root, ()))[words]


def _positionals(command: click.Command) -> list[Positional]:
    return [parameter for parameter in command.params if isinstance(parameter, Positional)]


def _options(command: click.Command, section: str) -> str:
    """Return the table of the options under a heading of the help."""
    rows: list[tuple[str, str]] = []
    if not section:
        rows += [(f"`{item.metavar}`", item.description) for item in _positionals(command)]
    for option in command.params:
        if isinstance(option, click.Option) and getattr(option, "section", "") == section:
            rows.append((_called(option), str(option.help)))
    return table(("option", "meaning"), rows)


def _called(option: click.Option) -> str:
    """Return the names of an option, with its values or its metavar."""
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    if option.is_flag:
        return names
    kind = str(option.metavar)
    if isinstance(option.type, click.Choice) and option.metavar is None:
        kind = _either(map(str, option.type.choices))
    return f"{names} {kind}{', required' if option.required else ''}"


def _either(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def _text(help_: str | None) -> str:
    paragraphs = re.split(r"\n\s*\n", (help_ or "").strip())
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _task(shell: _Shell, seconds: float, *, outcome: str = "success", **fields: Any) -> str:
    """Reset the emulator, start a task with two devices, let time pass, and return the id of the task.

    Args:
        shell: the shell of the example.
        seconds: how much time passes.
        outcome: the outcome of the second device.
        fields: more fields of the task.
    """
    emulator = shell.emulator
    emulator.reset()
    emulator.set_device("meter-0002", outcome="offline" if outcome == "fail" else outcome)
    task = {"task_name": "canary_3f9a", "task_type": "firmwareUpgrade", "targets": ["meter-0001", "meter-0002"]}
    task_id = emulator.add_task(**task, document={"package_ids": [_PACKAGE]}, **fields)
    shell.time.now += seconds
    return task_id


def _failed(shell: _Shell) -> str:
    """Start a task that fails for one device; return its id."""
    return _task(shell, 600, outcome="fail")


def _listed(shell: _Shell) -> Iterator[str]:
    _failed(shell)
    yield shell("iotda-ota task list --status PartialSuccess")


def _confirmed(shell: _Shell) -> Iterator[str]:
    task_id = _task(shell, 5, need_confirm=True)
    yield shell(f"iotda-ota task confirm {task_id} --approved-package-id {_PACKAGE} --yes", lines=True)


def _locked(shell: _Shell, *, uploaded: bool = False) -> str:
    """Reset the emulator and the folder, and return the command that locks a lookup.

    Args:
        shell: the shell of the example.
        uploaded: whether to run the command, and upload a higher version after it.
    """
    command = f"iotda-ota lock add meter-firmware {_METER} --version-constraint '^1.4' --highest-version"
    shell.emulator.reset()
    shell.forget(LOCK_FILE)
    if uploaded:
        shell(command)
        shell.emulator.add_package(
            package_id="5e77a1b2c3d4e5f60718293a4b5c09ab",
            package_type="firmwarePackage",
            app_id=DEFAULT_APP_ID,
            product_id="smart-meter",
            version="V1.4.12",
            create_time="20261120T090000Z",
        )
    return command


def _updated(shell: _Shell) -> Iterator[str]:
    _locked(shell, uploaded=True)
    yield shell("iotda-ota lock update")


def _checked(shell: _Shell) -> Iterator[str]:
    _locked(shell, uploaded=True)
    yield shell("iotda-ota lock check; echo $?")


def _listed_names(shell: _Shell) -> Iterator[str]:
    shell(_locked(shell))
    yield re.sub(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2026-11-22T12:00:00Z", shell("iotda-ota lock list"))


def _emulated(shell: _Shell) -> Iterator[str]:
    yield re.sub(r'("(?:access|secret)_key": )"\w+"', r'\1"…"', shell.begin("iotda-ota emulator --project-id meters"))
    yield re.sub(r"(_KEY=)\w+", r"\1…", shell.begin("iotda-ota emulator --project-id meters --env", lines=5))


def _examined(shell: _Shell) -> Iterator[str]:
    """Yield the findings of doctor, without those that depend on the machine."""
    block = shell("iotda-ota doctor")
    yield re.sub(r"^(?:ok|warning) +(?:pulumi|libraries):.*\n(?: {9}.*\n)*", "", block, flags=re.MULTILINE)


#: The examples of each command.
_EXAMPLES: Mapping[tuple[str, ...], Callable[[_Shell], Iterable[str]]] = {
    ("package", "list"): lambda shell: [
        shell(f"iotda-ota package list {_METER} --version-constraint '>=1.4.9 <1.5' --order-by version")
    ],
    ("package", "get"): lambda shell: [shell(f"iotda-ota package get {_METER}; echo $?")],
    ("package", "path"): lambda shell: [
        shell(f"iotda-ota package path {_METER} --version V1.4.10 --source-version V1.0.0 --source-version V1.4.9"),
        shell(f"iotda-ota package path {_METER} --version V1.4.10 --source-version V1.0.0 --format mermaid"),
    ],
    ("device", "versions"): lambda shell: [
        shell("iotda-ota device versions --package-type firmwarePackage --product-id smart-meter")
    ],
    ("task", "list"): _listed,
    ("task", "get"): lambda shell: [shell(f"iotda-ota task get {_failed(shell)}")],
    ("task", "watch"): lambda shell: [shell(f"iotda-ota task watch {_failed(shell)}; echo $?", lines=True)],
    ("task", "retry"): lambda shell: [shell(f"iotda-ota task retry {_failed(shell)} --yes")],
    ("task", "stop"): lambda shell: [shell(f"iotda-ota task stop {_task(shell, 60, outcome='hang')} --yes")],
    ("task", "confirm"): _confirmed,
    ("lock", "add"): lambda shell: [shell(_locked(shell))],
    ("lock", "update"): _updated,
    ("lock", "check"): _checked,
    ("lock", "list"): _listed_names,
    ("lock", "remove"): lambda shell: [shell("iotda-ota lock remove meter-firmware")],
    ("doctor",): _examined,
    ("emulator",): _emulated,
    ("completion",): lambda shell: [shell('eval "$(iotda-ota completion bash)"')],
    ("help",): lambda shell: [shell("iotda-ota help task")],
}
