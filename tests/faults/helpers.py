"""What the tests of the service client share: a clock that waits for nothing, connections, a transport of answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from pulumi_iotda_ota.iotda.connection import ResolvedConnection
from pulumi_iotda_ota.iotda.credentials import AccessKey
from pulumi_iotda_ota.iotda.messages import Answer
from pulumi_iotda_ota.iotda.retry import Clock

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator
    from pulumi_iotda_ota.iotda.messages import Request

NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=timezone.utc)
KEY = AccessKey("AKIDEXAMPLE7Q", SecretStr("very-secret-key"), None, "HW_ACCESS_KEY (environment)")
CONNECTION = ResolvedConnection(
    endpoint="https://iotda.cn-north-4.myhuaweicloud.com",
    region="cn-north-4",
    project_id="p1",
    instance_id=None,
    algorithm="standard",
    credential=KEY,
    origins={"endpoint": "the region cn-north-4"},
)


@dataclass
class FakeClock:
    """A clock that stands still but for its sleeps, which it records."""

    seconds: float = 0.0
    sleeps: list[float] = field(default_factory=list)

    @property
    def clock(self) -> Clock:
        """Return the clock as the client takes it."""
        return Clock(
            now=lambda: NOW + timedelta(seconds=self.seconds), monotonic=lambda: self.seconds, sleep=self._sleep
        )

    def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.seconds += seconds


@dataclass
class ScriptedTransport:
    """Gives prepared answers, or raises prepared errors, one a request; the last one again and again."""

    script: list[Answer | Exception]
    sent: list[Request[Any]] = field(default_factory=list)
    timeouts: list[float] = field(default_factory=list)

    def send(self, request: Request[Any], *, timeout: float) -> Answer:
        """Give the next answer."""
        step = self.script[min(len(self.sent), len(self.script) - 1)]
        self.sent.append(request)
        self.timeouts.append(timeout)
        if isinstance(step, Exception):
            raise step
        return step

    def close(self) -> None:
        """Do nothing."""


def answer(status: int = 200, content: object = None, **headers: str) -> Answer:
    """Return an answer with a JSON body; header names are given with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, named, b"" if content is None else json.dumps(content).encode())


def package(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return one package as the list gives it."""
    usual = {
        "package_id": f"{number:032x}",
        "app_id": "app1",
        "package_type": "firmwarePackage",
        "product_id": "product1",
        "version": f"V1.{number}",
        "create_time": "20260101T000000Z",
    }
    return {**usual, **changes}


def connection_to(emulator: Emulator, **changes: Any) -> ResolvedConnection:
    """Return a connection that an emulator lets in."""
    usual = replace(
        CONNECTION,
        endpoint=emulator.endpoint,
        region=emulator.region,
        project_id=emulator.project_id,
        credential=AccessKey(emulator.access_key, SecretStr(emulator.secret_key), None, "argument"),
        origins={"endpoint": "argument"},
    )
    return replace(usual, **changes)
