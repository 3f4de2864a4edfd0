"""Looks for counterexamples for longer than a test may: ``make fuzz`` starts it, and says what it did in a few lines.

1. Every property test of the lanes, with many more examples.
2. The emulator against its own description, by schemathesis, from an environment of its own (Python 3.11 or newer).

What it finds becomes an ordinary test. ``FUZZ_FACTOR`` and ``FUZZ_EXAMPLES`` say how long it looks.
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
# What the description can not say, or the emulated service does otherwise on purpose.
NOT_HELD = (
    # Rules that join two fields, references and states are no part of the description.
    "positive_data_acceptance",
    # The gateway answers 404 APIGW.0101 to a method that a path does not have.
    "unsupported_method",
    "allow_header_conformance",
)


def main() -> int:
    """Run both, tell how they went, and return how many failed."""
    if sys.version_info < (3, 11):
        print("make fuzz: schemathesis needs Python 3.11 or newer; only the property tests are run")
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
    return _told("property tests", f"{FACTOR} times the usual examples", command, FUZZ_FACTOR=FACTOR)


def _description() -> int:
    program = _schemathesis()
    with Emulator() as emulator:
        command = [
            *(str(program), "run", str(DESCRIPTION), "--url", f"{emulator.endpoint}/v5/iot/{emulator.project_id}"),
            *("--header", f"X-Auth-Token: {emulator.issue_token()}", "--max-examples", EXAMPLES, "--no-color"),
            *("--checks", "all", "--exclude-checks", ",".join(NOT_HELD), "--suppress-health-check", "all"),
            *("--warnings", "off", "--continue-on-failure"),
        ]
        failed = _told("the emulator's description", f"{EXAMPLES} examples an operation", command)
        print(f"{'':29}{len(emulator.requests):,} requests to the emulator")
    return failed


def _schemathesis() -> Path:
    """Return the program, in an environment that is made at the first use."""
    program = ENVIRONMENT / "bin" / "schemathesis"
    if not program.exists():
        print("preparing .cache/fuzz-venv (once; about a minute)")
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(ENVIRONMENT)], check=True)
        subprocess.run([str(ENVIRONMENT / "bin" / "pip"), "install", "--quiet", SCHEMATHESIS], check=True)
    return program


def _told(what: str, how: str, command: list[str], **environment: str) -> int:
    """Run a command, print one line if it found nothing and all that it said if it did; return 1 if it did."""
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n")
    summary = [line for line in done.stdout.splitlines() if re.search(r"\d+ (passed|failed)|generated", line)]
    found = "found something, see above" if done.returncode else "nothing found"
    print(f"{what:29}{found}: {how}, {time.monotonic() - began:.0f} s; {' '.join(summary[-1:]).strip(' =')}")
    return int(done.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
