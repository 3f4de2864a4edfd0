"""What the provider processes of one run know of each other: none removes what another one has adopted."""

from __future__ import annotations

import base64
import os
import re
import signal
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dill
import grpc
import pytest
from pulumi.runtime.proto import provider_pb2

from pulumi_iotda_ota.dynamic import OtaPackageProvider
from pulumi_iotda_ota.emulator import Emulator
from tests.conftest import settings_for
from tests.support.plugin_packages import FIRMWARE, FW, there
from tests.support.plugin_process import Engine, Plugin, urn
from tests.support.plugin_resources import NONE, TASK, task
from tests.support.plugin_upgrade_tasks import METER

if TYPE_CHECKING:
    from collections.abc import Callable

DONE = urn("UpgradeTaskCompletion", "done")
SECONDS = 30


def statuses(emulator: Emulator) -> list[str]:
    """Return the status of every task on the service."""
    return [found["status"] for found in emulator.tasks]


def made_before(start: Callable[[], Plugin], at: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Create a resource in an earlier run; return its id and state."""
    with start() as earlier:
        return earlier.create(at, earlier.checked(at, inputs))


def hang(emulator: Emulator) -> None:
    """Let no device end, so that tasks run on."""
    for device in ("d1", "d2"):
        emulator.set_device(device, outcome="hang")


def test_a_package_that_another_provider_adopts(
    started: Plugin, beside: Callable[..., Plugin], start: Callable[[], Plugin], emulator: Emulator, engine: Engine
) -> None:
    """A package that is renamed and gets an explicit provider stays: the old provider's process does not delete it."""
    id_, state = made_before(start, FW, METER)

    with beside() as explicit:
        adopted, _ = explicit.create(FIRMWARE, explicit.checked(FIRMWARE, METER))
        started.delete(FW, id_, state)

    assert (adopted, there(emulator, id_)) == (id_, True)
    assert engine.lines[-1] == (
        FW,
        f"package {id_} is not deleted: another resource of the stack owns it now",
    )


def test_a_task_that_another_provider_adopts(
    started: Plugin, beside: Callable[..., Plugin], start: Callable[[], Plugin], emulator: Emulator
) -> None:
    """A forced replacement under a new provider adopts a running task, and the old provider does not stop it."""
    hang(emulator)
    id_, state = made_before(start, TASK, task(emulator))

    with beside() as explicit:
        first = explicit.checked(TASK, task(emulator), state)
        explicit.diff(TASK, id_, state, first)
        adopted, _ = explicit.create(TASK, explicit.checked(TASK, task(emulator)))
        started.delete(TASK, id_, state)

    assert (adopted, statuses(emulator)) == (id_, ["Processing"])


def test_what_a_failed_run_left_to_another_provider(
    started: Plugin, beside: Callable[..., Plugin], start: Callable[[], Plugin], emulator: Emulator
) -> None:
    """A deletion that a failed run left is skipped if the program declares the thing under another provider."""
    id_, state = made_before(start, FW, METER)

    with beside() as explicit:
        unchanged = explicit.checked(FW, METER, METER)
        assert explicit.diff(FW, id_, state, unchanged).changes == NONE
        started.delete(FW, id_, state)

    assert there(emulator, id_)


def test_a_comparison_of_a_refresh_keeps_nothing(
    started: Plugin, beside: Callable[..., Plugin], start: Callable[[], Plugin], emulator: Emulator
) -> None:
    """A package that only a refresh has compared is deleted, although an equal one exists elsewhere."""
    with Emulator() as elsewhere:
        id_, state = made_before(start, FW, METER)
        assert started.diff(FW, id_, state, METER).changes == NONE
        with beside(**settings_for(elsewhere)) as other:
            other_id, other_state = other.create(FIRMWARE, other.checked(FIRMWARE, METER))
            assert other.diff(FIRMWARE, other_id, other_state, other.checked(FIRMWARE, METER, METER)).changes == NONE
            started.delete(FW, id_, state)

    assert not there(emulator, id_)


def test_equal_ids_of_two_places(
    started: Plugin, beside: Callable[..., Plugin], start: Callable[[], Plugin], emulator: Emulator
) -> None:
    """A package that is adopted in one place does not keep the package of the same id in another place."""
    id_, state = made_before(start, FW, METER)
    with Emulator({"packages": [one for one in emulator.packages if one["package_id"] == id_]}) as elsewhere:
        with beside(**settings_for(elsewhere)) as other:
            assert other.create(FIRMWARE, other.checked(FIRMWARE, METER))[0] == id_
            started.delete(FW, id_, state)
        assert there(elsewhere, id_)

    assert not there(emulator, id_)


def test_two_providers_that_describe_one_package(
    started: Plugin, beside: Callable[..., Plugin], emulator: Emulator
) -> None:
    """If two processes create the same package at the same moment, one succeeds and one fails with an error."""
    with beside() as explicit, ThreadPoolExecutor(2) as pool:
        inputs = [started.checked(FW, METER), explicit.checked(FIRMWARE, METER)]
        emulator.faults.add(operation="ListOtaPackageInfo", delay=0.5, times=None)
        both = [pool.submit(started.create, FW, inputs[0]), pool.submit(explicit.create, FIRMWARE, inputs[1])]
        failed = [error for created in both if (error := created.exception(SECONDS))]

    assert sum(one["version"] == METER["version"] for one in emulator.packages) == 1
    (error,) = failed
    assert isinstance(error, grpc.RpcError)
    assert "two resources declare the same OTA package" in str(error.details())


def test_two_providers_retry_once(started: Plugin, beside: Callable[..., Plugin], emulator: Emulator) -> None:
    """Two completions of one task, of two providers, retry its devices once."""
    for device in ("d1", "d2"):
        emulator.set_device(device, fails_first=5)
    id_, _ = started.create(TASK, started.checked(TASK, task(emulator)))

    with beside() as explicit:
        for provider in (started, explicit):
            with pytest.raises(grpc.RpcError, match="failed"):
                provider.create(DONE, provider.checked(DONE, {"taskId": id_, "retryFailed": True}))

    assert sum(request.operation == "RetryBatchTask" for request in emulator.requests) == 1


def test_beside_dynamic_resources(
    beside: Callable[..., Plugin], start: Callable[[], Plugin], emulator: Emulator, engine: Engine, tmp_path: Path
) -> None:
    """Pulumi's host of dynamic resources belongs to the run too: what it adopts, a provider does not delete."""
    id_, state = made_before(start, FW, METER)
    at = urn("pulumi-python:dynamic/iotda-ota:OtaPackage", "firmware")
    location = {"region_name": "cn-north-4", "bucket_name": "firmware", "object_key": "meter/1.5.0.bin"}
    inputs = {
        "package_type": "firmwarePackage",
        "app_id": "energy",
        "product_id": "smart-meter",
        "version": "V1.5.0",
        "obs_location": {**location, "sign": "ab" * 32},
        "__provider": base64.b64encode(dill.dumps(OtaPackageProvider())).decode(),
    }

    # As the engine starts it: its address is the last argument, whatever stands before it.
    arguments = ("pulumi.dynamic", "--logtostderr", engine.address)
    environment = {**settings_for(emulator), "PYTHONUNBUFFERED": "1"}
    with Plugin(environment, tmp_path, arguments, start=Path("-m")) as host, beside() as plugin:
        host.stub.Configure(provider_pb2.ConfigureRequest(), timeout=SECONDS)
        adopted, _ = host.create(at, host.checked(at, inputs))
        plugin.delete(FW, id_, state)

    assert (adopted, there(emulator, id_)) == (id_, True)


# The file -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Return an empty folder that the environment of a test can name."""
    (tmp_path / "own").mkdir()
    return tmp_path / "own"


def shared(own: Path) -> list[Path]:
    """Return the files of runs in the folder of this user."""
    return sorted(ours(own).iterdir())


def ours(own: Path) -> Path:
    """Return the folder that the runs of this user have in a temporary folder."""
    return own / f"pulumi-iotda-ota-{os.geteuid()}"


def interrupt(plugin: Plugin) -> None:
    """End a process as the engine does, with an interrupt."""
    plugin.process.send_signal(signal.SIGINT)
    plugin.process.communicate(timeout=SECONDS)


def test_the_file_of_a_run(beside: Callable[..., Plugin], emulator: Emulator, own: Path) -> None:
    """The file is private, has no secret, is created when it is needed, and is removed by the last process."""
    first, second = beside(TMPDIR=str(own)), beside(TMPDIR=str(own))
    first.answer("getOtaPackage", packageType="firmwarePackage", productId="smart-meter", highestVersion=True)
    assert list(own.iterdir()) == []
    id_, _ = first.create(FW, first.checked(FW, METER))
    with pytest.raises(grpc.RpcError, match="two resources declare the same OTA package"):
        second.create(FIRMWARE, second.checked(FIRMWARE, METER))

    (file,) = shared(own)
    text = file.read_text()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (file.parent, file)] == [0o700, 0o600]
    assert id_ in text
    assert [value for name, value in settings_for(emulator).items() if "KEY" in name and value in text] == []
    interrupt(first)
    assert shared(own) == [file]
    interrupt(second)
    assert shared(own) == []


