"""What commands print of records that cannot be judged: one line on the standard error, after all else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.emulator import Emulator, Switches
from tests.support.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LAMPS = ("--package-type", "firmwarePackage")


@pytest.fixture
def service() -> Iterator[Emulator]:
    """Return a service with five packages, p5 the newest, and a task with two devices, of which one failed."""
    with Emulator(seed={}, device_seconds=0.01, initializing_seconds=0.01) as running:
        for number in range(1, 6):
            running.add_package(package_id=f"p{number}", version=f"1.{number}", product_id="lamp", app_id="home")
        running.set_device("d1", outcome="fail")
        running.set_device("d2", outcome="fail")
        yield running


@pytest.fixture
def shell(service: Emulator, tmp_path: Path) -> Shell:
    """Return a shell with the environment of that service."""
    return Shell(service, tmp_path)


def start(service: Emulator, name: str, task_type: str = "firmwareUpgrade") -> str:
    """Start a task on both devices; return its id."""
    document = {"package_ids": ["p1"]}
    fields: dict[str, Any] = {"task_type": task_type, "document": document, "targets": ["d1", "d2"]}
    return service.add_task(task_name=name, **fields)


def nulls(name: str, *ids: str) -> Switches:
    """Return the switches that show records with null in a field."""
    return Switches(odd_fields={id_: {name: None} for id_ in ids})


def test_a_list_ends_with_what_was_skipped(shell: Shell, service: Emulator) -> None:
    """`list` prints the packages that can be judged, and then one line about the others."""
    service.switches = nulls("version", "p5")

    done = shell("package", "list", *LAMPS)

    assert (done.code, [row[0] for row in done.rows]) == (0, ["1.4", "1.3", "1.2", "1.1"])
    assert done.err == "skipped 1 package that cannot be judged: p5 (version is null)\n"


def test_many_that_were_skipped_are_counted(shell: Shell, service: Emulator) -> None:
    """Of many records the first three are named, and the others counted; `--json` has them all."""
    service.switches = nulls("create_time", "p5", "p4", "p3", "p2", "p1")

    done, printed = shell.inside("package", "list", *LAMPS), shell.inside("package", "list", *LAMPS, "--json")

    named = ", ".join(f"p{number} (create_time is null)" for number in (5, 4, 3))
    assert (done.code, done.out) == (0, "")
    assert done.err.endswith(f"\nskipped 5 packages that cannot be judged: {named} and 2 more\n")
    assert printed.err == ""
    assert printed.answer["skipped_counts"] == {"unreadable_record": 5}
    assert len(printed.answer["skipped"]) == 5


def test_one_package_among_odd_ones(shell: Shell, service: Emulator) -> None:
    """`package get` reports them too; `--explain` names no option that would judge them."""
    service.switches = Switches(absent_fields={"p5": ("package_id",)})

    done = shell.inside("package", "get", *LAMPS, "--highest-version", "--explain")

    assert done.code == 0
    assert done.rows[0][0] == "1.4"
    assert ["1.5", "", "package_id is missing"] in [row[-3:] for row in done.rows]
    assert done.err == "skipped 1 package that cannot be judged: a record without an id (package_id is missing)\n"


def test_an_odd_task_ends_no_list(shell: Shell, service: Emulator) -> None:
    """`task list` prints the tasks that can be judged, and then one line about the others, with `--json` too."""
    odd, other = start(service, "odd_1"), start(service, "other_1")
    service.switches = nulls("status", odd)

    done, printed = shell.inside("task", "list"), shell.inside("task", "list", "--json")

    assert [row[-2] for row in done.rows] == [other]
    assert done.err == printed.err == f"skipped 1 task that cannot be judged: {odd} (status is null)\n"
    assert [task["task_id"] for task in printed.answer["result"]] == [other]


@pytest.mark.parametrize(("name", "named"), [("target", "a record without an id"), ("status", "d1")])
def test_an_odd_device_ends_no_task(shell: Shell, service: Emulator, name: str, named: str) -> None:
    """`task get` prints the devices that can be judged, and then one line about the others."""
    task_id = start(service, "odd_1")
    assert shell.inside("task", "watch", task_id).code == 5
    service.switches = nulls(name, "d1")

    done = shell.inside("task", "get", task_id)

    assert done.code == 0
    assert [row[1] for row in done.rows if row[0] == "Fail"] == ["d2"]
    assert f"skipped 1 device that cannot be judged: {named} ({name} is null)\n" in done.err


def test_the_requested_task(shell: Shell, service: Emulator) -> None:
    """If the odd record is the task that is requested by its id, the command fails and names the field."""
    task_id = start(service, "odd_1")
    service.switches = nulls("status", task_id)

    done = shell.inside("task", "get", task_id)

    assert (done.code, done.out) == (1, "")
    assert "batchtask.status" in done.err
    assert "is null" in done.err


def test_an_id_cannot_move_the_terminal(shell: Shell, service: Emulator) -> None:
    """The id of a record that cannot be judged is escaped."""
    service.switches = Switches(odd_fields={"p5": {"package_id": "\x1b[2J", "version": None}})

    assert (
        shell.inside("package", "list", *LAMPS).err
        == "skipped 1 package that cannot be judged: \\x1b[2J (version is null)\n"
    )


def test_a_lock_reports_them(shell: Shell, service: Emulator) -> None:
    """`lock add`, `update` and `check` report the records that no rule could judge, in one line."""
    service.switches = nulls("version", "p5")
    line = "skipped 1 package that cannot be judged: p5 (version is null)\n"

    added = shell.inside("lock", "add", "lamp", *LAMPS, "--highest-version")

    assert (added.code, added.err) == (0, line)
    assert shell.inside("lock", "update").err.endswith(line)
    assert shell.inside("lock", "check").err == line
    assert shell.inside("lock", "check", "--json").answer["result"][0]["unreadable_records"] == 1
