"""What the vendor's documents leave open, each as a switch with a default.

A client that works with every setting leans on no guess. Nothing here is a claim about the real service.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Switches:
    """The undocumented behaviours of the service.

    Args:
        empty_marker: what ``page.marker`` of an empty page is: left out, ``""``, or the marker of the request.
        count: whether ``page.count`` counts all matches, only those after the marker, or only those of the page.
        count_cap: ``page.count`` counts no further than this; 0 is off.
        count_as_text: whether ``page.count`` is a string of digits.
        empty_list: what an empty list is: ``[]``, null, or left out.
        empty_page: what ``page`` of an empty list is: an object, null, or left out.
        odd_fields: by the id of a package, task or device: fields that it is shown with instead of its own.
        absent_fields: by the id of a package, task or device: the names of fields that it is shown without.
        short_pages: a page never holds more than this many records, whatever ``limit`` says; 0 is off.
        document_echo: the key of a task's ``document`` in answers.
        echo_targets: whether a task's answer repeats ``targets`` and ``targets_filter``.
        unscoped: whether a list without ``app_id`` spans all spaces or is refused when there are several.
        duplicate_packages: whether a second package of equal space, product, type, module and version is taken.
        mixed_packages: whether a task takes packages of another type or of several products.
        module_actions: whether stop and retry work on ``moduleUpgrade`` tasks, where the documents do not list them.
        gzip: whether an answer is compressed for a client that accepts it.
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
        device: one upgrade of one device that has no pace of its own.
        stopping: from stop until Stopped.
        minute: a minute of ``retry_interval``; less makes demonstrations short.
    """

    initializing: float = 0.01
    device: float = 0.03
    stopping: float = 0.01
    minute: float = 60.0
