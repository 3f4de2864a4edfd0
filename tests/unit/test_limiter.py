"""The limiter that the requests of one process share."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from pydantic import SecretStr

from pulumi_iotda_ota.iotda.auth.credentials import (
    AccessKey,
    AssumedAgency,
    AuthToken,
    Credential,
    IdTokenFile,
    UserPassword,
)
from pulumi_iotda_ota.iotda.errors import (
    CredentialsError,
    DeadlineExceeded,
    IotdaOtaError,
    ServiceError,
    TransportError,
)
from pulumi_iotda_ota.iotda.http.limiter import RequestLimiter
from pulumi_iotda_ota.iotda.retry import SYSTEM_CLOCK, Deadline
from tests.support.fault_helpers import CONNECTION, KEY

OTHER_KEY = AccessKey("AKOTHER", SecretStr("other"), None, "argument")


def deadline(seconds: float = 20) -> Deadline:
    """Return a deadline on the real clock, because threads wait on it."""
    return Deadline.start(SYSTEM_CLOCK, seconds)


def pass_through(limiter: RequestLimiter, error: IotdaOtaError | None = None, **changes: object) -> None:
    """Send one request that ends without an error, or with one."""
    connection = replace(CONNECTION, **changes)  # type: ignore[arg-type]
    try:
        with limiter.slot(connection, deadline=deadline(), doing="test"):
            if error:
                raise error
    except (ServiceError, TransportError):
        pass


def most_at_once(limiter: RequestLimiter, requests: int, **changes: object) -> int:
    """Return how many of some requests were in flight at the same time."""
    connection = replace(CONNECTION, **changes)  # type: ignore[arg-type]
    mutex = threading.Lock()
    inside = most = 0

    def one(_: int) -> None:
        nonlocal inside, most
        with limiter.slot(connection, deadline=deadline(), doing="test"):
            with mutex:
                inside += 1
                most = max(most, inside)
            pause.wait(0.005)
            with mutex:
                inside -= 1

    pause = threading.Event()
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(one, range(requests)))
    return most


def hold_at_once(limiter: RequestLimiter, requests: int, **changes: object) -> None:
    """Have some requests in flight at the same time. One that cannot run beside the others is an error."""
    connection = replace(CONNECTION, **changes)  # type: ignore[arg-type]
    with contextlib.ExitStack() as held:
        for _ in range(requests):
            held.enter_context(limiter.slot(connection, deadline=deadline(), doing="test"))


def test_at_most_eight_at_once() -> None:
    """However many threads there are, eight requests are in flight at the most."""
    limiter = RequestLimiter()
    pass_through(limiter)

    hold_at_once(limiter, 8)
    assert most_at_once(limiter, 60) <= 8


def test_endpoints_do_not_wait_for_each_other() -> None:
    """A throttled endpoint leaves another one its eight places."""
    limiter = RequestLimiter()
    pass_through(limiter)
    pass_through(limiter, ServiceError("", status=429))

    pass_through(limiter, endpoint="https://other")
    hold_at_once(limiter, 8, endpoint="https://other")


def test_one_at_a_time_after_a_throttle_answer() -> None:
    """After a throttle answer requests go singly, until ten were answered."""
    limiter = RequestLimiter()
    pass_through(limiter)
    pass_through(limiter, ServiceError("", status=403, error_code="IOTDA.021101"))

    assert most_at_once(limiter, 10) == 1
    hold_at_once(limiter, 8)


def test_a_new_throttle_answer_counts_from_the_start() -> None:
    """Ten clean answers in a row are needed, not ten in all."""
    limiter = RequestLimiter()
    pass_through(limiter)
    pass_through(limiter, ServiceError("", status=429))
    for _ in range(9):
        pass_through(limiter)
    pass_through(limiter, ServiceError("", status=429))

    assert most_at_once(limiter, 10) == 1


def test_walks_share_what_an_endpoint_takes() -> None:
    """A walk may have all eight requests out while it is alone, its even share beside others, one after a throttle."""
    limiter = RequestLimiter()
    with limiter.walking(CONNECTION) as width:
        assert width() == 8
        with limiter.walking(CONNECTION) as other, limiter.walking(CONNECTION):
            assert (width(), other()) == (3, 3)
        with limiter.walking(replace(CONNECTION, endpoint="https://other")):
            assert width() == 8
        pass_through(limiter, ServiceError("", status=429))
        assert width() == 1
    with contextlib.ExitStack() as walks:
        widths = [
            walks.enter_context(limiter.walking(replace(CONNECTION, endpoint="https://third"))) for _ in range(20)
        ]
        assert {width() for width in widths} == {1}


def test_a_refusal_for_another_reason_proves_the_credential() -> None:
    """A refusal by the service itself, which checks credentials first, shows that the credential was accepted."""
    limiter = RequestLimiter()
    pass_through(limiter, ServiceError("", status=404, error_code="IOTDA.014001"))

    hold_at_once(limiter, 8)


@pytest.mark.parametrize(
    "error",
    [
        TransportError(""),
        ServiceError("", status=503),
        ServiceError("", status=500, error_code="IOTDA.000020"),
        ServiceError("", status=404),
        ServiceError("", status=302),
        ServiceError("", status=403, error_code="APIGW.0101"),
        ServiceError("", status=404, error_code="IOTDA.000029"),
    ],
    ids=["no answer", "503", "500 by the service", "a page", "a redirect", "the gateway", "no such address"],
)
def test_a_credential_goes_alone_until_it_was_let_in(error: IotdaOtaError) -> None:
    """A request that ends before its credential is checked leaves the next one alone too.

    The first accepted one frees the others.
    """
    limiter = RequestLimiter()
    pass_through(limiter, error)

    with (
        limiter.slot(CONNECTION, deadline=deadline(), doing="test"),
        pytest.raises(DeadlineExceeded),
        limiter.slot(CONNECTION, deadline=deadline(0.01), doing="test"),
    ):
        pytest.fail("a second one was let through")

    hold_at_once(limiter, 8)


@pytest.mark.parametrize(
    "changes",
    [{"endpoint": "https://other"}, {"algorithm": "derived"}, {"region": "cn-east-3"}],
    ids=lambda changes: next(iter(changes)),
)
def test_a_credential_is_let_in_one_way_at_a_time(changes: dict[str, object]) -> None:
    """An accepted credential is accepted for one host and one way of signing only. Accepted ones go on."""
    limiter = RequestLimiter()
    pass_through(limiter)
    other = replace(CONNECTION, **changes)  # type: ignore[arg-type]
    with (
        limiter.slot(other, deadline=deadline(), doing="test"),
        limiter.slot(CONNECTION, deadline=deadline(), doing="test"),
        limiter.slot(CONNECTION, deadline=deadline(), doing="test"),
        pytest.raises(DeadlineExceeded),
        limiter.slot(other, deadline=deadline(0.01), doing="test"),
    ):
        pytest.fail("a second one was let through")

    hold_at_once(limiter, 8, **changes)


def test_a_response_in_one_way_ends_no_other_trial() -> None:
    """While the first request of one way is in flight, a response in another way lets no second one through."""
    limiter = RequestLimiter()
    pass_through(limiter)
    other = replace(CONNECTION, endpoint="https://other")

    with limiter.slot(other, deadline=deadline(), doing="test"):
        pass_through(limiter)
        with pytest.raises(DeadlineExceeded), limiter.slot(other, deadline=deadline(0.01), doing="test"):
            pytest.fail("a second one was let through")


def test_nothing_is_sent_after_a_refused_credential() -> None:
    """After a 401 every later request fails at once with the same error, at any endpoint."""
    limiter = RequestLimiter()
    refusal = CredentialsError("refused", status=401, error_code="IOTDA.000002", request_id="r1")
    with pytest.raises(CredentialsError):
        pass_through(limiter, refusal)

    for endpoint in (CONNECTION.endpoint, "https://other"):
        with pytest.raises(CredentialsError) as caught:
            pass_through(limiter, endpoint=endpoint)
        assert vars(caught.value) == vars(refusal)
        assert caught.value is not refusal


def test_a_refusal_reaches_those_who_wait() -> None:
    """Of twenty requests at the same time with a wrong key, one is sent and twenty fail."""
    limiter = RequestLimiter()
    sent = []

    def send() -> None:
        with limiter.slot(CONNECTION, deadline=deadline(), doing="test"):
            sent.append(1)
            raise CredentialsError("refused", status=401)

    def one(_: int) -> str:
        with pytest.raises(CredentialsError) as caught:
            send()
        return caught.value.headline

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(one, range(20))) == ["refused"] * 20
    assert len(sent) == 1


def test_another_credential_is_not_refused_with_it() -> None:
    """A refusal holds for one credential; a corrected secret is another one."""
    limiter = RequestLimiter()
    with pytest.raises(CredentialsError):
        pass_through(limiter, CredentialsError("refused", status=401))

    pass_through(limiter, credential=OTHER_KEY)
    pass_through(limiter, credential=AccessKey("AKIDEXAMPLE7Q", SecretStr("corrected"), None, "argument"))


USER = UserPassword("operator", SecretStr("phrase"), "meters-inc", "argument")
AGENCY = AssumedAgency(KEY, "reader", "meters-inc", "", "argument")


@pytest.mark.parametrize(
    ("refused", "other"),
    [
        (USER, replace(USER, domain_name="other-inc")),
        (USER, replace(USER, user_name="auditor")),
        (AGENCY, replace(AGENCY, domain_name="other-inc")),
        (AGENCY, replace(AGENCY, domain_id="d78cbac186b744899480f25bd022f468")),
        (AGENCY, replace(AGENCY, agency_name="writer")),
        (AGENCY, replace(AGENCY, base=OTHER_KEY)),
        (IdTokenFile("/run/a", "idp", ""), IdTokenFile("/run/b", "idp", "")),
        (IdTokenFile("/run/a", "idp", ""), IdTokenFile("/run/a", "other", "")),
        (
            AccessKey("AK", SecretStr("SK"), SecretStr("one"), ""),
            AccessKey("AK", SecretStr("SK"), SecretStr("two"), ""),
        ),
        (AuthToken(SecretStr("one"), ""), AuthToken(SecretStr("two"), "")),
    ],
    ids=[
        "account",
        "user",
        "agency's account",
        "id of it",
        "agency",
        "base",
        "file",
        "provider",
        "security token",
        "token",
    ],
)
def test_credentials_that_differ_in_one_part_are_two(refused: Credential, other: Credential) -> None:
    """A refusal of one credential does not stop another one that differs in its account, its base or any other part."""
    limiter = RequestLimiter()
    with pytest.raises(CredentialsError):
        pass_through(limiter, CredentialsError("refused", status=401), credential=refused)

    pass_through(limiter, credential=other)
    with pytest.raises(CredentialsError, match="refused"):
        pass_through(limiter, credential=replace(refused, source="another place"))  # type: ignore[arg-type]


def test_refusals_can_be_forgotten() -> None:
    """A program that runs on after the account was put right may try again."""
    limiter = RequestLimiter()
    with pytest.raises(CredentialsError):
        pass_through(limiter, CredentialsError("refused", status=401))

    limiter.forget()

    pass_through(limiter)


def test_what_was_under_way_when_refusals_were_forgotten_refuses_nobody() -> None:
    """A refusal of a request that went before is about the account as it was then."""
    limiter = RequestLimiter()

    def refused_late() -> None:
        with limiter.slot(CONNECTION, deadline=deadline(), doing="test"):
            limiter.forget()
            raise CredentialsError("refused", status=401)

    with pytest.raises(CredentialsError):
        refused_late()

    pass_through(limiter)


def test_the_gate_keeps_no_secret() -> None:
    """What it keeps of a credential is a digest."""
    limiter = RequestLimiter()
    pass_through(limiter)

    assert "very-secret-key" not in str(vars(limiter))
