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
    """Give every command that does something, with the words that call it."""
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


EVERY = pytest.mark.parametrize("path", [path for path, _ in commands()], ids=" ".join)


def command_of(*path: str) -> click.Command:
    """Return the command that words call."""
    return dict(commands())[path]


def options_of(*path: str) -> set[str]:
    """Return the long options of a command."""
    return {name for parameter in command_of(*path).params for name in parameter.opts if name.startswith("--")}


def test_every_argument_is_an_option() -> None:
    """What the functions take is an option of the command that asks the same, and every public setting is one too."""
    settings = {long_option(setting.name) for setting in SETTINGS if not setting.secret}
    for command, table in (("get", GET_OTA_PACKAGE), ("list", GET_OTA_PACKAGES)):
        assert {long_option(argument.name) for argument in table} | settings <= options_of("package", command)
    assert {option.name for option in OPTIONS} < options_of("emulator")


@EVERY
def test_no_secret_is_an_option(path: tuple[str, ...]) -> None:
    """Other processes see the command line: nothing of a credential that is a secret can be given on it."""
    assert not {long_option(setting.name) for setting in SETTINGS if setting.secret} & options_of(*path)


@EVERY
def test_every_command_has_json_and_help(path: tuple[str, ...]) -> None:
    """Every command answers a program with --json, and every option of it is described by a sentence."""
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
    """What is misspelt is exit code 2, and what it may have meant is said."""
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


def test_a_setting_that_is_wrong_tells_its_place(shell: Shell) -> None:
    """What an option says is told as an option, what the environment says as the environment."""
    by_option = shell.inside("package", "list", *METER, "--endpoint", "ftp://x")
    by_variable = shell.inside("package", "list", *METER, environ={"HW_IOTDA_ENDPOINT": "ftp://x"})

    assert (by_option.code, by_variable.code) == (1, 1)
    assert "source       option" in by_option.err
    assert "source       HW_IOTDA_ENDPOINT (environment)" in by_variable.err


def test_what_the_service_says_is_told_as_it_says_it(shell: Shell, emulator: Emulator) -> None:
    """The service's own text keeps its words, as what was given does, also where it names an argument."""
    said = "product_id is no id, see app_id (argument), set retry_failed=True"
    body = {"error_code": "IOTDA.000006", "error_msg": said}
    emulator.faults.add(Fault(operation="ListOtaPackageInfo", status=400, body=body))
    refused = shell.inside("package", "list", *METER, "--json")
    wrong = shell.inside("package", "get", "--package-id", "product_id")
    emulator.faults.add(Fault(operation="ShowOtaPackage", body={"package_id": "p1", "app_id": "a"}))
    misread = shell.inside("package", "get", "--package-id", "p1")

    facts = {fact["label"]: fact["text"] for fact in refused.error["facts"]}
    assert facts["response"] == said
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


# All but the emulator, which serves until somebody stops it.
ENDING = [path for path, _ in commands() if path != ("emulator",)]


