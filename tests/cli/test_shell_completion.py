"""What a shell completes, and for which shells."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.lock.files import LOCK_FILE
from tests.support.command_words import BIN
from tests.support.shell import METER

if TYPE_CHECKING:
    from tests.support.shell import Shell


LOCK = ("lock", "add", "meter-firmware", *METER, "--version", "V1.4.10")


def test_completion_in_bash(alone: Shell) -> None:
    """The script that `completion bash` prints completes a command in a real bash."""
    script = (
        f'PATH="{BIN}:$PATH"; eval "$(iotda-ota completion bash)"\n'
        "COMP_WORDS=(iotda-ota task wa); COMP_CWORD=2\n"
        '_iotda_ota_completion iotda-ota; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", script], env=alone.environ, capture_output=True, text=True, check=False)

    assert done.stdout.split() == ["watch"]


def completed(shell: Shell, line: str) -> list[str]:
    """Return the completions for the last word of a line in bash."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    out = shell.inside(environ={"_IOTDA_OTA_COMPLETE": "bash_complete", **words}).out
    return [offered.partition(",")[2] for offered in out.splitlines() if offered]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("iotda-ota pa", ["package"]),
        ("iotda-ota lock ", ["add", "update", "check", "list", "remove"]),
        ("iotda-ota package get --version-c", ["--version-constraint"]),
        ("iotda-ota package get --source-v", ["--source-version"]),
        ("iotda-ota package get --package-type f", ["firmwarePackage"]),
        ("iotda-ota package list --field package_i", ["package_id"]),
        ("iotda-ota package list --order-by ", ["version", "create_time"]),
        ("iotda-ota package list --signing d", ["derived"]),
        ("iotda-ota package list --region cn-n", ["cn-north-4"]),
        ("iotda-ota package list --stack d", ["dev"]),
        ("iotda-ota package get --lock m", ["meter-firmware"]),
        ("iotda-ota lock update m", ["meter-firmware"]),
        ("iotda-ota lock remove ", ["meter-firmware"]),
        ("iotda-ota task list --status W", ["Waitting"]),
        ("iotda-ota task list --task-type m", ["moduleUpgrade"]),
        ("iotda-ota emulator --env f", ["fish"]),
        ("iotda-ota completion z", ["zsh"]),
        ("iotda-ota help c", ["completion", "connection"]),
        ("iotda-ota help task w", ["watch"]),
    ],
)
def test_what_is_completed(shell: Shell, line: str, offered: list[str]) -> None:
    """Commands, options, enumerated values, regions, stacks and the names in the lock file are completed."""
    (shell.folder / "Pulumi.yaml").write_text("name: meters\nruntime: python\n")
    (shell.folder / "Pulumi.dev.yaml").write_text("config: {}\n")
    shell.inside(*LOCK)

    assert set(offered) <= set(completed(shell, line))
    assert line.endswith("cn-n") or completed(shell, line) == offered


def test_a_lock_file_that_cannot_be_read(shell: Shell) -> None:
    """A damaged lock file completes nothing, and prints no error into the line that is typed."""
    (shell.folder / LOCK_FILE).write_text("{")
    assert completed(shell, "iotda-ota lock update m") == []


@pytest.mark.parametrize("shell_name", ["zsh", "fish"])
def test_completion_of_other_shells(alone: Shell, shell_name: str) -> None:
    """The scripts of the other shells call this program for its completions."""
    done = alone.inside("completion", shell_name)

    assert done.code == 0
    assert "_IOTDA_OTA_COMPLETE" in done.out
    assert "iotda-ota" in done.out


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_a_completion_for_a_program(alone: Shell, shell_name: str) -> None:
    """With --json the script is in one object, as every result is."""
    script = alone.inside("completion", shell_name, "--json").answer["result"]["script"]
    assert script + "\n" == alone.inside("completion", shell_name).out
