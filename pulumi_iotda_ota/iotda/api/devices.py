"""The operations that read devices, as pure functions: requests are built here, and responses are read.

A search is a statement of SQL. A value stands in single quotes, and the documents do not say how a quote inside of a
value is written. So a value with a quote is refused.
Source: the API pages SearchDevices, ListDevices and ShowDevicesInGroup.
"""

from __future__ import annotations

import json
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


def equal(name: str, value: str, *, negated: bool = False) -> str:
    """Return the condition that a field has a value.

    Args:
        name: the field.
        value: the value.
        negated: whether the field must have another value.

    Raises:
        InputError: a search cannot match the value.
    """
    return f"{name} {'!=' if negated else '='} {_literal(name, value)}"


def one_of(name: str, values: Iterable[str]) -> str:
    """Return the condition that a field has one of several values; see :func:`equal`."""
    return f"{name} in ({','.join(_literal(name, value) for value in values)})"


def fits(conditions: Sequence[str]) -> bool:
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


def count_devices(conditions: Sequence[str]) -> Request[DeviceSearch]:
    """Build SearchDevices that counts the devices of which all conditions hold."""
    return _search(_statement(_COUNT, conditions))


def search_devices(conditions: Sequence[str], *, marker: str | None = None) -> Request[DeviceSearch]:
    """Build SearchDevices that returns a page of devices, the newest first.

    Args:
        conditions: the conditions, all of which must hold.
        marker: the marker of the last device of the page before, or None.

    Raises:
        InputError: the statement is longer than the API allows, or has too many conditions.
    """
    if marker is not None:
        require("marker", marker, MARKER)
    after = [f"marker < '{marker}'"] if marker is not None else []
    return _search(_statement(_LIST, [*conditions, *after]) + _ORDER)


def list_devices(
    product_id: str | None, app_id: str | None, *, limit: int = MAX_PAGE, marker: str | None, offset: int | None = None
) -> Request[DevicePage]:
    """Build ListDevices.

    Args:
        product_id: the product, or None for all.
        app_id: the resource space, or None for all.
        limit: records a page, 1 to 50.
        marker: the marker of the page before, or None.
        offset: records to pass over, 0 to 500.
    """
    filters = filters_of(product_id=(product_id, PRODUCT_ID), app_id=(app_id, APP_ID))
    return Request(
        operation="ListDevices",
        doing="list devices",
        asked=arguments(dict(filters)),
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
        asked=arguments({"group_ids": [group_id]}),
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
        asked=quoted(statement),
        method="POST",
        path="search/query-devices",
        read=page_reader(DeviceSearch, required=False),
        body=json.dumps({"sql": statement}).encode(),
    )


def _statement(start: str, conditions: Sequence[str]) -> str:
    if len(conditions) > MAX_CONDITIONS:
        raise InputError(f"a search of devices takes at most {MAX_CONDITIONS} conditions, not {len(conditions)}")
    return f"{start} where {' and '.join(conditions)}" if conditions else start


def _literal(name: str, value: str) -> str:
    if not is_searchable(value, MAX_SQL):
        raise InputError(f"{argument(name)} cannot be searched for: {quoted(value)} is empty, or has a quote")
    return f"'{value}'"
