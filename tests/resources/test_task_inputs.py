"""UpgradeTask: which inputs are checked, when requests are sent, and what an unchanged task costs."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pulumi_iotda_ota.iotda.errors import IotdaOtaError
from pulumi_iotda_ota.iotda.limits import MAX_TARGETS
from pulumi_iotda_ota.lifecycle.base import UNKNOWN
from pulumi_iotda_ota.lifecycle.upgrade_task.resource import UpgradeTask

if TYPE_CHECKING:
    from tests.support.resource_bench import Bench


def test_type_and_name_are_known_at_the_preview(bench: Bench) -> None:
    """The check of a task that is due adds its type and its name, and creates nothing."""
    inputs = bench.checked()

    assert inputs["task_type"] == "firmwareUpgrade"
    assert inputs["task_name"].startswith("canary_")
    assert (bench.count("ShowOtaPackage"), bench.count()) == (1, 1)


@pytest.mark.parametrize(
    ("package_id", "task_type"), [("p1", "firmwareUpgrade"), ("s1", "softwareUpgrade"), ("m1", "moduleUpgrade")]
)
def test_type_follows_the_package(bench: Bench, package_id: str, task_type: str) -> None:
    """The type of the task is that of its package."""
    assert bench.checked(package_ids=[package_id])["task_type"] == task_type


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"package_ids": None}, "package_ids: is required"),
    ({"package_ids": []}, "package_ids: must not be empty"),
    ({"package_ids": "p1"}, 'package_ids: must be a list, not "p1"'),
    ({"package_ids": ["p_1"]}, 'package_ids: has an item that must be 1 to 36 letters, digits or -, not "p_1"'),
    ({"package_ids": ["p9"]}, "package_ids: there is no OTA package p9"),
    ({"package_ids": ["p1", "s1"]}, "package_ids: are of several types: p1 is of firmwarePackage, s1 is of software"),
    ({"targets": None}, "targets: and group_ids: set exactly one of them"),
    ({"group_ids": ["few"]}, "targets: and group_ids: set exactly one of them"),
    ({"targets": []}, "targets: must not be empty"),
    ({"targets": ["d 1"]}, "targets: has an item that must be 1 to 128"),
    ({"targets": [f"d{n}" for n in range(MAX_TARGETS + 1)]}, "targets: has 30,001 items; at most 30,000 are allowed"),
    ({"targets": None, "group_ids": ["a b"]}, "group_ids: has an item that must be"),
    ({"task_type": "firmware"}, "task_type: must be one of"),
    ({"task_type": "softwareUpgrade"}, "task_type: softwareUpgrade does not fit: the package is a firmwarePackage"),
    ({"task_name_prefix": "a-b"}, "task_name_prefix: must be 1 to 111 letters, digits, _ or Chinese characters"),
    ({"schedule_time": "tomorrow"}, "schedule_time: must be a time with its zone"),
    ({"schedule_time": "2026-11-22T11:59:59Z"}, "schedule_time: must be in the next 7 days, not"),
    ({"schedule_time": "2026-11-29T12:00:01Z"}, "schedule_time: must be in the next 7 days, not"),
    ({"retry_count": 6, "retry_interval": 5}, "retry_count: must be a whole number from 1 to 5"),
    ({"retry_count": 2}, "retry_count: and retry_interval: set both or none"),
    ({"retry_count": 2, "retry_interval": 2.5}, "retry_interval: must be a whole number"),
    ({"need_confirm": "yes"}, "need_confirm: must be True or False"),
    ({"task_mode": "gateway"}, "task_mode: must be GATEWAY"),
    ({"task_ext_info": "x"}, "task_ext_info: must be an object"),
    ({"task_ext_info": {"k": "x" * 520}}, "task_ext_info: must be at most 512 characters of JSON"),
    ({"on_destroy": "destroy"}, "on_destroy: must be one of stop, retain, delete"),
    ({"document_key": "ids"}, "document_key: must be one of package_ids, package_id"),
    (
        {"package_ids": ["p1", "p2"], "document_key": "package_id"},
        'document_key: "package_id" allows exactly one package',
    ),
    ({"replace_running": 1}, "replace_running: must be True or False"),
    ({"adopt_within": "1w"}, "adopt_within: must be seconds or a string such as"),
    ({"connection": {"project_id": "a/b"}}, "connection: project_id must be"),
    ({"app_id": "a/b"}, "app_id: must be 1 to 36"),
]


@pytest.mark.parametrize(
    ("wrong", "reported"), WRONG, ids=lambda value: value.partition(":")[0] if isinstance(value, str) else ""
)
def test_each_wrong_input_is_told(bench: Bench, wrong: dict[str, Any], reported: str) -> None:
    """A wrong input is one problem that begins with its name, and nothing is created."""
    found = bench.problems(**wrong)

    assert found.startswith(reported)
    assert sum(not line.startswith(" ") for line in found.splitlines()) == 1
    assert bench.posts == 0


def test_all_wrong_inputs_are_told_at_once(bench: Bench) -> None:
    """Several wrong inputs are reported together, before anything is sent."""
    found = bench.problems(
        package_ids=[], task_mode="x", retry_count=9, adopt_within="x", on_destroy="x", group_ids=["few"]
    )

    names = [line.partition(":")[0] for line in found.splitlines()]
    assert names == ["package_ids", "retry_count", "task_mode", "on_destroy", "adopt_within", "targets", "retry_count"]
    assert bench.count() == 0


def test_schedule_of_the_next_seven_days(bench: Bench) -> None:
    """A schedule ahead is taken in either form, and sent in the API's."""
    bench.created(schedule_time="2026-11-29T13:00:00+01:00")

    assert bench.emulator.tasks[0]["task_policy"] == {"schedule_time": "20261129T120000Z"}


