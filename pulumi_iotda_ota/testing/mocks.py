"""Mocks for unit tests of a stack: Pulumi's own, that answer for this library from a list of packages."""

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
from pulumi_iotda_ota.testing.campaigns import Campaigns
from pulumi_iotda_ota.testing.devices import DeviceShelf, devices_of
from pulumi_iotda_ota.testing.monitor import Monitor, provider_in
from pulumi_iotda_ota.testing.shelf import NOWHERE, Shelf, packages_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection

_FUNCTIONS = "iotda-ota:"
_RESOURCES = "pulumi-python:dynamic/iotda-ota:"


class Mocks(Monitor):
    """Answers for this library from a list of packages, by the rules of a real lookup, without a network.

    What is looked up is selected as ever, and an error is the error of a real lookup. Resources are checked and
    created as ever too: a pin shows what it pins, a task has its name and its id, and a completion judges how the
    devices ended. What the program has locked is there beside the packages. A campaign is over at once, and nothing
    waits. There are no credentials, and a connection leads nowhere.

    Give it to ``pulumi.runtime.set_mocks`` or to :func:`~pulumi_iotda_ota.testing.run_program`. For resources and
    functions of other providers give the mocks that answer for those, or derive a class.

    Args:
        packages: the packages that there are, in the order of their uploads, each with the API's fields:
            ``product_id`` and ``version``, and what else the test is about. The type is by default
            ``firmwarePackage``, and each was uploaded a day after the one before it.
        groups: the devices of each group; one that is not named has one device, which has the group's name.
        failed_devices: the devices that fail, and why.
        devices: the devices, each with the API's fields: ``product_id``, ``fw_version``, ``sw_version``, ``modules``.
        others: answers for everything that is not of this library; by default a resource has the outputs that it was
            given as inputs, and a function answers nothing.

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
        self._campaigns = Campaigns(dict(groups or {}), dict(failed_devices or {}))
        known, members = devices_of(devices or {}), dict(groups or {})
        self._shelf = Shelf(packages_of(packages), self._campaigns, _locked, lambda: DeviceShelf(known, members))
        self._others = others
        self._begin_run()

    def _begin_run(self) -> None:
        # The service keeps its tasks and packages. What a run knows of who created them starts empty.
        self._context = _MockContext(run=self._shelf, config={}, environ=os.environ, warn=_tell, tell=_tell)

    @property
    def tasks(self) -> list[dict[str, Any]]:
        """The upgrade tasks that the program created, as CreateBatchTask was sent them, in order."""
        return self._campaigns.bodies

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        """Answer a function: one of this library from the packages, any other as ``others`` does."""
        if args.token.startswith(_FUNCTIONS):
            return self._answered(args, asked=(self._shelf, _Nowhere({}, os.environ))), []
        return self._others.call(args) if self._others else ({}, [])

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> Any:
        """Register a resource: one of this library as it would be created, any other as ``others`` does."""
        if not args.typ.startswith(_RESOURCES):
            return self._others.new_resource(args) if self._others else (f"{args.name}-id", dict(args.inputs))
        inputs = dict(args.inputs)
        provider = provider_in(inputs)
        if isinstance(provider, Adapter):
            provider.use_context(self._context)
        return self._registered(args, provider, inputs, preview=self.preview or pulumi.runtime.is_dry_run())


class _Nowhere(Context):
    """Where every connection leads to the packages of the test, and no place is another than one that is locked."""

    def resolved(self) -> ResolvedConnection:
        return NOWHERE

    def known_place(self) -> dict[str, str]:
        return {}

    def reached_place(self, connection: ResolvedConnection) -> dict[str, str]:  # noqa: ARG002  wherever it leads
        return {}


class _MockContext(ResourceContext):
    """A context in which every connection leads nowhere."""

    def where(self, inputs: Mapping[str, Any]) -> Context:  # noqa: ARG002  wherever it would have led
        return _Nowhere(self.config, self.environ, folder=self.folder)


def _locked() -> list[Mapping[str, Any]]:
    """Return the packages of the lock file that the program would read."""
    return [entry.package for entry in (load(lock_path(os.environ, Path())) or {}).values()]


def _tell(line: str) -> None:
    print(line, file=sys.stderr)  # noqa: T201  pytest shows it with a test that fails
