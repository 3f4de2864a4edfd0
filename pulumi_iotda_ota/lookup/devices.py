"""Look up which versions devices run: how many devices run each version. Only reads.

Three methods lead to the same result. The one with the fewest estimated seconds is used:

* ``search``: list the devices by searches, 50 a second.
* ``count``: count the devices of each known version, one version a second. A version is known if a package names it.
* ``list``: list the devices of the product, and keep those that are requested.

An instance without a search always lists.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.iotda.api.devices import chunks, equal, fits, is_searchable, one_of
from pulumi_iotda_ota.iotda.devices import SECONDS_BETWEEN_SEARCHES, SearchUnavailable
from pulumi_iotda_ota.iotda.errors import InputError, ServiceError
from pulumi_iotda_ota.iotda.limits import MAX_PAGE
from pulumi_iotda_ota.iotda.models import PackageQuery, UnreadableRecord
from pulumi_iotda_ota.iotda.references import argument
from pulumi_iotda_ota.iotda.retry import Deadline
from pulumi_iotda_ota.lookup import device_errors as errors
from pulumi_iotda_ota.lookup.query import query_id
from pulumi_iotda_ota.schema.validation import require_valid

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from pulumi_iotda_ota.iotda.api.devices import Condition
    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.devices import DeviceReader
    from pulumi_iotda_ota.iotda.models import Device, DevicePage, ListedDeviceRecord
    from pulumi_iotda_ota.lookup.session import Run

    #: Receives how many devices are read, and how many there are.
    Progress = Callable[[int, int], None]

_log = logging.getLogger("pulumi_iotda_ota")
MOST_IN_GROUP = 20_000
_DEFAULT_DEADLINE = 600
# What a page of a list takes, several of which are read at a time.
_SECONDS_A_PAGE = 0.1
# So many searches are never worth a look at a faster method.
_FEW_SEARCHES = 5
# So many searches by ids are as fast as a list of the product.
_MOST_ID_SEARCHES = 20
_LONGEST_PRODUCT = 36
_MODULE = "modulePackage"
_FIELDS = {"firmwarePackage": "fw_version", "softwarePackage": "sw_version"}


@dataclass(frozen=True)
class DeviceVersionsLookup:
    """The checked arguments of get_device_versions; see :meth:`from_arguments`."""

    package_type: str
    group_ids: tuple[str, ...] = ()
    product_id: str | None = None
    device_ids: tuple[str, ...] = ()
    module_name: str | None = None
    app_id: str | None = None
    deadline: int = _DEFAULT_DEADLINE
    id: str = ""

    @classmethod
    def from_arguments(cls, values: Mapping[str, Any]) -> DeviceVersionsLookup:
        """Return the checked lookup.

        Raises:
            InputError: a value breaks its rule, or two contradict each other. Nothing was sent.
        """
        require_valid(schema.GET_DEVICE_VERSIONS, values)
        given = {name: value for name, value in values.items() if value is not None}
        if sum(name in given for name in ("group_ids", "product_id", "device_ids")) != 1:
            names = f"{argument('group_ids')}, {argument('product_id')} and {argument('device_ids')}"
            raise InputError(f"set exactly one of {names}", argument="group_ids")
        is_module = given["package_type"] == _MODULE
        if is_module != ("module_name" in given):
            problem = "is required for a" if is_module else "is only for a"
            raise InputError(f"{argument('module_name')} {problem} {_MODULE}", argument="module_name")
        if "app_id" in given and "product_id" not in given:
            raise InputError(f"{argument('app_id')} needs {argument('product_id')}", argument="app_id")
        return cls(
            package_type=given["package_type"],
            group_ids=_unique(given.get("group_ids", ())),
            product_id=given.get("product_id"),
            device_ids=_unique(given.get("device_ids", ())),
            module_name=given.get("module_name"),
            app_id=given.get("app_id"),
            deadline=given.get("devices_deadline", _DEFAULT_DEADLINE),
            id=query_id("get_device_versions", schema.GET_DEVICE_VERSIONS, values),
        )

    @property
    def field(self) -> str:
        """Return the field of a device that holds the version; empty for a module."""
        return _FIELDS.get(self.package_type, "")


@dataclass
class DeviceVersions:
    """How many devices run each version.

    Attributes:
        total: how many devices there are.
        versions: the devices of each version.
        product_ids: the products of the devices, as far as they are known.
        method: ``search``, ``count`` or ``list``.
        requests: how many requests it took.
        unreadable_records: how many devices could not be judged. They are not in the total.
        id: the id of the query.
        devices: the version of each device, empty if it reported none; nothing if devices were only counted.
    """

    total: int = 0
    versions: Counter[str] = field(default_factory=Counter)
    product_ids: set[str] = field(default_factory=set)
    method: str = "list"
    requests: int = 0
    unreadable_records: int = 0
    id: str = ""
    devices: dict[str, str] = field(default_factory=dict)

    @property
    def unknown(self) -> int:
        """Return how many devices have no known version."""
        return max(0, self.total - self.versions.total())


def find_device_versions(
    run: Run, connection: ResolvedConnection, lookup: DeviceVersionsLookup, *, progress: Progress | None = None
) -> DeviceVersions:
    """Return how many devices run each version.

    Args:
        run: the clients.
        connection: the connection.
        lookup: what is requested.
        progress: receives how far the work is.

    Raises:
        ServiceError: a group does not exist (status 404), or the service refused a request.
        InputError: a group has more than 20,000 devices, or the devices are of several products.
        DeadlineExceeded: it takes longer than ``devices_deadline``.
        IotdaOtaError: a list could not be read to its end.
    """
    deadline = replace(Deadline.start(run.clock, lookup.deadline), raised_by=argument("devices_deadline"))
    connection = run.completed(connection, deadline=deadline)
    reader = run.client(connection).devices()
    return _Search(run, connection, reader, lookup, deadline, progress or _logged()).found()


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values if isinstance(values, (list, tuple)) else sorted(values)))


def _logged() -> Progress:
    return lambda done, total: _log.info("read %d of %d devices", done, total)


@dataclass
class _Search:
    """One lookup while it runs."""

    run: Run
    connection: ResolvedConnection
    reader: DeviceReader
    lookup: DeviceVersionsLookup
    deadline: Deadline
    progress: Progress
    result: DeviceVersions = field(default_factory=DeviceVersions)

    def found(self) -> DeviceVersions:
        """Return the result."""
        try:
            self._read()
        except SearchUnavailable as error:
            if not self.lookup.field:
                raise errors.no_modules(error.refusal) from error
            self.result = DeviceVersions()
            self._read_without_search()
        if len(self.result.product_ids) > 1:
            raise errors.several_products(sorted(self.result.product_ids))
        self.result.requests, self.result.id = self.reader.requests, self.lookup.id
        return self.result

    def _read(self) -> None:
        if self.lookup.product_id is not None:
            self._of_product(self.lookup.product_id)
        elif self.lookup.device_ids:
            self._of_devices()
        else:
            self._of_groups()

    def _read_without_search(self) -> None:
        if self.lookup.group_ids:
            self._of_listed_groups()
        else:
            wanted = frozenset(self.lookup.device_ids)
            self._list(None, wanted, len(wanted))
            self._require_all()

    def _of_product(self, product_id: str) -> None:
        app_id = self.lookup.app_id
        if self.lookup.field:
            self._list(product_id, None, self.reader.count_of_product(product_id, app_id, self.deadline))
            return
        conditions = [equal("product_id", product_id), *([equal("app_id", app_id)] if app_id else [])]
        self._search(conditions, self.reader.count(conditions, self.deadline))

    def _of_groups(self) -> None:
        product_id = self._require_groups()
        conditions = [one_of("group_id", self.lookup.group_ids)]
        if not fits([*conditions, equal("product_id", "x" * _LONGEST_PRODUCT)]):
            self._of_many_groups()
            return
        total = self.reader.count(conditions, self.deadline)
        if len(self.lookup.group_ids) == 1:
            errors.require_countable(self.lookup.group_ids[0], total, MOST_IN_GROUP)
        if -(-total // MAX_PAGE) <= _FEW_SEARCHES or not self.lookup.field or product_id is None:
            self._search(conditions, total)
            return
        versions = [one for one in self._known_versions(product_id) if self._is_countable(conditions, one)]
        pages = -(-total // MAX_PAGE) + -(-(self._count_of_product(product_id) or 0) // MAX_PAGE)
        estimates = {
            "search": -(-total // MAX_PAGE) * SECONDS_BETWEEN_SEARCHES,
            "count": (len(versions) + 1) * SECONDS_BETWEEN_SEARCHES,
            "list": pages * _SECONDS_A_PAGE,
        }
        method = min(estimates, key=lambda name: estimates[name])
        errors.require_time(total, estimates[method], self.deadline)
        if method == "search":
            self._search(conditions, total)
        elif method == "count":
            self._count(conditions, total, product_id, versions)
        else:
            self._of_listed_groups()

    def _of_many_groups(self) -> None:
        """Read groups whose ids do not fit into one statement."""
        if self.lookup.field:
            self._of_listed_groups()
            return
        for part in chunks("group_id", self.lookup.group_ids):
            conditions = [one_of("group_id", part)]
            self._search(conditions, self.reader.count(conditions, self.deadline))

    def _of_listed_groups(self) -> None:
        """List the devices of the groups, then those of their products, which have versions."""
        products: dict[str, str | None] = {}
        for group_id in self.lookup.group_ids:
            for device in _readable(self.reader.of_group(group_id, self.deadline)):
                products[device.device_id] = device.product_id
        for product_id in dict.fromkeys(products.values()):
            self._list(product_id, products.keys(), len(products))

    def _of_devices(self) -> None:
        """Search the devices by their ids. If there are many, list the products of those that are found."""
        wanted = frozenset(self.lookup.device_ids)
        left, listed = list(self.lookup.device_ids), set[str]()
        searches = len(list(chunks("device_id", left)))
        is_listed = self.lookup.field and searches > _MOST_ID_SEARCHES
        if not is_listed:
            errors.require_time(len(left), searches * SECONDS_BETWEEN_SEARCHES, self.deadline)
        while left:
            part = next(chunks("device_id", left))
            self._search([one_of("device_id", part)], len(part), frozenset(part))
            for product_id in sorted(self.result.product_ids - listed) if is_listed else ():
                listed.add(product_id)
                self._list(product_id, wanted, len(wanted))
            left = [one for one in left[len(part) :] if one not in self.result.devices]
        self._require_all()

    def _search(self, conditions: Sequence[Condition], total: int, wanted: Collection[str] | None = None) -> None:
        self.result.method = "search"
        if not total:
            return
        errors.require_time(total, -(-total // MAX_PAGE) * SECONDS_BETWEEN_SEARCHES, self.deadline)
        records = self.reader.search(conditions, total, self.deadline, counted=wanted is None)
        self._take(records, wanted, total)

    def _count(self, conditions: Sequence[Condition], total: int, product_id: str, versions: Sequence[str]) -> None:
        self.result.method, self.result.total = "count", total
        others = self.reader.count([*conditions, equal("product_id", product_id, negated=True)], self.deadline)
        if others:
            raise errors.several_products([product_id], others)
        self.result.product_ids.add(product_id)
        for version in versions:
            counted = self.reader.count([*conditions, equal(self.lookup.field, version)], self.deadline)
            if counted:
                self.result.versions[version] = counted
            self.progress(min(total, self.result.versions.total()), total)
            if self.result.versions.total() >= total:
                return

    def _list(self, product_id: str | None, wanted: Collection[str] | None, total: int | None) -> None:
        records = self.reader.of_product(product_id, self.lookup.app_id, self.deadline)
        self.result.method = "list"
        self._take(records, wanted, total)

    def _take(self, records: Iterable[ListedDeviceRecord], wanted: Collection[str] | None, total: int | None) -> None:
        """Add devices to the result, each once.

        Args:
            records: the devices.
            wanted: the ids of the requested devices, or None for all.
            total: how many devices there are, as far as it is known.
        """
        result = self.result
        for device in records:
            if isinstance(device, UnreadableRecord):
                result.unreadable_records += wanted is None or device.id in wanted
            elif self._is_requested(device, wanted) and device.device_id not in result.devices:
                version = self._version_of(device)
                result.devices[device.device_id] = version
                result.total += 1
                result.versions += Counter([version] if version else [])
                result.product_ids |= {device.product_id} if device.product_id else set()
                if result.total % MAX_PAGE == 0:
                    self.progress(result.total, max(result.total, total or 0))

    def _is_requested(self, device: Device, wanted: Collection[str] | None) -> bool:
        """Return whether a device is one of the requested ones, whatever the service filtered."""
        product_id = self.lookup.product_id or device.product_id
        return (wanted is None or device.device_id in wanted) and device.product_id in (None, product_id)

    def _version_of(self, device: Device) -> str:
        """Return the version of a device, or empty: an absent, null or empty version is none."""
        if self.lookup.field:
            return str(getattr(device, self.lookup.field) or "")
        versions = (one.module_version for one in device.modules if one.module_name == self.lookup.module_name)
        return next(versions, None) or ""

    def _require_groups(self) -> str | None:
        """Refuse groups that do not exist or are too large, and return the product of a device of them."""
        missing: list[str] = []
        product_ids: list[str] = []
        refusal: ServiceError | None = None
        for group_id in self.lookup.group_ids:
            page = self._first_page(group_id)
            if isinstance(page, ServiceError):
                missing.append(group_id)
                refusal = page
            else:
                errors.require_countable(group_id, page.page.count or 0, MOST_IN_GROUP)
                product_ids += [one.product_id for one in _readable(page.devices or ()) if one.product_id]
        if refusal is not None:
            raise errors.missing_groups(missing, refusal, self.connection)
        if len(set(product_ids)) > 1:
            raise errors.several_products(sorted(set(product_ids)))
        return next((one for one in product_ids if is_searchable(one, _LONGEST_PRODUCT)), None)

    def _first_page(self, group_id: str) -> DevicePage | ServiceError:
        """Return the first page of a group, or the refusal if it does not exist."""
        try:
            return self.reader.first_of_group(group_id, self.deadline)
        except ServiceError as error:
            if not error.is_not_found:
                raise
            return error

    def _require_all(self) -> None:
        missing = [one for one in self.lookup.device_ids if one not in self.result.devices]
        if missing:
            raise errors.missing_devices(missing, self.result.unreadable_records, self.connection)

    def _known_versions(self, product_id: str) -> list[str]:
        """Return the versions that a package of the product has or supports, the newest package first."""
        query = PackageQuery(self.lookup.package_type, None, product_id)
        listed = self.run.packages(self.connection, query, deadline=self.deadline).packages
        packages = [one for one in listed if not isinstance(one, UnreadableRecord)]
        supported = (version for package in packages for version in package.support_source_versions)
        return list(dict.fromkeys([*(package.version for package in packages), *supported]))

    def _is_countable(self, conditions: Sequence[Condition], version: str) -> bool:
        return is_searchable(version) and fits([*conditions, equal(self.lookup.field, version)])

    def _count_of_product(self, product_id: str) -> int | None:
        return self.reader.count_of_product(product_id, None, self.deadline)


def _readable(records: Iterable[ListedDeviceRecord]) -> Iterator[Device]:
    return (record for record in records if not isinstance(record, UnreadableRecord))
