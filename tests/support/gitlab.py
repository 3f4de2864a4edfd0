"""Runs the script of a GitLab job unchanged, with what a runner provides. What GitLab does around is not tried."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from tests.support.prepared import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["PIPELINE", "Ran", "run_job"]

PIPELINE = ROOT / "examples" / "gitops" / "gitlab" / ".gitlab-ci.yml"
SECONDS = 200


@dataclass(frozen=True)
class Ran:
    """A job that was executed."""

    code: int
    printed: str


def run_job(
    name: str, folder: Path, environment: Mapping[str, str], variables: Mapping[str, str], *, without: str = ""
) -> Ran:
    """Run a job of the recipes.

    Args:
        name: the job.
        folder: the project.
        environment: what the runner sets.
        variables: the variables of the project and the pipeline.
        without: a line of `before_script` to leave out.
    """
    pipeline: dict[str, Any] = yaml.safe_load(PIPELINE.read_text())
    job = pipeline[name]
    declared = {**pipeline["variables"], **job.get("variables", {})}
    # The runner replaces a variable in the value of another one; what is not there is left as it was written.
    filled = {key: variables.get(value.removeprefix("$"), value) for key, value in declared.items()}
    lines = [line for line in pipeline["default"]["before_script"] if line != without] + job["script"]
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(lines)],
        cwd=folder,
        env={**environment, **variables, **filled},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return Ran(done.returncode, done.stdout)
