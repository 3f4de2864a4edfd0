"""Runs a program without the engine: stands in for it under Pulumi's own test monitor, and keeps no state."""

from __future__ import annotations

import asyncio
import base64
import os
import runpy
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar, overload

import dill  # a dependency of pulumi, which stores dynamic providers with it
import pulumi
from pulumi import dynamic
from pulumi.runtime import mocks as mocks_module

from pulumi_iotda_ota import pulumi_compat
from pulumi_iotda_ota.dynamic import begin_run
from pulumi_iotda_ota.functions.invoke import answer, failure
from pulumi_iotda_ota.iotda.errors import IotdaOtaError
from pulumi_iotda_ota.testing.project import Project, complete

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    from pulumi_iotda_ota.context import Context
    from pulumi_iotda_ota.lookup.session import Run

M = TypeVar("M", bound="Monitor")

_TOLD = "_told_by_the_monitor"


@dataclass(frozen=True)
class RegisteredResource:
    """A resource that a program registered, and what became of it.

    Attributes:
        type: its type, such as ``pulumi-python:dynamic/iotda-ota:UpgradeTask``.
        name: its name in the stack.
        outputs: its outputs and inputs, as far as they are known.
    """

    type: str
    name: str
    outputs: Mapping[str, Any]


@dataclass
class Monitor(pulumi.runtime.Mocks):
    """Answers a program as the engine would: with a real lookup, and with real resources unless it is a preview.

    Attributes:
        preview: whether resources are only checked, as a preview does.
        resources: what was registered of this library, in the order in which it was done.
        outputs: what the program exported, as far as it is known; :func:`run_program` fills it.
    """

    preview: bool = False
    resources: list[RegisteredResource] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def resource(self, name: str) -> RegisteredResource:
        """Return the resource of a name.

        Raises:
            LookupError: the program registered none of that name; the message tells those that it did.
        """
        for resource in self.resources:
            if resource.name == name:
                return resource
        names = ", ".join(resource.name for resource in self.resources) or "none"
        raise LookupError(f"the program registered no resource {name} of this library; it registered {names}")

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """Answer a function of ours with a real lookup."""
        return self._answered(args), []

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Check and, unless it is a preview, create a resource of ours; take any other as it is."""
        inputs = dict(args.inputs)
        if "__provider" not in inputs:
            return f"{args.name}-id", inputs
        return self._registered(args, provider_in(inputs), inputs, preview=self.preview)

    def _begin_run(self) -> None:
        """Forget what an earlier run did. This class remembers nothing of it."""

    def _answered(
        self, args: pulumi.runtime.MockCallArgs, *, asked: tuple[Run, Context] | None = None
    ) -> dict[str, Any]:
        """Return the answer of a function of ours, or what raises its error where it was called."""
        try:
            return answer(args.token, args.args, asked=asked)
        except IotdaOtaError as error:
            return failure(error)

    def _registered(
        self,
        args: pulumi.runtime.MockResourceArgs,
        provider: dynamic.ResourceProvider,
        inputs: dict[str, Any],
        *,
        preview: bool,
    ) -> tuple[str, dict[str, Any]]:
        """Do with a resource what the engine does with one that is new, and note it."""
        checked = provider.check({}, _without_secrets(inputs))
        if checked.failures:
            raise IotdaOtaError("\n".join(failure.reason for failure in checked.failures))
        outputs, id_ = checked.inputs, ""
        if not preview:
            created = provider.create(checked.inputs)
            outputs, id_ = created.outs or {}, created.id
        known = {name: value for name, value in outputs.items() if not pulumi_compat.holds_unknown(value)}
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
    """Run a Pulumi program in this process, without the engine, and in the program's folder as the engine does.

    Args:
        program: its folder, or its file.
        config: the stack's configuration. A key without a namespace belongs to the project. Keys that Pulumi.yaml
            declares have the values that it gives them, unless they are given here.
        preview: only check the resources.
        stack: the name of the stack.
        project: the name of the project. Default: the name in the Pulumi.yaml of the program's folder, or of one above
            it; without a Pulumi.yaml, the namespace of the first key of ``config``, or the name of the folder or file.
        mocks: what answers the program: :class:`~pulumi_iotda_ota.testing.Mocks`, or a class below it. By default
            lookups and resources do what they do, wherever the connection leads to.

    Returns:
        What answered, with the resources that the program registered and what it exported.

    Raises:
        InputError: a key of ``config`` is almost one that Pulumi.yaml declares, or is no setting of this library.
        IotdaOtaError: as it would end the program under Pulumi.
    """
    monitor = mocks or Monitor()
    monitor.preview = preview
    begin_run()
    monitor._begin_run()  # noqa: SLF001  belongs to this package, not to the tests of users
    here, file = Path.cwd(), Path(program).absolute()
    folder = file if file.is_dir() else file.parent
    around = Project.around(folder)
    named = project or around.name or next((key.split(":")[0] for key in config if ":" in key), file.name)
    full = complete(config, around, named)
    pulumi_compat.enter_program(monitor, project=named, stack=stack, config=full, preview=preview)
    # Pulumi's own way to run a program to its last Output; it has no types.
    run_to_the_end: Callable[..., Callable[[], None]] = mocks_module.test
    try:
        os.chdir(folder)  # what a program reads, a lock file too, lies there
        run_to_the_end(lambda: _run_and_tell(file, monitor))()
    except IotdaOtaError as error:
        _told_once(error)
        raise
    finally:
        os.chdir(here)
        pulumi_compat.leave_program()
    return monitor


async def _run_and_tell(program: str | PathLike[str], monitor: Monitor) -> None:
    runpy.run_path(os.fspath(program), run_name="__main__")
    stack: Any = pulumi.runtime.get_root_resource()
    outputs = {name: pulumi.Output.from_input(value) for name, value in stack.outputs.items()}
    monitor.outputs = {name: await output.future() for name, output in outputs.items() if await output.is_known()}


def _told_once(error: IotdaOtaError) -> None:
    """Keep asyncio from repeating an error that is raised, for every Output that hung on it."""
    # On the error itself: a reference to it from here is gone before the last Output is.
    vars(error)[_TOLD] = True
    asyncio.get_event_loop().set_exception_handler(_handle)


def _handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if not hasattr(context.get("exception"), _TOLD):
        loop.default_exception_handler(context)


def provider_in(inputs: dict[str, Any]) -> dynamic.ResourceProvider:
    """Take a dynamic provider out of a resource's inputs, and return it as Pulumi's host makes it.

    It is unpickled, and told of the stack's configuration.
    """
    stored = inputs.pop("__provider")
    provider: dynamic.ResourceProvider = dill.loads(base64.b64decode(stored))  # noqa: S301  pickled by this process
    config = {f"{pulumi_compat.CONFIG_NAMESPACE}:{name}": value for name, value in pulumi_compat.stack_config().items()}
    provider.configure(dynamic.ConfigureRequest(dynamic.Config(config, pulumi.get_project())))
    return provider


def _without_secrets(value: Any) -> Any:
    """Return a property value without the marks of secrets, as the engine hands it to a dynamic provider."""
    plain = pulumi.runtime.rpc.unwrap_rpc_secret(value)
    if isinstance(plain, dict):
        return {name: _without_secrets(item) for name, item in plain.items()}
    return [_without_secrets(item) for item in plain] if isinstance(plain, list) else plain
