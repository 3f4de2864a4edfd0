"""Makes the schema of the plugin from the tables; ``make schema`` writes it, and a test compares it.

It claims no address of a project: there is no public home yet. What publishing must set is in :data:`PUBLISHED`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi_iotda_ota
from pulumi_iotda_ota.iotda.auth.settings import SETTINGS
from pulumi_iotda_ota.iotda.case import camel
from pulumi_iotda_ota.iotda.limits import Choice
from pulumi_iotda_ota.message_rendering import PLUGIN, describe
from pulumi_iotda_ota.plugin.registry import FUNCTIONS, PACKAGE, RESOURCES, token_of
from pulumi_iotda_ota.schema.outputs import OBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pulumi_iotda_ota.iotda.auth.settings import Setting
    from pulumi_iotda_ota.plugin.registry import Function, Resource
    from pulumi_iotda_ota.schema import Argument
    from pulumi_iotda_ota.schema.outputs import Output

#: What a publication sets: homepage, repository, publisher, pluginDownloadURL. Empty until there is one.
PUBLISHED: Mapping[str, str] = {}

_ANY = {"$ref": "pulumi.json#/Any"}
_TYPES: Mapping[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "argument": {"type": "string"},
    # A number is read too, but a property of two types is an untyped one in Go.
    "duration": {"type": "string"},
    "flag": {"type": "boolean"},
    "number": {"type": "integer"},
    "decimal": {"type": "number"},
    "texts": {"type": "array", "items": {"type": "string"}},
    "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
    "object": {"type": "object", "additionalProperties": _ANY},
    "triggers": _ANY,
}
_LANGUAGE: Mapping[str, dict[str, Any]] = {
    # The name of the generated package must not be that of this library, beside which it is installed.
    "python": {
        "packageName": "pulumi_iotda_ota_provider",
        "respectSchemaVersion": True,
        "pyproject": {"enabled": True},
    },
    "nodejs": {"packageName": "pulumi-iotda-ota", "respectSchemaVersion": True},
    "go": {"importBasePath": "example.com/pulumi-iotda-ota/sdk/go/iotdaota", "respectSchemaVersion": True},
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
            "description": "Where and as whom to ask. What is not given is looked for in the environment.",
            "inputProperties": settings,
        },
        "types": {
            token_of(name): {
                "description": item.description,
                "type": "object",
                "properties": _outputs(item.fields),
                "required": _required(item.fields),
            }
            for name, item in sorted(OBJECTS.items())
        },
        "resources": {token_of(name): _resource(item) for name, item in sorted(RESOURCES.items())},
        "functions": {token_of(name): _function(item) for name, item in sorted(FUNCTIONS.items())},
        "language": _LANGUAGE,
    }


def text() -> str:
    """Return the schema as it is stored."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _setting(setting: Setting) -> dict[str, Any]:
    # No defaultInfo: generated code would copy the environment of one run into the state, where a key that was rotated
    # stays, and would mix credentials of two sources. The provider reads the environment when it is asked.
    found = f" From the environment: {', '.join(setting.environment)}." if setting.environment else ""
    made = {"description": describe(setting.description, PLUGIN) + found, **_TYPES[setting.type]}
    return {**made, "secret": True} if setting.secret else made


def _resource(resource: Resource) -> dict[str, Any]:
    inputs = _arguments(resource.arguments, resource.replaced_by)
    return {
        "description": resource.description,
        "properties": {**inputs, **_outputs(resource.outputs)},
        "required": sorted({*_required(resource.arguments), *_required(resource.outputs)}),
        "inputProperties": inputs,
        "requiredInputs": _required(resource.arguments),
    }


def _function(function: Function) -> dict[str, Any]:
    return {
        "description": describe(function.description, PLUGIN),
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


def _arguments(arguments: Iterable[Argument], replaced_by: Iterable[str] = ()) -> dict[str, Any]:
    return {
        camel(argument.name): {
            "description": _described(argument),
            **_type(argument),
            **({"willReplaceOnChanges": True} if argument.name in replaced_by else {}),
        }
        for argument in arguments
    }


def _described(argument: Argument) -> str:
    # The values of document_key are no references.
    is_name = isinstance(argument.rule, Choice) and {"package_id"} & {*argument.rule.options}
    return argument.description if is_name else describe(argument.description, PLUGIN)


def _outputs(outputs: Iterable[Output]) -> dict[str, Any]:
    return {
        camel(output.name): {"description": describe(output.description, PLUGIN), **_type(output)} for output in outputs
    }


def _type(field: Argument | Output) -> dict[str, Any]:
    if field.of is None:
        return _TYPES[field.type]
    reference = {"$ref": f"#/types/{token_of(field.of.name)}"}
    return {"type": "array", "items": reference} if field.type == "objects" else reference


def _required(fields: Iterable[Argument | Output]) -> list[str]:
    return [
        camel(field.name)
        for field in fields
        if not getattr(field, "optional", False) and getattr(field, "required", True)
    ]


def main() -> None:
    """Write the schema."""
    Path(__file__).with_name("schema.json").write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
