"""An environment as a user has it: the wheel of this checkout, with the extras, and pytest."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ROOT", "users_environment"]

ROOT = Path(__file__).parents[1]
EXTRAS = "emulator,cli"
SECONDS = 280


def users_environment() -> Path:
    """Return the folder of a virtual environment with the wheel, kept in `.cache` until a source changes."""
    folder = ROOT / ".cache" / f"user-{sys.version_info.major}.{sys.version_info.minor}"
    with _alone(folder.with_suffix(".lock")):
        _prepare(folder)
    return folder


def _prepare(folder: Path) -> None:
    python, done, wheels = folder / "bin" / "python", folder / "done", folder / "wheels"
    project, sources = _project(), _sources()
    told = done.read_text().split() if done.exists() else ["", ""]
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    if told[0] != project:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([*pip, "pytest", f"{ROOT}[{EXTRAS}]"], check=True, timeout=SECONDS)
    if told != [project, sources]:
        shutil.rmtree(wheels, ignore_errors=True)
        build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(wheels), str(ROOT)]
        subprocess.run(build, check=True, timeout=SECONDS)
        install = [*pip, "--no-deps", "--force-reinstall", *map(str, wheels.glob("*.whl"))]
        subprocess.run(install, check=True, timeout=SECONDS)
        done.write_text(f"{project} {sources}")


def _project() -> str:
    return hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + EXTRAS.encode()).hexdigest()


def _sources() -> str:
    files = sorted(path for path in (ROOT / "pulumi_iotda_ota").rglob("*") if path.suffix in {".py", ".json", ".typed"})
    return hashlib.sha256(b"".join(str(path).encode() + path.read_bytes() for path in files)).hexdigest()


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Let one of several test processes make it, and the others wait."""
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
