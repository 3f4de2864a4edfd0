"""What a lookup does with the detail of a package: it returns the package that it has chosen, or it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import pulumi_iotda_ota as iotda_ota

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator

QUERY: dict[str, Any] = {
    "package_type": "firmwarePackage",
    "product_id": "lamp",
    "source_versions": ["1.0"],
    "created_before": "2027-01-01T00:00:00Z",
}
DETAIL_NEEDED = [{"require_checksum": True}, {"include_file_location": True}]
OTHERS = [
    ("version", "9.9"),
    ("product_id", "smart-meter"),
    ("package_type", "softwarePackage"),
    ("app_id", "water"),
    ("module_name", "radio"),
    ("support_source_versions", ["0.9"]),
    ("create_time", "20270606T000000Z"),
    ("create_time", "yesterday"),
    ("create_time", ""),
]


@pytest.fixture
def lamp(service: Emulator) -> str:
    """Return the id of a package with a checksum that the query selects."""
    location = {"region_name": "r", "bucket_name": "b-1", "object_key": "k", "sign_method": "SHA256", "sign": "a" * 64}
    fields: dict[str, Any] = {"package_type": "firmwarePackage", "app_id": "energy", "product_id": "lamp"}
    return service.add_package(**fields, version="1.1", file_location={"obs_location": location})


@pytest.mark.parametrize("needed", DETAIL_NEEDED, ids=["checksum", "location"])
@pytest.mark.parametrize(("name", "value"), OTHERS, ids=[f"{name} {value}" for name, value in OTHERS])
def test_a_detail_that_contradicts_the_list_is_an_error(
    service: Emulator, lamp: str, name: str, value: Any, needed: dict[str, Any]
) -> None:
    """If the detail of the chosen package contradicts the list, the lookup fails and shows both values."""
    change = {name: value} | ({"module_name": "radio"} if name == "module_name" else {})
    service.faults.add(operation="ShowOtaPackage", merge=change)
    if name in ("module_name", "support_source_versions"):
        listed: dict[str, Any] = {"module_name": "wifi"} if name == "module_name" else {}
        service.faults.add(
            operation="ListOtaPackageInfo",
            edit=lambda page: {**page, "packages": [{**one, **listed} for one in page["packages"]]},
        )

    with pytest.raises(iotda_ota.ProtocolError) as caught:
        iotda_ota.get_ota_package(**QUERY, **needed)

    text = " ".join(str(caught.value).split())
    assert f"two responses of the service about package {lamp} contradict each other" in text
    shown = value[0] if isinstance(value, list) else value
    assert f"{name}: " in text
    assert shown in text


@pytest.mark.parametrize("needed", DETAIL_NEEDED, ids=["checksum", "location"])
@pytest.mark.parametrize("name", ["module_name", "support_source_versions", "description", "product_name"])
def test_a_detail_that_leaves_a_field_out_contradicts_nothing(
    service: Emulator, lamp: str, name: str, needed: dict[str, Any]
) -> None:
    """A field that the detail leaves out keeps the value of the list."""
    value: Any = ["1.0"] if name == "support_source_versions" else "listed"
    service.faults.add(
        operation="ListOtaPackageInfo",
        edit=lambda page: {**page, "packages": [{**one, name: value} for one in page["packages"]]},
    )

    found = iotda_ota.get_ota_package(**QUERY, **needed)

    assert found.package_id == lamp
    kept = getattr(found, name)
    assert (list(kept) if name == "support_source_versions" else kept) == value
    assert found.file_location is not None


def test_the_detail_of_another_package_is_an_error(service: Emulator, lamp: str) -> None:
    """If the service returns another package than the requested one, the lookup by id fails."""
    service.faults.add(operation="ShowOtaPackage", merge={"package_id": "another"})

    with pytest.raises(iotda_ota.ProtocolError, match=f'"another", not "{lamp}"'):
        iotda_ota.get_ota_package(package_id=lamp)