def test_the_runtime_folder_of_the_user(beside: Callable[..., Plugin], own: Path, tmp_path: Path) -> None:
    """XDG_RUNTIME_DIR is used if the user owns it. A missing one, as after `su`, is not used."""
    for runtime in (own, tmp_path / "nowhere"):
        with beside(XDG_RUNTIME_DIR=str(runtime), TMPDIR=str(own)) as plugin:
            id_, state = plugin.create(FW, plugin.checked(FW, METER))
            plugin.delete(FW, id_, state)

    assert sorted(path.name for path in own.iterdir()) == ["pulumi-iotda-ota", f"pulumi-iotda-ota-{os.geteuid()}"]


def test_a_killed_run_and_an_address_that_is_used_again(
    beside: Callable[..., Plugin], start: Callable[[], Plugin], emulator: Emulator, own: Path
) -> None:
    """If the next run has the address of a killed run, the entries of the killed run do not count."""
    with beside(TMPDIR=str(own)) as killed:
        id_, state = killed.create(FW, killed.checked(FW, METER))
    assert len(shared(own)) == 1

    with beside(TMPDIR=str(own)) as again:
        again.delete(FW, id_, state)

    assert not there(emulator, id_)


def test_what_killed_runs_left_is_removed(emulator: Emulator, own: Path, tmp_path: Path) -> None:
    """The next run of the user removes the files of killed runs, and leaves those of runs that go on."""
    with ExitStack() as runs:

        def begin(version: str) -> Plugin:
            environment = {**settings_for(emulator), "TMPDIR": str(own)}
            engine = runs.enter_context(Engine())
            plugin = runs.enter_context(Plugin(environment, tmp_path, (engine.address,))).configure()
            plugin.create(FW, plugin.checked(FW, {**METER, "version": version}))
            return plugin

        killed, going_on = begin("V8"), begin("V9")
        killed.process.kill()
        killed.process.communicate()
        assert len(shared(own)) == 2

        begin("V10")
        assert len(shared(own)) == 2
        with pytest.raises(grpc.RpcError, match="two resources declare the same OTA package"):
            going_on.create(FIRMWARE, going_on.checked(FIRMWARE, {**METER, "version": "V9"}))


