"""Everything that depends on the behavior of Pulumi's Python SDK. Each limit of the SDK is met here."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import traceback
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pulumi
from pulumi.output import Unknown
from pulumi.runtime import config, mocks, rpc, settings

from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError
from pulumi_iotda_ota.iotda.sanitize import redacting
from pulumi_iotda_ota.lookup.session import Run, wants_memo

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping

T = TypeVar("T")

CONFIG_NAMESPACE = "iotda-ota"
# A thread that waits costs little. This is more than the upgrade tasks of any stack that waits for all of them.
_CALLS_AT_ONCE = 256

# By the root stack resource: each run of a program has one, also if the Automation API runs several programs in one
# process. The entry is removed at the end of the run.
_runs: weakref.WeakKeyDictionary[pulumi.Resource, Run] = weakref.WeakKeyDictionary()
_runs_lock = threading.Lock()
_run_error_classes: dict[type[IotdaOtaError], type[IotdaOtaError]] = {}


def in_program() -> bool:
    """Return whether this code runs in a Pulumi program, or under Pulumi's mocks."""
    return settings.get_monitor() is not None


def is_mocked() -> bool:
    """Return whether ``pulumi.runtime.set_mocks`` replaces the engine."""
    return isinstance(settings.get_monitor(), mocks.MockMonitor)


def enter_program(
    program_mocks: pulumi.runtime.Mocks, *, project: str, stack: str, config: Mapping[str, str], preview: bool
) -> None:
    """Begin a program in this process, whose engine is replaced by mocks."""
    # set_mocks would keep the root of an earlier program, with its outputs and the results of its lookups.
    settings.ROOT.set(None)
    pulumi.runtime.set_mocks(program_mocks, project=project, stack=stack, preview=preview)
    pulumi.runtime.set_all_config(dict(config))


def leave_program() -> None:
    """Remove the mocks of :func:`enter_program`, so that later code in this process does not use them.

    Pulumi's settings are context variables with another default for threads without a context. That default is the
    value that was set while no value was set before. So the settings are reset twice. A test in
    ``test_pulumi_compat.py`` fails when once is enough.
    """
    for _ in range(2):
        pulumi.runtime.configure(pulumi.runtime.Settings("project", "stack"))
    pulumi.runtime.set_all_config({})
    settings.ROOT.set(None)


def stack_config() -> dict[str, Any]:
    """Return the stack's configuration in the namespace of this library, without the namespace."""
    prefix = f"{CONFIG_NAMESPACE}:"
    # get_config reads one key. Only the mapping behind it has all keys, also a misspelt one.
    stack = {**config.get_config_env(), **config.CONFIG.get()}
    return {key.removeprefix(prefix): value for key, value in stack.items() if key.startswith(prefix)}


def current_run() -> Run | None:
    """Return the clients and results of this run of the program, or None outside a program."""
    root = settings.get_root_resource() if in_program() else None
    if root is None:
        return None
    with _runs_lock:
        if root not in _runs:
            run = _runs[root] = Run(memo=wants_memo(os.environ))
            weakref.finalize(root, run.close)
        return _runs[root]


def start(work: Callable[[], T]) -> Future[T]:
    """Start work in a new thread.

    Pulumi's own executor also sends its requests to the engine. With ``--parallel 1``, lookups in it would delay them.
    The thread is a daemon, so that Ctrl-C does not wait for a response.
    """
    future: Future[T] = Future()

    def run() -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  the future raises it again
            future.set_exception(error)

    threading.Thread(target=run, name="iotda-ota-lookup", daemon=True).start()
    return future


def wait(work: Callable[[], T]) -> T:
    """Return the result of the work. The caller is blocked, but not Pulumi's event loop.

    A blocked loop would delay the resources that were declared before.
    """
    if not _loop_is_running() or not in_program():
        return work()
    # Private, but pulumi.runtime.invoke itself does it. There is no public way to wait inside a running loop. A test in
    # test_pulumi_compat.py fails when the function no longer exists.
    from pulumi.runtime.sync_await import _sync_await  # noqa: PLC0415  only where a loop is running

    return _sync_await(asyncio.wrap_future(start(work)))


