"""Remembers the keys of versions while one selection lasts, so that each is read once. Keeps nothing beyond that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota.selection.versions import Unreadable, is_prerelease, scheme

if TYPE_CHECKING:
    from pulumi_iotda_ota.selection.versions import Key


class Keys:
    """The keys of versions under one scheme.

    Args:
        name: the scheme, as the argument ``version_scheme`` spells it.
    """

    def __init__(self, name: str) -> None:
        self.scheme = scheme(name)
        self._known: dict[str, Key | Unreadable] = {}

    def find(self, version: str) -> Key | None:
        """Return the key of a version, or None where the scheme can not read it."""
        found = self._read(version)
        return None if isinstance(found, Unreadable) else found

    def key(self, version: str) -> Key:
        """Return the key of a version that the scheme can read."""
        found = self._read(version)
        if isinstance(found, Unreadable):
            raise found
        return found

    def trouble(self, version: str) -> str | None:
        """Return why the scheme can not read a version, or None where it can."""
        found = self._read(version)
        return found.reason if isinstance(found, Unreadable) else None

    def is_prerelease(self, version: str) -> bool:
        """Return whether a version is a prerelease that the scheme can read."""
        key = self.find(version)
        return key is not None and is_prerelease(key)

    def _read(self, version: str) -> Key | Unreadable:
        found = self._known.get(version)
        if found is None:
            try:
                found = self.scheme.key(version)
            except Unreadable as error:
                found = error
            self._known[version] = found
        return found
