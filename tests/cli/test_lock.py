"""`lock`: the content of the file, the output, and the exit codes."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota.lock.files import LOCK_FILE, VARIABLE, change, load
from tests.support.shell import METER, Shell, plain

if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator

NEWEST = (*METER, "--version-constraint", "^1.4", "--source-version", "V1.3.2", "--highest-version")


@pytest.fixture(autouse=True)
def lock_file(tmp_path: Path) -> Path:
    """Return the lock file of a project, which the shell is in."""
    (tmp_path / "Pulumi.yaml").write_text("name: meters\nruntime: python\n")
    return tmp_path / LOCK_FILE


def newer(emulator: Emulator) -> None:
    """Upload a version above all that fit."""
    one = next(found for found in emulator.packages if found["version"] == "V1.4.11")
    emulator.add_package(
        **{name: one[name] for name in ("package_type", "app_id", "product_id")},
        version="V1.4.12",
        create_time="20261120T090000Z",
        support_source_versions=["V1.3.2"],
    )


def test_from_a_lookup_to_a_program(shell: Shell, lock_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `lock add` writes a program reads, with nothing set but the name."""
    done = shell("lock", "add", "meter", *NEWEST)

    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(
        r"meter: V1\.4\.11\n"
        r"  package [0-9a-f]{4}…[0-9a-f]{4}, uploaded 2026-10-16, supports [^\n]*, sha256 yes\n"
        r"  because: highest version that matches \^1\.4 for devices on V1\.3\.2 "
        r"\(skipped 1 newer: V1\.5\.0-rc1 [^\n]*\)\n",
        done.out,
    )
    monkeypatch.chdir(lock_file.parent)
    assert iotda_ota.get_ota_package(lock="meter").version == "V1.4.11"


def test_an_update_is_the_text_of_a_pull_request(shell: Shell, emulator: Emulator, lock_file: Path) -> None:
    """`lock check` ends with 7 if another package matches. `lock update` writes it and prints a text for review."""
    shell("lock", "add", "meter", *NEWEST)
    assert shell("lock", "check").code == 0
    newer(emulator)

    checked = shell("lock", "check")
    updated = shell("lock", "update")

    assert (checked.code, checked.out) == (7, "meter: V1.4.11 is locked, V1.4.12 matches now\n")
    assert (updated.code, updated.err) == (0, "")
    assert updated.out.startswith("meter: V1.4.11 -> V1.4.12\n  package ")
    assert " -> " in updated.out.splitlines()[1]
    assert ", uploaded 2026-11-20, supports V1.3.2, sha256 yes" in updated.out
    assert (load(lock_file) or {})["meter"].version == "V1.4.12"
    assert shell("lock", "check").code == 0


def test_nothing_new(shell: Shell, lock_file: Path) -> None:
    """If nothing has changed, the update prints that, ends with 0 and does not write the file."""
    shell("lock", "add", "meter", *NEWEST)
    before = lock_file.read_bytes(), lock_file.stat().st_mtime_ns

    done = shell("lock", "update")

    assert (done.code, done.out, done.err) == (0, "", "nothing has changed\n")
    assert (lock_file.read_bytes(), lock_file.stat().st_mtime_ns) == before


def test_json(shell: Shell, emulator: Emulator, lock_file: Path) -> None:
    """`--json` prints every outcome, with the locked package and the one that matches now."""
    added = shell("lock", "add", "meter", *NEWEST, "--json").answer
    newer(emulator)
    checked, updated = shell("lock", "check", "--json"), shell("lock", "update", "meter", "--json")
    listed, removed = shell("lock", "list", "--json").answer, shell("lock", "remove", "meter", "--json").answer

    assert added["file"] == str(lock_file)
    assert (added["result"][0]["status"], added["result"][0]["locked"]) == ("added", None)
    assert (checked.code, checked.answer["result"][0]["status"]) == (7, "newer")
    (outcome,) = updated.answer["result"]
    assert (outcome["locked"]["package"]["version"], outcome["now"]["package"]["version"]) == ("V1.4.11", "V1.4.12")
    assert listed["result"] == [outcome["now"]]
    assert [one["status"] for one in removed["result"]] == ["removed"]


def test_gone_and_failing_names(shell: Shell, emulator: Emulator, lock_file: Path) -> None:
    """A locked package that is gone is 7, a lookup that fails is 1. The other names are still reported and updated."""
    shell("lock", "add", "meter", *NEWEST)
    shell("lock", "add", "exact", *METER, "--version", "V1.4.10")
    emulator.delete_package(next(str(one["package_id"]) for one in emulator.packages if one["version"] == "V1.4.10"))
    gone = shell("lock", "check")
    assert (gone.code, gone.out) == (7, "exact: V1.4.10 is gone, nothing matches now\nmeter: V1.4.11 is current\n")

    one = (load(lock_file) or {})["meter"]
    undecided = {name: value for name, value in one.selection.items() if name != "highest_version"}
    change(lock_file, lambda there: {**there, "many": replace(one, name="many", selection=undecided)})
    newer(emulator)

    checked, updated = shell("lock", "check"), shell("lock", "update")

    assert (checked.code, updated.code) == (1, 1)
    assert "many: failed, V1.4.11 stays locked\n  " in updated.err
    assert "OTA packages match" in updated.err
    assert "exact: V1.4.10 is gone, nothing matches now" in updated.err
    assert updated.out.startswith("meter: V1.4.11 -> V1.4.12\n")
    assert {name: one.version for name, one in (load(lock_file) or {}).items()} == {
        "exact": "V1.4.10",
        "many": "V1.4.11",
        "meter": "V1.4.12",
    }


