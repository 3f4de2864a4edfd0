"""Looks for what a request of unknown outcome may have created; never sends that request again."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pulumi_iotda_ota.iotda.errors import IotdaOtaError, OutcomeUnknown
from pulumi_iotda_ota.iotda.retry import Deadline
from pulumi_iotda_ota.lifecycle.polling import pause_after

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.iotda.retry import Clock

T = TypeVar("T")
_LOOK_FOR_SECONDS = 120
_SHORTEST_PAUSE = 2  # seconds
# If the service shows the first one only after the lookup of the next run, that run creates a second one.
_RUN_AGAIN = (
    f"wait {_LOOK_FOR_SECONDS // 60} minutes, then run pulumi up again: it searches for it first and adopts it if it "
    "exists; after a run that was killed: pulumi cancel, pulumi refresh --clear-pending-creates, pulumi up"
)


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
        ("cause", error.cause or error.message.headline),
        ("fix", _RUN_AGAIN),
    ]
    headline = f"it is unknown whether the {thing} was created"
    raise OutcomeUnknown(headline, cause=error.cause, facts=facts) from error
