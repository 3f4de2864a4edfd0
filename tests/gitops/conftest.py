"""A repository as the recipes want it, a service, and the accounts behind it: an identity provider and its tokens."""

from __future__ import annotations

import json
import os
import shutil
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.engine.conftest import KEPT, make_project, vault
from tests.support.github import Job, workflow
from tests.support.gitlab import Ran, run_job
from tests.support.prepared import GO, ROOT, pip_settings, users_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator

__all__ = ["RECIPES", "Repository", "make_project", "repository", "token_url", "vault"]

RECIPES = ROOT / "examples" / "gitops"
AUDIENCE = "huawei"
REQUEST_TOKEN = "token-of-the-runner"


@dataclass
class Repository:
    """A repository with the program and the scripts of the recipes, and what pipelines know of it.

    Attributes:
        folder: where it is checked out.
        environment: what every process of a runner is given: no credentials among it.
        variables: the variables and secrets that its owner has set.
        service: the service that it is about.
        base: a folder for runners.
    """

    folder: Path
    environment: dict[str, str]
    variables: dict[str, str]
    service: Emulator
    base: Path
    token_url: str

    def job(self, name: str) -> Job:
        """Return the job of a GitHub workflow, on a separate runner."""
        (definition,) = workflow(name)["jobs"].values()
        runner = self.base / f"runner-{len(list(self.base.iterdir()))}"
        runner.mkdir()
        given = {
            **self.environment,
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.token_url}/token?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_TOKEN,
        }
        values = {f"{kind}.{name}": value for name, value in self.variables.items() for kind in ("vars", "secrets")}
        values |= {"github.token": "token-of-the-job", "github.event.pull_request.number": "7"}
        return Job(definition, self.folder, runner, given, values)

    def gitlab(self, name: str) -> Ran:
        """Run a job of the GitLab pipeline; installing is tried once, on GitHub's."""
        variables = {**self.variables, "HUAWEI_ID_TOKEN": self.service.accounts.id_token}
        return run_job(name, self.folder, self.environment, variables, without="pulumi install")

    def asked_of_gh(self) -> list[list[str]]:
        """Return what `gh` was called with, the contents of files in the place of their names."""
        log = self.base / "gh.log"
        return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []

    def settings(self) -> dict[str, str]:
        """Return the environment of a person at the same stack, for what a test does beside the pipelines."""
        backend = {name: self.variables[name] for name in ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE")}
        return {**self.environment, **backend, **self.service.environment}


class _Tokens(BaseHTTPRequestHandler):
    """Returns the token of its job to a runner, as GitHub does."""

    id_token = ""

    def do_GET(self) -> None:
        """Answer with a token for the audience, where the runner shows that it is one."""
        asked = parse_qs(urlsplit(self.path).query)
        allowed = self.headers["Authorization"] == f"bearer {REQUEST_TOKEN}" and asked.get("audience") == [AUDIENCE]
        body = json.dumps({"count": 1, "value": self.id_token}).encode() if allowed else b"{}"
        self.send_response(200 if allowed else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


@pytest.fixture
def token_url(emulator: Emulator) -> Iterator[str]:
    """Return where a runner gets the token of its job."""
    handler = type("Tokens", (_Tokens,), {"id_token": emulator.accounts.id_token})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


# Records what it is called with, and lists what is open; what it would do on GitHub is not tried.
GH = """#!/usr/bin/env python3
import json, pathlib, sys
received = [pathlib.Path(word).read_text() if word.endswith(".md") else word for word in sys.argv[1:]]
log = pathlib.Path({log!r})
with log.open("a") as lines:
    lines.write(json.dumps(received) + "\\n")
answer = log.with_suffix(".answer")
if received[:2] == ["pr", "list"] and answer.exists():
    ours = "select(.isCrossRepository | not)" in received[-1]
    for one in json.loads(answer.read_text()):
        if not (ours and one["isCrossRepository"]):
            print(one["number"])
"""


@pytest.fixture
def repository(emulator: Emulator, token_url: str, tmp_path: Path) -> Repository:
    """Return a repository of the recipes with an empty stack `prod`."""
    folder, base, state, tools = (tmp_path / name for name in ("repository", "runners", "state", "bin"))
    for made in (base, state, tools):
        made.mkdir()
    shutil.copytree(RECIPES / "meters", folder)
    shutil.copytree(RECIPES / "scripts", folder / "scripts")
    # The wheel of this checkout exists already: as where an image holds what is installed.
    (folder / "requirements.txt").write_text("pulumi-iotda-ota\n")
    (folder / "venv").symlink_to(users_environment())
    (tools / "gh").write_text(GH.format(log=str(base / "gh.log")))
    (tools / "gh").chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if name in KEPT}
    environment = {
        **kept,
        **pip_settings(),
        "PATH": f"{tools}:{os.environ['PATH']}",
        "PULUMI_HOME": str(tmp_path / "pulumi-home"),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        **GO,
    }
    variables = {
        "PULUMI_BACKEND_URL": state.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": "gitops",
        "HW_REGION_NAME": emulator.region,
        "HW_IOTDA_ENDPOINT": emulator.endpoint,
        "HW_AUTH_URL": emulator.endpoint,
        "OIDC_IDP": emulator.accounts.idp_id,
        "OIDC_PREVIEW_IDP": emulator.accounts.idp_id,
        "OIDC_AUDIENCE": AUDIENCE,
    }
    return Repository(folder, environment, variables, emulator, base, token_url)
