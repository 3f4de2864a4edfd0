"""The generated parts of pages: tables of arguments, outputs, settings and rules, with the texts of the code."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING

import pulumi_iotda_ota
from docs.generate import pictures
from docs.generate.markdown import code, listed, table, wrapped
from pulumi_iotda_ota import dynamic
from pulumi_iotda_ota.iotda import limits
from pulumi_iotda_ota.iotda.actions import ACTIONS, PURPOSES, UNCONFIRMED
from pulumi_iotda_ota.iotda.api.devices import MAX_CONDITIONS, MAX_SQL
from pulumi_iotda_ota.iotda.auth.connection_model import Connection
from pulumi_iotda_ota.iotda.auth.settings import SETTINGS
from pulumi_iotda_ota.iotda.auth.sources import SOURCES
from pulumi_iotda_ota.iotda.auth.vendor import FILE_KEYS, IGNORED, READ, REFUSED, VARIABLES
from pulumi_iotda_ota.iotda.case import camel, snake
from pulumi_iotda_ota.schema import outputs
from pulumi_iotda_ota.schema.argument import CONNECTION, DescriptionStyle, explained, rendered
from pulumi_iotda_ota.schema.registry import FUNCTIONS, RESOURCES
from pulumi_iotda_ota.selection import constraints
from pulumi_iotda_ota.selection.versions import BUILD, IN_FRONT, WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pulumi_iotda_ota.schema import Argument
    from pulumi_iotda_ota.schema.outputs import Object, Output
    from pulumi_iotda_ota.schema.registry import Function, Resource

# The pages show Python, so values have Python's form.
_STYLE = DescriptionStyle(
    name=code,
    value=lambda value: code(str(value) if isinstance(value, bool) else json.dumps(value, ensure_ascii=False)),
)
# Functions and resources by their names in Python.
_SERVED: Mapping[str, Function | Resource] = {
    **{snake(name): function for name, function in FUNCTIONS.items()},
    **RESOURCES,
}
# Types with another name for readers than in the tables.
_TYPES = {"argument": "string", "counts by argument": "integer for each argument", "any": "any values"}
# Outputs that Python programs do not see: the place of a resource, and the plugin's field for a missing package.
_INTERNAL = {"identity", "found"}


def _inputs(table_of: Iterable[Argument]) -> str:
    rows = [(_argument(argument), _type(argument), explained(argument, _STYLE)) for argument in table_of]
    return table(("argument", "type", "meaning"), rows)


def _changes(name: str) -> str:
    changes = {argument.name: argument.change for argument in _SERVED[name].arguments} | {
        "connection": CONNECTION[name]
    }
    inputs: dict[str, list[str]] = {}
    for name_of_input, change in changes.items():
        if change:
            inputs.setdefault(rendered(change.description, _STYLE), []).append(name_of_input)
    return table(("argument", "what a change does"), [(listed(names), effect) for effect, names in inputs.items()])


def _argument(argument: Argument) -> str:
    return code(argument.name) + (", required" if argument.required else "")


def _type(item: Argument | Output) -> str:
    return _TYPES.get(item.type, item.type)


def _outputs(table_of: Iterable[Output]) -> str:
    rows = [
        (code(output.name), _type(output), rendered(output.full_description, _STYLE) + _fields(output.of))
        for output in table_of
        if output.name not in _INTERNAL
    ]
    return table(("output", "type", "meaning"), rows)


def _fields(of: Object | None) -> str:
    return f" Its fields: {listed(field.name for field in of.fields)}." if of else ""


def _settings() -> str:
    rows = [
        (
            code(setting.name),
            code(f"iotda-ota:{camel(setting.name)}") + (", secret" if setting.secret else ""),
            listed(setting.environment) + _endpoint_of_region(setting.name),
            setting.type,
            explained(setting, _STYLE),
        )
        for setting in SETTINGS
    ]
    return table(("argument of `Connection`", "stack configuration", "environment", "type", "meaning"), rows)


def _endpoint_of_region(name: str) -> str:
    return ", `HUAWEICLOUD_SDK_REGION_IOTDA_<REGION>`" if name == "endpoint" else ""


def _vendor_names() -> str:
    """Return the use of each name that the table of settings does not have; equal texts share a row."""
    in_settings = {name for setting in SETTINGS for name in setting.environment}
    rows: dict[tuple[str, str], list[str]] = {}
    for name in (*VARIABLES, *FILE_KEYS):
        if name.name not in in_settings:
            text = f"read as `{name.text}`" if name.use == READ and name.text in Connection.model_fields else name.text
            use = {READ: text, REFUSED: f"refused: {text}", IGNORED: f"no effect; {text}"}[name.use]
            rows.setdefault((name.tool, use), []).append(name.name)
    return table(
        ("of", "variable or key", "use"),
        [(tool, listed(names), use) for (tool, use), names in rows.items()],
    )


def _actions() -> str:
    rows = [
        (
            code(operation),
            listed(names) + ", not confirmed" * (operation in UNCONFIRMED),
            ", ".join(name for name, of in PURPOSES.items() if operation in of),
        )
        for operation, names in ACTIONS.items()
    ]
    return table(("operation", "IAM action", "in the policy of"), rows)


def _sources() -> str:
    return "\n".join(f"{number}. {_coded_names(source.title)}" for number, source in enumerate(SOURCES, start=1))


def _coded_names(title: str) -> str:
    return re.sub(r"[A-Z_]+_\*|\[\w+\]", r"`\g<0>`", title)


def _constraints() -> str:
    """Return the table in the docstring of the module."""
    border = re.compile(r"^=+(?: =+)+$", re.MULTILINE)
    _, titles, rows, _ = border.split(str(constraints.__doc__))
    starts = [found.start() for found in re.finditer(r"=+", str(border.search(str(constraints.__doc__))[0]))]  # type: ignore[index]
    cells = [_columns(line, starts) for line in [titles.strip(), *rows.strip().splitlines()]]
    return table(cells[0], cells[1:])


def _version_words() -> str:
    """Return the words of a version and where they sort, then the few that count in front of the version."""
    letters = "a single letter"
    rows = [
        (
            words.name,
            words.place,
            code(words.example),
            ", ".join(
                [
                    *([letters] if words is BUILD else []),
                    *(" = ".join(map(code, spellings)) for spellings in words.words if len(spellings[0]) > 1),
                ]
            ),
        )
        for words in WORDS
    ]
    heads = ("word", "where a version sorts", "beside `1.5.0`", "words")
    in_front = f"In front of the version only {listed(IN_FRONT)} count: `edge-gateway_1.2` is no prerelease."
    return f"{table(heads, rows)}\n{wrapped(in_front)}"


def _columns(line: str, starts: list[int]) -> list[str]:
    ends = [*starts[1:], None]
    return [line[start:end].strip().replace("``", "`") for start, end in zip(starts, ends, strict=True)]


def _limits() -> str:
    count, minutes = (f"{rule.minimum} to {rule.maximum:,}" for rule in (limits.RETRY_COUNT, limits.RETRY_INTERVAL))
    rows = (
        ("devices of a task, as `targets`", f"{limits.MAX_TARGETS:,}"),
        ("packages on a page of a list", f"{limits.MAX_PAGE}; lists are read to the end, whatever their length"),
        (
            "`retry_count`, `retry_interval`",
            f"{count}; {minutes} minutes",
        ),
        ("`support_source_versions`", f"{limits.MAX_SOURCE_VERSIONS}"),
        ("`description`, `custom_info`", f"{limits.MAX_DESCRIPTION:,} and {limits.MAX_CUSTOM_INFO:,} characters"),
        ("statement of a search of devices", f"{MAX_SQL} characters, {MAX_CONDITIONS} conditions"),
        ("`task_ext_info`", f"{limits.MAX_TASK_EXT_INFO} characters as JSON"),
    )
    return table(("what", "at most"), rows)


def _stored_classes() -> str:
    rows = [
        (code(name.removesuffix("Provider")), code(f"{provider.__module__}.{name}"))
        for name, provider in sorted(vars(dynamic).items())
        if name.endswith("Provider") and name.removesuffix("Provider") in pulumi_iotda_ota.__all__
    ]
    return table(("resource", "stored path"), rows)


def _names() -> str:
    """Return every public name with the first line of its docstring."""
    public = [name for name in pulumi_iotda_ota.__all__ if name != "__version__"]
    rows = [(code(name), _first_line(getattr(pulumi_iotda_ota, name))) for name in public]
    return table(("name", "what it is"), rows)


def _first_line(thing: object) -> str:
    first = str(thing.__doc__).strip().split("\n\n")[0]
    return re.sub(r":\w+:`(\w+)`", r"`\1`", first.replace("``", "`"))


#: The parts that the tables alone determine, by name.
REFERENCE: Mapping[str, Callable[[], str]] = {
    **{f"inputs of {name}": partial(_inputs, served.arguments) for name, served in _SERVED.items()},
    **{f"changes of {name}": partial(_changes, name) for name in CONNECTION},
    **{f"outputs of {name}": partial(_outputs, served.outputs) for name, served in _SERVED.items()},
    "outputs of a path": partial(_outputs, outputs.UPGRADE_PATH.fields),
    "settings": _settings,
    "order of sources": _sources,
    "names of the vendor": _vendor_names,
    "actions": _actions,
    "constraints": _constraints,
    "version words": _version_words,
    "names": _names,
    "limits of the service": _limits,
    "frozen classes": _stored_classes,
}
#: All parts, by name. The pictures show requests that the local IoTDA received.
PARTS: Mapping[str, Callable[[], str]] = {
    **REFERENCE,
    "requests of resources": pictures.requests_of_resources,
    "a first update": pictures.sequence,
    "a long list": pictures.walk,
    "an upgrade path": pictures.upgrade_path,
}
