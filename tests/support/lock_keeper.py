"""A lock file, the service that its entries are of, and the commands that keep it up to date."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, TypeVar

from pulumi_iotda_ota.context import Context
from pulumi_iotda_ota.lock import update as keeping
from pulumi_iotda_ota.lock.files import LOCK_FILE, load
from pulumi_iotda_ota.lookup.session import Run
from tests.conftest import settings_for
from tests.support.resource_bench import package

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator
    from pulumi_iotda_ota.lock.entry import Entry, Outcome


SEED = {
    "packages": [
        package("p-1-3-5", "V1.3.5"),
        package(
            "8c0d" + "0" * 24 + "41f2",
            "V1.4.10",
            create_time="20261002T090000Z",
            file_location={
                "obs_location": {
                    "region_name": "r",
                    "bucket_name": "b-1",
                    "object_key": "k",
                    "sign_method": "SHA256",
                    "sign": "ab" * 32,
                }
            },
        ),
        package("s1", "S1", "softwarePackage"),
    ],
}


ASKED: dict[str, Any] = {
    "package_type": "firmwarePackage",
    "product_id": "meter",
    "version_constraint": "^1.4",
    "source_versions": ["V1.3.2"],
    "highest_version": True,
}


SOFTWARE: dict[str, Any] = {"package_type": "softwarePackage", "product_id": "meter", "version": "S1"}


T = TypeVar("T")


class Keeper:
    """Keeps the lock file of a folder against a running service."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self.emulator, self.path = emulator, folder / LOCK_FILE
        self.environ = settings_for(emulator)

    def done(self, work: Callable[..., T], *arguments: Any, **more: Any) -> T:
        """Do something within a separate run, as each command does."""
        with closing(Run(memo=False)) as run:
            return work(run, Context({}, self.environ).resolved(), self.path, *arguments, **more)

    def add(self, name: str = "meter-firmware", selection: dict[str, Any] = ASKED, **more: Any) -> Outcome:
        """Add a name."""
        return self.done(keeping.add, name, selection, **more)

    def update(self, *names: str) -> list[Outcome]:
        """Bring names up to date."""
        return self.done(keeping.update, names)

    def statuses(self, *names: str) -> dict[str, str]:
        """Hold names against the service."""
        return {one.name: one.status for one in self.done(keeping.check, names)}

    @property
    def entries(self) -> dict[str, Entry]:
        """Return what is in the file."""
        return load(self.path) or {}

    def upload(self, version: str, package_id: str, **more: Any) -> None:
        """Upload a package."""
        self.emulator.add_package(**package(package_id, version, **{"create_time": "20261120T090000Z", **more}))
