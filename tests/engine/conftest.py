"""The real `pulumi`, on a local file backend in a temporary folder, with programs in this environment's Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
import yaml

from tests.conftest import settings_for
from tests.support import plugins
from tests.support.prepared import GO, SECONDS, describe_python, key_of, made_once, path_with_uv
from tests.support.vault import PROVIDER, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pulumi_iotda_ota.emulator import Emulator

PRINTED = "printed.txt"
STACKS = Path(".pulumi") / "stacks"
BACKEND = {"PULUMI_CONFIG_PASSPHRASE": "engine-lane", "PULUMI_SKIP_UPDATE_CHECK": "true", **GO}
# The key by which a value of the state says that it is a secret.
SECRET_KEY = "4dabf18193072939515e22adb298388d"
PREVIEWED = "--skip-preview=false"
KEPT = {"PATH", "HOME", "TMPDIR", "LANG", "PYTHONPATH"}


@dataclass
class Done:
    """A command that has ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        """Return everything that it printed."""
        return f"{self.stdout}\n{self.stderr}"


@dataclass
class Project:
    """A Pulumi project with one stack, in a separate folder."""

    folder: Path
    environment: dict[str, str]
    name: str = "engine-lane"
    stack: str = "dev"
    commands: list[Done] = field(default_factory=list)

    def write(self, program: str, name: str = "__main__.py") -> None:
        """Write the program, or another file of it."""
        (self.folder / name).write_text(program)

    def set(self, name: str, value: str | bool | Sequence[str]) -> None:
        """Set a value of the configuration, as `pulumi config set` does, in the file of the stack."""
        file = self.folder / f"Pulumi.{self.stack}.yaml"
        stored = yaml.safe_load(file.read_text())
        key = name if ":" in name else f"{self.name}:{name}"
        stored["config"] = {**stored.get("config", {}), key: value}
        file.write_text(yaml.safe_dump(stored))

    def run(self, *arguments: str, **environment: str) -> Done:
        """Run one pulumi command to its end, without the preview that a refresh and a destroy begin with.

        A test that needs this preview passes `PREVIEWED`.
        """
        begins_with_preview = arguments[0] in ("refresh", "destroy") and "--yes" in arguments
        unseen = ["--skip-preview"] if begins_with_preview and PREVIEWED not in arguments else []
        done = subprocess.run(
            ["pulumi", *arguments, *unseen, "--non-interactive"],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        self.commands.append(Done(done.returncode, done.stdout, done.stderr))
        return self.commands[-1]

    def start(self, *, new_session: bool = False) -> subprocess.Popen[bytes]:
        """Start an update and return it, to be interrupted; what it prints is in a file of the project."""
        with (self.folder / PRINTED).open("wb") as printed:
            return subprocess.Popen(
                ["pulumi", "up", "--yes", "--skip-preview", "--non-interactive"],
                cwd=self.folder,
                env=self.environment,
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=new_session,
            )

    def ok(self, *arguments: str, **environment: str) -> Done:
        """Run one pulumi command that must succeed."""
        done = self.run(*arguments, **environment)
        assert done.code == 0, done.text
        return done

    def preview(self, *arguments: str) -> Done:
        """Preview."""
        return self.run("preview", "--diff", *arguments)

    def up(self, *arguments: str) -> Done:
        """Update without a prompt."""
        return self.run("up", "--yes", "--skip-preview", *arguments)

    def outputs(self) -> dict[str, Any]:
        """Return the outputs of the stack, as `pulumi stack output` prints them."""
        found: dict[str, Any] = _displayed(self.resources().get(f"{self.name}-{self.stack}", {}).get("outputs", {}))
        return found

    def state(self) -> str:
        """Return the state, as the engine has written it."""
        backend = Path(url2pathname(urlsplit(self.environment["PULUMI_BACKEND_URL"]).path))
        return (backend / STACKS / self.name / f"{self.stack}.json").read_text()

    def resources(self) -> dict[str, dict[str, Any]]:
        """Return the resources in the state, by name."""
        found = json.loads(self.state())["checkpoint"]["latest"].get("resources", [])
        return {resource["urn"].rpartition("::")[2]: resource for resource in found}


def _displayed(value: Any) -> Any:
    """Return a value of the state with a mark for each secret."""
    if isinstance(value, dict):
        return "[secret]" if SECRET_KEY in value else {name: _displayed(item) for name, item in value.items()}
    return [_displayed(item) for item in value] if isinstance(value, list) else value


@pytest.fixture(scope="session")
def vault() -> Iterator[dict[str, str]]:
    """Return the variables that lead to what keeps the keys of stacks."""
    with running() as environment:
        yield environment


@pytest.fixture
def make_project(tmp_path: Path, emulator: Emulator, vault: dict[str, str]) -> Callable[..., Project]:
    """Return what makes a project whose environment leads to the emulator."""

    def make(program: str, *, name: str = "engine-lane", stack: str = "dev", passphrase: bool = False) -> Project:
        folder, state = tmp_path / f"{name}-{stack}", tmp_path / "state"
        provider = "passphrase" if passphrase else PROVIDER
        shutil.copytree(_empty_stack(name, stack, provider, vault), tmp_path, dirs_exist_ok=True)
        describe_python(folder, name)
        environment = {
            **{key: value for key, value in os.environ.items() if key in KEPT},
            "PATH": path_with_uv(),
            **settings_for(emulator),
            **vault,
            **_backend(state),
            "PULUMI_HOME": str(tmp_path / "pulumi-home"),
            "PULUMI_STACK": stack,
        }
        project = Project(folder, environment, name, stack)
        project.write(program)
        return project

    return make


def _empty_stack(name: str, stack: str, provider: str, vault: dict[str, str]) -> Path:
    """Return a folder with the folder of a project, and a backend that holds its new stack."""

    def make(kept: Path) -> None:
        folder, state = kept / f"{name}-{stack}", kept / "state"
        folder.mkdir(parents=True)
        state.mkdir()
        (folder / "Pulumi.yaml").write_text(json.dumps({"name": name, "runtime": "python"}))
        environment = {**os.environ, **vault, **_backend(state), "PULUMI_HOME": str(kept / "home")}
        Project(folder, environment, name, stack).ok("stack", "init", stack, "--secrets-provider", provider)
        shutil.rmtree(kept / "home")

    key = key_of([plugins.pulumi_version(), json.dumps(BACKEND)])
    return made_once(f"stack-{name}-{stack}-{provider.partition(':')[0]}", key, make)


def _backend(state: Path) -> dict[str, str]:
    return {**BACKEND, "PULUMI_BACKEND_URL": state.as_uri()}


@pytest.fixture(scope="session")
def plugin_checkout() -> Path:
    """Return a checkout with a virtual environment, as a local path leads to."""
    (folder,) = (plugins.installed() / "plugins").glob("resource-iotda-ota-v*[0-9]")
    return folder


@pytest.fixture
def make_yaml(make_project: Callable[..., Project]) -> Callable[..., Project]:
    """Return what makes a project whose program is in YAML, with the installed plugin."""

    def make(*, stack: str = "dev", **program: Any) -> Project:
        return plugins.yaml(plugins.has_plugin(make_project("", stack=stack)), **program)

    return make
