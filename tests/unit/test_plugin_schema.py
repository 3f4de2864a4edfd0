"""The schema of the plugin against the tables, the life cycles and what is stored."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.iotda.case import camel, snake
from pulumi_iotda_ota.plugin import schema
from pulumi_iotda_ota.plugin.registry import FUNCTIONS, RESOURCES, token_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
STORED = ROOT / "pulumi_iotda_ota" / "plugin" / "schema.json"
SCHEMA: dict[str, Any] = json.loads(STORED.read_text(encoding="utf-8"))
# What the fields of a life cycle are beside the arguments; neither is a property.
OURS = {"connection", "scope"}


def properties(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Return every property of the schema with where it is."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("properties", "inputProperties", "variables"):
                yield from ((f"{path}.{name}", item) for name, item in value.items())
            yield from properties(value, f"{path}.{key}")


def test_the_stored_schema_is_what_the_tables_make() -> None:
    """`make schema` was run after the last change of a table."""
    assert STORED.read_text(encoding="utf-8") == schema.text()


def test_the_version_is_the_projects() -> None:
    """The schema has the version of the project."""
    (version,) = re.findall(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)

    assert SCHEMA["version"] == version


@pytest.mark.skipif(shutil.which("pulumi") is None, reason="schema not checked by pulumi: no pulumi on PATH")
def test_pulumi_finds_nothing_wrong(tmp_path: Path) -> None:
    """Pulumi's own check finds nothing."""
    environment = {"PATH": f"{Path(str(shutil.which('pulumi'))).parent}:/usr/bin:/bin", "PULUMI_HOME": str(tmp_path)}
    checked = subprocess.run(
        ["pulumi", "schema", "check", str(STORED)], capture_output=True, text=True, env=environment, check=False
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_every_property_is_described() -> None:
    """Every property of the schema has a full sentence, in the schema's names."""
    tables = [*(entry.arguments for entry in FUNCTIONS.values()), *(entry.arguments for entry in RESOURCES.values())]
    pythons = {item.name for table in tables for item in table}
    pythons = {name for name in pythons if "_" in name} - {"package_id", "package_ids"}  # values of documentKey
    for path, item in properties(SCHEMA):
        description = item["description"]
        assert description.endswith("."), path
        assert description[0].isupper() or description.startswith(("softwareUpgrade", "1 at first")), path
        assert not [name for name in pythons if re.search(rf"\b{name}\b", description)], path


def test_no_address_of_a_project_is_claimed() -> None:
    """There is no public home yet, and none is told."""
    assert not {"homepage", "repository", "pluginDownloadURL", "publisher", "logoUrl"} & set(SCHEMA)
    assert re.findall(r"https?://", STORED.read_text(encoding="utf-8")) == []


def test_the_generated_python_package_is_not_this_one() -> None:
    """Code that is generated for Python can be installed beside this library."""
    assert SCHEMA["language"]["python"]["packageName"] == "pulumi_iotda_ota_provider"
    assert not (ROOT / "pulumi_iotda_ota_provider").exists()


@pytest.mark.parametrize("name", RESOURCES)
def test_a_resource_takes_what_its_life_cycle_does(name: str) -> None:
    """The inputs of a resource are those of its life cycle."""
    inputs = SCHEMA["resources"][token_of(name)]["inputProperties"]

    assert {snake(item) for item in inputs} == {*RESOURCES[name].lifecycle.input_names} - OURS
    replacing = {item for item, told in inputs.items() if told.get("willReplaceOnChanges")}
    assert replacing == {camel(item) for item in RESOURCES[name].replaced_by}


@pytest.mark.parametrize("entry", [*FUNCTIONS.values(), *RESOURCES.values()])
def test_names_go_there_and_back(entry: Any) -> None:
    """Each name in the schema is that of one argument or output, and leads back to it."""
    names = [item.name for item in (*entry.arguments, *entry.outputs)]

    assert [snake(camel(name)) for name in names] == names


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_its_code(name: str) -> None:
    """What the table names is there."""
    assert callable(FUNCTIONS[name].ask)
