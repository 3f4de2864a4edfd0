"""What `package list` and `package get` do: ask as the functions do, and print the answer."""

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
from pulumi_iotda_ota.selection.rules import Keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi_iotda_ota.cli.options import CommandInput
    from pulumi_iotda_ota.cli.session import Session

_COLUMNS = ("version", "package_id", "product_id", "created_at")


def list_all(command_input: CommandInput) -> None:
    """List the packages that match."""
    with service(command_input) as connected:
        values = list_packages(connected.run, _context(command_input), command_input.values)
    values["packages"] = list(values["packages"])
    if command_input.as_json:
        command_input.session.json(_envelope(values, MAX_SKIPPED))
        return
    if command_input.flags["field"]:
        for package in values["packages"]:
            command_input.session.line(safe(package.get(command_input.flags["field"])))
    else:
        _print_list(command_input.session, values["packages"])
    if values["truncated"] and not (command_input.as_json or command_input.flags["field"]):
        command_input.session.note(f"the first {len(values['packages'])}: --max-items left some out")
    if not values["packages"] and not command_input.as_json:
        command_input.session.note(_nothing(command_input.values, values["skipped_counts"]))
    _note_unreadable(command_input.session, values)


def _print_list(session: Session, packages: Sequence[Mapping[str, Any]]) -> None:
    if packages and session.is_terminal(session.out):
        session.note(plural(len(packages), "OTA package"))
        session.rows([_row(session, package) for package in packages], header=_COLUMNS)
    else:
        session.rows([_row(session, package) for package in packages])


def _nothing(given: Mapping[str, Any], skipped: Mapping[str, int]) -> str:
    """Return that no package matches, and what to do."""
    skipped = {rule: count for rule, count in skipped.items() if rule != UNREADABLE}
    if skipped:
        counts = ", ".join(f"{long_option(rule)} {count:,}" for rule, count in skipped.items())
        most = max(skipped, key=lambda rule: skipped[rule])
        return f"no OTA package matches; skipped by {counts}. To see more, change or leave out {long_option(most)}"
    filters = [long_option(name) for name in ("product_id", "app_id", "version") if given[name]]
    other = f"list more without {' and '.join(filters)}, or " if filters else ""
    return (
        f"no OTA package of type {given['package_type']} in this project; "
        f"{other}run iotda-ota doctor to see which project and instance were read"
    )


def get_one(command_input: CommandInput) -> None:
    """Look up one package. With a lock, the service is asked with ``--verify`` alone."""
    given, flags = command_input.values, command_input.flags
    if flags["field"] == "file_location" and given["include_file_location"] is None:
        given = {**given, "include_file_location": True}  # the result has it only if it was requested
    context = _context(command_input)
    with ExitStack() as stack:
        if given["lock"] is None or given["verify"]:
            run = stack.enter_context(service(command_input)).run
        else:
            run = stack.enter_context(closing(Run(memo=False)))
        values = get_package(run, context, given, most_skipped=sys.maxsize)
    if command_input.as_json:
        command_input.session.json(_envelope(values, sys.maxsize if flags["all_skipped"] else MAX_SKIPPED))
    elif values["found"]:
        _print(command_input, values)
        if flags["explain"] and not flags["field"]:
            _explain(command_input, context, values)
        _note_unreadable(command_input.session, values)
    elif flags["explain"]:
        command_input.session.note("no OTA package matches; remove --on-missing none to see what was skipped")


def _context(command_input: CommandInput) -> Context:
    return Context(stack_config(command_input), command_input.session.environ, given_connection(command_input))


def _explain(command_input: CommandInput, context: Context, values: Mapping[str, Any]) -> None:
    """Print why this package was selected."""
    if command_input.values["lock"] is not None:
        command_input.session.line(f"\n  {safe(locked_entry(context, command_input.values).reason)}")
        return
    scheme = command_input.values["version_scheme"] or "loose"
    print_skipped(
        command_input.session, values["skipped"], scheme=scheme, everything=command_input.flags["all_skipped"]
    )


def _note_unreadable(session: Session, values: Mapping[str, Any]) -> None:
    """Report the records that no rule could judge."""
    records = [one for one in values["skipped"] if one["rule"] == UNREADABLE]
    named = [str(UnreadableRecord(one["package_id"], one["version"], one["reason"])) for one in records]
    session.note_skipped("package", named, values["skipped_counts"].get(UNREADABLE, 0))


def _print(command_input: CommandInput, values: Mapping[str, Any]) -> None:
    if command_input.flags["field"]:
        command_input.session.line(safe(values.get(command_input.flags["field"])))
    else:
        command_input.session.rows([[*_row(command_input.session, values), *_checksum(values)]])


def _row(session: Session, package: Mapping[str, Any]) -> list[Any]:
    """Return the cells of a package: the whole time for a program, the day for a person."""
    cells = [package.get(name) for name in _COLUMNS]
    return [*cells[:-1], package["created_at"][:10]] if session.is_terminal(session.out) else cells


def _checksum(package: Mapping[str, Any]) -> list[str]:
    """Return whether a file has a checksum, where its location was asked for."""
    if "file_location" not in package:
        return []
    signed = (package["file_location"].get("obs_location") or {}).get("sign")
    return [f"sha256 {'yes' if signed else 'no'}"]


def _envelope(values: Mapping[str, Any], most: int) -> dict[str, Any]:
    """Return a result as programs read it: what the function returns, and beside it what was skipped."""
    result = dict(values)
    skipped, counts = result.pop("skipped", []), result.pop("skipped_counts", {})
    found = result.pop("found", True)
    return {"result": result if found else None, "skipped": skipped[:most], "skipped_counts": counts}


_SHOWN = 8
_HEADER = ("version", "package_id", "why not")


def print_skipped(session: Session, skipped: Sequence[Mapping[str, Any]], *, scheme: str, everything: bool) -> None:
    """Print the packages that were skipped, the nearest first.

    Args:
        session: where it is printed.
        skipped: all that were skipped.
        scheme: how versions are ordered.
        everything: whether all of them are printed, or the first few.
    """
    ordered = _nearest_first(skipped, scheme)
    shown = ordered if everything else ordered[:_SHOWN]
    session.line()
    if not shown:
        session.line("no package was skipped")
        return
    session.rows(
        [(one["version"], one["package_id"], _why_not(one)) for one in shown],
        header=_HEADER,
        indent="  ",
    )
    if len(shown) < len(ordered):
        session.note(f"  … {len(ordered) - len(shown):,} more (--all-skipped lists them)")


def _why_not(skipped: Mapping[str, Any]) -> str:
    """Return why a package was skipped. No option judges a record that cannot be judged."""
    option = "" if skipped["rule"] == UNREADABLE else f" ({long_option(skipped['rule'])})"
    return f"{skipped['reason']}{option}"


def _nearest_first(skipped: Sequence[Mapping[str, Any]], scheme: str) -> list[Mapping[str, Any]]:
    """Return the highest versions first. Those that the scheme cannot read come last."""
    keys = Keys(scheme)
    read = [(keys.find(one["version"]), one) for one in skipped]
    readable = sorted(((key, one) for key, one in read if key is not None), key=lambda keyed: keyed[0], reverse=True)
    return [*(one for _, one in readable), *(one for key, one in read if key is None)]
