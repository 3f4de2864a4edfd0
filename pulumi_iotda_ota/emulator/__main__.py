"""The command ``python -m pulumi_iotda_ota.emulator``: one line of JSON on stdout, then serve until told to end."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pulumi_iotda_ota.emulator.instance import Emulator


_HIGHEST_PORT = 65_535
_LONGEST_LATENCY_MS = 3_600_000


@dataclass(frozen=True)
class CommandOption:
    """One option of the command.

    Attributes:
        name: with its dashes.
        help: what it is.
        type: what reads its value, or None for a flag.
        metavar: what the help calls its value.
        default: what not giving it means.
    """

    name: str
    help: str
    type: Callable[[str], Any] | None = None
    metavar: str | None = None
    default: Any = None


#: The options, for every command that starts it.
OPTIONS = (
    CommandOption("--port", "the port on 127.0.0.1; a free one by default", int, "PORT", 0),
    CommandOption("--seed", "what it holds; a small catalogue by default", Path, "FILE.json"),
    CommandOption("--project-id", "the project of all paths; another at each start by default", str, "ID"),
    CommandOption("--latency-ms", "how much longer answers take", float, "N", 0.0),
    CommandOption("--derived-only", "take the V11 signature only, as instances do"),
    CommandOption("--verbose", "tell each request on stderr"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        serve(**vars(options))
    except (ImportError, ValueError, OSError) as exc:
        print(f"emulator: {exc}", file=sys.stderr)
        return 2 if isinstance(exc, ValueError) else 1
    return 0


def _print(values: dict[str, str]) -> None:
    print(json.dumps(values), flush=True)


def serve(
    *,
    port: int = 0,
    seed: Path | None = None,
    project_id: str | None = None,
    latency_ms: float = 0.0,
    derived_only: bool = False,
    verbose: bool = False,
    tell: Callable[[dict[str, str]], None] = _print,
) -> None:
    """Tell where it listens and what it lets in, by default as one line of JSON, and serve until told to end.

    Args:
        port: the port on 127.0.0.1; 0 takes a free one.
        seed: the file that says what it holds; a small catalogue by default.
        project_id: the project of all paths; random by default.
        latency_ms: milliseconds that answers take longer.
        derived_only: take the derived signature only.
        verbose: tell each request on stderr.
        tell: is given that.

    Raises:
        ImportError: werkzeug is missing.
        ValueError: the seed is wrong, or a number is none that can be.
        OSError: the port is taken, or may not be used.
    """
    from pulumi_iotda_ota import emulator as rooms  # noqa: PLC0415 - werkzeug may be missing

    if not 0 <= port <= _HIGHEST_PORT:
        raise ValueError(f"--port must be 0 to {_HIGHEST_PORT}, not {port}")
    if not 0 <= latency_ms <= _LONGEST_LATENCY_MS:
        raise ValueError(f"--latency-ms must be 0 to {_LONGEST_LATENCY_MS}, not {latency_ms:g}")
    emulator = rooms.Emulator(
        seed,
        latency=latency_ms / 1000,
        derived_only=derived_only,
        project_id=project_id,
        port=port,
        verbose=verbose,
    )
    try:
        emulator.start()
    except OSError as exc:
        raise OSError(f"port {port}: {exc.strerror}") from exc
    try:
        _serve(emulator, tell)
    finally:
        emulator.stop()


def _serve(emulator: Emulator, tell: Callable[[dict[str, str]], None]) -> None:
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    names = ("endpoint", "access_key", "secret_key", "project_id", "region")
    tell({name: getattr(emulator, name) for name in names})
    # A wait without bound cannot be interrupted on Windows.
    while not ending.wait(0.2):
        pass


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pulumi_iotda_ota.emulator", description="Serve a local IoTDA.")
    for option in OPTIONS:
        if option.type is None:
            parser.add_argument(option.name, action="store_true", help=option.help)
        else:
            parser.add_argument(
                option.name, type=option.type, metavar=option.metavar, default=option.default, help=option.help
            )
    return parser


if __name__ == "__main__":
    sys.exit(main())
