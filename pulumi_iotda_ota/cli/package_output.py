"""What `list` and `get` do: ask as the functions do, and print the answer."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.cli.connect import given_connection, service, stack_config
from pulumi_iotda_ota.cli.session import safe
from pulumi_iotda_ota.cli.words import long_option
from pulumi_iotda_ota.context import Context
from pulumi_iotda_ota.lookup.find import find_package, find_packages
from pulumi_iotda_ota.lookup.query import PackageLookup, PackagesLookup
from pulumi_iotda_ota.lookup.session import Run
from pulumi_iotda_ota.operations import locked_entry, package_answer, require_lock
from pulumi_iotda_ota.selection.choose import MAX_SKIPPED
from pulumi_iotda_ota.selection.keys import Keys
from pulumi_iotda_ota.serialization import found_values, listed_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.cli.options import CommandInput
    from pulumi_iotda_ota.cli.session import Session
    from pulumi_iotda_ota.lookup.find import Found
    from pulumi_iotda_ota.selection.choose import Selection, Skipped

_COLUMNS = ("version", "package_id", "product_id", "created_at")


def list_all(asked: CommandInput) -> None:
    """List the packages that fit."""
    lookup = PackagesLookup.from_arguments(asked.values)
    with service(asked) as asking:
        values = listed_values(find_packages(asking.run, asking.connection, lookup))
    if asked.as_json:
        asked.session.json(_envelope(values, MAX_SKIPPED))
    elif asked.flags["field"]:
        for package in values["packages"]:
            asked.session.line(safe(package.get(asked.flags["field"])))
    else:
        asked.session.rows([_row(asked.session, package) for package in values["packages"]], header=_COLUMNS)
        if values["truncated"]:
            asked.session.note(f"the first {len(values['packages'])}: --max-items left some out")


def get_one(asked: CommandInput) -> None:
    """Look up one package."""
    values = asked.values
    if asked.flags["field"] == "file_location" and values["with_file_location"] is None:
        values = {**values, "with_file_location": True}  # it is not there without being asked for
    if values["lock"] is not None:
        _locked(asked, values)
        return
    require_lock(values)
    lookup = PackageLookup.from_arguments(values)
    # To tell why is to have all of them at hand; without it as many as the function tells.
    most = sys.maxsize if asked.flags["why"] or asked.flags["all"] else MAX_SKIPPED
    with service(asked) as asking:
        found = find_package(asking.run, asking.connection, lookup, most_skipped=most)
    _tell_one(asked, lookup, found)


def _tell_one(asked: CommandInput, lookup: PackageLookup, found: Found | None) -> None:
    """Tell the package that was found, or that there is none."""
    values = found_values(found) if found else None
    if asked.as_json:
        most = sys.maxsize if asked.flags["all"] else MAX_SKIPPED
        asked.session.json(_envelope(values, most))
    elif values is not None and found:
        _print(asked, values)
        if asked.flags["why"] and not asked.flags["field"]:
            scheme = lookup.policy.version_scheme
            tell_why(asked.session, found.selection, scheme=scheme, everything=asked.flags["all"])
    elif asked.flags["why"]:
        asked.session.note("no OTA package fits; without --on-missing none the error says what was passed over")


def _locked(asked: CommandInput, given: Mapping[str, Any]) -> None:
    """Tell what is locked; the service is asked with ``--verify`` alone."""
    where = Context(stack_config(asked), asked.session.environ, given_connection(asked))
    if asked.values["verify"]:
        with service(asked) as asking:
            values = package_answer(asking.run, where, given) or {}
    else:
        with closing(Run(memo=False)) as run:
            values = package_answer(run, where, given) or {}
    if asked.as_json:
        asked.session.json(_envelope(values, MAX_SKIPPED))
        return
    _print(asked, values)
    if asked.flags["why"] and not asked.flags["field"]:
        asked.session.line(f"\n  {safe(locked_entry(where, asked.values).why)}")


def _print(asked: CommandInput, values: Mapping[str, Any]) -> None:
    if asked.flags["field"]:
        asked.session.line(safe(values.get(asked.flags["field"])))
    else:
        asked.session.rows([[*_row(asked.session, values), *_checksum(values)]])


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
        [(one.version, one.package_id, f"{one.reason} ({long_option(one.rule)})") for one in shown],
        header=_HEADER,
        indent="  ",
    )
    if len(shown) < len(ordered):
        session.note(f"  … {len(ordered) - len(shown):,} more (--all shows them)")


def _nearest_first(skipped: list[Skipped], scheme: str) -> list[Skipped]:
    """Return the highest versions first; those that the scheme can not read come last."""
    keys = Keys(scheme)
    read = [(keys.find(one.version), one) for one in skipped]
    readable = sorted(((key, one) for key, one in read if key is not None), key=lambda keyed: keyed[0], reverse=True)
    return [*(one for _, one in readable), *(one for key, one in read if key is None)]
