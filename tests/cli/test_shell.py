"""What a shell, a pipe and a terminal meet: slips, a closed pipe, colours, narrow windows, completion, faults."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_iotda_ota.cli.exit_codes import CODES
from pulumi_iotda_ota.cli.main import main, root
from pulumi_iotda_ota.emulator import Fault
from pulumi_iotda_ota.emulator.__main__ import OPTIONS
from pulumi_iotda_ota.iotda.auth.settings import SETTINGS
from pulumi_iotda_ota.message_rendering import option as long_option
from pulumi_iotda_ota.schema import GET_OTA_PACKAGE, GET_OTA_PACKAGES
from tests.support import fuzzing
from tests.support.command_words import BIN, SEVERAL
from tests.support.plugin_process import ROOT
from tests.support.shell import METER, Shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator


def commands(group: click.Group = root, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield the path of every command that is no group."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


EVERY = pytest.mark.parametrize("path", [path for path, _ in commands()], ids=" ".join)


def command_of(*path: str) -> click.Command:
    """Return the command at a path."""
    return dict(commands())[path]


def options_of(*path: str) -> set[str]:
    """Return the long options of a command."""
    return {name for parameter in command_of(*path).params for name in parameter.opts if name.startswith("--")}


def test_every_argument_is_an_option() -> None:
    """Every argument of a function is an option of its command, and so is every public setting."""
    settings = {long_option(setting.name) for setting in SETTINGS if not setting.secret}
    for command, table in (("get", GET_OTA_PACKAGE), ("list", GET_OTA_PACKAGES)):
        assert {long_option(argument.name) for argument in table} | settings <= options_of("package", command)
    assert set(OPTIONS) < options_of("emulator")


@EVERY
def test_no_secret_is_an_option(path: tuple[str, ...]) -> None:
    """No secret is an option, because other processes can read the command line."""
    assert not {long_option(setting.name) for setting in SETTINGS if setting.secret} & options_of(*path)


@EVERY
def test_every_command_has_json_and_help(path: tuple[str, ...]) -> None:
    """Every command has --json, and every option has a description that is a sentence."""
    command = command_of(*path)

    assert "--json" in options_of(*path)
    assert (command.help or "").split("\n")[0].endswith(".")
    for parameter in command.params:
        text = str(getattr(parameter, "help", None) or getattr(parameter, "description", ""))
        assert text.endswith((".", "letters, digits, _, . or -")), (path, parameter.name)
        assert text[0].isupper() or text.startswith("bash"), (path, parameter.name)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (("package", "get", "--produkt-id", "x"), "--product-id"),
        (("package", "gte"), "get"),
        (("task", "wacth", "abc"), "watch"),
        (("package", "get", "--package-type", "firmware"), "firmwarePackage"),
    ],
)
def test_a_slip(alone: Shell, given: tuple[str, ...], meant: str) -> None:
    """A misspelt argument is exit code 2, and the error suggests the nearest one."""
    done = alone.inside(*given)

    assert (done.code, done.out) == (2, "")
    assert meant in done.err.splitlines()[-1]
    assert "Traceback" not in done.err


def test_a_slip_for_a_program(alone: Shell) -> None:
    """With --json a usage error is an object too."""
    done = alone.inside("package", "get", "--json", "--produkt-id", "x")

    assert done.error["exit_code"] == done.code == 2
    assert done.error["kind"] == "UsageError"


@pytest.mark.parametrize(
    ("given", "headline"),
    [
        (("--version", "a b"), "--version must be 1 to 256 letters, digits, _, . or -"),
        (("--version-constraint", "^1.x.2"), "--version-constraint is wrong at character"),
        (("--created-after", "yesterday"), "--created-after must be a time with its zone"),
        (("--package-id", "p1", "--highest-version"), "--package-id excludes all other selection arguments"),
    ],
)
def test_a_wrong_value(shell: Shell, emulator: Emulator, given: tuple[str, ...], headline: str) -> None:
    """A value that breaks its rule is exit code 2, named as the option that it is; nothing is sent."""
    done = shell.inside("package", "get", *METER, *given)

    assert done.code == 2
    assert done.err.startswith(f"error: {headline}")
    assert emulator.requests == []


@pytest.mark.parametrize(
    "given", [("--deadline", "0"), ("--max-attempts", "99"), ("--signing", "odd"), ("--decrypt",), ("--stack", "dev")]
)
def test_a_wrong_setting(shell: Shell, emulator: Emulator, given: tuple[str, ...]) -> None:
    """A setting that is wrong by itself is exit code 2; nothing is sent."""
    done = shell.inside("package", "list", *METER, *given)

    assert done.code == 2
    assert given[0] in done.err
    assert emulator.requests == []


def test_an_error_names_the_place_of_a_setting(shell: Shell) -> None:
    """An error names a setting as the option or as the variable that set it."""
    by_option = shell.inside("package", "list", *METER, "--endpoint", "ftp://x")
    by_variable = shell.inside("package", "list", *METER, environ={"HW_IOTDA_ENDPOINT": "ftp://x"})

    assert (by_option.code, by_variable.code) == (1, 1)
    assert "source       option" in by_option.err
    assert "source       HW_IOTDA_ENDPOINT (environment)" in by_variable.err


def test_text_of_the_service_does_not_change(shell: Shell, emulator: Emulator) -> None:
    """The texts of the service and of the user do not change, also if they have the name of an argument."""
    text = "product_id is no id, see app_id (argument), set retry_failed=True"
    body = {"error_code": "IOTDA.000006", "error_msg": text}
    emulator.faults.add(Fault(operation="ListOtaPackageInfo", status=400, body=body))
    refused = shell.inside("package", "list", *METER, "--json")
    wrong = shell.inside("package", "get", "--package-id", "product_id")
    emulator.faults.add(Fault(operation="ShowOtaPackage", body={"package_id": "p1", "app_id": "a"}))
    misread = shell.inside("package", "get", "--package-id", "p1")

    facts = {fact["label"]: fact["text"] for fact in refused.error["facts"]}
    assert facts["response"] == text
    assert wrong.err.startswith('error: --package-id must be 1 to 36 letters, digits or -, not "product_id"\n')
    assert "package_type is missing" in misread.err.splitlines()[0]


def test_no_settings(alone: Shell) -> None:
    """Without settings the error names options, the configuration and the environment, and no argument of Python."""
    done = alone.inside("package", "list", *METER)

    assert done.code == 1
    assert "option --region, config iotda-ota:region, environment HW_REGION_NAME" in " ".join(done.err.split())
    assert "options: --oidc-token-file + --idp-id" in done.err
    assert "argument" not in done.err


def test_the_first_two_lines_without_settings(alone: Shell) -> None:
    """Without settings the lines below the headline are the two commands that most people need, then the sources."""
    keys = "HW_ACCESS_KEY=... HW_SECRET_KEY=..."
    for words, exported in ((METER, f"HW_REGION_NAME=... {keys}"), ((*METER, "--region", "cn-north-4"), keys)):
        _, first, second, third, *_ = alone.inside("package", "list", *words).err.splitlines()

        assert first.split("  ")[-1].strip() == f"export {exported}"
        assert second.strip() == "iotda-ota doctor"
        assert third.startswith(("  --endpoint ", "  found "))
    half = alone.inside("package", "list", *METER, environ={"HW_ACCESS_KEY": "a", "HW_SECRET_KEY": "b"})
    assert half.err.splitlines()[1].endswith(" export HW_REGION_NAME=...")


TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)
NAMES = sorted({name for path, _ in commands() for name in options_of(*path)} - {"--help"})
WORDS = st.one_of(st.sampled_from([*NAMES, "abc", "p1", "^1", "0", "-1", "1e9", "a=b", "--", "-"]), TEXTS)


# All except the emulator, which serves until a signal.
ENDING = [path for path, _ in commands() if path != ("emulator",)]


@pytest.fixture
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in a temporary project, because `lock` writes, and without pulumi, which `doctor` would start."""
    (tmp_path / "Pulumi.yaml").write_text("name: meters\nruntime: python\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))


@fuzzing.examples(100)
@given(path=st.sampled_from(ENDING), words=st.lists(WORDS, max_size=6))
@pytest.mark.usefixtures("_elsewhere")
def test_anything_on_the_command_line(path: tuple[str, ...], words: list[str]) -> None:
    """Whatever is typed after a command that ends, it ends with a documented exit code, never with a fault of ours."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([*path, *words])

    assert code in {one.number for one in CODES}
    assert "Traceback" not in err.getvalue()


def test_a_secret_that_comes_back(shell: Shell) -> None:
    """A secret of the environment is redacted in every message."""
    secret = "Zz0123456789abcdef"
    done = shell.inside("task", "get", "abc", environ={"HW_SECRET_KEY": secret})
    slip = shell.inside("package", "get", f"--{secret}", "--json", environ={"HW_SECRET_KEY": secret})

    assert secret not in done.err + slip.err
    assert (done.code, slip.code) == (1, 2)


def test_a_fault_of_ours(alone: Shell) -> None:
    """A fault of the program prints its traceback without a secret; exit code 1."""
    program = (
        "import sys; from pulumi_iotda_ota.cli import main as entry, packages as lookups\n"
        "def broken(given): raise RuntimeError(given.session.environ['HW_SECRET_KEY'])\n"
        "lookups.list_all = broken\n"
        "sys.exit(entry.main(sys.argv[1:]))\n"
    )
    environ = {**alone.environ, "HW_SECRET_KEY": "Zz0123456789abcdef"}
    command = [sys.executable, "-c", program, "package", "list", *METER]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "RuntimeError: ****" in done.stderr
    assert "this is a fault of iotda-ota" in done.stderr
    assert "Zz0123456789abcdef" not in done.stderr


@pytest.mark.parametrize("nth", [1, 2], ids=["the first page", "pages in parallel"])
def test_ctrl_c(shell: Shell, emulator: Emulator, nth: int) -> None:
    """Ctrl-C before a response is exit code 130 and one line."""
    emulator.faults.add(Fault(operation="ListOtaPackageInfo", nth=nth, times=None, delay=60))
    process = subprocess.Popen(
        [sys.executable, "-m", "pulumi_iotda_ota.cli", "package", "list", "--package-type", "softwarePackage"],
        env=shell.environ, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while len(emulator.requests) < nth:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, printed = process.communicate(timeout=50)

    assert (process.returncode, printed) == (130, "error: interrupted\n")


def test_without_click(alone: Shell, tmp_path: Path) -> None:
    """If click is missing, the error is one line with the command that installs it."""
    (tmp_path / "click.py").write_text("raise ModuleNotFoundError(\"No module named 'click'\", name='click')\n")
    done = alone("package", "list", environ={"PYTHONPATH": str(tmp_path)})

    assert (done.code, done.out) == (1, "")
    assert done.err.count("\n") == 1
    assert "pip install 'FILE.whl[cli]'" in done.err


def test_without_werkzeug(alone: Shell, tmp_path: Path) -> None:
    """If the library of the emulator is missing, the error is one line with the command that installs it."""
    (tmp_path / "werkzeug.py").write_text("raise ModuleNotFoundError('werkzeug', name='werkzeug')\n")
    done = alone("emulator", environ={"PYTHONPATH": str(tmp_path)})

    assert (done.code, done.out) == (1, "")
    assert "pip install 'FILE.whl[emulator]'" in done.err


def test_the_installed_command(alone: Shell) -> None:
    """`iotda-ota` is installed with the package. It prints its version, and without arguments its help."""
    program = shutil.which("iotda-ota", path=BIN)
    assert program
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("iotda-ota 0.")
    assert alone().out == alone("--help").out
    assert alone().code == 0


def test_the_emulator(alone: Shell, tmp_path: Path) -> None:
    """`emulator` serves a seed. The other commands reach it with the printed values, and Ctrl-C ends it."""
    package: dict[str, Any] = {"package_id": "p1", "package_type": "firmwarePackage", "product_id": "meter"}
    seed = {"packages": [{**package, "app_id": "a", "version": "V1", "create_time": "20260101T000000Z"}]}
    (tmp_path / "seed.json").write_text(json.dumps(seed))
    command = [sys.executable, "-m", "pulumi_iotda_ota.cli", "emulator", "--seed", str(tmp_path / "seed.json")]
    command += ["--project-id", "meters"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        printed = json.loads(process.stdout.readline())
        assert printed["project_id"] == "meters"
        environ = {
            "HW_IOTDA_ENDPOINT": printed["endpoint"],
            "HW_PROJECT_ID": printed["project_id"],
            "HW_REGION_NAME": printed["region"],
            "HW_ACCESS_KEY": printed["access_key"],
            "HW_SECRET_KEY": printed["secret_key"],
        }
        listed = alone("package", "list", "--package-type", "firmwarePackage", "--field", "package_id", environ=environ)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
    assert listed.out == "p1\n"


def test_a_wrong_seed(alone: Shell, tmp_path: Path) -> None:
    """A wrong seed is exit code 2, with the cause."""
    (tmp_path / "seed.json").write_text('{"packages": 1}')
    done = alone.inside("emulator", "--seed", "seed.json", "--json")

    assert done.code == done.error["exit_code"] == 2
    assert "packages" in done.error["message"]


def test_exit_codes_are_documented_once() -> None:
    """Each exit code has one number, and its row in the reference: one for each, and no other."""
    section = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8").partition("\n## Exit codes\n")[2]
    rows = re.findall(r"^\| `?(\d+)`? \| (.+) \|$", section.partition("\n## ")[0], re.MULTILINE)

    assert rows == [(str(code.number), code.meaning) for code in CODES]
    assert [code.number for code in CODES] == sorted({code.number for code in CODES})
    assert all(code.meaning.endswith(".") for code in CODES)


@pytest.mark.parametrize("given", [("--port", "70000"), ("--port", "-1"), ("--latency-ms", "-5")])
def test_a_wrong_number_for_the_emulator(alone: Shell, given: tuple[str, str]) -> None:
    """A number that can be none is exit code 2, and names the option."""
    done = alone("emulator", *given)
    assert done.code == 2
    assert f"{given[0]} must be 0 to " in done.err


def test_a_folder_that_is_gone(shell: Shell) -> None:
    """A current folder that was removed is an error of one line."""
    words_of = f"{sys.executable} -m pulumi_iotda_ota.cli package get --stack dev --package-type firmwarePackage"
    done = subprocess.run(
        ["bash", "-c", f"mkdir gone && cd gone && rmdir ../gone && {words_of}"],
        cwd=shell.folder,
        env={**shell.environ, "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: the current folder does not exist\n")


def test_the_name_of_a_user_is_no_secret(shell: Shell) -> None:
    """A user name that is also the name of a product does not change a result."""
    done = shell.inside(*SEVERAL, "--field", "product_id", environ={"HW_USER_NAME": "smart-meter"})
    assert set(done.out.split()) == {"smart-meter"}


def test_the_emulator_for_a_program(alone: Shell) -> None:
    """With --json the emulator prints its endpoint under `result`, in one line."""
    command = [sys.executable, "-m", "pulumi_iotda_ota.cli", "emulator", "--json"]
    with subprocess.Popen(command, env=alone.environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert json.loads(process.stdout.readline())["result"]["region"] == "cn-north-4"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
