"""The command ``python -m pulumi_iotda_ota.emulator``: prints how to reach it, then serves until it is stopped."""

from __future__ import annotations

import argparse
import json
import shlex
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
        default: the value if the option is not given.
        choices: the values that there are, or none for any value.
        alone: the value if the option is given without one; empty if it needs one.
    """

    name: str
    help: str
    type: Callable[[str], Any] | None = None
    metavar: str | None = None
    default: Any = None
    choices: tuple[str, ...] = ()
    alone: str = ""


# How each shell sets a variable: the line, and what quotes the value.
_SHELLS: dict[str, tuple[str, Callable[[str], str]]] = {
    "bash": ("export {}={}", shlex.quote),
    "fish": ("set -gx {} {}", lambda value: "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"),
    "powershell": ("$env:{} = {}", lambda value: "'" + value.replace("'", "''") + "'"),
}
#: The options, for every command that starts it.
OPTIONS = (
    CommandOption(
        "--env",
        "print environment variables as commands of a shell, not JSON: bash (the default, zsh too), fish or powershell",
        str,
        choices=tuple(_SHELLS),
        alone="bash",
    ),
    CommandOption("--port", "the port on 127.0.0.1; default: a free port", int, "NUMBER", 0),
    CommandOption("--seed", "a JSON file with what it holds; default: a small catalogue", Path, "FILE"),
    CommandOption("--project-id", "the project of all paths; default: another one at each start", str, "ID"),
    CommandOption("--latency-ms", "how many milliseconds later each response is sent", float, "NUMBER", 0.0),
    CommandOption("--derived-only", "accept only the V11 signature, as instances do"),
    CommandOption("--verbose", "print each request on stderr"),
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


def values_of(emulator: Emulator) -> dict[str, str]:
    """Return where an emulator listens, and which credentials it accepts."""
    names = ("endpoint", "access_key", "secret_key", "project_id", "region")
    return {name: getattr(emulator, name) for name in names}


def commands_of(emulator: Emulator, shell: str) -> str:
    """Return the commands with which a shell sets the environment variables that lead to an emulator."""
    line, quote = _SHELLS[shell]
    return "\n".join(line.format(name, quote(value)) for name, value in emulator.environment.items())


def serve(
    *,
    env: str | None = None,
    port: int = 0,
    seed: Path | None = None,
    project_id: str | None = None,
    latency_ms: float = 0.0,
    derived_only: bool = False,
    verbose: bool = False,
    started: Callable[[Emulator], None] | None = None,
) -> None:
    """Print where it listens and which credentials it accepts, and serve until it is stopped.

    Args:
        env: the shell whose commands are printed; by default one line of JSON is.
        port: the port on 127.0.0.1; 0 takes a free one.
        seed: the file that says what it holds; a small catalogue by default.
        project_id: the project of all paths; random by default.
        latency_ms: milliseconds that answers take longer.
        derived_only: take the derived signature only.
        verbose: print each request on stderr.
        started: is called instead of printing.

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
        _serve(emulator, started or (lambda running: print(_text(running, env), flush=True)))
    finally:
        emulator.stop()


def _text(emulator: Emulator, env: str | None) -> str:
    # In one piece: a reader that sees a part of it sees all of it.
    return commands_of(emulator, env) if env else json.dumps(values_of(emulator))


def _serve(emulator: Emulator, started: Callable[[Emulator], None]) -> None:
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    started(emulator)
    # A wait without bound cannot be interrupted on Windows.
    while not ending.wait(0.2):
        pass


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pulumi_iotda_ota.emulator", description="Serve a local IoTDA.")
    for option in OPTIONS:
        if option.type is None:
            parser.add_argument(option.name, action="store_true", help=option.help)
        else:
            more: dict[str, Any] = {"nargs": "?", "const": option.alone} if option.alone else {}
            parser.add_argument(
                option.name,
                type=option.type,
                choices=option.choices or None,
                metavar=option.metavar,
                default=option.default,
                help=option.help,
                **more,
            )
    return parser


if __name__ == "__main__":
    sys.exit(main())
