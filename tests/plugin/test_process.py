"""The process of the plugin: its settings, its output, its end, and the folder in which it runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf.empty_pb2 import Empty
from pulumi.runtime.proto import plugin_pb2, provider_pb2

from tests.conftest import settings_for
from tests.support.plugin_process import PROVIDER, ROOT, SECONDS, UNKNOWN, Plugin, check_config, secret, struct

if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator
    from tests.support.plugin_process import Engine

METER = {"packageType": "firmwarePackage", "productId": "smart-meter", "version": "V1.4.10"}


def test_only_the_port_is_printed(started: Plugin) -> None:
    """The standard output has only the port, whatever is called. The process ends after a signal."""
    started.answer("getOtaPackage", **METER)
    with pytest.raises(grpc.RpcError):
        started.invoke("getThing")

    assert started.stop() == (0, "", "")


def test_schema_and_version(plugin: Plugin) -> None:
    """The process returns the schema of the package, and its version."""
    reported = plugin.stub.GetSchema(provider_pb2.GetSchemaRequest(), timeout=SECONDS).schema

    assert reported == (ROOT / "pulumi_iotda_ota" / "plugin" / "schema.json").read_text()
    assert plugin.stub.GetPluginInfo(Empty(), timeout=SECONDS).version == json.loads(reported)["version"]


def test_secrets_are_understood(plugin: Plugin) -> None:
    """Both sides agree that secrets are sent as secrets, and that a preview calls the plugin."""
    agreed = plugin.stub.Handshake(provider_pb2.ProviderHandshakeRequest(), timeout=SECONDS)
    configured = plugin.stub.Configure(provider_pb2.ConfigureRequest(), timeout=SECONDS)

    assert agreed.accept_secrets
    assert (configured.acceptSecrets, configured.supportsPreview) == (True, True)


@pytest.mark.parametrize("typed", [True, False], ids=["typed", "text"])
def test_settings_arrive_typed_or_as_text(emulator: Emulator, tmp_path: Path, typed: bool) -> None:
    """Settings of the provider lead to the service, typed as YAML sends them or as text as other languages do."""
    settings: dict[str, Any] = {
        "endpoint": emulator.endpoint,
        "region": emulator.region,
        "projectId": emulator.project_id,
        "accessKey": emulator.access_key,
        "secretKey": secret(emulator.secret_key),
        "deadline": 30,
        "insecure": False,
        "allowedProjectIds": [emulator.project_id],
    }
    if not typed:
        settings |= {"deadline": "30", "insecure": "false", "allowedProjectIds": json.dumps([emulator.project_id])}
    with Plugin({}, tmp_path) as plugin:
        inputs, problems = check_config(plugin, **settings)
        assert problems == []
        assert plugin.configure(**inputs).answer("getOtaPackage", **METER)["version"] == "V1.4.10"


def test_credentials_among_the_settings_are_secret(plugin: Plugin) -> None:
    """Every part of a credential is a secret in the state, even if the program does not mark it."""
    inputs, problems = check_config(plugin, accessKey="AK", secretKey="SK", authToken=secret("T"), region="cn-north-4")

    assert problems == []
    assert inputs == {
        "version": "0.1.0",
        "region": "cn-north-4",
        **{name: secret(value) for name, value in {"accessKey": "AK", "secretKey": "SK", "authToken": "T"}.items()},
    }


@pytest.mark.parametrize(
    ("config", "named", "reported"),
    [
        ({"deadline": "soon"}, "deadline", "deadline must be a number of seconds"),
        ({"deadline": 0}, "deadline", "source"),
        ({"signing": "v4"}, "signing", "one of auto, standard, derived"),
        ({"acessKey": "x"}, "", "did you mean iotda-ota:accessKey?"),
        ({"regoin": "x"}, "", "did you mean iotda-ota:region?"),
        ({"projectId": "a b"}, "projectId", "projectId must be"),
        ({"endpoint": "ftp://x"}, "endpoint", "endpoint"),
        ({"maxAttempts": [1]}, "maxAttempts", "maxAttempts must be a whole number"),
    ],
)
def test_wrong_settings_are_told(plugin: Plugin, config: dict[str, Any], named: str, reported: str) -> None:
    """A wrong setting is a failure of its property, before anything is sent."""
    _, ((property_, reason),) = check_config(plugin, **config)

    assert property_ == named
    assert reported in " ".join(reason.split())


def test_settings_that_are_not_known_yet(plugin: Plugin) -> None:
    """A setting that depends on another resource is neither judged nor lost."""
    inputs, problems = check_config(plugin, endpoint=UNKNOWN, deadline=UNKNOWN)

    assert problems == []
    assert inputs == {"version": "0.1.0", "endpoint": UNKNOWN, "deadline": UNKNOWN}


def test_other_settings_replace_nothing(plugin: Plugin) -> None:
    """Other settings change a provider in place. Its resources stay."""
    request = provider_pb2.DiffRequest(urn=PROVIDER, olds=struct({"region": "a"}), news=struct({"region": "b"}))
    diff = plugin.stub.DiffConfig(request, timeout=SECONDS)

    assert (list(diff.replaces), diff.deleteBeforeReplace) == ([], False)


def test_without_settings_the_error_says_what_is_missing(tmp_path: Path) -> None:
    """Without any settings, a lookup names everything that is missing and every way to set it."""
    with Plugin({}, tmp_path) as plugin, pytest.raises(grpc.RpcError) as caught:
        plugin.configure().invoke("getOtaPackage", **METER)

    reported = caught.value.details()
    assert reported.startswith("the connection is incomplete, missing: region or endpoint, credentials")
    assert "HW_REGION_NAME" in reported


@pytest.mark.parametrize(
    "before", [(), ("--logtostderr", "-v=9"), ("--tracing", "tcp://127.0.0.1:9"), ("--logtostderr", "--tracing", "x")]
)
def test_the_engine_is_the_last_argument(
    emulator: Emulator, tmp_path: Path, engine: Engine, before: tuple[str, ...]
) -> None:
    """Options with values that the engine passes before its address are not taken for the address."""
    from tests.support.plugin_resources import TASK, left_over, task

    with Plugin(settings_for(emulator), tmp_path, (*before, engine.address)) as plugin:
        inputs = plugin.configure().checked(TASK, task(emulator))
        left_over(emulator, inputs)
        plugin.create(TASK, inputs)

    assert len(engine.lines) == 1


def test_a_debugger_attaches(emulator: Emulator, tmp_path: Path, engine: Engine) -> None:
    """A process that was started by hand serves the engine that attaches to it (`PULUMI_DEBUG_PROVIDERS`)."""
    from tests.support.plugin_resources import TASK, left_over, task

    with Plugin(settings_for(emulator), tmp_path, ()) as plugin:
        plugin.stub.Attach(plugin_pb2.PluginAttach(address=engine.address), timeout=SECONDS)
        inputs = plugin.configure().checked(TASK, task(emulator))
        left_over(emulator, inputs)
        plugin.create(TASK, inputs)

    assert len(engine.lines) == 1


HOSTILE = ("semver.py", "requests.py", "grpc.py", "pydantic.py", "pulumi_iotda_ota/__init__.py", "pulumi/__init__.py")


def test_a_hostile_folder(emulator: Emulator, tmp_path: Path) -> None:
    """Files of the consumer's project that have names of ours are never run."""
    for name in HOSTILE:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('raise SystemExit("a file of the project was run")')

    with Plugin(settings_for(emulator), tmp_path) as plugin:
        assert plugin.configure().answer("getOtaPackage", **METER)["version"] == "V1.4.10"


