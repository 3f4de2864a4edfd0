"""The direction of imports: who may know of whom, read from the sources."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "pulumi_iotda_ota"
NAME = "pulumi_iotda_ota"
FILES = sorted(PACKAGE.rglob("*.py"))

# What each room may import of this package, the longest match counts. A room may always import from itself.
ALLOWED = {
    "iotda.text": (),
    "iotda.errors": ("iotda.models",),  # for type checkers only
    "iotda": (),
    "selection": ("iotda.models", "iotda.errors"),
    "arguments": ("iotda",),
    "run": ("iotda",),
    "lookup": ("iotda", "selection", "arguments", "run"),
    "results": ("iotda", "lookup", "selection"),
    "sdk": ("iotda", "run"),
    "invocation": ("iotda", "run", "sdk"),
    "functions": ("arguments", "iotda", "invocation", "lookup", "results", "run"),
    "lifecycle": ("iotda", "lookup", "arguments", "run"),
    "dynamic": ("iotda", "lifecycle", "arguments", "run", "sdk"),
    "testing": ("iotda", "functions", "dynamic", "sdk"),
    "emulator": (),
    "connection": ("iotda", "sdk"),
    "": ("connection", "dynamic", "functions", "iotda", "results"),  # __init__
}
# Which file may import which library.
LIBRARIES = {
    "requests": ("iotda.client", "iotda.credentials", "iotda.transport"),
    "pulumi": ("functions", "invocation", "dynamic", "testing", "results", "sdk"),
    "dill": ("testing",),
    "werkzeug": ("emulator",),
    "grpc": (),
}


def module_of(file: Path) -> str:
    """Return the dotted name of a file below the package."""
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports_of(file: Path) -> set[str]:
    """Return the modules that a file imports anywhere, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.ImportFrom):
            pytest.fail(f"{file}: relative imports hide the direction")
    return found


def is_below(module: str, room: str) -> bool:
    """Return whether a module is a room or in it."""
    return module == room or module.startswith(f"{room}.")


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_rooms_import_only_what_they_may(file: Path) -> None:
    """A room imports only the rooms below it."""
    module = module_of(file)
    room = max((name for name in ALLOWED if not name or is_below(module, name)), key=len)
    own = room.split(".")[0]
    allowed = (*ALLOWED[room], own) if own else ALLOWED[room]
    ours = {name.removeprefix(f"{NAME}.") for name in imports_of(file) if name.startswith(f"{NAME}.")}

    wrong = {name for name in ours if not any(is_below(name, other) for other in allowed)}
    # `from pulumi_iotda_ota import lookup, sdk` names modules; `from ...base import UNKNOWN` names what is in one.
    assert not wrong, f"{module} imports {wrong}"


@pytest.mark.parametrize("file", FILES, ids=module_of)
def test_libraries_are_imported_in_their_place(file: Path) -> None:
    """Each library is imported by the rooms that are there for it, and by no other."""
    module = module_of(file)
    libraries = {name.split(".")[0] for name in imports_of(file)}

    wrong = {
        library
        for library, places in LIBRARIES.items()
        if library in libraries and not any(is_below(module, place) for place in places)
    }
    assert not wrong, f"{module} imports {wrong}"


def loaded_after(statement: str) -> set[str]:
    """Return the top-level modules that a fresh Python has loaded after a statement."""
    code = f"{statement}\nimport sys\nprint('\\n'.join(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module", ["iotda.client", "selection.choose", "lookup", "lifecycle.upgrade_task", "arguments"]
)
def test_pure_rooms_do_not_load_pulumi(module: str) -> None:
    """What knows nothing of Pulumi does not load it either."""
    assert "pulumi" not in loaded_after(f"import {NAME}.{module}")


def test_importing_the_package_loads_nothing_heavy() -> None:
    """`import pulumi_iotda_ota` costs a program next to nothing."""
    assert not {"requests", "pydantic", "pulumi", "grpc"} & loaded_after(f"import {NAME}")


def test_a_lookup_does_not_load_the_emulator() -> None:
    """A program that looks up loads neither the emulator nor what it needs."""
    assert not {"werkzeug"} & loaded_after(f"from {NAME} import get_ota_package, OtaPackagePin")
