"""Generate the resources that programs declare: ``_generated/resources.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.schema.argument import rendered
from pulumi_iotda_ota.schema.registry import PACKAGE, RESOURCES
from tools.generate.python_code import (
    HEADER,
    PYTHON,
    TYPE_IMPORTS,
    WIDTH,
    arguments_section,
    described,
    docstring,
    input_type,
    output_type,
)

if TYPE_CHECKING:
    from pulumi_iotda_ota.schema.argument import Argument
    from pulumi_iotda_ota.schema.registry import Resource

_CONNECTION = (
    "Where to send requests. It may hold no secret, because it is stored in the state. Default: the stack's "
    "configuration and the environment."
)
# A confirmation takes literals, because the value of an Output was not reviewed.
_LITERAL = ("approved_package_ids",)
# Only the library itself uses the place where a resource was created.
_INTERNAL = ("identity",)


def text() -> str:
    """Return the module."""
    parts = [
        HEADER.format(
            "The resources of a Pulumi program. What they do is in ``dynamic/declared.py`` and ``lifecycle/``."
        ),
        "from __future__ import annotations\n",
        "from typing import TYPE_CHECKING, Any, Literal\n",
        "from pulumi_iotda_ota.dynamic.declared import DeclaredResource\n",
        TYPE_IMPORTS.format("Mapping, Sequence"),
    ]
    parts += [_class(name, resource) for name, resource in sorted(RESOURCES.items())]
    return "\n".join(parts)


def _class(name: str, resource: Resource) -> str:
    given = [
        ("resource_name", "The name of the resource in the stack."),
        *arguments_section(resource.arguments),
        ("connection", _CONNECTION),
        ("opts", "The options of the resource. ``provider`` and ``import_`` are refused."),
    ]
    raises = [("InputError", "An argument is wrong, ``connection`` holds a secret, or an option is refused.")]
    description = rendered(resource.description, PYTHON)
    required = [argument for argument in resource.arguments if argument.required]
    optional = [argument for argument in resource.arguments if not argument.required]
    parameters = [
        "self",
        "resource_name: str",
        "*",
        *(_parameter(argument) for argument in (*required, *optional)),
        "connection: Connection | None = None",
        "opts: pulumi.ResourceOptions | None = None",
    ]
    lines = [
        "",
        f'class {name}(DeclaredResource, module="{PACKAGE}", name="{name}"):',
        docstring(description, [("Args", given), ("Raises", raises)]),
        "",
    ]
    for output in resource.outputs:
        if output.name not in _INTERNAL:
            lines.append(f"    {output.name}: pulumi.Output[{output_type(output)}]")
            lines.append(_attribute(described(output)))
    lines += [
        "",
        f"    def __init__({', '.join(parameters)},) -> None:",
        f'        super().__init__("{name}", locals())',
        "",
    ]
    return "\n".join(lines)


def _attribute(text: str) -> str:
    """Return the documentation of an attribute: its sentences stay on one line if they fit."""
    line = f'    """{text}"""'
    return line if len(line) <= WIDTH else docstring(text)


def _parameter(argument: Argument) -> str:
    if argument.name in _LITERAL:
        return f"{argument.name}: {argument.python}"
    type_ = input_type(argument, optional=not argument.required)
    return f"{argument.name}: {type_}" + ("" if argument.required else " = None")
