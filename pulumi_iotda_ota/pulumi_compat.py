"""What this library knows of how Pulumi's Python SDK behaves; each of its limits is met here, in one place."""

from __future__ import annotations

import asyncio
import inspect
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
    from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, Mapping

T = TypeVar("T")

CONFIG_NAMESPACE = "iotda-ota"
# Waiting threads cost little; this is more than the campaigns of any stack that waits for all of them.
_CALLS_AT_ONCE = 256

# Keyed by the root stack resource: each run of a program has its own, also where the Automation API runs several
# programs in one process, and it goes when the run does.
_runs: weakref.WeakKeyDictionary[pulumi.Resource, Run] = weakref.WeakKeyDictionary()
_runs_lock = threading.Lock()
_run_error_classes: dict[type[IotdaOtaError], type[IotdaOtaError]] = {}


def in_program() -> bool:
    """Return whether this code runs in a Pulumi program (or under Pulumi's mocks)."""
    return settings.get_monitor() is not None


def is_mocked() -> bool:
    """Return whether ``pulumi.runtime.set_mocks`` stands in for the engine."""
    return isinstance(settings.get_monitor(), mocks.MockMonitor)


def enter_program(
    stand_in: pulumi.runtime.Mocks, *, project: str, stack: str, config: Mapping[str, str], preview: bool
) -> None:
    """Let a stand-in for the engine answer what this process does from now on: a program of its own.

    Args:
        stand_in: what answers.
        project: the name of the project.
        stack: the name of the stack.
        config: the stack's configuration, with namespaces.
        preview: whether it is a preview.
    """
    # set_mocks would keep the root of an earlier program, and with it what that one exported and found out.
    settings.ROOT.set(None)
    pulumi.runtime.set_mocks(stand_in, project=project, stack=stack, preview=preview)
    pulumi.runtime.set_all_config(dict(config))


def leave_program() -> None:
    """Let nothing that comes later in this process be answered by the stand-in of :func:`enter_program`.

    Pulumi's settings are context variables with a default of their own for threads without a context: it takes the
    value that is set while there was none before. So what was set is taken away first, and then again.
    ``test_pulumi_compat.py`` says when once is enough.
    """
    for _ in range(2):
        pulumi.runtime.configure(pulumi.runtime.Settings("project", "stack"))
    pulumi.runtime.set_all_config({})
    settings.ROOT.set(None)


def stack_config() -> dict[str, Any]:
    """Return the stack's configuration of our namespace, without the namespace, as the engine gives it."""
    prefix = f"{CONFIG_NAMESPACE}:"
    # get_config reads one key; the mapping behind it is the only way to hear of all, and of a misspelt one.
    stack = {**config.get_config_env(), **config.CONFIG.get()}
    return {key.removeprefix(prefix): value for key, value in stack.items() if key.startswith(prefix)}


def current_run() -> Run | None:
    """Return what this run of this program remembers, or None outside a program."""
    root = settings.get_root_resource() if in_program() else None
    if root is None:
        return None
    with _runs_lock:
        if root not in _runs:
            run = _runs[root] = Run(memo=wants_memo(os.environ))
            weakref.finalize(root, run.close)
        return _runs[root]


def start(work: Callable[[], T]) -> Future[T]:
    """Start work in a thread of our own.

    Pulumi's own executor also carries its requests to the engine: with ``--parallel 1`` lookups in it would delay
    them. The thread is a daemon, so that Ctrl-C does not wait for an answer.
    """
    future: Future[T] = Future()

    def run() -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  the future carries it to whoever waits
            future.set_exception(error)

    threading.Thread(target=run, name="iotda-ota-lookup", daemon=True).start()
    return future


def wait(work: Callable[[], T]) -> T:
    """Return what the work returns, blocking the caller but not Pulumi's event loop.

    A plain call that blocked the loop would hold up the resources that were declared before it.
    """
    if not _loop_is_running() or not in_program():
        return work()
    # Private, but what pulumi.runtime.invoke itself does. There is no public way to wait inside a running loop;
    # test_pulumi_compat.py says when there is no such function any more.
    from pulumi.runtime.sync_await import _sync_await  # noqa: PLC0415  only where a loop is running

    return _sync_await(asyncio.wrap_future(start(work)))


def when_known(
    values: Mapping[str, Any],
    opts: pulumi.InvokeOptions | pulumi.InvokeOutputOptions | None,
    begin: Callable[[dict[str, Any]], Callable[[], T]],
) -> pulumi.Output[T]:
    """Return an Output of work over the values, done in a thread of our own, once all of them are known.

    ``begin`` is called with the values in the program's own thread and returns the work.

    An unknown value, or a dependency that is not created yet, gives an unknown Output and the work is not done. A
    secret value makes the Output secret.
    """
    gate = _created(opts)

    async def run(known: dict[str, Any]) -> T:
        known.pop("_gate", None)
        work, secrets = begin(known), await _secret_texts(values)

        def hidden() -> T:
            with redacting(secrets):
                return work()

        try:
            return await asyncio.wrap_future(start(hidden))
        except IotdaOtaError as error:
            error.redact(secrets)
            raise

    gated = {**values, "_gate": gate} if gate is not None else dict(values)
    return cast("pulumi.Output[T]", pulumi.Output.all(**gated).apply(run))


async def _secret_texts(values: Mapping[str, Any]) -> list[str]:
    """Return the values that are secret, as an error could repeat them."""
    outputs = [value for value in values.values() if isinstance(value, pulumi.Output)]
    secret = [await output.future() for output in outputs if await output.is_secret()]
    return [text for value in secret for text in texts_in(value)]


