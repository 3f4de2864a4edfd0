"""Print what `package path` finds: as a table, as JSON, or as a graph in Mermaid or DOT."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from pulumi_iotda_ota.cli.connect import given_connection, service, stack_config
from pulumi_iotda_ota.cli.exit_codes import INCAPABLE
from pulumi_iotda_ota.cli.session import safe
from pulumi_iotda_ota.context import Context
from pulumi_iotda_ota.iotda.sanitize import plural
from pulumi_iotda_ota.message_rendering import option
from pulumi_iotda_ota.operations import get_upgrade_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pulumi_iotda_ota.cli.options import CommandInput
    from pulumi_iotda_ota.cli.session import Session

    Path = Mapping[str, Any]

_HEADER = ("from", "hop", "version", "package_id")
_MOST_MISSING = 5


def print_paths(command_input: CommandInput) -> None:
    """Print the paths in the requested format. If a version cannot reach the target, the exit code is 6."""
    with service(command_input) as connected:
        context = Context(stack_config(command_input), command_input.session.environ, given_connection(command_input))
        values = get_upgrade_path(connected.run, context, command_input.values)
    session, target, paths = command_input.session, values["package"]["version"], values["paths"]
    if command_input.as_json:
        session.json({"result": values})
    elif command_input.flags["format"] == "text":
        _print_table(session, target, paths)
    else:
        session.line(_GRAPHS[command_input.flags["format"]](target, paths))
    unreachable = [path for path in paths if not path["reachable"]]
    if not command_input.as_json:
        for path in unreachable:
            session.note(_gap(target, path))
        if values["unreadable_records"]:
            session.note(f"skipped {plural(values['unreadable_records'], 'package')} that cannot be judged")
    if unreachable:
        click.get_current_context().exit(INCAPABLE.number)


def _print_table(session: Session, target: str, paths: Sequence[Path]) -> None:
    """Print one row for each hop, and one for each version that needs no hop."""
    rows = [row for path in paths for row in _rows(path)]
    reached = sum(path["reachable"] for path in paths)
    if session.is_terminal(session.out):
        session.note(f"{safe(target)} can be reached from {reached} of {plural(len(paths), 'version')}")
    session.rows(rows, header=_HEADER if rows else ())


def _rows(path: Path) -> list[tuple[Any, ...]]:
    source = path["source_version"]
    if path["reachable"] and not path["hops"]:
        return [(source, 0, source, "-")]
    return [(source, number, hop["version"], hop["package_id"]) for number, hop in enumerate(path["hops"], start=1)]


def _gap(target: str, path: Path) -> str:
    """Return why a version cannot reach the target, and what closes the gap."""
    start = f"{safe(path['source_version'])} cannot reach {safe(target)}: "
    if "hops_needed" in path:
        needed = path["hops_needed"]
        return f"{start}it needs {needed} hops; to allow them: {option('max_hops')} {needed}"
    if path["needs_downgrade"]:
        return f"{start}it is older; to accept the downgrade: {option('allow_downgrade')}"
    ends = " or ".join(safe(version) for version in path["missing_versions"][:_MOST_MISSING])
    more = " or another of its sources" if len(path["missing_versions"]) > _MOST_MISSING else ""
    nearest = safe(path["nearest_version"])
    needed = f"upload a package from {nearest} to {ends}{more}" if ends else f"upload a package that supports {nearest}"
    return f"{start}no package leads on from {nearest}; {needed}"


def _edges(target: str, paths: Sequence[Path]) -> dict[tuple[str, str], tuple[str, bool]]:
    """Return the label of each edge of the graph, and whether a package stands for it."""
    edges: dict[tuple[str, str], tuple[str, bool]] = {}
    for path in paths:
        version = path["source_version"]
        for hop in path["hops"]:
            edges.setdefault((version, hop["version"]), (hop["package_id"], True))
            version = hop["version"]
        if not path["reachable"]:
            start = path.get("nearest_version", version)
            label = "downgrade" if path["needs_downgrade"] else "no package"
            label = f"needs {path['hops_needed']} hops" if "hops_needed" in path else label
            edges.setdefault((start, target), (label, False))
            if start != version:
                edges.setdefault((version, start), ("reachable", False))
    return edges


def _nodes(target: str, paths: Sequence[Path]) -> list[str]:
    """Return the versions of the graph, each once."""
    versions = [version for ends in _edges(target, paths) for version in ends]
    return list(dict.fromkeys([*(path["source_version"] for path in paths), *versions, target]))


def _mermaid(target: str, paths: Sequence[Path]) -> str:
    """Return the paths as a flowchart of Mermaid."""

    def lines() -> Iterator[str]:
        nodes = _nodes(target, paths)
        yield "flowchart LR"
        for number, version in enumerate(nodes):
            shape = ('(["', '"])') if version == target else ('["', '"]')
            yield f"  v{number}{shape[0]}{_of_mermaid(version)}{shape[1]}"
        for (start, end), (label, is_package) in _edges(target, paths).items():
            arrow = "-->" if is_package else "-.->"
            yield f'  v{nodes.index(start)} {arrow}|"{_of_mermaid(label)}"| v{nodes.index(end)}'

    return "\n".join(lines())


def _of_mermaid(text: str) -> str:
    """Return a text for a label in quotes; Mermaid escapes characters as entities with a number sign."""
    return "".join(f"#{ord(letter)};" if letter in '"#&;<>`|' else letter for letter in safe(text))


def _dot(target: str, paths: Sequence[Path]) -> str:
    """Return the paths as a graph in the language DOT of Graphviz."""

    def lines() -> Iterator[str]:
        yield "digraph upgrade_path {"
        yield "  rankdir=LR;"
        for version in _nodes(target, paths):
            yield f"  {_of_dot(version)}{' [shape=box]' if version == target else ''};"
        for (start, end), (label, is_package) in _edges(target, paths).items():
            style = "" if is_package else ", style=dashed"
            yield f"  {_of_dot(start)} -> {_of_dot(end)} [label={_of_dot(label)}{style}];"
        yield "}"

    return "\n".join(lines())


def _of_dot(text: str) -> str:
    """Return a text as a quoted identifier of DOT."""
    return json.dumps(safe(text), ensure_ascii=False)


_GRAPHS: Mapping[str, Callable[[str, Sequence[Path]], str]] = {"mermaid": _mermaid, "dot": _dot}
