"""What `package list` and `package get` do: ask as the functions do, and print the answer."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.cli.connect import given_connection, service, stack_config
from pulumi_iotda_ota.cli.session import safe
from pulumi_iotda_ota.context import Context
from pulumi_iotda_ota.iotda.sanitize import plural
from pulumi_iotda_ota.lookup.find import find_package, find_packages
from pulumi_iotda_ota.lookup.query import PackageLookup, PackagesLookup
from pulumi_iotda_ota.lookup.session import Run
from pulumi_iotda_ota.message_rendering import option as long_option
from pulumi_iotda_ota.operations import locked_entry, package_answer, require_lock
from pulumi_iotda_ota.selection.choose import MAX_SKIPPED, UNREADABLE
from pulumi_iotda_ota.selection.keys import Keys
from pulumi_iotda_ota.serialization import found_values, listed_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi_iotda_ota.cli.options import CommandInput
    from pulumi_iotda_ota.cli.session import Session
    from pulumi_iotda_ota.lookup.find import Found
    from pulumi_iotda_ota.selection.choose import Selection, Skipped

_COLUMNS = ("version", "package_id", "product_id", "created_at")


def list_all(command_input: CommandInput) -> None:
    """List the packages that fit."""
    lookup = PackagesLookup.from_arguments(command_input.values)
    with service(command_input) as connected:
        found = find_packages(connected.run, connected.connection, lookup)
    values = listed_values(found)
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
    _note_unreadable(command_input.session, found.selection)


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
    """Look up one package."""
    values = command_input.values
    if command_input.flags["field"] == "file_location" and values["include_file_location"] is None:
        values = {**values, "include_file_location": True}  # it is not there without being asked for
    if values["lock"] is not None:
        _locked(command_input, values)
        return
    require_lock(values)
    lookup = PackageLookup.from_arguments(values)
    # To tell why is to have all of them at hand; without it as many as the function tells.
    most = sys.maxsize if command_input.flags["explain"] or command_input.flags["all_skipped"] else MAX_SKIPPED
    with service(command_input) as connected:
        found = find_package(connected.run, connected.connection, lookup, most_skipped=most)
    _tell_one(command_input, lookup, found)


def _tell_one(command_input: CommandInput, lookup: PackageLookup, found: Found | None) -> None:
    """Tell the package that was found, or that there is none."""
    values = found_values(found) if found else None
    if command_input.as_json:
        most = sys.maxsize if command_input.flags["all_skipped"] else MAX_SKIPPED
        command_input.session.json(_envelope(values, most))
    elif values is not None and found:
        _print(command_input, values)
        if command_input.flags["explain"] and not command_input.flags["field"]:
            scheme = lookup.policy.version_scheme
            tell_why(
                command_input.session, found.selection, scheme=scheme, everything=command_input.flags["all_skipped"]
            )
        _note_unreadable(command_input.session, found.selection)
    elif command_input.flags["explain"]:
        command_input.session.note("no OTA package matches; without --on-missing none the error says what was skipped")


def _note_unreadable(session: Session, selection: Selection) -> None:
    """Report the records that no rule could judge."""
    session.note_skipped("package", list(map(str, selection.first_records)), selection.skipped_counts[UNREADABLE])


def _locked(command_input: CommandInput, given: Mapping[str, Any]) -> None:
    """Tell what is locked; the service is asked with ``--verify`` alone."""
    context = Context(stack_config(command_input), command_input.session.environ, given_connection(command_input))
    if command_input.values["verify"]:
        with service(command_input) as connected:
            values = package_answer(connected.run, context, given) or {}
    else:
        with closing(Run(memo=False)) as run:
            values = package_answer(run, context, given) or {}
    if command_input.as_json:
        command_input.session.json(_envelope(values, MAX_SKIPPED))
        return
    _print(command_input, values)
    if command_input.flags["explain"] and not command_input.flags["field"]:
        command_input.session.line(f"\n  {safe(locked_entry(context, command_input.values).why)}")


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


def _envelope(values: Mapping[str, Any] | None, most: int) -> dict[str, Any]:
    """Return an answer as programs read it: what the function returns, and beside it what was passed over."""
    told = dict(values or {})
    skipped, counts = told.pop("skipped", []), told.pop("skipped_counts", {})
    result = {name: value for name, value in told.items() if value is not None} if values is not None else None
    return {"result": result, "skipped": skipped[:most], "skipped_counts": counts}


# Tells why a package was chosen: what was passed over for it, what came nearest first.

_SHOWN = 8
_HEADER = ("version", "package_id", "why not")


def tell_why(session: Session, selection: Selection, *, scheme: str, everything: bool) -> None:
    """Print what was passed over.

    Args:
        session: where it is printed.
        selection: all that was passed over.
        scheme: how versions are ordered.
        everything: whether all of it is printed, or the first few.
    """
    ordered = _nearest_first(selection.skipped, scheme)
    shown = ordered if everything else ordered[:_SHOWN]
    session.line()
    if not shown:
        session.line("nothing was passed over")
        return
    session.rows(
        [(one.version, one.package_id, _why_not(one)) for one in shown],
        header=_HEADER,
        indent="  ",
    )
    if len(shown) < len(ordered):
        session.note(f"  … {len(ordered) - len(shown):,} more (--all-skipped shows them)")


def _why_not(skipped: Skipped) -> str:
    """Return why a package was passed over; no option judges a record that cannot be judged."""
    option = "" if skipped.rule == UNREADABLE else f" ({long_option(skipped.rule)})"
    return f"{skipped.reason}{option}"


def _nearest_first(skipped: list[Skipped], scheme: str) -> list[Skipped]:
    """Return the highest versions first; those that the scheme can not read come last."""
    keys = Keys(scheme)
    read = [(keys.find(one.version), one) for one in skipped]
    readable = sorted(((key, one) for key, one in read if key is not None), key=lambda keyed: keyed[0], reverse=True)
    return [*(one for _, one in readable), *(one for key, one in read if key is None)]
