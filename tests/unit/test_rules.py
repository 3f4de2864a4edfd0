"""The rules of a selection, each alone and each two together, on packages in memory."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.selection import rules
from pulumi_iotda_ota.selection.choose import select
from pulumi_iotda_ota.selection.policy import Policy
from pulumi_iotda_ota.selection.rules import keeps_prereleases, rules_of
from tests.support.packages import package

# In the order in which they apply: the words of a policy, what breaks the rule, and what is then said.
RULES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("package_type", {"package_type": "firmwarePackage"}, {"package_type": "softwarePackage"}, "type softwarePackage"),
    ("app_id", {"app_id": "a1"}, {"app_id": "a2"}, "resource space a2"),
    ("product_id", {"product_id": "meter"}, {"product_id": "lamp"}, "product lamp"),
    ("version", {"version": "2.0.0"}, {"version": "0.9.0-rc1"}, "version 0.9.0-rc1"),
    ("module_name", {"module_name": "radio"}, {"module_name": None}, "module not set"),
    (
        "created_after",
        {"created_after": "20260101T000000Z"},
        {"create_time": "20251231T235959Z"},
        "uploaded 2025-12-31T23:59:59Z",
    ),
    (
        "created_before",
        {"created_before": "20260301T000000Z"},
        {"create_time": "20260301T000000Z"},
        "uploaded 2026-03-01T00:00:00Z",
    ),
    (
        "source_versions",
        {"source_versions": ("1.0.0",), "allow_downgrade": True},
        {"support_source_versions": ("0.8", "0.9")},
        "supports only 0.8, 0.9",
    ),
    ("allow_downgrade", {"source_versions": ("1.0.0",)}, {"version": "0.9.0-rc1"}, "below 1.0.0, which devices run"),
    ("version_regex", {"version_regex": r"2\.\d\.0"}, {"version": "0.9.0-rc1"}, "does not match"),
    ("version_scheme", {"version_scheme": "semver"}, {"version": "V2"}, "not a semantic version such as"),
    ("version_constraint", {"version_constraint": "^2"}, {"version": "0.9.0-rc1"}, "outside ^2"),
    ("include_prereleases", {"include_prereleases": False}, {"version": "0.9.0-rc1"}, "prerelease"),
]
# What no rule speaks against.
FITS: dict[str, Any] = {
    "version": "2.0.0",
    "module_name": "radio",
    "create_time": "20260201T000000Z",
    "support_source_versions": ("1.0.0",),
}


def told(policy: Policy, **fields: Any) -> tuple[str, str] | None:
    """Return the rule that skips a package and its reason, or None if it matches."""
    selection = select([package(**{**FITS, **fields})], policy)
    return (selection.skipped[0].rule, selection.skipped[0].reason) if selection.skipped else None


@pytest.mark.parametrize(("rule", "words", "breaking", "reason"), RULES, ids=[rule for rule, *_ in RULES])
def test_each_rule_alone(rule: str, words: dict[str, Any], breaking: dict[str, Any], reason: str) -> None:
    """A package that matches is kept; one that fails the rule is skipped with the argument and the reason."""
    policy = Policy(**words)

    assert told(policy) is None
    found = told(policy, **breaking)
    assert found is not None
    assert found[0] == rule
    assert reason in found[1]


PAIRS = [
    (first, second)
    for first, second in combinations(RULES, 2)
    # Only where one package can break both.
    if not any(name in second[2] and second[2][name] != value for name, value in first[2].items())
]


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=[f"{one[0]}-{two[0]}" for one, two in PAIRS])
def test_of_two_rules_the_earlier_is_told(first: Any, second: Any) -> None:
    """A package that breaks two rules is counted by the one that comes first in the documented order, and once."""
    words = {**first[1], **second[1]}
    # The rule of downgrades is the one that its own words switch on.
    if "allow_downgrade" in (first[0], second[0]):
        words["allow_downgrade"] = False

    found = told(Policy(**words), **{**first[2], **second[2]})

    assert found is not None
    assert found[0] == first[0]


@pytest.mark.parametrize(
    ("rule", "words"), [("version", {"version": "2.0.0"}), ("version_regex", {"version_regex": "2"})]
)
def test_an_unreadable_version_is_told_after_what_needs_no_scheme(rule: str, words: dict[str, Any]) -> None:
    """The exact version and the pattern are compared as text, before anything is read."""
    found = told(Policy(version_scheme="semver", **words), version="V2")

    assert found is not None
    assert found[0] == rule


def test_the_pairs_are_many() -> None:
    """Almost every pair of rules can be broken by one package."""
    assert len(PAIRS) >= 65


def test_the_documented_order_is_the_order() -> None:
    """The text of the module names the rules in the order in which they apply."""
    words: dict[str, Any] = {}
    for _, given, *_ in RULES:
        words |= given
    policy = Policy(**{**words, "allow_downgrade": False, "order_by": "create_time"})
    names = list(dict.fromkeys(rule.argument for rule in rules_of(policy)))
    places = [str(rules.__doc__).index(f"``{name}``") for name in names]

    assert names == [*(rule for rule, *_ in RULES), "order_by"]
    assert places == sorted(places)


def test_a_policy_that_says_nothing_keeps_all_that_can_be_read() -> None:
    """Without arguments, only unreadable versions and prereleases are skipped."""
    names = [rule.argument for rule in rules_of(Policy())]

    assert names == ["version_scheme", "include_prereleases"]
    assert told(Policy(include_prereleases=True), version="1.0-rc1") is None
    assert told(Policy(), version="1 0") == ("version_scheme", "not 1 to 256 letters, digits, _, - or .")


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ({}, False),
        ({"include_prereleases": True}, True),
        ({"include_prereleases": False, "version": "1.0-rc1"}, False),
        ({"version": "1.0-rc1"}, True),
        ({"version": "1.0"}, False),
        ({"preferred_versions": ("1.0", "1.1-beta")}, True),
        ({"version_constraint": ">=1.0-rc1"}, True),
        ({"version_constraint": "^1 || !=2-rc1"}, True),
        ({"version_constraint": "^1"}, False),
        ({"version_regex": "1.0-rc1"}, False),
        ({"version": "1.0.0-1"}, False),
        ({"version": "1.0.0-1", "version_scheme": "semver"}, True),
        ({"source_versions": ("1.0-rc1",)}, False),
    ],
)
def test_when_prereleases_are_kept(words: dict[str, Any], kept: bool) -> None:
    """They match as the argument says, or if an argument names one. A pattern and a source version do not name one."""
    assert keeps_prereleases(Policy(**words)) is kept


@pytest.mark.parametrize(
    ("sources", "supported", "fits"),
    [
        (("1.0",), (), True),
        (("1.0",), ("1.0",), True),
        (("1.0", "1.1"), ("1.1", "0.9", "1.0"), True),
        (("1.0", "1.1"), ("1.0",), False),
        (("1.0",), ("1.0.0",), False),
        (("V1.0",), ("v1.0",), False),
    ],
)
def test_what_supports_the_devices(sources: tuple[str, ...], supported: tuple[str, ...], fits: bool) -> None:
    """A package matches if it lists no source version or all of them. They compare as text."""
    policy = Policy(source_versions=sources)

    assert (told(policy, support_source_versions=supported) is None) is fits


@pytest.mark.parametrize(
    ("version", "fits"), [("1.0", False), ("1.1-rc1", False), ("1.1", True), ("V1.1.0", True), ("1.1_B2", True)]
)
def test_below_any_of_the_devices_is_a_downgrade(version: str, fits: bool) -> None:
    """What ties with the highest version that devices run, or is above it, is no downgrade."""
    policy = Policy(source_versions=("1.0", "1.1"), include_prereleases=True)

    assert (told(policy, version=version, support_source_versions=()) is None) is fits
    assert (
        told(
            Policy(source_versions=("1.0", "1.1"), allow_downgrade=True, include_prereleases=True),
            version="0.1",
            support_source_versions=(),
        )
        is None
    )


@pytest.mark.parametrize(("supported", "named"), [("1234", "1, 2, 3, 4"), ("12345", "1, 2, 3, 4 and others")])
def test_many_supported_versions_are_not_all_told(supported: str, named: str) -> None:
    """The reason names four of them, and says whether there are others."""
    found = told(Policy(source_versions=("9",)), support_source_versions=tuple(supported))

    assert found == ("source_versions", f"supports only {named}")


def test_a_window_begins_with_its_first_second() -> None:
    """A package that was uploaded exactly at ``created_after`` fits."""
    assert told(Policy(created_after="20260101T000000Z"), create_time="20260101T000000Z") is None


@pytest.mark.parametrize(
    ("constraint", "version", "reason"),
    [
        ("=2", "2.0.0", None),
        ("!=2", "2.0.0", "outside !=2"),
        ("=1.5.0-arm64 <1.5.0", "1.5.0-arm64", "outside =1.5.0-arm64 <1.5.0; arm is an unknown word"),
        ("=1.5.0-arm64 <1.5.0", "1.5.0", "outside =1.5.0-arm64 <1.5.0"),
    ],
)
def test_the_reason_of_a_constraint(constraint: str, version: str, reason: str | None) -> None:
    """A version that fulfils it has no reason. An unknown word is named if the version fits by the order alone."""
    found = told(Policy(version_constraint=constraint), version=version)

    assert (found and found[1]) == reason


@pytest.mark.parametrize(
    "words",
    [
        {"version_regex": "("},
        {"version_constraint": "~"},
        {"version_scheme": "pep440"},
        {"version_scheme": "semver", "source_versions": ("V1",)},
    ],
)
def test_what_can_not_be_read_is_told_before_any_package(words: dict[str, Any]) -> None:
    """Making the rules already refuses a word that cannot be read, and names it."""
    with pytest.raises(InputError) as caught:
        rules_of(Policy(**words))

    assert caught.value.argument == next(name for name in ("source_versions", *words) if name in words)


def test_sources_need_no_scheme_where_downgrades_are_allowed() -> None:
    """Without an order to keep, source versions are text alone."""
    policy = Policy(version_scheme="semver", source_versions=("V1",), allow_downgrade=True)

    assert told(policy, support_source_versions=("V1",)) is None
