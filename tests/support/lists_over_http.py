"""A list of packages that a client reads from any address, and a server that returns one page."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.iotda.client import Client
from pulumi_iotda_ota.iotda.errors import (
    IotdaOtaError,
)
from pulumi_iotda_ota.iotda.http.limiter import RequestLimiter
from pulumi_iotda_ota.iotda.models import PackageQuery
from tests.support.fault_helpers import (
    CONNECTION,
    QUICK,
    http,
    package,
)

if TYPE_CHECKING:
    import socket

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.retry import Clock


QUERY = PackageQuery("firmwarePackage")


PAGE = json.dumps({"packages": [package()], "page": {"count": 1}}).encode()


def listed(connection: ResolvedConnection, *, limiter: RequestLimiter | None = None, clock: Clock = QUICK) -> int:
    """Return how many packages a client lists."""
    with Client(connection, clock=clock, limiter=limiter or RequestLimiter()) as client:
        return len(list(client.list_packages(QUERY)))


def error_of(connection: ResolvedConnection, *, clock: Clock = QUICK) -> IotdaOtaError:
    """Return the error that a list ends with."""
    with pytest.raises(IotdaOtaError) as caught:
        listed(connection, clock=clock)
    return caught.value


def at(url: str, **changes: Any) -> ResolvedConnection:
    """Return a connection to an address."""
    return replace(CONNECTION, endpoint=url, **{"deadline": 10.0, **changes})


def page(_: bytes, stream: socket.socket) -> None:
    """Answer with one page."""
    stream.sendall(http(PAGE))
