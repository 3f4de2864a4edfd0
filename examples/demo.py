"""Shows the main job: look a package up, pin it, start an upgrade task with it, against a local IoTDA.

`make demo` runs it. It uses a real `pulumi` where one can be had, and says so where none can.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pulumi import automation

from pulumi_iotda_ota import Connection, get_ota_package, testing
from pulumi_iotda_ota.emulator import Emulator
from pulumi_iotda_ota.iotda.client import Client
from pulumi_iotda_ota.iotda.connection import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pulumi_iotda_ota.iotda.models import BatchTask

ROOT = Path(__file__).parent.parent
PROGRAM = ROOT / "examples" / "python-rollout"
INSTALLED = ROOT / ".pulumi-cli"
PULUMI_VERSION = "3.260.0"
INSTALL_SECONDS = 180
PRODUCT, VERSION, GROUP = "smart-meter", "V1.4.10", "canary"
BAR = 10
FOLLOW_POLLS, FOLLOW_SECONDS = 600, 0.1


@dataclass
class Pulumi:
    """The command that was found, or why there is none."""

    command: automation.PulumiCommand | None = None
    where: str = ""
    why_not: str = ""


def main() -> None:
    """Run the demo."""
    print("pulumi-iotda-ota demo")
    pulumi = find_pulumi()
    with Emulator() as emulator, tempfile.TemporaryDirectory(prefix="iotda-ota-demo-") as folder:
        use(emulator)
        print(
            f"  {engine(pulumi)} · a local IoTDA with {contents(emulator)} at {emulator.endpoint.removeprefix('http://')}\n"
        )
        show_lookup(emulator)
        if pulumi.command:
            run_with_pulumi(pulumi.command, Path(folder))
        else:
            run_in_process(pulumi.why_not)
    lines = len((PROGRAM / "__main__.py").read_text().splitlines())
    print(f"\nThe program is examples/python-rollout/__main__.py ({lines} lines). Next: make test, or the README.")


def find_pulumi() -> Pulumi:
    """Find pulumi where make demo put it, or on PATH; otherwise install it, in bounded time."""
    on_path = shutil.which("pulumi")
    if on_path:
        ours = Path(on_path).is_relative_to(INSTALLED)
        return Pulumi(automation.PulumiCommand(), "from .pulumi-cli" if ours else "from PATH")
    print(f"  no pulumi on PATH: installing {PULUMI_VERSION} under .pulumi-cli (once)", flush=True)
    install = (
        "import sys, semver; from pulumi.automation import PulumiCommand; "
        "PulumiCommand.install(root=sys.argv[1], version=semver.VersionInfo.parse(sys.argv[2]))"
    )
    # A session of its own, because the installer starts others, and its download has no time limit.
    with subprocess.Popen(  # noqa: S603  our own Python and our own arguments
        [sys.executable, "-c", install, str(INSTALLED), PULUMI_VERSION],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as installer:
        try:
            _, said = installer.communicate(timeout=INSTALL_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(installer.pid, signal.SIGKILL)
            said = f"timeout: the download took more than {INSTALL_SECONDS} seconds"
    if installer.returncode:
        shutil.rmtree(INSTALLED, ignore_errors=True)
        return Pulumi(why_not=reason(said))
    return Pulumi(automation.PulumiCommand(root=str(INSTALLED)), "installed under .pulumi-cli")


def reason(traceback: str) -> str:
    """Return what a traceback ends with, without the name of the class."""
    last = (traceback.strip().splitlines() or ["the installer failed"])[-1]
    return (last.partition(": ")[2] or last).strip("<>")


def engine(pulumi: Pulumi) -> str:
    """Return in words what runs the program."""
    if pulumi.command:
        return f"pulumi {pulumi.command.version} {pulumi.where} · local state"
    return "no pulumi: the program runs in this process, under Pulumi's test monitor"


def use(emulator: Emulator) -> None:
    """Let this process and its children ask the emulator, and nothing that was set before."""
    for name in [name for name in os.environ if name.startswith(("HW_", "HUAWEICLOUD_", "PULUMI_"))]:
        del os.environ[name]
    os.environ |= {
        "HW_IOTDA_ENDPOINT": emulator.endpoint,
        "HW_REGION_NAME": emulator.region,
        "HW_PROJECT_ID": emulator.project_id,
        "HW_ACCESS_KEY": emulator.access_key,
        "HW_SECRET_KEY": emulator.secret_key,
        "NO_PROXY": "127.0.0.1",
    }


def contents(emulator: Emulator) -> str:
    """Return in words what the emulator holds."""
    products = {package["product_id"] for package in emulator.packages}
    return f"{len(emulator.packages):,} packages, {len(products)} products, {len(emulator.device_versions)} devices"


def show_lookup(emulator: Emulator) -> None:
    """Make the program's lookup once by itself: a function needs no Pulumi program."""
    before = len(emulator.requests)
    firmware = get_ota_package(package_type="firmwarePackage", product_id=PRODUCT, version=VERSION)
    requests = len(emulator.requests) - before
    print(f"1. Look up   firmwarePackage of product {PRODUCT}, version {VERSION}")
    print(
        f"             -> {firmware.version}  package {short(firmware.package_id)}   (uploaded "
        f"{firmware.created_at[:10]}; {requests} request{'s' * (requests != 1)})"
    )


