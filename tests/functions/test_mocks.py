"""Under Pulumi's mocks: a user's unit tests of a stack decide what a lookup answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pytest

import pulumi_iotda_ota as iotda_ota
from pulumi_iotda_ota import pulumi_compat
from tests.support.mocking import mocked, settled

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWER = {
    "packageId": "p1",
    "appId": "a1",
    "packageType": "firmwarePackage",
    "productId": "meter",
    "version": "V1",
    "createTime": "20260101T000000Z",
    "createdAt": "2026-01-01T00:00:00Z",
    "supportSourceVersions": ["V0"],
    "fileLocation": {"obsLocation": {"regionName": "r", "bucketName": "b", "objectKey": "k"}},
    "id": "q1",
}


@pytest.fixture(autouse=True)
def _no_monitor_afterwards() -> Iterator[None]:
    yield
    pulumi_compat.leave_program()


def test_plain_form_asks_the_mocks() -> None:
    """The plain form goes to `Mocks.call` with the plugin's token and names, and sends nothing."""
    mocks = mocked(ANSWER)

    found = iotda_ota.get_ota_package(package_type="firmwarePackage", product_id="meter", version="V1")

    assert found.package_id == "p1"
    assert found.support_source_versions == ["V0"]
    assert found.file_location is not None
    assert found.file_location.obs_location is not None
    assert found.file_location.obs_location.bucket_name == "b"
    (token, asked), *others = mocks.asked
    assert (token, others) == ("iotda-ota:index:getOtaPackage", [])
    assert asked["packageType"] == "firmwarePackage"
    assert asked["productId"] == "meter"


def test_nothing_found_is_none() -> None:
    """`found: False` is the result of a lookup without a match, if that is allowed."""
    mocked({"found": False})

    assert iotda_ota.get_ota_package(package_type="firmwarePackage", on_missing="none") is None


def test_lists_ask_the_mocks() -> None:
    """A list goes to `Mocks.call` too."""
    mocks = mocked({"packages": [ANSWER], "truncated": False, "id": "q"})

    found = iotda_ota.get_ota_packages(package_type="firmwarePackage")

    assert [package.package_id for package in found.packages] == ["p1"]
    assert mocks.asked[0][0] == "iotda-ota:index:getOtaPackages"


TASK = {
    "taskId": "ab12",
    "taskName": "canary_1",
    "taskType": "firmwareUpgrade",
    "status": "PartialSuccess",
    "progress": {"total": 2, "success": 1, "fail": 1, "failWaitRetry": 0},
    "packageIds": ["p1"],
    "failedDevices": [{"target": "d1", "status": "Fail", "errorMsg": "offline"}],
}


def test_a_task_asks_the_mocks() -> None:
    """A task goes to `Mocks.call` with the plugin's token and names, in both forms."""
    mocks = mocked(TASK)

    plain = iotda_ota.get_upgrade_task(task_id="ab12")
    result, known, _ = settled(iotda_ota.get_upgrade_task_output(task_id=pulumi.Output.from_input("ab12")))

    assert mocks.asked == [("iotda-ota:index:getUpgradeTask", {"taskId": "ab12"})] * 2
    assert (known, result) == (True, plain)
    assert plain.progress is not None
    assert (plain.status, plain.progress.fail, plain.progress.fail_wait_retry) == ("PartialSuccess", 1, 0)
    assert [(device.target, device.error_msg, device.error_code) for device in plain.failed_devices] == [
        ("d1", "offline", None)
    ]


def test_output_form_asks_the_mocks() -> None:
    """The output form calls the mocks after its arguments are known."""
    mocks = mocked(ANSWER)

    version = pulumi.Output.from_input("V1")
    found, known, secret = settled(
        iotda_ota.get_ota_package_output(package_type="firmwarePackage", version=version).apply(dict)
    )

    assert (found["package_id"], known, secret) == ("p1", True, False)
    assert mocks.asked[0][1]["version"] == "V1"


def test_output_form_keeps_secrets() -> None:
    """A secret argument makes the result secret."""
    mocked(ANSWER)

    result = iotda_ota.get_ota_package_output(package_type="firmwarePackage", version=pulumi.Output.secret("V1"))

    assert settled(result)[2] is True


def test_output_form_waits_for_what_is_unknown() -> None:
    """An unknown argument makes the result unknown, and the mocks are not called."""
    mocks = mocked(ANSWER, preview=True)
    unknown: pulumi.Output[str] = pulumi.Output.from_input(pulumi.UNKNOWN)  # type: ignore[arg-type]

    result = iotda_ota.get_ota_package_output(package_type="firmwarePackage", version=unknown)

    assert settled(result)[1] is False
    assert mocks.asked == []
