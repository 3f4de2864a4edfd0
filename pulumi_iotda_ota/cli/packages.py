"""The functions of `package get` and `package list`: look up as the Python functions do, and print the result."""

from __future__ import annotations

import sys
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.cli.connect import given_connection, service, stack_config
from pulumi_iotda_ota.cli.session import safe
from pulumi_iotda_ota.context import Context
from pulumi_iotda_ota.iotda.models import UnreadableRecord
from pulumi_iotda_ota.iotda.sanitize import plural
from pulumi_iotda_ota.lookup.session import Run
from pulumi_iotda_ota.message_rendering import option as long_option
from pulumi_iotda_ota.operations import get_package, list_packages, locked_entry
from pulumi_iotda_ota.selection.choose import MAX_SKIPPED, UNREADABLE
from pulumi_iotda_ota.selection.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi_iotda_ota.cli.options import CommandInput
    from pulumi_iotda_ota.cli.session import Session

_COLUMNS = ("version", "package_id", "product_id", "created_at")
_SKIPPED_COLUMNS = ("version", "package_id", "why not")
_FEW_SKIPPED = 8


def list_all(command_input: CommandInput) -> None:
    """List the packages that match."""
    with service(command_input) as connected:
        values = list_packages(connected.run, _context(command_input), command_input.values)
    packages = values["packages"] = list(values["packages"])
    session, field = command_input.session, command_input.flags["field"]
    if command_input.as_json:
        session.json(_envelope(values, MAX_SKIPPED))
        return
    if field:
        for package in packages:
            session.line(safe(package.get(field)))
    else:
        if packages and session.is_terminal(session.out):
            session.note(plural(len(packages), "OTA package"))
        session.rows([_row(session, package) for package in packages], header=_COLUMNS if packages else ())
        if values["truncated"]:
            session.note(f"the first {len(packages)}: --max-items left some out")
    if not packages:
        session.note(_no_package(command_input.values, values["skipped_counts"]))
    _note_unreadable(session, values)


def _no_package(arguments: Mapping[str, Any], skipped: Mapping[str, int]) -> str:
    """Return that no package matches, with a fix."""
    skipped = {rule: count for rule, count in skipped.items() if rule != UNREADABLE}
    if skipped:
        counts = ", ".join(f"{long_option(rule)} {count:,}" for rule, count in skipped.items())
        most = max(skipped, key=lambda rule: skipped[rule])
        return f"no OTA package matches; skipped by {counts}. To see more, change or leave out {long_option(most)}"
    filters = [long_option(name) for name in ("product_id", "app_id", "version") if arguments[name]]
    other = f"list more without {' and '.join(filters)}, or " if filters else ""
    return (
        f"no OTA package of type {arguments['package_type']} in this project; "
        f"{other}run iotda-ota doctor to see which project and instance were read"
    )


def get_one(command_input: CommandInput) -> None:
    """Look up one package. With a lock, requests are sent only for ``--verify``."""
    arguments, flags, session = command_input.values, command_input.flags, command_input.session
    if flags["field"] == "file_location" and arguments["include_file_location"] is None:
        arguments = {**arguments, "include_file_location": True}  # the result has it only if it was requested
    context = _context(command_input)
    with ExitStack() as stack:
        if arguments["lock"] is None or arguments["verify"]:
            run = stack.enter_context(service(command_input)).run
        else:
            run = stack.enter_context(closing(Run(memo=False)))
        values = get_package(run, context, arguments, most_skipped=sys.maxsize)
    if command_input.as_json:
        session.json(_envelope(values, sys.maxsize if flags["all_skipped"] else MAX_SKIPPED))
    elif values["found"]:
        if flags["field"]:
            session.line(safe(values.get(flags["field"])))
        else:
            session.rows([[*_row(session, values), *_checksum(values)]])
            if flags["explain"]:
                _explain(command_input, context, values)
        _note_unreadable(session, values)
    elif flags["explain"]:
        session.note("no OTA package matches; remove --on-missing none to see what was skipped")


def _context(command_input: CommandInput) -> Context:
    return Context(stack_config(command_input), command_input.session.environ, given_connection(command_input))


def _note_unreadable(session: Session, values: Mapping[str, Any]) -> None:
    """Report the records that no rule could judge."""
    records = [one for one in values["skipped"] if one["rule"] == UNREADABLE]
    named = [str(UnreadableRecord(one["package_id"], one["version"], one["reason"])) for one in records]
    session.note_skipped("package", named, values["skipped_counts"].get(UNREADABLE, 0))


def _row(session: Session, package: Mapping[str, Any]) -> list[Any]:
    """Return the cells of a package. On a terminal the time is a day."""
    cells = [package.get(name) for name in _COLUMNS]
    return [*cells[:-1], package["created_at"][:10]] if session.is_terminal(session.out) else cells


def _checksum(package: Mapping[str, Any]) -> list[str]:
    """Return whether the file has a checksum, if its location was requested."""
    if "file_location" not in package:
        return []
    checksum = (package["file_location"].get("obs_location") or {}).get("sign")
    return [f"sha256 {'yes' if checksum else 'no'}"]


def _envelope(values: Mapping[str, Any], most: int) -> dict[str, Any]:
    """Return a result for the JSON output: the result of the function, and what was skipped beside it."""
    result = dict(values)
    skipped, counts = result.pop("skipped", []), result.pop("skipped_counts", {})
    found = result.pop("found", True)
    return {"result": result if found else None, "skipped": skipped[:most], "skipped_counts": counts}


def _explain(command_input: CommandInput, context: Context, values: Mapping[str, Any]) -> None:
    """Print why this package was selected: the packages that were skipped, the nearest first."""
    session = command_input.session
    if command_input.values["lock"] is not None:
        session.line(f"\n  {safe(locked_entry(context, command_input.values).reason)}")
        return
    skipped = _nearest_first(values["skipped"], command_input.values["version_scheme"] or "loose")
    printed = skipped if command_input.flags["all_skipped"] else skipped[:_FEW_SKIPPED]
    session.line()
    if not printed:
        session.line("no package was skipped")
        return
    session.rows(
        [(one["version"], one["package_id"], _cause(one)) for one in printed], header=_SKIPPED_COLUMNS, indent="  "
    )
    if len(printed) < len(skipped):
        session.note(f"  … {len(skipped) - len(printed):,} more (--all-skipped lists them)")


def _cause(skipped: Mapping[str, Any]) -> str:
    """Return why a package was skipped, with the option, unless the record itself is the cause."""
    option = "" if skipped["rule"] == UNREADABLE else f" ({long_option(skipped['rule'])})"
    return f"{skipped['reason']}{option}"


def _nearest_first(skipped: Sequence[Mapping[str, Any]], scheme: str) -> list[Mapping[str, Any]]:
    """Return the highest versions first, and last those that the scheme cannot read."""
    keys = Keys(scheme)
    read = [(keys.find(one["version"]), one) for one in skipped]
    readable = sorted(((key, one) for key, one in read if key is not None), key=lambda keyed: keyed[0], reverse=True)
    return [*(one for _, one in readable), *(one for key, one in read if key is None)]
