"""Interface 2: the dynamic resources, adapters of ``lifecycle/``.

States store the class paths of the providers, so the providers stay in this module: a rename would orphan resources. A
provider has no fields, so its stored form is a reference to its class, and equal for every Python version.
``dynamic/declared.py`` has the constructor of the resources.
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
from pulumi_iotda_ota.lifecycle.cancellation import Waiting, watch_engine
from pulumi_iotda_ota.lifecycle.ota_package import resource as ota_package
from pulumi_iotda_ota.lifecycle.run_state import RunState
from pulumi_iotda_ota.lifecycle.upgrade_task import resource as upgrade_task
from pulumi_iotda_ota.lookup.session import Run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.lifecycle.base import Lifecycle, Properties
    from pulumi_iotda_ota.schema.validation import Problem

__all__ = [
    "PROVIDERS",
    "SECRET_INPUTS",
    "Adapter",
    "OtaPackagePinProvider",
    "OtaPackageProvider",
    "UpgradeTaskCompletionProvider",
    "UpgradeTaskConfirmationProvider",
    "UpgradeTaskProvider",
]


# A host of dynamic providers is one process for one command. It keeps its connections, but no results: a read after a
# creation must find what was created.
_waiting = Waiting()
_run = Run(memo=False, clock=_waiting.clock)
_run_state = RunState(pulumi_compat.engine_address(), os.environ)
# The host is Pulumi's and serves other providers too, so only the waits of this library end.
watch_engine(pulumi_compat.engine_address(), lambda: _waiting.cancel("the engine is gone"))
#: The input that lists the secret inputs. It is not stored.
SECRET_INPUTS = "secret_inputs"  # noqa: S105  a name, and no secret


def begin_run() -> None:
    """Forget the facts of an earlier run in this process, because the next run of a program begins."""
    global _run_state  # noqa: PLW0603  Pulumi's host creates the providers without an argument
    _run_state = RunState()
    _run.begin_again()


class Adapter(dynamic.ResourceProvider):
    """Calls a life cycle for each call of the engine."""

    # A stored provider has no secret, and each secret costs an encryption.
    serialize_as_secret_always = False
    lifecycle: ClassVar[type[Lifecycle]]
    # Set on the copy that serves, which is never stored. The provider that a program pickles has none.
    _configuration: Mapping[str, Any] = MappingProxyType({})
    _other_context: ResourceContext | None = None

    def use_context(self, context: ResourceContext) -> None:
        """Use another context than that of this process, such as a test's without a network."""
        self._other_context = context

    def configure(self, req: dynamic.ConfigureRequest) -> None:
        """Store the stack's configuration. The host calls this once, before anything else."""
        pulumi_compat.print_own_errors_without_traceback()
        pulumi_compat.widen_dynamic_host()
        self._configuration = pulumi_compat.provider_config(req, CONFIG_NAMES)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        """Complete the inputs, and report their problems."""
        inputs = _plain(news)
        secret = [inputs.get(name) for name in inputs.pop(SECRET_INPUTS, None) or ()]
        with redacting(pulumi_compat.texts_in(secret)):
            checked = self.lifecycle.check(self._context(), _plain(_olds), inputs)
            # The engine prints the value of a property that is named, even of a secret one.
            failures = [dynamic.CheckFailure("", redact(_reason(problem))) for problem in checked.problems]
        return dynamic.CheckResult(pulumi_compat.with_unknowns(checked.inputs, UNKNOWN), failures)

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """Return the effect of the new inputs."""
        diff = self.lifecycle.diff(self._context(), _id, _plain(_olds), _plain(_news))
        return dynamic.DiffResult(diff.changes, list(diff.replaces), delete_before_replace=diff.delete_first)

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Create the resource."""
        created = self.lifecycle.create(self._context(), _plain(props))
        return dynamic.CreateResult(created.id, created.outputs)

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """Return the state as it is now."""
        return dynamic.ReadResult(id_, self.lifecycle.read(self._context(), id_, _plain(props)))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Return the whole state under the new inputs. The host stores nothing else."""
        return dynamic.UpdateResult(self.lifecycle.update(self._context(), _id, _plain(_olds), _plain(_news)))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Remove the resource."""
        self.lifecycle.delete(self._context(), _id, _plain(_props))

    def _context(self) -> ResourceContext:
        return self._other_context or ResourceContext(
            run=_run,
            config=self._configuration,
            environ=os.environ,
            warn=lambda line: _report(f"warning: {line}"),
            report=_report,
            run_state=_run_state,
            # The host of dynamic providers ignores the first Ctrl-C.
            how_to_stop="Ctrl-C twice stops the wait, not the task; the next pulumi up waits again",
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


#: The provider of each resource.
PROVIDERS: Mapping[str, type[Adapter]] = {
    "OtaPackage": OtaPackageProvider,
    "OtaPackagePin": OtaPackagePinProvider,
    "UpgradeTask": UpgradeTaskProvider,
    "UpgradeTaskCompletion": UpgradeTaskCompletionProvider,
    "UpgradeTaskConfirmation": UpgradeTaskConfirmationProvider,
}


def _plain(properties: Mapping[str, Any]) -> Properties:
    known: Properties = pulumi_compat.without_unknowns(dict(properties), UNKNOWN)
    known.pop("__provider", None)
    return known


def _reason(problem: Problem) -> str:
    reason = problem.rendered()
    return f"{problem.argument}: {reason}" if problem.argument else reason


def _report(line: str) -> None:
    # Pulumi prints the standard error of a provider below the stack, while the command runs.
    print(render(line), file=sys.stderr, flush=True)  # noqa: T201
