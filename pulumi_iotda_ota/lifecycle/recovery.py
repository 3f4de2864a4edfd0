"""Creates a task or a package at most once: finds it, creates it, or adopts what an interrupted run created.

The service has no client token. A request whose outcome is unknown is never sent again: what it may have created is
looked for. One window remains: a request that the service carries out only after the next run has looked.
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

T = TypeVar("T")
Found = TypeVar("Found")
Created = TypeVar("Created")
_LOOK_FOR_SECONDS = 120
_SHORTEST_PAUSE = 2  # seconds
# If the service shows the first one only after the lookup of the next run, that run creates a second one.
_RUN_AGAIN = (
    f"wait {_LOOK_FOR_SECONDS // 60} minutes, then run pulumi up again: it searches for it first and adopts it if it "
    "exists; after a run that was killed: pulumi cancel, pulumi refresh --clear-pending-creates, pulumi up"
)


@dataclass(frozen=True)
class Creation(Generic[Found, Created]):
    """One thing that is created at most once.

    Attributes:
        kind: what it is, such as ``upgrade task``.
        name: which one, for people.
        key: what two resources that describe the same thing have in common.
        find: fetches what is there already, within a deadline if there is one; None if there is nothing.
        create: sends the request.
        select: returns which of what was found is this one, or raises why it may not be adopted.
        id_of: returns the id on the service.
        describe: describes what is adopted, in a few words.
        advice: what to do if two resources describe the same thing.
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
    """Create a thing, or adopt it if it is there already.

    Args:
        context: the program's run and its warnings.
        identity: the place on the service, see ``ResolvedConnection.identity``.
        creation: what is created.

    Raises:
        InputError: another resource of this program has created or adopted it.
        IotdaOtaError: it is there and may not be adopted, or the service refused the request.
        OutcomeUnknown: the service may have accepted the request, and nothing appeared within two minutes.
    """
    # Two resources of one program that describe one thing must not both find none.
    with context.run_state.alone(*creation.key):
        found = creation.find(None)
        if found is None:
            try:
                created = creation.create()
            except OutcomeUnknown as error:
                found = poll_until_visible(
                    context.clock, creation.find, error, thing=creation.kind, asked=creation.name
                )
        if found is not None:
            created = _adopt(context, identity, creation, found)
        context.run_state.note_created(Thing.at(identity, creation.id_of(created)))
    return created


def _adopt(
    context: ResourceContext, identity: Mapping[str, str], creation: Creation[Found, Created], found: Found
) -> Created:
    created = creation.select(found)
    what = f"{creation.name} exists already"
    if context.run_state.is_created(Thing.at(identity, creation.id_of(created))):
        facts = [("found", creation.describe(created)), ("fix", creation.advice)]
        raise InputError(f"two resources declare the same {creation.kind}: {creation.name}", facts=facts)
    context.run_state.require_shared(f"{what} and is not adopted: {creation.describe(created)}")
    context.warn(f"{what} and is adopted: {creation.describe(created)}")
    return created


def poll_until_visible(
    clock: Clock, find: Callable[[Deadline], T | None], error: OutcomeUnknown, *, thing: str, asked: str
) -> T:
    """Return what a lost answer told of, once the service shows it.

    Args:
        clock: the time, and the way to wait.
        find: looks for it once, within a deadline; None where it is not there.
        error: how the request ended.
        thing: what was asked for, such as ``upgrade task``.
        asked: which one, such as its name.

    Raises:
        OutcomeUnknown: it did not appear within two minutes.
    """
    began = clock.monotonic()
    deadline = Deadline.start(clock, _LOOK_FOR_SECONDS)
    why_not = "it did not appear"
    while deadline.remaining():
        try:
            found = find(deadline)
        except IotdaOtaError as failed:
            why_not = f"the search failed: {failed.message.headline}"
        else:
            if found is not None:
                return found
        pause = max(_SHORTEST_PAUSE, pause_after(clock.monotonic() - began))
        clock.sleep(min(pause, deadline.remaining()))
    facts = [
        ("requested", asked),
        ("found", f"nothing in {_LOOK_FOR_SECONDS} seconds; {why_not}"),
        ("cause", error.reason or error.message.headline),
        ("fix", _RUN_AGAIN),
    ]
    headline = f"it is unknown whether the {thing} was created"
    raise OutcomeUnknown(headline, cause=error.reason, facts=facts) from error