def test_a_name_that_is_there(shell: Shell) -> None:
    """A name that is locked is not overwritten but with `--replace`."""
    shell("lock", "add", "meter", *NEWEST)

    refused = shell("lock", "add", "meter", *METER, "--version", "V1.4.10")
    replaced = shell("lock", "add", "meter", *METER, "--version", "V1.4.10", "--replace")

    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith('error: "meter" is locked already\n')
    assert (replaced.code, replaced.out.splitlines()[0]) == (0, "meter: V1.4.11 -> V1.4.10")


def test_the_command_that_an_error_gives_works(shell: Shell, alone: Shell) -> None:
    """The command in the error of a name that is not locked works unchanged, and then the program runs."""
    words = (*METER, "--version-constraint", ">=1.4 <2", "--highest-version", "--no-include-prereleases")
    failed = alone("package", "get", "--lock", "meter", *words)
    assert failed.code == 1
    assert failed.err.startswith(f'error: "meter" is not locked: there is no {LOCK_FILE}\n')
    (command,) = re.findall(r"iotda-ota (lock add .*)", failed.err)

    assert shell(*shlex.split(command)).code == 0

    found = alone("package", "get", "--lock", "meter", *words)
    assert (found.code, found.rows[0][0]) == (0, "V1.4.11")


def test_get_from_the_lock(shell: Shell, alone: Shell, emulator: Emulator) -> None:
    """`get --lock` sends no request, `--verify` sends one, `--explain` prints the reason in the file."""
    shell("lock", "add", "meter", *NEWEST)
    emulator.forget_requests()

    assert alone("package", "get", "--lock", "meter", "--field", "version").out == "V1.4.11\n"
    assert alone("package", "get", "--lock", "meter", "--json").answer["result"]["version"] == "V1.4.11"
    assert "highest version that matches ^1.4" in alone("package", "get", "--lock", "meter", "--explain").out
    assert emulator.requests == []

    assert shell("package", "get", "--lock", "meter", "--verify").code == 0
    emulator.delete_package(alone("package", "get", "--lock", "meter", "--field", "package_id").out.strip())
    gone = shell("package", "get", "--lock", "meter", "--verify")
    assert (gone.code, "does not exist any more" in gone.err) == (3, True)
    assert shell("package", "get", *METER, "--version", "V1.4.10", "--verify").err.startswith(
        "error: --verify needs --lock"
    )


def test_another_place(shell: Shell, emulator: Emulator) -> None:
    """With the settings of another environment nothing that is locked can be updated: one clear error, exit code 1."""
    shell("lock", "add", "meter", *NEWEST)
    emulator.forget_requests()

    done = shell("lock", "update", "--instance-id", "other")

    assert done.code == 1
    assert done.err.startswith('error: "meter" is locked for another endpoint, project or instance\n')
    assert "--instance-id other" in done.err
    assert emulator.requests == []


def test_list_and_remove(shell: Shell, alone: Shell, lock_file: Path) -> None:
    """`lock list` and `lock remove` read and write the file and send no request."""
    shell("lock", "add", "meter", *NEWEST)
    shell("lock", "add", "exact", *METER, "--version", "V1.4.10")

    listed = alone("lock", "list")
    assert [row[:2] for row in listed.rows] == [["exact", "V1.4.10"], ["meter", "V1.4.11"]]
    assert "locked_at" in plain(alone.on_terminal("lock", "list").out)

    assert alone("lock", "remove", "exact").out == "exact: V1.4.10 is not locked any more\n"
    assert list(load(lock_file) or ()) == ["meter"]
    refused = alone("lock", "remove", "exact")
    assert (refused.code, refused.err.splitlines()[0]) == (1, f'error: "exact" is not locked in {LOCK_FILE}')


def test_another_file(shell: Shell, lock_file: Path) -> None:
    """The variable names the file for the command line as it does for programs."""
    done = shell("lock", "add", "meter", *NEWEST, environ={VARIABLE: "prod.json"})

    assert done.code == 0
    assert not lock_file.exists()
    assert list(load(lock_file.with_name("prod.json")) or ()) == ["meter"]
    assert shell("lock", "list").code == 1


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (("lock", "add"), "Missing argument 'NAME'"),
        (("lock", "add", "a b", *METER), "name must be 1 to 64 letters, digits, _, . or -, the first"),
        (("lock", "add", "meter", "--product-id", "x"), "--package-type is required"),
        (("lock", "remove"), "Missing argument 'NAME...'"),
        (("lock", "updat"), "Did you mean 'update'?"),
    ],
)
def test_wrong_use(shell: Shell, lock_file: Path, words: tuple[str, ...], printed: str) -> None:
    """A wrong argument is an error, and no file is written."""
    done = shell(*words)

    assert done.code == 2
    assert printed in " ".join(done.err.split())
    assert not lock_file.exists()
