"""Refresh a temporary credential: once for all threads, before it expires.

* If less than ten minutes are left, one thread refreshes it, and the others use the valid one. If that fails, it is no
  error yet.
* If there is no valid one, all threads wait for the one that is being obtained, and share it or its error.
* A refused one is refreshed once. The second refusal in a row is final for the process, because then age is not the
  cause.
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
# The pause after a failed refresh, or after a credential that is valid for less than the margin.
_AGAIN = timedelta(minutes=1)
_MOST_REFUSALS = 2
# A fact of the error for the second refusal.
REFRESHED_IN_VAIN = ("refreshed", "once; the new one was refused too")


@dataclass(frozen=True)
class IssuedCredential:
    """A credential that IAM or an ECS issued.

    Attributes:
        credential: the credential.
        expires: when it expires.
        project_id: its project, or empty if that is unknown.
    """

    credential: Ready
    expires: datetime
    project_id: str = ""


class RefreshedCredential:
    """One credential and its successors; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: IssuedCredential | None = None
        self._due = datetime.max
        self._flight: Future[IssuedCredential] | None = None
        self._refusals = 0
        self._final: CredentialsError | None = None

    def current(self, obtain: Callable[[], IssuedCredential], deadline: Deadline) -> IssuedCredential:
        """Return a valid credential.

        Args:
            obtain: obtains a credential.
            deadline: how long to wait for another thread.

        Raises:
            CredentialsError: two in a row were refused.
            IotdaOtaError: no credential could be obtained.
        """
        now = deadline.clock.now()
        with self._lock:
            if self._final:
                # A copy, because each raise writes its own traceback into the error.
                raise copy.copy(self._final)
            held = self._held
            is_valid = held is not None and now < held.expires
            if held and is_valid and (now < self._due or self._flight):
                return held
            flight = self._flight
            if flight is None:
                mine = self._flight = Future()
        if flight is not None:
            return self._wait_for(flight, obtain, deadline)
        return self._obtain(mine, obtain, held if is_valid else None, deadline)

    def on_accepted(self, used: Ready) -> None:
        """Record that the service accepted a credential."""
        with self._lock:
            if self._held and self._held.credential == used:
                self._refusals = 0

    def refused(self, used: Ready, refusal: CredentialsError) -> bool:
        """Record that the service refused a credential, and return whether another one can be obtained."""
        with self._lock:
            if self._final:
                return False
            if self._held is None or self._held.credential != used:
                return True  # another thread has refreshed it, or is doing so
            self._refusals += 1
            self._held = None
            if self._refusals < _MOST_REFUSALS:
                return True
            refusal.note(*REFRESHED_IN_VAIN)
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
                # Another thread can have recorded a refusal.
                still_good = held is not None and held is self._held and now < held.expires
            if held and still_good and isinstance(error, IotdaOtaError):
                flight.set_result(held)
                return held
            flight.set_exception(error)
            raise
        now = deadline.clock.now()
        # A fast clock makes fresh credentials look expired. They are used, and not obtained for each request.
        obtained = replace(obtained, expires=max(obtained.expires, now + _AGAIN))
        with self._lock:
            self._held, self._flight = obtained, None
            self._due = max(obtained.expires - _MARGIN, now + _AGAIN)
        flight.set_result(obtained)
        return obtained

    def _wait_for(
        self, flight: Future[IssuedCredential], obtain: Callable[[], IssuedCredential], deadline: Deadline
    ) -> IssuedCredential:
        """Return the credential of another thread; if the time of that thread is over, obtain one."""
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
