"""Write the state of this version, and the content of the service, into ``states/``. Run it once for each release."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pulumi_iotda_ota
from pulumi_iotda_ota.emulator import Emulator
from tests.support.old_states import ENDPOINT, PROJECT_ID, SEED, STATES, project


def main() -> int:
    """Write both files, and return the exit code."""
    name = STATES / pulumi_iotda_ota.__version__
    state, service = name.with_name(f"{name.name}.state.json"), name.with_name(f"{name.name}.service.json")
    if state.exists():
        sys.stderr.write(f"{state} exists already, and a released state never changes\n")
        return 1
    with tempfile.TemporaryDirectory() as folder, Emulator(SEED, project_id=PROJECT_ID) as emulator:
        stack = project(Path(folder), emulator)
        stack.ok("up", "--yes", "--skip-preview")
        exported = _portable(json.loads(stack.ok("stack", "export").stdout))
        state.write_text(json.dumps(exported, indent=2).replace(emulator.endpoint, ENDPOINT) + "\n", encoding="utf-8")
        service.write_text(json.dumps(_content(emulator), indent=2) + "\n", encoding="utf-8")
    return 0


def _portable(value: Any) -> Any:
    """Return a state without source positions, which have paths of the machine that wrote it."""
    if isinstance(value, dict):
        return {name: _portable(item) for name, item in value.items() if name not in ("sourcePosition", "stackTrace")}
    return [_portable(item) for item in value] if isinstance(value, list) else value


def _content(emulator: Emulator) -> dict[str, Any]:
    """Return the content of the service as a seed."""
    requests = [request.json for request in emulator.requests if request.operation == "CreateBatchTask"]
    bodies = {body["task_name"]: body for body in requests}
    tasks = [
        {**bodies[task["task_name"]], "task_id": task["task_id"], "create_time": task["create_time"]}
        for task in emulator.tasks
    ]
    return {**SEED, "packages": emulator.packages, "tasks": tasks}


if __name__ == "__main__":
    sys.exit(main())