def texts_in(value: object) -> list[str]:
    """Return the texts of a value, those inside lists and objects one by one."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts_in(item)]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [text for item in value for text in texts_in(item)]
    return [str(int(value) if isinstance(value, float) and value.is_integer() else value)]


class _Lazy:
    """An awaitable that creates its coroutine only when it is awaited. So Python warns of none that was not awaited."""

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

    Only the engine knows; it answers with an unknown when an invoke's dependencies are pending. So the cheapest
    invoke there is goes through it, and its answer is thrown away.
    """
    root = settings.get_root_resource()
    if not isinstance(opts, pulumi.InvokeOutputOptions) or not opts.depends_on or root is None:
        return None
    asked = pulumi.runtime.invoke_output(
        "pulumi:pulumi:getResource",
        {"urn": urn_without_dependencies(root)},
        pulumi.InvokeOutputOptions(depends_on=opts.depends_on),
    )
    # The state of the stack resource can hold secrets, and would make every gated result secret.
    return pulumi.Output.unsecret(asked).apply(lambda _: None)


def as_run_error(error: IotdaOtaError) -> IotdaOtaError:
    """Make the error one that Pulumi prints as a message and not as a traceback, and return it.

    Pulumi does so for ``pulumi.RunError`` alone. The class of the error is replaced by one that is both, so that it is
    still caught as ours; ``iotda/`` stays free of Pulumi.
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
    """Refuse an Output outside a Pulumi program: there is no event loop there that could settle it.

    Raises:
        InputError: this is no Pulumi program.
    """
    if not in_program():
        raise InputError(f"{function}_output works in a Pulumi program only; outside of one, use {function}")


def refuse_provider(opts: pulumi.InvokeOptions | pulumi.InvokeOutputOptions | None) -> None:
    """Refuse options that only a provider process could honour, and what are no options of a call.

    Raises:
        InputError: one of them is set, or the options are of another kind.
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


def holds_output(value: object) -> bool:
    """Return whether a value is, or holds, something that is not known yet."""
    return any(
        isinstance(leaf, (pulumi.Output, asyncio.Future)) or inspect.iscoroutine(leaf) for leaf in _leaves(value)
    )


def holds_unknown(value: object) -> bool:
    """Return whether a property value on the wire is, or holds, one that is not known yet."""
    return any(leaf == rpc.UNKNOWN for leaf in _leaves(value))


def _leaves(value: object) -> Iterator[object]:
    """Give what a value holds that is neither a list nor an object, at any depth; one may even hold itself."""
    waiting, seen = [value], set()
    while waiting:
        item = waiting.pop()
        if not isinstance(item, (dict, list, tuple, set, frozenset)):
            yield item
        elif id(item) not in seen:
            seen.add(id(item))
            waiting.extend(item.values() if isinstance(item, dict) else item)


def _loop_is_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def provider_config(request: pulumi.dynamic.ConfigureRequest, names: Iterable[str]) -> dict[str, Any]:
    """Return what a dynamic provider is told of the stack's configuration of our namespace.

    At a plain refresh and at destroy the engine sends the values of the last update, taken from the state.
    """
    values = {name: request.config.get(f"{CONFIG_NAMESPACE}:{name}") for name in names}
    return {name: value for name, value in values.items() if value is not None}


class _ShortForOwnErrors:
    """Stands in for the module ``traceback`` in Pulumi's host of dynamic providers."""

    @staticmethod
    def format_exc() -> str:
        error = sys.exc_info()[1]
        return str(error) if isinstance(error, IotdaOtaError) else traceback.format_exc()


def print_own_errors_without_traceback() -> None:
    """Let an error of ours end a create, read or delete as its message alone.

    Pulumi's host of dynamic providers answers each exception with ``traceback.format_exc()``. The name is replaced in
    that module only, and only our errors are told apart; test_pulumi_compat.py says when the host no longer works that
    way.
    """
    if _is_dynamic_host():
        host: Any = sys.modules["__main__"]
        host.traceback = _ShortForOwnErrors


def widen_dynamic_host() -> None:
    """Let Pulumi's host of dynamic providers serve more calls at once than its four.

    All dynamic resources of a program share one process: four waits for campaigns would hold up the creation of the
    fifth. Called in one of the host's own threads, which knows its pool; where Python or the host no longer work that
    way nothing is changed, and test_pulumi_compat.py says so.
    """
    if _is_dynamic_host():
        arguments = getattr(threading.current_thread(), "_args", ())
        executor = arguments[0]() if arguments and isinstance(arguments[0], weakref.ref) else None
        if isinstance(executor, ThreadPoolExecutor):
            executor._max_workers = max(executor._max_workers, _CALLS_AT_ONCE)  # noqa: SLF001  there is no public way


def engine_address() -> str:
    """Return the address of the engine, which is the last argument of Pulumi's host; empty in any other process."""
    return sys.argv[-1] if _is_dynamic_host() and len(sys.argv) > 1 else ""


def _is_dynamic_host() -> bool:
    return getattr(sys.modules["__main__"].__spec__, "name", "") == "pulumi.dynamic.__main__"


def without_unknowns(value: Any, unknown: object) -> Any:
    """Return a property value of a dynamic provider with ``unknown`` in the place of each that is not known yet."""
    if isinstance(value, dict):
        return {name: without_unknowns(item, unknown) for name, item in value.items()}
    if isinstance(value, list):
        return [without_unknowns(item, unknown) for item in value]
    return unknown if isinstance(value, Unknown) else value


def with_unknowns(value: Any, unknown: object) -> Any:
    """Return a property value as the SDK wants it back; the reverse of :func:`without_unknowns`."""
    if isinstance(value, dict):
        return {name: with_unknowns(item, unknown) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_unknowns(item, unknown) for item in value]
    return rpc.UNKNOWN if value is unknown else value
