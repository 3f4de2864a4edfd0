"""The shells in which the commands of a page are run: where each begins, what it is given, and what must be true after.

All blocks of a page that name the same session are one shell, from top to bottom, so that what a page says works as it
stands. The local IoTDA stands in for an account: a line that exports a setting is given its value.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.doc_blocks import ROOT, Block, blocks, file_of, rollout_program
from tests.support.plugins import copy
from tests.support.prepared import GO, SECONDS, pip_settings, program_environment, users_environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

KEPT = ("PATH", "HOME", "TMPDIR", "LANG")
# What npm has fetched once it takes from its cache.
NPM = {"npm_config_prefer_offline": "true", "npm_config_audit": "false", "npm_config_fund": "false"}
_MARK = "\x1e"


@dataclass(frozen=True)
class Session:
    """How one session is run.

    Args:
        engine: whether it needs `pulumi`.
        checkout: whether it is given a copy of this checkout, as ``CHECKOUT``; needed where something is installed.
        account: whether settings lead to the local IoTDA from the start.
        start: an example, in whose folder of that copy it begins.
        files: files that are there before, by name: the text, or where it is.
        before: commands before those of the page.
        after: commands after them.
        stdin: what is typed.
        needs: a further command that must be there.
        prepared: a virtual environment that is there before, below the folder it begins in. One session for each way
            to install something is without, and installs everything.
    """

    engine: bool = True
    checkout: bool = False
    account: bool = False
    start: str = ""
    files: Mapping[str, Callable[[], str]] = field(default_factory=dict)
    before: str = ""
    after: str = ""
    stdin: str = ""
    needs: str = ""
    prepared: str = ""


def _project(runtime: Mapping[str, object]) -> str:
    return json.dumps({"name": "meters", "runtime": runtime})


def _python_project() -> str:
    return _project({"name": "python", "options": {"toolchain": "pip", "virtualenv": str(program_environment())}})


def _yaml_project() -> str:
    return _project({"name": "yaml"})


_OUTPUTS = "pulumi stack output --json > outputs.json\n"
_DESTROYED = f"{_OUTPUTS}pulumi destroy --skip-preview\n"
_UNCHANGED = f"pulumi preview --expect-no-changes\n{_OUTPUTS}"
SESSIONS: Mapping[tuple[str, str], Session] = {
    ("README.md", "wheel"): Session(engine=False, checkout=True, before='cd "$CHECKOUT"\n'),
    ("README.md", "first-up"): Session(checkout=True, account=True, after=_DESTROYED),
    # The emulator is the shell's only job in the background.
    ("README.md", "local"): Session(
        files={name: functools.partial(file_of, "README.md", name) for name in ("Pulumi.yaml", "__main__.py")},
        before="trap 'kill $!' EXIT\n",
        after=_OUTPUTS,
        prepared="venv",
    ),
    ("docs/start.md", "start"): Session(checkout=True, prepared="venv"),
    ("docs/rollouts.md", "killed"): Session(
        account=True,
        files={"Pulumi.yaml": _python_project, "__main__.py": rollout_program},
        before="pulumi stack init dev\n",
        after=_OUTPUTS,
    ),
    ("docs/other-languages.md", "plugin-from-a-path"): Session(
        checkout=True, account=True, before="pulumi stack init dev\n", after=f"pulumi up --skip-preview\n{_DESTROYED}"
    ),
    ("docs/credentials.md", "secret"): Session(
        files={"Pulumi.yaml": _yaml_project},
        before="pulumi stack init dev\n",
        after="pulumi config get iotda-ota:secretKey\n",
        stdin="typed-in-secret\n",
    ),
    ("docs/emulator.md", "environment"): Session(
        engine=False, before="trap 'kill $!' EXIT\n", after="iotda-ota package list --package-type modulePackage\n"
    ),
    ("docs/emulator.md", "device"): Session(engine=False, account=True),
    ("docs/emulator.md", "upload"): Session(engine=False, account=True),
    ("examples/python-rollout/README.md", "rollout"): Session(
        start="python-rollout", after=f"pulumi refresh --yes --skip-preview\n{_UNCHANGED}", prepared="venv"
    ),
    ("examples/python-staged-rollout/README.md", "staged"): Session(
        start="python-staged-rollout", after=_UNCHANGED, prepared="venv"
    ),
    ("examples/yaml/README.md", "yaml"): Session(start="yaml", after=_UNCHANGED, prepared="../../venv"),
    ("examples/typescript/README.md", "typescript"): Session(
        start="typescript", after=_UNCHANGED, needs="npm", prepared="../../venv"
    ),
}
#: Sessions that a test runs in its own way, and that test.
OWN: Mapping[tuple[str, str], str] = {
    ("docs/emulator.md", "emulator"): "tests/docs/test_sessions.py::test_emulator_says_where_it_is",
    ("docs/emulator.md", "seed"): "tests/docs/test_sessions.py::test_the_seed_of_the_page_is_held",
    # Once for all tests that need an image.
    ("docs/other-languages.md", "image"): "tests/support/plugins.py::install",
}


@dataclass(frozen=True)
class Ran:
    """A session that has ended: its folder, all that was printed, and what each command of a console printed."""

    folder: Path
    output: str
    printed: tuple[tuple[str, str, str], ...]


def run(key: tuple[str, str], folder: Path, settings: Mapping[str, str]) -> Ran:
    """Run a session to its end in a folder.

    Args:
        key: its page and name.
        folder: an empty folder.
        settings: the variables that lead to the local IoTDA.
    """
    session = SESSIONS[key]
    parts = [block for block in blocks() if block.page == key[0] and block.marks.get("session") == key[1]]
    work = _begun(session, folder)
    for name, text in session.files.items():
        (work / name).write_text(text())
    for block in parts:
        if "file" in block.marks:
            (work / block.marks["file"]).write_text(block.text)
    commands = [block for block in parts if "file" not in block.marks]
    script = "set -e\n" + session.before + "".join(map(_script, commands)) + session.after
    done = subprocess.run(
        ["/bin/sh", "-c", _with_account(script, settings)],
        cwd=work,
        env=_environment(session, folder, settings),
        input=session.stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return Ran(work, done.stdout, _printed(commands, done.stdout))


def _begun(session: Session, folder: Path) -> Path:
    """Return the folder that a session begins in."""
    checkout, work = folder / "checkout", folder / "work"
    if session.checkout or session.start:
        copy(checkout)
    if session.start:
        work = checkout / "examples" / session.start
        shutil.copytree(ROOT / "examples" / session.start, work, ignore=shutil.ignore_patterns("venv", "node_modules"))
    else:
        work.mkdir()
    if session.prepared:
        shutil.copytree(users_environment(), work / session.prepared, symlinks=True)
    return work


def _environment(session: Session, folder: Path, settings: Mapping[str, str]) -> dict[str, str]:
    state = folder / "state"
    state.mkdir()
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {
        **{name: value for name, value in os.environ.items() if name in KEPT},
        **pip_settings(),
        **NPM,
        **(settings if session.account else {}),
        "PATH": path,
        "CHECKOUT": str(folder / "checkout"),
        "NO_PROXY": "127.0.0.1",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "docs",
        "PULUMI_SKIP_CONFIRMATIONS": "true",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        **GO,
    }


def _with_account(script: str, settings: Mapping[str, str]) -> str:
    """Return a script whose exported settings have the values of the local IoTDA."""

    def value(found: re.Match[str]) -> str:
        return f"{found[1]}={settings[found[1]]}" if found[1] in settings else found[0]

    # What a page computes, in quotes, is its own.
    return re.sub(r'\b(HW_[A-Z_]+)=(?!")[^\s]+', value, script)


def _script(block: Block) -> str:
    if block.language != "console":
        return block.text
    return "".join(f"printf '{_MARK}'\n{command}\nprintf '{_MARK}'\n" for command, _ in _told(block))


def _told(block: Block) -> list[tuple[str, str]]:
    """Return the commands of a console, each with what it is shown to print."""
    parts = re.split(r"^\$ (.*)\n", block.text, flags=re.MULTILINE)[1:]
    return list(zip(parts[::2], parts[1::2], strict=True))


def _printed(commands: list[Block], output: str) -> tuple[tuple[str, str, str], ...]:
    """Return each command of the consoles, what it is shown to print, and what it printed."""
    pieces = output.split(_MARK)[1::2]
    shown = [pair for block in commands if block.language == "console" for pair in _told(block)]
    return tuple((command, text, piece) for (command, text), piece in zip(shown, pieces, strict=True))


def matches(shown: str, printed: str) -> bool:
    """Return whether the printed text is the shown one.

    The sign ``…`` represents any text, and alone on a line it represents any lines.
    """
    pattern = re.escape(shown.strip()).replace(r"\ ", " ")
    pattern = re.sub(r"^ *…\n", lambda _: r"(?:.*\n)*?", pattern, flags=re.MULTILINE).replace("…", ".*?")
    lines = "\n".join(line.rstrip() for line in printed.strip().splitlines())
    return re.search(f"^{pattern}$", lines, re.MULTILINE) is not None
