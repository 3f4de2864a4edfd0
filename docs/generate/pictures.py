"""Pictures of what is asked of the service: every request in them was made, on the local IoTDA, to draw them."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pulumi_iotda_ota as iotda_ota
from docs.generate.markdown import code, table
from docs.generate.service import METER, Time, running
from pulumi_iotda_ota import testing
from pulumi_iotda_ota.cli.main import main as run_command
from pulumi_iotda_ota.lifecycle.base import ResourceContext
from pulumi_iotda_ota.lookup.session import Run
from pulumi_iotda_ota.schema.registry import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pulumi_iotda_ota.emulator import Emulator
    from pulumi_iotda_ota.lifecycle.base import Properties

__all__ = ["requests_of_resources", "sequence", "upgrade_path", "walk"]

_PHASES = ("preview of a new one", "its creation", "preview, unchanged", "refresh", "destroy")
_PROGRAM = """
import pulumi
import pulumi_iotda_ota as iotda_ota

meter = {"package_type": "firmwarePackage", "product_id": "smart-meter", "highest_version": True}
pinned = iotda_ota.OtaPackagePin("meter", **meter)
canary = iotda_ota.UpgradeTask("canary", package_ids=[pinned.package_id], group_ids=["canary"])
healthy = iotda_ota.UpgradeTaskCompletion("canary-healthy", task_id=canary.task_id)
iotda_ota.UpgradeTask(
    "fleet", package_ids=[pinned.package_id], group_ids=["fleet"], opts=pulumi.ResourceOptions(depends_on=[healthy])
)
"""


def requests_of_resources() -> str:
    """Return a table of the operations that each resource asks for, in each part of its life."""
    rows = []
    for name, inputs in _LIVES.items():
        time = Time()
        with running(time) as emulator:
            given = inputs(_process(time), emulator)
            steps = list(_life(time, name, given))
            rows.append((code(name), *(_operations(emulator, step) for step in steps)))
    return table(("resource", *_PHASES), rows)


def sequence() -> str:
    """Return a diagram of a first update of a program with a gate."""
    with running() as emulator, tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "__main__.py")
        program.write_text(_PROGRAM, encoding="utf-8")
        asked = {}
        for title, preview in (("pulumi preview", True), ("pulumi up", False)):
            emulator.forget_requests()
            with contextlib.redirect_stderr(io.StringIO()):  # a wait tells how it goes
                testing.run_program(program, config={"meters:x": ""}, preview=preview)
            asked[title] = [request.operation for request in emulator.requests]
    lines = ["sequenceDiagram", "  participant P as the program", "  participant S as IoTDA"]
    for title, operations in asked.items():
        lines.append(f"  Note over P,S: {title}")
        for operation, same in groupby(operations):
            lines += _arrow(operation, len(list(same)))
    return "```mermaid\n" + "\n".join(lines) + "\n```"


def walk() -> str:
    """Return a table of the requests that read a list which is longer than one offset reaches."""
    with running() as emulator:
        found = iotda_ota.get_ota_packages(package_type="softwarePackage", product_id="gateway")
        queries = [request.query for request in emulator.requests]
    markers = list(dict.fromkeys(query.get("marker", "") for query in queries))
    rows = [
        (_marker(number), ", ".join(sorted({query.get("offset", "0") for query in same}, key=int)), str(len(same)))
        for number, marker in enumerate(markers)
        if (same := [query for query in queries if query.get("marker", "") == marker])
    ]
    told = table(("below", "offsets", "requests"), _folded(rows))
    return f"{told}\n{len(found.packages)} packages, {len(queries)} requests."


def upgrade_path() -> str:
    """Return the graph that the command prints of one path."""
    words = ["--package-type", "firmwarePackage", "--product-id", "smart-meter", "--version", "V1.4.10"]
    printed = io.StringIO()
    with running(), contextlib.redirect_stdout(printed):
        run_command(["package", "path", *words, "--source-version", "V1.0.0", "--format", "mermaid"])
    return f"```mermaid\n{printed.getvalue()}```"


def _arrow(operation: str, times: int) -> list[str]:
    if operation == "ShowBatchTask":
        return ["  loop until it has ended", f"    P->>S: {operation}", "  end"]
    return [f"  P->>S: {operation}"] * times


def _marker(number: int) -> str:
    return "none: from the newest record on" if number == 0 else f"marker {number}"


def _folded(rows: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Return the rows, those between the second and the last as one where there are many."""
    few = 4
    return rows if len(rows) <= few else [*rows[:2], ("…", "…", "…"), rows[-1]]


