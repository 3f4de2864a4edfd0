"""Preview or update many stacks from one process, which share one budget of requests.

    python fleet.py preview regions.json
    python fleet.py up regions.json

`regions.json` has a stack for each key: {"north": {"product": "smart-meter", "range": "^1.4", "group": "canary"}}.
Exit code 0: all of them were done, and a preview found nothing to do. 7: a preview found something. 1: one failed.
8: a SIGTERM came; what had begun was brought to its end, and nothing else was started. Ctrl-C starts nothing else
either, but a terminal sends it to each `pulumi` that runs too, which breaks off what it does.
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

# The programs run in this process, and their lookups go through its one gate: at most 8 requests at a time, one at a
# time after a throttle answer, however many stacks there are. Their resources do not: Pulumi serves the dynamic
# resources of each stack from a process of its own, which has a gate of its own, and one pin of a long list can fill
# that. What bounds those is how many stacks run at once: 4 x 8, and the 8 of the lookups, are 40 requests at most.
STACKS_AT_ONCE = 4
RESOURCES_AT_ONCE = 2

DONE, FAILED, CHANGES, STOPPED = 0, 1, 7, 8
# What Pulumi says beside the error that matters.
PULUMI_S_OWN = ("an unhandled error occurred", "update failed", "preview failed")
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
    """Return a stack, made where it is not there yet."""
    settings = automation.ProjectSettings("fleet", "python")
    # Pulumi starts the resources with the Python of this environment. For a program of its own it would read that from
    # Pulumi.yaml; there is none of a program that runs here.
    python = {"PULUMI_RUNTIME_VIRTUALENV": sys.prefix}
    options = automation.LocalWorkspaceOptions(project_settings=settings, env_vars=python)
    return automation.create_or_select_stack(name, "fleet", program(region), opts=options)


def run(command: str, name: str, region: Region) -> tuple[int, str]:
    """Run one command on one stack; return its exit code and what there is to tell."""
    if stopping.is_set():
        return STOPPED, "not started"
    errors: list[str] = []

    def note(event: automation.EngineEvent) -> None:
        told = event.diagnostic_event
        if told and told.severity == "error" and not told.message.startswith(PULUMI_S_OWN):
            errors.append(told.message.strip())

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
    """Start nothing more; a second signal ends this as it always did."""
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
            # Whatever it is that one ends in, the others have an outcome of their own to tell.
            error = future.exception()
            code, told = (FAILED, f"{type(error).__name__}: {error}") if error else future.result()
            codes.add(code)
            print(f"{name}: {told}", flush=True)
    return next((code for code in (STOPPED, FAILED, CHANGES) if code in codes), DONE)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
