"""The rules of a selection, on packages in memory."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_iotda_ota.selection.choose import MAX_SKIPPED, select, spans
from pulumi_iotda_ota.selection.policy import Policy
from pulumi_iotda_ota.selection.versions import scheme
from tests.support.packages import package

if TYPE_CHECKING:
    import random

    from pulumi_iotda_ota.iotda.models import OtaPackage
    from pulumi_iotda_ota.selection.versions import Key, Scheme


packages = st.lists(
    st.builds(
        package,
        package_id=st.sampled_from([f"p{number}" for number in range(9)]),
        product_id=st.sampled_from(["meter", "gateway"]),
        version=st.sampled_from(["V1", "V2", "v1"]),
        module_name=st.sampled_from([None, "radio"]),
        create_time=st.sampled_from(["20260101T000000Z", "20260102T000000Z"]),
    ),
    max_size=12,
)


@given(packages, st.sampled_from([None, "meter"]), st.sampled_from([None, "V1"]), st.sampled_from([None, "radio"]))
def test_what_fits_and_what_does_not_is_everything(
    found: list[OtaPackage], product: str | None, version: str | None, module: str | None
) -> None:
    """Each package either matches or is skipped by one rule. Exact filters compare exactly."""
    policy = Policy(product_id=product, version=version, module_name=module)

    selection = select(found, policy)

    assert len(selection.packages) + sum(selection.skipped_counts.values()) == selection.total == len(found)
    for one in selection.packages:
        assert (product or one.product_id, version or one.version) == (one.product_id, one.version)
        assert module is None or one.module_name == module


@given(packages, st.lists(st.sampled_from(["V1", "V2", "1.0", "V3"]), max_size=3), st.sampled_from(["version", None]))
def test_tiers_are_the_preferred_versions_and_then_the_rest(
    found: list[OtaPackage], preferred: list[str], order: str | None
) -> None:
    """Every package is in one tier, that of the first preferred version it ties with; within one, order_by decides."""
    key = scheme("loose").key
    wanted = [key(version) for version in preferred]

    tiers = select(found, Policy(preferred_versions=tuple(preferred), order_by=order)).tiers

    ranks = [wanted.index(key(tier.preferred)) if tier.preferred else len(wanted) for tier in tiers]
    assert ranks == sorted(set(ranks))
    assert sorted(map(id, found)) == sorted(id(one) for tier in tiers for one in tier.packages)
    for rank, tier in zip(ranks, tiers, strict=True):
        keys = [key(one.version) for one in tier.packages]
        assert all((wanted.index(one) if one in wanted else len(wanted)) == rank for one in keys)
        assert order is None or keys == sorted(keys, reverse=True)


@given(packages, st.randoms(use_true_random=False))
def test_the_versions_do_not_depend_on_the_order_of_input(found: list[OtaPackage], shuffler: random.Random) -> None:
    """Highest first is the same list of versions, up to ties, however the packages came."""
    key = scheme("loose").key
    policy = Policy(order_by="version", version_constraint=">=1")
    shuffled = found.copy()
    shuffler.shuffle(shuffled)

    first, second = select(found, policy), select(shuffled, policy)

    assert [key(one.version) for one in first.packages] == [key(one.version) for one in second.packages]
    assert first.skipped_counts == second.skipped_counts


@given(packages)
def test_ties_of_versions_keep_the_service_s_order(found: list[OtaPackage]) -> None:
    """Packages whose versions tie stay in the order of the service, the newest record first."""
    chosen = select(found, Policy(order_by="version")).packages
    ones = [one for one in chosen if one.version.lower() == "v1"]

    assert ones == [one for one in found if one.version.lower() == "v1"]


def test_each_version_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A version is read once in a selection, whatever rules need it, and nothing is kept afterwards."""
    read: Counter[str] = Counter()
    loose = type(scheme("loose"))
    key = loose.key

    def counted(self: Scheme, text: str) -> Key:
        read[text] += 1
        return key(self, text)

    monkeypatch.setattr(loose, "key", counted)
    found = [package(version=version) for version in ("4.1", "4.2", "4.2", "4.3-rc1", "4.1")]
    policy = Policy(order_by="version", source_versions=("3",), version_constraint="^4", preferred_versions=("9",))

    for times in (1, 2):
        select(found, policy)
        assert {version: read[version] for version in ("4.1", "4.2", "4.3-rc1")} == dict.fromkeys(
            ("4.1", "4.2", "4.3-rc1"), times
        )


