"""The plugin's process: answers the engine over gRPC, one thread for each call that is under way.

It speaks Pulumi's documented protocol itself. The SDK's own server for Python providers is experimental and has faults
that reach users: tracebacks as messages, what is not known yet taken for a text, one call that blocks all others;
``tests/plugin/test_sdk_server.py`` has them, and says when they are mended.
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
from pulumi_iotda_ota.plugin.engine_log import Engine
from pulumi_iotda_ota.plugin.provider import Provider
from pulumi_iotda_ota.plugin.pulumi_proto import messages, plugin_pb2, services
from pulumi_iotda_ota.plugin.values import received, secret_texts, sent

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from google.protobuf.message import Message

    Request = TypeVar("Request", bound=Message)
    Response = TypeVar("Response", bound=Message)

SCHEMA = Path(__file__).with_name("schema.json")
# More than the engine ever has under way; a thread is made only where none is free.
_MOST_CALLS = 2_000
_GRACE_SECONDS = 60
# For a request to the service that is under way: its response has no reader.
_GRACE_WITHOUT_ENGINE = 2
# A message travels in a header, and what is longer the engine's client refuses.
_LONGEST_MESSAGE = 4_000
_SECRET_SETTINGS = tuple(camel(setting.name) for setting in SETTINGS if setting.secret)
# What the first lookup needs, loaded while the engine is busy starting the program.
_NEEDED_SOON = (
    "iotda.auth.connection",
    "iotda.client",
    "operations",
    "lifecycle.pin",
    "lifecycle.upgrade_task.resource",
)


def _answered(
    method: Callable[[Servicer, Request, grpc.ServicerContext], Response],
) -> Callable[[Servicer, Request, grpc.ServicerContext], Response]:
    """Let what goes wrong in a method end the call with a message for people: never a traceback, never a secret."""

    @wraps(method)
    def answer(self: Servicer, request: Request, context: grpc.ServicerContext) -> Response:
        with redacting(secret_texts(request)):
            try:
                return method(self, request, context)
            except IotdaOtaError as error:
                error.redact(())
                code, message = grpc.StatusCode.FAILED_PRECONDITION, error.rendered(PLUGIN)
            except Interrupted as interrupted:
                code, message = grpc.StatusCode.ABORTED, str(interrupted)
            except Exception as fault:  # noqa: BLE001  whatever it is, it ends this call and not the process
                code, message = grpc.StatusCode.INTERNAL, _of_a_fault(fault)
            context.abort(code, redact(message)[:_LONGEST_MESSAGE])
            raise AssertionError("abort raises")

    return answer


def _of_a_fault(fault: Exception) -> str:
    """Return the message of an error that should not be, with the place that whoever mends it asks for."""
    place = traceback.extract_tb(fault.__traceback__)[-1]
    return f"a fault of this plugin: {type(fault).__name__}: {fault} ({Path(place.filename).name}, line {place.lineno})"


def _failures(problems: Iterable[tuple[str, str]], secret: Collection[str]) -> list[messages.CheckFailure]:
    """Return problems as the engine takes them.

    Args:
        problems: the property of each, or nothing, and what is wrong.
        secret: the properties that are, or hold, a secret. The engine prints the value of a property that is named.
    """
    told = [("", f"{name}: {reason}") if name in secret else (name, reason) for name, reason in problems]
    return [messages.CheckFailure(property=name, reason=redact(reason)) for name, reason in told]


class Servicer(services.ResourceProviderServicer):
    """Answers each call of the protocol, whose names the methods have; see provider.proto of Pulumi.

    Args:
        provider: does the work.
        engine: who shows what is to be told.
    """

    def __init__(self, provider: Provider, engine: Engine) -> None:
        self._provider = provider
        self._engine = engine

    @_answered
    def Handshake(
        self, request: messages.ProviderHandshakeRequest, context: grpc.ServicerContext
    ) -> messages.ProviderHandshakeResponse:
        """Tell what this side understands."""
        return messages.ProviderHandshakeResponse(accept_secrets=True)

    @_answered
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

    @_answered
    def GetPluginInfo(self, request: Empty, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        """Tell the version."""
        return plugin_pb2.PluginInfo(version=json.loads(SCHEMA.read_text(encoding="utf-8"))["version"])

    @_answered
    def GetSchema(
        self, request: messages.GetSchemaRequest, context: grpc.ServicerContext
    ) -> messages.GetSchemaResponse:
        """Tell what there is."""
        return messages.GetSchemaResponse(schema=SCHEMA.read_text(encoding="utf-8"))

    @_answered
    def CheckConfig(self, request: messages.CheckRequest, context: grpc.ServicerContext) -> messages.CheckResponse:
        """Check the settings of a provider; those of a credential are encrypted in the state, told so or not."""
        news = received(request.news)
        problems = self._provider.check_config(news.values)
        inputs = sent(news.values, news.secrets.union(_SECRET_SETTINGS))
        secret = news.secrets.union(_SECRET_SETTINGS, ("proxy",))
        return messages.CheckResponse(inputs=inputs, failures=_failures(problems, secret))

    @_answered
    def DiffConfig(self, request: messages.DiffRequest, context: grpc.ServicerContext) -> messages.DiffResponse:
        """Leave it to the engine to compare settings; none of them replaces a provider."""
        return messages.DiffResponse()

    @_answered
    def Configure(
        self, request: messages.ConfigureRequest, context: grpc.ServicerContext
    ) -> messages.ConfigureResponse:
        """Take the settings; a process that an engine has started keeps those that say where and as whom."""
        config = received(request.args).values
        self._provider.configure(config, run=self._engine.address, once=self._engine.is_parent)
        return messages.ConfigureResponse(acceptSecrets=True, supportsPreview=True)

    @_answered
    def Invoke(self, request: messages.InvokeRequest, context: grpc.ServicerContext) -> messages.InvokeResponse:
        """Answer a function; what was asked with a secret is secret."""
        args = received(request.args)
        answer = self._provider.invoke(request.tok, args.values)
        fields: dict[str, Any] = {"return": sent(answer.values, answer.values if args.secrets else ())}
        return messages.InvokeResponse(**fields, failures=_failures(answer.problems, args.secrets))

    @_answered
    def Check(self, request: messages.CheckRequest, context: grpc.ServicerContext) -> messages.CheckResponse:
        """Check the inputs of a resource."""
        olds, news = received(request.olds), received(request.news)
        answer = self._provider.check(request.urn, olds.values, news.values)
        inputs = sent(answer.values, self._provider.secrets(request.urn, news.secrets))
        return messages.CheckResponse(inputs=inputs, failures=_failures(answer.problems, news.secrets))

    @_answered
    def Diff(self, request: messages.DiffRequest, context: grpc.ServicerContext) -> messages.DiffResponse:
        """Compare the state of a resource with new inputs."""
        olds, news = received(request.olds), received(request.news)
        diff, differing = self._provider.diff(request.urn, request.id, olds.values, news.values, request.ignoreChanges)
        return messages.DiffResponse(
            changes=messages.DiffResponse.DIFF_SOME if diff.changes else messages.DiffResponse.DIFF_NONE,
            replaces=diff.replaces,
            # By these the engine knows what replaceOnChanges is about.
            diffs=differing if diff.changes else (),
            deleteBeforeReplace=diff.delete_first,
        )

    @_answered
    def Create(self, request: messages.CreateRequest, context: grpc.ServicerContext) -> messages.CreateResponse:
        """Create a resource."""
        inputs = received(request.properties)
        with self._provider.waiting.within(request.timeout):
            id_, state = self._provider.create(request.urn, inputs.values, preview=request.preview)
        secrets = self._provider.secrets(request.urn, inputs.secrets)
        return messages.CreateResponse(id=id_, properties=sent(state, secrets))

    @_answered
    def Read(self, request: messages.ReadRequest, context: grpc.ServicerContext) -> messages.ReadResponse:
        """Tell the state of a resource as it is now; its inputs stay as they were given.

        A request without outputs of ours is an import, or a read of what the program does not own (``get``). For an
        import the engine sends no inputs; a test in tests/engine/test_import.py fails when that has changed.
        """
        state = received(request.properties)
        with self._provider.waiting.within(request.timeout):
            if not self._provider.is_stored(request.urn, state.values):
                owned = not request.HasField("inputs")
                inputs, seen = self._provider.imported(request.urn, request.id, owned=owned)
                return messages.ReadResponse(id=request.id, properties=sent(seen), inputs=sent(inputs))
            seen = self._provider.read(request.urn, request.id, state.values)
        return messages.ReadResponse(id=request.id, properties=sent(seen, state.secrets), inputs=request.inputs)

    @_answered
    def Update(self, request: messages.UpdateRequest, context: grpc.ServicerContext) -> messages.UpdateResponse:
        """Bring a resource to new inputs."""
        olds, news = received(request.olds), received(request.news)
        with self._provider.waiting.within(request.timeout):
            state = self._provider.update(request.urn, request.id, olds.values, news.values, preview=request.preview)
        return messages.UpdateResponse(properties=sent(state, self._provider.secrets(request.urn, news.secrets)))

    @_answered
    def Delete(self, request: messages.DeleteRequest, context: grpc.ServicerContext) -> Empty:
        """Remove a resource."""
        state = received(request.properties)
        with self._provider.waiting.within(request.timeout):
            self._provider.delete(request.urn, request.id, state.values)
        return Empty()

    @_answered
    def Cancel(self, request: Empty, context: grpc.ServicerContext) -> Empty:
        """End all waits; the engine also calls this at every normal end."""
        self._provider.waiting.cancel()
        return Empty()


def main(arguments: list[str] | None = None) -> None:
    """Serve until the engine ends this process. Nothing but the port goes to the standard output.

    Args:
        arguments: the command line, of which the last is the engine's address; others may have values of their own.
    """
    given = sys.argv[1:] if arguments is None else arguments
    engine = Engine(given[-1] if given and not given[-1].startswith("-") else "")
    provider = Provider(os.environ, engine.warn, engine.tell, Waiting())
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    server = grpc.server(ThreadPoolExecutor(_MOST_CALLS), options=options)
    services.add_ResourceProviderServicer_to_server(Servicer(provider, engine), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    _stop_on_signals(server, provider)
    print(port, flush=True)  # noqa: T201  what Pulumi waits for

    def engine_is_gone() -> None:
        provider.waiting.cancel("the engine is gone")
        server.stop(_GRACE_WITHOUT_ENGINE)

    watch_engine(engine.address, engine_is_gone)
    threading.Thread(target=_load_what_is_needed_soon, daemon=True).start()
    server.wait_for_termination()
    provider.end()
    # Calls that are still under way have nobody left to answer.
    os._exit(0)


def _stop_on_signals(server: grpc.Server, provider: Provider) -> None:
    """End as a person or the engine asks: what waits ends now, what is being sent is answered first."""

    def stop(number: int, frame: object) -> None:  # noqa: ARG001  what the signal module gives
        provider.waiting.cancel()
        server.stop(_GRACE_SECONDS)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def _load_what_is_needed_soon() -> None:
    for module in _NEEDED_SOON:
        import_module(f"pulumi_iotda_ota.{module}")
