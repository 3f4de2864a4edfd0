"""The schema of the plugin: what users of Pulumi see of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.iotda.case import camel, snake
from pulumi_iotda_ota.schema.registry import FUNCTIONS, RESOURCES, SERVED, token_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
STORED = ROOT / "pulumi_iotda_ota" / "plugin" / "schema.json"
SCHEMA: dict[str, Any] = json.loads(STORED.read_text(encoding="utf-8"))
# What the fields of a life cycle are beside the arguments; neither is a property.
OURS = {"connection", "scope"}


def properties(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Return every property of the schema with its place."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("properties", "inputProperties", "variables"):
                yield from ((f"{path}.{name}", item) for name, item in value.items())
            yield from properties(value, f"{path}.{key}")


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
    """Every property, type and enum value has full sentences, and no name of an argument in the spelling of Python."""
    tables = [*(entry.arguments for entry in FUNCTIONS.values()), *(entry.arguments for entry in RESOURCES.values())]
    # Values of documentKey and orderBy are spelled as the service spells them.
    values = {value for table in tables for item in table for value in item.allowed}
    pythons = {item.name for table in tables for item in table if "_" in item.name} - values
    for path, item in properties(SCHEMA):
        description = item["description"]
        assert description.endswith("."), path
        assert description[0].isupper() or description[0].isdigit(), path
        assert not [name for name in pythons if re.search(rf"\b{name}\b", description)], path
        assert "{" not in description.partition("Example:")[0], path
    for name, type_ in SCHEMA["types"].items():
        assert type_["description"].endswith("."), name
        assert all(value["description"].endswith(".") for value in type_.get("enum", ())), name


def test_inputs_have_enums_and_defaults_and_outputs_have_none() -> None:
    """An input with allowed values is an enum, and has its default; an output is a string, so that it can be new."""
    for name, served in SERVED.items():
        entry = SCHEMA["functions" if name in FUNCTIONS else "resources"][token_of(name)]
        inputs = entry["inputs"]["properties"] if name in FUNCTIONS else entry["inputProperties"]
        outputs = entry["outputs"]["properties"] if name in FUNCTIONS else entry["properties"]
        for argument in served.arguments:
            property_ = inputs[camel(argument.name)]
            assert property_.get("default") == argument.default
            if argument.allowed:
                values = [
                    value["value"] for value in SCHEMA["types"][property_["$ref"].removeprefix("#/types/")]["enum"]
                ]
                assert values == list(argument.allowed)
        assert not [item for item in outputs.values() if "default" in item]
        assert not [item for item in outputs.values() if "enum" in SCHEMA["types"].get(item.get("$ref", "")[8:], {})]
    assert "replaceOnChanges" not in STORED.read_text(encoding="utf-8").replace("willReplaceOnChanges", "")


def test_everything_has_an_example_in_each_language() -> None:
    """Each function and resource has an example in the form that the registry shows with a tab for each language."""
    for entry in (*SCHEMA["functions"].values(), *SCHEMA["resources"].values()):
        _, _, usage = entry["description"].partition("\n\n## Example Usage\n\n")
        chooser = re.fullmatch(
            r"<!--Start PulumiCodeChooser -->\n(.*)\n<!--End PulumiCodeChooser -->\n", usage, re.DOTALL
        )
        assert chooser is not None
        assert re.findall(r"^```(\w+)$", chooser[1], re.MULTILINE) == ["typescript", "python", "go", "yaml"]


def test_no_address_of_a_project_is_claimed() -> None:
    """There is no public home yet, so the schema has none."""
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
    replacing = {item for item, reported in inputs.items() if reported.get("willReplaceOnChanges")}
    assert replacing == {camel(item) for item in RESOURCES[name].replaced_by}


@pytest.mark.parametrize("entry", [*FUNCTIONS.values(), *RESOURCES.values()])
def test_names_go_there_and_back(entry: Any) -> None:
    """Each name in the schema is that of one argument or output, and leads back to it."""
    names = [item.name for item in (*entry.arguments, *entry.outputs)]

    assert [snake(camel(name)) for name in names] == names


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_its_code(name: str) -> None:
    """The code that the table names exists."""
    assert callable(FUNCTIONS[name].operation)
