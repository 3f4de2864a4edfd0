"""The engine as the plugin knows it: who shows a line to whoever runs Pulumi."""

from __future__ import annotations

import sys
import threading

import grpc

from pulumi_iotda_ota.plugin.pulumi_proto import engine_pb2, engine_pb2_grpc

_SECONDS = 5


class Engine:
    """Shows lines beside the resource that they are about.

    Attributes:
        address: where the engine listens, or empty if there is none: lines then go to the standard error.
        is_parent: whether this engine has started the process, which then serves no other one.
    """

    def __init__(self, address: str = "") -> None:
        self.address = address
        self.is_parent = bool(address)
        self._lock = threading.Lock()
        self._stub: engine_pb2_grpc.EngineStub | None = None

    def attach(self, address: str) -> None:
        """Take the address of an engine that did not start this process."""
        with self._lock:
            self.address, self._stub = address, None

    def warn(self, urn: str, line: str) -> None:
        """Show a warning."""
        self._show(engine_pb2.LogRequest(severity=engine_pb2.WARNING, message=line, urn=urn), f"warning: {line}")

    def tell(self, urn: str, line: str) -> None:
        """Show how something goes on."""
        self._show(engine_pb2.LogRequest(severity=engine_pb2.INFO, message=line, urn=urn), line)

    def _show(self, request: engine_pb2.LogRequest, line: str) -> None:
        try:
            stub = self._engine()
            if stub is not None:
                stub.Log(request, timeout=_SECONDS)
                return
        except grpc.RpcError:
            pass  # it has gone, or does not answer: the line is not lost for that
        print(line, file=sys.stderr, flush=True)  # noqa: T201

    def _engine(self) -> engine_pb2_grpc.EngineStub | None:
        with self._lock:
            if self._stub is None and self.address:
                # Most runs have nothing to show: the channel is made with the first line.
                self._stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(self.address))
            return self._stub
