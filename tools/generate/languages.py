"""Write an example in a language: YAML, TypeScript, Python and Go."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.case import camel, snake
from pulumi_iotda_ota.schema.registry import PACKAGE, RESOURCES
from tools.generate.examples import EXAMPLES, Ref

if TYPE_CHECKING:
    from pulumi_iotda_ota.schema.argument import Argument
    from pulumi_iotda_ota.schema.outputs import Object
    from tools.generate.examples import Example, Step

#: The Go package, whose host is that of no project yet.
GO_PACKAGE = "example.com/pulumi-iotda-ota/sdk/go/iotdaota"
PYTHON_PACKAGE = "pulumi_iotda_ota_provider"
NODE_PACKAGE = "pulumi-iotda-ota"

_WIDTH = 100


def enum_of(argument: Argument) -> str:
    """Return the name of the enum of an argument, or nothing if it has none."""
    return _pascal(argument.name) if argument.allowed else ""


def member_of(value: str) -> str:
    """Return the name of a value of an enum."""
    return _pascal(value.lower() if value.isupper() else value)


def _pascal(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def _screaming(value: str) -> str:
    name = value if value.isupper() else snake(value)
    return name.upper()


def python(example: Example) -> str:
    """Return an example in Python."""
    lines = ["import pulumi", f"import {PYTHON_PACKAGE} as iotda_ota", ""]
    for step in example.steps:
        pairs = [f"{argument.name}={_python(value, argument)}" for argument, value in step.given]
        if step.is_function:
            called = f"iotda_ota.{snake(step.kind)}_output"
        else:
            called, pairs = f"iotda_ota.{step.kind}", [json.dumps(step.name), *pairs]
        if step.depends_on:
            pairs.append(f"opts=pulumi.ResourceOptions(depends_on=[{', '.join(step.depends_on)}])")
        lines += [f"{step.name} = {_bracketed(f'{called}(', pairs, ')', '    ', comma=',')}"]
    exports = [f'pulumi.export("{name}", {ref.step}.{ref.output})' for name, ref in example.outputs.items()]
    return "\n".join([*lines, "", *exports]) + "\n"


def _python(value: Any, argument: Argument | None = None) -> str:
    if isinstance(value, Ref):
        return f"{value.step}.{value.output}"
    if argument is not None and enum_of(argument):
        return f"iotda_ota.{enum_of(argument)}.{_screaming(value)}"
    if isinstance(value, Mapping):
        return _bracketed("{", [f'"{name}": {_python(item)}' for name, item in value.items()], "}", "    ", comma=",")
    return f"[{', '.join(_python(item) for item in value)}]" if isinstance(value, list) else _literal(value, str)


def typescript(example: Example) -> str:
    """Return an example in TypeScript."""
    lines = [f'import * as iotda from "{NODE_PACKAGE}";', ""]
    for step in example.steps:
        pairs = [f"{camel(argument.name)}: {_typescript(value, argument)}" for argument, value in step.given]
        object_ = _bracketed("{", pairs, "}", "    ", comma=",", always=True)
        options = f", {{ dependsOn: [{', '.join(step.depends_on)}] }}" if step.depends_on else ""
        start = f"iotda.{step.kind}Output(" if step.is_function else f'new iotda.{step.kind}("{step.name}", '
        lines.append(f"const {step.name} = {start}{object_}{options});")
    exports = [f"export const {name} = {ref.step}.{camel(ref.output)};" for name, ref in example.outputs.items()]
    return "\n".join([*lines, "", *exports]) + "\n"


def _typescript(value: Any, argument: Argument | None = None) -> str:
    if isinstance(value, Ref):
        return f"{value.step}.{camel(value.output)}"
    if argument is not None and enum_of(argument):
        return f"iotda.{enum_of(argument)}.{member_of(value)}"
    if isinstance(value, Mapping):
        pairs = [f"{camel(name)}: {_typescript(item)}" for name, item in value.items()]
        return _bracketed("{", pairs, "}", "    ", comma=",", always=True)
    return f"[{', '.join(_typescript(item) for item in value)}]" if isinstance(value, list) else json.dumps(value)


def go(example: Example) -> str:
    """Return an example in Go."""
    body: list[str] = []
    declared = False
    used = {ref.step for ref in example.outputs.values()}
    for step in example.steps:
        used |= {ref.step for ref in _refs(step.arguments)} | set(step.depends_on)
    for step in example.steps:
        pairs = [f"{_pascal(argument.name)}: {_go(value, argument)}" for argument, value in step.given]
        if step.is_function:
            name = _go_function(step.kind)
            arguments = _bracketed(f"iotdaota.{name}OutputArgs{{", pairs, "}", "\t", comma=",", always=True)
            body.append(f"{step.name} := iotdaota.{name}Output(ctx, {arguments})")
            continue
        arguments = _bracketed(f"&iotdaota.{step.kind}Args{{", pairs, "}", "\t", comma=",", always=True)
        options = f", pulumi.DependsOn([]pulumi.Resource{{{', '.join(step.depends_on)}}})" if step.depends_on else ""
        variable = step.name if step.name in used else "_"
        sign = "=" if declared and variable == "_" else ":="
        body += [f'{variable}, err {sign} iotdaota.New{step.kind}(ctx, "{step.name}", {arguments}{options})']
        body += ["if err != nil {", "\treturn err", "}"]
        declared = True
    kinds = {step.name: step for step in example.steps}
    for name, ref in example.outputs.items():
        call = "()" if kinds[ref.step].is_function else ""
        body.append(f'ctx.Export("{name}", {ref.step}.{_pascal(ref.output)}{call})')
    inner = "\n".join(f"\t\t{line}" for part in [*body, "return nil"] for line in part.split("\n"))
    imports = f'import (\n\t"{GO_PACKAGE}"\n\t"github.com/pulumi/pulumi/sdk/v3/go/pulumi"\n)\n'
    start = "func main() {\n\tpulumi.Run(func(ctx *pulumi.Context) error {\n"
    return f"package main\n\n{imports}\n{start}{inner}\n\t}})\n}}\n"


def _go_function(kind: str) -> str:
    # Beside a resource of the same name Go calls the function Lookup.
    name = kind.removeprefix("get")
    return f"Lookup{name}" if name in RESOURCES else f"Get{name}"


def _go(value: Any, argument: Argument) -> str:
    if isinstance(value, Ref):
        return f"{value.step}.{_pascal(value.output)}"
    if enum_of(argument):
        return f"iotdaota.{enum_of(argument)}{member_of(value)}"
    if argument.of is not None:
        return _go_object(argument.of, value)
    kinds = {bool: "Bool", int: "Int", float: "Float64", str: "String"}
    if isinstance(value, list):
        items = (
            _go(item, argument) if isinstance(item, Ref) else f"pulumi.String({json.dumps(item)})" for item in value
        )
        return f"pulumi.StringArray{{{', '.join(items)}}}"
    return f"pulumi.{kinds[type(value)]}({json.dumps(value)})"


def _go_object(of: Object, value: Mapping[str, Any]) -> str:
    pairs = [f"{_pascal(name)}: pulumi.String({json.dumps(item)})" for name, item in value.items()]
    return _bracketed(f"iotdaota.{of.name}Args{{", pairs, "}", "\t", comma=",", always=True)


def yaml(example: Example) -> str:
    """Return an example in YAML."""
    functions = [step for step in example.steps if step.is_function]
    resources = [step for step in example.steps if not step.is_function]
    lines: list[str] = []
    if resources:
        lines.append("resources:")
        for step in resources:
            lines += [f"  {step.name}:", f"    type: {PACKAGE}:{step.kind}", "    properties:"]
            lines += _yaml_pairs(step, 6)
            if step.depends_on:
                lines += ["    options:", "      dependsOn:", *(f"        - ${{{name}}}" for name in step.depends_on)]
    if functions:
        lines.append("variables:")
        for step in functions:
            lines += [f"  {step.name}:", "    fn::invoke:", f"      function: {PACKAGE}:{step.kind}"]
            lines += ["      arguments:", *_yaml_pairs(step, 8)]
    if example.outputs:
        lines.append("outputs:")
        lines += [f"  {name}: {_yaml(ref)}" for name, ref in example.outputs.items()]
    return "\n".join(lines) + "\n"


def _yaml_pairs(step: Step, indent: int) -> list[str]:
    lines = []
    for argument, value in step.given:
        if isinstance(value, list):
            lines += [f"{camel(argument.name)}:", *(f"  - {_yaml(item)}" for item in value)]
        elif isinstance(value, Mapping):
            lines += [f"{camel(argument.name)}:", *(f"  {camel(name)}: {_yaml(item)}" for name, item in value.items())]
        else:
            lines.append(f"{camel(argument.name)}: {_yaml(value)}")
    return [" " * indent + line for line in lines]


def _yaml(value: Any) -> str:
    if isinstance(value, Ref):
        return f"${{{value.step}.{camel(value.output)}}}"
    # A string that YAML would read as another type needs quotes.
    plain = isinstance(value, str) and value[:1].isalpha()
    return value if plain else json.dumps(value)


def _literal(value: object, write: Callable[[object], str]) -> str:
    return write(value) if isinstance(value, (bool, int, float)) else json.dumps(value)


def _refs(value: Any) -> list[Ref]:
    if isinstance(value, Ref):
        return [value]
    items = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return [ref for item in items for ref in _refs(item)]


def _bracketed(start: str, items: list[str], end: str, indent: str, *, comma: str, always: bool = False) -> str:
    """Return items in brackets: on one line if they fit and may be, else one a line."""
    line = f"{start}{', '.join(items)}{end}"
    if not always and len(line) <= _WIDTH - 20 and "\n" not in line:
        return line
    items = _aligned(items) if indent == "\t" else items
    inner = "\n".join(f"{indent}{text}" for item in items for text in f"{item}{comma}".split("\n"))
    return f"{start}\n{inner}\n{end}"


def _aligned(items: list[str]) -> list[str]:
    """Return the fields of a Go literal as gofmt writes them: values in one column, but for one of several lines."""
    aligned: list[str] = []
    for several, group in groupby(items, key=lambda item: "\n" in item):
        fields = [item.partition(": ") for item in group]
        widest = 0 if several else max(len(name) for name, _, _ in fields)
        aligned += [f"{name}: {' ' * (widest - len(name))}{value}" for name, _, value in fields]
    return aligned


#: Each language with its name in a fence, in the order of the registry's tabs.
LANGUAGES: Mapping[str, Callable[[Example], str]] = {
    "typescript": typescript,
    "python": python,
    "go": go,
    "yaml": yaml,
}


def chooser(name: str, mark: Callable[[str], str] = lambda _: "") -> str:
    """Return an example in all languages, in the form that the registry of Pulumi shows with tabs.

    Args:
        name: the function or resource.
        mark: returns the line above the block of a language.
    """
    blocks = "\n".join(
        f"{mark(language)}```{language}\n{write(EXAMPLES[name])}```" for language, write in LANGUAGES.items()
    )
    return f"<!--Start PulumiCodeChooser -->\n{blocks}\n<!--End PulumiCodeChooser -->\n"
