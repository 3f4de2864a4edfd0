"""What a lookup that fails says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
import pytest

import pulumi_iotda_ota as iotda_ota
from tests.support.lamps import LAMP, METER, upload

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator


def test_nothing_found_tells_what_came_near(service: Emulator) -> None:
    """The error of a lookup without a match has the request, the counts, the nearest versions and a fix."""
    with pytest.raises(iotda_ota.PackageNotFound) as caught:
        iotda_ota.get_ota_package(**METER, version="V1.4.99")

    text = str(caught.value)
    assert text.startswith("no OTA package matches\n")
    assert 'product_id="smart-meter", version="V1.4.99"' in " ".join(text.split())
    assert "V1.4.9" in text
    assert "fix" in text
    assert len(service.requests) == 2


def test_nothing_found_for_an_unknown_product(service: Emulator) -> None:
    """Where a product has no package at all, the error says so instead of naming versions of others."""
    with pytest.raises(iotda_ota.PackageNotFound, match="no firmwarePackage of this product"):
        iotda_ota.get_ota_package(package_type="firmwarePackage", product_id="smart-metre", version="V1.4.10")


def test_nothing_found_can_be_none(service: Emulator) -> None:
    """on_missing="none" returns None and sends no further request."""
    assert iotda_ota.get_ota_package(**METER, version="V9", on_missing="none") is None
    assert len(service.requests) == 1


def test_several_are_listed(service: Emulator) -> None:
    """More than one match without highest_version is an error that lists them."""
    with pytest.raises(iotda_ota.MultiplePackages) as caught:
        iotda_ota.get_ota_package(**METER)

    text = str(caught.value)
    assert "OTA packages match" in text
    assert "and 35 more" in text
    assert "highest_version=True" in text
    assert len(caught.value.packages) == 40


def test_several_spaces_are_never_guessed(service: Emulator) -> None:
    """highest_version chooses across resource spaces or products only with allow_multiple_scopes."""
    service.add_package(**METER, app_id="other", version="V7")
    service.add_package(**METER, app_id="another", version="V7")

    with pytest.raises(iotda_ota.MultiplePackages, match=r"match\n[^$]*set app_id"):
        iotda_ota.get_ota_package(**METER, version="V7", highest_version=True)
    found = iotda_ota.get_ota_package(**METER, version="V7", highest_version=True, allow_multiple_scopes=True)
    assert found.app_id == "another"


def test_unknown_id(service: Emulator) -> None:
    """An id that is not there is an error, or None on request."""
    with pytest.raises(iotda_ota.PackageNotFound, match="there is no OTA package 0123"):
        iotda_ota.get_ota_package(package_id="0123")
    assert iotda_ota.get_ota_package(package_id="0123", on_missing="none") is None


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"package_type": "firmware"}, "package_type must be one of"),
    ({"package_type": "firmwarePackage", "version": "1.0 beta"}, "version must be 1 to 256"),
    ({"package_type": "firmwarePackage", "version": "x" * 257}, "version must be 1 to 256"),
    ({"package_type": "firmwarePackage", "product_id": "a/b"}, "product_id must be 1 to 36"),
    ({}, "package_type is required"),
    ({"package_id": "p1", "version": "V1"}, "package_id excludes all other selection arguments, but version is set"),
    ({"package_id": "p_1"}, "package_id must be"),
    ({"package_type": "firmwarePackage", "version_constraint": "^1.x.2"}, "version_constraint"),
    ({"package_type": "firmwarePackage", "version_regex": "(V1"}, "version_regex is not a valid pattern"),
    ({"package_type": "firmwarePackage", "version_regex": "a)|(b"}, "version_regex is not a valid pattern"),
    ({"package_type": "firmwarePackage", "version_scheme": "pep440"}, "version_scheme must be one of loose, semver"),
    ({"package_type": "firmwarePackage", "created_before": "yesterday"}, "created_before must be a time"),
    (
        {"package_type": "firmwarePackage", "version_scheme": "semver", "source_versions": ["V1"]},
        "source_versions has 'V1', which is not a semantic version",
    ),
    ({"package_type": "firmwarePackage", "highest_version": "yes"}, "highest_version must be True or False"),
    ({"package_type": "firmwarePackage", "on_missing": "null"}, "on_missing must be one of error, none"),
    (
        {"package_type": "firmwarePackage", "opts": pulumi.InvokeOptions(version="1.0.0")},
        r"opts.version has no effect[^$]*connection",
    ),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_bad_input_sends_nothing(service: Emulator, arguments: dict[str, Any], message: str) -> None:
    """A wrong argument is refused before a request is sent."""
    with pytest.raises(iotda_ota.InputError, match=message):
        iotda_ota.get_ota_package(**arguments)
    assert service.requests == []


def test_an_output_is_refused_by_the_plain_form(service: Emulator) -> None:
    """A plain function given an Output names the argument and the form that can wait for it."""
    later: Any = pulumi.Output.from_input("V1.4.10")

    with pytest.raises(iotda_ota.OutputGiven, match=r"version is a Pulumi Output.*get_ota_package_output") as caught:
        iotda_ota.get_ota_package(**METER, version=later)

    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, iotda_ota.InputError)
    assert service.requests == []


def test_errors_are_ours_and_pulumi_s(service: Emulator) -> None:
    """An error is caught as ours, and is one that Pulumi prints without a traceback."""
    with pytest.raises(iotda_ota.PackageNotFound) as caught:
        iotda_ota.get_ota_package(**METER, version="V9")

    assert isinstance(caught.value, pulumi.RunError)


@pytest.mark.parametrize("missing", ["HW_REGION_NAME", "HW_SECRET_KEY"])
def test_missing_settings_are_named(service: Emulator, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """A setting that is missing is named with the ways to give it, and nothing is sent."""
    monkeypatch.delenv(missing)
    monkeypatch.delenv("HW_IOTDA_ENDPOINT")

    if missing == "HW_SECRET_KEY":
        with pytest.raises(iotda_ota.CredentialsError, match=missing):
            iotda_ota.get_ota_package(**METER, version="V1")
    else:
        with pytest.raises(iotda_ota.ConfigurationError, match=missing):
            iotda_ota.get_ota_package(**METER, version="V1")
    assert service.requests == []


def test_strict_versions_name_the_first_and_count_all(service: Emulator) -> None:
    """A version that the scheme cannot read is an error with strict_versions, and is skipped otherwise."""
    upload(service, "1.0.0", signed=False)
    upload(service, "V1.0", signed=False)
    odd = upload(service, "latest", signed=False)
    asked = {**LAMP, "version_scheme": "semver", "highest_version": True}

    with pytest.raises(iotda_ota.IotdaOtaError, match="2 versions cannot be read as semver") as caught:
        iotda_ota.get_ota_package(**asked, strict_versions=True)
    assert f"latest, package {odd}: not a semantic version" in " ".join(str(caught.value).split())
    found = iotda_ota.get_ota_package(**asked)
    assert [(one.version, one.rule) for one in found.skipped] == [
        ("latest", "version_scheme"),
        ("V1.0", "version_scheme"),
    ]


def test_an_odd_version_of_the_service_spoils_no_hint(service: Emulator) -> None:
    """A version outside its documentation does not break the error that names what came near."""
    odd = {**service.packages[0], "version": "1.0 (beta)", "package_id": "odd"}
    page = {
        "packages": [odd, {**odd, "version": "1.0", "package_id": "even"}],
        "page": {"count": 2, "marker": "0" * 24},
    }
    service.faults.add(
        operation="ListOtaPackageInfo", match=lambda request: "version" not in request.query, body=page, times=None
    )

    with pytest.raises(iotda_ota.PackageNotFound, match=r"nearest +1\.0\n"):
        iotda_ota.get_ota_package(**METER, version="9")


def test_a_hint_that_fails_is_told_beside_the_error(service: Emulator) -> None:
    """If the nearest versions cannot be requested, the error still reports that nothing matches."""
    service.faults.add(match=lambda request: "version" not in request.query, error="space_missing", times=None)

    with pytest.raises(iotda_ota.PackageNotFound) as caught:
        iotda_ota.get_ota_package(**METER, version="V9")
    assert "nearest      not known: " in str(caught.value)
    assert "set version=" not in str(caught.value)


def test_a_wrong_setting_is_printed_as_a_message(service: Emulator) -> None:
    """What is wrong with a Connection is an error that Pulumi prints without a traceback."""
    with pytest.raises(iotda_ota.ConfigurationError, match="deadline") as caught:
        iotda_ota.Connection(deadline=0)

    assert isinstance(caught.value, pulumi.RunError)


@pytest.mark.parametrize("opts", [pulumi.ResourceOptions(), {}, "x"])
def test_options_are_options_of_a_call(service: Emulator, opts: Any) -> None:
    """Options of another kind would be ignored in silence; they are refused."""
    with pytest.raises(iotda_ota.InputError, match=r"opts must be pulumi.InvokeOptions"):
        iotda_ota.get_ota_package(**METER, version="V1.4.10", opts=opts)
