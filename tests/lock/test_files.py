"""Where the lock file lies, and how it is replaced."""

from __future__ import annotations

import multiprocessing
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota.lock.files import LOCK_FILE, VARIABLE, change, load, lock_path
from pulumi_iotda_ota.lock.format import written
from tests.support.locks import entry

if TYPE_CHECKING:
    from pulumi_iotda_ota.lock.entry import Entry


def added(path: Path, *names: str) -> bool:
    """Add names to a lock file."""
    return change(path, lambda there: {**there, **{name: entry(name) for name in names}})


@pytest.mark.parametrize("name", ["Pulumi.yaml", "Pulumi.yml", "Pulumi.json"])
def test_beside_the_project(tmp_path: Path, name: str) -> None:
    """The file lies beside the nearest Pulumi.yaml, from the program's folder upwards."""
    (tmp_path / "Pulumi.yaml").touch()
    project = tmp_path / "infra"
    program = project / "src" / "deep"
    program.mkdir(parents=True)
    (project / name).touch()

    assert lock_path({}, program) == project / LOCK_FILE
    assert lock_path({}, tmp_path) == tmp_path / LOCK_FILE


def test_without_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A script outside a project has it in the folder that it runs in."""
    monkeypatch.chdir(tmp_path)

    assert lock_path({}, Path()) == tmp_path / LOCK_FILE


def test_where_the_environment_says(tmp_path: Path) -> None:
    """The environment names another file. A relative path starts at the folder of the project."""
    (tmp_path / "Pulumi.yaml").touch()
    program = tmp_path / "src"
    program.mkdir()

    assert lock_path({VARIABLE: "locks/prod.json"}, program) == tmp_path / "locks" / "prod.json"
    assert lock_path({VARIABLE: "/etc/prod.json"}, program) == Path("/etc/prod.json")
    assert lock_path({VARIABLE: "~/prod.json"}, program) == Path.home() / "prod.json"
    assert lock_path({VARIABLE: " "}, program) == tmp_path / LOCK_FILE


def test_a_home_that_is_not_there(tmp_path: Path) -> None:
    """An unknown home folder is an error that names the variable."""
    with pytest.raises(iotda_ota.LockError, match="no such home folder"):
        lock_path({VARIABLE: "~nobody-of-this-name/prod.json"}, tmp_path)


def test_a_folder_that_was_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deleted working folder is one clear error."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()

    with pytest.raises(iotda_ota.LockError, match="cannot be found: No such file or directory"):
        lock_path({}, Path())


def test_a_folder_above_that_may_not_be_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder above that cannot be read is skipped: its project is not that of the program."""

    def is_file(path: Path) -> bool:
        if path.parent == tmp_path:
            raise PermissionError(13, "Permission denied")
        return path.name == "Pulumi.yaml" and path.parent == tmp_path.parent

    monkeypatch.setattr(Path, "is_file", is_file)

    assert lock_path({}, tmp_path / "program") == tmp_path.parent / LOCK_FILE


def test_what_is_not_there_is_nothing(tmp_path: Path) -> None:
    """A file that is missing is no error by itself, and the first change makes it."""
    assert load(tmp_path / LOCK_FILE) is None
    assert added(tmp_path / LOCK_FILE, "meter")
    assert load(tmp_path / LOCK_FILE) == {"meter": entry("meter")}


def test_what_changes_nothing_touches_nothing(tmp_path: Path) -> None:
    """An edit without a change keeps every byte of the file, in whatever form it is written."""
    path = tmp_path / LOCK_FILE
    path.write_bytes(written([entry("meter")]).replace("\n", "\r\n").encode("utf-8-sig"))
    before = path.read_bytes(), path.stat().st_mtime_ns

    assert not added(path, "meter")
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_mode_and_links_are_kept(tmp_path: Path) -> None:
    """The file keeps its mode, a new one has the usual one, and a link stays a link."""
    real, path = tmp_path / "real.json", tmp_path / LOCK_FILE
    added(real, "a")
    usual = tmp_path / "usual"
    usual.touch()
    assert stat.S_IMODE(real.stat().st_mode) == stat.S_IMODE(usual.stat().st_mode)
    real.chmod(0o640)
    path.symlink_to(real)

    added(path, "b")

    assert path.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert list(load(real) or ()) == ["a", "b"]
    assert sorted(file.name for file in tmp_path.iterdir()) == [LOCK_FILE, "real.json", "usual"]


def test_killed_while_it_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies between writing and replacing leaves the old file complete."""
    path = tmp_path / LOCK_FILE
    added(path, "a")
    before = path.read_bytes()

    def killed() -> None:
        monkeypatch.setattr(os, "fsync", lambda _: os._exit(9))
        added(path, "b")

    process = multiprocessing.get_context("fork").Process(target=killed)
    process.start()
    process.join(30)

    assert process.exitcode == 9
    assert path.read_bytes() == before
    assert [file for file in tmp_path.iterdir() if file != path] != []
    assert added(path, "b")  # and no other process waits for it
    assert list(tmp_path.iterdir()) == [path]  # what the dead left is not committed by a git add


def test_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    """Ten processes that each add a name at the same time leave ten names."""
    path = tmp_path / LOCK_FILE
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(10)

    def add(name: str) -> None:
        barrier.wait(30)
        added(path, name)

    processes = [context.Process(target=add, args=(f"n{number}",)) for number in range(10)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)

    assert [process.exitcode for process in processes] == [0] * 10
    assert sorted(load(path) or ()) == sorted(f"n{number}" for number in range(10))


def test_what_an_editor_saves_meanwhile_is_not_lost(tmp_path: Path) -> None:
    """If another program changed the file meanwhile, its change is kept and the command fails."""
    path = tmp_path / LOCK_FILE
    added(path, "a")

    def edit(there: dict[str, Entry]) -> dict[str, Entry]:
        path.write_text(written([entry("a"), entry("by-hand")]))
        return {**there, "b": entry("b")}

    with pytest.raises(iotda_ota.LockError, match="changed by another program meanwhile"):
        change(path, edit)

    assert list(load(path) or ()) == ["a", "by-hand"]
    assert [file.name for file in tmp_path.iterdir()] == [LOCK_FILE]


def test_what_can_not_be_used_is_told(tmp_path: Path) -> None:
    """A folder in its place, no folder at all, a file that is no text, a file without end: one clear error each."""
    (tmp_path / LOCK_FILE).mkdir()
    with pytest.raises(iotda_ota.LockError, match="cannot be used: it is no file"):
        load(tmp_path / LOCK_FILE)
    with pytest.raises(iotda_ota.LockError, match="cannot be used: No such file or directory"):
        added(tmp_path / "none" / LOCK_FILE, "a")
    (tmp_path / "latin").write_bytes(b'{"\xe9": 1}')
    with pytest.raises(iotda_ota.LockError, match="damaged"):
        load(tmp_path / "latin")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(16 * 1024 * 1024 + 1)
    with pytest.raises(iotda_ota.LockError, match="larger than 16 MiB"):
        load(tmp_path / "large")
    with pytest.raises(iotda_ota.LockError, match="it is no file"):
        load(Path("/dev/zero"))
