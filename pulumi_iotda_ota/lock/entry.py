"""One named lookup of the lock file, and what of it must agree. Reads and sends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.durations import parse_time
from pulumi_iotda_ota.iotda.auth.endpoint import read_endpoint
from pulumi_iotda_ota.lookup.find import READ_BY_RULES, contradictions
from pulumi_iotda_ota.lookup.query import words

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What tells one place on the service from another.
PLACE = ("region", "endpoint", "project_id", "instance_id")
_TIMES = ("created_after", "created_before")
# The name of a product is its owner's to change, and no part of the package.
_PASSING = ("product_name",)


@dataclass(frozen=True)
class Entry:
    """One lookup and its answer.

    Attributes:
        name: what programs call it.
        selection: the words of the lookup that count, as ``query.words`` returns them.
        place: where it was asked, as :func:`place_of` returns it.
        package: the fields of the package, with its file location.
        locked_at: when it was resolved to this package, RFC 3339 in UTC.
        reason: why it was this package, in one line.
    """

    name: str
    selection: Mapping[str, Any]
    place: Mapping[str, str]
    package: Mapping[str, Any]
    locked_at: str
    reason: str

    @property
    def package_id(self) -> str:
        """Return the id of the package."""
        return str(self.package["package_id"])

    @property
    def version(self) -> str:
        """Return its version."""
        return str(self.package["version"])


def place_of(known: Mapping[str, str]) -> dict[str, str]:
    """Return a place as it is kept: what is empty left out, and of this machine no port, which is any emulator's."""
    place = {name: value for name in PLACE if (value := known.get(name))}
    if "endpoint" in place and read_endpoint(place["endpoint"]).is_loopback:
        place["endpoint"] = "http://localhost"
    return place


def differing_words(here: Mapping[str, Any], locked: Mapping[str, Any]) -> list[str]:
    """Return the words in which two queries differ; a time is the same however it is written.

    Args:
        here: the words that are asked.
        locked: those of an entry, which a person can have written.
    """
    here, locked = words(here), words(locked)
    return [name for name in {**locked, **here} if _meant(name, here.get(name)) != _meant(name, locked.get(name))]


def differing_places(known: Mapping[str, str], locked: Mapping[str, str]) -> list[str]:
    """Return the names in which a place differs from what is locked, as far as it is known.

    Args:
        known: as ``iotda.connection.known_place`` or the identity of a connection tells it.
        locked: the place of an entry.
    """
    here = place_of(known)
    # No instance, of a place that is known, is a place too; no region is only one that no setting names.
    return [
        name
        for name in PLACE
        if (name in here or (name == "instance_id" and name in known)) and here.get(name, "") != locked.get(name, "")
        if name != "region" or name in locked
    ]


def differing_fields(now: Mapping[str, Any], locked: Mapping[str, Any]) -> list[str]:
    """Return the fields in which a package differs from what is locked.

    What the rules of a selection read is held to the lock as a detail is to a list. All else must be equal.
    """
    # created_at is create_time in another form.
    others = [name for name in {**locked, **now} if name not in (*_PASSING, *READ_BY_RULES, "created_at")]
    return [*contradictions(locked, now), *(name for name in others if now.get(name) != locked.get(name))]


def _meant(name: str, value: Any) -> Any:
    return parse_time(name, value) if name in _TIMES and value is not None else value
