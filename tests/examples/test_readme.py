"""README says nothing that was not run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota import testing
from pulumi_iotda_ota.iotda import connection as connections
from pulumi_iotda_ota.iotda import errors

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS: list[tuple[str, str, str]] = re.findall(r"(?:<!-- expect: (\S+) -->\n)?```(\w*)\n(.*?)```", README, re.DOTALL)


def block(language: str, mark: str = "") -> str:
    """Return the first block of a language, or the one that carries a mark."""
    return next(text for found, kind, text in BLOCKS if kind == language and found == mark)


def first_up() -> str:
    """Return the block that leads from nothing to a first update."""
    return next(text for _, kind, text in BLOCKS if not kind and "pulumi stack init" in text)


def commands() -> list[str]:
    """Return every line of the blocks that are commands."""
    return [line for mark, kind, text in BLOCKS if not kind and not mark for line in text.strip().splitlines()]


def test_the_program_runs(service: Emulator, tmp_path: Path) -> None:
    """The program of the first screen looks a package up, pins it and creates the task."""
    program = tmp_path / "__main__.py"
    program.write_text(block("python"))

    monitor = testing.run_program(program, config={"readme:x": ""})

    pin, task = monitor.resources
    assert pin.outputs["version"] == "V1.4.11"
    assert [found["task_id"] for found in service.tasks] == [task.outputs["task_id"]]


@pytest.mark.engine
@pytest.mark.skipif(shutil.which("pulumi") is None, reason="engine lane not run: no pulumi on PATH")
def test_from_nothing_to_a_first_up(tmp_path: Path) -> None:
    """The commands of that block, as they stand, lead from an empty folder to a task on the real engine."""
    (tmp_path / "Pulumi.yaml").write_text(block("yaml"))
    (tmp_path / "__main__.py").write_text(block("python"))
    shown = "pulumi stack output --json > outputs.json\npulumi destroy\n"
    # The emulator is the script's only job in the background.
    script = "set -e\ntrap 'kill $!' EXIT\n" + first_up() + shown
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("HW_", "HUAWEICLOUD_", "PULUMI_"))
    }
    answers = {"PULUMI_SKIP_CONFIRMATIONS": "true", "PULUMI_SKIP_UPDATE_CHECK": "true", "NO_PROXY": "127.0.0.1"}
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=tmp_path,
        env={**kept, **answers, "CHECKOUT": str(ROOT), "PULUMI_HOME": str(tmp_path / "home")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    outputs = json.loads((tmp_path / "outputs.json").read_text())
    assert outputs["firmware"]["version"] == "V1.4.11"
    assert set(outputs["firmware"]) == {"version", "package_id"}
    assert outputs["task_id"]


def staged_program(tmp_path: Path) -> Path:
    """Return a program that pins as the first screen does, and then rolls out in waves."""
    pins = block("python").partition("canary = ")[0]
    program = tmp_path / "__main__.py"
    program.write_text(pins + block("python", "staged"))
    return program


def test_the_staged_rollout_runs(service: Emulator, tmp_path: Path) -> None:
    """Canary, its good end and the approved rest run one after the other."""
    testing.run_program(staged_program(tmp_path), config={"readme:x": ""})

    fleet, canary = service.tasks
    assert canary["status"] == "Success"
    assert fleet["task_progress"]["waitting"] == 0


def test_the_failed_canary_is_the_one_that_is_shown(service: Emulator, tmp_path: Path) -> None:
    """The error of a failed canary is what the README shows, but for the name of the task and the limit."""
    error_msg = "Waiting for the device online timeout"
    service.set_device("meter-0002", outcome="offline", error_code="IOTDA.014112", error_msg=error_msg)
    program = staged_program(tmp_path)
    program.write_text(program.read_text().replace("max_failed_percent=2, ", ""))

    with pytest.raises(errors.CampaignFailed) as caught:
        testing.run_program(program, config={"readme:x": ""})

    shown = block("", "failed-canary").replace("canary_950fb20a595bbfcc", service.tasks[0]["task_name"])
    assert f"error: {caught.value}\n" == shown
    assert len(service.tasks) == 1


@pytest.mark.parametrize("name", ["python-rollout", "python-staged-rollout"])
def test_the_examples_requirements_lead_to_this_checkout(name: str) -> None:
    """Where pip installs in the example's folder, as Pulumi's host does, the requirement is this project."""
    example = ROOT / "examples" / name
    (requirement,) = (example / "requirements.txt").read_text().split()

    assert 'name = "pulumi-iotda-ota"' in (example / requirement / "pyproject.toml").read_text()


def test_the_error_is_the_one_that_is_shown(service: Emulator) -> None:
    """The error of the README is what a lookup says, but for what differs from place to place."""
    with pytest.raises(errors.PackageNotFound) as caught:
        iotda_ota.get_ota_package(package_type="firmwarePackage", product_id="smart-meter", version="V1.4.99")

    def same_place(text: str) -> str:
        return re.sub(r"project \S+ in \S+ at\s+\S+", "project P in R at E", text).strip()

    assert same_place(str(caught.value)) == same_place(block("", "not-found"))


def test_every_setting_is_one_that_is_read() -> None:
    """The table of settings names arguments, configuration keys and variables that exist."""
    table = README.partition("| setting |")[2].partition("\n\n")[0]
    source = "".join(path.read_text() for path in (ROOT / "pulumi_iotda_ota" / "iotda").glob("*.py"))

    for key in re.findall(r"`iotda-ota:(\w+)`", table):
        assert key in connections.CONFIG_NAMES
    for variable in re.findall(r"`((?:HW|HUAWEICLOUD)_[A-Z_]+)", table):
        assert variable in source
    for row in table.strip().splitlines()[2:]:
        for argument in re.findall(r"`(\w+)`", row.split("|")[2]):
            assert argument in iotda_ota.Connection.model_fields


def test_every_public_name_is_mentioned() -> None:
    """Functions, resources and errors are all in the README."""
    results = {name for name in iotda_ota.__all__ if name.endswith("Result")}
    left_out = {*results, "SkippedPackage", "__version__"}
    forms = {name for name in iotda_ota.__all__ if name.endswith("_output")}

    missing = [name for name in iotda_ota.__all__ if name not in README and name not in left_out | forms]
    assert missing == []


def test_every_command_is_run_by_a_test() -> None:
    """Each command of the README is a target of the Makefile, or stands in the test that runs it."""
    lane = ROOT / "tests" / "engine"
    engine, project = (lane / "test_interrupted.py").read_text(), (lane / "conftest.py").read_text()
    languages, plugins = (lane / "test_languages.py").read_text(), (lane / "plugins.py").read_text()
    here = Path(__file__).read_text()
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    ran = {
        "make demo": "demo" in targets,
        "make test": "test" in targets,
        "python -m pip wheel --no-deps -w dist .": '"pip", "wheel", "--no-deps", "-w"' in here,
        **dict.fromkeys(first_up().strip().splitlines(), "first_up() + shown" in here),
        "pulumi config set --secret iotda-ota:secretKey": True,  # asks for the value; the engine lane gives it
        "pulumi cancel --yes": '"cancel", "--yes"' in engine,
        "pulumi refresh --yes --clear-pending-creates": '"refresh", "--yes", "--clear-pending-creates"' in engine,
        "pulumi up --yes": "project.up()" in engine and '"up", "--yes"' in project,
        'pulumi package add "$CHECKOUT"': """told('pulumi package add "')""" in languages,
        "pulumi package add https://git.example.com/acme/iotda-ota@v0.1.0": 'told("pulumi package add https'
        in languages,
        'git clone "$CHECKOUT" iotda-ota-plugin': True,  # the lane copies what git has
        "pulumi plugin install resource iotda-ota v0.1.0 --file iotda-ota-plugin": 'told("pulumi plugin install")'
        in plugins,
        "python -m pulumi_iotda_ota.emulator": '"-m", "pulumi_iotda_ota.emulator"' in here,
        BEHAVE: "BEHAVE.split" in here,
    }

    assert commands() == list(ran)
    assert [command for command, runs in ran.items() if not runs] == []


BEHAVE = next(line for line in README.splitlines() if line.startswith("curl "))


def test_a_device_is_told_how_to_behave(service: Emulator, tmp_path: Path) -> None:
    """What the README sends to the emulator makes a device fail its first try, and no more."""
    body = BEHAVE.split("'")[1]
    request = urllib.request.Request(f"{service.endpoint}/_emulator/devices", body.encode(), method="POST")
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 204

    program = staged_program(tmp_path)
    program.write_text(program.read_text().replace("max_failed_percent=2", "retry_failed=True"))
    testing.run_program(program, config={"readme:x": ""})

    assert [request.operation for request in service.requests].count("RetryBatchTask") == 1


def test_the_package_of_the_readme(service: Emulator, tmp_path: Path) -> None:
    """The program that makes a package of an object makes it."""
    program = tmp_path / "__main__.py"
    program.write_text("import pulumi_iotda_ota as iotda_ota\n" + block("python", "package"))

    testing.run_program(program, config={"readme:x": ""})

    assert "V1.6.0" in [package["version"] for package in service.packages]


def test_emulator_says_where_it_is() -> None:
    """The emulator prints one line of JSON with what the README says, and ends when it is told to."""
    with subprocess.Popen(
        [sys.executable, "-m", "pulumi_iotda_ota.emulator"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        process.terminate()

    assert set(told) == {"endpoint", "access_key", "secret_key", "project_id", "region"}
    assert all(f"`{name}`" in README for name in told)
    assert process.returncode == 0


def test_every_option_of_the_emulator_is_told() -> None:
    """The table of the emulator's options names each that there is, and no other."""
    told = subprocess.run(
        [sys.executable, "-m", "pulumi_iotda_ota.emulator", "--help"], capture_output=True, text=True, check=True
    ).stdout
    table = README.partition("| option |")[2].partition("\n\n")[0]

    assert set(re.findall(r"`(--[\w-]+)", table)) == set(re.findall(r"--[\w-]+", told)) - {"--help"}


def test_wheel_holds_what_pulumi_looks_for(tmp_path: Path) -> None:
    """The wheel that is built from a checkout holds the types' mark and the file for Pulumi's host."""
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "-w", str(tmp_path), "."]
    subprocess.run(build, check=True, capture_output=True, cwd=ROOT)

    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {
        "pulumi_iotda_ota/py.typed",
        "pulumi_iotda_ota/pulumi-plugin.json",
        "pulumi_iotda_ota/plugin/schema.json",
    } <= set(names)
    assert {name.split("/")[0] for name in names} == {
        "pulumi_iotda_ota",
        Path(wheel).name.rsplit("-", 3)[0] + ".dist-info",
    }


@pytest.mark.parametrize("page", ["README.md", "DESIGN.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"])
def test_links_lead_somewhere(page: str) -> None:
    """Every link to a file of the repository, and every test that a page names, is there."""
    text = (ROOT / page).read_text()

    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / target).exists(), target
    for named in re.findall(r"`(tests/[\w/.*-]+)", text):
        assert list(ROOT.glob(named)), named
    for file, test in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text):
        assert f"def {test}(" in (ROOT / file).read_text(), test