def when_known(
    values: Mapping[str, Any],
    opts: pulumi.InvokeOptions | pulumi.InvokeOutputOptions | None,
    begin: Callable[[dict[str, Any]], Callable[[], T]],
) -> pulumi.Output[T]:
    """Return an Output of work over the values. The work runs in another thread, after all values are known.

    ``begin`` is called with the values in the program's own thread and returns the work.

    If a value is unknown, or a dependency is not created yet, the Output is unknown and the work is not done. If a
    value is a secret, the Output is a secret.
    """
    created = _created(opts)

    async def run(known: dict[str, Any]) -> T:
        known.pop("_created", None)
        work, secrets = begin(known), await _secret_texts(values)

        def redacted_work() -> T:
            with redacting(secrets):
                return work()

        try:
            return await asyncio.wrap_future(start(redacted_work))
        except IotdaOtaError as error:
            error.redact(secrets)
            raise

    awaited = {**values, "_created": created} if created is not None else dict(values)
    return cast("pulumi.Output[T]", pulumi.Output.all(**awaited).apply(run))


async def _secret_texts(values: Mapping[str, Any]) -> list[str]:
    """Return the secret values, in the form in which an error could contain them."""
    outputs = [value for value in values.values() if isinstance(value, pulumi.Output)]
    secret = [await output.future() for output in outputs if await output.is_secret()]
    return [text for value in secret for text in texts_in(value)]


def texts_in(value: object) -> list[str]:
    """Return the strings of a value, each item of a list or an object separately."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts_in(item)]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [text for item in value for text in texts_in(item)]
    return [str(int(value) if isinstance(value, float) and value.is_integer() else value)]


class _Lazy:
    """An awaitable that creates its coroutine when it is awaited, so that Python warns of no coroutine left over."""

    def __init__(self, make: Callable[[], Awaitable[Any]]) -> None:
        self._make = make

    def __await__(self) -> Generator[Any, None, Any]:
        return self._make().__await__()


def urn_without_dependencies(resource: pulumi.Resource) -> pulumi.Output[str]:
    """Return the URN of a resource as an input that adds no dependency.

    Pulumi treats a dependency on a component as a dependency on all of its children. A child with its parent's URN as
    an input would depend on itself, which Pulumi refuses as a circular dependency.
    """
    return pulumi.Output(set(), _Lazy(resource.urn.future), _Lazy(resource.urn.is_known))


def _created(opts: pulumi.InvokeOptions | pulumi.InvokeOutputOptions | None) -> pulumi.Output[Any] | None:
    """Return an Output that is unknown until everything in ``depends_on`` is created, children of components too.

    Only the engine knows that. It returns an unknown value if the dependencies of an invoke are pending. So the
    cheapest invoke is sent to it, and its result is ignored.
    """
    root = settings.get_root_resource()
    if not isinstance(opts, pulumi.InvokeOutputOptions) or not opts.depends_on or root is None:
        return None
    result = pulumi.runtime.invoke_output(
        "pulumi:pulumi:getResource",
        {"urn": urn_without_dependencies(root)},
        pulumi.InvokeOutputOptions(depends_on=opts.depends_on),
    )
    # The state of the stack resource can hold secrets, which would make every result secret.
    return pulumi.Output.unsecret(result).apply(lambda _: None)


def as_run_error(error: IotdaOtaError) -> IotdaOtaError:
    """Change the error so that Pulumi prints it as a message without a traceback, and return it.

    Pulumi does so only for ``pulumi.RunError``. The class of the error is replaced by a subclass of both classes. So
    ``except`` clauses still catch it, and ``iotda/`` does not depend on Pulumi.
    """
    if not isinstance(error, pulumi.RunError):
        error.__class__ = _run_error_class(type(error))
    return error


def _run_error_class(error_class: type[IotdaOtaError]) -> type[IotdaOtaError]:
    def reduce(error: IotdaOtaError) -> tuple[object, ...]:
        return error_class, error.args, dict(vars(error))

    if error_class not in _run_error_classes:
        body = {"__module__": error_class.__module__, "__doc__": error_class.__doc__, "__reduce__": reduce}
        _run_error_classes[error_class] = type(error_class.__name__, (error_class, pulumi.RunError), body)
    return _run_error_classes[error_class]


def require_program(function: str) -> None:
    """Refuse an Output outside a Pulumi program, because no event loop can resolve it.

    Raises:
        InputError: this is no Pulumi program.
    """
    if not in_program():
        raise InputError(f"{function}_output works in a Pulumi program only; outside of one, use {function}")


def refuse_provider(opts: pulumi.InvokeOptions | pulumi.InvokeOutputOptions | None) -> None:
    """Refuse options that only a provider process supports, and options of another type.

    Raises:
        InputError: one of them is set, or the options are of another type.
    """
    if opts is not None and not isinstance(opts, (pulumi.InvokeOptions, pulumi.InvokeOutputOptions)):
        raise InputError(
            f"opts must be pulumi.InvokeOptions (pulumi.InvokeOutputOptions for depends_on), not {type(opts).__name__}",
            argument="opts",
        )
    for name in ("provider", "version", "plugin_download_url"):
        if getattr(opts, name, None):
            raise InputError(
                f"opts.{name} has no effect: this function runs inside the program, without a provider process",
                argument="opts",
                facts=[("fix", "pass connection=iotda_ota.Connection(...)")],
            )


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def provider_config(request: pulumi.dynamic.ConfigureRequest, names: Iterable[str]) -> dict[str, Any]:
    """Return the stack's configuration of this library that a dynamic provider gets.

    At a refresh without the program and at a destroy, the engine sends the values of the last update from the state.
    """
    values = {name: request.config.get(f"{CONFIG_NAMESPACE}:{name}") for name in names}
    return {name: value for name, value in values.items() if value is not None}


class _ShortForOwnErrors:
    """Replaces the module ``traceback`` in Pulumi's host of dynamic providers."""

    @staticmethod
    def format_exc() -> str:
        error = sys.exc_info()[1]
        return str(error) if isinstance(error, IotdaOtaError) else traceback.format_exc()