def _process(time: Time) -> ResourceContext:
    """Return the context as a new process of Pulumi's meets it: it remembers nothing of the one before."""
    run = Run(memo=False, clock=time.clock)
    return ResourceContext(run=run, config={}, environ=os.environ, warn=lambda _: None, tell=lambda _: None)


def _life(time: Time, name: str, inputs: Properties) -> Iterator[Callable[[], object]]:
    """Return what the engine calls in each part of a resource's life, to be called in this order."""
    cycle = RESOURCES[name].lifecycle
    state: dict[str, Any] = {}

    def create() -> None:
        context = _process(time)
        state["inputs"] = cycle.check(context, {}, inputs).inputs
        state["made"] = cycle.create(context, state["inputs"])

    def preview_again() -> None:
        context = _process(time)
        news = cycle.check(context, state["inputs"], inputs).inputs
        changes = cycle.diff(context, state["made"].id, state["made"].outputs, news).changes
        if changes:
            raise ValueError(f"an unchanged {name} is changed by a preview")

    yield lambda: cycle.check(_process(time), {}, inputs)
    yield create
    yield preview_again
    yield lambda: cycle.read(_process(time), state["made"].id, state["made"].outputs)
    yield lambda: cycle.delete(_process(time), state["made"].id, state["made"].outputs)


def _operations(emulator: Emulator, step: Callable[[], object]) -> str:
    emulator.forget_requests()
    step()
    told = [(operation, len(list(same))) for operation, same in groupby(found.operation for found in emulator.requests)]
    return ", ".join(f"{code(name)}{' …' if times > 1 else ''}" for name, times in told) or "nothing"


def _package_id(emulator: Emulator) -> str:
    found = next(package for package in emulator.packages if package["version"] == "V1.4.10")
    return str(found["package_id"])


def _scope(name: str) -> dict[str, str]:
    return {"organization": "acme", "project": "meters", "stack": "prod", "name": name}


def _task(emulator: Emulator, name: str, **more: Any) -> Properties:
    return {"package_ids": [_package_id(emulator)], "group_ids": ["canary"], "scope": _scope(name), **more}


def _made_task(context: ResourceContext, emulator: Emulator, name: str, **more: Any) -> str:
    """Create a task to wait for, or to confirm, and return its id."""
    cycle = RESOURCES["UpgradeTask"].lifecycle
    made = cycle.create(context, cycle.check(context, {}, _task(emulator, name, **more)).inputs)
    emulator.forget_requests()
    return cast("str", made.outputs["task_id"])


def _new_package(*_: object) -> Properties:
    location = {"region_name": "cn-north-4", "bucket_name": "firmware", "object_key": "meter/V9.bin"}
    return {**METER, "app_id": "energy", "version": "V9", "obs_location": location, "scope": _scope("firmware")}


_LIVES: dict[str, Callable[[ResourceContext, Emulator], Properties]] = {
    "OtaPackagePin": lambda *_: {**METER, "version": "V1.4.10"},
    "OtaPackage": _new_package,
    "UpgradeTask": lambda _, emulator: _task(emulator, "canary"),
    "UpgradeTaskCompletion": lambda context, emulator: {"task_id": _made_task(context, emulator, "waited")},
    "UpgradeTaskConfirmation": lambda context, emulator: {
        "task_id": _made_task(context, emulator, "approved", need_confirm=True),
        "approved_package_ids": [_package_id(emulator)],
    },
}
