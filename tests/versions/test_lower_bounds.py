"""The library and the plugin with the oldest releases of what they depend on; all other tests run with the newest."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.conftest import settings_for
from tests.support.plugin_process import ROOT, Plugin
from tests.support.plugin_resources import PIN, TASK, task
from tests.support.prepared import PROGRAM_ENVIRONMENT, SECONDS, key_of, made_once, new_environment

if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator

VERSION = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[0]
METER = {"packageType": "firmwarePackage", "productId": "smart-meter"}


def oldest() -> list[str]:
    """Return the lower bounds of the project and of its extras, as pip wants them."""
    text = (ROOT / "pyproject.toml").read_text()
    declared = [
        text.partition(f"\n{begin} = [")[2].partition("]")[0] for begin in ("dependencies", "emulator", "cli", "socks")
    ]
    return [f"{name}=={version}" for name, version in re.findall(r'"([\w-]+)>=([\d.]+)', "".join(declared))]


@pytest.fixture(scope="module")
def python() -> Path:
    """Return an interpreter with the lower bounds."""
    requirements = [*oldest(), "pytest", "pytest-timeout", "hypothesis", "trustme", "--editable", str(ROOT)]
    folder = made_once(
        "oldest", key_of([VERSION, *requirements]), lambda folder: new_environment(folder, *requirements)
    )
    return folder / "bin" / "python"


def test_the_oldest_releases(python: Path, emulator: Emulator, tmp_path: Path) -> None:
    """Looking up, pinning and upgrading work with the lower bounds that the project declares."""
    with Plugin(settings_for(emulator), tmp_path, python=str(python)) as plugin:
        plugin.configure()
        assert plugin.answer("getOtaPackage", **METER, highestVersion=True)["version"] == "V1.4.11"
        assert plugin.checked(PIN, {**METER, "highestVersion": True})["revision"] == 1
        id_, state = plugin.create(TASK, plugin.checked(TASK, task(emulator)))

        assert not plugin.diff(TASK, id_, state, plugin.checked(TASK, task(emulator), state)).replaces
        assert plugin.update(TASK, id_, state, state)["taskId"] == id_
        assert plugin.read(TASK, id_, state).id == id_
        plugin.delete(TASK, id_, state)
        assert (state["taskId"], plugin.stop()[:2]) == (id_, (0, ""))


# A sample with everything that the library takes from its dependencies: other tests of these lanes go through the same
# calls again, with other values.
ENGINE = ("engine/test_options.py::test_options_in_python",)
SAMPLE = (
    "functions",
    "faults/test_sent.py",
    "faults/test_compressed.py",
    "faults/test_proxies.py",
    *(
        f"faults/test_cuts.py::test_a_cut_connection[{way}, create task, after]"
        for way in ("direct", "HTTPS_PROXY", "SOCKS")
    ),
    "resources/test_placement.py",
    "resources/test_program_arguments.py",
    "resources/test_completion.py",
    "resources/test_dynamic.py",
    "resources/test_locked_pin.py",
    "resources/test_ota_package.py",
    "resources/test_pin.py",
    "resources/test_task_life.py::test_refresh_tells_how_far_it_is",
    "cli/test_grammar.py",
    "cli/test_packages.py::test_explain",
    "cli/test_packages.py::test_nothing_found",
    "cli/test_shell_completion.py",
    "cli/test_widths.py",
    "cli/test_task.py::test_get",
    "cli/test_task.py::test_a_live_bar",
    "cli/test_stack.py::test_a_file_that_cannot_be_read",
)


@pytest.mark.parametrize("sample", [SAMPLE, pytest.param(ENGINE, marks=pytest.mark.engine)], ids=["library", "engine"])
def test_the_lanes_of_the_library(python: Path, sample: tuple[str, ...]) -> None:
    """All that a program or a shell can request works with the lower bounds as with the newest releases."""
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *(f"tests/{path}" for path in sample)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, PROGRAM_ENVIRONMENT: str(python.parents[1])},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-4000:]
