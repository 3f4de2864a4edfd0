"""What a shell completes, and for which shells."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.cli_shell import BIN

if TYPE_CHECKING:
    from tests.support.shell import Shell


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("iotda-ota ta", "task"),
        ("iotda-ota get --version-c", "--version-constraint"),
        ("iotda-ota get --package-type f", "firmwarePackage"),
        ("iotda-ota get --field package_i", "package_id"),
        ("iotda-ota task watch --max-failed-p", "--max-failed-percent"),
        ("iotda-ota list --signing d", "derived"),
    ],
)
def test_completion_in_bash(alone: Shell, line: str, completed: str) -> None:
    """The script that `completion bash` prints completes commands, options and values, in a real bash."""
    script = (
        f'PATH="{BIN}:$PATH"; eval "$(iotda-ota completion bash)"\n'
        f"COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n"
        f'_iotda_ota_completion iotda-ota; printf "%s\\n" "${{COMPREPLY[@]}}"'
    )
    done = subprocess.run(["bash", "-c", script], env=alone.environ, capture_output=True, text=True, check=False)

    assert completed in done.stdout.split()


@pytest.mark.parametrize("shell_name", ["zsh", "fish"])
def test_completion_of_other_shells(alone: Shell, shell_name: str) -> None:
    """The scripts of the other shells call this program for its completions."""
    done = alone.inside("completion", shell_name)

    assert done.code == 0
    assert "_IOTDA_OTA_COMPLETE" in done.out
    assert "iotda-ota" in done.out


@pytest.mark.parametrize("shell_name", ["bash", "zsh", "fish"])
def test_a_completion_for_a_program(alone: Shell, shell_name: str) -> None:
    """With --json the script is one object, as every answer is."""
    script = alone.inside("completion", shell_name, "--json").answer["result"]["script"]
    assert script + "\n" == alone.inside("completion", shell_name).out
