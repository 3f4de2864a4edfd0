"""The output at common widths of terminals: whole words and ids, the counts first."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.emulator import Emulator
from tests.support.command_words import SEVERAL
from tests.support.shell import METER, Shell, plain

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WIDTHS = pytest.mark.parametrize("columns", [60, 80, 120, 160])
NAME = "canary_3f9a1b2c3d4e5f60"
PACKAGE = "169ea9fd475dde0c9e14299b41281f51"


@pytest.fixture
def quick() -> Iterator[Emulator]:
    """Return a service whose devices are quick."""
    with Emulator(device_seconds=0.01, initializing_seconds=0) as running:
        yield running


@pytest.fixture
def shell(quick: Emulator, tmp_path: Path) -> Shell:
    """Return a shell with the environment of that service."""
    shell = Shell(quick, tmp_path)
    shell.environ["PATH"] = ""  # doctor would start pulumi
    return shell


def ended(quick: Emulator, shell: Shell, **fields: object) -> str:
    """Run a task in which one device of two has failed; return its id."""
    quick.set_device("meter-0002", outcome="fail", error_msg="Not enough storage for the new firmware package")
    task = {"task_name": NAME, "task_type": "firmwareUpgrade", "targets": ["meter-0001", "meter-0002"], **fields}
    task_id = quick.add_task(**task, document={"package_ids": [PACKAGE]})
    shell.inside("task", "watch", task_id)
    return task_id


COMMANDS = {
    "package list": SEVERAL,
    "package get": ("package", "get", *METER, "--version-constraint", "^1.4", "--highest-version", "--explain"),
    "task list": ("task", "list"),
    "task get": ("task", "get", NAME),
    "lock list": ("lock", "list"),
    "doctor": ("doctor",),
}


@WIDTHS
@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_no_word_is_broken(shell: Shell, quick: Emulator, words: tuple[str, ...], columns: int) -> None:
    """No id or word is split or cut, and no line is wider than the terminal unless it is one word."""
    ended(quick, shell)
    shell.inside("lock", "add", "meter-firmware", *METER, "--version", "V1.4.10")
    wide, narrow = shell.inside(*words, columns=1000), shell.inside(*words, columns=columns)

    for one, other in ((narrow.out, wide.out), (narrow.err, wide.err)):
        assert Counter(plain(one).split()) == Counter(plain(other).split())
    lines = plain(narrow.out).splitlines()
    assert [line for line in lines if len(line) > columns and len(line.split()) > 1] == []


@WIDTHS
def test_a_watched_task(shell: Shell, quick: Emulator, columns: int) -> None:
    """The bar of `task watch` has its counts whole; after it the counts come first, then the failed devices."""
    task_id = ended(quick, shell)
    words = ("task", "watch", task_id, "--max-failed-devices", "1")
    wide, narrow = shell.inside(*words, columns=1000), shell.inside(*words, columns=columns)
    lines = narrow.out.splitlines()

    assert re.search(r"2/2 +1 failed", plain(narrow.err))
    assert lines[0].startswith("1 of 2 done, 1 failed")
    assert Counter(narrow.out.split()) == Counter(wide.out.split())
    assert [line for line in lines[1:] if len(line) > columns] == []


@WIDTHS
def test_a_list_of_tasks(shell: Shell, quick: Emulator, columns: int) -> None:
    """The row of a task begins with its counts, done of all and failed; then status, time, id and name."""
    task_id = ended(quick, shell)
    done = shell.inside("task", "list", columns=columns)
    row = next(line for line in done.out.splitlines() if "1/2" in line)

    assert done.err.splitlines()[0] == "1 upgrade task"
    assert done.out.split()[:5] == ["done", "failed", "status", "type", "created"]
    assert row.split()[:3] == ["1/2", "1", "PartialSuccess"]
    assert done.out.index(task_id) < done.out.index(NAME)
    assert columns < 120 or row.split()[5:] == [task_id, NAME]


def test_a_list_for_a_program(shell: Shell, quick: Emulator) -> None:
    """Without a terminal a task is one line with tabs, and the JSON has the counts by name."""
    task_id = ended(quick, shell)
    row = shell.inside("task", "list").rows[0]
    (printed,) = shell.inside("task", "list", "--json").answer["result"]

    assert [*row[:4], *row[5:]] == ["1/2", "1", "PartialSuccess", "firmwareUpgrade", task_id, NAME]
    assert (printed["progress"]["success"], printed["progress"]["fail"], printed["create_time"]) == (
        1,
        1,
        quick.tasks[0]["create_time"],
    )


def test_a_task_is_known_by_its_name(shell: Shell, quick: Emulator) -> None:
    """Every command of a task accepts its name from lists and logs. A name can have Chinese characters."""
    for name in (NAME, "金丝雀_1", "abc"):
        task_id = ended(quick, shell, task_name=name)
        assert shell.inside("task", "get", name, "--field", "task_id").out == f"{task_id}\n"
        assert shell.inside("task", "watch", name).code == 5
    assert "upgrade task 金丝雀_1" in shell.inside("task", "stop", "金丝雀_1", "--yes").out
    assert shell.inside("task", "retry", "金丝雀_1", "--yes").code == 0


def test_a_name_that_several_tasks_have(shell: Shell, quick: Emulator) -> None:
    """A name that several tasks have is exit code 4, and the error lists their ids; nothing is changed."""
    ids = [ended(quick, shell), ended(quick, shell)]
    done = shell.inside("task", "retry", NAME, "--yes")

    assert done.code == 4
    assert done.err.startswith(f"error: 2 upgrade tasks are named {NAME}\n")
    assert [task_id for task_id in ids if task_id not in done.err] == []
    assert not [request for request in quick.requests if request.method == "POST"]


def test_a_name_that_no_task_has(shell: Shell) -> None:
    """An unknown name is exit code 3, and the error names the command that lists the tasks."""
    done = shell.inside("task", "get", "金丝雀_2")

    assert (done.code, done.out) == (3, "")
    assert done.err.startswith("error: no upgrade task is named 金丝雀_2\n")
    assert "iotda-ota task list" in done.err


def test_a_whole_id_costs_one_request(shell: Shell, quick: Emulator) -> None:
    """A task that is named by its id is read at once: no list is read."""
    task_id = ended(quick, shell)
    quick.forget_requests()
    shell.inside("task", "get", task_id)

    assert "ListBatchTasks" not in [request.operation for request in quick.requests]


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (("package", "list", *METER, "--version-constraint", "^9"), "change or leave out --version-constraint"),
        (("package", "list", "--package-type", "modulePackage", "--product-id", "x"), "list more without --product-id"),
        (("task", "list"), "iotda-ota doctor"),
        (("task", "list", "--status", "Fail"), "list more without --status"),
        (("lock", "list"), "iotda-ota lock add NAME"),
    ],
)
def test_an_empty_list(shell: Shell, words: tuple[str, ...], printed: str) -> None:
    """An empty list is exit code 0, with a note and a fix on the standard error, and no header."""
    shell.inside("lock", "add", "meter-firmware", *METER, "--version", "V1.4.10")
    shell.inside("lock", "remove", "meter-firmware")
    for columns in (0, 80):
        done = shell.inside(*words, columns=columns)
        assert (done.code, done.out) == (0, "")
        assert done.err.startswith(("no ", "nothing "))
        assert printed in done.err
    assert shell.inside(*words, "--json").err == ""
