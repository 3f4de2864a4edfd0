"""The commands of the pages, run as they stand."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota import testing
from pulumi_iotda_ota.emulator import Emulator
from tests.conftest import settings_for
from tests.support import doc_sessions
from tests.support.doc_blocks import blocks, named
from tests.support.doc_sessions import SESSIONS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ENGINE = [key for key, session in SESSIONS.items() if session.engine]


@pytest.fixture
def run(tmp_path: Path, emulator: Emulator) -> Callable[[tuple[str, str]], doc_sessions.Ran]:
    """Return what runs a session, and holds its consoles to what is shown."""

    def run(key: tuple[str, str]) -> doc_sessions.Ran:
        ran = doc_sessions.run(key, tmp_path, settings_for(emulator))
        for command, shown, printed in ran.printed:
            assert doc_sessions.matches(shown, printed), f"{command} printed\n{printed}"
        return ran

    return run


@pytest.mark.engine
@pytest.mark.parametrize("key", ENGINE, ids=" ".join)
def test_commands_run_as_they_stand(
    key: tuple[str, str], run: Callable[[tuple[str, str]], doc_sessions.Ran], emulator: Emulator
) -> None:
    """The commands of a page, in a shell of their own, come to their end, and print what is shown."""
    needed = SESSIONS[key].needs
    if needed and shutil.which(needed) is None:
        pytest.skip(f"{key[0]} not run: no {needed} on PATH")
    ran = run(key)
    if key in HOLDS:
        HOLDS[key](ran, emulator)


def first_up(ran: doc_sessions.Ran, emulator: Emulator) -> None:
    """The program of the first screen creates one task with the package of its version."""
    outputs = json.loads((ran.folder / "outputs.json").read_text())
    (task,) = emulator.tasks
    assert outputs["task_id"] == task["task_id"]
    (package,) = [one for one in emulator.packages if one["package_id"] == outputs["package_id"]]
    assert (package["product_id"], package["version"]) == ("smart-meter", "V1.4.10")


def without_account(ran: doc_sessions.Ran, emulator: Emulator) -> None:
    """The same program runs on an emulator that the page starts."""
    assert set(json.loads((ran.folder / "outputs.json").read_text())) == {"package_id", "task_id"}
    assert len(emulator.tasks) == 0


def killed(ran: doc_sessions.Ran, emulator: Emulator) -> None:
    """The commands that follow a killed run lead to its campaigns."""
    assert len(emulator.tasks) == 2


def plugin(ran: doc_sessions.Ran, emulator: Emulator) -> None:
    """The program in YAML runs, once the command has added a checkout to it."""
    assert json.loads((ran.folder / "outputs.json").read_text()) == {"version": "V1.4.11"}
    assert len(emulator.tasks) == 1


def secret(ran: doc_sessions.Ran, emulator: Emulator) -> None:
    """What was typed is in the stack's file encrypted."""
    assert ran.output.endswith("typed-in-secret\n")
    stored = (ran.folder / "Pulumi.dev.yaml").read_text()
    assert "secure:" in stored
    assert "typed-in-secret" not in stored


def one_task(ran: doc_sessions.Ran, emulator: Emulator) -> None:
    """The example created its task once, and found nothing to change after that."""
    assert json.loads((ran.folder / "outputs.json").read_text())["taskId"] == emulator.tasks[0]["task_id"]
    assert len(emulator.tasks) == 1


def two_waves(ran: doc_sessions.Ran, emulator: Emulator) -> None:
    """The example upgraded the canary group and then the fleet, each in one task."""
    tasks = json.loads((ran.folder / "outputs.json").read_text())["tasks"]
    fleet, canary = emulator.tasks
    assert (canary["task_id"], canary["status"]) == (tasks["canary"], "Success")
    assert (fleet["task_id"], fleet["task_progress"]["waitting"]) == (tasks["fleet"], 0)


HOLDS = {
    ("examples/python-rollout/README.md", "rollout"): two_waves,
    ("examples/python-staged-rollout/README.md", "staged"): two_waves,
    ("examples/yaml/README.md", "yaml"): one_task,
    ("examples/typescript/README.md", "typescript"): one_task,
    ("README.md", "first-up"): first_up,
    ("README.md", "local"): without_account,
    ("docs/campaigns.md", "killed"): killed,
    ("docs/other-languages.md", "plugin-from-a-path"): plugin,
    ("docs/credentials.md", "secret"): secret,
}


def test_wheel_holds_what_pulumi_looks_for(run: Callable[[tuple[str, str]], doc_sessions.Ran], tmp_path: Path) -> None:
    """The wheel that is built from a checkout holds the types' mark, the file for Pulumi's host, and nothing beside."""
    run(("README.md", "wheel"))

    (wheel,) = (tmp_path / "checkout" / "dist").glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {
        "pulumi_iotda_ota/py.typed",
        "pulumi_iotda_ota/pulumi-plugin.json",
        "pulumi_iotda_ota/plugin/schema.json",
    } <= set(names)
    assert {name.split("/")[0] for name in names} == {
        "pulumi_iotda_ota",
        wheel.name.rsplit("-", 3)[0] + ".dist-info",
    }


@pytest.mark.skipif(shutil.which("curl") is None, reason="the emulator is not told by curl: no curl on PATH")
def test_a_device_is_told_how_to_behave(
    run: Callable[[tuple[str, str]], doc_sessions.Ran], service: Emulator, tmp_path: Path
) -> None:
    """What the page sends to the emulator makes a device fail its first try, and no more."""
    run(("docs/emulator.md", "device"))

    program = tmp_path / "__main__.py"
    staged = named("docs/campaigns.md", "staged").text
    program.write_text(staged.replace('timeout="2h"', "retry_failed=True"))
    testing.run_program(program, config={"docs:x": ""})
    assert [request.operation for request in service.requests].count("RetryBatchTask") == 1


@pytest.mark.skipif(shutil.which("curl") is None, reason="the emulator is not told by curl: no curl on PATH")
def test_the_commands_for_a_shell_lead_to_it(run: Callable[[tuple[str, str]], doc_sessions.Ran]) -> None:
    """A shell that has read what `--env` prints finds the emulator, and is accepted by it."""
    assert run(("docs/emulator.md", "environment")).output.count("water-valve") == 24


def test_a_package_is_uploaded(run: Callable[[tuple[str, str]], doc_sessions.Ran], service: Emulator) -> None:
    """What the page sends to the emulator is the newest package from then on."""
    run(("docs/emulator.md", "upload"))

    assert service.packages[0]["version"] == "V1.4.12"


def test_emulator_says_where_it_is() -> None:
    """The command of the page prints one line of JSON with what the page says, and ends when it is told to."""
    (block,) = (block for block in blocks() if block.marks.get("session") == "emulator")
    python, *arguments = block.text.split()
    assert python == "python"
    with subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        process.terminate()

    assert set(told) == {"endpoint", "access_key", "secret_key", "project_id", "region"}
    assert process.returncode == 0


def test_the_seed_of_the_page_is_held() -> None:
    """The seed that the page shows is taken, and holds what it says."""
    (block,) = (block for block in blocks() if block.marks.get("session") == "seed")

    with Emulator(json.loads(block.text)) as emulator:
        assert [package["version"] for package in emulator.packages] == ["V1.0"]
        assert "meter-2" in emulator.device_versions
