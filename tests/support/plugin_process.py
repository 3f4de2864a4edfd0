"""Starts the plugin as Pulumi does, and speaks to it as the engine does."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import json_format
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2, provider_pb2_grpc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self


ROOT = Path(__file__).parents[2]
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SECONDS = 60
_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "PYTHONPATH")


def secret(value: Any) -> dict[str, Any]:
    """Return a value with the mark of a secret, as the engine sends and stores it."""
    return {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": value}


def token(name: str) -> str:
    """Return the token of a function or resource."""
    return f"iotda-ota:index:{name}"


def urn(type_: str, name: str = "thing", *, parents: str = "", stack: str = "dev", project: str = "meters") -> str:
    """Return the URN of a resource."""
    return f"urn:pulumi:{stack}::{project}::{parents}{token(type_)}::{name}"


def struct(values: Mapping[str, Any]) -> Struct:
    """Return properties as they travel."""
    return json_format.ParseDict(dict(values), Struct())


def plain(struct: Struct) -> dict[str, Any]:
    """Return what travelled."""
    values: dict[str, Any] = json_format.MessageToDict(struct)
    return values


@dataclass
class Engine(engine_pb2_grpc.EngineServicer):
    """Keeps what a plugin shows, as the engine that started it would show it."""

    lines: list[tuple[str, str]] = field(default_factory=list)

    def Log(self, request: engine_pb2.LogRequest, context: object) -> Empty:  # noqa: N802  the protocol's name
        """Take a line."""
        self.lines.append((request.urn, request.message))
        return Empty()

    def __enter__(self) -> Self:
        self._server = grpc.server(ThreadPoolExecutor(4))
        engine_pb2_grpc.add_EngineServicer_to_server(self, self._server)
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        self._server.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.stop(0).wait()


class Plugin:
    """A running plugin.

    Args:
        environment: what it sees beside the usual.
        folder: where the consumer's project is.
        arguments: its command line.
        python: the interpreter.
        start: what it is started from.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        folder: Path,
        arguments: tuple[str, ...] = ("127.0.0.1:1",),
        python: str = sys.executable,
        start: Path = ROOT,
    ) -> None:
        kept = {name: value for name, value in os.environ.items() if name in _KEPT}
        self.process = subprocess.Popen(
            [python, str(start), *arguments],
            cwd=folder,
            env={**kept, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = self.process.stdout.readline().strip()
        assert self.port.isdigit(), self.process.communicate()
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self.port}")
        self.stub = provider_pb2_grpc.ResourceProviderStub(self.channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.channel.close()
        self.process.kill()
        self.process.communicate()

    def stop(self) -> tuple[int, str, str]:
        """End it as a person does, and return how it ended and what it had printed since the port."""
        self.process.terminate()
        out, err = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, out, err

    def configure(self, **config: Any) -> Plugin:
        """Configure it as the engine does."""
        self.stub.Handshake(provider_pb2.ProviderHandshakeRequest(), timeout=SECONDS)
        self.stub.Configure(provider_pb2.ConfigureRequest(args=struct(config)), timeout=SECONDS)
        return self

    def invoke(self, name: str, **arguments: Any) -> provider_pb2.InvokeResponse:
        """Call a function."""
        request = provider_pb2.InvokeRequest(tok=token(name), args=struct(arguments))
        answer: provider_pb2.InvokeResponse = self.stub.Invoke(request, timeout=SECONDS)
        return answer

    def answer(self, name: str, **arguments: Any) -> dict[str, Any]:
        """Return the result of a function, which must have no failure."""
        found = self.invoke(name, **arguments)
        assert not found.failures, found
        return plain(getattr(found, "return"))

    def check(
        self, at: str, news: Mapping[str, Any], olds: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """Check inputs; return them and what is wrong."""
        request = provider_pb2.CheckRequest(urn=at, olds=struct(olds or {}), news=struct(news))
        checked = self.stub.Check(request, timeout=SECONDS)
        return plain(checked.inputs), [(failure.property, failure.reason) for failure in checked.failures]

    def checked(self, at: str, news: Mapping[str, Any], olds: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the inputs, which must have no problem."""
        inputs, problems = self.check(at, news, olds)
        assert problems == []
        return inputs

    def create(
        self, at: str, inputs: Mapping[str, Any], *, preview: bool = False, timeout: float = 0
    ) -> tuple[str, dict[str, Any]]:
        """Create a resource; return its id and state."""
        request = provider_pb2.CreateRequest(urn=at, properties=struct(inputs), preview=preview, timeout=timeout)
        created = self.stub.Create(request, timeout=SECONDS)
        return created.id, plain(created.properties)

    def diff(
        self, at: str, id_: str, state: Mapping[str, Any], news: Mapping[str, Any], ignored: tuple[str, ...] = ()
    ) -> provider_pb2.DiffResponse:
        """Compare a state with new inputs."""
        request = provider_pb2.DiffRequest(
            urn=at, id=id_, olds=struct(state), news=struct(news), ignoreChanges=list(ignored)
        )
        compared: provider_pb2.DiffResponse = self.stub.Diff(request, timeout=SECONDS)
        return compared

    def update(
        self, at: str, id_: str, state: Mapping[str, Any], news: Mapping[str, Any], *, preview: bool = False
    ) -> dict[str, Any]:
        """Update a resource; return its state."""
        request = provider_pb2.UpdateRequest(urn=at, id=id_, olds=struct(state), news=struct(news), preview=preview)
        return plain(self.stub.Update(request, timeout=SECONDS).properties)

    def read(
        self, at: str, id_: str, state: Mapping[str, Any], inputs: Mapping[str, Any] | None = None
    ) -> provider_pb2.ReadResponse:
        """Read a resource."""
        request = provider_pb2.ReadRequest(urn=at, id=id_, properties=struct(state), inputs=struct(inputs or {}))
        seen: provider_pb2.ReadResponse = self.stub.Read(request, timeout=SECONDS)
        return seen

    def delete(self, at: str, id_: str, state: Mapping[str, Any], timeout: float = 0) -> None:
        """Delete a resource."""
        request = provider_pb2.DeleteRequest(urn=at, id=id_, properties=struct(state), timeout=timeout)
        self.stub.Delete(request, timeout=SECONDS)


PROVIDER = "urn:pulumi:dev::meters::pulumi:providers:iotda-ota::default"


def check_config(plugin: Plugin, **config: Any) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Check settings as the engine does, and return them and what is wrong with them."""
    request = provider_pb2.CheckRequest(urn=PROVIDER, news=struct({"version": "0.1.0", **config}))
    checked = plugin.stub.CheckConfig(request, timeout=SECONDS)
    return plain(checked.inputs), [(failure.property, failure.reason) for failure in checked.failures]
