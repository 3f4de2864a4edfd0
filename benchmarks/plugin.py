"""What the plugin adds to `pulumi preview`, as ratios within one run: against an idle Python plugin, and nothing.

Each round previews every program once, in turn, so that whatever else the machine does falls on all of them alike. The
service is the local IoTDA. Run it with ``make bench``; ``--json`` prints the figures for a program to read.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from pulumi_iotda_ota.emulator import Emulator

ROOT = Path(__file__).parents[1]
ROUNDS = 9
PLUGIN = {"runtime": {"name": "python", "options": {"toolchain": "pip", "virtualenv": sys.prefix}}}
# As a Python plugin is written with Pulumi's SDK, with nothing to do.
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


def programs(folder: Path) -> dict[str, Path]:
    """Make the programs, and return the folder of each."""
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
    }


def _plugin(folder: Path) -> Path:
    folder.mkdir()
    (folder / "PulumiPlugin.yaml").write_text(json.dumps(PLUGIN))
    return folder


def _program(folder: Path, invoke: dict[str, Any] | None = None, **packages: str) -> Path:
    variables = {"asked": {"fn::invoke": invoke}} if invoke else {}
    outputs = {"version": "${asked.version}"} if invoke else {}
    program = {"name": folder.name, "runtime": "yaml", "packages": packages}
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(json.dumps({**program, "variables": variables, "outputs": outputs}))
    return folder


def measured(folder: Path, service: Emulator) -> dict[str, float]:
    """Return the median seconds of a preview of each program."""
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
    made = programs(folder)

    def pulumi(place: Path, *arguments: str) -> float:
        begun = time.perf_counter()
        command = ["pulumi", *arguments, "--non-interactive"]
        done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        return time.perf_counter() - begun

    taken: dict[str, list[float]] = {name: [] for name in made}
    for place in made.values():
        pulumi(place, "stack", "init", "bench")
        pulumi(place, "preview")
    for _ in range(ROUNDS):
        for name, place in made.items():
            taken[name].append(pulumi(place, "preview"))
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    as_json = parser.parse_args().json
    if shutil.which("pulumi") is None:
        print("plugin not measured: no pulumi on PATH")
        return
    with tempfile.TemporaryDirectory() as folder, Emulator() as service:
        seconds = measured(Path(folder), service)
    empty, idle = seconds["empty program"], seconds["idle Python plugin"]
    rows = {
        name: {"seconds": taken, "against_idle": (taken - empty) / (idle - empty)} for name, taken in seconds.items()
    }
    if as_json:
        print(json.dumps({"rounds": ROUNDS, "preview": rows}, indent=2))
        return
    print(f"pulumi preview of a YAML program, median of {ROUNDS} rounds; what is added, against an idle Python plugin")
    print(f"{'':<32}{'seconds':>9}{'added':>9}{'against idle':>15}")
    for name, row in rows.items():
        print(f"{name:<32}{row['seconds']:>9.2f}{row['seconds'] - empty:>9.2f}{row['against_idle']:>13.2f} x")


if __name__ == "__main__":
    main()
