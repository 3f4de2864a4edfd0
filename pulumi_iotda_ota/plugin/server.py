"""The process of the plugin: serves the engine over gRPC, with one thread for each call.

It implements Pulumi's documented protocol itself. The SDK's own server for Python providers is experimental and has
faults that reach users: tracebacks as messages, unknown values as strings, and one call that blocks all others.
``tests/plugin/test_sdk_server.py`` has these faults, and fails when one of them is mended.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
from google.protobuf.empty_pb2 import Empty

from pulumi_iotda_ota.iotda.auth.settings import SETTINGS
from pulumi_iotda_ota.iotda.case import camel
from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError
from pulumi_iotda_ota.iotda.sanitize import redact, redacting
from pulumi_iotda_ota.lifecycle.cancellation import Interrupted, Waiting, watch_engine
from pulumi_iotda_ota.message_rendering import PLUGIN
from pulumi_iotda_ota.plugin.provider import Provider
from pulumi_iotda_ota.plugin.pulumi_proto import engine_pb2, engine_pb2_grpc, messages, plugin_pb2, services
from pulumi_iotda_ota.plugin.values import received, secret_texts, sent

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from google.protobuf.message import Message

    Request = TypeVar("Request", bound=Message)
    Response = TypeVar("Response", bound=Message)

SCHEMA = Path(__file__).with_name("schema.json")
# More than the engine ever sends at the same time. A thread is started only if none is free.
_MOST_CALLS = 2_000
_GRACE_SECONDS = 60
# For a request to the service that is already sent: its response has no reader.
_GRACE_WITHOUT_ENGINE = 2
_LOG_SECONDS = 5
# gRPC sends a message in a header, and the engine's client refuses a longer one.
_LONGEST_MESSAGE = 4_000
_SECRET_SETTINGS = tuple(camel(setting.name) for setting in SETTINGS if setting.secret)
# The modules of the first lookup, loaded while the engine starts the program.
_LOADED_EARLY = (
    "iotda.auth.connection",
    "iotda.client",
    "operations",
    "lifecycle.pin",
    "lifecycle.upgrade_task.resource",
)


class Engine:
    """Prints lines to the user, beside the resource that they are about.

    Attributes:
        address: the address of the engine. If it is empty, lines go to the standard error.
        is_parent: whether this engine has started the process, which then serves no other engine.
    """

    def __init__(self, address: str = "") -> None:
        self.address = address
        self.is_parent = bool(address)
        self._lock = threading.Lock()
        self._stub: engine_pb2_grpc.EngineStub | None = None

    def attach(self, address: str) -> None:
        """Store the address of an engine that did not start this process."""
        with self._lock:
            self.address, self._stub = address, None

    def warn(self, urn: str, line: str) -> None:
        """Print a warning."""
        self._log(engine_pb2.LogRequest(severity=engine_pb2.WARNING, message=line, urn=urn), f"warning: {line}")

    def report(self, urn: str, line: str) -> None:
        """Print a line of progress."""
        self._log(engine_pb2.LogRequest(severity=engine_pb2.INFO, message=line, urn=urn), line)

    def _log(self, request: engine_pb2.LogRequest, line: str) -> None:
        with self._lock:
            if self._stub is None and self.address:
                # Most runs log nothing, so the first line opens the channel.
                self._stub = engine_pb2_grpc.EngineStub(grpc.insecure_channel(self.address))
            stub = self._stub
        try:
            if stub is not None:
                stub.Log(request, timeout=_LOG_SECONDS)
                return
        except grpc.RpcError:
            pass  # the engine is gone, or does not respond; the line must not be lost
        print(line, file=sys.stderr, flush=True)  # noqa: T201


def _with_errors(
    method: Callable[[Servicer, Request, grpc.ServicerContext], Response],
) -> Callable[[Servicer, Request, grpc.ServicerContext], Response]:
    """Turn an exception of a method into the message of the call, without a traceback and without a secret."""

    @wraps(method)
    def call(self: Servicer, request: Request, context: grpc.ServicerContext) -> Response:
        with redacting(secret_texts(request)):
            try:
                return method(self, request, context)
            except IotdaOtaError as error:
                error.redact(())
                code, message = grpc.StatusCode.FAILED_PRECONDITION, error.rendered(PLUGIN)
            except Interrupted as interrupted:
                code, message = grpc.StatusCode.ABORTED, str(interrupted)
            except Exception as fault:  # noqa: BLE001  a fault ends this call and not the process
                code, message = grpc.StatusCode.INTERNAL, _fault_message(fault)
            context.abort(code, redact(message)[:_LONGEST_MESSAGE])
            raise AssertionError("abort raises")

    return call


def _fault_message(fault: Exception) -> str:
    """Return the message of a fault of this plugin, with the place in the code for a report."""
    place = traceback.extract_tb(fault.__traceback__)[-1]
    return f"a fault of this plugin: {type(fault).__name__}: {fault} ({Path(place.filename).name}, line {place.lineno})"


def _failures(problems: Iterable[tuple[str, str]], secret: Collection[str]) -> list[messages.CheckFailure]:
    """Return problems for the engine.

    Args:
        problems: the property of each, or an empty name, and the reason.
        secret: the properties that are, or hold, a secret. The engine prints the value of a property that is named.
    """
    hidden = [("", f"{name}: {reason}") if name in secret else (name, reason) for name, reason in problems]
    return [messages.CheckFailure(property=name, reason=redact(reason)) for name, reason in hidden]


class Servicer(services.ResourceProviderServicer):
    """Serves each call of the protocol. The methods have the names of Pulumi's provider.proto."""

    def __init__(self, provider: Provider, engine: Engine) -> None:
        self._provider = provider
        self._engine = engine

    @_with_errors
    def Handshake(
        self, request: messages.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> messages.ProviderHandshakeResponse:
        """Return the features of the protocol that this plugin has."""
        return messages.ProviderHandshakeResponse(accept_secrets=True)

    @_with_errors
    def Attach(self, request: plugin_pb2.PluginAttach, context: grpc.ServicerContext) -> Empty:
        """Serve an engine that did not start this process.

        Raises:
            InputError: an engine has started this process. Another local process can reach the port too.
        """
        if self._engine.is_parent:
            raise InputError(
                "an engine has started this process, and no other one can attach to it",
                facts=[("fix", "start a plugin by hand, without an address, and attach to that one")],
            )
        self._engine.attach(request.address)
        return Empty()

    @_with_errors
    def GetPluginInfo(self, request: Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """Return the version."""
        return plugin_pb2.PluginInfo(version=json.loads(SCHEMA.read_text(encoding="utf-8"))["version"])

    @_with_errors
    def GetSchema(
        self, request: messages.GetSchemaRequest, context: grpc.ServicerContext
    ) -> messages.GetSchemaResponse:
        """Return the schema."""
        return messages.GetSchemaResponse(schema=SCHEMA.read_text(encoding="utf-8"))

    @_with_errors
    def CheckConfig(self, request: messages.CheckRequest, context: grpc.ServicerContext) -> messages.CheckResponse:
        """Check the settings of a provider. The parts of a credential are always secrets in the state."""
        news = received(request.news)
        problems = self._provider.check_config(news.values)
        inputs = sent(news.values, news.secrets.union(_SECRET_SETTINGS))
        secret = news.secrets.union(_SECRET_SETTINGS, ("proxy",))
        return messages.CheckResponse(inputs=inputs, failures=_failures(problems, secret))

    @_with_errors
    def DiffConfig(self, request: messages.DiffRequest, context: grpc.ServicerContext) -> messages.DiffResponse:
        """Let the engine compare the settings. None of them replaces a provider."""
        return messages.DiffResponse()

    @_with_errors
    def Configure(
        self, request: messages.ConfigureRequest, context: grpc.ServicerContext
    ) -> messages.ConfigureResponse:
        """Store the settings. If an engine has started the process, endpoint and credentials cannot change later."""
        config = received(request.args).values
        self._provider.configure(config, run=self._engine.address, once=self._engine.is_parent)
        return messages.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    @_with_errors
    def Invoke(self, request: messages.InvokeRequest, context: grpc.ServicerContext) -> messages.InvokeResponse:
        """Call a function. If an argument is a secret, the result is a secret."""
        args = received(request.args)
        result = self._provider.invoke(request.tok, args.values)
        fields: dict[str, Any] = {"return": sent(result.values, result.values if args.secrets else ())}
        return messages.InvokeResponse(**fields, failures=_failures(result.problems, args.secrets))

    @_with_errors
    def Check(self, request: messages.CheckRequest, context: grpc.ServicerContext) -> messages.CheckResponse:
        """Check the inputs of a resource."""
        olds, news = received(request.olds), received(request.news)
        result = self._provider.check(request.urn, olds.values, news.values)
        inputs = sent(result.values, self._provider.secrets(request.urn, news.secrets))
        return messages.CheckResponse(inputs=inputs, failures=_failures(result.problems, news.secrets))

    @_with_errors
    def Diff(self, request: messages.DiffRequest, context: grpc.ServicerContext) -> messages.DiffResponse:
        """Compare the state of a resource with new inputs."""
        olds, news = received(request.olds), received(request.news)
        diff, differing = self._provider.diff(request.urn, request.id, olds.values, news.values, request.ignoreChanges)
        return messages.DiffResponse(
            changes=messages.DiffResponse.DIFF_SOME if diff.changes else messages.DiffResponse.DIFF_NONE,
            replaces=diff.replaces,
            # The engine needs these for replaceOnChanges.
            diffs=differing if diff.changes else (),
            deleteBeforeReplace=diff.delete_first,
        )

    @_with_errors
    def Create(self, request: messages.CreateRequest, context: grpc.ServicerContext) -> messages.CreateResponse:
        """Create a resource."""
        inputs = received(request.properties)
        with self._provider.waiting.within(request.timeout):
            id_, state = self._provider.create(request.urn, inputs.values, preview=request.preview)
        secrets = self._provider.secrets(request.urn, inputs.secrets)
        return messages.CreateResponse(id=id_, properties=sent(state, secrets))

    @_with_errors
    def Read(self, request: messages.ReadRequest, context: grpc.ServicerContext) -> messages.ReadResponse:
        """Return the state of a resource as it is now. Its inputs stay.

        A request without outputs of this plugin is an import, or a read of a resource that the program does not own
        (``get``). For an import the engine sends no inputs. A test in tests/engine/test_import.py fails when that has
        changed.
        """
        state = received(request.properties)
        with self._provider.waiting.within(request.timeout):
            if not self._provider.is_stored(request.urn, state.values):
                owned = not request.HasField("inputs")
                inputs, now = self._provider.imported(request.urn, request.id, owned=owned)
                return messages.ReadResponse(id=request.id, properties=sent(now), inputs=sent(inputs))
            now = self._provider.read(request.urn, request.id, state.values)
        return messages.ReadResponse(id=request.id, properties=sent(now, state.secrets), inputs=request.inputs)

    @_with_errors
    def Update(self, request: messages.UpdateRequest, context: grpc.ServicerContext) -> messages.UpdateResponse:
        """Change a resource to new inputs."""
        olds, news = received(request.olds), received(request.news)
        with self._provider.waiting.within(request.timeout):
            state = self._provider.update(request.urn, request.id, olds.values, news.values, preview=request.preview)
        return messages.UpdateResponse(properties=sent(state, self._provider.secrets(request.urn, news.secrets)))

    @_with_errors
    def Delete(self, request: messages.DeleteRequest, context: grpc.ServicerContext) -> Empty:
        """Remove a resource."""
        state = received(request.properties)
        with self._provider.waiting.within(request.timeout):
            self._provider.delete(request.urn, request.id, state.values)
        return Empty()

    @_with_errors
    def Cancel(self, request: Empty, context: grpc.ServicerContext) -> Empty:
        """End all waits. The engine also calls this at every normal end."""
        self._provider.waiting.cancel()
        return Empty()


def main(arguments: list[str] | None = None) -> None:
    """Serve until the engine ends this process. The standard output gets only the port.

    Args:
        arguments: the command line. Its last word is the address of the engine, unless that is an option.
    """
    words = sys.argv[1:] if arguments is None else arguments
    engine = Engine(words[-1] if words and not words[-1].startswith("-") else "")
    provider = Provider(os.environ, engine.warn, engine.report, Waiting())
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(_MOST_CALLS), options=options)
    services.add_ResourceProviderServicer_to_server(Servicer(provider, engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()

    def stop(number: int, frame: object) -> None:  # noqa: ARG001  the arguments of a signal handler
        # Waits end now, and requests that are already sent may finish.
        provider.waiting.cancel()
        server.stop(_GRACE_SECONDS)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    print(port, flush=True)  # noqa: T201  the engine waits for it

    def engine_is_gone() -> None:
        provider.waiting.cancel("the engine is gone")
        server.stop(_GRACE_WITHOUT_ENGINE)

    watch_engine(engine.address, engine_is_gone)
    threading.Thread(target=_load_early, daemon=True).start()
    server.wait_for_termination()
    provider.end()
    # Calls that still run have no reader of their result.
    os._exit(0)


def _load_early() -> None:
    for module in _LOADED_EARLY:
        import_module(f"pulumi_iotda_ota.{module}")
