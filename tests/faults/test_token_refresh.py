"""Credentials that end: when they are refreshed, and when not."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from pulumi_iotda_ota.emulator import Emulator, ManualClock
from pulumi_iotda_ota.iotda.errors import (
    CredentialsError,
    ServiceError,
)
from tests.support.fault_helpers import QUICK
from tests.support.login_bench import KEY, METER, PROJECTS, TOKEN, Bench

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.retry import Clock


def frozen(emulator_clock: ManualClock) -> Clock:
    """Return a client's clock that goes with an emulator's."""
    start, first = QUICK.now(), emulator_clock()
    return replace(QUICK, now=lambda: start + timedelta(seconds=emulator_clock() - first))


@pytest.mark.parametrize("kind", ["user", "agency", "ecs"])
def test_what_expires_is_renewed_in_time(kind: str) -> None:
    """In a long wait a token or temporary key is obtained anew before it ends; no request is refused for its age."""
    hours = ManualClock(time.time())
    with Emulator(auth_clock=hours) as emulator:
        bench = Bench(emulator)
        bench.clock = frozen(hours)
        accounts = emulator.accounts
        accounts.token_seconds = accounts.key_seconds = 3600
        agency = {"agency_name": accounts.agency_name, "agency_domain_name": accounts.agency_domain_name}
        connection = {"user": bench.user, "agency": lambda: bench.key(**agency), "ecs": bench.ecs}[kind]()
        obtaining = {"user": TOKEN, "agency": KEY, "ecs": "ShowSecurityKey"}[kind]

        with bench.client(connection) as client:
            for _ in range(30):
                assert len(list(client.list_packages(METER))) == 41
                hours.advance(299)

        # A lookup every five minutes for 150 minutes, and a refresh after fifty.
        assert bench.operations.count(obtaining) == 3
        assert bench.operations.count("ListOtaPackageInfo") == 30


def test_a_token_that_was_revoked_is_renewed_once(bench: Bench) -> None:
    """A 401 on a token that was obtained gets another token, and the request is sent again."""
    with bench.client(bench.user()) as client:
        list(client.list_packages(METER))
        for token in bench.emulator.tokens:
            bench.emulator.expire_token(token)

        assert len(list(client.list_packages(METER))) == 41

    assert bench.operations == [TOKEN, "ListOtaPackageInfo", "ListOtaPackageInfo", TOKEN, "ListOtaPackageInfo"]


def test_temporary_keys_that_ended_early_are_renewed(bench: Bench) -> None:
    """The client refreshes an obtained temporary key after a 401. It also refreshes one that assumes another."""
    accounts = bench.emulator.accounts
    agency = {"agency_name": accounts.agency_name, "agency_domain_name": accounts.agency_domain_name}

    with bench.client(bench.ecs(**agency)) as client:
        list(client.list_packages(METER))
        bench.emulator.expire_keys()
        assert len(list(client.list_packages(METER))) == 41

    assert bench.operations.count("ShowSecurityKey") == 2
    # The first key of the agency; the refused attempt with the key of the ECS that had ended; the one with its new key.
    assert bench.operations.count(KEY) == 3


def test_the_second_refusal_is_final(bench: Bench) -> None:
    """Where the new token is refused too, age is not what is wrong: nothing more is sent in this process."""
    bench.emulator.faults.add(operation="ListOtaPackageInfo", times=None, error="token")

    errors = [bench.error(bench.user()) for _ in range(3)]

    assert all(isinstance(error, CredentialsError) for error in errors)
    assert ("refreshed", "once; the new one was refused too") in errors[-1].facts
    assert bench.operations == [TOKEN, "ListOtaPackageInfo", TOKEN, "ListOtaPackageInfo"]


def test_twenty_refused_at_once_are_one_renewal(bench: Bench) -> None:
    """Twenty requests that a token ends under share the next one."""
    with bench.client(bench.user()) as client:
        list(client.list_packages(METER))
        for token in bench.emulator.tokens:
            bench.emulator.expire_token(token)
        with ThreadPoolExecutor(20) as pool:
            found = list(pool.map(lambda _: len(list(client.list_packages(METER))), range(20)))

    assert found == [41] * 20
    assert bench.operations.count(TOKEN) == 2


def test_a_key_of_the_user_s_own_stays_refused(bench: Bench) -> None:
    """A 401 on an access key is final at IAM as at IoTDA, and nothing more is sent with it to either."""
    connection = bench.key(secret_key="wrong-secret")

    errors = [bench.error(connection), bench.error(replace(connection, project_id="p"))]

    assert all(isinstance(error, CredentialsError) for error in errors)
    assert bench.operations == [PROJECTS]
    assert "custom domain" not in str(errors[0])


def test_an_outage_of_iam_does_not_end_a_good_token() -> None:
    """While a token is still valid, a failed refresh is tried again later, and requests go on."""
    hours = ManualClock(time.time())
    with Emulator(auth_clock=hours) as emulator:
        bench = Bench(emulator)
        bench.clock = frozen(hours)
        emulator.accounts.token_seconds = 3600
        with bench.client(bench.user(max_attempts=1)) as client:
            list(client.list_packages(METER))
            hours.advance(3100)
            fault = emulator.faults.add(operation=TOKEN, times=None, status=503)
            assert [len(list(client.list_packages(METER))) for _ in range(5)] == [41] * 5
            assert fault.hits == 1
            hours.advance(70)
            list(client.list_packages(METER))
            assert fault.hits == 2
            hours.advance(600)
            with pytest.raises(ServiceError, match="failed to get an IAM token"):
                list(client.list_packages(METER))
            emulator.faults.clear()
            assert len(list(client.list_packages(METER))) == 41


def test_a_ready_token_is_never_renewed(bench: Bench) -> None:
    """Only the user can refresh a token that the user set: its refusal is final."""
    error = bench.error(bench.connection(auth_token=SecretStr("t" * 40), project_id=bench.emulator.project_id))

    assert isinstance(error, CredentialsError)
    assert len(bench.operations) == 1
