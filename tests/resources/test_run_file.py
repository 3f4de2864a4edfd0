"""The file that the provider processes of a run share: what happens to it while it is used."""

from __future__ import annotations

import resource
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.iotda.errors import IotdaOtaError
from pulumi_iotda_ota.lifecycle.run_state import RunState, Thing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ONE, OTHER = (Thing("https://here", "project", id_) for id_ in ("one", "other"))


@pytest.fixture
def states(tmp_path: Path) -> Iterator[list[RunState]]:
    """Return the states of two processes. Locks belong to open files, so one process can act as two."""
    states = [RunState("127.0.0.1:1", {"TMPDIR": str(tmp_path)}) for _ in range(2)]
    yield states
    for state in states:
        state.end()


def files(tmp_path: Path) -> list[Path]:
    """Return the files of runs."""
    return [file for folder in tmp_path.iterdir() for file in folder.iterdir()]


def test_what_one_notes_the_other_reads(states: list[RunState], tmp_path: Path) -> None:
    """Each process reads the new entries of the other one at once. The last process removes the file."""
    first, second = states
    assert not second.is_created(ONE)
    first.note_created(ONE)
    assert second.is_created(ONE)
    second.note_created(OTHER)
    assert first.owned_elsewhere(OTHER, action="")

    first.end()
    assert len(files(tmp_path)) == 1
    second.end()
    assert files(tmp_path) == []


def test_a_full_disk(states: list[RunState], tmp_path: Path) -> None:
    """If an entry does not fit on the disk, the error leaves no partial line, and later entries are complete."""
    first, second = states
    first.note_created(ONE)
    (file,) = files(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 5, hard))
    try:
        with pytest.raises(IotdaOtaError, match=r"(?s)cannot record that other was created.*no space left.*TMPDIR"):
            first.note_created(OTHER)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert not second.is_created(OTHER)
    second.note_created(OTHER)
    assert first.is_created(ONE)
    assert first.is_created(OTHER)


@pytest.mark.parametrize("damage", ["removed", "damaged"])
def test_a_file_that_somebody_else_touches(states: list[RunState], tmp_path: Path, damage: str) -> None:
    """If the file is removed or overwritten during the run, nothing is deleted."""
    first, _ = states
    first.note_created(ONE)
    (file,) = files(tmp_path)
    if damage == "removed":
        file.unlink()
    else:
        file.write_text(file.read_text() + "no entry\n")

    with pytest.raises(
        IotdaOtaError, match=rf"(?s)cannot check whether other was created.*it (was|is) {damage}.*fix +run pulumi again"
    ):
        first.owned_elsewhere(OTHER, action="")


def test_one_at_a_time(states: list[RunState], tmp_path: Path) -> None:
    """Only one thread of all processes holds the lock of a key at a time. No lock file is left."""
    inside: list[int] = []
    seen: list[int] = []

    def go(number: int) -> None:
        with states[number % 2].alone("task", "name"):
            inside.append(number)
            seen.append(len(inside))
            inside.remove(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(go, range(200)))

    assert seen == [1] * 200
    assert len(files(tmp_path)) == 1


def test_other_keys_do_not_wait(states: list[RunState]) -> None:
    """The lock of one key does not block another key."""
    first, second = states
    with first.alone("task", "a"), second.alone("task", "b"), first.alone("package", "a"):
        assert not first.is_created(ONE)
