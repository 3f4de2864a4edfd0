"""Generate the classes of results: ``_generated/results.py``."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

from pulumi_iotda_ota.schema import outputs
from tools.generate.python_code import HEADER, described, docstring, plain_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pulumi_iotda_ota.schema.outputs import Object, Output

# The public names of objects.
_NAMES = {"OtaPackageFields": "OtaPackageResult", "SkippedPackage": "SkippedPackage"}
# A lookup sets a count to 0 if the service does not return it.
_COUNTS = outputs.TASK_PROGRESS
# These are attributes only, because skipped packages are no part of the value.
_ATTRIBUTES = ("skipped", "skipped_counts")
_QUERY = "Its ``id`` is made from the query, and is the same in each run."
_RESULTS = (
    ("GetOtaPackageResult", outputs.GET_OTA_PACKAGE, f"The package that was found. {_QUERY}"),
    ("GetOtaPackagesResult", outputs.GET_OTA_PACKAGES, f"The packages that match. {_QUERY}"),
    ("GetDeviceVersionsResult", outputs.GET_DEVICE_VERSIONS, f"How many devices run each version. {_QUERY}"),
    ("GetUpgradePathResult", outputs.GET_UPGRADE_PATH, f"The paths to a target package. {_QUERY}"),
    ("GetUpgradeTaskResult", outputs.GET_UPGRADE_TASK, f"An upgrade task as it was when it was fetched. {_QUERY}"),
)


def class_of(item: Object) -> str:
    """Return the name of the class of an object."""
    return _NAMES.get(item.name, f"{item.name}Result")


def text() -> str:
    """Return the module."""
    parts = [
        HEADER.format("The results of the functions. Their base class is in ``functions/results.py``."),
        "from __future__ import annotations\n",
        "from pulumi_iotda_ota.functions.results import Attribute, Field, Result\n",
    ]
    parts += [_class(class_of(item), "Result", item.description, item.fields, item) for item in _objects()]
    package = {output.name for output in outputs.PACKAGE.fields}
    for name, fields, description in _RESULTS:
        is_package = package <= {output.name for output in fields}
        base = class_of(outputs.PACKAGE) if is_package else "Result"
        own = [output for output in fields if not (is_package and output.name in package)]
        parts.append(_class(name, base, description, own))
    return "\n\n".join(parts)


def _objects() -> list[Object]:
    """Return the objects inside results, each after the objects inside it."""
    ordered: dict[str, Object] = {}

    def add(fields: Iterable[Output]) -> None:
        for output in fields:
            if output.of is not None:
                add(output.of.fields)
                ordered.setdefault(output.of.name, output.of)

    for _, fields, _ in _RESULTS:
        add(fields)
    return list(ordered.values())


def _class(name: str, base: str, description: str, fields: Sequence[Output], item: Object | None = None) -> str:
    lines = [f"class {name}({base}):", docstring(description), ""]
    # A result exists only if something was found, so that case makes no field optional.
    lines += [_field(output, optional=output.optional and item is not _COUNTS) for output in fields]
    return "\n".join(lines) + "\n"


def _field(output: Output, *, optional: bool) -> str:
    kind = "Attribute" if output.name in _ATTRIBUTES else "Field"
    absent = output.absent in ("", "no package was found")
    inner, more = _inner(output)
    optional = optional and not absent
    type_ = f'"{inner} | None"' if optional else inner
    text = described(output).removesuffix(" Absent if no package was found.") if absent else described(output)
    return f"    {output.name} = {kind}[{type_}]({_quoted(text)}{more})"


def _inner(output: Output) -> tuple[str, str]:
    if output.of is None:
        return plain_type(output), ""
    name = class_of(output.of)
    return (f"list[{name}]", f", each={name}") if output.type == "list of objects" else (name, f", of={name}")


def _quoted(text: str) -> str:
    """Return a string literal, in several parts if it is long."""
    parts = textwrap.wrap(text, 90, drop_whitespace=False, break_long_words=False, break_on_hyphens=False)
    return "\n".join(json.dumps(part, ensure_ascii=False) for part in parts)
