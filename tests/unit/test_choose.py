"""The rules of a selection, on packages in memory."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pulumi_iotda_ota.iotda.models import OtaPackage
from pulumi_iotda_ota.selection.choose import MAX_SKIPPED, select, spans
from pulumi_iotda_ota.selection.policy import Policy


def package(**fields: Any) -> OtaPackage:
    """Return a package with defaults for what does not matter."""
    defaults = {
        "package_id": "p1",
        "app_id": "a1",
        "package_type": "firmwarePackage",
        "product_id": "meter",
        "version": "V1",
        "create_time": "20260101T000000Z",
    }
    return OtaPackage(**{**defaults, **fields})


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
    """Each package either fits or is passed over by one rule; exact means exact."""
    policy = Policy(product_id=product, version=version, module_name=module)

    selection = select(found, policy)

    assert len(selection.packages) + sum(selection.skipped_counts.values()) == selection.looked_at == len(found)
    for one in selection.packages:
        assert (product or one.product_id, version or one.version) == (one.product_id, one.version)
        assert module is None or one.module_name == module


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
    """What was passed over is told in full up to a hundred, and counted beyond."""
    selection = select([package(version="V2")] * 150, Policy(version="V1"))

    assert len(selection.skipped) == MAX_SKIPPED
    assert selection.skipped_counts == {"version": 150}
    assert selection.skipped[0].reason == "version is V2"


def test_spans_names_the_scopes_that_differ() -> None:
    """Packages of several spaces or modules are told apart by field."""
    found = [package(), package(app_id="a2"), package(app_id="a2", module_name="radio")]

    assert spans(found) == {"app_id": ["a1", "a2"], "module_name": ["", "radio"]}
    assert spans(found[:1]) == {}
