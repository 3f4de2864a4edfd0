"""Read devices: all of a product, those of a group, and those that a search finds.

A list is complete or an error. Searches keep to one request a second for each credential, because the service allows an
account no more. A search that is throttled waits until the deadline, because other programs use the same account.
"""

from __future__ import annotations

import hashlib
import threading
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from pulumi_iotda_ota.iotda.api import devices
from pulumi_iotda_ota.iotda.errors import IotdaOtaError, ProtocolError, ServiceError
from pulumi_iotda_ota.iotda.limits import MAX_PAGE
from pulumi_iotda_ota.iotda.models import UnreadableRecord
from pulumi_iotda_ota.iotda.paging.marker import Page, Records, walk
from pulumi_iotda_ota.iotda.retry import is_throttle

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from pulumi_iotda_ota.iotda.api.devices import Condition
    from pulumi_iotda_ota.iotda.executor import Caller
    from pulumi_iotda_ota.iotda.http.messages import Request
    from pulumi_iotda_ota.iotda.models import DevicePage, DeviceSearch, ListedDeviceRecord
    from pulumi_iotda_ota.iotda.paging.parallel import PageRequest
    from pulumi_iotda_ota.iotda.retry import Clock, Deadline

    #: Walks a list, several pages at a time.
    WalkTogether = Callable[
        [Callable[[PageRequest], Request[DevicePage]], Callable[[ListedDeviceRecord], str], Deadline],
        Records[PageRequest, ListedDeviceRecord],
    ]

Content = TypeVar("Content")

SECONDS_BETWEEN_SEARCHES = 1.0
# How the service words that an edition does not have an operation.
_NO_EDITION = ("edition", "not support")


class SearchUnavailable(IotdaOtaError):
    """The instance does not serve SearchDevices.

    Args:
        refusal: the response of the service.
    """

    def __init__(self, refusal: ServiceError) -> None:
        super().__init__(refusal.message.headline, facts=refusal.message.facts)
        self.refusal = refusal


