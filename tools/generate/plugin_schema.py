"""Generate the schema of the plugin: ``plugin/schema.json``.

The schema has no address of a project, because there is no public home yet. :data:`PUBLISHED` has the fields that a
publication must set.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pulumi_iotda_ota
from pulumi_iotda_ota.iotda.auth.settings import SETTINGS
from pulumi_iotda_ota.iotda.case import camel
from pulumi_iotda_ota.schema.argument import DescriptionStyle, explained, rendered
from pulumi_iotda_ota.schema.outputs import OBJECTS
from pulumi_iotda_ota.schema.registry import FUNCTIONS, PACKAGE, RESOURCES, SERVED, token_of
from tools.generate.languages import GO_PACKAGE, NODE_PACKAGE, PYTHON_PACKAGE, chooser, enum_of, member_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pulumi_iotda_ota.iotda.auth.settings import Setting
    from pulumi_iotda_ota.schema.argument import Argument
    from pulumi_iotda_ota.schema.outputs import Output
    from pulumi_iotda_ota.schema.registry import Function, Resource

#: The fields of a publication: homepage, repository, publisher, pluginDownloadURL. Empty until there is one.
PUBLISHED: Mapping[str, str] = {}

STYLE = DescriptionStyle(
    name=lambda name: f"`{camel(name)}`",
    value=lambda value: f"`{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}`",
)
_ANY = {"$ref": "pulumi.json#/Any"}
_TYPES: Mapping[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "argument": {"type": "string"},
    # A number is accepted too, but Go has no type for a property with two types.
    "duration": {"type": "string"},
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "list of strings": {"type": "array", "items": {"type": "string"}},
    "counts by argument": {"type": "object", "additionalProperties": {"type": "integer"}},
    "object": {"type": "object", "additionalProperties": _ANY},
    "any": _ANY,
}
# The table of settings has other names for the types.
_SETTING_TYPES = {
    "text": "string",
    "flag": "boolean",
    "number": "integer",
    "decimal": "number",
    "texts": "list of strings",
}
_LANGUAGE: Mapping[str, dict[str, Any]] = {
    # The generated package is installed beside this library, so it needs another name.
    "python": {
        "packageName": PYTHON_PACKAGE,
        "respectSchemaVersion": True,
        "pyproject": {"enabled": True},
    },
    "nodejs": {"packageName": NODE_PACKAGE, "respectSchemaVersion": True},
    "go": {"importBasePath": GO_PACKAGE, "respectSchemaVersion": True},
    "csharp": {"namespaces": {PACKAGE: "IotdaOta"}, "respectSchemaVersion": True},
    "java": {"buildFiles": "gradle"},
}


def schema() -> dict[str, Any]:
    """Return the schema; see https://www.pulumi.com/docs/iac/packages-and-automation/pulumi-packages/schema/."""
    settings = {camel(setting.name): _setting(setting) for setting in SETTINGS}
    return {
        "name": PACKAGE,
        "displayName": "Huawei Cloud IoTDA OTA",
        "version": pulumi_iotda_ota.__version__,
        "description": "Look up Huawei Cloud IoTDA OTA upgrade packages, and start upgrade tasks with them.",
        "keywords": ["pulumi", "huaweicloud", "iotda", "ota", "category/cloud"],
        "license": "Apache-2.0",
        **PUBLISHED,
        "config": {"variables": settings},
        "provider": {
            "description": "Where and as whom requests are sent. If a setting is not set, the environment is read.",
            "inputProperties": settings,
        },
        "types": {**_enums(), **_objects()},
        "resources": {token_of(name): _resource(name, item) for name, item in sorted(RESOURCES.items())},
        "functions": {token_of(name): _function(name, item) for name, item in sorted(FUNCTIONS.items())},
        "language": _LANGUAGE,
    }


