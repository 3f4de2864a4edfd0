"""Versions and upload times that a lookup must not mistake, against a real socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import pulumi_iotda_ota as iotda_ota
from tests.support.lamps import LAMP, METER, upload

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator


def times_are(emulator: Emulator, times: dict[str, Any], operation: str = "ListOtaPackageInfo") -> None:
    """Let the service write the upload times of some versions differently."""

    def timed(one: dict[str, Any]) -> dict[str, Any]:
        return {**one, "create_time": times.get(one["version"], one["create_time"])}

    emulator.faults.add(
        operation=operation,
        times=None,
        edit=lambda found: (
            {**found, "packages": [timed(one) for one in found["packages"]]} if "packages" in found else timed(found)
        ),
    )


def test_a_nightly_build_is_not_chosen(service: Emulator) -> None:
    """A range chooses the release, and says that the nightly build of it is a prerelease."""
    for version in ("1.4.9", "1.5.0", "1.5.0-nightly20240115", "1.5.0-arm64"):
        upload(service, version, signed=False)

    found = iotda_ota.get_ota_package(**LAMP, version_constraint="^1.4", highest_version=True)

    assert found.version == "1.5.0"
    assert {one.version: one.reason for one in found.skipped} == {
        "1.5.0-arm64": "lower than 1.5.0; arm is an unknown word",
        "1.5.0-nightly20240115": "prerelease",
        "1.4.9": "lower than 1.5.0",
    }


def test_devices_on_a_nightly_build_may_take_the_release(service: Emulator) -> None:
    """The release is no downgrade for devices that run a nightly build of it, or one with an unknown word."""
    for version in ("1.9.0", "1.9.0-acme7"):
        upload(service, version, signed=False)

    for source in ("1.9.0-nightly5", "1.9.0-acme5", "1.9.0"):
        found = iotda_ota.get_ota_package(**LAMP, source_versions=[source], highest_version=True)
        assert found.version == "1.9.0"
    assert [one.reason for one in found.skipped] == ["below 1.9.0, which devices run; acme is an unknown word"]


def test_an_unknown_word_that_keeps_a_version_out_is_in_the_error(service: Emulator) -> None:
    """If nothing fits because of an unknown word, the error names it."""
    upload(service, "1.5.0-arm64", signed=False)

    with pytest.raises(iotda_ota.PackageNotFound, match="arm is an unknown word"):
        iotda_ota.get_ota_package(**LAMP, version_constraint="=1.5.0")
    assert iotda_ota.get_ota_package(**LAMP, version_constraint="^1.5").version == "1.5.0-arm64"


@pytest.mark.parametrize("constraint", [">=latest", ">=stable", ">=l.2", "<app_v1"])
def test_a_range_of_words_sends_nothing(service: Emulator, constraint: str) -> None:
    """A range begins with a digit; a word would admit every version with a number."""
    with pytest.raises(iotda_ota.InputError) as caught:
        iotda_ota.get_ota_package(**LAMP, version_constraint=constraint)

    assert caught.value.argument == "version_constraint"
    assert service.requests == []


def test_an_upload_time_of_another_form_is_read(service: Emulator) -> None:
    """RFC 3339 and milliseconds are upload times too, and the newest upload is found among all forms."""
    for version in ("1", "2", "3"):
        upload(service, version, signed=False)
    times_are(service, {"1": "20260101T000000Z", "2": "2026-01-01T02:30:00.5+02:00", "3": 1767225600000})

    found = iotda_ota.get_ota_package(**LAMP, most_recent=True)
    window: dict[str, Any] = {"created_after": "2026-01-01T00:00:00.5Z", "created_before": "2026-01-01T00:30:00.501Z"}

    assert (found.version, found.created_at) == ("2", "2026-01-01T00:30:00.500000Z")
    assert iotda_ota.get_ota_package(**LAMP, **window).version == "2"
    assert iotda_ota.get_ota_package(**LAMP, created_before=window["created_after"], version="3").version == "3"


def test_an_upload_time_that_cannot_be_read_ends_no_lookup(service: Emulator) -> None:
    """A package without a readable upload time is never chosen by it; it is counted, and other lookups choose it."""
    for version in ("1", "2"):
        upload(service, version, signed=False)
    times_are(service, {"2": "yesterday"})

    newest = iotda_ota.get_ota_package(**LAMP, most_recent=True)

    assert newest.version == "1"
    assert newest.skipped_counts == {"most_recent": 1}
    assert newest.skipped[0].reason == 'create_time "yesterday" cannot be read'
    listed = iotda_ota.get_ota_packages(**LAMP, created_after="2020-01-01T00:00:00Z")
    assert ([one.version for one in listed.packages], listed.skipped_counts) == (["1"], {"created_after": 1})
    assert iotda_ota.get_ota_package(**LAMP, highest_version=True).version == "2"
    assert iotda_ota.get_ota_package(**METER, version="V1.4.10").version == "V1.4.10"


@pytest.mark.parametrize(
    "by_time", [{"order_by": "create_time"}, {"created_after": "2020-01-01T00:00:00Z"}], ids=["order", "window"]
)
def test_strict_versions_take_no_unreadable_time(service: Emulator, by_time: dict[str, Any]) -> None:
    """With strict_versions an upload time that a rule needs and cannot read is an error, also for a list."""
    for version in ("1", "2"):
        upload(service, version, signed=False)
    times_are(service, {"2": "yesterday"})

    by_time_alone = {"most_recent": True} if "order_by" in by_time else by_time
    for lookup, rule in ((iotda_ota.get_ota_packages, by_time), (iotda_ota.get_ota_package, by_time_alone)):
        with pytest.raises(iotda_ota.IotdaOtaError, match="1 upload time cannot be read") as caught:
            lookup(**LAMP, **rule, strict_versions=True)
        assert 'create_time "yesterday" cannot be read' in " ".join(str(caught.value).split())
    assert len(iotda_ota.get_ota_packages(**LAMP, strict_versions=True).packages) == 2


@pytest.mark.parametrize(
    "odd",
    [{"version_scheme": "semver"}, {"created_after": "2020-01-01T00:00:00Z"}],
    ids=["version", "time"],
)
def test_what_cannot_be_read_beyond_max_items(service: Emulator, odd: dict[str, Any]) -> None:
    """With strict_versions, max_items hides no package that cannot be read, however far down the list it is."""
    for version in ("latest", "1.0.0", "1.0.1"):
        upload(service, version, signed=False)
    times_are(service, {"latest": "yesterday"})

    with pytest.raises(iotda_ota.IotdaOtaError, match=r"1 (version|upload time) cannot be read"):
        iotda_ota.get_ota_packages(**LAMP, **odd, max_items=1, strict_versions=True)
    assert [one.version for one in iotda_ota.get_ota_packages(**LAMP, **odd, max_items=1).packages] == ["1.0.1"]


def test_one_time_in_two_forms_is_no_contradiction(service: Emulator) -> None:
    """The list and the detail may write one upload time differently; another time is still an error."""
    upload(service, "1", signed=True, create_time="20260101T000000Z")
    times_are(service, {"1": 1767225600000})

    assert iotda_ota.get_ota_package(**LAMP, include_file_location=True).version == "1"
    times_are(service, {"1": "2026-01-01T00:00:01Z"}, "ShowOtaPackage")
    with pytest.raises(iotda_ota.ProtocolError, match="create_time"):
        iotda_ota.get_ota_package(**LAMP, include_file_location=True)
