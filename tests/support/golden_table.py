"""Read the golden table: the packages as a seed of the emulator, and the lookups with their expected results."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.case import camel, snake
from tests.support.golden_versions import names_of

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE = Path(__file__).parents[1] / "golden" / "table.txt"


@dataclass(frozen=True)
class Lookup:
    """One line of the table.

    Attributes:
        name: its title.
        arguments: of get_ota_package, or of get_ota_packages if a list is expected.
        expected: the expected result, as the table has it.
    """

    name: str
    arguments: dict[str, Any]
    expected: str

    @property
    def many(self) -> bool:
        """Return whether a list is expected."""
        return self.expected.startswith("[")

    @property
    def versions(self) -> list[str]:
        """Return the expected versions of a list."""
        return [one for one in self.expected.strip("[]").split(", ") if one]

    @property
    def error(self) -> tuple[str, list[str]] | None:
        """Return the class of the expected error and parts of its message, or None."""
        found = re.fullmatch(r"([A-Z]\w+): (.+)", self.expected)
        return (found[1], found[2].split("; ")) if found else None


def seed() -> dict[str, Any]:
    """Return the packages as a seed of the emulator."""
    names = [_package("names", f"n{number:03}", name, "2025-01-01") for number, name in enumerate(names_of("loose"))]
    packages = [*names, *(_of_line(line) for line in _section("packages"))]
    return {"packages": [{**package, "record_id": f"{place:024x}"} for place, package in enumerate(packages, 1)]}


def lookups() -> list[Lookup]:
    """Return the lookups."""
    rows = [re.split(r"\s+\|\s+", line.strip(), maxsplit=2) for line in _section("lookups")]
    return [Lookup(name, _arguments(arguments), expected) for name, arguments, expected in rows]


@dataclass(frozen=True)
class PathLookup:
    """One line of the paths in the table; see :class:`Lookup`."""

    name: str
    arguments: dict[str, Any]
    answer: str

    @property
    def error(self) -> tuple[str, str] | None:
        """Return the class of the expected error and a part of its text, or None."""
        found = re.fullmatch(r"([A-Z]\w+): (.+)", self.answer)
        return (found[1], found[2]) if found else None


def path_lookups() -> list[PathLookup]:
    """Return the lookups of paths."""
    rows = [re.split(r"\s+\|\s+", line.strip(), maxsplit=2) for line in _section("paths")]
    return [PathLookup(name, _arguments(given), answer) for name, given, answer in rows]


def path_text(path: Mapping[str, Any]) -> str:
    """Return a path as the table writes it."""
    if path["reachable"]:
        return " ".join(hop["version"] for hop in path["hops"]) or "same"
    if path["needs_downgrade"]:
        return "needs a downgrade"
    if path.get("hops_needed"):
        return f"needs {path['hops_needed']} hops"
    return f"reaches {path['nearest_version']}, missing {' '.join(path['missing_versions'])}"


def _section(name: str) -> list[str]:
    text = TABLE.read_text(encoding="utf-8").split(f"\n[{name}]\n")[1].split("\n[")[0]
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _of_line(line: str) -> dict[str, Any]:
    scope, version, uploaded, more = (cell.strip() for cell in line.split("|"))
    product, package_id = scope.split()
    return _package(product, package_id, version, uploaded, more)


def _package(product: str, package_id: str, version: str, uploaded: str, more: str = "") -> dict[str, Any]:
    location = {"region_name": "r", "bucket_name": "b-1", "object_key": package_id}
    fields = {
        "package_id": package_id,
        "app_id": "energy",
        "package_type": "firmwarePackage",
        "product_id": product,
        "version": version,
        "create_time": f"{uploaded.replace('-', '')}T000000Z",
    }
    words = more.split()
    if "sha256" in words:
        location |= {"sign_method": "SHA256", "sign": "ab" * 32}
    if "app" in words:
        fields["app_id"] = words[words.index("app") + 1]
    if "module" in words:
        fields |= {"module_name": words[words.index("module") + 1], "package_type": "modulePackage"}
    supports = words[words.index("supports") + 1 :] if "supports" in words else []
    return {**fields, "support_source_versions": supports, "file_location": {"obs_location": location}}


def _arguments(text: str) -> dict[str, Any]:
    """Return the arguments of a line: the product, unless it has a package id, then flags and keywords."""
    call = ast.parse(f"f({text})", mode="eval").body
    assert isinstance(call, ast.Call)
    keywords = {keyword.arg or "": ast.literal_eval(keyword.value) for keyword in call.keywords}
    names = [name.id for name in call.args if isinstance(name, ast.Name)]
    if "package_id" in keywords:
        return {**dict.fromkeys(names, True), **keywords}
    product, *flags = names
    return {"package_type": "firmwarePackage", "product_id": product, **dict.fromkeys(flags, True), **keywords}


def camel_keys(value: Any) -> Any:
    """Return a value with camelCase names, as the plugin has them."""
    if isinstance(value, list):
        return [camel_keys(item) for item in value]
    return {camel(name): camel_keys(item) for name, item in value.items()} if isinstance(value, dict) else value


def snake_keys(value: Any) -> Any:
    """Return a value with snake_case names, as Python has them."""
    if isinstance(value, list):
        return [snake_keys(item) for item in value]
    return {snake(name): snake_keys(item) for name, item in value.items()} if isinstance(value, dict) else value
