"""The examples of the schema in each language; docs/_index.md shows one of them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml as pyyaml

from tests.support import generated_code
from tests.support.plugins import generated_python, has_plugin
from tests.support.prepared import SECONDS
from tools.generate.examples import EXAMPLES
from tools.generate.languages import go, python, typescript, yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.engine.conftest import Project


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_in_yaml(make_yaml: Callable[..., Project], name: str) -> None:
    """An example in YAML previews, with every name and value of it as the schema has it."""
    project = make_yaml(**pyyaml.safe_load(yaml(EXAMPLES[name])))

    project.ok("preview")


@pytest.mark.parametrize("name", ["getOtaPackage", "OtaPackage", "UpgradeTaskCompletion"])
def test_examples_in_python(make_project: Callable[..., Project], name: str) -> None:
    """An example in Python runs with the generated package and the installed plugin."""
    project = has_plugin(make_project(python(EXAMPLES[name])))
    project.environment |= {"PYTHONPATH": str(generated_python())}

    project.ok("up", "--yes", "--skip-preview")
    assert set(project.outputs()) == set(EXAMPLES[name].outputs)
    project.ok("preview", "--expect-no-changes")


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_in_python_has_right_arguments(tmp_path: Path, name: str) -> None:
    """Every example in Python passes a type check against the generated package."""
    program = tmp_path / f"{name}.py"
    program.write_text(python(EXAMPLES[name]))
    command = ["mypy", "--follow-imports=silent", "--no-incremental", str(program)]
    done = subprocess.run(
        [sys.executable, "-m", *command],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={"MYPYPATH": str(generated_python())},
    )

    assert done.returncode == 0, done.stdout


def test_examples_in_typescript_compile(tmp_path: Path) -> None:
    """Every example in TypeScript passes the strict type check of the compiler."""
    project = _node(tmp_path)
    for name in EXAMPLES:
        (project / f"{name}.ts").write_text(typescript(EXAMPLES[name]))
    done = subprocess.run(
        ["npx", "tsc", "--project", "."], cwd=project, capture_output=True, text=True, check=False, timeout=SECONDS
    )

    assert done.returncode == 0, done.stdout


def test_defaults_of_the_schema_change_nothing(make_yaml: Callable[..., Project], tmp_path: Path) -> None:
    """Generated code sends every default of the schema, and YAML none: neither is a change, and none is stored."""
    example = EXAMPLES["UpgradeTaskCompletion"]
    project = make_yaml(**pyyaml.safe_load(yaml(example)))
    project.ok("up", "--yes", "--skip-preview")
    assert _inputs(project, "canary") == {"packageIds", "groupIds", "taskName", "taskType"}

    shutil.copytree(_node(tmp_path), project.folder, dirs_exist_ok=True, symlinks=True)
    (project.folder / "index.ts").write_text(typescript(example))
    (project.folder / "Pulumi.yaml").write_text(json.dumps({"name": project.name, "runtime": "nodejs"}))
    project.ok("preview", "--expect-no-changes")
    project.ok("up", "--yes", "--skip-preview")
    assert _inputs(project, "canary") == {"packageIds", "groupIds", "taskName", "taskType"}
    assert _inputs(project, "healthy") == {"taskId", "maxFailedPercent", "timeout"}


@pytest.mark.skipif(shutil.which("go") is None, reason="Go not compiled: no go on PATH")
def test_examples_in_go_compile(tmp_path: Path) -> None:
    """Every example in Go compiles, in the format of gofmt."""
    programs = {name.lower(): go(example) for name, example in EXAMPLES.items()}
    module = generated_code.go_module(tmp_path, programs)
    # Compiled and not linked, as Go does with several packages, and not optimised: that is half of the time.
    generated_code.run_go(module, "mod", "tidy")
    generated_code.run_go(module, "build", "-gcflags=all=-N -l", "./...")

    listed = subprocess.run(["gofmt", "-l", *programs], cwd=module, capture_output=True, text=True, check=True).stdout
    assert listed == ""


def _node(folder: Path) -> Path:
    """Return a copy of the Node.js project, whose packages are those of the kept one."""
    kept, project = generated_code.node_project(), folder / "node"
    project.mkdir()
    for name in ("package.json", "tsconfig.json"):
        shutil.copy2(kept / name, project)
    (project / "node_modules").symlink_to(kept / "node_modules")
    return project


def _inputs(project: Project, name: str) -> set[str]:
    inputs: dict[str, Any] = project.resources()[name]["inputs"]
    return {key for key in inputs if not key.startswith("__")}
