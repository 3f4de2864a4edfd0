"""Door 2: dynamic resources, thin adapters over ``lifecycle/``.

The providers are here, because their class paths are stored in stacks' states and therefore frozen: a rename would
orphan resources. A provider holds nothing, so that what is stored is a reference to its class and the same on every
Python. The resources that programs declare are in the modules of this room, one each.
"""

from __future__ import annotations

import os
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from pulumi import dynamic

from pulumi_iotda_ota import pulumi_compat
from pulumi_iotda_ota.iotda.auth.connection_model import CONFIG_NAMES
from pulumi_iotda_ota.iotda.references import render
from pulumi_iotda_ota.iotda.sanitize import redact, redacting
from pulumi_iotda_ota.lifecycle import completion, confirmation, pin
from pulumi_iotda_ota.lifecycle.base import UNKNOWN, ResourceContext
from pulumi_iotda_ota.lifecycle.cancellation import Waiting
from pulumi_iotda_ota.lifecycle.engine_watch import watch_engine
from pulumi_iotda_ota.lifecycle.ota_package import resource as ota_package
from pulumi_iotda_ota.lifecycle.run_state import RunState
from pulumi_iotda_ota.lifecycle.upgrade_task import resource as upgrade_task
from pulumi_iotda_ota.lookup.session import Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.lifecycle.base import Lifecycle, Properties
    from pulumi_iotda_ota.schema.validation import Problem

__all__ = [
    "SECRET_INPUTS",
    "Adapter",
    "OtaPackagePinProvider",
    "OtaPackageProvider",
    "UpgradeTaskCompletionProvider",
    "UpgradeTaskConfirmationProvider",
    "UpgradeTaskProvider",
]


# A dynamic provider is one process for one command; it keeps its connections, and no answer: what is created there
# must be seen by the next look.
_waiting = Waiting()
_run = Run(memo=False, clock=_waiting.clock)
_run_state = RunState(pulumi_compat.engine_address(), os.environ)
# The host is Pulumi's and serves providers of others too: only the waits of this library end.
watch_engine(pulumi_compat.engine_address(), lambda: _waiting.cancel("the engine is gone"))
#: The input by which a program tells which of the others are secret. It is not stored.
SECRET_INPUTS = "secret_inputs"  # noqa: S105  a name, and no secret


def begin_run() -> None:
    """Forget what this process has seen of a stack: the next run of a program begins, in the same process."""
    global _run_state  # noqa: PLW0603  Pulumi's host makes the providers, and gives them nothing of ours
    _run_state = RunState()
    _run.begin_again()


class Adapter(dynamic.ResourceProvider):
    """Hands each call of the engine to a life cycle."""

    # Nothing secret is stored in a provider, and each secret costs an encryption.
    serialize_as_secret_always = False
    lifecycle: ClassVar[type[Lifecycle]]
    # Set on the copy that serves, which is never stored; the provider that a program pickles has none.
    _configuration: Mapping[str, Any] = MappingProxyType({})
    _given_context: ResourceContext | None = None

    def use_context(self, context: ResourceContext) -> None:
        """Act in another context than that of this process: a test gives one that has no network."""
        self._given_context = context

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        """Take the stack's configuration; called once, before anything else."""
        pulumi_compat.print_own_errors_without_traceback()
        pulumi_compat.widen_dynamic_host()
        self._configuration = pulumi_compat.provider_config(req, CONFIG_NAMES)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        """Complete the inputs, and tell what is wrong with them."""
        given = _plain(news)
        secret = [given.get(name) for name in given.pop(SECRET_INPUTS, None) or ()]
        with redacting(pulumi_compat.texts_in(secret)):
            checked = self.lifecycle.check(self._context(), _plain(_olds), given)
            # With a property name the engine prints the value, secret or not.
            failures = [dynamic.CheckFailure("", redact(_reason(problem))) for problem in checked.problems]
        return dynamic.CheckResult(_wire(checked.inputs), failures)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """Tell what the new inputs change."""
        diff = self.lifecycle.diff(self._context(), _id, _plain(_olds), _plain(_news))
        return dynamic.DiffResult(diff.changes, list(diff.replaces), delete_before_replace=diff.delete_first)

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Create the resource."""
        created = self.lifecycle.create(self._context(), _plain(props))
        return dynamic.CreateResult(created.id, created.outputs)

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """Tell the state as it is now."""
        return dynamic.ReadResult(id_, self.lifecycle.read(self._context(), id_, _plain(props)))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Tell the state under the new inputs: all of it, what is left out is lost."""
        return dynamic.UpdateResult(self.lifecycle.update(self._context(), _id, _plain(_olds), _plain(_news)))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Remove the resource."""
        self.lifecycle.delete(self._context(), _id, _plain(_props))

    def _context(self) -> ResourceContext:
        return self._given_context or ResourceContext(
            run=_run,
            config=self._configuration,
            environ=os.environ,
            warn=_warn,
            tell=_tell,
            run_state=_run_state,
            # The host of dynamic providers does not hear the first one.
            stopping="Ctrl-C twice stops the wait, not the task; the next pulumi up waits again",
        )


class OtaPackagePinProvider(Adapter):
    """Serves OtaPackagePin. Its path is stored in states."""

    lifecycle = pin.Pin


class OtaPackageProvider(Adapter):
    """Serves OtaPackage. Its path is stored in states."""

    lifecycle = ota_package.Package


class UpgradeTaskProvider(Adapter):
    """Serves UpgradeTask. Its path is stored in states."""

    lifecycle = upgrade_task.UpgradeTask


class UpgradeTaskCompletionProvider(Adapter):
    """Serves UpgradeTaskCompletion. Its path is stored in states."""

    lifecycle = completion.Completion


class UpgradeTaskConfirmationProvider(Adapter):
    """Serves UpgradeTaskConfirmation. Its path is stored in states."""

    lifecycle = confirmation.Confirmation


def _plain(properties: Mapping[str, Any]) -> Properties:
    known: Properties = pulumi_compat.without_unknowns(dict(properties), UNKNOWN)
    known.pop("__provider", None)
    return known


def _wire(properties: Properties) -> dict[str, Any]:
    wired: dict[str, Any] = pulumi_compat.with_unknowns(properties, UNKNOWN)
    return wired


def _reason(problem: Problem) -> str:
    reason = problem.rendered()
    return f"{problem.argument}: {reason}" if problem.argument else reason


def _warn(line: str) -> None:
    _tell(f"warning: {line}")


def _tell(line: str) -> None:
    # Pulumi shows the standard error of a provider below the stack, while it goes on.
    print(render(line), file=sys.stderr, flush=True)  # noqa: T201
