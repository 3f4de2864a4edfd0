"""Create a task or a package at most once: find it, create it, or adopt what an interrupted run created.

The service has no client token. So a request whose outcome is unknown is never sent again. Instead, its result is
searched for. One risk remains: the service can carry out a request after the search of the next run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError, OutcomeUnknown
from pulumi_iotda_ota.iotda.retry import Deadline
from pulumi_iotda_ota.lifecycle.polling import pause_after
from pulumi_iotda_ota.lifecycle.run_state import Thing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulumi_iotda_ota.iotda.retry import Clock
    from pulumi_iotda_ota.lifecycle.base import ResourceContext

Found = TypeVar("Found")
Created = TypeVar("Created")
_SEARCH_SECONDS = 120
_SHORTEST_PAUSE = 2  # seconds
# The pause, because the next run would create a second one if its search came before the service shows the first one.
_RUN_AGAIN = (
    f"wait {_SEARCH_SECONDS // 60} minutes, then run pulumi up again: it adopts what exists, and creates only what is "
    "missing; if the run was killed, first run pulumi cancel and pulumi refresh --clear-pending-creates"
)


@dataclass(frozen=True)
class Creation(Generic[Found, Created]):
    """A task or package to create at most once.

    Attributes:
        kind: ``upgrade task`` or ``OTA package``.
        name: its name in an error or warning.
        key: is equal for two resources that describe the same task or package.
        find: returns what exists already, or None. It has a deadline only after a request whose outcome is unknown.
        create: sends the request.
        select: returns the match among what was found, or raises an error if it must not be adopted.
        id_of: returns the id on the service.
        describe: describes what is adopted.
        advice: the fix if two resources describe the same task or package.
    """

    kind: str
    name: str
    key: tuple[str | None, ...]
    find: Callable[[Deadline | None], Found | None]
    create: Callable[[], Created]
    select: Callable[[Found], Created]
    id_of: Callable[[Created], str]
    describe: Callable[[Created], str]
    advice: str


def create_once(context: ResourceContext, identity: Mapping[str, str], creation: Creation[Found, Created]) -> Created:
    """Create a task or package, or adopt it if it exists already.

    Raises:
        InputError: another resource of this program has created or adopted it.
        IotdaOtaError: it exists and must not be adopted, or the service refused the request.
        OutcomeUnknown: the service may have accepted the request, and nothing appeared within two minutes.
    """
    # Two resources of one program that describe the same thing must not both find that it is missing.
    with context.run_state.alone(*creation.key):
        found = creation.find(None)
        if found is None:
            try:
                created = creation.create()
            except OutcomeUnknown as error:
                found = _poll_until_visible(context.clock, creation, error)
        if found is not None:
            created = _adopt(context, identity, creation, found)
        context.run_state.note_created(Thing.at(identity, creation.id_of(created)))
    return created


def _adopt(
    context: ResourceContext, identity: Mapping[str, str], creation: Creation[Found, Created], found: Found
) -> Created:
    created = creation.select(found)
    described = creation.describe(created)
    if context.run_state.is_created(Thing.at(identity, creation.id_of(created))):
        facts = [("found", described), ("fix", creation.advice)]
        raise InputError(f"two resources declare the same {creation.kind}: {creation.name}", facts=facts)
    context.run_state.require_shared(f"{creation.name} exists already and is not adopted: {described}")
    context.warn(f"{creation.name} exists already and is adopted: {described}")
    return created


def _poll_until_visible(clock: Clock, creation: Creation[Found, Created], error: OutcomeUnknown) -> Found:
    """Return what a request with an unknown outcome created, when the service shows it.

    Raises:
        OutcomeUnknown: it did not appear within two minutes.
    """
    began = clock.monotonic()
    deadline = Deadline.start(clock, _SEARCH_SECONDS)
    search = "it did not appear"
    while deadline.remaining():
        try:
            found = creation.find(deadline)
        except IotdaOtaError as failed:
            search = f"the search failed: {failed.message.headline}"
        else:
            if found is not None:
                return found
        pause = max(_SHORTEST_PAUSE, pause_after(clock.monotonic() - began))
        clock.sleep(min(pause, deadline.remaining()))
    facts = [
        ("requested", creation.name),
        ("found", f"nothing in {_SEARCH_SECONDS} seconds; {search}"),
        ("cause", error.reason or error.message.headline),
        ("fix", _RUN_AGAIN),
    ]
    headline = f"it is unknown whether the {creation.kind} was created"
    raise OutcomeUnknown(headline, cause=error.reason, facts=facts) from error
