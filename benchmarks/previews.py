"""The time that a lookup adds to `pulumi preview`, in a Python program and through the plugin in a YAML program.

Each round previews every program once. The service is the local IoTDA.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Figure, interleaved, median
from pulumi_iotda_ota.emulator import Emulator

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
ROUNDS = 9
PLUGIN = {"runtime": {"name": "python", "options": {"toolchain": "pip", "virtualenv": sys.prefix}}}
# A Python plugin with Pulumi's SDK that does nothing.
IDLE = """
import sys
from pulumi.provider.experimental import provider, server
from pulumi.provider.experimental.property_value import PropertyValue

class Idle(provider.Provider):
    async def invoke(self, request):
        return provider.InvokeResponse({"version": PropertyValue("V1")})
    async def check_config(self, request):
        return provider.CheckResponse(inputs=request.new_inputs)
    async def configure(self, request):
        return provider.ConfigureResponse()
    async def get_schema(self, request):
        function = {"outputs": {"properties": {"version": {"type": "string"}}, "required": ["version"]}}
        schema = {"name": "idle", "version": "0.1.0", "functions": {"idle:index:getVersion": function}}
        return provider.GetSchemaResponse(schema=__import__("json").dumps(schema))

server.main(sys.argv[1:], "0.1.0", Idle())
"""
LOOKUP = {
    "function": "iotda-ota:getOtaPackage",
    "arguments": {"packageType": "firmwarePackage", "productId": "smart-meter", "version": "V1.4.10"},
}
EMPTY_PYTHON = """
import pulumi
pulumi.export("version", "V1.4.10")
"""
LOOKUP_PYTHON = """
import pulumi
import pulumi_iotda_ota as iotda_ota
found = iotda_ota.get_ota_package(package_type="firmwarePackage", product_id="smart-meter", version="V1.4.10")
pulumi.export("version", found.version)
"""


def programs(folder: Path) -> dict[str, Path]:
    """Write the programs, and return the folder of each."""
    idle = _plugin(folder / "idle-plugin")
    (idle / "__main__.py").write_text(IDLE)
    ours = _plugin(folder / "our-plugin")
    shutil.copy2(ROOT / "__main__.py", ours)
    (ours / "pulumi_iotda_ota").symlink_to(ROOT / "pulumi_iotda_ota")
    installed = folder / "home" / "plugins" / "resource-iotda-ota-v0.1.0"
    shutil.copytree(ours, installed, symlinks=True)
    shutil.copy2(ROOT / "pulumi-resource-iotda-ota", installed)
    (installed / "venv").symlink_to(sys.prefix)
    return {
        "empty program": _program(folder / "empty"),
        "idle Python plugin": _program(folder / "idle", {"function": "idle:getVersion"}, idle=str(idle)),
        "a lookup, from a local path": _program(folder / "ours", LOOKUP, **{"iotda-ota": str(ours)}),
        "a lookup, installed": _program(folder / "installed", LOOKUP),
        "Python program": _python(folder / "python", EMPTY_PYTHON),
        "Python program with a lookup": _python(folder / "python-lookup", LOOKUP_PYTHON),
    }


def _python(folder: Path, program: str) -> Path:
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(json.dumps({"name": folder.name, **PLUGIN}))
    (folder / "__main__.py").write_text(program)
    return folder


def _plugin(folder: Path) -> Path:
    folder.mkdir()
    (folder / "PulumiPlugin.yaml").write_text(json.dumps(PLUGIN))
    return folder


def _program(folder: Path, invoke: dict[str, Any] | None = None, **packages: str) -> Path:
    variables = {"found": {"fn::invoke": invoke}} if invoke else {}
    outputs = {"version": "${found.version}"} if invoke else {}
    program = {"name": folder.name, "runtime": "yaml", "packages": packages}
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(json.dumps({**program, "variables": variables, "outputs": outputs}))
    return folder


def measured(folder: Path, service: Emulator) -> dict[str, list[float]]:
    """Return the seconds of a preview of each program, in every round."""
    environment = {
        **os.environ,
        **service.environment,
        "NO_PROXY": "127.0.0.1",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "bench",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    (folder / "state").mkdir()
    folders = programs(folder)

    def pulumi(program: Path, *arguments: str) -> float:
        start = time.perf_counter()
        command = ["pulumi", *arguments, "--non-interactive"]
        done = subprocess.run(command, cwd=program, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        return time.perf_counter() - start

    for program in folders.values():
        pulumi(program, "stack", "init", "bench")
        pulumi(program, "preview")
    return interleaved(ROUNDS, {name: partial(pulumi, program, "preview") for name, program in folders.items()})


def figures() -> Iterator[Figure]:
    """Measure. Needs `pulumi` on PATH."""
    with tempfile.TemporaryDirectory() as folder, Emulator() as service:
        taken = measured(Path(folder), service)

    def added(name: str, baseline: str) -> list[float]:
        return [more - less for more, less in zip(taken[name], taken[baseline], strict=True)]

    lookup = added("Python program with a lookup", "Python program")
    both = (median(taken["Python program with a lookup"]), median(taken["Python program"]))
    yield Figure(
        "a lookup in a Python program's preview",
        median(lookup),
        "s more",
        0.25,
        "the program without it",
        both,
        (min(lookup), max(lookup)),
    )
    idle = median(added("idle Python plugin", "empty program"))
    for name in ("a lookup, installed", "a lookup, from a local path"):
        found = added(name, "empty program")
        title = name.replace("a lookup,", "a lookup through the plugin,")
        spread = (min(found) / idle, max(found) / idle)
        both = (median(found), idle)
        yield Figure(title, median(found) / idle, "x", 1.5, "what an idle Python plugin adds", both, spread, aim=1.2)
