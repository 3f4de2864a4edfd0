"""How long a credential that was obtained is used, and that it is renewed once, however many want it.

* It is renewed when less than ten minutes are left of it. Whoever asks first does so; the others go on with the one
  that still holds. A renewal that fails then is no error yet.
* Where there is none that holds, all wait for the one that is being obtained, and share it or the failure.
* One that was refused is renewed once. The second refusal in a row is final for the process, because what is wrong
  then is not its age.

Nothing here knows how a credential is obtained, or sends a request.
"""

from __future__ import annotations

import copy
import threading
from concurrent.futures import Future, TimeoutError  # noqa: A004  another class than the built-in before Python 3.11
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.errors import CredentialsError, DeadlineExceeded, IotdaOtaError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.iotda.auth.credentials import Ready
    from pulumi_iotda_ota.iotda.retry import Deadline

_MARGIN = timedelta(minutes=10)
# How soon one that could not be renewed, or came with less than the margin, is asked for again.
_AGAIN = timedelta(minutes=1)
_MOST_REFUSALS = 2
# What the second refusal says beside the first one.
RENEWED_IN_VAIN = ("renewed", "once; the new one was refused too")


@dataclass(frozen=True)
class IssuedCredential:
    """A credential that was given out.

    Args:
        credential: what requests are signed with.
        expires: when it ends.
        project_id: the project that it was given out for, or empty where that was not told.
    """

    credential: Ready
    expires: datetime
    project_id: str = ""


class Renewable:
    """One credential and its successors; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: IssuedCredential | None = None
        self._due = datetime.max
        self._flight: Future[IssuedCredential] | None = None
        self._refusals = 0
        self._final: CredentialsError | None = None

    def current(self, obtain: Callable[[], IssuedCredential], deadline: Deadline) -> IssuedCredential:
        """Return a credential that holds.

        Args:
            obtain: obtains one.
            deadline: how long to wait for one that somebody else obtains.

        Raises:
            CredentialsError: two in a row were refused.
            IotdaOtaError: none could be obtained.
        """
        now = deadline.clock.now()
        with self._lock:
            if self._final:
                # A copy, because each raise writes its own traceback into the error.
                raise copy.copy(self._final)
            held = self._held
            holds = held is not None and now < held.expires
            if held and holds and (now < self._due or self._flight):
                return held
            flight = self._flight
            if flight is None:
                mine = self._flight = Future()
        if flight is not None:
            return self._waited_for(flight, obtain, deadline)
        return self._obtain(mine, obtain, held if holds else None, deadline)

    def on_accepted(self, used: Ready) -> None:
        """Hear that the service took a credential."""
        with self._lock:
            if self._held and self._held.credential == used:
                self._refusals = 0

    def refused(self, used: Ready, refusal: CredentialsError) -> bool:
        """Hear that the service refused a credential, and return whether another one is to be had."""
        with self._lock:
            if self._final:
                return False
            if self._held is None or self._held.credential != used:
                return True  # it was renewed meanwhile, or is being
            self._refusals += 1
            self._held = None
            if self._refusals < _MOST_REFUSALS:
                return True
            refusal.note(*RENEWED_IN_VAIN)
            self._final = copy.copy(refusal)
            return False

    def _obtain(
        self,
        flight: Future[IssuedCredential],
        obtain: Callable[[], IssuedCredential],
        held: IssuedCredential | None,
        deadline: Deadline,
    ) -> IssuedCredential:
        try:
            obtained = obtain()
        except BaseException as error:
            now = deadline.clock.now()
            with self._lock:
                self._flight = None
                self._due = now + _AGAIN
                # It may have been refused meanwhile.
                still_good = held is not None and held is self._held and now < held.expires
            if held and still_good and isinstance(error, IotdaOtaError):
                flight.set_result(held)
                return held
            flight.set_exception(error)
            raise
        now = deadline.clock.now()
        # By a clock that is ahead it has expired already; it is used all the same, and not asked for at each request.
        obtained = replace(obtained, expires=max(obtained.expires, now + _AGAIN))
        with self._lock:
            self._held, self._flight = obtained, None
            self._due = max(obtained.expires - _MARGIN, now + _AGAIN)
        flight.set_result(obtained)
        return obtained

    def _waited_for(
        self, flight: Future[IssuedCredential], obtain: Callable[[], IssuedCredential], deadline: Deadline
    ) -> IssuedCredential:
        """Return what another obtains; where that one ran out of time, obtain with what is left of ours."""
        try:
            return flight.result(timeout=deadline.remaining())
        except DeadlineExceeded:
            if not deadline.remaining():
                raise
            return self.current(obtain, deadline)
        except TimeoutError:
            deadline.check("get a credential that is being obtained")
            raise
        except IotdaOtaError as error:
            raise copy.copy(error) from error.__cause__
