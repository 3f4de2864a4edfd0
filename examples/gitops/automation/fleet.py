"""Preview or update many stacks from one process, with one limit of requests.

    python fleet.py preview regions.json
    python fleet.py up regions.json

`regions.json` has a stack for each key: {"north": {"product": "smart-meter", "range": "^1.4", "group": "canary"}}.
Exit code 0: all stacks were done, and a preview found no changes. 7: a preview found changes. 1: a stack failed.
8: a SIGTERM; running stacks ended, and no other was started. Ctrl-C starts no other stack either, but a terminal also
sends it to each running `pulumi`, which then stops.
"""

import json
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pulumi
from pulumi import automation

import pulumi_iotda_ota as iotda_ota

# The programs run in this process, so all lookups share one limit: 8 requests at a time, and one at a time after a
# response with 429. Pulumi runs the dynamic resources of each stack in another process, which has a limit of 8 too.
# 4 stacks at once have at most 4 x 8 requests, and with the 8 of the lookups 40.
STACKS_AT_ONCE = 4
RESOURCES_AT_ONCE = 2

DONE, FAILED, CHANGES, STOPPED = 0, 1, 7, 8
# Lines of Pulumi that repeat no cause.
GENERAL_ERRORS = ("an unhandled error occurred", "update failed", "preview failed")
stopping = threading.Event()
Region = dict[str, str]


def program(region: Region) -> Callable[[], None]:
    """Return the program of a stack."""
    product, versions, group = region["product"], region["range"], region["group"]

    def declare() -> None:
        meter: dict[str, Any] = {"package_type": "firmwarePackage", "product_id": product, "highest_version": True}
        newest = iotda_ota.get_ota_package(**meter, version_constraint=versions)
        pinned = iotda_ota.OtaPackagePin("meter", **meter, version_constraint=versions)
        task = iotda_ota.UpgradeTask("rollout", package_ids=[pinned.package_id], group_ids=[group])
        pulumi.export("newest", newest.version)
        pulumi.export("pinned", pinned.version)
        pulumi.export("task_id", task.task_id)

    return declare


def stack_of(name: str, region: Region) -> automation.Stack:
    """Return a stack, and create it if there is none."""
    settings = automation.ProjectSettings("fleet", "python")
    # Pulumi starts the resources with the Python of this environment. A program in a folder sets it in Pulumi.yaml, and
    # this program has no folder.
    python = {"PULUMI_RUNTIME_VIRTUALENV": sys.prefix}
    options = automation.LocalWorkspaceOptions(project_settings=settings, env_vars=python)
    return automation.create_or_select_stack(name, "fleet", program(region), opts=options)


def run(command: str, name: str, region: Region) -> tuple[int, str]:
    """Run one command on one stack; return its exit code and its outcome in one line."""
    if stopping.is_set():
        return STOPPED, "not started"
    errors: list[str] = []

    def note(event: automation.EngineEvent) -> None:
        diagnostic = event.diagnostic_event
        if diagnostic and diagnostic.severity == "error" and not diagnostic.message.startswith(GENERAL_ERRORS):
            errors.append(diagnostic.message.strip())

    try:
        stack = stack_of(name, region)
        if command == "preview":
            steps = stack.preview(parallel=RESOURCES_AT_ONCE, on_event=note).change_summary
            changes = [f"{step} {count}" for step, count in steps.items() if step != "same"]
            return (CHANGES, f"would {', '.join(changes)}") if changes else (DONE, "no changes")
        outputs = stack.up(parallel=RESOURCES_AT_ONCE, on_event=note).outputs
        return DONE, f"{outputs['pinned'].value}, task {outputs['task_id'].value}"
    except automation.CommandError as error:
        return FAILED, "\n".join(dict.fromkeys(errors)) or str(error)


def stop(number: int, _frame: object) -> None:
    """Start no other stack; a second signal ends the process."""
    stopping.set()
    signal.signal(number, signal.SIG_DFL)


def main(command: str, file: str) -> int:
    """Run a command on all stacks, and return the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    regions: dict[str, Region] = json.loads(Path(file).read_text())
    with ThreadPoolExecutor(STACKS_AT_ONCE) as pool:
        running = {name: pool.submit(run, command, name, region) for name, region in regions.items()}
        codes = set()
        for name, future in running.items():
            # An exception of one stack must not hide the outcomes of the others.
            error = future.exception()
            code, outcome = (FAILED, f"{type(error).__name__}: {error}") if error else future.result()
            codes.add(code)
            print(f"{name}: {outcome}", flush=True)
    return next((code for code in (STOPPED, FAILED, CHANGES) if code in codes), DONE)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
