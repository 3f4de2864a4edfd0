"""The programs of the pages, and what they show of what is printed."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota import testing
from pulumi_iotda_ota.selection.versions import scheme
from tests.support.doc_blocks import Block, blocks, named, rollout_program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator

BLOCKS = blocks()
OTHERWISE = {"plain", "file", "run by", "not run"}
PROGRAMS = [block for block in BLOCKS if block.language == "python" and not block.marks.keys() & OTHERWISE]
PLAIN = [block for block in BLOCKS if "plain" in block.marks]


def whole(block: Block) -> str:
    """Return a program with the one that it goes on from."""
    before = block.marks.get("after")
    return (whole(named(block.page, before)) if before else "") + block.text


def written(text: str, tmp_path: Path) -> Path:
    """Write a program and return its file."""
    program = tmp_path / "__main__.py"
    program.write_text(text)
    return program


@pytest.mark.parametrize("block", PROGRAMS, ids=str)
def test_programs_run(block: Block, service: Emulator, tmp_path: Path) -> None:
    """A program of a page runs to its end under Pulumi's test monitor, against the local IoTDA."""
    testing.run_program(written(whole(block), tmp_path), config={"docs:x": ""})


@pytest.mark.parametrize("block", PLAIN, ids=str)
def test_plain_programs_print_what_is_shown(block: Block, service: Emulator, tmp_path: Path) -> None:
    """A program without Pulumi prints what the page shows below it."""
    shown = BLOCKS[BLOCKS.index(block) + 1]
    assert "prints" in shown.marks
    written(block.text, tmp_path)

    done = subprocess.run([sys.executable, "__main__.py"], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout == shown.text


def test_the_rollout_program_rolls_out(service: Emulator, tmp_path: Path) -> None:
    """The rollout of the README looks a package up, pins it, and upgrades the canary group first."""
    monitor = testing.run_program(written(rollout_program(), tmp_path), config={"readme:x": ""})

    pin, canary, healthy, fleet = monitor.resources
    assert pin.outputs["version"] == "V1.4.11"
    assert [task["task_id"] for task in service.tasks] == [fleet.outputs["task_id"], canary.outputs["task_id"]]
    assert healthy.outputs["status"] == "Success"


def test_the_staged_rollout_confirms(service: Emulator, tmp_path: Path) -> None:
    """Canary, its good end and the approved rest run one after the other."""
    staged = named("docs/campaigns.md", "staged")
    testing.run_program(written(staged.text, tmp_path), config={"docs:x": ""})

    fleet, canary = service.tasks
    assert canary["status"] == "Success"
    assert fleet["task_progress"]["waitting"] == 0


def test_the_package_of_the_page_is_made(service: Emulator, tmp_path: Path) -> None:
    """The program that makes a package of an object makes it."""
    (block,) = (block for block in PROGRAMS if "iotda_ota.OtaPackage(" in block.text)
    testing.run_program(written(block.text, tmp_path), config={"docs:x": ""})

    assert "V1.6.0" in [package["version"] for package in service.packages]


def not_found(service: Emulator, tmp_path: Path) -> str:
    """Return what a lookup says that finds nothing."""
    with pytest.raises(iotda_ota.PackageNotFound) as caught:
        iotda_ota.get_ota_package(package_type="firmwarePackage", product_id="smart-meter", version="V1.4.99")
    return str(caught.value)


def failed_canary(service: Emulator, tmp_path: Path) -> str:
    """Return what the staged rollout says where a device of the canary group is offline."""
    service.set_device("meter-0002", outcome="offline")
    with pytest.raises(iotda_ota.UpgradeTaskFailed) as caught:
        testing.run_program(written(named("docs/campaigns.md", "staged").text, tmp_path), config={"docs:x": ""})
    assert len(service.tasks) == 1
    return f"error: {caught.value}"


PRINTED: dict[str, Callable[[Emulator, Path], str]] = {"not-found": not_found, "failed-canary": failed_canary}


@pytest.mark.parametrize("block", [block for block in BLOCKS if "printed" in block.marks], ids=str)
def test_what_is_shown_is_what_is_printed(block: Block, service: Emulator, tmp_path: Path) -> None:
    """A text of a page is what the code says, but for what differs from place to place."""

    def steady(text: str) -> str:
        text = re.sub(r"project \S+ in \S+ at\s+\S+", "project P in R at E", text)
        return re.sub(r"_[0-9a-f]{16}\b", "_N", text).strip()

    assert steady(PRINTED[block.marks["printed"]](service, tmp_path)) == steady(block.text)


@pytest.mark.parametrize("block", [block for block in BLOCKS if "order" in block.marks], ids=str)
def test_versions_are_in_the_order_that_is_shown(block: Block) -> None:
    """Each line of versions goes from low to high, and those with = between them tie."""
    key = scheme(block.marks["order"]).key
    for line in block.text.splitlines():
        first, *rest = re.split(r" ([<=]) ", line)
        low = first
        for sign, high in zip(rest[::2], rest[1::2], strict=True):
            assert (key(low) < key(high)) if sign == "<" else (key(low) == key(high)), f"{low} {sign} {high}"
            low = high
