"""An entry of the lock file, and the comparison of entries. Reads no file and sends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.durations import parse_time
from pulumi_iotda_ota.iotda.auth.endpoint import read_endpoint
from pulumi_iotda_ota.lookup.find import READ_BY_RULES, contradictions
from pulumi_iotda_ota.lookup.query import words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_iotda_ota.iotda.errors import IotdaOtaError

#: The settings that identify a place on the service.
PLACE = ("region", "endpoint", "project_id", "instance_id")
_TIMES = ("created_after", "created_before")
# The owner of a product can rename it. created_at is create_time in another form.
_NOT_COMPARED = ("product_name", "created_at")


@dataclass(frozen=True)
class Entry:
    """A named lookup and the package that it selected.

    Attributes:
        name: the name that programs use.
        selection: the arguments of the lookup, as ``query.words`` returns them.
        place: where the package was found, as :func:`place_of` returns it.
        package: the fields of the package, with its file location.
        locked_at: when the package was selected, RFC 3339 in UTC.
        reason: why it was selected, in one line.
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
        """Return the version of the package."""
        return str(self.package["version"])


@dataclass(frozen=True)
class Outcome:
    """The result of an operation on one entry.

    Attributes:
        name: the name of the entry.
        status: ``added``; ``current``; ``newer``, if another package matches now; ``changed``, if the package has other
            fields; ``gone``, if it was deleted; ``elsewhere``, if it is locked in another place; ``removed``;
            ``failed``.
        before: the entry before the operation.
        now: the entry that the lookup makes now, if it finds a package.
        error: the error of the lookup.
        unreadable: the first records of the list that cannot be judged, safe to print.
        unreadable_count: how many there are.
    """

    name: str
    status: str
    before: Entry | None = None
    now: Entry | None = None
    error: IotdaOtaError | None = None
    unreadable: tuple[str, ...] = ()
    unreadable_count: int = 0


def place_of(known: Mapping[str, str]) -> dict[str, str]:
    """Return a place as an entry stores it: without empty values, and without the port of an emulator."""
    place = {name: value for name in PLACE if (value := known.get(name))}
    if "endpoint" in place and read_endpoint(place["endpoint"]).is_loopback:
        place["endpoint"] = "http://localhost"
    return place


def differing_words(here: Mapping[str, Any], locked: Mapping[str, Any]) -> list[str]:
    """Return the arguments in which a query differs from a locked one. The form of a time does not count."""
    here, locked = words(here), words(locked)
    return [name for name in {**locked, **here} if _meaning(name, here.get(name)) != _meaning(name, locked.get(name))]


def differing_places(known: Mapping[str, str], locked: Mapping[str, str]) -> list[str]:
    """Return the settings in which a place differs from a locked one, as far as the place is known."""
    here = place_of(known)
    # An empty instance of a known place is a place too. An empty region is not.
    return [
        name
        for name in PLACE
        if (name in here or (name == "instance_id" and name in known)) and here.get(name, "") != locked.get(name, "")
        if name != "region" or name in locked
    ]


def differing_fields(now: Mapping[str, Any], locked: Mapping[str, Any]) -> list[str]:
    """Return the fields in which a package differs from the locked one.

    Fields that the rules of a selection read are compared as in :func:`~pulumi_iotda_ota.lookup.find.contradictions`.
    """
    others = [name for name in {**locked, **now} if name not in (*_NOT_COMPARED, *READ_BY_RULES)]
    return [*contradictions(locked, now), *(name for name in others if now.get(name) != locked.get(name))]


def _meaning(name: str, value: Any) -> Any:
    return parse_time(name, value) if name in _TIMES and value is not None else value
