"""Tells why a package was chosen: what was passed over for it, what came nearest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.cli.words import long_option
from pulumi_iotda_ota.selection.keys import Keys

if TYPE_CHECKING:
    from pulumi_iotda_ota.cli.session import Session
    from pulumi_iotda_ota.selection.choose import Selection, Skipped

__all__ = ["tell_why"]

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
