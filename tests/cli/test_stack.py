"""`--stack`: the configuration in the files of a stack, and the errors if a part of it cannot be read."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import settings_for
from tests.support.shell import METER

if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator
    from tests.support.shell import Done, Shell

ASK = ("package", "get", *METER, "--version", "V1.4.10", "--field", "version")
NONE = dict.fromkeys(("HW_IOTDA_ENDPOINT", "HW_REGION_NAME", "HW_PROJECT_ID"))


@pytest.fixture
def project(shell: Shell, emulator: Emulator) -> Path:
    """Return the folder of a project whose stack dev has the endpoint; the credentials are in the environment."""
    (shell.folder / "Pulumi.yaml").write_text(
        "name: meters\nruntime: yaml\nconfig:\n"
        f"  iotda-ota:region: {emulator.region}\n  iotda-ota:projectId:\n    value: {emulator.project_id}\n"
    )
    write(shell.folder / "Pulumi.dev.yaml", f"iotda-ota:endpoint: {emulator.endpoint}")
    return shell.folder


def write(path: Path, *lines: str) -> None:
    """Write the settings of a stack."""
    path.write_text("\n  ".join(["config:", *lines]) + "\n")


def looked_up(shell: Shell, *words: str) -> Done:
    """Look packages up with only the settings of a stack, and a credential of the environment."""
    return shell.inside(*ASK, *words, environ=NONE)


@pytest.mark.usefixtures("project")
def test_settings_of_a_stack(shell: Shell) -> None:
    """The files of a stack and its project set the configuration, with and without the organization in the name."""
    for name in ("dev", "acme/meters/dev"):
        assert looked_up(shell, "--stack", name).out == "V1.4.10\n"
    assert looked_up(shell).code == 1


def test_from_a_folder_below(shell: Shell, project: Path) -> None:
    """The project is found from a folder inside of it, and an option counts before its stack."""
    inside = project / "src" / "deep"
    inside.mkdir(parents=True)
    shell.folder = inside

    assert looked_up(shell, "--stack", "dev").out == "V1.4.10\n"
    done = looked_up(shell, "--stack", "dev", "--endpoint", "http://127.0.0.1:1", "--max-attempts", "1")
    assert (done.code, "http://127.0.0.1:1" in done.err) == (1, True)


def test_a_project_in_json(shell: Shell, emulator: Emulator) -> None:
    """A project can have a Pulumi.json, and then its stack files are JSON too, as for Pulumi."""
    settings = {"region": emulator.region, "projectId": emulator.project_id, "endpoint": emulator.endpoint}
    config = {f"iotda-ota:{name}": value for name, value in settings.items()}
    (shell.folder / "Pulumi.json").write_text(json.dumps({"name": "meters", "runtime": "yaml"}))
    (shell.folder / "Pulumi.dev.json").write_text(json.dumps({"config": config}))

    assert looked_up(shell, "--stack", "dev").out == "V1.4.10\n"


def test_settings_elsewhere(shell: Shell, project: Path) -> None:
    """A project can keep the files of its stacks in a separate folder."""
    text = (project / "Pulumi.yaml").read_text()
    (project / "Pulumi.yaml").write_text(f"{text}stackConfigDir: stacks\n")
    (project / "stacks").mkdir()
    (project / "Pulumi.dev.yaml").rename(project / "stacks" / "Pulumi.dev.yaml")

    assert looked_up(shell, "--stack", "dev").out == "V1.4.10\n"


def test_values_are_text_as_pulumi_reads_them(shell: Shell, project: Path) -> None:
    """A project id of digits with a nought before them is no number, and a list is one."""
    with (project / "Pulumi.dev.yaml").open("a") as file:
        file.write("  iotda-ota:projectId: 0123\n  iotda-ota:allowedProjectIds: [0124, abc]\n")
    done = looked_up(shell, "--stack", "dev")

    assert done.code == 1
    assert "project 0123 is not in --allowed-project-id" in done.err
    assert "--allowed-project-id 0124 --allowed-project-id abc" in done.err


@pytest.mark.usefixtures("project")
def test_a_stack_that_is_not_there(shell: Shell) -> None:
    """A stack without a file is an error that names those that have one, and never another place instead."""
    done = looked_up(shell, "--stack", "dve")

    assert done.code == 1
    assert done.err.startswith("error: there is no Pulumi.dve.yaml; did you mean dev?\n")


def test_no_project(shell: Shell) -> None:
    """A stack outside of a project is exit code 2."""
    done = shell.inside(*ASK, "--stack", "dev")

    assert done.code == 2
    assert "Pulumi.yaml" in done.err


# Each alias is nine of the previous one: less than 600 bytes for nine to the power of 20 values.
BOMB = "\n".join(["a0: &a0 x", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 21))])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("config: [", "it is no YAML"),
        ("config:\n  iotda-ota:region: \x00", "it is no YAML"),
        ("\xff", "it is no UTF-8 text"),
        ("[" * 3000, "it is no YAML"),
        (f"{BOMB}\nconfig: *a20", "its aliases stand for too many values"),
        ("config: &c\n  iotda-ota:region: *c", "it refers to itself"),
        ("config:\n  iotda-ota:region: a\n  iotda-ota:region: b", "it has a key twice"),
        ("x: &x {iotda-ota:region: a}\nconfig:\n  <<: *x", "it merges mappings with <<, which is not supported"),
        ("#" * (1024 * 1024 + 1), "it is larger than 1 MiB"),
    ],
    ids=["list", "nul", "bytes", "depth", "bomb", "itself", "twice", "merge", "size"],
)
def test_a_file_that_cannot_be_read(shell: Shell, project: Path, text: str, why: str) -> None:
    """A file that is no YAML, or means another thing to Pulumi, is one clear error, which repeats nothing of it."""
    (project / "Pulumi.dev.yaml").write_bytes(text.encode("latin-1"))
    done = looked_up(shell, "--stack", "dev")

    assert done.code == 1
    assert f"Pulumi.dev.yaml cannot be read: {why}" in done.err
    assert f"cannot be read: {why}" in shell("doctor").out


def test_aliases_that_stand_for_little(shell: Shell, project: Path) -> None:
    """An alias is read as Pulumi reads it."""
    text = (project / "Pulumi.dev.yaml").read_text()
    endpoint = text.partition("endpoint: ")[2].strip()
    (project / "Pulumi.dev.yaml").write_text(f"x: &here {endpoint}\nconfig:\n  iotda-ota:endpoint: *here\n")

    assert looked_up(shell, "--stack", "dev").out == "V1.4.10\n"


@pytest.mark.parametrize("name", ["Pulumi.dev.yaml", "iotda-ota.lock.json"])
def test_a_pipe_in_the_place_of_a_file(shell: Shell, project: Path, name: str) -> None:
    """A pipe without a writer is an error, and no command waits for it."""
    (project / name).unlink(missing_ok=True)
    os.mkfifo(project / name)
    locked = ("package", "get", "--lock", "meters")
    done = shell.inside(*((*ASK, "--stack", "dev") if name.startswith("Pulumi") else locked))

    assert done.code == 1
    assert "it is no file" in done.err


@pytest.mark.parametrize(
    "environment",
    ["[base, prod]", "{imports: [base]}", "{values: {pulumiConfig: {'iotda-ota:endpoint': 'https://x'}}}", "base"],
    ids=["list", "imports", "values", "text"],
)
def test_an_environment_of_esc(shell: Shell, project: Path, environment: str) -> None:
    """A stack that uses a Pulumi ESC environment is refused, with the way: its values are not in the file."""
    with (project / "Pulumi.dev.yaml").open("a") as file:
        file.write(f"environment: {environment}\n")
    done = looked_up(shell, "--stack", "dev")
    report = shell("doctor", "--json")
    with_stack = shell("doctor", "--json", "--stack", "dev")

    assert done.code == 1
    assert done.err.startswith("error: Pulumi.dev.yaml uses a Pulumi ESC environment, and its values are not read\n")
    assert "--decrypt" in done.err
    found = [one for one in report.answer["result"]["findings"] if one["check"] == "configuration"]
    assert "uses a Pulumi ESC environment" in found[0]["text"]
    assert "--decrypt" in found[0]["text"] + found[0]["remedy"]
    problem = next(one for one in with_stack.answer["result"]["findings"] if one["check"] == "settings")
    assert (problem["status"], "--decrypt" in problem["remedy"]) == ("problem", True)


@pytest.mark.parametrize("environment", ["", "[]", "{}", "null"])
def test_no_environment_of_esc(shell: Shell, project: Path, environment: str) -> None:
    """A key without a value uses no environment."""
    with (project / "Pulumi.dev.yaml").open("a") as file:
        file.write(f"environment: {environment}\n")

    assert looked_up(shell, "--stack", "dev").out == "V1.4.10\n"


def test_a_misspelt_setting(shell: Shell, project: Path) -> None:
    """A key that is almost a setting is refused, as in a program."""
    write(project / "Pulumi.dev.yaml", "iotda-ota:endpiont: x")
    done = looked_up(shell, "--stack", "dev")

    assert done.code == 1
    assert "did you mean iotda-ota:endpoint?" in done.err


def test_an_encrypted_setting_is_not_passed_over(shell: Shell, project: Path) -> None:
    """An encrypted setting is an error that names it, and no other source is used instead."""
    write(project / "Pulumi.dev.yaml", "iotda-ota:endpoint:", "  secure: v1:abc")
    done = shell.inside(*ASK, "--stack", "dev")

    assert done.code == 1
    assert done.err.startswith("error: iotda-ota:endpoint of Pulumi.dev.yaml is encrypted, and not read\n")
    assert "--decrypt" in done.err


def test_no_pulumi_to_decrypt_with(shell: Shell, project: Path) -> None:
    """If there is no pulumi, or it fails, the error has the cause."""
    write(project / "Pulumi.dev.yaml", "iotda-ota:endpoint:", "  secure: v1:abc")
    none = shell.inside(*ASK, "--stack", "dev", "--decrypt", environ={"PATH": str(project)})
    assert (none.code, "there is no pulumi on PATH" in none.err) == (1, True)

    program = project / "pulumi"
    program.write_text(f"#!{sys.executable}\nimport sys\nsys.exit('error: get stack: passphrase must be set')\n")
    program.chmod(0o755)
    refused = shell.inside(
        *ASK, "--stack", "dev", "--decrypt", environ={"PATH": f"{project}{os.pathsep}{os.environ['PATH']}"}
    )
    assert refused.code == 1
    assert "passphrase must be set" in refused.err


def test_a_secret_of_a_stack_is_redacted(shell: Shell, project: Path, emulator: Emulator) -> None:
    """A secret in the file of a stack is used, and no output has it."""
    settings = settings_for(emulator)
    with (project / "Pulumi.dev.yaml").open("a") as file:
        file.write(f"  iotda-ota:accessKey: {settings['HW_ACCESS_KEY']}\n  iotda-ota:secretKey: Zz0123456789\n")
    done = shell.inside(*ASK, "--stack", "dev", environ={**NONE, "HW_ACCESS_KEY": None, "HW_SECRET_KEY": None})
    report = shell.inside("doctor", "--stack", "dev")

    assert done.code == 1
    assert "rejected the credentials" in done.err
    assert "iotda-ota:accessKey (stack config)" in done.err
    assert "Zz0123456789" not in done.err + report.out + report.err


@pytest.mark.parametrize(
    ("script", "mode"),
    [
        ("echo what; echo is this", 0o755),
        ("echo '[]'", 0o755),
        ("""echo '{"iotda-ota:region": "x"}'""", 0o755),
        ("", 0o644),
    ],
)
def test_a_strange_pulumi(shell: Shell, project: Path, tmp_path: Path, script: str, mode: int) -> None:
    """If pulumi cannot be run, or prints no configuration, that is one clear error, whose fix names the stack."""
    write(project / "Pulumi.dev.yaml", "iotda-ota:region: {secure: v1:abc}")
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "pulumi").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "pulumi").chmod(mode)
    done = shell(
        "package", "get", *METER, "--stack", "dev", "--decrypt", environ={"PATH": f"{folder}{os.pathsep}/usr/bin:/bin"}
    )

    assert done.code == 1
    assert done.err.startswith("error: the configuration of stack dev was not decrypted\n")
    assert "pulumi config --show-secrets --stack dev" in done.err
