"""Look up a package, pin it and start upgrade tasks with it, against a local IoTDA.

`make demo` runs it. It uses the real `pulumi`, and installs it if there is none. If that fails, it runs the program in
this process.
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
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pulumi import automation

from pulumi_iotda_ota import get_ota_package, testing
from pulumi_iotda_ota.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parent.parent
PROGRAM = ROOT / "examples" / "python-rollout"
INSTALLED = ROOT / ".pulumi-cli"
PULUMI_VERSION = "3.260.0"
INSTALL_SECONDS = 180
SETTINGS = {"product": "smart-meter", "range": "^1.4", "runs": "V1.3.2", "canary": "canary", "fleet": "fleet"}
BAR = 10
POLL_SECONDS = 0.1


@dataclass
class Pulumi:
    """The command that was found, or the reason that there is none."""

    command: automation.PulumiCommand | None = None
    origin: str = ""
    problem: str = ""


def main() -> None:
    """Run the demo."""
    print("pulumi-iotda-ota demo")
    pulumi = find_pulumi()
    with Emulator() as emulator, tempfile.TemporaryDirectory(prefix="iotda-ota-demo-") as folder:
        use(emulator)
        pace(emulator)
        print(
            f"  {engine(pulumi)}, local IoTDA with {contents(emulator)} at {emulator.endpoint.removeprefix('http://')}\n"
        )
        show_lookup(emulator)
        if pulumi.command:
            run_with_pulumi(pulumi.command, Path(folder), emulator)
        else:
            run_in_process(pulumi.problem, emulator)
    lines = len((PROGRAM / "__main__.py").read_text().splitlines())
    print(f"\nThe program: examples/python-rollout/__main__.py ({lines} lines).")
    print('Next: README.md, "Without an account"; or docs/start.md with your own account.')


def find_pulumi() -> Pulumi:
    """Find pulumi in .pulumi-cli or on PATH, or install it within a time limit."""
    on_path = shutil.which("pulumi")
    if on_path:
        ours = Path(on_path).is_relative_to(INSTALLED)
        return Pulumi(automation.PulumiCommand(), "from .pulumi-cli" if ours else "from PATH")
    print(f"  no pulumi on PATH: installing {PULUMI_VERSION} under .pulumi-cli (once)", flush=True)
    install = (
        "import sys, semver; from pulumi.automation import PulumiCommand; "
        "PulumiCommand.install(root=sys.argv[1], version=semver.VersionInfo.parse(sys.argv[2]))"
    )
    # A new session, because the installer starts other processes, and its download has no time limit.
    with subprocess.Popen(  # noqa: S603  our own Python and our own arguments
        [sys.executable, "-c", install, str(INSTALLED), PULUMI_VERSION],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as installer:
        try:
            _, output = installer.communicate(timeout=INSTALL_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(installer.pid, signal.SIGKILL)
            output = f"timeout: the download took more than {INSTALL_SECONDS} seconds"
    if installer.returncode:
        shutil.rmtree(INSTALLED, ignore_errors=True)
        return Pulumi(problem=reason(output))
    return Pulumi(automation.PulumiCommand(root=str(INSTALLED)), "installed under .pulumi-cli")


def reason(traceback: str) -> str:
    """Return the message at the end of a traceback, without the name of the class."""
    last = (traceback.strip().splitlines() or ["the installer failed"])[-1]
    return (last.partition(": ")[2] or last).strip("<>")


def engine(pulumi: Pulumi) -> str:
    """Describe what runs the program."""
    if pulumi.command:
        return f"pulumi {pulumi.command.version} {pulumi.origin}, local state"
    return "no pulumi (the program runs in this process, under Pulumi's test monitor)"


def use(emulator: Emulator) -> None:
    """Set the environment of this process and its children to the emulator alone."""
    for name in [name for name in os.environ if name.startswith(("HW_", "HUAWEICLOUD_", "PULUMI_"))]:
        del os.environ[name]
    os.environ |= {**emulator.environment, "NO_PROXY": "127.0.0.1"}


def pace(emulator: Emulator) -> None:
    """Let devices take different times, so that the bars move."""
    for number, device in enumerate(sorted(emulator.device_versions)):
        emulator.set_device(device, seconds=1 + number * 7 % 20 / 10)


def contents(emulator: Emulator) -> str:
    """Describe the catalogue of the emulator."""
    products = {package["product_id"] for package in emulator.packages}
    return f"{len(emulator.packages):,} packages, {len(products)} products, {len(emulator.device_versions)} devices"


def show_lookup(emulator: Emulator) -> None:
    """Run the lookup of the program alone: a function needs no Pulumi program."""
    before = len(emulator.requests)
    firmware = get_ota_package(
        package_type="firmwarePackage",
        product_id=SETTINGS["product"],
        version_constraint=SETTINGS["range"],
        source_versions=[SETTINGS["runs"]],
        highest_version=True,
    )
    requests = len(emulator.requests) - before
    candidates = 1 + sum(firmware.skipped_counts.values())
    print(
        f"1. Look up   firmwarePackage, product {SETTINGS['product']}, range {SETTINGS['range']}, "
        f"devices on {SETTINGS['runs']}"
    )
    print(
        f"             -> {firmware.version}  {firmware.package_id}  (uploaded "
        f"{firmware.created_at[:10]}; {candidates} candidates, {requests} request{'s' * (requests != 1)})"
    )
    print(f"             skipped: {', '.join(skipped(firmware.skipped_counts))}")


def skipped(counts: Mapping[str, int]) -> list[str]:
    """Return how many packages were skipped by each rule, the most frequent first."""
    reasons = {
        "include_prereleases": "prerelease",
        "source_versions": f"do not support {SETTINGS['runs']}",
        "version_constraint": f"outside {SETTINGS['range']}",
        "allow_downgrade": f"below {SETTINGS['runs']}",
        "highest_version": "lower",
    }
    found = [(counts[rule], reason) for rule, reason in reasons.items() if counts.get(rule)]
    return [f"{count} {reason}" for count, reason in sorted(found, key=lambda pair: -pair[0])]


def run_with_pulumi(command: automation.PulumiCommand, folder: Path, emulator: Emulator) -> None:
    """Preview and update the program with the real engine, on a local file backend."""
    stack = local_stack(command, folder)
    plan = Plan(emulator.groups)
    stack.preview(on_event=plan.on_event)
    print("2. Preview   " + "\n             ".join(plan.lines))
    with followed(emulator):
        stack.up(on_output=lambda _: None)
    again = stack.preview(expect_no_changes=True)
    changes = {str(op): count for op, count in again.change_summary.items() if str(op) != "same"}
    print(f"4. Again     {changes or 'no changes'}")
    stack.destroy(on_output=lambda _: None)


def local_stack(command: automation.PulumiCommand, folder: Path) -> automation.Stack:
    """Return a stack of a copy of the program, with the virtual environment of this process."""
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
    for name, value in SETTINGS.items():
        stack.set_config(name, automation.ConfigValue(value))
    return stack


@dataclass
class Plan:
    """The plan of a preview: a line for each resource."""

    groups: Mapping[str, list[str]]
    lines: list[str] = field(default_factory=list)

    def on_event(self, event: automation.EngineEvent) -> None:
        """Add a resource that is created."""
        step = event.resource_pre_event and event.resource_pre_event.metadata
        if not step or not step.type.startswith("pulumi-python:dynamic/iotda-ota"):
            return
        kind, name = step.type.rpartition(":")[2], step.urn.rpartition("::")[2]
        state = (step.new.inputs if step.new else None) or {}
        self.lines.append(planned(kind, name, state, self.groups))


def planned(kind: str, name: str, state: Mapping[str, object], groups: Mapping[str, list[str]]) -> str:
    """Return one line of a preview."""
    detail = str(state["package_id"]) if kind == "OtaPackagePin" else ""
    group_ids = state.get("group_ids")
    if isinstance(group_ids, list):
        detail = f"group {group_ids[0]}: {len(groups[group_ids[0]])} devices"
    return f"+ {f'{kind} {name}':<37} {detail}".rstrip()


def run_in_process(problem: str, emulator: Emulator) -> None:
    """Run the same program without the engine."""
    preview = testing.run_program(PROGRAM, config=SETTINGS, preview=True)
    lines = [
        planned(resource.type.rpartition(":")[2], resource.name, resource.outputs, emulator.groups)
        for resource in preview.resources
    ]
    print("2. Preview   " + "\n             ".join(lines))
    with followed(emulator), quiet():
        testing.run_program(PROGRAM, config=SETTINGS)
    tasks = [task["task_id"] for task in emulator.tasks]
    with quiet():
        testing.run_program(PROGRAM, config=SETTINGS)
    same = [task["task_id"] for task in emulator.tasks] == tasks
    print(f"4. Again     {'no new task' if same else 'other tasks'}")
    print(
        f"\nno pulumi on PATH and it could not be installed ({problem}): the same program ran inside this process, "
        "under Pulumi's own test monitor; install pulumi for a real preview and up"
    )


def quiet() -> contextlib.redirect_stderr[io.StringIO]:
    """Discard the log of the resources: progress, and that a task was adopted."""
    return contextlib.redirect_stderr(io.StringIO())


@contextlib.contextmanager
def followed(emulator: Emulator) -> Iterator[None]:
    """Print the progress and the end of the upgrade tasks while the block runs."""
    over = threading.Event()
    follower = threading.Thread(target=follow, args=(emulator, over))
    follower.start()
    try:
        yield
    finally:
        over.set()
        follower.join()


def follow(emulator: Emulator, over: threading.Event) -> None:
    """Draw a bar for each upgrade task, until all have ended and no other can start."""
    drawn: set[str] = set()
    while True:
        is_over = over.is_set()
        for task in reversed(emulator.tasks):
            if task["task_id"] not in drawn:
                drawn.add(task["task_id"])
                draw(emulator, task["task_id"], first=len(drawn) == 1)
        if is_over:
            return
        time.sleep(POLL_SECONDS)


def draw(emulator: Emulator, task_id: str, *, first: bool) -> None:
    """Draw the bar of one upgrade task until it has ended."""
    started = time.monotonic()
    while True:
        task = next(task for task in emulator.tasks if task["task_id"] == task_id)
        ended = task["status"] in {"Success", "PartialSuccess", "Fail", "Stopped"}
        line = ("3. Up        " if first else "             ") + bar(task)
        if ended:
            break
        if sys.stdout.isatty():
            print(f"\r{line}", end="", flush=True)
        time.sleep(POLL_SECONDS)
    print(f"{chr(13) if sys.stdout.isatty() else ''}{line}  ({time.monotonic() - started:.0f} s)", flush=True)


def bar(task: Mapping[str, Any]) -> str:
    """Return the progress of an upgrade task as one line."""
    progress = task["task_progress"]
    done, failed, total = progress["success"], progress["fail"], progress["total"]
    filled = BAR * (done + failed) // total if total else 0
    name = task["task_name"].rpartition("_")[0]
    return f"{name:<7} {'■' * filled}{'·' * (BAR - filled)}  {done} of {total} done, {failed} failed"


if __name__ == "__main__":
    try:
        main()
    except automation.CommandError as error:
        log = Path(tempfile.gettempdir()) / "iotda-ota-demo.log"
        log.write_text(str(error))
        sys.exit(f"\npulumi failed; what it printed is in {log}")