@pytest.fixture
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go to a project of its own, for `lock` writes, and where there is no pulumi, which `doctor` would start."""
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
    """A secret of the environment is masked in whatever is told."""
    secret = "Zz0123456789abcdef"
    done = shell.inside("task", "get", "abc", environ={"HW_SECRET_KEY": secret})
    slip = shell.inside("package", "get", f"--{secret}", "--json", environ={"HW_SECRET_KEY": secret})

    assert secret not in done.err + slip.err
    assert (done.code, slip.code) == (1, 2)


def test_a_fault_of_ours(alone: Shell) -> None:
    """What should not happen keeps its traceback, for whoever mends it, without a secret; exit code 1."""
    program = (
        "import sys; from pulumi_iotda_ota.cli import main as entry, package_output as lookups\n"
        "def broken(asked): raise RuntimeError(asked.session.environ['HW_SECRET_KEY'])\n"
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


@pytest.mark.parametrize("nth", [1, 2], ids=["the first page", "pages asked for together"])
def test_ctrl_c(shell: Shell, emulator: Emulator, nth: int) -> None:
    """Ctrl-C anywhere is exit code 130 and one line, before the service has answered."""
    emulator.faults.add(Fault(operation="ListOtaPackageInfo", nth=nth, times=None, delay=60))
    process = subprocess.Popen(
        [sys.executable, "-m", "pulumi_iotda_ota.cli", "package", "list", "--package-type", "softwarePackage"],
        env=shell.environ, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while len(emulator.requests) < nth:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=50)

    assert (process.returncode, told) == (130, "error: interrupted\n")


def test_without_click(alone: Shell, tmp_path: Path) -> None:
    """Where click is missing, one line says how to install it."""
    (tmp_path / "click.py").write_text("raise ModuleNotFoundError(\"No module named 'click'\", name='click')\n")
    done = alone("package", "list", environ={"PYTHONPATH": str(tmp_path)})

    assert (done.code, done.out) == (1, "")
    assert done.err.count("\n") == 1
    assert "pip install 'FILE.whl[cli]'" in done.err


def test_without_werkzeug(alone: Shell, tmp_path: Path) -> None:
    """Where the emulator's library is missing, one line says how to install it."""
    (tmp_path / "werkzeug.py").write_text("raise ModuleNotFoundError('werkzeug', name='werkzeug')\n")
    done = alone("emulator", environ={"PYTHONPATH": str(tmp_path)})

    assert (done.code, done.out) == (1, "")
    assert "pip install 'FILE.whl[emulator]'" in done.err


def test_the_installed_command(alone: Shell) -> None:
    """`iotda-ota` is installed with the package, and tells its version; so does a call without words its help."""
    program = shutil.which("iotda-ota", path=BIN)
    assert program
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("iotda-ota 0.")
    assert alone().out == alone("--help").out
    assert alone().code == 0


def test_the_emulator(alone: Shell, tmp_path: Path) -> None:
    """`emulator` serves a seed; what it prints leads the other commands to it, and Ctrl-C ends it."""
    package: dict[str, Any] = {"package_id": "p1", "package_type": "firmwarePackage", "product_id": "meter"}
    seed = {"packages": [{**package, "app_id": "a", "version": "V1", "create_time": "20260101T000000Z"}]}
    (tmp_path / "seed.json").write_text(json.dumps(seed))
    command = [sys.executable, "-m", "pulumi_iotda_ota.cli", "emulator", "--seed", str(tmp_path / "seed.json")]
    command += ["--project-id", "meters"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        told = json.loads(process.stdout.readline())
        assert told["project_id"] == "meters"
        environ = {
            "HW_IOTDA_ENDPOINT": told["endpoint"],
            "HW_PROJECT_ID": told["project_id"],
            "HW_REGION_NAME": told["region"],
            "HW_ACCESS_KEY": told["access_key"],
            "HW_SECRET_KEY": told["secret_key"],
        }
        listed = alone("package", "list", "--package-type", "firmwarePackage", "--field", "package_id", environ=environ)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
    assert listed.out == "p1\n"


def test_a_wrong_seed(alone: Shell, tmp_path: Path) -> None:
    """A seed that is wrong is exit code 2 and says what is wrong with it."""
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
    """In a folder that has been removed there is no project, which is said in one line."""
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
    assert done.stderr.startswith("error: the current folder does not exist any more\n")


def test_the_name_of_a_user_is_no_secret(shell: Shell) -> None:
    """A user's name that is also the name of a product does not change what is answered."""
    done = shell.inside(*SEVERAL, "--field", "product_id", environ={"HW_USER_NAME": "smart-meter"})
    assert set(done.out.split()) == {"smart-meter"}


def test_the_emulator_for_a_program(alone: Shell) -> None:
    """With --json the emulator tells where it listens as every other answer is told, in one line."""
    command = [sys.executable, "-m", "pulumi_iotda_ota.cli", "emulator", "--json"]
    with subprocess.Popen(command, env=alone.environ, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert json.loads(process.stdout.readline())["result"]["region"] == "cn-north-4"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
