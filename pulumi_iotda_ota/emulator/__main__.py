"""The command ``python -m pulumi_iotda_ota.emulator``: print the endpoint and the keys, then serve until a signal."""

from __future__ import annotations

import argparse
import json
import shlex
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pulumi_iotda_ota.emulator.instance import Emulator


_HIGHEST_PORT = 65_535
_LONGEST_LATENCY_MS = 3_600_000
# How each shell sets a variable: the line, and the function that quotes the value.
_SHELLS: dict[str, tuple[str, Callable[[str], str]]] = {
    "bash": ("export {}={}", shlex.quote),
    "fish": ("set -gx {} {}", lambda value: "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"),
    "powershell": ("$env:{} = {}", lambda value: "'" + value.replace("'", "''") + "'"),
}
#: The options, as argparse declares them. `iotda-ota emulator` has them too.
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "--env": {
        "nargs": "?",
        "const": "bash",
        "choices": tuple(_SHELLS),
        "help": "Print environment variables as commands of a shell, not JSON: bash (the default, zsh too), fish or "
        "powershell.",
    },
    "--port": {
        "type": int,
        "metavar": "NUMBER",
        "default": 0,
        "help": "The port on 127.0.0.1. Default: a free port.",
    },
    "--seed": {
        "type": Path,
        "metavar": "FILE",
        "help": "A JSON file with the packages and devices at the start. Default: a small catalogue.",
    },
    "--project-id": {
        "metavar": "ID",
        "help": "The project of all paths. Default: another one at each start.",
    },
    "--latency-ms": {
        "type": float,
        "metavar": "NUMBER",
        "default": 0.0,
        "help": "How many milliseconds later each response is sent.",
    },
    "--derived-only": {"action": "store_true", "help": "Accept only the V11 signature, as instances do."},
    "--verbose": {"action": "store_true", "help": "Print each request on stderr."},
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m pulumi_iotda_ota.emulator", description="Serve a local IoTDA.")
    for name, option in OPTIONS.items():
        parser.add_argument(name, **option)
    options = parser.parse_args(arguments)
    try:
        serve(**vars(options))
    except (ImportError, ValueError, OSError) as exc:
        print(f"emulator: {exc}", file=sys.stderr)
        return 2 if isinstance(exc, ValueError) else 1
    return 0


def values_of(emulator: Emulator) -> dict[str, str]:
    """Return the endpoint of an emulator, and the credentials that it accepts."""
    names = ("endpoint", "access_key", "secret_key", "project_id", "region")
    return {name: getattr(emulator, name) for name in names}


def commands_of(emulator: Emulator, shell: str) -> str:
    """Return the commands with which a shell sets the environment variables of an emulator."""
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
    """Print the endpoint and the credentials, and serve until a signal. The arguments are the options.

    Args:
        env: the shell whose commands are printed; default: one line of JSON is printed.
        port: the port on 127.0.0.1; 0 takes a free one.
        seed: the file with the packages and devices; default: a small catalogue.
        project_id: the project of all paths; default: a random one.
        latency_ms: milliseconds that each response is delayed.
        derived_only: whether only the derived signature is accepted.
        verbose: whether each request is printed on stderr.
        started: is called instead of printing.

    Raises:
        ImportError: werkzeug is missing.
        ValueError: the seed is wrong, or a number is out of range.
        OSError: the port is in use, or not allowed.
    """
    from pulumi_iotda_ota import emulator as package  # noqa: PLC0415 - werkzeug may be missing

    if not 0 <= port <= _HIGHEST_PORT:
        raise ValueError(f"--port must be 0 to {_HIGHEST_PORT}, not {port}")
    if not 0 <= latency_ms <= _LONGEST_LATENCY_MS:
        raise ValueError(f"--latency-ms must be 0 to {_LONGEST_LATENCY_MS}, not {latency_ms:g}")
    emulator = package.Emulator(
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
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    try:
        if started:
            started(emulator)
        else:
            # In one piece: a reader that sees a part of it sees all of it.
            print(commands_of(emulator, env) if env else json.dumps(values_of(emulator)), flush=True)
        # A wait without bound cannot be interrupted on Windows.
        while not ending.wait(0.2):
            pass
    finally:
        emulator.stop()


if __name__ == "__main__":
    sys.exit(main())