def run_with_pulumi(command: automation.PulumiCommand, folder: Path) -> None:
    """Preview and update the program with the real engine, on a local file backend."""
    stack = local_stack(command, folder)
    shown = Shown()
    stack.preview(on_event=shown.on_event)
    print("2. Preview   " + "\n             ".join(shown.lines))
    started = time.monotonic()
    outputs = stack.up(on_output=lambda _: None).outputs
    follow(outputs["task_id"].value, started)
    again = stack.preview(expect_no_changes=True)
    changes = {str(op): count for op, count in again.change_summary.items() if str(op) != "same"}
    print(f"4. Again     preview says: {changes or 'no changes'}")
    stack.destroy(on_output=lambda _: None)


def local_stack(command: automation.PulumiCommand, folder: Path) -> automation.Stack:
    """Return a stack of a copy of the program whose virtual environment is the one of this process."""
    work_dir = folder / PROGRAM.name
    shutil.copytree(PROGRAM, work_dir, ignore=shutil.ignore_patterns("venv", "__pycache__"))
    project = work_dir / "Pulumi.yaml"
    project.write_text(project.read_text().replace("virtualenv: venv", f"virtualenv: {json.dumps(sys.prefix)}"))
    (folder / "state").mkdir()
    options = automation.LocalWorkspaceOptions(
        pulumi_command=command,
        env_vars={
            "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "demo",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        },
    )
    stack = automation.create_or_select_stack("demo", work_dir=str(work_dir), opts=options)
    for name, value in {"product": PRODUCT, "version": VERSION, "group": GROUP}.items():
        stack.set_config(name, automation.ConfigValue(value))
    return stack


@dataclass
class Shown:
    """Collects what a preview plans, a line a resource."""

    lines: list[str] = field(default_factory=list)

    def on_event(self, event: automation.EngineEvent) -> None:
        """Keep what is to be created."""
        step = event.resource_pre_event and event.resource_pre_event.metadata
        if not step or not step.type.startswith("pulumi-python:dynamic/iotda-ota"):
            return
        kind, name = step.type.rpartition(":")[2], step.urn.rpartition("::")[2]
        state = (step.new.inputs if step.new else None) or {}
        self.lines.append(planned(kind, name, state))


def planned(kind: str, name: str, state: Mapping[str, object]) -> str:
    """Return one line of a preview."""
    what = f"package {short(state['package_id'])}" if kind == "OtaPackagePin" else f"group {GROUP}"
    return f"+ {f'{kind} {name}':<25} {what}"


def run_in_process(why_not: str) -> None:
    """Run the same program without the engine."""
    config = {
        f"{PROGRAM.name}:{name}": value
        for name, value in (("product", PRODUCT), ("version", VERSION), ("group", GROUP))
    }
    preview = testing.run_program(PROGRAM, config=config, preview=True)
    lines = [
        planned(resource.type.rpartition(":")[2], resource.name, resource.outputs) for resource in preview.resources
    ]
    print("2. Preview   " + "\n             ".join(lines))
    started = time.monotonic()
    up = testing.run_program(PROGRAM, config=config)
    follow(str(up.resources[-1].outputs["task_id"]), started)
    with contextlib.redirect_stderr(io.StringIO()):  # it warns that it takes the task over
        again = testing.run_program(PROGRAM, config=config)
    same = again.resources[-1].outputs["task_id"] == up.resources[-1].outputs["task_id"]
    print(f"4. Again     {'the same task, nothing new' if same else 'another task'}")
    print(
        f"\nno pulumi on PATH and it could not be installed ({why_not}): the same program ran inside this process, "
        "under Pulumi's own test monitor; install pulumi for a real preview and up"
    )


def follow(task_id: str, started: float) -> None:
    """Follow the task until it ends."""
    with Client(resolve(Connection(), config={}, environ=os.environ)) as client:
        for task in states(client, task_id):
            progress = task.task_progress
            done, total, failed = (progress.success, progress.total, progress.fail) if progress else (0, 0, 0)
            filled = BAR * (done + failed) // total if total else 0
            line = (
                f"3. Up        rollout  {'■' * filled}{'·' * (BAR - filled)}  {done} of {total} done, {failed} failed"
            )
            if sys.stdout.isatty():
                print(f"\r{line}", end="", flush=True)
    end = "\r" if sys.stdout.isatty() else ""
    print(f"{end}{line}   ({time.monotonic() - started:.0f} s)")


def states(client: Client, task_id: str) -> Iterator[BatchTask]:
    """Yield the task until it has ended."""
    for _ in range(FOLLOW_POLLS):
        task = client.show_batch_task(task_id)
        yield task
        if task.status in {"Success", "PartialSuccess", "Fail", "Stopped"}:
            return
        time.sleep(FOLLOW_SECONDS)


def short(package_id: object) -> str:
    """Return the ends of an id."""
    text = str(package_id)
    return f"{text[:4]}…{text[-4:]}"


if __name__ == "__main__":
    try:
        main()
    except automation.CommandError as error:
        log = Path(tempfile.gettempdir()) / "iotda-ota-demo.log"
        log.write_text(str(error))
        sys.exit(f"\npulumi failed; what it printed is in {log}")