@pytest.mark.parametrize(
    "name", ["package_ids", "targets", "triggers", "app_id", "schedule_time", "task_type", "need_confirm"]
)
def test_unknown_inputs_wait(bench: Bench, name: str) -> None:
    """While an input of the task is unknown, nothing is sent and nothing is wrong."""
    for value in (UNKNOWN, [UNKNOWN]):
        checked = UpgradeTask.check(bench.context, {}, bench.inputs(**{name: value}))
        assert checked.problems == []
        assert "task_name" not in checked.inputs
    assert bench.count() == 0


def test_known_items_are_checked_among_unknown_ones(bench: Bench) -> None:
    """A wrong item of a list is reported although another item is not known yet."""
    assert bench.problems(targets=[UNKNOWN, "d 1"]).startswith("targets: has an item that must be")
    assert bench.problems(package_ids=UNKNOWN, task_mode="x").startswith("task_mode: ")


def test_unknown_inputs_that_do_not_matter_yet(bench: Bench) -> None:
    """An unknown input that is not sent does not hide the name."""
    assert "task_name" in bench.checked(on_destroy=UNKNOWN, adopt_within=UNKNOWN)


def test_an_unknown_change_may_be_a_new_campaign(bench: Bench) -> None:
    """If an input of the task is unknown, the preview shows a replacement."""
    state = bench.created().outputs
    news = {**state, "package_ids": [UNKNOWN], "triggers": UNKNOWN}

    assert UpgradeTask.diff(bench.context, "x", state, news).replaces == ("package_ids", "triggers")


def test_an_unchanged_campaign_sends_nothing(bench: Bench) -> None:
    """A task that exists is checked without a request and without credentials, even if its packages are gone."""
    created = bench.created(schedule_time="2026-11-23T00:00:00Z")
    bench.time.sleep(7 * 86_400)
    bench.emulator.delete_package("p1")
    bench.emulator.forget_requests()

    silent = bench.silent()
    again = silent.checked(created.outputs, schedule_time="2026-11-23T00:00:00Z", targets=["d2", "d1", "d2"])

    assert again["task_name"] == created.outputs["task_name"]
    assert not UpgradeTask.diff(silent.context, created.id, created.outputs, again).replaces
    assert bench.count() == 0


def test_what_was_good_enough_is_not_judged_again(bench: Bench) -> None:
    """A stack of an earlier release still previews if a limit became stricter, but a new value is judged."""
    olds = {**bench.checked(), "task_mode": "OLD", "targets": ["of earlier"], "retry_count": 9, "retry_interval": 1}
    same = {"task_mode": "OLD", "targets": ["of earlier"], "retry_interval": 1}

    assert bench.problems(olds, **same, retry_count=9) == ""
    assert bench.problems(olds, **same, retry_count=8).startswith("retry_count: ")


def test_a_task_keeps_its_type(bench: Bench) -> None:
    """Another task_type for a task that exists is an error."""
    olds = bench.checked()

    assert bench.problems(olds, task_type="firmwareUpgrade") == ""
    assert bench.problems(olds, task_type="softwareUpgrade").startswith(
        "task_type: is softwareUpgrade, but the task is"
    )


def test_numbers_that_travel_as_floats_are_no_change(bench: Bench) -> None:
    """The engine sends whole numbers as floats and drops None. Neither needs a new task."""
    first = bench.checked(triggers={"wave": 1, "note": None}, retry_count=2, retry_interval=5)
    same = bench.checked(triggers={"wave": 1.0}, retry_count=2.0, retry_interval=5.0)

    assert first["task_name"] == same["task_name"]
    assert not UpgradeTask.diff(bench.context, "x", first, {**same, "connection": None}).changes


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=4) | st.just(UNKNOWN),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
ARGUMENTS = [name for name in UpgradeTask.input_names if name not in {"connection", "scope"}]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(ARGUMENTS), VALUES, max_size=6))
def test_no_input_breaks_the_check(bench: Bench, changes: dict[str, Any]) -> None:
    """The check and the diff accept or refuse any input, known or not, and create nothing."""
    olds = {**bench.inputs(), "task_name": "canary_0", "task_type": "firmwareUpgrade"}

    for before in ({}, olds):
        checked = UpgradeTask.check(bench.context, before, bench.inputs(**changes))
        assert isinstance(checked.problems, list)
        with suppress(IotdaOtaError):  # it may be refused
            UpgradeTask.diff(bench.context, "abc", olds, checked.inputs)
    assert bench.posts == 0


def test_packages_of_several_products(bench: Bench) -> None:
    """One task is for devices of one product, and for packages of the space that it names."""
    other = bench.emulator.add_package(product_id="gateway", app_id="energy")
    elsewhere = bench.emulator.add_package(product_id="meter", app_id="water")

    reported = bench.problems(package_ids=["p1", other])
    assert reported.startswith(f"package_ids: are of several products: p1 is of meter, {other} is of gateway")
    reported = bench.problems(package_ids=[elsewhere], app_id="energy")
    assert f'are of another resource space: {elsewhere} is of water, and app_id="energy"' in reported
    assert bench.problems(package_ids=["p1", "p2"], app_id="energy") == ""


def test_a_task_name_with_chinese_characters(bench: Bench) -> None:
    """A name can begin with Chinese characters, and the next run finds the task by it."""
    created = bench.created(task_name_prefix="金丝雀")

    assert bench.emulator.tasks[0]["task_name"].startswith("金丝雀_")
    assert bench.created(task_name_prefix="金丝雀").id == created.id
