"""Functions whose credentials come from IAM."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

import pulumi_iotda_ota as iotda_ota

if TYPE_CHECKING:
    from pulumi_iotda_ota.emulator import Emulator

TOKEN = "KeystoneCreateUserTokenByPassword"


@pytest.fixture
def user(service: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """Return a service that the environment leads to as a user with a password, without a project."""
    for name in ("HW_ACCESS_KEY", "HW_SECRET_KEY", "HW_PROJECT_ID"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("HW_AUTH_URL", f"{service.endpoint}/v3")
    monkeypatch.setenv("HW_USER_NAME", service.accounts.user_name)
    monkeypatch.setenv("HW_USER_PASSWORD", service.accounts.password)
    monkeypatch.setenv("HW_DOMAIN_NAME", service.accounts.domain_name)
    return service


def test_every_function_finds_its_project(user: Emulator) -> None:
    """Lookups of packages and of a task need no project id, and their errors name the one that was found."""
    task_id = user.add_task(
        task_name="t", task_type="firmwareUpgrade", targets=["meter-0001"], document={"package_ids": [firmware(user)]}
    )

    assert iotda_ota.get_upgrade_task(task_id=task_id).task_id == task_id
    assert len(iotda_ota.get_ota_packages(package_type="firmwarePackage", product_id="smart-meter").packages) == 41
    with pytest.raises(iotda_ota.PackageNotFound) as no_package:
        iotda_ota.get_ota_package(package_type="firmwarePackage", product_id="smart-meter", version="V9")
    with pytest.raises(iotda_ota.ServiceError) as no_task:
        iotda_ota.get_upgrade_task(task_id="0" * 24)

    for error in (no_package.value, no_task.value):
        assert f"project {user.project_id} in cn-north-4" in " ".join(str(error).split())
    assert sum(1 for request in user.requests if request.operation == TOKEN) == 1


def test_twenty_lookups_at_once_sign_in_once(user: Emulator) -> None:
    """Parallel lookups of one process request one token."""
    with ThreadPoolExecutor(20) as pool:
        ids = list(pool.map(lambda _: iotda_ota.get_ota_package(package_id=firmware(user)).package_id, range(20)))

    assert set(ids) == {firmware(user)}
    # The whole count is in the message of a failure: a request that timed out on a slow machine is sent again.
    assert Counter(request.operation for request in user.requests) == {TOKEN: 1, "ShowOtaPackage": 20}


def test_a_connection_is_enough(service: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything can be given as an argument, secrets as plain text."""
    for name in ("HW_ACCESS_KEY", "HW_SECRET_KEY", "HW_PROJECT_ID", "HW_REGION_NAME", "HW_IOTDA_ENDPOINT"):
        monkeypatch.delenv(name)
    connection = iotda_ota.Connection(
        endpoint=service.endpoint,
        iam_endpoint=service.endpoint,
        region=service.region,
        user_name=service.accounts.user_name,
        password=service.accounts.password,
        domain_name=service.accounts.domain_name,
    )

    assert iotda_ota.get_ota_package(package_id=firmware(service), connection=connection).version
    assert service.accounts.password not in repr(connection)


def firmware(service: Emulator) -> str:
    """Return the id of a firmware package."""
    found = (found for found in service.packages if found["package_type"] == "firmwarePackage")
    return str(next(found)["package_id"])
