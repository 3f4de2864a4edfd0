"""The documented limits of fields."""

from __future__ import annotations

import pytest

from pulumi_iotda_ota.iotda import limits
from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.references import render


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        (limits.APP_ID, "a_Z-9", "a.b"),
        (limits.PACKAGE_ID, "x" * 36, "x" * 37),
        (limits.PACKAGE_ID, "a-1", "a_1"),
        (limits.VERSION, "V1.0_b-2", "V1.0+b"),
        (limits.VERSION, "x" * 256, ""),
        (limits.MODULE_NAME, "radio.1", "x" * 65),
        (limits.MARKER, "5c90fa7d3c4e4405e8525079", "5c90fa7d3c4e4405e852507g"),
        (limits.OBS_REGION, "cn-north-4", "cn_north_4"),
        (limits.OBS_BUCKET, "fleet.firmware-1", "Firmware"),
        (limits.OBS_BUCKET, "abc", "ab"),
        (limits.OBS_KEY, "a/ü 1\n.bin", "k" * 1025),
        (limits.SIGN, "aF09" * 16, "aF09" * 15),
        (limits.SIGN_METHOD, "SHA256", "SHA1"),
        (limits.TASK_NAME, "canary_1", "canary-1"),
        (limits.TASK_ID, "ab12", "AB12"),
        (limits.REGION, "cn-north-4", "cn_north"),
        (limits.PAGE_LIMIT, 50, 51),
        (limits.PAGE_LIMIT, 1, True),
        (limits.OFFSET, 0, -1),
        (limits.OFFSET, 500, "500"),
        (limits.RETRY_COUNT, 5, 5.0),
        (limits.TASK_TYPE, "moduleUpgrade", "deleteDevices"),
    ],
)
def test_limits_are_those_of_the_api(rule: limits.Rule, good: object, bad: object) -> None:
    """Each rule takes what the API's page allows and says of anything else what it must be."""
    assert rule.problem(good) is None
    assert str(rule.problem(bad)).startswith("must be ")


@pytest.mark.parametrize("end", ["\n", "\x00", " "])
def test_a_text_matches_from_end_to_end(end: str) -> None:
    """A line break at the end does not slip through."""
    assert limits.VERSION.problem(f"1.0{end}")


def test_an_error_names_argument_limit_and_value() -> None:
    """The message is all that is needed to put the value right; control characters in it are escaped."""
    with pytest.raises(InputError) as caught:
        limits.require("version", "1.0\x1b", limits.VERSION)

    assert caught.value.argument == "version"
    assert caught.value.headline == 'version must be 1 to 256 letters, digits, _, . or -, not "1.0\\x1b"'


def test_a_near_miss_is_pointed_out() -> None:
    """A choice that is almost right says which one was meant."""
    problem = limits.PACKAGE_TYPE.problem("firmware_package")

    assert str(problem).endswith("modulePackage (did you mean firmwarePackage?)")


def test_of_several_values_the_wrong_one_is_named() -> None:
    """The error counts from 0, as the API's own paths do."""
    with pytest.raises(InputError, match=r"targets\[1\] must be") as caught:
        limits.require_each("targets", ["a", "b c"], limits.TARGET)

    assert caught.value.argument == "targets[1]"


def test_too_many_values_are_counted() -> None:
    """The error says how many there may be and how many there are."""
    limits.require_at_most("targets", ["d"] * 2, 2)
    with pytest.raises(InputError, match="targets must be at most 2 values, not 3"):
        limits.require_at_most("targets", ["d"] * 3, 2)


def test_rules_over_two_values_are_said_once() -> None:
    """A rule of two values returns a problem that reads well after the name of the first."""
    assert limits.problem_of_devices(targets=True, group_ids=False) is None
    for both in (True, False):
        problem = limits.problem_of_devices(targets=both, group_ids=both)
        assert problem is not None
        assert render(problem) == "and group_ids: set exactly one of them"
        assert limits.problem_of_retries(count=both, interval=both) is None
        problem = limits.problem_of_retries(count=both, interval=not both)
        assert problem is not None
        assert render(problem) == "and retry_interval: set both or none"


@pytest.mark.parametrize(
    ("info", "problem"),
    [
        ({"a": "\u4e00" * 504}, None),
        ({"a": "x" * 505}, "must be at most 512 characters of JSON, not 513"),
        (["a"], "must be a JSON object"),
        ({"a": object()}, "must be a JSON object"),
        ({"a": float("nan")}, "must be a JSON object"),
    ],
)
def test_the_extra_of_a_task_is_measured_as_it_is_sent(info: object, problem: str | None) -> None:
    """512 characters of JSON are allowed, characters and not bytes, without blanks."""
    assert limits.problem_of_task_ext_info(info) == problem
