"""The lock file as pipelines keep it: a pull request where something newer fits, and nothing where nothing does."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.gitops.conftest import Repository

LOCK = "iotda-ota.lock.json"
FIRMWARE = ("--package-type", "firmwarePackage", "--product-id")


def run(repository: Repository, *command: str) -> str:
    """Run a command of a person in the repository, that must succeed; return what it printed."""
    settings = repository.settings() | {"GIT_CONFIG_GLOBAL": "/dev/null"}
    done = subprocess.run(command, cwd=repository.folder, env=settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def opened(repository: Repository, number: int, *, fork: bool = False) -> None:
    """Let a pull request be open whose branch is called as the recipe's."""
    listed = [{"number": number, "isCrossRepository": fork}]
    (repository.base / "gh.answer").write_text(json.dumps(listed))


@pytest.fixture
def remote(repository: Repository) -> Path:
    """Lock two lookups in the repository, commit it, and return the repository that it is pushed to."""
    run(repository, "venv/bin/iotda-ota", "lock", "add", "meter", *FIRMWARE, "smart-meter", "--highest-version")
    run(repository, "venv/bin/iotda-ota", "lock", "add", "gateway", *FIRMWARE, "gateway", "--highest-version")
    bare = repository.base.parent / "remote.git"
    run(repository, "git", "init", "--quiet", "--bare", str(bare))
    run(repository, "git", "--git-dir", str(bare), "config", "receive.advertisePushOptions", "true")
    hook = bare / "hooks" / "post-receive"
    hook.write_text("#!/bin/sh\nenv | grep ^GIT_PUSH_OPTION_ | sort > push-options\n")
    hook.chmod(0o755)
    (repository.folder / ".gitignore").write_text("venv\nchange.md\nbody.md\n")
    run(repository, "git", "init", "--quiet", "--initial-branch", "main")
    run(repository, "git", "add", ".")
    author = ("-c", "user.name=developer", "-c", "user.email=developer@example.com")
    run(repository, "git", *author, "commit", "--quiet", "--message", "Begin")
    run(repository, "git", "remote", "add", "origin", str(bare))
    run(repository, "git", "push", "--quiet", "origin", "main")
    repository.environment |= {
        "GIT_CONFIG_GLOBAL": "/dev/null",
        # GitLab's job pushes to an address, which leads here.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{bare}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://gitlab-ci-token:of-the-job@gitlab.example.com/acme/meters.git",
    }
    return bare


def test_nothing_new_opens_nothing(repository: Repository, remote: Path) -> None:
    """If the lock file is up to date, it stays untouched, and no review is requested."""
    before = (repository.folder / LOCK).read_bytes()
    job = repository.job("lock-update")

    assert job.run(without=("Install",)) == 0, job.printed
    assert (repository.folder / LOCK).read_bytes() == before
    assert [asked[:2] for asked in repository.asked_of_gh()] == [["pr", "list"]]
    assert run(repository, "git", "ls-remote", "origin", "lock-update") == ""


def test_a_newer_package_is_a_pull_request(repository: Repository, remote: Path) -> None:
    """What matches now is committed on a branch, with the words of the change; a second time it is the same request."""
    newer = repository.service.add_package(product_id="smart-meter", version="V1.6.0")
    job = repository.job("lock-update")

    assert job.run(without=("Install",)) == 0, job.printed
    setup, listed, (*words, body) = repository.asked_of_gh()
    assert (setup, listed[:2]) == (["auth", "setup-git"], ["pr", "list"])
    assert words == ["pr", "create", "--head", "lock-update", "--title", "Take newer OTA packages", "--body-file"]
    fence, first, *_, end = body.splitlines()
    assert (fence, first, end) == ("````", "meter: V1.4.11 -> V1.6.0", "````")
    assert "gateway" not in body
    assert newer in run(repository, "git", "--git-dir", str(remote), "show", f"lock-update:{LOCK}")
    message = run(repository, "git", "--git-dir", str(remote), "log", "-1", "--format=%B", "lock-update")
    assert message == "Take newer OTA packages\n\n" + body.strip("`\n")

    run(repository, "git", "switch", "--quiet", "main")
    (repository.base / "gh.log").unlink()
    opened(repository, 12)
    again = repository.job("lock-update")
    assert again.run(without=("Install",)) == 0, again.printed
    assert repository.asked_of_gh()[-1] == ["pr", "edit", "12", "--body-file", body]


def test_a_request_of_a_fork_is_not_taken_for_ours(repository: Repository, remote: Path) -> None:
    """A fork may call its branch as ours is called: its request gets no words of ours, and ours is opened."""
    repository.service.add_package(product_id="smart-meter", version="V1.6.0")
    opened(repository, 66, fork=True)
    job = repository.job("lock-update")

    assert job.run(without=("Install",)) == 0, job.printed
    assert repository.asked_of_gh()[-1][:2] == ["pr", "create"]


def test_what_was_offered_and_fits_no_more_is_taken_back(repository: Repository, remote: Path) -> None:
    """A request for a package that is gone again is closed, so that no reviewer merges it later."""
    newer = repository.service.add_package(product_id="smart-meter", version="V1.6.0")
    assert repository.job("lock-update").run(without=("Install",)) == 0
    run(repository, "git", "switch", "--quiet", "main")
    repository.service.delete_package(newer)
    opened(repository, 12)
    job = repository.job("lock-update")

    assert job.run(without=("Install",)) == 0, job.printed
    assert repository.asked_of_gh()[-1][:3] == ["pr", "close", "12"]


def test_a_name_that_fails_holds_up_no_other(repository: Repository, remote: Path) -> None:
    """Where one lookup finds nothing any more, the other is still offered, and the job fails."""
    for package in repository.service.packages:
        if (package["product_id"], package["package_type"]) == ("gateway", "firmwarePackage"):
            repository.service.delete_package(package["package_id"])
    repository.service.add_package(product_id="smart-meter", version="V1.6.0")
    job = repository.job("lock-update")

    assert job.run(without=("Install",)) == 1
    assert [step.name for step in job.steps][-2:] == ["Pull request", "Result"]
    assert [step.code for step in job.steps][-2:] == [0, 1]
    assert repository.asked_of_gh()[-1][1] == "create"


def test_on_gitlab(repository: Repository, remote: Path) -> None:
    """There the push itself opens the merge request; where nothing is new nothing is pushed, but to take one back."""
    place = {"CI_SERVER_HOST": "gitlab.example.com", "CI_PROJECT_PATH": "acme/meters", "CI_JOB_TOKEN": "of-the-job"}
    repository.variables |= {**place, "CI_DEFAULT_BRANCH": "main"}
    assert repository.gitlab("lock-update").code == 0
    assert run(repository, "git", "ls-remote", "origin", "lock-update") == ""

    newer = repository.service.add_package(product_id="smart-meter", version="V1.6.0")
    job = repository.gitlab("lock-update")

    assert job.code == 0, job.printed
    options = (remote / "push-options").read_text()
    assert "merge_request.create\n" in options
    assert "merge_request.target=main\n" in options
    assert "merge_request.title=Take newer OTA packages\n" in options
    shown = run(repository, "git", "--git-dir", str(remote), "show", "--format=%B", "lock-update")
    assert "Take newer OTA packages\n\n    meter: V1.4.11 -> V1.6.0\n      package" in shown

    repository.service.delete_package(newer)
    run(repository, "git", "switch", "--quiet", "main")
    job = repository.gitlab("lock-update")

    assert job.code == 0, job.printed
    offered, kept = (run(repository, "git", "ls-remote", "origin", name).split()[0] for name in ("lock-update", "main"))
    assert offered == kept
