"""An emulator with its accounts, and clients of it that share what a process shares."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota.iotda.auth.connection import resolve
from pulumi_iotda_ota.iotda.auth.connection_model import Connection
from pulumi_iotda_ota.iotda.auth.credentials import AssumedAgency, EcsMetadata
from pulumi_iotda_ota.iotda.client import Client
from pulumi_iotda_ota.iotda.errors import IotdaOtaError
from pulumi_iotda_ota.iotda.http.limiter import RequestLimiter
from pulumi_iotda_ota.iotda.login import TokenCache
from pulumi_iotda_ota.iotda.models import PackageQuery
from tests.support.fault_helpers import QUICK

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator
    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection

METER = PackageQuery("firmwarePackage", product_id="smart-meter")
TOKEN = "KeystoneCreateUserTokenByPassword"
KEY = "CreateTemporaryAccessKey"
PROJECTS = "KeystoneListProjects"


class Bench:
    """An emulator, and clients of it that share what a process shares."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.limiter, self.token_cache = RequestLimiter(), TokenCache()
        self.clock = QUICK

    def connection(self, **given: Any) -> ResolvedConnection:
        """Return a connection without a project, whose IAM is the emulator too."""
        usual = {
            "endpoint": self.emulator.endpoint,
            "iam_endpoint": self.emulator.endpoint,
            "region": self.emulator.region,
            "deadline": 20,
        }
        return resolve(Connection(**{**usual, **given}), config={}, environ={})

    def user(self, **given: Any) -> ResolvedConnection:
        """Return a connection of the IAM user."""
        accounts = self.emulator.accounts
        user = {"user_name": accounts.user_name, "password": accounts.password, "domain_name": accounts.domain_name}
        return self.connection(**{**user, **given})

    def key(self, **given: Any) -> ResolvedConnection:
        """Return a connection of the access key."""
        pair = {"access_key": self.emulator.access_key, "secret_key": self.emulator.secret_key}
        return self.connection(**{**pair, **given})

    def ecs(self, address: str = "", **given: Any) -> ResolvedConnection:
        """Return a connection of the ECS, whose metadata service is the emulator too, or at another address."""
        connection = self.connection(credentials="ecs", **given)
        found = connection.credential
        base = found.base if isinstance(found, AssumedAgency) else found
        assert isinstance(base, EcsMetadata)
        here = replace(base, address=address or self.emulator.endpoint)
        return replace(connection, credential=replace(found, base=here) if isinstance(found, AssumedAgency) else here)

    def client(self, connection: ResolvedConnection) -> Client:
        """Return a client."""
        return Client(connection, clock=self.clock, limiter=self.limiter, token_cache=self.token_cache)

    def listed(self, connection: ResolvedConnection) -> int:
        """Return how many packages a new client lists."""
        with self.client(connection) as client:
            return len(list(client.list_packages(METER)))

    def error(self, connection: ResolvedConnection) -> IotdaOtaError:
        """Return the error that a list ends with."""
        with pytest.raises(IotdaOtaError) as caught:
            self.listed(connection)
        return caught.value

    @property
    def operations(self) -> list[str]:
        """Return the operations that were requested so far."""
        return [request.operation for request in self.emulator.requests]