# No file --------------------------------------------------------------------------------------------------------------


def missing(own: Path) -> Path:
    """Return a folder that is not there."""
    return own / "nowhere"


def no_folder(own: Path) -> Path:
    """Return what is a file."""
    (own / "file").touch()
    return own / "file"


def a_link(own: Path) -> Path:
    """Return a folder with a link in place of the shared folder, as another user can create it."""
    (own / "victim").mkdir(mode=0o700)
    ours(own).symlink_to(own / "victim")
    return own


def of_another_user(own: Path) -> Path:
    """Return a folder in which another user has created the shared folder."""
    ours(own).mkdir(mode=0o700)
    if os.geteuid():
        pytest.skip("only root can make a folder of another user")
    os.chown(ours(own), 12345, 12345)
    return own


def open_to_others(own: Path) -> Path:
    """Return a folder in which ours is open to other users."""
    ours(own).mkdir()
    ours(own).chmod(0o777)
    return own


BROKEN = {
    missing: "No such file or directory",
    no_folder: "Not a directory",
    a_link: "Not a directory",
    of_another_user: "it belongs to another user",
    open_to_others: "other users may use it (mode 0777)",
}


@pytest.fixture(params=BROKEN, ids=[make.__name__ for make in BROKEN])
def broken(own: Path, request: pytest.FixtureRequest) -> tuple[Path, str]:
    """Return a temporary folder that cannot be used, and why not."""
    return request.param(own), BROKEN[request.param]


