"""Runs the steps of a GitHub workflow unchanged, with what a runner provides. What GitHub does around is not tried.

The shell that the workflow names executes a `run:` in the folder of the repository, with the environment of
the job and what earlier steps wrote to GITHUB_ENV. A `uses:` is skipped. An expression that is not known here is
an error, never an empty text.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from tests.support.prepared import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["WORKFLOWS", "Job", "Step", "workflow"]

WORKFLOWS = ROOT / "examples" / "gitops" / "github" / "workflows"
SECONDS = 200
# What GitHub starts for `shell: bash`.
BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]


@dataclass(frozen=True)
class Step:
    """A step that was executed."""

    name: str
    code: int
    printed: str


@dataclass
class Job:
    """The one job of a workflow, run step by step.

    Attributes:
        folder: the repository.
        runner: a folder of the runner's own.
        environment: what the runner sets for every step.
        variables: the values of `vars`, `secrets` and others by their dotted names.
    """

    definition: Mapping[str, Any]
    folder: Path
    runner: Path
    environment: dict[str, str]
    variables: Mapping[str, str]
    steps: list[Step] = field(default_factory=list)
    _outputs: dict[str, str] = field(default_factory=dict)

    def run(self, *, without: tuple[str, ...] = ()) -> int:
        """Run all steps, but those that are named, and return the exit code of the first that failed, or 0."""
        for step in self.definition["steps"]:
            if "run" in step and step["name"] not in without and self._is_due(step):
                self.steps.append(self._executed(step))
        return next((step.code for step in self.steps if step.code), 0)

    @property
    def summary(self) -> str:
        """Return what the steps wrote to the summary."""
        return self._file("summary").read_text()

    @property
    def printed(self) -> str:
        """Return all that the steps printed."""
        return "".join(step.printed for step in self.steps)

    def start(self, name: str) -> subprocess.Popen[bytes]:
        """Start one step in a separate session, to be killed as a runner is."""
        step = next(step for step in self.definition["steps"] if step.get("name") == name)
        return subprocess.Popen(
            self._command(step),
            cwd=self.folder,
            env=self._environment_of(step),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _is_due(self, step: Mapping[str, Any]) -> bool:
        failed = any(done.code for done in self.steps)
        condition = step.get("if", "")
        for name, value in re.findall(r"steps\.(\w+\.outputs\.\w+) == '(\w+)'", condition):
            if self._outputs.get(name) != value:
                return False
        for file in re.findall(r"hashFiles\('([^']+)'\) != ''", condition):
            if not (self.folder / file).exists():
                return False
        return not failed or "!cancelled()" in condition

    def _executed(self, step: Mapping[str, Any]) -> Step:
        done = subprocess.run(
            self._command(step),
            cwd=self.folder,
            env=self._environment_of(step),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        told = [line.split("=", 1) for line in self._file("output").read_text().splitlines()]
        self._outputs |= {f"{step.get('id', '')}.outputs.{name}": value for name, value in told}
        self._file("output").write_text("")
        return Step(step["name"], done.returncode, done.stdout)

    def _command(self, step: Mapping[str, Any]) -> list[str]:
        script = self.runner / "step.sh"
        script.write_text(self._filled(step["run"]))
        return [*BASH, str(script)]

    def _environment_of(self, step: Mapping[str, Any]) -> dict[str, str]:
        declared = {**self.definition.get("env", {}), **step.get("env", {})}
        written = [line.split("=", 1) for line in self._file("env").read_text().splitlines()]
        return {
            **self.environment,
            **{name: self._filled(str(value)) for name, value in declared.items()},
            **dict(written),
            "GITHUB_ENV": str(self._file("env")),
            "GITHUB_OUTPUT": str(self._file("output")),
            "GITHUB_STEP_SUMMARY": str(self._file("summary")),
            "RUNNER_TEMP": str(self.runner),
        }

    def _file(self, name: str) -> Path:
        file = self.runner / name
        file.touch()
        return file

    def _filled(self, text: str) -> str:
        known = {**self.variables, **{f"steps.{name}": value for name, value in self._outputs.items()}}
        return re.sub(r"\$\{\{ *(.+?) *\}\}", lambda found: known[found[1]], text)


def workflow(name: str) -> dict[str, Any]:
    """Return a workflow of the recipes."""
    found: dict[str, Any] = yaml.safe_load((WORKFLOWS / f"{name}.yml").read_text())
    return found