@pytest.mark.parametrize("named", ["", "."])
def test_a_hostile_folder_in_the_path(emulator: Emulator, tmp_path: Path, named: str) -> None:
    """The same holds if PYTHONPATH names the folder, which Python searches before its libraries."""
    for name in ("semver.py", "requests.py", "pydantic.py"):
        (tmp_path / name).write_text('raise SystemExit("a file of the project was run")')
    environment = {**settings_for(emulator), "PYTHONPATH": named or str(tmp_path)}

    with Plugin(environment, tmp_path) as plugin:
        assert plugin.configure().answer("getOtaPackage", **METER)["version"] == "V1.4.10"


def test_a_second_run_of_an_attached_process(emulator: Emulator, tmp_path: Path) -> None:
    """A process that serves several runs waits again after the first has ended, and remembers nothing of it."""
    from tests.support.plugin_resources import TASK, task

    emulator.set_device("d1", outcome="hang")
    with Plugin(settings_for(emulator), tmp_path, ()) as plugin:
        inputs = plugin.configure().checked(TASK, task(emulator))
        id_, state = plugin.create(TASK, inputs)
        plugin.stub.Cancel(Empty(), timeout=SECONDS)

        plugin.configure().delete(TASK, id_, state)

    assert [found["status"] for found in emulator.tasks] == ["Stopped"]


def test_a_fault_of_ours_is_one_line(plugin: Plugin) -> None:
    """A fault of the plugin ends the call with one line that names its place, and the process continues."""
    with pytest.raises(grpc.RpcError, match=r"a fault of this plugin: ValueError: .* \(provider\.py, line \d+\)"):
        plugin.check("no urn", {})

    assert plugin.answer("getOtaPackage", **METER)["found"]
