"""Pulumi mocks for unit tests of a stack, which return packages from a list."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi

from pulumi_iotda_ota.context import Context
from pulumi_iotda_ota.dynamic import Adapter
from pulumi_iotda_ota.lifecycle.base import ResourceContext
from pulumi_iotda_ota.lock.files import load, lock_path
from pulumi_iotda_ota.testing.devices import DeviceShelf, devices_of
from pulumi_iotda_ota.testing.monitor import Monitor, provider_in
from pulumi_iotda_ota.testing.service import NOWHERE, MockRun, packages_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection

_FUNCTIONS = "iotda-ota:"
_RESOURCES = "pulumi-python:dynamic/iotda-ota:"


class Mocks(Monitor):
    """Mocks the service of this library with a list of packages, without a network.

    Selection, errors and resources are the real ones. A pin has its package, a task has its name and its id, and a
    completion judges the devices. Packages that the program has locked exist too. A task ends at once, and nothing
    waits. No credentials are needed, and every connection leads to the packages.

    Pass it to ``pulumi.runtime.set_mocks`` or to :func:`~pulumi_iotda_ota.testing.run_program`. For resources and
    functions of other providers, pass their mocks as ``others``, or derive a class.

    Args:
        packages: the packages, in the order of their uploads, each with fields of the API. ``product_id`` and
            ``version`` are required. The default type is ``firmwarePackage``. By default, each package was uploaded a
            day after the package before.
        groups: the devices of each group. A group that is not listed has one device, with the name of the group.
        failed_devices: the devices that fail, and the error message of each.
        devices: the devices, each with fields of the API: ``product_id``, ``fw_version``, ``sw_version``, ``modules``.
        others: the mocks of all other providers. By default a resource has its inputs as outputs, and a function
            returns nothing.

    Raises:
        InputError: a field of a package or a device is missing, misspelt or of another type.
    """

    def __init__(
        self,
        packages: Iterable[Mapping[str, Any]] = (),
        *,
        groups: Mapping[str, Sequence[str]] | None = None,
        failed_devices: Mapping[str, str] | None = None,
        devices: Mapping[str, Mapping[str, Any]] | None = None,
        others: pulumi.runtime.Mocks | None = None,
    ) -> None:
        super().__init__()
        known, members = devices_of(devices or {}), dict(groups or {})
        self._run = MockRun(
            packages_of(packages),
            members,
            dict(failed_devices or {}),
            _locked,
            lambda: DeviceShelf(known, members),
        )
        self._others = others
        self._begin_run()

    def _begin_run(self) -> None:
        # The service keeps its tasks and packages, but a run begins without facts about their owners.
        self._context = _MockContext(run=self._run, config={}, environ=os.environ, warn=_report, report=_report)

    @property
    def tasks(self) -> list[dict[str, Any]]:
        """The bodies of CreateBatchTask for the upgrade tasks that the program created, in order."""
        return self._run.task_bodies

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        """Call a function of this library over the packages, and any other function with ``others``."""
        if args.token.startswith(_FUNCTIONS):
            return self._result_of(args, service=(self._run, _Nowhere({}, os.environ))), []
        return self._others.call(args) if self._others else ({}, [])

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> Any:
        """Create a resource of this library over the packages, and any other resource with ``others``."""
        if not args.typ.startswith(_RESOURCES):
            return self._others.new_resource(args) if self._others else (f"{args.name}-id", dict(args.inputs))
        inputs = dict(args.inputs)
        provider = provider_in(inputs)
        if isinstance(provider, Adapter):
            provider.use_context(self._context)
        return self._register(args, provider, inputs, preview=self.preview or pulumi.runtime.is_dry_run())


class _Nowhere(Context):
    """The context of a connection that leads to the packages of the test, in every place."""

    def resolved(self) -> ResolvedConnection:
        return NOWHERE

    def known_place(self) -> dict[str, str]:
        return {}

    def reached_place(self, connection: ResolvedConnection) -> dict[str, str]:  # noqa: ARG002  every connection
        return {}


class _MockContext(ResourceContext):
    """The context of a resource whose connection leads to the packages of the test."""

    def of(self, inputs: Mapping[str, Any]) -> Context:  # noqa: ARG002  every connection
        return _Nowhere(self.config, self.environ, folder=self.folder)


def _locked() -> list[Mapping[str, Any]]:
    """Return the packages of the lock file that the program reads."""
    return [entry.package for entry in (load(lock_path(os.environ, Path())) or {}).values()]


def _report(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201  pytest prints it with a test that fails
