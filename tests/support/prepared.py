"""What tests need and what takes long to make: made once for all test processes, and kept in ``.cache``.

Each folder has a key, a hash of everything that goes into it. A folder whose key has changed is made again. One process
makes it while the others wait for a file lock, so that several workers and several runs share it.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = [
    "CACHE",
    "GO",
    "PROGRAM_ENVIRONMENT",
    "ROOT",
    "SECONDS",
    "describe_python",
    "key_of",
    "made_once",
    "new_environment",
    "path_with_uv",
    "pip_settings",
    "program_environment",
    "run",
    "users_environment",
    "users_wheel",
]

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache"
EXTRAS = "emulator,cli"
#: The variable that names the virtual environment of programs.
PROGRAM_ENVIRONMENT = "PROGRAM_ENVIRONMENT"
#: A command of Pulumi ends before Go's garbage collector has paid for itself, unless it needs much memory.
GO = {"GOGC": "off", "GOMEMLIMIT": "256MiB"}
#: How long a command may take that does much: a guard, which the slowest machine must not come near.
SECONDS = 600
#: What the tests install besides the project: the build backend, what Pulumi installs into every environment, pytest,
#: what Python code that Pulumi generates depends on, and uv.
OTHERS = ("hatchling", "editables", "pip", "setuptools", "wheel", "pytest", "parver", "arpeggio", "attrs", "uv")


def made_once(name: str, key: str, make: Callable[[Path], None]) -> Path:
    """Return a folder of ``.cache``, made by the first process that needs it.

    Args:
        name: the name of the folder; the version of Python is added.
        key: changes if the folder must be made again.
        make: makes the folder, which is absent before.
    """
    folder = CACHE / f"{name}-{sys.version_info.major}.{sys.version_info.minor}"
    done = folder.with_name(f"{folder.name}.key")
    # An environment holds absolute paths: of the interpreter, and of itself. This file says how all are made.
    wanted = key_of([key, sys.version, sys.base_prefix, str(ROOT), Path(__file__)])
    with _alone(folder.with_name(f"{folder.name}.lock")):
        if not folder.exists() or not done.exists() or done.read_text() != wanted:
            done.unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            done.write_text(wanted)
    return folder


def key_of(parts: Iterable[str | Path]) -> str:
    """Return the hash of texts and files; a folder counts with every file that is not a product of Python."""
    found = hashlib.sha256()
    for part in parts:
        for piece in _pieces(part):
            found.update(len(piece).to_bytes(8, "big") + piece)
    return found.hexdigest()


def _pieces(part: str | Path) -> Iterator[bytes]:
    if isinstance(part, str):
        yield part.encode()
        return
    files = [part] if part.is_file() else sorted(path for path in part.rglob("*") if path.is_file())
    for path in files:
        if "__pycache__" not in path.parts:
            yield str(path).encode()
            yield path.read_bytes()


def run(command: list[str], **environment: str) -> None:
    """Run a command that makes something; its output is in the error if it fails."""
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}"


def new_environment(folder: Path, *requirements: str, **environment: str) -> None:
    """Make a virtual environment with requirements."""
    run([sys.executable, "-m", "venv", "--clear", str(folder)])
    install(folder, *requirements, **environment)


def install(folder: Path, *arguments: str, **environment: str) -> None:
    """Run ``pip install`` in a virtual environment that is kept."""
    run([str(folder / "bin" / "python"), "-m", "pip", "install", "--compile", *arguments], **environment)


def pip_settings() -> dict[str, str]:
    """Return the variables that let pip install what the tests install without a package index, and faster."""
    return {
        "PIP_FIND_LINKS": _wheels().as_uri(),
        "PIP_NO_INDEX": "1",
        # pip sets the option `compile`, which `--no-compile` turns off, to what the variable says. Python compiles
        # what it imports; of an environment that one test uses that is little.
        "PIP_NO_COMPILE": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def _wheels() -> Path:
    """Return a folder with the wheels of all that the project depends on, and of the tools that install it."""

    def make(folder: Path) -> None:
        run([sys.executable, "-m", "pip", "wheel", "--quiet", "-w", str(folder), f"{ROOT}[{EXTRAS}]", *OTHERS])
        # Installing builds the project itself from the files of the worktree.
        for own in folder.glob("pulumi_iotda_ota-*.whl"):
            own.unlink()

    return made_once("wheels", key_of([ROOT / "pyproject.toml", EXTRAS, *OTHERS]), make)


def program_environment() -> Path:
    """Return a virtual environment for programs: this checkout as it stands, and what it depends on.

    Pulumi lists what an environment has in every operation. That of the developer has three times as much. The variable
    `PROGRAM_ENVIRONMENT` names another one, such as that of the oldest releases.
    """
    if given := os.environ.get(PROGRAM_ENVIRONMENT):
        return Path(given)

    def make(folder: Path) -> None:
        new_environment(folder, "--upgrade", "pip", "--editable", str(ROOT), **pip_settings())

    return made_once("program", key_of([ROOT / "pyproject.toml"]), make)


def describe_python(folder: Path, name: str) -> None:
    """Write the `Pulumi.yaml` of a project in Python into its folder, and the lock file of its environment.

    In each operation Pulumi runs `pip` twice to learn what an environment has, which is a fifth of the time. With the
    toolchain uv it reads the lock file instead. The pages and the pipelines are run with pip.
    """
    environment = program_environment()
    # uv updates the environment of the nearest pyproject.toml; of a TMPDIR in a checkout that would be its own.
    alone = not any((above / "pyproject.toml").exists() for above in folder.parents)
    options = {"toolchain": "uv" if alone else "pip", "virtualenv": str(environment)}
    (folder / "Pulumi.yaml").write_text(json.dumps({"name": name, "runtime": {"name": "python", "options": options}}))
    (folder / "uv.lock").write_text(_uv_lock(environment))


@functools.cache
def _uv_lock(environment: Path) -> str:
    """Return a lock file with the installed packages that can be Pulumi's, since Pulumi searches each for a plugin."""
    found = sorted(path.stem.split("-") for path in environment.glob("lib/python*/site-packages/pulumi*.dist-info"))
    packages = [f'[[package]]\nname = "{name}"\nversion = "{version}"\n' for name, version in found]
    return "\n".join(['version = 1\nrequires-python = ">=3.10"\n', *packages])


def path_with_uv() -> str:
    """Return a PATH that has uv."""

    def make(folder: Path) -> None:
        run([sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), "uv"], **pip_settings())

    return os.pathsep.join([str(made_once("uv", key_of(OTHERS), make) / "bin"), os.environ["PATH"]])


def users_environment() -> Path:
    """Return a virtual environment as a user has it: the wheel of this checkout with the extras, and pytest."""
    return users_wheel().parents[1]


def users_wheel() -> Path:
    """Return the wheel of this checkout, which :func:`users_environment` has installed."""
    settings = pip_settings()

    def make(folder: Path) -> None:
        # With the project, for what it depends on; the wheel takes its place.
        new_environment(folder, "--upgrade", "pip", "pytest", f"{ROOT}[{EXTRAS}]", **settings)

    def build(folder: Path) -> None:
        run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder), str(ROOT)], **settings)
        install(environment, "--no-deps", "--force-reinstall", *map(str, folder.glob("*.whl")), **settings)

    environment = made_once("user", key_of([ROOT / "pyproject.toml", EXTRAS]), make)
    # In the folder of the environment, so that both are made again together.
    (wheel,) = made_once(f"{environment.name}/wheel", key_of([ROOT / "pulumi_iotda_ota"]), build).glob("*.whl")
    return wheel


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Let one of several processes in, and let the others wait."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
