"""What the code relies on in Pulumi's SDK beyond its documentation: these tests say when it changes."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import pulumi
import pytest
from pulumi.runtime import sync_await
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from pulumi_iotda_ota import errors, pulumi_compat

if TYPE_CHECKING:
    from collections.abc import Callable


to_the_end: Callable[..., Callable[[], None]] = (
    pulumi.runtime.test
)  # Pulumi's own way to run a program to its last Output


def source_of(module: str) -> str:
    """Return the source of a module without running it."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).read_text()


def test_waiting_inside_a_running_loop_is_still_private() -> None:
    """`pulumi_compat.wait` uses what `pulumi.runtime.invoke` itself uses; when that goes, so must the use of it."""
    assert list(inspect.signature(sync_await._sync_await).parameters) == ["awaitable"]
    assert "_sync_await(" in inspect.getsource(pulumi.runtime.invoke)


def test_dynamic_host_still_answers_with_tracebacks() -> None:
    """`pulumi_compat.print_own_errors_without_traceback` replaces a name in this module; when it is mended, drop it."""
    source = source_of("pulumi.dynamic.__main__")

    assert "\nimport traceback\n" in source
    assert "context.abort(grpc.StatusCode.UNKNOWN, traceback.format_exc())" in source


def test_dynamic_host_still_serves_four_calls_at_once() -> None:
    """`pulumi_compat.widen_dynamic_host` widens the pool of this module; when that has room for every wait, drop it."""
    assert "futures.ThreadPoolExecutor(max_workers=4)" in source_of("pulumi.dynamic.__main__")


def test_dynamic_host_still_imports_nothing() -> None:
    """`refuse_import` exists because the host needs a provider in the inputs. If this fails, allow imports."""
    command = [sys.executable, "-u", "-m", "pulumi.dynamic"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as host:
        assert host.stdout is not None
        with grpc.insecure_channel(f"127.0.0.1:{host.stdout.readline().strip()}") as channel:
            read = provider_pb2_grpc.ResourceProviderStub(channel).Read
            with pytest.raises(grpc.RpcError, match="__provider"):
                read(provider_pb2.ReadRequest(urn="urn", id="5c8b"), timeout=60)
        host.kill()


def test_dynamic_host_still_leaves_its_arguments_alone() -> None:
    """`pulumi_compat.engine_address` takes the last argument.

    Which the host does not read; any other process has no address.
    """
    assert "argv" not in source_of("pulumi.dynamic.__main__")
    assert pulumi_compat.engine_address() == ""


def test_the_pool_of_the_host_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a thread of the host's pool, the pool is found and widened; when it is not, Python works another way."""
    monkeypatch.setattr(pulumi_compat, "_is_dynamic_host", lambda: True)
    with ThreadPoolExecutor(max_workers=4) as pool:
        pool.submit(pulumi_compat.widen_dynamic_host).result()
        assert pool._max_workers == 256
    pulumi_compat.widen_dynamic_host()  # in any other thread nothing happens


def test_only_the_dynamic_host_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    """In any other process nothing is replaced."""
    before = getattr(sys.modules["__main__"], "traceback", None)

    pulumi_compat.print_own_errors_without_traceback()

    assert getattr(sys.modules["__main__"], "traceback", None) is before


def test_own_errors_are_short_and_others_whole() -> None:
    """In the dynamic host an error of ours is its message; anything else keeps its traceback."""

    def reported(error: Exception) -> str:
        try:
            raise error
        except type(error):
            return pulumi_compat._ShortForOwnErrors.format_exc()

    assert reported(errors.InputError("refused", facts=[("why", "so")])).splitlines() == [
        "refused",
        "  why          so",
    ]
    assert reported(ValueError("a fault of ours")).startswith("Traceback")


@pytest.mark.parametrize("name", errors.__all__)
def test_every_error_is_printed_as_a_message(name: str) -> None:
    """Each class of error becomes one that Pulumi prints without a traceback, once, and survives pickling."""
    error = getattr(errors, name)("headline", facts=[("why", "so")])

    rendered = pulumi_compat.as_run_error(pulumi_compat.as_run_error(error))

    assert rendered is error
    assert isinstance(error, pulumi.RunError)
    assert isinstance(error, getattr(errors, name))
    assert type(error).__name__ == name
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_without_a_program_there_is_no_run_and_no_configuration() -> None:
    """Outside a program nothing is shared and nothing is configured."""
    assert not pulumi_compat.in_program()
    assert pulumi_compat.current_run() is None
    assert pulumi_compat.stack_config() == {}


def test_work_runs_in_a_thread_that_ctrl_c_need_not_wait_for() -> None:
    """Started work has a daemon thread, and its failure is raised by its future."""

    def fail() -> None:
        raise ValueError("failed")

    assert pulumi_compat.start(lambda: 1).result() == 1
    with pytest.raises(ValueError, match="failed"):
        pulumi_compat.start(fail).result()


class _Silent(pulumi.runtime.Mocks):
    """Replaces the engine, and returns nothing."""

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, object], None]:
        """Return nothing."""
        return {}, None

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, object]]:
        """Register nothing."""
        return "", {}


def seen_in_a_thread() -> object:
    """Return the monitor in a thread without a context."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(pulumi.runtime.settings.get_monitor).result()


def test_a_stand_in_is_gone_for_every_thread() -> None:
    """After `leave_program`, no thread uses the mocks, and no root, configuration or output is left."""
    pulumi_compat.enter_program(_Silent(), project="p", stack="s", config={"iotda-ota:region": "x"}, preview=False)
    assert seen_in_a_thread() is not None

    pulumi_compat.leave_program()

    assert (seen_in_a_thread(), pulumi_compat.in_program(), pulumi_compat.stack_config()) == (None, False, {})
    assert pulumi.runtime.get_root_resource() is None


def test_settings_are_still_to_be_taken_away_twice() -> None:
    """Pulumi's settings keep a default for such threads that once is not enough for; when it is, do it once."""
    pulumi_compat.enter_program(_Silent(), project="p", stack="s", config={}, preview=False)

    pulumi.runtime.configure(pulumi.runtime.Settings("p", "s"))

    left = seen_in_a_thread()
    pulumi_compat.leave_program()
    assert left is not None


def test_a_parents_urn_is_still_a_dependency_on_its_children() -> None:
    """If this fails, Pulumi accepts the URN itself: remove `pulumi_compat.urn_without_dependencies`."""

    def child_of(urn_of: Callable[[pulumi.Resource], object]) -> None:
        pulumi.runtime.set_mocks(_Silent())

        @to_the_end
        async def run() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # it is raised, so it is not printed too
            parent = pulumi.ComponentResource("acme:fw:Level", "level")
            opts = pulumi.ResourceOptions(parent=parent)
            await pulumi.CustomResource("acme:x:Y", "child", {"scope": urn_of(parent)}, opts).urn.future()

        try:
            run()
        finally:
            pulumi_compat.leave_program()

    child_of(pulumi_compat.urn_without_dependencies)
    with pytest.raises(RuntimeError, match="circular dependency"):
        child_of(lambda parent: parent.urn)
