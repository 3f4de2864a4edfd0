"""How long a credential is used, and which request refreshes it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from pydantic import SecretStr

from pulumi_iotda_ota.iotda.auth.credentials import AuthToken
from pulumi_iotda_ota.iotda.auth.refresh import IssuedCredential, RefreshedCredential
from pulumi_iotda_ota.iotda.errors import CredentialsError, DeadlineExceeded, TransportError
from pulumi_iotda_ota.iotda.retry import SYSTEM_CLOCK, Deadline
from tests.support.fault_helpers import NOW, FakeClock

REFUSAL = CredentialsError("refused", status=401)


class Issuer:
    """Issues numbered tokens that last an hour."""

    def __init__(self, lasts: timedelta = timedelta(hours=1)) -> None:
        self.time = FakeClock()
        self.lasts = lasts
        self.issued = 0
        self.failure: Exception | None = None
        self.credential = RefreshedCredential()

    def issue(self) -> IssuedCredential:
        """Give out a token."""
        self.issued += 1
        if self.failure:
            raise self.failure
        token = AuthToken(SecretStr(f"token-{self.issued}"), "test")
        return IssuedCredential(token, NOW + timedelta(seconds=self.time.seconds) + self.lasts)

    def current(self) -> AuthToken:
        """Return the token that is used now."""
        credential = self.credential.current(self.issue, Deadline.start(self.time.clock, 60)).credential
        assert isinstance(credential, AuthToken)
        return credential


def test_it_is_kept_until_ten_minutes_before_its_end() -> None:
    """One token serves for fifty minutes of its hour, and then there is another."""
    issuer = Issuer()
    first = issuer.current()
    issuer.time.seconds = 50 * 60 - 1
    assert issuer.current() == first

    issuer.time.seconds = 50 * 60
    assert issuer.current() != first
    assert issuer.issued == 2


def test_a_renewal_that_fails_is_no_error_while_the_old_one_holds() -> None:
    """The old one serves on, and a refresh is tried once a minute. After its end the failure is reported."""
    issuer = Issuer()
    first = issuer.current()
    issuer.failure = TransportError("no answer")
    for seconds in range(3000, 3600, 10):
        issuer.time.seconds = seconds
        assert issuer.current() == first
    assert issuer.issued == 1 + 10

    issuer.time.seconds = 3600
    with pytest.raises(TransportError):
        issuer.current()


@pytest.mark.parametrize("lasts", [timedelta(minutes=5), timedelta(0), timedelta(days=-1)], ids=str)
def test_one_that_ends_soon_or_by_a_wrong_clock_has_ended_is_not_asked_for_again_and_again(lasts: timedelta) -> None:
    """Whatever end a credential has, no more than one is requested in a minute."""
    issuer = Issuer(lasts)
    for seconds in range(600):
        issuer.time.seconds = seconds
        issuer.current()

    assert issuer.issued == 10


def test_while_one_renews_the_others_go_on() -> None:
    """A refresh does not delay a request whose credential still holds."""
    issuer = Issuer()
    first = issuer.current()
    issuer.time.seconds = 3100
    renewing, done = threading.Event(), threading.Event()

    def slowly() -> IssuedCredential:
        renewing.set()
        assert done.wait(20)
        return issuer.issue()

    with ThreadPoolExecutor(1) as pool:
        renewed = pool.submit(issuer.credential.current, slowly, Deadline.start(issuer.time.clock, 60))
        assert renewing.wait(20)
        assert [issuer.current() for _ in range(20)] == [first] * 20
        done.set()
        assert renewed.result().credential != first
    assert issuer.issued == 2


def test_one_that_was_refused_does_not_serve_on() -> None:
    """If a refresh fails while the old one is refused, no request gets the old one again."""
    issuer = Issuer()
    first = issuer.current()
    issuer.time.seconds = 3100

    def failing() -> IssuedCredential:
        assert issuer.credential.refused(first, replaced())
        raise TransportError("no answer")

    with pytest.raises(TransportError):
        issuer.credential.current(failing, Deadline.start(issuer.time.clock, 60))


def test_who_waits_shares_the_failure_but_not_the_time_that_ran_out() -> None:
    """Requests that wait receive the failure, each in a separate error. A request with time left tries itself."""
    renewable, asked, fail = RefreshedCredential(), threading.Event(), threading.Event()
    calls: list[str] = []

    def failing() -> IssuedCredential:
        calls.append("failing")
        asked.set()
        assert fail.wait(20)
        raise DeadlineExceeded("too late") if len(calls) == 1 else TransportError("no answer")

    def wait() -> BaseException | None:
        try:
            renewable.current(failing, Deadline.start(SYSTEM_CLOCK, 20))
        except TransportError as error:
            return error
        return None

    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(renewable.current, failing, Deadline.start(SYSTEM_CLOCK, 20))
        assert asked.wait(20)
        others = [pool.submit(wait) for _ in range(4)]
        fail.set()
        assert isinstance(first.exception(), DeadlineExceeded)
        errors = [other.result() for other in others]

    assert all(isinstance(error, TransportError) for error in errors)
    assert len({id(error) for error in errors}) == 4


def test_nobody_waits_longer_than_his_deadline() -> None:
    """A wait for what another obtains ends with the deadline of who waits."""
    renewable, asked, done = RefreshedCredential(), threading.Event(), threading.Event()

    def slowly() -> IssuedCredential:
        asked.set()
        assert done.wait(20)
        raise TransportError("no answer")

    with ThreadPoolExecutor(1) as pool:
        pool.submit(renewable.current, slowly, Deadline.start(SYSTEM_CLOCK, 20))
        assert asked.wait(20)
        with pytest.raises(DeadlineExceeded, match="get a credential that is being obtained"):
            renewable.current(slowly, Deadline.start(SYSTEM_CLOCK, 0.05))
        done.set()


def test_refused_once_renewed_refused_twice_final() -> None:
    """The first refusal gets another one, the second in a row ends it for everybody, with what happened."""
    issuer = Issuer()
    first = issuer.current()
    assert issuer.credential.refused(first, replaced())
    second = issuer.current()
    refusal = replaced()

    assert not issuer.credential.refused(second, refusal)
    assert ("refreshed", "once; the new one was refused too") in refusal.facts
    for _ in range(3):
        with pytest.raises(CredentialsError) as caught:
            issuer.current()
        assert caught.value is not refusal
    assert issuer.issued == 2


def test_one_that_was_let_in_may_be_refused_later() -> None:
    """In a wait of days each token that worked may end early; only two refusals in a row are final."""
    issuer = Issuer()
    for _ in range(5):
        token = issuer.current()
        issuer.credential.on_accepted(token)
        assert issuer.credential.refused(token, replaced())
    assert issuer.issued == 5


def test_a_late_refusal_of_an_old_one_changes_nothing() -> None:
    """Of requests that an old one ends under, the first refreshes it. Those that follow use the new one."""
    issuer = Issuer()
    old = issuer.current()
    assert issuer.credential.refused(old, replaced())
    new = issuer.current()

    assert all(issuer.credential.refused(old, replaced()) for _ in range(5))
    assert issuer.current() == new


def replaced() -> CredentialsError:
    """Return a new refusal."""
    return CredentialsError(REFUSAL.headline, status=REFUSAL.status)