def test_the_first_that_a_rule_passed_over_is_known_beyond_the_hundred() -> None:
    """The first package that cannot be read is kept although a hundred others were skipped before it."""
    odd = package(version="1 0", package_id="odd")
    found = [*[package(version="V2")] * 150, odd, package(version="1 0")]

    selection = select(found, Policy(version_regex="V1|1 0"))

    assert len(selection.skipped) == MAX_SKIPPED
    assert selection.first_unreadable is not None
    assert selection.first_unreadable.package_id == "odd"
    assert selection.unreadable_counts == {"version_scheme": 2}


@pytest.mark.parametrize(
    ("policy", "rule"),
    [
        (Policy(order_by="create_time"), "order_by"),
        (Policy(created_after="20250101T000000Z", order_by="create_time"), "created_after"),
        (Policy(created_before="20270101T000000Z"), "created_before"),
    ],
)
def test_an_upload_time_that_cannot_be_read(policy: Policy, rule: str) -> None:
    """If a rule needs the upload time, a package without a readable one is skipped and counted, and ends nothing."""
    times = ["", "2026-01-01", "1767225600", "20261301T000000Z", "20260101T000000Z"]
    found = [package(package_id=f"p{number}", create_time=time) for number, time in enumerate(times)]

    selection = select(found, policy)

    assert [one.create_time for one in selection.packages] == times[-1:]
    assert selection.skipped_counts == selection.unreadable_counts == {rule: 4}
    assert selection.skipped[1].reason == 'create_time "2026-01-01" cannot be read'
    assert len(select(found, Policy(order_by="version")).packages) == len(found)


def test_upload_times_of_all_forms_are_one_order() -> None:
    """The documented form, RFC 3339 and milliseconds since 1970 are compared as times, to the part of a second."""
    newest_first = [
        "1767229200001",
        "2026-01-01T02:00:00+01:00",
        "20260101T005959Z",
        "2026-01-01t00:00:00.75z",
        "2026-01-01 00:00:00.5Z",
        "1767225600000",
        "2025-12-31T18:59:59-05:00",
    ]

    for found in (newest_first, newest_first[::-1]):
        chosen = select([package(create_time=time) for time in found], Policy(order_by="create_time")).packages
        assert [one.create_time for one in chosen] == newest_first


@given(packages)
def test_newest_upload_first_and_ties_keep_the_service_s_order(found: list[OtaPackage]) -> None:
    """By create_time the newest comes first; packages of one time stay in the order of the service."""
    chosen = select(found, Policy(order_by="create_time")).packages

    times = [one.create_time for one in chosen]
    assert times == sorted(times, reverse=True)
    for time in set(times):
        assert [one for one in chosen if one.create_time == time] == [one for one in found if one.create_time == time]


def test_a_rule_that_is_not_given_removes_nothing() -> None:
    """Without filters every package fits, in the order of the service."""
    found = [package(package_id="a", module_name="radio"), package(package_id="b", version="V2")]

    assert select(found, Policy()).packages == found


def test_the_first_hundred_are_told_and_all_are_counted() -> None:
    """The first 100 skipped packages are described, and all are counted."""
    selection = select([package(version="V2")] * 150, Policy(version="V1"))

    assert len(selection.skipped) == MAX_SKIPPED
    assert selection.skipped_counts == {"version": 150}
    assert selection.skipped[0].reason == "version V2"


def test_spans_names_the_scopes_that_differ() -> None:
    """The scopes in which packages differ are returned by field."""
    found = [package(), package(app_id="a2"), package(app_id="a2", module_name="radio")]

    assert spans(found) == {"app_id": ["a1", "a2"], "module_name": ["", "radio"]}
    assert spans(found[:1]) == {}
