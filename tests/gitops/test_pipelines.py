"""The pipelines of the recipes, step by step on the real engine: signed in by the token of the job, without a key."""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from pulumi_iotda_ota.iotda.auth.connection import resolve
from pulumi_iotda_ota.iotda.client import Client
from tests.support.prepared import SECONDS, users_wheel
from tests.support.processes import kill_session

if TYPE_CHECKING:
    from tests.gitops.conftest import Repository

pytestmark = pytest.mark.engine
V1411 = "8e99e4f7765dfb08dbfee0054d004b3b"
NOT_INSTALLED = ("Install",)


def pulumi(repository: Repository, *arguments: str) -> str:
    """Run a command of a person at the same stack, that must succeed; return what it printed."""
    done = subprocess.run(
        ["pulumi", *arguments, "--non-interactive"],
        cwd=repository.folder,
        env=repository.settings(),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def stack(repository: Repository) -> Repository:
    """Return the repository with its stack."""
    pulumi(repository, "stack", "init", "prod")
    return repository


def test_a_pull_request_shows_what_it_would_do(stack: Repository) -> None:
    """The preview signs in by the job's token alone, and its text is the comment and the summary."""
    (stack.folder / "venv").unlink()
    (stack.folder / "requirements.txt").write_text(f"{users_wheel()}\n")
    job = stack.job("preview")

    assert job.run() == 0, job.printed
    assert [step.name for step in job.steps] == ["Install", "Sign in", "Preview", "Comment"]
    ((*words, comment),) = stack.asked_of_gh()
    assert words == ["pr", "comment", "7", "--edit-last", "--create-if-none", "--body-file"]
    assert comment == job.summary
    assert comment.startswith("### Preview of prod\n````\n")
    assert V1411 in comment
    assert "UpgradeTask" in comment
    assert stack.service.tasks == []
    operations = {request.operation for request in stack.service.requests}
    assert {"CreateUnscopedTokenWithIdToken", "CreateTemporaryAccessKey"} <= operations
    assert stack.service.access_key not in str([dict(request.headers) for request in stack.service.requests])
    assert (job.runner / "id-token").stat().st_mode & 0o077 == 0


def test_a_pull_request_with_another_package_fails(stack: Repository) -> None:
    """An id that the selection does not return fails the preview, and the comment names the one that it returns."""
    newer = stack.service.add_package(product_id="smart-meter", version="V1.4.12")
    job = stack.job("preview")

    assert job.run(without=NOT_INSTALLED) == 1
    comment = stack.asked_of_gh()[0][-1]
    assert comment.startswith("### Preview of prod: exit code 1\n")
    assert V1411 in comment
    assert newer in comment


def test_a_token_that_is_refused_ends_the_job(stack: Repository) -> None:
    """If the job gets no token, it sends no request to the service."""
    job = stack.job("preview")
    job.environment["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = "of-somebody-else"

    assert job.run(without=NOT_INSTALLED) == 22
    assert [step.name for step in job.steps] == ["Sign in"]
    assert stack.service.requests == []


def test_what_was_reviewed_is_what_is_applied(stack: Repository) -> None:
    """What was uploaded while the gate was closed is refused: no task is created. What was reviewed goes through."""
    newer = stack.service.add_package(product_id="smart-meter", version="V1.4.12")
    late = stack.job("up")

    assert late.run(without=NOT_INSTALLED) == 1
    assert newer in late.summary
    assert stack.service.tasks == []

    stack.service.delete_package(newer)
    job = stack.job("up")
    assert job.run(without=NOT_INSTALLED) == 0, job.printed
    assert [task["document"]["package_ids"] for task in stack.service.tasks] == [[V1411], [V1411]]
    assert "### Update of prod" in job.summary


def test_an_update_that_was_killed_is_recovered(stack: Repository) -> None:
    """A runner that dies in the middle of a creation leaves a lock and a task; the recovery goes on with that task."""
    held = stack.service.faults.add(operation="CreateBatchTask", delay=2, accept=True, wire="drop", times=1)
    job = stack.job("up")
    assert job.run(without=("Install", "Up", "Summary")) == 0
    process = job.start("Up")
    while not held.hits:
        assert process.poll() is None
        time.sleep(0.05)
    kill_session(process)
    until = time.monotonic() + 30
    while not stack.service.tasks and time.monotonic() < until:
        time.sleep(0.1)

    locked = stack.job("up")
    assert locked.run(without=NOT_INSTALLED) != 0
    assert "lock" in locked.printed

    recover = stack.job("recover")
    assert recover.run(without=NOT_INSTALLED) == 0, recover.printed
    groups = [task["targets_filter"]["group_ids"] for task in stack.service.tasks]
    assert sorted(groups) == [["canary"], ["fleet"]]


def test_the_drift_check_tells_what_is_which(stack: Repository) -> None:
    """Nothing new is 0; a newer upload, and a change of the program that was not applied, are 7."""
    pulumi(stack, "up", "--yes", "--skip-preview", "--stack", "prod")
    same = stack.job("drift")
    assert same.run(without=NOT_INSTALLED) == 0, same.printed
    assert same.summary == "nothing is gone, and no other version matches\n"

    stack.service.add_package(product_id="smart-meter", version="V1.4.12")
    program = stack.folder / "__main__.py"
    program.write_text(program.read_text().replace('timeout="2h"', 'timeout="3h"'))
    changed = stack.job("drift")
    assert changed.run(without=NOT_INSTALLED) == 7
    assert [step.code for step in changed.steps] == [0, 7, 7]
    assert changed.summary == "meter: V1.4.12 matches, V1.4.11 is pinned\n"


def test_the_drift_check_and_what_is_gone(stack: Repository) -> None:
    """A deleted package fails the preview. The refresh reports deleted packages and tasks."""
    pulumi(stack, "up", "--yes", "--skip-preview", "--stack", "prod")
    stack.service.delete_package(V1411)
    with Client(resolve(None, config={}, environ=stack.service.environment)) as client:
        for task in stack.service.tasks:
            client.delete_batch_task(task["task_id"])

    job = stack.job("drift")

    assert job.run(without=NOT_INSTALLED) == 1
    assert [step.code for step in job.steps] == [0, 1, 7]
    assert "meter: package V1.4.11 is gone" in job.summary
    assert "canary: the upgrade task is gone" in job.summary


def test_gitlab(stack: Repository) -> None:
    """On GitLab the same: preview, update, a drift check that finds something newer, a recovery that has no need to."""
    preview = stack.gitlab("preview")
    assert preview.code == 0, preview.printed
    assert V1411 in (stack.folder / "preview.txt").read_text()
    assert stack.service.tasks == []

    up = stack.gitlab("up")
    assert up.code == 0, up.printed
    assert len(stack.service.tasks) == 2

    newer = stack.service.add_package(product_id="smart-meter", version="V1.4.12")
    drift = stack.gitlab("drift")
    assert (drift.code, "meter: V1.4.12 matches" in drift.printed) == (7, True)
    stack.service.delete_package(newer)
    recover = stack.gitlab("recover")
    assert recover.code == 0, recover.printed
    assert len(stack.service.tasks) == 2
    assert stack.service.access_key not in str([dict(request.headers) for request in stack.service.requests])


def test_standing_reads_both_kinds_of_resources(stack: Repository) -> None:
    """What a refresh noted is read from resources of Python and of the plugin alike."""
    names = {
        "urn": "urn:pulumi:prod::meters::iotda-ota:index:OtaPackagePin::meter",
        "type": "iotda-ota:index:OtaPackagePin",
    }
    outputs = {"version": "V1", "availableVersion": "V2", "exists": True}
    state = {"deployment": {"resources": [{**names, "outputs": outputs}]}}

    done = subprocess.run(
        ["python3", "scripts/drift_report.py"],
        cwd=stack.folder,
        input=json.dumps(state),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (7, "meter: V2 matches, V1 is pinned\n")
