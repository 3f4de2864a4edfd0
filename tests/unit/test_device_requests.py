"""The requests that read devices, and the pace of searches: limits and values, without I/O."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_iotda_ota.iotda.api import devices
from pulumi_iotda_ota.iotda.api.devices import chunks, equal, fits, is_searchable, one_of
from pulumi_iotda_ota.iotda.devices import SearchPace, has_no_search
from pulumi_iotda_ota.iotda.errors import DeadlineExceeded, InputError, ServiceError
from pulumi_iotda_ota.iotda.retry import Clock, Deadline

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.http.messages import Request
    from pulumi_iotda_ota.iotda.models import DeviceSearch

IDS = st.lists(st.from_regex(r"[A-Za-z0-9_-]{1,128}", fullmatch=True), min_size=1, max_size=80, unique=True)


def sql(request: Request[DeviceSearch]) -> str:
    """Return the statement of a request."""
    return str(json.loads(request.body)["sql"])


def test_a_list_is_ordered_by_marker() -> None:
    """A page of a list has an order and 50 rows, and begins below the marker of the page before."""
    conditions = [one_of("group_id", ["a", "b"]), equal("product_id", "meter", negated=True)]
    assert sql(devices.search_devices(conditions, marker="0a" * 12)) == (
        "select * from device where group_id in ('a','b') and product_id != 'meter' "
        f"and marker < '{'0a' * 12}' order by marker desc limit 50"
    )
    assert sql(devices.count_devices([])) == "select count(*) from device"
    assert devices.count_devices([]).repeatable
    with pytest.raises(InputError, match="marker must be"):
        devices.search_devices([], marker="x")


@pytest.mark.parametrize("value", ["", "it's", "a\nb", "x" * 401])
def test_a_value_that_cannot_be_written_is_refused(value: str) -> None:
    """A value that is empty, has a quote or cannot be printed never gets into a statement."""
    assert not is_searchable(value)
    with pytest.raises(InputError, match="fw_version cannot be searched for"):
        equal("fw_version", value)


def test_limits_of_a_statement() -> None:
    """More than 400 characters or 5 conditions are refused. Whether conditions fit includes the marker of a page."""
    with pytest.raises(InputError, match="at most 400 characters"):
        devices.count_devices([one_of("device_id", ["x" * 128] * 3)])
    with pytest.raises(InputError, match="at most 5 conditions"):
        devices.count_devices([equal("device_id", "x")] * 6)
    assert fits([equal("device_id", "x")] * 4)
    assert not fits([equal("device_id", "x")] * 5)
    longest = next(size for size in range(400, 0, -1) if fits([equal("device_id", "x" * size)]))
    assert len(sql(devices.search_devices([equal("device_id", "x" * longest)], marker="f" * 24))) == 400


@given(IDS)
def test_parts_hold_every_value_once_and_fit(values: list[str]) -> None:
    """Values are cut into parts that keep their order. Each part fits into one statement and one page."""
    parts = list(chunks("device_id", values))
    assert [value for part in parts for value in part] == values
    assert all(len(part) <= 50 for part in parts)
    for part in parts:
        assert len(sql(devices.search_devices([one_of("device_id", part)], marker="f" * 24))) <= 400


def test_lists_have_bounds() -> None:
    """ListDevices and ShowDevicesInGroup keep the bounds of every list."""
    assert devices.list_devices("meter", "app", marker=None).query == (
        ("product_id", "meter"),
        ("app_id", "app"),
        ("limit", "50"),
    )
    for broken in ({"limit": 51, "marker": None}, {"marker": None, "offset": 501}, {"marker": "x"}):
        with pytest.raises(InputError):
            devices.list_devices("meter", None, **broken)
    with pytest.raises(InputError, match="group_ids must be"):
        devices.list_group_devices("a/b", marker=None)


def test_searches_are_a_second_apart() -> None:
    """Searches of several threads follow one another, each a second after the response of the one before."""
    lock, now = threading.Lock(), [0.0]
    begun: list[float] = []

    def sleep(seconds: float) -> None:
        with lock:
            now[0] += seconds

    clock = Clock(now=lambda: datetime.now(timezone.utc), monotonic=lambda: now[0], sleep=sleep)
    pace, deadline = SearchPace(), Deadline.start(clock, 100)

    def search() -> None:
        with pace.turn("key", clock, deadline, "search devices"):
            begun.append(now[0])
            sleep(0.25)

    threads = [threading.Thread(target=search) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert begun == [number * 1.25 for number in range(8)]
    with pace.turn("other", clock, deadline, "search devices"):
        assert now[0] == 9.0
    with pytest.raises(DeadlineExceeded), pace.turn("key", clock, Deadline.start(clock, 0.5), "search devices"):
        raise AssertionError("the turn came too early")


def test_which_refusal_means_that_there_is_no_search() -> None:
    """A path that is not published, or a refusal that names the edition, means no search. A denial does not."""
    assert has_no_search(ServiceError("x", status=404, error_code="APIGW.0101"))
    assert has_no_search(ServiceError("x", status=403, error_msg="The edition of the instance has no such API."))
    assert not has_no_search(ServiceError("x", status=403, error_msg="Policy doesn't allow it to be performed."))
    assert not has_no_search(ServiceError("x", status=500, error_msg="edition"))
