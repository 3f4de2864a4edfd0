"""The direction of imports: who may know of whom, read from the sources."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import settings_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pulumi_iotda_ota.emulator import Emulator

PACKAGE = Path(__file__).parents[2] / "pulumi_iotda_ota"
NAME = "pulumi_iotda_ota"
FILES = sorted(PACKAGE.rglob("*.py"))

#: The layers of the package, the highest first. Each may import those below it, never those above it or beside it, also
#: for type checkers only. The longest match counts; "" is the package itself, which serves its names when they are
#: used.
LAYERS = (
    ("__main__",),
    ("cli", "plugin", "pytest_plugin", "testing"),
    ("",),
    ("_generated",),
    ("dynamic", "functions"),
    ("connection",),
    ("pulumi_inputs",),
    ("pulumi_compat",),
    ("lifecycle",),
    ("operations",),
    ("context",),
    ("lock",),
    ("serialization",),
    ("lookup",),
    ("message_rendering",),
    ("errors", "lazy_imports", "schema", "selection"),
    ("durations",),
    ("iotda.failed_devices",),
    ("iotda.client",),
    ("iotda.devices",),
    ("iotda.login",),
    ("iotda.executor",),
    ("iotda.api",),
    ("iotda.http",),
    ("iotda.auth",),
    ("iotda.paging",),
    ("iotda.models",),
    ("iotda.actions", "iotda.limits", "iotda.retry"),
    ("iotda.errors",),
    ("iotda.references",),
    ("iotda.case", "iotda.sanitize"),
    ("iotda",),
    ("emulator",),
)
PLACES = {part: place for place, parts in enumerate(LAYERS) for part in parts}
# Who may use the emulator, which shares no code with the client.
USERS_OF_THE_EMULATOR = ("cli", "pytest_plugin", "emulator")

# Which file may import which library.
LIBRARIES = {
    "requests": ("iotda.http.transport", "iotda.http.network"),
    "urllib3": ("iotda.http.transport", "iotda.http.bounded_socket", "iotda.http.network"),
    "pydantic": (
        "iotda.http.parsing",
        "iotda.auth.credentials",
        "iotda.auth.connection_model",
        "iotda.api.iam",
        "iotda.login",
        "iotda.models",
        "iotda.auth.sources",
        "connection",
        "emulator",
        "testing.devices",
        "testing.service",
    ),
    "pydantic_core": ("iotda.http.parsing", "iotda.http.error_responses", "selection.rules", "emulator"),
    "semver": ("selection.versions",),
    "pulumi": (
        "_generated",
        "functions.invoke",
        "dynamic",
        "testing",
        "functions.results",
        "pulumi_compat",
        "pulumi_inputs",
        "plugin.pulumi_proto",
    ),
    "dill": ("testing.monitor",),
    "pytest": ("pytest_plugin",),
    "werkzeug": ("emulator",),
    "click": ("cli",),
    "rich": ("cli.terminal",),
    "yaml": ("iotda.auth.files", "testing.monitor"),
    "grpc": ("plugin.server",),
    "google": ("plugin.server", "plugin.values"),
}

# Who reads the world itself, and why; everybody else is given a value.
WORLD = {
    "iotda.retry": {"time", "datetime"},  # the one clock, which is given to all others
    "iotda.http.bounded_socket": {"time"},  # the timeouts of sockets are real seconds, whatever clock a client has
    "iotda.http.transport": {"os"},  # requests reads the file of certificates from the environment
    "iotda.http.network": {"os"},  # requests reads the proxy from the environment; this names the variable
    "iotda.executor": {"random"},  # the jitter between attempts
    "functions.invoke": {"os"},  # an interface: the environment is read where a program calls
    "__main__": {"os"},  # a process: the path of its libraries
    "cli.main": {"os"},  # an interface: the environment of the process
    "pulumi_compat": {"os"},  # the switch of the memo
    "dynamic": {"os"},  # an interface
    "plugin.server": {"os"},  # an interface
    "testing.mocks": {"os"},  # an interface
    "pytest_plugin": {"os"},  # a process: whose environment is put in order
    "emulator": {"time", "random"},  # another program
}


def module_of(file: Path) -> str:
    """Return the dotted name of a file below the package."""
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports_of(file: Path) -> set[str]:
    """Return the modules that a file imports anywhere, also inside functions and for type checkers."""
    return imported_in(ast.walk(ast.parse(file.read_text())))


def imported_in(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the modules that these nodes import."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.ImportFrom):
            pytest.fail("relative imports hide the direction")
    return found


def world_read_in(file: Path) -> set[str]:
    """Return which of clock, chance and environment a file reads itself."""
    reads: dict[str, Callable[[str], bool]] = {
        "time": lambda name: True,
        "random": lambda name: True,
        "datetime": lambda name: name in {"now", "utcnow", "today"},
        "os": lambda name: name in {"environ", "getenv", "environb", "urandom"},
    }
    tree = ast.parse(file.read_text())
    used = [
        (node.value.id, node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    ]
    imported = imports_of(file)
    used += [(*name.split("."), "")[:2] for name in imported if name.count(".") == 1]  # type: ignore[misc]
    # A library that is not imported is a variable of that name.
    return {library for library, name in used if library in reads and library in imported and reads[library](name)}


def is_below(module: str, part: str) -> bool:
    """Return whether a module is a part of the package or in it."""
    return module == part or module.startswith(f"{part}.")


MODULES = {module_of(file): file for file in FILES}


def arrows_of(file: Path) -> set[str]:
    """Return the modules of this package that a file imports anywhere, also for type checkers only."""
    named: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            named |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = {name for name in inside if name.removeprefix(f"{NAME}.") in MODULES}
            named |= modules | ({node.module} if modules < inside else set())
    ours = {name for name in named if name.split(".")[0] == NAME}
    return {name.removeprefix(NAME).removeprefix(".") for name in ours} - {module_of(file)}


def part_of(module: str) -> str:
    """Return the part of the table that a module belongs to."""
    return max((part for part in PLACES if is_below(module, part)), key=len, default="")


def test_every_arrow_points_down() -> None:
    """A module imports only what is in its own part of the table or in a layer below it."""
    wrong = []
    for module, file in MODULES.items():
        own = part_of(module)
        others = {name: part_of(name) for name in arrows_of(file)}
        wrong += [(module, name) for name, part in others.items() if part != own and PLACES[part] <= PLACES[own]]
    assert wrong == []


def test_every_module_has_a_layer() -> None:
    """No module is outside the table."""
    assert [module for module in MODULES if module and not part_of(module)] == []


def test_no_circle() -> None:
    """No module imports itself by way of others, type-checking imports included."""
    TopologicalSorter({module: arrows_of(file) for module, file in MODULES.items()}).prepare()


def test_the_emulator_is_apart() -> None:
    """Only the command line and the pytest fixtures use the emulator."""
    users = [module for module, file in MODULES.items() if any(is_below(name, "emulator") for name in arrows_of(file))]

    assert [one for one in users if not any(is_below(one, user) for user in USERS_OF_THE_EMULATOR)] == []


def test_libraries_are_imported_in_their_place() -> None:
    """Each library is imported by the rooms that are there for it, and by no other."""
    wrong = []
    for file in FILES:
        module, libraries = module_of(file), {name.split(".")[0] for name in imports_of(file)}
        wrong += [
            (module, library)
            for library, places in LIBRARIES.items()
            if library in libraries and not any(is_below(module, place) for place in places)
        ]
    assert wrong == []


def test_clock_chance_and_environment_are_passed_in() -> None:
    """Only those that the table names read clock, chance or environment themselves."""
    wrong = {}
    for file in FILES:
        module = module_of(file)
        allowed = {library for place in WORLD if is_below(module, place) for library in WORLD[place]}
        wrong[module] = world_read_in(file) - allowed
    assert {module: libraries for module, libraries in wrong.items() if libraries} == {}


def test_the_table_of_the_world_is_not_wider_than_it_must_be() -> None:
    """What the table allows a module is used by it."""
    for place, libraries in WORLD.items():
        if place != "emulator":
            (file,) = (file for file in FILES if module_of(file) == place)
            assert world_read_in(file) == libraries


def loaded_after(statement: str) -> set[str]:
    """Return the top-level modules that a fresh Python has loaded after a statement."""
    code = f"{statement}\nimport sys\nprint('\\n'.join(sorted({{name.split('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module",
    [
        "iotda.client",
        "selection.choose",
        "lookup.find",
        "lookup.tasks",
        "lifecycle.upgrade_task.resource",
        "operations",
        "schema",
    ],
)
def test_pure_rooms_do_not_load_pulumi(module: str) -> None:
    """What knows nothing of Pulumi does not load it either."""
    assert "pulumi" not in loaded_after(f"import {NAME}.{module}")


def test_importing_the_package_loads_nothing_heavy() -> None:
    """`import pulumi_iotda_ota` costs a program next to nothing."""
    assert not {"requests", "pydantic", "pulumi", "grpc"} & loaded_after(f"import {NAME}")


@pytest.mark.parametrize(
    "given",
    [
        ["--help"],
        ["package", "get", "--help"],
        ["task", "-h"],
        ["--version"],
        ["package", "get", "--nope"],
        ["help", "connection"],
    ],
)
def test_help_of_the_command_line_loads_next_to_nothing(given: list[str]) -> None:
    """Help, a usage error and completion need neither Pulumi nor what a request needs."""
    heavy = {"requests", "pydantic", "pulumi", "grpc", "rich", "yaml", "werkzeug", "semver"}

    quiet = f"import io, sys; out, sys.stdout = sys.stdout, io.StringIO()\n{NAME}.cli.main.main({given!r})"
    assert not heavy & loaded_after(f"import {NAME}.cli.main\n{quiet}\nsys.stdout = out")


def test_a_lookup_loads_what_it_needs_and_no_more(emulator: Emulator) -> None:
    """A program that looks up loads no emulator, command line, plugin, nor what resources and tasks need."""
    code = (
        f"import sys, {NAME}\n"
        f"found = {NAME}.get_ota_package("
        "package_type='firmwarePackage', product_id='smart-meter', highest_version=True)\n"
        "print(found.version, *sorted(sys.modules))"
    )
    environ = {**os.environ, **settings_for(emulator)}
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environ)
    version, *loaded = done.stdout.split()

    assert version.startswith("V")
    assert f"{NAME}.iotda.client" in loaded
    rooms = {name.removeprefix(f"{NAME}.").split(".")[0] for name in loaded if name.startswith(f"{NAME}.")}
    assert not {"emulator", "cli", "plugin", "dynamic", "lifecycle", "testing"} & rooms
    assert not {"werkzeug", "click"} & set(loaded)


def test_the_plugin_starts_with_what_it_needs_to_answer_and_no_more() -> None:
    """The process loads neither the SDK, whose messages it speaks, nor what the first lookup needs, before the port."""
    code = "import sys, pulumi_iotda_ota.plugin.server; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())

    assert "pulumi.runtime.proto.provider_pb2" in loaded
    assert (
        not {"pulumi.resource", "pulumi.runtime.settings", "requests", "pydantic", "semver", "opentelemetry"} & loaded
    )
    assert (
        not {
            f"{NAME}.functions.invoke",
            f"{NAME}.functions.results",
            f"{NAME}.pulumi_compat",
            f"{NAME}.lookup.find",
            f"{NAME}.lifecycle.pin",
        }
        & loaded
    )
