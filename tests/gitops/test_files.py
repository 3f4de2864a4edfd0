"""The files of the recipes are of the form that their readers want, and as careful as they say."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.gitops.conftest import RECIPES
from tests.support.github import WORKFLOWS, workflow
from tests.support.gitlab import PIPELINE
from tests.support.prepared import ROOT

if TYPE_CHECKING:
    from pathlib import Path

NAMES = sorted(path.stem for path in WORKFLOWS.glob("*.yml"))
SCHEMAS: list[tuple[Path, list[str]]] = [
    *((WORKFLOWS / f"{name}.yml", ["--builtin-schema", "vendor.github-workflows"]) for name in NAMES),
    (PIPELINE, ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]),
]


def only_job(name: str) -> dict[str, Any]:
    """Return the job of a workflow."""
    (job,) = workflow(name)["jobs"].values()
    found: dict[str, Any] = job
    return found


@pytest.mark.parametrize(("file", "schema"), SCHEMAS, ids=lambda value: getattr(value, "name", ""))
def test_the_form_is_right(file: Path, schema: list[str]) -> None:
    """Each file holds against the published schema of its kind."""
    command = [sys.executable, "-m", "check_jsonschema", *schema, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_allowed_that_is_not_needed(name: str) -> None:
    """A workflow may do nothing by itself, each job what it needs; a checkout keeps no token; every job ends."""
    job = only_job(name)

    assert workflow(name)["permissions"] == {}
    assert job["permissions"]["id-token"] == "write"
    assert job["timeout-minutes"] <= 300
    assert set(job["permissions"]) <= {"contents", "id-token", "pull-requests"}
    (checkout,) = (step for step in job["steps"] if str(step.get("uses", "")).startswith("actions/checkout@"))
    assert checkout["with"]["persist-credentials"] is False


@pytest.mark.parametrize("name", NAMES)
def test_actions_are_pinned_by_commit(name: str) -> None:
    """Every action is named by a whole commit, its version beside it."""
    lines = [line for line in (WORKFLOWS / f"{name}.yml").read_text().splitlines() if "uses:" in line]

    assert lines
    assert [line for line in lines if not re.search(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line)] == []


def test_one_at_a_time_writes_the_state() -> None:
    """What writes the state of the stack is of one group, and none of it is cut off while it runs."""
    groups = {name: workflow(name)["concurrency"] for name in NAMES}
    writing = {"group": "pulumi-prod", "cancel-in-progress": False}
    pipeline = yaml.safe_load(PIPELINE.read_text())

    assert {name for name, group in groups.items() if group == writing} >= {"up", "recover", "drift"}
    assert {pipeline[name]["resource_group"] for name in ("up", "recover", "drift")} == {"pulumi-prod"}


def test_an_update_waits_for_a_person() -> None:
    """Updates are jobs of a protected environment; on GitLab they are started by hand."""
    pipeline = yaml.safe_load(PIPELINE.read_text())

    for name in ("up", "recover"):
        assert only_job(name)["environment"] == "production"
        assert pipeline[name]["environment"]["name"] == "production"
        assert [rule["when"] for rule in pipeline[name]["rules"]] == ["manual"]


def test_no_key_is_kept() -> None:
    """No recipe reads an access key or a password of the cloud: only what a pipeline's token is exchanged with."""
    texts = [(WORKFLOWS / f"{name}.yml").read_text() for name in NAMES] + [PIPELINE.read_text()]

    assert not re.findall(r"HW_ACCESS_KEY|HW_SECRET_KEY|HW_USER_PASSWORD|HUAWEICLOUD_SDK_[AS]K", "".join(texts))
    assert {found for text in texts for found in re.findall(r"secrets\.(\w+)", text)} == {"PULUMI_CONFIG_PASSPHRASE"}


def test_the_page_shows_the_program() -> None:
    """The pin that the page shows is that of the program; its requirement is this checkout, with its commands."""
    (snippet,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "gitops.md").read_text(), re.DOTALL)
    (requirement,) = (RECIPES / "meters" / "requirements.txt").read_text().split()

    assert snippet in (RECIPES / "meters" / "__main__.py").read_text()
    assert requirement.endswith("[cli]")  # `iotda-ota` of the recipes needs it
    checkout = RECIPES / "meters" / requirement.removesuffix("[cli]")
    assert 'name = "pulumi-iotda-ota"' in (checkout / "pyproject.toml").read_text()


def test_the_page_shows_what_the_recipes_run() -> None:
    """Each command of the page is in a recipe, except for the stack and the options against prompts."""
    page = re.sub(r"```python.*?```", "", (ROOT / "docs" / "gitops.md").read_text(), flags=re.DOTALL)
    texts = "".join((WORKFLOWS / f"{name}.yml").read_text() for name in NAMES)
    ran = re.sub(r" --stack \S+| --non-interactive| --color never|scripts/", "", texts).replace("python3", "python")

    lines = "".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL)).splitlines()
    assert len(lines) == 5
    assert [line for line in lines if line not in ran] == []


def test_code_of_a_fork_gets_nothing() -> None:
    """A preview runs code of a pull request only of this repository, and with an account that may only read."""
    assert only_job("preview")["if"] == "github.event.pull_request.head.repo.full_name == github.repository"
    assert only_job("preview")["env"]["HW_ASSUME_ROLE_IDP_ID"] == "${{ vars.OIDC_PREVIEW_IDP }}"
