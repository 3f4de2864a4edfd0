"""docs/lock-file.md, from its first block to its last: in one folder, against one service."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from pulumi_iotda_ota import testing
from pulumi_iotda_ota.lock.files import LOCK_FILE, load
from tests.conftest import settings_for
from tests.support.git import git
from tests.support.plugin_process import Plugin, urn

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator

PAGE = (Path(__file__).parents[2] / "docs" / "lock-file.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^<!-- name: ([\w-]+); run by: [\w./]+ -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = dict(_BLOCK.findall(PAGE))
_COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


def run(commands: str, folder: Path, emulator: Emulator | None) -> str:
    """Run commands in a shell, and return what they print."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    settings = settings_for(emulator) if emulator else {}
    done = subprocess.run(
        ["bash", "-c", commands],
        cwd=folder,
        env={"PATH": path, "HOME": str(folder), "PYTHONUTF8": "1", **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def hold(name: str, folder: Path, emulator: Emulator) -> None:
    """Run each command of a console, which must print what is shown. The sign … represents any text."""
    for command, shown in _COMMAND.findall(BLOCKS[name]):
        pattern = ".*".join(map(re.escape, shown.split(" …,")))
        printed = run(command, folder, emulator)
        assert re.fullmatch(pattern, printed), printed


def test_every_block_is_run_here() -> None:
    """Each block of the page has a name, and is one of those that are run."""
    assert list(BLOCKS) == ["add", "program", "yaml", "newer", "conflict"]
    assert PAGE.count("\n```\n") == len(BLOCKS)


def test_the_page(emulator: Emulator, project: Path) -> None:
    """A lookup is locked, programs use it without a service, a newer package is taken, and a conflict is resolved."""
    hold("add", project, emulator)

    (project / "__main__.py").write_text(BLOCKS["program"])
    emulator.forget_requests()
    monitor = testing.run_program(project / "__main__.py", config={"docs:x": ""})
    assert [resource.outputs["version"] for resource in monitor.resources] == ["V1.4.11"]
    program = yaml.safe_load(BLOCKS["yaml"])
    asked = program["variables"]["firmware"]["fn::invoke"]
    with Plugin({}, project).configure() as plugin:
        answer = plugin.answer(asked["function"].rpartition(":")[2], **asked["arguments"])
        inputs = plugin.checked(urn("OtaPackagePin"), program["resources"]["meter"]["properties"])
    assert (answer["version"], inputs["version"]) == ("V1.4.11", "V1.4.11")
    assert emulator.requests == []

    one = next(found for found in emulator.packages if found["version"] == "V1.4.11")
    emulator.add_package(
        **{name: one[name] for name in ("package_type", "app_id", "product_id")},
        version="V1.4.12",
        create_time="20261120T090000Z",
        support_source_versions=["V1.3.2"],
    )
    hold("newer", project, emulator)


def test_a_conflict_is_resolved(emulator: Emulator, project: Path) -> None:
    """The commands of the page end a conflict of two branches that each added a name to an empty file."""
    assert "meter-firmware: V1.4.11" in run(_COMMAND.findall(BLOCKS["add"])[0][0], project, emulator)
    mine = (project / LOCK_FILE).read_bytes()
    (project / LOCK_FILE).unlink()
    (add,) = [line for line in BLOCKS["conflict"].splitlines() if line.startswith("iotda-ota")]
    git(project, "init", "-b", "base")
    git(project, "commit", "--allow-empty", "-qm", "base")
    git(project, "checkout", "-q", "-b", "theirs")
    run(add, project, emulator)
    git(project, "add", LOCK_FILE)
    git(project, "commit", "-qm", "theirs")
    git(project, "checkout", "-q", "base")
    (project / LOCK_FILE).write_bytes(mine)
    git(project, "add", LOCK_FILE)
    git(project, "commit", "-qm", "ours")
    assert git(project, "merge", "theirs").returncode == 1

    run(BLOCKS["conflict"], project, emulator)

    assert git(project, "commit", "-qm", "merged").returncode == 0
    assert list(load(project / LOCK_FILE) or ()) == ["gateway", "meter-firmware"]
