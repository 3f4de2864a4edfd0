"""The configuration of a program under test: its keys belong to the project of Pulumi.yaml, as under the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota import testing

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import pulumi

config = pulumi.Config()
for name in ("range", "runs", "steps"):
    pulumi.export(name, config.get(name))
pulumi.export("project", pulumi.get_project())
"""
DECLARED = """name: meters
runtime: python
config:
  range: {description: The versions to roll out., default: ^1.4}
  runs: {type: string}
  steps: {type: array, items: {type: integer}, default: [1, 2]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a program, one below its project."""
    (tmp_path / "Pulumi.yaml").write_text(DECLARED)
    program = tmp_path / "app"
    program.mkdir()
    (program / "__main__.py").write_text(PROGRAM)
    return program


def outputs(folder: Path, **more: object) -> dict[str, object]:
    """Run the program, and return what it exported and is not None."""
    mocks = testing.run_program(folder, mocks=testing.Mocks(), **more)  # type: ignore[call-overload]
    return {name: value for name, value in mocks.outputs.items() if value is not None}


def test_a_bare_key_belongs_to_the_project(folder: Path) -> None:
    """The program reads a key without a namespace, and the project has the name in Pulumi.yaml."""
    reported = outputs(folder, config={"range": "~3.10", "meters:runs": "V1.3.2"})

    assert (reported["project"], reported["range"], reported["runs"]) == ("meters", "~3.10", "V1.3.2")


def test_the_values_of_pulumi_yaml(folder: Path) -> None:
    """A key that is not set has the value in Pulumi.yaml, as under the engine."""
    assert outputs(folder) == {"project": "meters", "range": "^1.4", "steps": '["1", "2"]'}


def test_another_name(folder: Path) -> None:
    """A name in the test is the name of the project, and keys without a namespace belong to it."""
    assert outputs(folder, project="other", config={"runs": "V1"}) == {"project": "other", "runs": "V1"}


@pytest.mark.parametrize("key", ["rnage", "meters:rnage"])
def test_a_key_that_is_not_declared(folder: Path, key: str) -> None:
    """A misspelt key is an error that lists the declared ones and names the nearest."""
    with pytest.raises(iotda_ota.InputError) as caught:
        outputs(folder, config={key: "~3.10"})

    reported = " ".join(str(caught.value).split())
    assert reported.startswith('config: "meters:rnage" is not declared in Pulumi.yaml')
    assert "meters:range, meters:runs, meters:steps" in reported
    assert "did you mean meters:range?" in reported


def test_a_setting_that_does_not_exist(folder: Path) -> None:
    """An unknown setting of the connection is an error that lists those there are."""
    with pytest.raises(iotda_ota.InputError, match='"iotda-ota:regoin" is not a setting') as caught:
        outputs(folder, config={"iotda-ota:regoin": "cn-north-4"})
    assert "iotda-ota:region" in str(caught.value)


def test_a_key_that_need_not_be_declared(folder: Path) -> None:
    """Another key is passed on although it is not declared, because an optional key cannot be declared."""
    (folder / "__main__.py").write_text('import pulumi\npulumi.export("approved", pulumi.Config().get("approved"))\n')
    assert outputs(folder, config={"approved": "p1"}) == {"approved": "p1"}


def test_without_a_declaration_any_key_is_read(tmp_path: Path) -> None:
    """A Pulumi.yaml that declares nothing, or none at all, takes any key; other namespaces are left alone."""
    (tmp_path / "__main__.py").write_text(PROGRAM)
    assert outputs(tmp_path, config={"x:range": "^1", "aws:region": "y"}) == {"project": "x", "range": "^1"}
    assert outputs(tmp_path, config={"range": "^1"}) == {"project": tmp_path.name, "range": "^1"}

    (tmp_path / "Pulumi.yaml").write_text("name: meters\nruntime: python\n")
    assert outputs(tmp_path, config={"range": "^1"}) == {"project": "meters", "range": "^1"}
