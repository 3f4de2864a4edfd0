"""The command ``python -m pulumi_iotda_ota.emulator``: one line of JSON on stdout, then serve until told to end."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulumi_iotda_ota.emulator.instance import Emulator

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        from pulumi_iotda_ota import emulator as rooms  # noqa: PLC0415 - werkzeug may be missing, which is told below

        emulator = rooms.Emulator(
            options.seed,
            latency=options.latency_ms / 1000,
            derived_only=options.derived_only,
            project_id=options.project_id,
            port=options.port,
            verbose=options.verbose,
        )
    except (ImportError, ValueError) as exc:
        print(f"emulator: {exc}", file=sys.stderr)
        return 1 if isinstance(exc, ImportError) else 2
    try:
        with emulator:
            _serve(emulator)
    except OSError as exc:
        print(f"emulator: port {options.port}: {exc.strerror}", file=sys.stderr)
        return 1
    return 0


def _serve(emulator: Emulator) -> None:
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    names = ("endpoint", "access_key", "secret_key", "project_id", "region")
    print(json.dumps({name: getattr(emulator, name) for name in names}), flush=True)
    # A wait without bound cannot be interrupted on Windows.
    while not ending.wait(0.2):
        pass


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pulumi_iotda_ota.emulator", description="Serve a local IoTDA.")
    parser.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1; a free one by default")
    parser.add_argument("--seed", type=Path, metavar="FILE.json", help="what it holds; a small catalogue by default")
    parser.add_argument("--project-id", metavar="ID", help="the project of all paths; another at each start by default")
    parser.add_argument("--latency-ms", type=float, default=0.0, metavar="N", help="how much longer answers take")
    parser.add_argument("--derived-only", action="store_true", help="take the V11 signature only, as instances do")
    parser.add_argument("--verbose", action="store_true", help="tell each request on stderr")
    return parser


if __name__ == "__main__":
    sys.exit(main())