def text() -> str:
    """Return the stored form of the schema."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _enums() -> dict[str, Any]:
    """Return the enums of the inputs. Outputs are strings, because the service may return new values."""
    tables = [item.arguments for item in SERVED.values()]
    choices = {enum_of(argument): argument for table in tables for argument in table if argument.allowed}
    return {
        token_of(name): {
            "description": rendered(argument.description.partition(". ")[0].rstrip(".") + ".", STYLE),
            "type": "string",
            "enum": [
                {"name": member_of(value), "value": value, "description": meaning}
                for value, meaning in argument.allowed.items()
            ],
        }
        for name, argument in sorted(choices.items())
    }


def _objects() -> dict[str, Any]:
    return {
        token_of(name): {
            "description": item.description,
            "type": "object",
            "properties": _outputs(item.fields),
            "required": _required(item.fields),
        }
        for name, item in sorted(OBJECTS.items())
    }


def _setting(setting: Setting) -> dict[str, Any]:
    # No defaultInfo: generated code would copy the environment of one run into the state. There, a rotated key stays,
    # and credentials of two sources are mixed. The provider reads the environment before each request.
    found = f" Environment: {', '.join(f'`{name}`' for name in setting.environment)}." if setting.environment else ""
    described = rendered(setting.description, STYLE) + found
    made = {"description": described, **_TYPES[_SETTING_TYPES.get(setting.type, setting.type)]}
    return {**made, "secret": True} if setting.secret else made


def _resource(name: str, resource: Resource) -> dict[str, Any]:
    return {
        "description": _with_example(name, resource.description),
        "properties": {**_arguments(resource.arguments, inputs=False), **_outputs(resource.outputs)},
        "required": sorted({*_required(resource.arguments), *_required(resource.outputs)}),
        "inputProperties": _arguments(resource.arguments, resource.replaced_by),
        "requiredInputs": _required(resource.arguments),
    }


def _function(name: str, function: Function) -> dict[str, Any]:
    return {
        "description": _with_example(name, function.description),
        "inputs": {
            "type": "object",
            "properties": _arguments(function.arguments),
            "required": _required(function.arguments),
        },
        "outputs": {
            "type": "object",
            "properties": _outputs(function.outputs),
            "required": _required(function.outputs),
        },
    }


def _with_example(name: str, description: str) -> str:
    return f"{rendered(description, STYLE)}\n\n## Example Usage\n\n{chooser(name)}"


def _arguments(
    arguments: Iterable[Argument], replaced_by: Iterable[str] = (), *, inputs: bool = True
) -> dict[str, Any]:
    """Return the properties of arguments.

    Args:
        arguments: the table.
        replaced_by: the inputs whose change replaces the resource.
        inputs: whether they are inputs, with enums and defaults, or outputs that repeat the inputs.
    """
    made = {}
    for argument in arguments:
        enum = {"$ref": f"#/types/{token_of(enum_of(argument))}"} if inputs and argument.allowed else {}
        default = {"default": argument.default} if inputs and argument.default is not None else {}
        replaces = {"willReplaceOnChanges": True} if argument.name in replaced_by else {}
        described = {"description": explained(argument, STYLE)}
        made[camel(argument.name)] = {**described, **(enum or _type(argument)), **default, **replaces}
    return made


def _outputs(outputs: Iterable[Output]) -> dict[str, Any]:
    return {
        camel(output.name): {"description": rendered(output.full_description, STYLE), **_type(output)}
        for output in outputs
    }


def _type(field: Argument | Output) -> dict[str, Any]:
    if field.of is None:
        return _TYPES[field.type]
    reference = {"$ref": f"#/types/{token_of(field.of.name)}"}
    return {"type": "array", "items": reference} if field.type == "list of objects" else reference


def _required(fields: Iterable[Argument | Output]) -> list[str]:
    return [
        camel(field.name)
        for field in fields
        if not getattr(field, "optional", False) and getattr(field, "required", True)
    ]