class SearchPace:
    """Keeps searches a second apart, from the response of one to the request of the next."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: dict[Hashable, threading.Lock] = {}
        self._ends: dict[Hashable, float] = {}

    @contextmanager
    def turn(self, key: Hashable, clock: Clock, deadline: Deadline, doing: str) -> Iterator[None]:
        """Wait for the turn of one search, and hold it.

        Args:
            key: what shares the rate.
            clock: the time.
            deadline: the bound of the wait.
            doing: what the request does, for an error.

        Raises:
            DeadlineExceeded: the turn comes too late.
        """
        with self._lock:
            turn = self._turns.setdefault(key, threading.Lock())
        if not turn.acquire(timeout=max(0.0, deadline.remaining())):
            deadline.check(doing)
        try:
            wait = self._ends.get(key, float("-inf")) + SECONDS_BETWEEN_SEARCHES - clock.monotonic()
            if wait > 0:
                deadline.check(doing, needed=wait)
                clock.sleep(wait)
            yield
        finally:
            self._ends[key] = clock.monotonic()
            turn.release()


#: The service sees one account, not clients. So all clients of a process share it.
PROCESS_PACE = SearchPace()


def has_no_search(error: ServiceError) -> bool:
    """Return whether the instance does not serve SearchDevices, as that of the basic edition."""
    if error.status == HTTPStatus.NOT_FOUND:
        return True
    text = error.error_msg.lower()
    return error.status in (HTTPStatus.FORBIDDEN, HTTPStatus.BAD_REQUEST) and any(word in text for word in _NO_EDITION)


class DeviceReader:
    """Reads devices over one client, and counts its requests.

    Args:
        caller: sends a request.
        together: walks a list, several pages at a time.
        clock: the time.
        credential: what the credential is made of; only its digest is kept.
        pace: keeps searches apart.
    """

    def __init__(
        self,
        caller: Caller,
        together: WalkTogether,
        *,
        clock: Clock,
        credential: tuple[str, ...],
        pace: SearchPace = PROCESS_PACE,
    ) -> None:
        self.searches = 0
        self._lists: list[Records[PageRequest, ListedDeviceRecord]] = []
        self._single = 0
        self._caller = caller
        self._together = together
        self._clock = clock
        self._pace = pace
        self._key = (hashlib.sha256("\0".join(credential).encode()).hexdigest(), clock.monotonic)

    @property
    def requests(self) -> int:
        """Return how many requests were sent so far, searches among them."""
        return self.searches + self._single + sum(records.requests for records in self._lists)

    def count(self, conditions: Sequence[Condition], deadline: Deadline) -> int:
        """Return how many devices match all conditions.

        Raises:
            ProtocolError: the response has no count.
        """
        found = self._search(devices.count_devices(conditions), deadline)
        if found.count is None:
            raise ProtocolError("the response to a search that counts has no count")
        return found.count

    def search(
        self, conditions: Sequence[Condition], total: int, deadline: Deadline, *, counted: bool = True
    ) -> Records[str | None, ListedDeviceRecord]:
        """Return the devices that match all conditions, the newest first.

        Args:
            conditions: the conditions.
            total: how many devices match. With it a short page can end the list.
            deadline: the bound of the whole walk.
            counted: whether the service counted the total. If not, fewer devices can match.
        """

        def page(marker: str | None) -> Page[ListedDeviceRecord]:
            found = self._search(devices.search_devices(conditions, marker=marker), deadline)
            records = found.devices or ()
            markers = [one.marker for one in records if not isinstance(one, UnreadableRecord) and one.marker]
            count = total if counted or records else None
            return Page(records, count, min(markers, default=None), MAX_PAGE, has_list=found.devices is not None)

        return Records(page, partial(walk, key=device_id_of))

    def of_product(
        self, product_id: str | None, app_id: str | None, deadline: Deadline
    ) -> Records[PageRequest, ListedDeviceRecord]:
        """Return all devices of a product and a resource space, or of all products."""
        devices.list_devices(product_id, app_id, marker=None)

        def request(page: PageRequest) -> Request[DevicePage]:
            return devices.list_devices(product_id, app_id, marker=page.place.marker, offset=page.place.offset or None)

        return self._walked(request, deadline)

    def count_of_product(self, product_id: str | None, app_id: str | None, deadline: Deadline) -> int | None:
        """Return how many devices a product has, as its list counts them, or None if it does not."""
        self._single += 1
        found = self._caller.call(devices.list_devices(product_id, app_id, limit=1, marker=None), deadline)
        return found.page.count

    def of_group(self, group_id: str, deadline: Deadline) -> Records[PageRequest, ListedDeviceRecord]:
        """Return all devices of a group, without their versions."""

        def request(page: PageRequest) -> Request[DevicePage]:
            return devices.list_group_devices(group_id, marker=page.place.marker, offset=page.place.offset or None)

        return self._walked(request, deadline)

    def first_of_group(self, group_id: str, deadline: Deadline) -> DevicePage:
        """Return the first page of a group; a missing group is a ServiceError of status 404."""
        self._single += 1
        return self._caller.call(devices.list_group_devices(group_id, marker=None), deadline)

    def _walked(
        self, request: Callable[[PageRequest], Request[DevicePage]], deadline: Deadline
    ) -> Records[PageRequest, ListedDeviceRecord]:
        records = self._together(request, device_id_of, deadline)
        self._lists.append(records)
        return records

    def _search(self, request: Request[DeviceSearch], deadline: Deadline) -> DeviceSearch:
        while True:
            with self._pace.turn(self._key, self._clock, deadline, request.doing):
                self.searches += 1
                try:
                    return self._caller.call(request, deadline)
                except ServiceError as error:
                    if has_no_search(error):
                        raise SearchUnavailable(error) from error
                    if not is_throttle(error.status, error.error_code):
                        raise
                    deadline.check(request.doing, needed=SECONDS_BETWEEN_SEARCHES, last=error)


def device_id_of(device: ListedDeviceRecord) -> str:
    """Return the id of a device, or empty if the record has none."""
    return device.id if isinstance(device, UnreadableRecord) else device.device_id
