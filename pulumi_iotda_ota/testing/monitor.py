"""Run a program without the engine, under Pulumi's own test monitor. No state is kept."""

from __future__ import annotations

import asyncio
import base64
import difflib
import json
import os
import runpy
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, overload

import dill  # a dependency of pulumi, which stores dynamic providers with it
import pulumi
import yaml  # a dependency of pulumi
from pulumi import dynamic
from pulumi.runtime import mocks as mocks_module

from pulumi_iotda_ota import pulumi_compat, pulumi_inputs
from pulumi_iotda_ota.dynamic import begin_run
from pulumi_iotda_ota.functions.invoke import answer, failure
from pulumi_iotda_ota.iotda.auth.connection_model import CONFIG_NAMES
from pulumi_iotda_ota.iotda.errors import InputError, IotdaOtaError
from pulumi_iotda_ota.iotda.sanitize import quoted, sanitize
from pulumi_iotda_ota.lock.files import project_file
from pulumi_iotda_ota.pulumi_compat import CONFIG_NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from os import PathLike

    from pulumi_iotda_ota.context import Context
    from pulumi_iotda_ota.lookup.session import Run

M = TypeVar("M", bound="Monitor")

_RAISED = "_raised_by_the_monitor"
# How similar a key must be to a declared one to be a misspelling of it. 1 is equal.
_SIMILARITY = 0.8


@dataclass(frozen=True)
class RegisteredResource:
    """A resource that a program registered.

    Attributes:
        type: its type, such as ``pulumi-python:dynamic/iotda-ota:UpgradeTask``.
        name: its name in the stack.
        outputs: its outputs and inputs that are known.
    """

    type: str
    name: str
    outputs: Mapping[str, Any]


