"""Pictures of the requests to the service. The local IoTDA received every request in them."""

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

_PHASES = ("preview of a new resource", "creation", "preview without a change", "refresh", "destroy")
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
    """Return a table of the operations that each resource requests, in each phase of its life."""
    rows = []
    for name, inputs_of in _INPUTS.items():
        time = Time()
        with running(time) as emulator:
            steps = list(_life(time, name, inputs_of(_new_process(time), emulator)))
            rows.append((code(name), *(_operations(emulator, step) for step in steps)))
    return table(("resource", *_PHASES), rows)


def sequence() -> str:
    """Return a diagram of the first update of a program with a canary task, a completion and a fleet task."""
    with running() as emulator, tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "__main__.py")
        program.write_text(_PROGRAM, encoding="utf-8")
        requests = {}
        for title, preview in (("pulumi preview", True), ("pulumi up", False)):
            emulator.forget_requests()
            with contextlib.redirect_stderr(io.StringIO()):  # a wait prints its progress
                testing.run_program(program, config={"meters:x": ""}, preview=preview)
            requests[title] = [request.operation for request in emulator.requests]
    lines = ["sequenceDiagram", "  participant P as the program", "  participant S as IoTDA"]
    for title, operations in requests.items():
        lines.append(f"  Note over P,S: {title}")
        for operation, same in groupby(operations):
            lines += _arrow(operation, len(list(same)))
    return "```mermaid\n" + "\n".join(lines) + "\n```"


def walk() -> str:
    """Return a table of the requests for a list that is longer than the highest offset."""
    with running() as emulator:
        found = iotda_ota.get_ota_packages(package_type="softwarePackage", product_id="gateway")
        queries = [request.query for request in emulator.requests]
    markers = list(dict.fromkeys(query.get("marker", "") for query in queries))
    rows = [
        (_marker(number), ", ".join(sorted({query.get("offset", "0") for query in same}, key=int)), str(len(same)))
        for number, marker in enumerate(markers)
        if (same := [query for query in queries if query.get("marker", "") == marker])
    ]
    requests = table(("below", "offsets", "requests"), _shortened(rows))
    return f"{requests}\n{len(found.packages)} packages, {len(queries)} requests."


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
    return "no marker: from the newest record on" if number == 0 else f"marker {number}"


def _shortened(rows: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Return the rows. If there are many, one row with … replaces those between the second and the last."""
    few = 4
    return rows if len(rows) <= few else [*rows[:2], ("…", "…", "…"), rows[-1]]


def _new_process(time: Time) -> ResourceContext:
    """Return the context of a new provider process, which remembers nothing of the one before."""
    run = Run(memo=False, clock=time.clock)
    return ResourceContext(run=run, config={}, environ=os.environ, warn=lambda _: None, report=lambda _: None)


def _life(time: Time, name: str, inputs: Properties) -> Iterator[Callable[[], object]]:
    """Yield the calls of the engine in each phase of a resource's life, to be called in this order."""
    cycle = RESOURCES[name].lifecycle
    state: dict[str, Any] = {}

    def create() -> None:
        context = _new_process(time)
        state["inputs"] = cycle.check(context, {}, inputs).inputs
        state["created"] = cycle.create(context, state["inputs"])

    def preview_again() -> None:
        context = _new_process(time)
        news = cycle.check(context, state["inputs"], inputs).inputs
        changes = cycle.diff(context, state["created"].id, state["created"].outputs, news).changes
        if changes:
            raise ValueError(f"an unchanged {name} is changed by a preview")

    yield lambda: cycle.check(_new_process(time), {}, inputs)
    yield create
    yield preview_again
    yield lambda: cycle.read(_new_process(time), state["created"].id, state["created"].outputs)
    yield lambda: cycle.delete(_new_process(time), state["created"].id, state["created"].outputs)


def _operations(emulator: Emulator, step: Callable[[], object]) -> str:
    emulator.forget_requests()
    step()
    operations = groupby(request.operation for request in emulator.requests)
    counted = [(name, len(list(same))) for name, same in operations]
    return ", ".join(f"{code(name)}{' …' if times > 1 else ''}" for name, times in counted) or "nothing"


def _package_id(emulator: Emulator) -> str:
    found = next(package for package in emulator.packages if package["version"] == "V1.4.10")
    return str(found["package_id"])


def _scope(name: str) -> dict[str, str]:
    return {"organization": "acme", "project": "meters", "stack": "prod", "name": name}


def _task(emulator: Emulator, name: str, **more: Any) -> Properties:
    return {"package_ids": [_package_id(emulator)], "group_ids": ["canary"], "scope": _scope(name), **more}


def _created_task(context: ResourceContext, emulator: Emulator, name: str, **more: Any) -> str:
    """Create a task to wait for, or to confirm, and return its id."""
    cycle = RESOURCES["UpgradeTask"].lifecycle
    created = cycle.create(context, cycle.check(context, {}, _task(emulator, name, **more)).inputs)
    emulator.forget_requests()
    return cast("str", created.outputs["task_id"])


def _new_package(*_: object) -> Properties:
    location = {"region_name": "cn-north-4", "bucket_name": "firmware", "object_key": "meter/V9.bin"}
    return {**METER, "app_id": "energy", "version": "V9", "obs_location": location, "scope": _scope("firmware")}


#: The inputs of each resource.
_INPUTS: dict[str, Callable[[ResourceContext, Emulator], Properties]] = {
    "OtaPackagePin": lambda *_: {**METER, "version": "V1.4.10"},
    "OtaPackage": _new_package,
    "UpgradeTask": lambda _, emulator: _task(emulator, "canary"),
    "UpgradeTaskCompletion": lambda context, emulator: {"task_id": _created_task(context, emulator, "waited")},
    "UpgradeTaskConfirmation": lambda context, emulator: {
        "task_id": _created_task(context, emulator, "approved", need_confirm=True),
        "approved_package_ids": [_package_id(emulator)],
    },
}