def print_own_errors_without_traceback() -> None:
    """Let a create, read or delete print an error of this library as its message alone.

    Pulumi's host of dynamic providers prints ``traceback.format_exc()`` for each exception. The name is replaced in
    that module only, and other exceptions stay as they are. A test in test_pulumi_compat.py fails when the host works
    differently.
    """
    if _is_dynamic_host():
        host: Any = sys.modules["__main__"]
        host.traceback = _ShortForOwnErrors


def widen_dynamic_host() -> None:
    """Let Pulumi's host of dynamic providers serve more than four calls at the same time.

    All dynamic resources of a program share one process. Four waits for upgrade tasks would delay the creation of the
    fifth task. It is called in a thread of the host, which refers to the pool. If Python or the host works differently,
    nothing is changed, and a test in test_pulumi_compat.py fails.
    """
    if _is_dynamic_host():
        arguments = getattr(threading.current_thread(), "_args", ())
        executor = arguments[0]() if arguments and isinstance(arguments[0], weakref.ref) else None
        if isinstance(executor, ThreadPoolExecutor):
            executor._max_workers = max(executor._max_workers, _CALLS_AT_ONCE)  # noqa: SLF001  there is no public way


def engine_address() -> str:
    """Return the address of the engine: the last argument of Pulumi's host. It is empty in any other process."""
    return sys.argv[-1] if _is_dynamic_host() and len(sys.argv) > 1 else ""


def _is_dynamic_host() -> bool:
    return getattr(sys.modules["__main__"].__spec__, "name", "") == "pulumi.dynamic.__main__"


def without_unknowns(value: Any, unknown: object) -> Any:
    """Return a property value of a dynamic provider with ``unknown`` in place of each unknown value of the SDK."""
    if isinstance(value, dict):
        return {name: without_unknowns(item, unknown) for name, item in value.items()}
    if isinstance(value, list):
        return [without_unknowns(item, unknown) for item in value]
    return unknown if isinstance(value, Unknown) else value


def with_unknowns(value: Any, unknown: object) -> Any:
    """Return a property value for the SDK: the reverse of :func:`without_unknowns`."""
    if isinstance(value, dict):
        return {name: with_unknowns(item, unknown) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_unknowns(item, unknown) for item in value]
    return rpc.UNKNOWN if value is unknown else value
