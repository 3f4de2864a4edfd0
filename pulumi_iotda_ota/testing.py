"""For tests of programs that use this library: runs a program without the engine.

:class:`Monitor` stands in for the engine under Pulumi's own test monitor. Lookups and resources do what they really do,
against whatever the connection leads to, usually the emulator. It keeps no state: there is no diff, no refresh and no
destroy.
"""

from __future__ import annotations

import asyncio
import base64
import os
import runpy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dill  # a dependency of pulumi, which stores dynamic providers with it
import pulumi
from pulumi import dynamic
from pulumi.runtime import mocks

from pulumi_iotda_ota import functions, sdk
from pulumi_iotda_ota.dynamic import begin_run
from pulumi_iotda_ota.iotda.errors import IotdaOtaError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["Monitor", "RegisteredResource", "run_program"]


@dataclass(frozen=True)
class RegisteredResource:
    """A resource that a program registered, and what became of it."""

    type: str
    name: str
    outputs: Mapping[str, Any]


@dataclass
class Monitor(pulumi.runtime.Mocks):
    """Answers a program as the engine would: with a real lookup, and with real resources unless it is a preview.

    Attributes:
        preview: whether resources are only checked, as a preview does.
        resources: what was registered, in order.
    """

    preview: bool = False
    resources: list[RegisteredResource] = field(default_factory=list)

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """Answer a function of ours with a real lookup."""
        return functions.answer(args.token, args.args), []

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """Check and, unless it is a preview, create a resource of ours; take any other as it is."""
        inputs = dict(args.inputs)
        if "__provider" not in inputs:
            return f"{args.name}-id", inputs
        provider = _provider(inputs.pop("__provider"))
        checked = provider.check({}, inputs)
        if checked.failures:
            raise IotdaOtaError("\n".join(failure.reason for failure in checked.failures))
        outputs, id_ = checked.inputs, ""
        if not self.preview:
            created = provider.create(checked.inputs)
            outputs, id_ = created.outs or {}, created.id
        self.resources.append(RegisteredResource(args.typ, args.name, outputs))
        return id_, outputs


def run_program(program: Path, *, config: Mapping[str, str], preview: bool = False, stack: str = "dev") -> Monitor:
    """Run a Pulumi program in this process, without the engine.

    Args:
        program: its folder, or its file.
        config: the stack's configuration, with namespaces (``python-rollout:product``).
        preview: only check the resources.
        stack: the name of the stack.

    Returns:
        The monitor, with the resources that the program registered.

    Raises:
        IotdaOtaError: as it would end the program under Pulumi.
    """
    monitor = Monitor(preview=preview)
    begin_run()
    project = next((key.split(":")[0] for key in config), program.name)
    pulumi.runtime.set_mocks(monitor, project=project, stack=stack, preview=preview)
    pulumi.runtime.set_all_config(dict(config))
    # Pulumi's own way to run a program to its last Output; it has no types.
    run_to_the_end: Callable[..., Callable[[], None]] = mocks.test
    try:
        run_to_the_end(lambda: runpy.run_path(os.fspath(program), run_name="__main__") and None)()
    except IotdaOtaError as error:
        _told_once(error)
        raise
    finally:
        # Nothing that comes later in this process is to be answered by this run's monitor.
        pulumi.runtime.configure(pulumi.runtime.Settings(project, stack))
    return monitor


def _told_once(error: IotdaOtaError) -> None:
    """Keep asyncio from repeating an error that is raised, for every Output that hung on it."""

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if context.get("exception") is not error:
            loop.default_exception_handler(context)

    asyncio.get_event_loop().set_exception_handler(handle)


def _provider(stored: str) -> dynamic.ResourceProvider:
    """Return a dynamic provider as Pulumi's host makes it: unpickled, and told of the stack's configuration."""
    provider: dynamic.ResourceProvider = dill.loads(base64.b64decode(stored))  # noqa: S301  pickled by this process
    config = {f"{sdk.CONFIG_NAMESPACE}:{name}": value for name, value in sdk.stack_config().items()}
    provider.configure(dynamic.ConfigureRequest(dynamic.Config(config, pulumi.get_project())))
    return provider
