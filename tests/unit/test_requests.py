"""The documented limits of CreateBatchTask."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pulumi_iotda_ota.iotda.api import protocol
from pulumi_iotda_ota.iotda.errors import InputError
from tests.support.fault_helpers import NOW

TASK: dict[str, Any] = {
    "task_name": "canary_1",
    "task_type": "firmwareUpgrade",
    "targets": ["dev-1"],
    "document": {"package_ids": ["abc"]},
}
GROUPS = {"targets": None, "targets_filter": {"group_ids": ["g-1"]}}


def sent(**changes: Any) -> dict[str, Any]:
    """Return the body that is sent for a task with these changes."""
    body: dict[str, Any] = json.loads(protocol.create_batch_task({**TASK, **changes}, now=NOW).body)
    return body


@pytest.mark.parametrize(
    "changes",
    [
        {},
        GROUPS,
        {"document": {"package_id": "abc"}},
        {"app_id": "app_1", "task_mode": "GATEWAY", "need_confirm": True, "task_ext_info": {"a": "\u4e00"}},
        {"task_policy": {"schedule_time": "20261122T120001Z"}},
        {"task_policy": {"schedule_time": "20261129T120000Z", "retry_count": 5, "retry_interval": 1440}},
        {"targets": ["d"] * 30_000},
        {"task_ext_info": {"a": "x" * 504}},
    ],
    ids=",".join,
)
def test_what_is_within_the_limits_is_sent_as_given(changes: dict[str, Any]) -> None:
    """Every documented field goes into the body unchanged; what is None is left out."""
    given = {**TASK, **changes}

    assert sent(**changes) == {name: value for name, value in given.items() if value is not None}


@pytest.mark.parametrize(
    ("changes", "argument"),
    [
        ({"task_name": "has-hyphen"}, "task_name"),
        ({"task_name": "x" * 129}, "task_name"),
        ({"task_name": None}, "task_name"),
        ({"task_type": "deleteDevices"}, "task_type"),
        ({"task_mode": "gateway"}, "task_mode"),
        ({"app_id": "a/b"}, "app_id"),
        ({"need_confirm": "yes"}, "need_confirm"),
        ({"task_ext_info": {"a": "x" * 505}}, "task_ext_info"),
        ({"task_ext_info": ["a"]}, "task_ext_info"),
        ({"task_ext_info": {"a": object()}}, "task_ext_info"),
        ({"task_ext_info": {"a": float("nan")}}, "task_ext_info"),
        ({"targets": ["d"] * 30_001}, "targets"),
        ({"targets": ["d", "d e"]}, "targets[1]"),
        ({"targets": "dev-1"}, "targets"),
        ({"targets": []}, "targets"),
        ({"targets": None}, "targets"),
        ({"targets_filter": {"group_ids": ["g"]}}, "targets"),
        ({"targets": None, "targets_filter": {"group_ids": []}}, "group_ids"),
        ({"targets": None, "targets_filter": {"group_ids": ["g g"]}}, "group_ids[0]"),
        ({"targets": None, "targets_filter": {"groups": ["g"]}}, "group_ids"),
        ({"document": None}, "package_ids"),
        ({"document": {}}, "package_ids"),
        ({"document": {"package_ids": []}}, "package_ids"),
        ({"document": {"package_ids": ["a_b"]}}, "package_ids[0]"),
        ({"document": {"package_id": "a_b"}}, "package_ids[0]"),
        ({"document": {"package_ids": ["a"], "package_id": "a"}}, "package_ids"),
        ({"document": "abc"}, "package_ids"),
        ({"task_policy": {"retry_count": 1}}, "retry_count"),
        ({"task_policy": {"retry_interval": 1}}, "retry_count"),
        ({"task_policy": {"retry_count": 6, "retry_interval": 1}}, "retry_count"),
        ({"task_policy": {"retry_count": True, "retry_interval": 1}}, "retry_count"),
        ({"task_policy": {"retry_count": 1, "retry_interval": 1441}}, "retry_interval"),
        ({"task_policy": {"schedule_time": "20261122T120000Z"}}, "schedule_time"),
        ({"task_policy": {"schedule_time": "20261129T120001Z"}}, "schedule_time"),
        ({"task_policy": {"schedule_time": "tomorrow"}}, "schedule_time"),
        ({"task_policy": {"when": "now"}}, "task_policy"),
        ({"document_source": "x"}, "document_source"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_breaks_a_limit_is_not_sent(changes: dict[str, Any], argument: str) -> None:
    """A task that the service would refuse, or silently read otherwise, is an InputError that names the argument."""
    with pytest.raises(InputError) as caught:
        sent(**changes)

    assert caught.value.argument == argument
