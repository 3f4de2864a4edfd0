"""The library and the plugin with the oldest releases of what they depend on; all other tests run with the newest."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import settings_for
from tests.plugin.process import ROOT, Plugin
from tests.plugin.test_resources import PIN, TASK, task

if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator

VERSION = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[0]
METER = {"packageType": "firmwarePackage", "productId": "smart-meter"}


def oldest() -> list[str]:
    """Return the lower bounds of the project, of its emulator and of its command line, as pip wants them."""
    text = (ROOT / "pyproject.toml").read_text()
    declared = [text.partition(f"\n{begin} = [")[2].partition("]")[0] for begin in ("dependencies", "emulator", "cli")]
    return [f"{name}=={version}" for name, version in re.findall(r'"([\w-]+)>=([\d.]+)', "".join(declared))]


@pytest.fixture(scope="module")
def python() -> Path:
    """Return an interpreter with the lower bounds, made once and kept in `.cache`."""
    folder = ROOT / ".cache" / f"oldest-{sys.version_info.major}.{sys.version_info.minor}"
    interpreter, done = folder / "bin" / "python", folder / "done"
    wanted = " ".join([VERSION, *oldest()])
    if not done.exists() or done.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        tools = ("pytest", "pytest-timeout", "pytest-xdist", "hypothesis", "trustme")
        install = [str(interpreter), "-m", "pip", "install", "--quiet", *oldest(), *tools, str(ROOT)]
        subprocess.run(install, check=True, timeout=280)
        done.write_text(wanted)
    return interpreter


def test_the_oldest_releases(python: Path, emulator: Emulator, tmp_path: Path) -> None:
    """Looking up, pinning and upgrading work with the lower bounds that the project declares."""
    with Plugin(settings_for(emulator), tmp_path, python=str(python)) as plugin:
        plugin.configure()
        assert plugin.answer("getOtaPackage", **METER, mostRecent=True)["version"] == "V1.4.11"
        assert plugin.checked(PIN, {**METER, "mostRecent": True})["revision"] == 1
        id_, state = plugin.create(TASK, plugin.checked(TASK, task(emulator)))

        assert not plugin.diff(TASK, id_, state, plugin.checked(TASK, task(emulator), state)).replaces
        assert plugin.update(TASK, id_, state, state)["taskId"] == id_
        assert plugin.read(TASK, id_, state).id == id_
        plugin.delete(TASK, id_, state)
        assert (state["taskId"], plugin.stop()[:2]) == (id_, (0, ""))


# Of the command line what it asks, shows and draws: what it refuses is the same with every release.
# Of the faults what depends on how requests and urllib3 connect.
LANES = [
    "functions",
    "resources",
    "cli/test_packages.py cli/test_tasks.py",
    "faults/test_sent.py faults/test_cuts.py faults/test_tasks.py",
]


@pytest.mark.parametrize("lane", LANES)
def test_the_lanes_of_the_library(python: Path, lane: str) -> None:
    """What a program or a shell can ask for works with the lower bounds as it does with the newest releases."""
    paths = [f"tests/{path}" for path in lane.split()]
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *paths]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)

    assert done.returncode == 0, done.stdout[-4000:]
