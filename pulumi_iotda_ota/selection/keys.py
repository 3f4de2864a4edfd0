"""Remembers versions and times that were read while one selection lasts, so that each is read once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.selection.versions import Unreadable, is_prerelease, scheme

if TYPE_CHECKING:
    from datetime import datetime

    from pulumi_iotda_ota.iotda.models import OtaPackage
    from pulumi_iotda_ota.selection.versions import Key


class Keys:
    """The keys of versions under one scheme, and the times of uploads.

    Args:
        name: the scheme, as the argument ``version_scheme`` spells it.
    """

    def __init__(self, name: str) -> None:
        self.scheme = scheme(name)
        self._known: dict[str, Key | Unreadable] = {}
        self._times: dict[str, datetime | None] = {}

    def find(self, version: str) -> Key | None:
        """Return the key of a version, or None if the scheme cannot read it."""
        found = self._read(version)
        return None if isinstance(found, Unreadable) else found

    def key(self, version: str) -> Key:
        """Return the key of a version that the scheme can read."""
        found = self._read(version)
        if isinstance(found, Unreadable):
            raise found
        return found

    def trouble(self, version: str) -> str | None:
        """Return why the scheme cannot read a version, or None if it can."""
        found = self._read(version)
        return found.reason if isinstance(found, Unreadable) else None

    def is_prerelease(self, version: str) -> bool:
        """Return whether a version is a prerelease that the scheme can read."""
        key = self.find(version)
        return key is not None and is_prerelease(key)

    def created(self, package: OtaPackage) -> datetime | None:
        """Return when a package was uploaded, or None if its time cannot be read."""
        text = package.create_time
        if text not in self._times:
            self._times[text] = package.created
        return self._times[text]

    def _read(self, version: str) -> Key | Unreadable:
        found = self._known.get(version)
        if found is None:
            try:
                found = self.scheme.key(version)
            except Unreadable as error:
                found = error
            self._known[version] = found
        return found