def test_without_the_file_nothing_is_deleted(
    beside: Callable[..., Plugin], start: Callable[[], Plugin], emulator: Emulator, broken: tuple[Path, str]
) -> None:
    """Creating works. Deleting, stopping and adopting are refused; the error names the folder and TMPDIR."""
    hang(emulator)
    package, package_state = made_before(start, FW, METER)
    running, running_state = made_before(start, TASK, task(emulator))
    folder, cause = broken
    with beside(TMPDIR=str(folder)) as plugin:
        other, other_state = plugin.create(FIRMWARE, plugin.checked(FIRMWARE, {**METER, "version": "V9"}))
        plugin.diff(FIRMWARE, other, other_state, plugin.checked(FIRMWARE, other_state, other_state))
        inputs = plugin.checked(FIRMWARE, METER)
        reported = [
            message(lambda: plugin.delete(FW, package, package_state)),
            message(lambda: plugin.delete(TASK, running, running_state)),
            message(lambda: plugin.create(FIRMWARE, inputs)),
        ]
        plugin.delete(TASK, running, {**running_state, "onDestroy": "retain"})

    described = "firmwarePackage of product smart-meter, version V1.5.0"
    assert [re.split(r", uploaded|\n", line)[0] for line in reported] == [
        f"package {package} is not deleted",
        f"upgrade task {running} is not stopped",
        f"{described} exists already and is not adopted: package {package}",
    ]
    for line in reported:
        assert cause in " ".join(line.split())
        assert "set TMPDIR to a folder that belongs to you" in " ".join(line.split())
    assert (there(emulator, package), there(emulator, other), statuses(emulator)) == (True, True, ["Processing"])


def message(call: Callable[[], object]) -> str:
    """Return what a call that fails says."""
    with pytest.raises(grpc.RpcError) as failed:
        call()
    return str(failed.value.details())


def test_the_variable_that_is_set_is_named(
    beside: Callable[..., Plugin], start: Callable[[], Plugin], own: Path
) -> None:
    """If XDG_RUNTIME_DIR decides, the fix names it too."""
    id_, state = made_before(start, FW, METER)
    (own / "pulumi-iotda-ota").touch()

    with beside(XDG_RUNTIME_DIR=str(own)) as plugin:
        reported = " ".join(message(lambda: plugin.delete(FW, id_, state)).split())

    folder = "a folder that belongs to you and can be written"
    assert f"fix set XDG_RUNTIME_DIR to {folder}, or unset it and set TMPDIR" in reported
