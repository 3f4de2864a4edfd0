"""Where a resource was made, and what "not found" means there.

The same id may not exist in another project, and a gateway answers 404 for reasons of its own. So a thing is gone only
where the service itself says so, in the place where it was made: a wrong variable in a pipeline must not make a running
campaign unowned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.errors import IotdaOtaError
from pulumi_iotda_ota.iotda.references import setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.errors import ServiceError

_MOVED = "; if it was moved on purpose and is gone, remove it from the state: pulumi state delete"


def require_gone(
    error: ServiceError, state: Mapping[str, Any], connection: ResolvedConnection, *, thing: str, or_else: str = ""
) -> None:
    """Return where an error means that a thing is gone; raise it, or why it does not mean that, anywhere else.

    Args:
        error: the answer.
        state: what is stored of the thing, with the identity it was made under.
        connection: where was asked.
        thing: how an error names it, such as ``upgrade task 5c8b…``.
        or_else: what else can be done where the connection was changed on purpose.
    """
    if not error.is_not_found:
        raise error
    differs = _differences(state, connection)
    if differs:
        facts = [
            ("found", differs),
            ("fix", f"correct the connection: the stack knows it in another place{or_else}{_MOVED}"),
        ]
        raise IotdaOtaError(f"{thing} is not in the place of this connection", facts=facts) from error


def require_same_place(state: Mapping[str, Any], connection: ResolvedConnection, *, thing: str) -> None:
    """Refuse to replace a thing from another place than the one where it is: there it would go on, unseen.

    Args:
        state: what is stored of the thing, with the identity it was made under.
        connection: where its successor would be made.
        thing: how an error names it, such as ``upgrade task 5c8b…``.

    Raises:
        IotdaOtaError: the connection leads to another place.
    """
    differs = _differences(state, connection) if state.get("identity") else ""
    if differs:
        advice = "correct the connection; to move it on purpose, declare the new one under another name"
        facts = [("found", differs), ("fix", advice)]
        raise IotdaOtaError(f"{thing} cannot be replaced by one in another place", facts=facts)


def _differences(state: Mapping[str, Any], connection: ResolvedConnection) -> str:
    """Return, in words, how the connection differs from the identity that is stored; empty where it does not."""
    known = state.get("identity") or {}
    return ", ".join(
        f"{setting(name)} is {now or 'not set'} and was {known.get(name) or 'not set'}"
        for name, now in connection.identity.items()
        if (known.get(name) or "") != (now or "")
    )
