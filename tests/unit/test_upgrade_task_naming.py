"""The identity of an upgrade task, on plain values."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_iotda_ota.durations import parse_duration, parse_time
from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.limits import TASK_NAME
from pulumi_iotda_ota.iotda.models import BatchTask
from pulumi_iotda_ota.iotda.references import render
from pulumi_iotda_ota.lifecycle.upgrade_task.naming import (
    changed_inputs,
    disagreements,
    is_named_alike,
    new_task,
    task_name,
)

SCOPE = {"organization": "acme", "project": "meters", "stack": "prod", "name": "canary"}
INPUTS: dict[str, Any] = {
    "scope": SCOPE,
    "package_ids": ["p1"],
    "targets": ["d1", "d2"],
    "task_name": "canary_0",
    "task_type": "firmwareUpgrade",
}
names = st.text(min_size=1, max_size=200)


@given(
    st.fixed_dictionaries(dict.fromkeys(SCOPE, names)),
    st.one_of(st.none(), st.from_regex("[A-Za-z0-9_]{1,111}", fullmatch=True)),
)
def test_every_name_is_one_that_the_service_takes(scope: dict[str, str], prefix: str | None) -> None:
    """Whatever a stack and a resource are called, the task's name is within the documented limit."""
    name = task_name({**INPUTS, "scope": scope, "task_name_prefix": prefix})

    assert TASK_NAME.problem(name) is None
    assert re.search("_[0-9a-f]{16}$", name)


@pytest.mark.parametrize("part", SCOPE)
def test_other_stacks_have_other_names(part: str) -> None:
    """Equal tasks of two organizations, projects, stacks or resources never share a name."""
    other = {**INPUTS, "scope": {**SCOPE, part: "other"}}

    assert task_name(other).rpartition("_")[2] != task_name(INPUTS).rpartition("_")[2]


@given(st.lists(st.sampled_from(["d1", "d2", "d3"]), min_size=1))
def test_targets_are_a_set(targets: list[str]) -> None:
    """The order of targets, and a repeated target, need no new task."""
    same = {**INPUTS, "targets": sorted(set(targets))}

    assert task_name({**INPUTS, "targets": targets}) == task_name(same)
    assert changed_inputs({**INPUTS, "targets": targets}, same) == ()


@pytest.mark.parametrize("name", ["package_ids", "targets", "group_ids"])
def test_the_order_of_a_set_makes_no_other_task(name: str) -> None:
    """Packages, devices and groups are sets: another order, or one that is named twice, makes no new task."""
    one, other = {**INPUTS, name: ["a1", "b2"]}, {**INPUTS, name: ["b2", "a1", "b2"]}

    assert task_name(one) == task_name(other)
    assert changed_inputs(one, other) == ()


def test_the_order_of_keys_keeps_the_name() -> None:
    """Keys have no order, in triggers, in task_ext_info and in what names the stack."""
    keys = {"a": 1, "b": {"c": 2, "d": 3}}
    turned = {"b": {"d": 3, "c": 2}, "a": 1}
    one = {**INPUTS, "triggers": keys, "task_ext_info": keys}
    other = {**INPUTS, "triggers": turned, "task_ext_info": turned, "scope": dict(reversed(SCOPE.items()))}

    assert task_name(one) == task_name(other)


@pytest.mark.parametrize("length", [110, 111, 112, 200])
def test_long_names_are_cut_to_the_limit(length: int) -> None:
    """The name of a resource of any length makes a name of 128 characters at most, with all digits."""
    name = task_name({**INPUTS, "scope": {**SCOPE, "name": "n" * length}})

    assert len(name) == min(length + 17, 128)
    assert TASK_NAME.problem(name) is None


@pytest.mark.parametrize(
    ("change", "new_task"),
    [
        ({"package_ids": ["p2"]}, True),
        ({"targets": ["d3"]}, True),
        ({"app_id": "a2"}, True),
        ({"triggers": [1]}, True),
        ({"task_mode": "GATEWAY"}, True),
        ({"on_destroy": "retain"}, False),
        ({"retry_count": 2, "retry_interval": 5}, False),
        ({"task_name_prefix": "other"}, False),
        ({"adopt_within": "1h"}, False),
    ],
)
def test_what_makes_a_new_campaign(change: dict[str, Any], new_task: bool) -> None:
    """Packages, devices, space, mode and triggers need a new task. Any other input does not."""
    assert bool(changed_inputs(INPUTS, {**INPUTS, **change})) is new_task
    assert (task_name({**INPUTS, **change})[-16:] != task_name(INPUTS)[-16:]) is new_task


