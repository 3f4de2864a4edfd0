"""Where a resource was created, what "not found" means there, and which resource owns a task or package.

The same id may not exist in another project, and a gateway can return 404 too. So a task or package is gone only if
the service itself says so, in the place where it was created. A wrong variable in a pipeline must not orphan a task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError, ServiceError
from pulumi_iotda_ota.iotda.references import setting
from pulumi_iotda_ota.lifecycle.run_state import Thing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.lifecycle.base import Properties, ResourceContext

R = TypeVar("R")

_MOVED = "; if it was moved on purpose and is gone, remove it from the state: pulumi state delete"


def require_gone(
    error: ServiceError, state: Mapping[str, Any], connection: ResolvedConnection, *, thing: str, or_else: str = ""
) -> None:
    """Return if an error of the service means that a task or package is gone.

    Raises:
        ServiceError: the error means something else.
        IotdaOtaError: the connection leads to another place than the one in the state.
    """
    if not error.is_not_found:
        raise error
    if differing := _differences(state, connection):
        facts = [
            ("found", differing),
            ("fix", f"correct the connection: the stack knows it in another place{or_else}{_MOVED}"),
        ]
        raise IotdaOtaError(f"{thing} is not in the place of this connection", facts=facts) from error


def require_same_place(state: Mapping[str, Any], connection: ResolvedConnection, *, thing: str) -> None:
    """Refuse a replacement in another place: the old task or package would stay there, and no resource would own it.

    Raises:
        IotdaOtaError: the connection leads to another place than the one in the state.
    """
    differing = _differences(state, connection) if state.get("identity") else ""
    if differing:
        advice = "correct the connection; to move it on purpose, declare the new one under another name"
        facts = [("found", differing), ("fix", advice)]
        raise IotdaOtaError(f"{thing} cannot be replaced by one in another place", facts=facts)


def updated_state(
    context: ResourceContext,
    olds: Properties,
    news: Properties,
    *,
    kept: Properties,
    require: Callable[[ResolvedConnection], object],
) -> Properties:
    """Return the state under new inputs that change nothing on the service.

    Args:
        context: everything outside.
        olds: the stored state.
        news: the new inputs.
        kept: the part of the old state that stays.
        require: is called with the connection if it changed. It reads the task or package, or raises.
    """
    if olds.get("connection") == news.get("connection"):
        return {**kept, **news}
    connection = context.resolve(news)
    require(connection)
    return {**kept, **news, "identity": dict(connection.identity)}


def is_owned_elsewhere(context: ResourceContext, id_: str, state: Properties, *, thing: str, action: str) -> bool:
    """Return whether another resource owns what a deletion is about. Then a warning says that nothing is done.

    Two resources can describe one task or package. A later run carries out the deletions of a failed run.

    Args:
        context: everything outside.
        id_: the id on the service.
        state: the stored state.
        thing: the name in the warning, such as ``package 8e99…``.
        action: what is not done, such as ``deleted``.
    """
    place = state.get("identity") or context.resolve(state).identity
    if not context.run_state.owned_elsewhere(Thing.at(place, id_), action=f"{thing} is not {action}"):
        return False
    context.warn(f"{thing} is not {action}: another resource of the stack owns it now")
    return True


def read_for_import(request: Callable[[], R], connection: ResolvedConnection, *, thing: str, command: str) -> R:
    """Return the result of a request by id.

    Raises:
        IotdaOtaError: the id does not exist.
    """
    try:
        return request()
    except ServiceError as error:
        if not error.is_not_found:
            raise
        fix = f"check the id, {setting('project_id')} and {setting('instance_id')}; list what exists: {command}"
        facts = [("endpoint", connection.described), ("fix", fix)]
        raise IotdaOtaError(f"there is no {thing}", facts=facts) from None


def own_imported(context: ResourceContext, connection: ResolvedConnection, id_: str, *, thing: str) -> None:
    """Record that an imported resource owns a task or package.

    Raises:
        InputError: another resource of the stack owns it already, in this run.
    """
    imported = Thing.at(connection.identity, id_)
    if context.run_state.owned_elsewhere(imported, action=f"{thing} is not imported"):
        facts = [("fix", "declare it once, and use the outputs of that resource")]
        raise InputError(f"{thing} cannot be imported: another resource of this stack owns it already", facts=facts)
    context.run_state.note_created(imported)


def _differences(state: Mapping[str, Any], connection: ResolvedConnection) -> str:
    """Return how the connection differs from the stored identity; empty if it does not."""
    known = state.get("identity") or {}
    return ", ".join(
        f"{setting(name)} is {now or 'not set'} and was {known.get(name) or 'not set'}"
        for name, now in connection.identity.items()
        if (known.get(name) or "") != (now or "")
    )