@dataclass
class Monitor(pulumi.runtime.Mocks):
    """Replaces the engine: lookups are real, and resources are really created unless it is a preview.

    Attributes:
        preview: whether resources are only checked, as in a preview.
        resources: the resources of this library that the program registered, in order.
        outputs: the stack outputs of the program that are known. :func:`run_program` sets them.
    """

    preview: bool = False
    resources: list[RegisteredResource] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def resource(self, name: str) -> RegisteredResource:
        """Return the resource with a name.

        Raises:
            LookupError: the program registered no such resource. The message lists the registered ones.
        """
        for resource in self.resources:
            if resource.name == name:
                return resource
        names = ", ".join(resource.name for resource in self.resources) or "none"
        raise LookupError(f"the program registered no resource {name} of this library; it registered {names}")

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """Call a function of this library."""
        return self._result_of(args), []

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Check and, unless it is a preview, create a resource of this library. Any other has its inputs as outputs."""
        inputs = dict(args.inputs)
        if "__provider" not in inputs:
            return f"{args.name}-id", inputs
        return self._register(args, provider_in(inputs), inputs, preview=self.preview)

    def _begin_run(self) -> None:
        """Forget the facts of an earlier run. This class has none."""

    def _result_of(
        self, args: pulumi.runtime.MockCallArgs, *, service: tuple[Run, Context] | None = None
    ) -> dict[str, Any]:
        """Return the result of a function of this library, or a value that raises its error in the program."""
        try:
            return answer(args.token, args.args, source=service)
        except IotdaOtaError as error:
            return failure(error)

    def _register(
        self,
        args: pulumi.runtime.MockResourceArgs,
        provider: dynamic.ResourceProvider,
        inputs: dict[str, Any],
        *,
        preview: bool,
    ) -> tuple[str, dict[str, Any]]:
        """Check and create a resource as the engine does with a new one, and record it."""
        checked = provider.check({}, _without_secrets(inputs))
        if checked.failures:
            raise IotdaOtaError("\n".join(failure.reason for failure in checked.failures))
        outputs, id_ = checked.inputs, ""
        if not preview:
            created = provider.create(checked.inputs)
            outputs, id_ = created.outs or {}, created.id
        known = {name: value for name, value in outputs.items() if not pulumi_inputs.holds_unknown(value)}
        self.resources.append(RegisteredResource(args.typ, args.name, known))
        return id_, outputs


@overload
def run_program(
    program: str | PathLike[str],
    *,
    config: Mapping[str, str] = ...,
    preview: bool = ...,
    stack: str = ...,
    project: str | None = ...,
) -> Monitor: ...
@overload
def run_program(
    program: str | PathLike[str],
    *,
    config: Mapping[str, str] = ...,
    preview: bool = ...,
    stack: str = ...,
    project: str | None = ...,
    mocks: M,
) -> M: ...
def run_program(
    program: str | PathLike[str],
    *,
    config: Mapping[str, str] = MappingProxyType({}),
    preview: bool = False,
    stack: str = "dev",
    project: str | None = None,
    mocks: Monitor | None = None,
) -> Monitor:
    """Run a Pulumi program in this process, without the engine. The working directory is the folder of the program.

    Args:
        program: its folder, or its file.
        config: the stack's configuration. A key without a namespace belongs to the project. If a key is not set here,
            its value in Pulumi.yaml counts.
        preview: whether to only check the resources.
        stack: the name of the stack.
        project: the name of the project. Default: the name in the Pulumi.yaml of the program's folder, or of a folder
            above it. Without a Pulumi.yaml, the namespace of the first key of ``config``, or the name of the folder or
            file.
        mocks: the mocks of the program, such as :class:`~pulumi_iotda_ota.testing.Mocks`. Default: a :class:`Monitor`,
            whose lookups and resources send real requests to wherever the connection leads.

    Returns:
        The mocks, with the resources that the program registered and its stack outputs.

    Raises:
        InputError: a key of ``config`` is almost one that Pulumi.yaml declares, or is no setting of this library.
        IotdaOtaError: an error ended the program, as under Pulumi.
    """
    monitor = mocks or Monitor()
    monitor.preview = preview
    begin_run()
    monitor._begin_run()  # noqa: SLF001  belongs to this package, not to the tests of users
    here, file = Path.cwd(), Path(program).absolute()
    folder = file if file.is_dir() else file.parent
    own = _Project.around(folder)
    name = project or own.name or next((key.split(":")[0] for key in config if ":" in key), file.name)
    pulumi_compat.enter_program(
        monitor, project=name, stack=stack, config=_complete(config, own, name), preview=preview
    )
    # Pulumi's own way to run a program to its last Output. It has no types.
    run_to_the_end: Callable[..., Callable[[], None]] = mocks_module.test
    try:
        os.chdir(folder)  # the files of the program, such as the lock file, are there
        run_to_the_end(lambda: _run(file, monitor))()
    except IotdaOtaError as error:
        # asyncio would print the error again for every Output that depends on it. The mark is on the error itself,
        # because a reference to it from here could end before the last Output.
        vars(error)[_RAISED] = True
        asyncio.get_event_loop().set_exception_handler(_print_unless_raised)
        raise
    finally:
        os.chdir(here)
        pulumi_compat.leave_program()
    return monitor


async def _run(program: str | PathLike[str], monitor: Monitor) -> None:
    runpy.run_path(os.fspath(program), run_name="__main__")
    stack: Any = pulumi.runtime.get_root_resource()
    outputs = {name: pulumi.Output.from_input(value) for name, value in stack.outputs.items()}
    monitor.outputs = {name: await output.future() for name, output in outputs.items() if await output.is_known()}


def _print_unless_raised(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if not hasattr(context.get("exception"), _RAISED):
        loop.default_exception_handler(context)


def provider_in(inputs: dict[str, Any]) -> dynamic.ResourceProvider:
    """Remove the dynamic provider from the inputs of a resource, and return it as Pulumi's host does.

    It is unpickled, and configured with the stack's configuration.
    """
    stored = inputs.pop("__provider")
    provider: dynamic.ResourceProvider = dill.loads(base64.b64decode(stored))  # noqa: S301  pickled by this process
    config = {f"{pulumi_compat.CONFIG_NAMESPACE}:{name}": value for name, value in pulumi_compat.stack_config().items()}
    provider.configure(dynamic.ConfigureRequest(dynamic.Config(config, pulumi.get_project())))
    return provider


def _without_secrets(value: Any) -> Any:
    """Return a property value without the markers of secrets, as the engine sends it to a dynamic provider."""
    plain = pulumi.runtime.rpc.unwrap_rpc_secret(value)
    if isinstance(plain, dict):
        return {name: _without_secrets(item) for name, item in plain.items()}
    return [_without_secrets(item) for item in plain] if isinstance(plain, list) else plain


@dataclass(frozen=True)
class _Project:
    """The Pulumi project of a program.

    Attributes:
        name: its name, or empty if there is no Pulumi.yaml.
        declared: the value of each configuration key that Pulumi.yaml declares, with its namespace; None without one.
    """

    name: str = ""
    declared: Mapping[str, str | None] = field(default_factory=dict)

    @classmethod
    def around(cls, folder: Path) -> _Project:
        """Return the project of a folder."""
        file = project_file(folder)
        # The engine passes all values as strings.
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader) if file else None  # noqa: S506
        if not isinstance(content, dict):
            return cls()
        name, config = str(content.get("name", "")), content.get("config")
        declared = config.items() if isinstance(config, dict) else ()
        return cls(name, {_with_namespace(str(key), name): _value(value) for key, value in declared})

    def short_names(self, namespace: str) -> list[str]:
        """Return the declared keys of a namespace, without it."""
        return [key.partition(":")[2] for key in self.declared if key.startswith(f"{namespace}:")]


def _complete(config: Mapping[str, str], project: _Project, name: str) -> dict[str, str]:
    """Return the configuration of a stack, as the engine completes it.

    Args:
        config: the configuration of a test. A key without a namespace belongs to the project.
        project: the project.
        name: the name of the project in this run.

    Raises:
        InputError: a key is almost one that Pulumi.yaml declares, or is no setting of this library.
    """
    full = {_with_namespace(key, name): value for key, value in config.items()}
    for key in full:
        namespace, _, short = key.partition(":")
        if namespace == CONFIG_NAMESPACE and short not in CONFIG_NAMES:
            raise _unknown(key, "a setting of the connection", CONFIG_NAMES, namespace)
        # An optional key cannot be declared, because the engine requires a value for each. So only a misspelling fails.
        if key not in project.declared and _closest(short, project.short_names(namespace)):
            raise _unknown(key, "declared in Pulumi.yaml", project.short_names(namespace), namespace)
    return {**{key: value for key, value in project.declared.items() if value is not None}, **full}


def _with_namespace(key: str, project: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _value(declared: Any) -> str | None:
    """Return the value of a key that Pulumi.yaml declares, or None."""
    value = declared.get("value", declared.get("default")) if isinstance(declared, dict) else declared
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _closest(key: str, known: Iterable[str]) -> str:
    """Return the known name that a key probably misspells, or empty."""
    return next(iter(difflib.get_close_matches(key, list(known), n=1, cutoff=_SIMILARITY)), "")


def _unknown(key: str, expected: str, known: Iterable[str], namespace: str) -> InputError:
    names = [f"{namespace}:{name}" for name in sorted(known)]
    close = _closest(key.partition(":")[2], known)
    advice = f"did you mean {namespace}:{close}?" if close else "use one of these"
    facts = [("known", sanitize(", ".join(names))), ("fix", sanitize(advice))]
    return InputError(f"config: {quoted(key)} is not {expected}", argument="config", facts=facts)
