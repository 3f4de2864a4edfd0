"""What a test sets: the clock, how long things take, and the behaviour that the vendor does not document.

Nothing here waits: devices and tasks are computed from the clock when a request reads them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal

Clock = Callable[[], float]

_API_TIME = "%Y%m%dT%H%M%SZ"
_API_FORM = re.compile(r"[0-9]{8}T[0-9]{6}Z")


class ManualClock:
    """A clock that moves only when a test moves it.

    Args:
        start: seconds since 1970; default: the present.
    """

    def __init__(self, start: float | None = None) -> None:
        self._now = time.time() if start is None else start

    def __call__(self) -> float:
        """Return the time."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        self._now += seconds


def api_time(seconds: float) -> str:
    """Return a time as ``yyyyMMdd'T'HHmmss'Z'``."""
    return datetime.fromtimestamp(seconds, tz=timezone.utc).strftime(_API_TIME)


def seconds_of(text: str) -> float:
    """Return the seconds since 1970 of ``yyyyMMdd'T'HHmmss'Z'``, or raise ValueError."""
    # strptime also accepts fewer digits, which the API does not.
    if not _API_FORM.fullmatch(text):
        raise ValueError("a time is yyyyMMdd'T'HHmmss'Z'")
    return datetime.strptime(text, _API_TIME).replace(tzinfo=timezone.utc).timestamp()


@dataclass(frozen=True)
class Switches:
    """The undocumented behaviours of the service. No value is a claim about the real service.

    Args:
        empty_marker: what ``page.marker`` of an empty page is: left out, ``""``, or the marker of the request.
        count: whether ``page.count`` counts all matches, only those after the marker, or only those of the page.
        count_cap: ``page.count`` counts no further than this; 0 is off.
        count_as_text: whether ``page.count`` is a string of digits.
        empty_list: what an empty list is: ``[]``, null, or left out.
        empty_page: what ``page`` of an empty list is: an object, null, or left out.
        odd_fields: by the id of a package, task or device: fields that replace those of the record.
        absent_fields: by the id of a package, task or device: the names of fields that the record does not have.
        short_pages: a page never has more than this many records, whatever ``limit`` is; 0 is off.
        document_echo: the key of a task's ``document`` in responses.
        echo_targets: whether the response of a task repeats ``targets`` and ``targets_filter``.
        unscoped: whether a list without ``app_id`` spans all spaces or is refused if there are several.
        duplicate_packages: whether a second package of equal space, product, type, module and version is accepted.
        mixed_packages: whether a task accepts packages of another type or of several products.
        module_actions: whether stop and retry work on ``moduleUpgrade`` tasks, which the documents do not list.
        gzip: whether a response is compressed for a client that accepts it.
        list_lag: seconds until a list shows a new task or package. A request by id returns it at once.
        search: whether SearchDevices is served, is not published, or is refused by the edition of the instance.
        waiting_counts: whether ``task_progress`` counts waiting devices. If not, only ``total`` includes them.
    """

    empty_marker: Literal["absent", "empty", "echo"] = "absent"
    count: Literal["all", "after_marker", "page"] = "all"
    count_cap: int = 0
    count_as_text: bool = False
    empty_list: Literal["empty", "null", "absent"] = "empty"
    empty_page: Literal["object", "null", "absent"] = "object"
    odd_fields: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    absent_fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    short_pages: int = 0
    document_echo: Literal["as_sent", "package_id", "package_ids"] = "as_sent"
    echo_targets: bool = True
    unscoped: Literal["all", "refuse"] = "all"
    duplicate_packages: Literal["accept", "refuse"] = "accept"
    mixed_packages: Literal["accept", "refuse"] = "accept"
    module_actions: bool = True
    gzip: bool = True
    list_lag: float = 0.0
    waiting_counts: bool = True
    search: Literal["served", "unpublished", "unsupported"] = "served"


@dataclass(frozen=True)
class Pace:
    """How long things take, in seconds of the emulator's clock.

    Args:
        initializing: from the creation of a task until its devices are known.
        device: one upgrade of one device that has no ``seconds`` itself.
        stopping: from stop until Stopped.
        minute: a minute of ``retry_interval``.
    """

    initializing: float = 0.01
    device: float = 0.03
    stopping: float = 0.01
    minute: float = 60.0
