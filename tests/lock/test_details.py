"""The detail of a locked package is compared with the lock by the rule that compares a detail with a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import pulumi_iotda_ota as iotda_ota
from tests.support.locks import lock

if TYPE_CHECKING:
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator

OTHERS = [
    ("version", "9.9"),
    ("product_id", "smart-meter"),
    ("package_type", "softwarePackage"),
    ("app_id", "water"),
    ("module_name", "screen"),
    ("support_source_versions", ["0.9"]),
    ("create_time", "20270606T000000Z"),
]


@pytest.fixture
def radio(service: Emulator, project: Path) -> str:
    """Lock a package that has every field; return its id."""
    fields: dict[str, Any] = {"package_type": "modulePackage", "app_id": "energy", "product_id": "lamp"}
    package_id = service.add_package(
        **fields, version="1.1", module_name="radio", support_source_versions=["1.0", "0.8"]
    )
    lock(service, project, "radio", package_type="modulePackage", product_id="lamp", module_name="radio")
    return package_id


@pytest.mark.parametrize(("name", "value"), OTHERS, ids=[name for name, _ in OTHERS])
def test_a_detail_that_contradicts_the_lock_is_an_error(service: Emulator, radio: str, name: str, value: Any) -> None:
    """If ``verify`` finds another value in a field that selects, the lookup fails and shows both values."""
    service.faults.add(operation="ShowOtaPackage", merge={name: value})

    with pytest.raises(iotda_ota.LockError) as caught:
        iotda_ota.get_ota_package(lock="radio", verify=True)

    text = " ".join(str(caught.value).split())
    assert "its package has changed since" in text
    assert f"{name}: " in text
    assert radio in text


@pytest.mark.parametrize(
    "change",
    [{"module_name": None}, {"support_source_versions": None}, {"support_source_versions": ["0.8", "1.0"]}],
    ids=str,
)
def test_a_detail_that_leaves_a_field_out_contradicts_nothing(
    service: Emulator, radio: str, change: dict[str, Any]
) -> None:
    """A field that the detail leaves out agrees, and so does a list in another order."""
    service.faults.add(operation="ShowOtaPackage", edit=lambda package: {**package, **change})

    assert iotda_ota.get_ota_package(lock="radio", verify=True).package_id == radio


def test_an_odd_detail_is_an_error(service: Emulator, radio: str) -> None:
    """A detail that cannot be judged proves nothing about the locked package."""
    service.faults.add(operation="ShowOtaPackage", edit=lambda package: {**package, "version": None})

    with pytest.raises(iotda_ota.ProtocolError, match="version is null"):
        iotda_ota.get_ota_package(lock="radio", verify=True)
    assert radio
