"""Search for counterexamples for longer than a test may. ``make fuzz`` runs it.

1. Every property test of the lanes, with many more examples.
2. The emulator against its OpenAPI description, by schemathesis in a separate environment (Python 3.11 or newer).

A counterexample becomes an ordinary test. ``FUZZ_FACTOR`` and ``FUZZ_EXAMPLES`` set the number of examples.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pulumi_iotda_ota.emulator
from pulumi_iotda_ota.emulator import Emulator

ROOT = Path(__file__).parents[2]
DESCRIPTION = Path(pulumi_iotda_ota.emulator.__file__).with_name("openapi.json")
CACHE = ROOT / ".cache"
ENVIRONMENT = CACHE / "fuzz-venv"
SCHEMATHESIS = "schemathesis>=4.20,<5"
FACTOR = os.environ.get("FUZZ_FACTOR", "10")
EXAMPLES = os.environ.get("FUZZ_EXAMPLES", "100")
# Checks that the description cannot express, or that the emulated service breaks on purpose.
EXCLUDED_CHECKS = (
    # The description has no rules across fields, for references, and for states.
    "positive_data_acceptance",
    # The gateway returns 404 APIGW.0101 for a method that a path does not have.
    "unsupported_method",
    "allow_header_conformance",
)


def main() -> int:
    """Run both, print a summary, and return how many failed."""
    if sys.version_info < (3, 11):
        print("make fuzz: schemathesis needs Python 3.11 or newer; only the property tests run")
        return _properties()
    return _properties() + _description()


def _properties() -> int:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-m",
        "hypothesis",
        "-q",
        "--numprocesses",
        "2",
        "-p",
        "no:cacheprovider",
    ]
    return _run("property tests", f"{FACTOR} times the usual examples", command, FUZZ_FACTOR=FACTOR)


def _description() -> int:
    program = _schemathesis()
    with Emulator() as emulator:
        command = [
            *(str(program), "run", str(DESCRIPTION), "--url", f"{emulator.endpoint}/v5/iot/{emulator.project_id}"),
            *("--header", f"X-Auth-Token: {emulator.issue_token()}", "--max-examples", EXAMPLES, "--no-color"),
            *("--checks", "all", "--exclude-checks", ",".join(EXCLUDED_CHECKS), "--suppress-health-check", "all"),
            *("--warnings", "off", "--continue-on-failure"),
        ]
        failed = _run("the emulator's description", f"{EXAMPLES} examples an operation", command)
        print(f"{'':29}{len(emulator.requests):,} requests to the emulator")
    return failed


def _schemathesis() -> Path:
    """Return the program. The first call creates its environment."""
    program = ENVIRONMENT / "bin" / "schemathesis"
    if not program.exists():
        print("preparing .cache/fuzz-venv (once; about a minute)")
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        subprocess.run([str(ENVIRONMENT / "bin" / "pip"), "install", "--quiet", SCHEMATHESIS], check=True)
    return program


def _run(name: str, extent: str, command: list[str], **environment: str) -> int:
    """Run a command and print one line. If it failed, print its whole output, and return 1."""
    start = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n")
    summary = [line for line in done.stdout.splitlines() if re.search(r"\d+ (passed|failed)|generated", line)]
    result = "failed, see above" if done.returncode else "no counterexample"
    print(f"{name:29}{result}: {extent}, {time.monotonic() - start:.0f} s; {' '.join(summary[-1:]).strip(' =')}")
    return int(done.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
