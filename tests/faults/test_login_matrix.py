"""Everything that can go wrong with an answer, at every step of getting a credential, on real sockets.

Each cell: the right answer or one clear error, after as many requests as there may be, with no secret in it and nothing
sent to another host. Afterwards, once IAM is well again, the same lookup comes to its right end.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.emulator import Emulator
from pulumi_iotda_ota.iotda.errors import CredentialsError, DeadlineExceeded, IotdaOtaError, ProtocolError
from pulumi_iotda_ota.iotda.http.limiter import RequestLimiter
from pulumi_iotda_ota.iotda.login import TokenCache
from tests.support.fault_helpers import RawServer, hold_readable, http
from tests.support.fault_table import FAULTS, SECRET
from tests.support.login_bench import KEY, PROJECTS, TOKEN, Bench

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection

_PACKAGES = 41
_ATTEMPTS = 3
_SLOW_SECONDS = 0.3
_AGENCY = {"agency_name": "rollout", "agency_domain_name": "grid-inc"}


@dataclass(frozen=True)
class Step:
    """One step of a login.

    Attributes:
        operation: what is requested.
        connection: the connection whose login takes the step; what it hands in is ``SECRET``.
        holder: where the response has what it cannot do without.
        vital: the name of that.
        attempts: how often it is requested at most.
    """

    operation: str
    connection: Callable[[Bench, str], ResolvedConnection]
    holder: tuple[str | int, ...] = ()
    vital: str = ""
    attempts: int = _ATTEMPTS


def _with_id_token(bench: Bench, file: str) -> ResolvedConnection:
    return bench.connection(oidc_token_file=file, idp_id="pipeline")


STEPS = {
    "token": Step(TOKEN, lambda bench, _: bench.user(), ("token",), "expires_at"),
    "project": Step(PROJECTS, lambda bench, _: bench.key(), ("projects", 0), "id"),
    "agency": Step(KEY, lambda bench, _: bench.key(**_AGENCY), ("credential",), "secret"),
    "OIDC token": Step("CreateUnscopedTokenWithIdToken", _with_id_token),
    "its exchange": Step(KEY, _with_id_token, ("credential",), "access"),
    # Requested twice if the metadata service requires it after all.
    "metadata token": Step("CreateMetadataToken", lambda bench, _: bench.ecs(), attempts=2 * 2),
    "metadata key": Step("ShowSecurityKey", lambda bench, _: bench.ecs(), ("credential",), "securitytoken", 2 * 2),
}
CELLS = [
    pytest.param(step, fault, stays, id=f"{step}, {fault}, {'for good' if stays else 'once'}")
    for step in STEPS
    for fault, made in FAULTS.items()
    for stays in (False, True)
    if not made.relay and not (STEPS[step].vital == "" and (made.damage or "edit" in made.rule))
]


@pytest.fixture(scope="module")
def service() -> Iterator[Emulator]:
    """Return a running emulator for all cells, in which every secret that is handed in is the same."""
    with Emulator(secret_key=SECRET) as emulator:
        emulator.accounts.password = emulator.accounts.id_token = SECRET
        yield emulator


def _damaged(step: Step, fault: Any) -> Any:
    def edit(body: Any) -> Any:
        holder = body
        for part in step.holder:
            holder = holder[part]
        fault.damage(holder, step.vital)
        return body

    return edit


@pytest.mark.parametrize(("name", "fault_name", "stays"), CELLS)
def test_a_login_ends_right_or_in_one_clear_error(
    *, service: Emulator, tmp_path: Path, name: str, fault_name: str, stays: bool
) -> None:
    """If a fault hits a login's response, the client gets the credential or reports the reason. Later it gets it."""
    step, fault = STEPS[name], FAULTS[fault_name]
    service.faults.clear()
    bench = Bench(service)
    file = tmp_path / "token"
    file.write_text(SECRET)
    connection = step.connection(bench, str(file))
    rule = {"edit": _damaged(step, fault)} if fault.damage else dict(fault.rule)
    elsewhere = RawServer(lambda _, stream: stream.sendall(http(b"{}"))) if fault.redirects else None
    with elsewhere or contextlib.nullcontext():
        if elsewhere:
            rule["headers"] = {"Location": elsewhere.url}
        placed = service.faults.add(operation=step.operation, times=None if stays else 1, **rule)
        error = _outcome(bench, connection, _SLOW_SECONDS if fault.slow else 20)
        assert not elsewhere or not elsewhere.requests

    # To the metadata service a 401 says that a token is wanted.
    final = isinstance(error, CredentialsError) and fault_name == "401" and name != "metadata key"
    assert placed.hits <= (1 if final else step.attempts)
    if error:
        hold_readable(str(error))
        assert SECRET not in f"{error}{error!r}{vars(error)!r}" or not connection.secrets
        # Where a header says what is wanted, any other body than the right one has no such header.
        assert isinstance(error, (fault.kind, ProtocolError, CredentialsError, DeadlineExceeded)), error
    if fault.passes and not stays and not fault.slow:
        assert error is None or isinstance(error, ProtocolError)

    service.faults.clear()
    bench.limiter, bench.token_cache = RequestLimiter(), TokenCache()
    assert bench.listed(connection) == _PACKAGES


def _outcome(bench: Bench, connection: ResolvedConnection, deadline: float) -> IotdaOtaError | None:
    """Return the error that a lookup ends with, or None where it is right."""
    try:
        assert bench.listed(replace(connection, deadline=deadline)) == _PACKAGES
    except IotdaOtaError as error:
        return error
    return None
