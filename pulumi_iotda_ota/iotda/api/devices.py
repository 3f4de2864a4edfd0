"""The operations that read devices, as pure functions: requests are built here, and responses are read.

A search is a statement of SQL. A value stands in single quotes, and the documents do not say how a quote inside of a
value is written. So a value with a quote is refused.
Source: the API pages SearchDevices, ListDevices and ShowDevicesInGroup.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.api.protocol import filters_of, page_of
from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.http.messages import Request
from pulumi_iotda_ota.iotda.http.parsing import page_reader
from pulumi_iotda_ota.iotda.limits import APP_ID, GROUP_ID, MARKER, MAX_PAGE, PRODUCT_ID, require
from pulumi_iotda_ota.iotda.models import DevicePage, DeviceSearch
from pulumi_iotda_ota.iotda.references import argument, arguments
from pulumi_iotda_ota.iotda.sanitize import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_SQL = 400
MAX_CONDITIONS = 5
#: The longest version that a search can match.
MAX_VERSION = 64
_COUNT = "select count(*) from device"
_LIST = "select * from device"
# The longest end of a statement that lists: the condition on the marker, order and limit.
_ORDER = f" order by marker desc limit {MAX_PAGE}"
_LONGEST_END = len(f" and marker < '{'f' * 24}'{_ORDER}")


def is_searchable(value: str, longest: int = MAX_VERSION) -> bool:
    """Return whether a search can match a value."""
    return 0 < len(value) <= longest and "'" not in value and value.isprintable()


@dataclass(frozen=True)
class Condition:
    """A condition of a search: a field has one of some values.

    Attributes:
        name: the field.
        values: the values, at least one.
        negated: whether the field must have another value.

    Raises:
        InputError: a search cannot match a value.
    """

    name: str
    values: tuple[str, ...] = field(repr=False)
    negated: bool = False

    def __post_init__(self) -> None:
        for value in self.values:
            if not is_searchable(value, MAX_SQL):
                raise InputError(
                    f"{argument(self.name)} cannot be searched for: {quoted(value)} is empty, or has a quote",
                    argument=self.name,
                )

    @property
    def sql(self) -> str:
        """Return the condition as a part of a statement."""
        literals = [f"'{value}'" for value in self.values]
        if len(literals) == 1:
            return f"{self.name} {'!=' if self.negated else '='} {literals[0]}"
        return f"{self.name} {'not ' * self.negated}in ({','.join(literals)})"

    def holds(self, value: str | None) -> bool:
        """Return whether the condition holds for the value of a device."""
        return (value in self.values) != self.negated


def equal(name: str, value: str, *, negated: bool = False) -> Condition:
    """Return the condition that a field has a value, or another one."""
    return Condition(name, (value,), negated)


def one_of(name: str, values: Iterable[str]) -> Condition:
    """Return the condition that a field has one of several values."""
    return Condition(name, tuple(values))


def fits(conditions: Sequence[Condition]) -> bool:
    """Return whether a statement with these conditions can count and list devices, page by page."""
    return len(conditions) < MAX_CONDITIONS and len(_statement(_LIST, conditions)) + _LONGEST_END <= MAX_SQL


def chunks(name: str, values: Sequence[str]) -> Iterator[list[str]]:
    """Yield values in parts, each as large as one statement and one page take.

    Raises:
        InputError: a search cannot match a value.
    """
    part: list[str] = []
    for value in values:
        if part and (len(part) == MAX_PAGE or not fits([one_of(name, [*part, value])])):
            yield part
            part = []
        part.append(value)
    if part:
        yield part


def count_devices(conditions: Sequence[Condition]) -> Request[DeviceSearch]:
    """Build SearchDevices that counts the devices of which all conditions hold."""
    return _search(_statement(_COUNT, conditions))


def search_devices(conditions: Sequence[Condition], *, marker: str | None = None) -> Request[DeviceSearch]:
    """Build SearchDevices that returns a page of devices, the newest first.

    Args:
        conditions: the conditions, all of which must hold.
        marker: the marker of the last device of the page before, or None.

    Raises:
        InputError: the statement is longer than the API allows, or has too many conditions.
    """
    if marker is not None:
        require("marker", marker, MARKER)
    return _search(_statement(_LIST, conditions, f"marker < '{marker}'" if marker is not None else "") + _ORDER)


def list_devices(
    product_id: str | None, app_id: str | None, *, limit: int = MAX_PAGE, marker: str | None, offset: int | None = None
) -> Request[DevicePage]:
    """Build ListDevices.

    Args:
        product_id: the product, or None for all.
        app_id: the resource space, or None for all.
        limit: records a page, 1 to 50.
        marker: the marker of the page before, or None.
        offset: how many records are skipped, 0 to 500.
    """
    filters = filters_of(product_id=(product_id, PRODUCT_ID), app_id=(app_id, APP_ID))
    return Request(
        operation="ListDevices",
        doing="list devices",
        requested_values=arguments(dict(filters)),
        method="GET",
        path="devices",
        read=page_reader(DevicePage),
        query=filters + page_of(limit, marker, offset),
    )


def list_group_devices(group_id: str, *, marker: str | None, offset: int | None = None) -> Request[DevicePage]:
    """Build ShowDevicesInGroup, whose devices have no versions; see :func:`list_devices`."""
    require("group_ids", group_id, GROUP_ID)
    return Request(
        operation="ShowDevicesInGroup",
        doing="list the devices of a group",
        requested_values=arguments({"group_ids": [group_id]}),
        method="GET",
        path=f"device-group/{group_id}/devices",
        read=page_reader(DevicePage),
        query=page_of(MAX_PAGE, marker, offset),
    )


def _search(statement: str) -> Request[DeviceSearch]:
    if len(statement) > MAX_SQL:
        raise InputError(f"a search of devices takes at most {MAX_SQL} characters, not {len(statement):,}")
    return Request(
        operation="SearchDevices",
        doing="search devices",
        requested_values=quoted(statement),
        method="POST",
        path="search/query-devices",
        read=page_reader(DeviceSearch, required=False),
        body=json.dumps({"sql": statement}).encode(),
    )


def _statement(start: str, conditions: Sequence[Condition], last: str = "") -> str:
    texts = [*(condition.sql for condition in conditions), *([last] if last else [])]
    if len(texts) > MAX_CONDITIONS:
        raise InputError(f"a search of devices takes at most {MAX_CONDITIONS} conditions, not {len(texts)}")
    return f"{start} where {' and '.join(texts)}" if texts else start
