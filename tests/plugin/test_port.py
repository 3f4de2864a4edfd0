"""Access to the plugin's port, and a process whose engine is gone: no credentials leak, and the process ends."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from tests.conftest import settings_for
from tests.support.engine_resources import wait_until
from tests.support.fault_helpers import RawServer, http
from tests.support.plugin_process import ROOT, SECONDS, Engine, Plugin, struct, urn
from tests.support.plugin_resources import TASK, task
from tests.support.relay import Listener

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator


class Reached(Listener):
    """Replaces an engine that exists: it counts connections, and sends nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.address = f"127.0.0.1:{self.port}"

    def serve(self, connection: socket.socket) -> None:
        """Count a connection, and keep it until the other side closes it."""
        self.count += 1
        connection.recv(1)


# The promise: how long a process outlives its engine at most, in seconds.
GONE_WITHIN = 10

METER = {"packageType": "firmwarePackage", "productId": "smart-meter", "mostRecent": True}
COMPLETION = urn("UpgradeTaskCompletion")


@pytest.mark.parametrize(
    "settings",
    [
        {"endpoint": "{}"},
        {"iamEndpoint": "{}"},
        {"proxy": "{}"},
        {"region": "cn-east-3"},
        {"cloud": "example.com"},
        {"accessKey": "AK", "secretKey": "SK"},
        {"authToken": "token"},
        {"userName": "u", "password": "p", "domainName": "d"},
        {"profile": "other"},
        {"credentials": "ecs"},
        {"insecure": True},
        {"caFile": "/ca.pem"},
        {"allowedProjectIds": ["x"]},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_another_place_or_account_is_refused(started: Plugin, settings: dict[str, Any]) -> None:
    """After the first Configure of a process that an engine started, another place or account is refused by name."""
    with RawServer(lambda _request, stream: stream.sendall(http(b"{}"))) as thief:
        given = {name: thief.url if value == "{}" else value for name, value in settings.items()}
        with pytest.raises(grpc.RpcError) as caught:
            started.configure(**given)

        assert "this process serves another connection already" in caught.value.details()
        assert all(name in caught.value.details() for name in given)
        assert started.answer("getOtaPackage", **METER)["found"]
        assert thief.requests == []


def test_the_same_settings_again(started: Plugin) -> None:
    """The same settings again, or settings that change neither endpoint nor credentials, are accepted."""
    started.configure()
    started.configure(deadline=30, maxAttempts=2)

    assert started.answer("getOtaPackage", **METER)["found"]


def test_no_engine_attaches_to_a_process_of_another(started: Plugin, engine: Engine) -> None:
    """A process that an engine started takes no other engine: lines and ownership would go there."""
    with Engine() as other:
        with pytest.raises(grpc.RpcError, match="an engine has started this process"):
            started.stub.Attach(plugin_pb2.PluginAttach(address=other.address), timeout=SECONDS)
        assert other.lines == []


def test_the_process_ends_after_its_engine(emulator: Emulator, tmp_path: Path) -> None:
    """If the engine is gone without a signal, as after kill -9, the process ends by itself within 10 seconds."""
    with Reached() as engine:
        plugin = Plugin(settings_for(emulator), tmp_path, (engine.address,)).configure()
        wait_until(lambda: engine.count > 0)
    with plugin:
        assert plugin.process.wait(GONE_WITHIN) == 0


def test_a_wait_ends_with_the_engine(emulator: Emulator, tmp_path: Path) -> None:
    """A wait of hours keeps the process, with its credentials, no more than 10 seconds longer than the engine."""
    emulator.set_device("d1", outcome="hang")
    with Reached() as engine:
        plugin = Plugin(settings_for(emulator), tmp_path, (engine.address,)).configure()
        id_, _ = plugin.create(TASK, plugin.checked(TASK, task(emulator)))
        inputs = plugin.checked(COMPLETION, {"taskId": id_, "timeout": "2h"})
        ended = threading.Event()

        def wait() -> None:
            with pytest.raises(grpc.RpcError):
                plugin.create(COMPLETION, inputs)
            ended.set()

        threading.Thread(target=wait, daemon=True).start()
        wait_until(lambda: any(request.operation == "ShowBatchTask" for request in emulator.requests))
        wait_until(lambda: engine.count > 0)
    with plugin:
        assert plugin.process.wait(GONE_WITHIN) == 0
        assert ended.wait(SECONDS)


def test_a_process_without_an_engine_goes_on(emulator: Emulator, tmp_path: Path) -> None:
    """A process whose engine was never reached, or that was started by hand, serves on."""
    with Reached() as gone:
        pass
    for arguments in ((gone.address,), ()):
        with Plugin(settings_for(emulator), tmp_path, arguments) as plugin:
            assert plugin.configure().answer("getOtaPackage", **METER)["found"]
            assert plugin.process.poll() is None


PROVIDER = """
import base64, dill, sys
from pulumi_iotda_ota.dynamic import UpgradeTaskCompletionProvider
print(base64.b64encode(dill.dumps(UpgradeTaskCompletionProvider())).decode())
"""


def test_a_wait_of_a_dynamic_provider_ends_with_the_engine(emulator: Emulator, tmp_path: Path, started: Plugin) -> None:
    """In Pulumi's host of dynamic providers, too, a wait ends after the engine is gone; the host is Pulumi's."""
    emulator.set_device("d1", outcome="hang")
    id_, _ = started.create(TASK, started.checked(TASK, task(emulator)))
    pickled = subprocess.run(
        [sys.executable, "-c", PROVIDER], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    environ = {**os.environ, **settings_for(emulator), "PYTHONPATH": str(ROOT)}
    with Reached() as engine:
        # Unbuffered, as the host of the engine starts it: it prints its port and waits.
        command = [sys.executable, "-u", "-m", "pulumi.dynamic", engine.address]
        host = subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, text=True)
        assert host.stdout
        stub = provider_pb2_grpc.ResourceProviderStub(
            grpc.insecure_channel(f"127.0.0.1:{host.stdout.readline().strip()}")
        )
        stub.Configure(provider_pb2.ConfigureRequest(), timeout=SECONDS)
        properties = struct({"__provider": pickled, "task_id": id_, "timeout": "2h"})
        request = provider_pb2.CreateRequest(urn=urn("x"), properties=properties)
        creation = stub.Create.future(request)
        wait_until(lambda: any(one.operation == "ShowBatchTask" for one in emulator.requests))
        wait_until(lambda: engine.count > 0)
    try:
        with pytest.raises(grpc.RpcError) as caught:
            creation.result(timeout=SECONDS)
        assert "the engine is gone" in str(caught.value)
        assert host.poll() is None
    finally:
        host.kill()
        host.communicate()