@pytest.mark.parametrize(
    ("name", "other", "alike"),
    [
        ("canary_0123456789abcdef", "meters_0123456789abcdef", True),
        ("canary_0123456789abcdef", "canary_0123456789abcdee", False),
        ("fleet_1", "fleet_1", True),
        ("fleet_1", "canary_1", False),
        ("fleet", "canary", False),
        ("x_fleet", "fleet", False),
    ],
)
def test_names_that_stand_for_one_campaign(name: str, other: str, alike: bool) -> None:
    """Names of this library are compared by their digits, and all other names as a whole."""
    assert is_named_alike(name, other) is is_named_alike(other, name) is alike


def test_body_holds_what_was_given_and_nothing_else() -> None:
    """The body of CreateBatchTask names the packages, the devices and the policy, and leaves out the rest."""
    inputs = {**INPUTS, "retry_count": 2, "retry_interval": 5, "schedule_time": "2026-12-01T08:00:00+01:00"}

    assert new_task(inputs) == {
        "task_name": "canary_0",
        "task_type": "firmwareUpgrade",
        "targets": ["d1", "d2"],
        "document": {"package_ids": ["p1"]},
        "task_policy": {"retry_count": 2, "retry_interval": 5, "schedule_time": "20261201T070000Z"},
    }


def test_body_for_an_older_instance() -> None:
    """document_key="package_id" sends the document that the API had before 2025-10."""
    assert new_task({**INPUTS, "document_key": "package_id"})["document"] == {"package_id": "p1"}


def task(**fields: Any) -> BatchTask:
    """Return a task as the service returns it."""
    defaults = {"task_id": "t1", "task_name": "canary_0", "task_type": "firmwareUpgrade", "status": "Processing"}
    return BatchTask(**{**defaults, **fields})


def test_what_is_not_echoed_agrees() -> None:
    """The service can leave fields out. Only a field that differs is a disagreement."""
    assert disagreements(task(), INPUTS) == []
    assert disagreements(task(targets=("d2", "d1"), document={"package_id": "p1"}), INPUTS) == []
    (differs,) = disagreements(task(document={"package_ids": ["p2"]}), INPUTS)
    assert render(differs) == 'package_ids is ["p2"], not ["p1"]'


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"schedule_time": "2026-12-01T08:00:00+01:00"}, {"schedule_time": "20261201T080000Z"}),
        ({"retry_count": 2, "retry_interval": 5}, {"retry_count": 3, "retry_interval": 5}),
        ({"retry_count": 2, "retry_interval": 5}, {"retry_count": 2, "retry_interval": 6}),
    ],
)
def test_a_found_task_with_another_policy(wanted: dict[str, Any], found: dict[str, Any]) -> None:
    """A task with another time or other retries is not the one that is wanted; an equal one is."""
    inputs = {**INPUTS, **wanted}
    (name,) = [name for name in found if found[name] != new_task(inputs)["task_policy"][name]]

    assert [render(line).partition(" ")[0] for line in disagreements(task(task_policy=found), inputs)] == [name]
    assert disagreements(task(task_policy=new_task(inputs)["task_policy"]), inputs) == []


@pytest.mark.parametrize(
    ("text", "seconds"), [(90, 90), (90.5, 90.5), ("90", 90), ("15m", 900), ("24h", 86_400), ("7d", 604_800)]
)
def test_durations(text: object, seconds: float) -> None:
    """Durations are seconds or text."""
    assert parse_duration("timeout", text) == seconds


@pytest.mark.parametrize("text", [-1, "", "1w", "m", True, None, "1e9", "9" * 30, float("nan"), float("inf")])
def test_bad_durations(text: object) -> None:
    """A value that is no duration is reported with the argument and the forms."""
    with pytest.raises(InputError, match='timeout must be seconds or a string such as "90s"'):
        parse_duration("timeout", text)


def test_times_of_both_forms_are_one_time() -> None:
    """RFC 3339 and the API's form read as the same time."""
    assert parse_time("t", "2026-10-02T09:00:00Z") == parse_time("t", "20261002T090000Z")
    assert parse_time("t", "2026-10-02T11:00:00+02:00") == parse_time("t", "20261002T090000Z")


@pytest.mark.parametrize("text", ["2026-10-02T09:00:00", "tomorrow", "20261302T090000Z", 5, None])
def test_bad_times(text: object) -> None:
    """A time without a zone, or none at all, is refused."""
    with pytest.raises(InputError, match="schedule_time must be a time with its zone"):
        parse_time("schedule_time", text)
