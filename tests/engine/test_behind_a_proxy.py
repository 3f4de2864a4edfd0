"""The real engine behind a CONNECT proxy: the service accepts a creation, and the connection ends without an answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import plugins
from tests.support.engine_resources import HEAD, ok
from tests.support.fault_helpers import AUTHORITY
from tests.support.relay import SERVICE_NAME, Front, Proxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pulumi_iotda_ota.emulator import Emulator
    from tests.engine.conftest import Project

CREATIONS = ("CreateOtaPackage", "CreateBatchTask")
OBJECT = {"region_name": "cn-north-4", "bucket_name": "fleet-firmware", "object_key": "smart-meter/V7.bin"}
PACKAGE = {"package_type": "firmwarePackage", "app_id": "energy", "product_id": "smart-meter", "version": "V7.0.0"}
PYTHON = f"""{HEAD}
package = iotda_ota.OtaPackage("firmware", **{PACKAGE}, obs_location={OBJECT})
iotda_ota.UpgradeTask("rollout", package_ids=[package.package_id], targets=["meter-0001"])
"""
YAML = {
    "resources": {
        "firmware": plugins.resource(
            "OtaPackage",
            packageType="firmwarePackage",
            appId="energy",
            productId="smart-meter",
            version="V7.0.0",
            obsLocation={"regionName": "cn-north-4", "bucketName": "fleet-firmware", "objectKey": "smart-meter/V7.bin"},
        ),
        "rollout": plugins.resource("UpgradeTask", packageIds=["${firmware.packageId}"], targets=["meter-0001"]),
    }
}


@pytest.fixture
def proxy(emulator: Emulator) -> Iterator[Proxy]:
    """Return a proxy that leads to the emulator, with TLS."""
    port = int(emulator.endpoint.rpartition(":")[2])
    with Front(port) as front, Proxy(front) as proxy:
        yield proxy


@pytest.fixture(params=["Python", "YAML"])
def project(
    request: pytest.FixtureRequest, make_project: Callable[..., Project], tmp_path: Path, proxy: Proxy
) -> Project:
    """Return a stack with a package and its rollout, which reaches the service over the proxy alone."""
    python = request.param == "Python"
    project = make_project(PYTHON) if python else request.getfixturevalue("make_yaml")(**YAML)
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    project.set("iotda-ota:caFile", str(tmp_path / "ca.pem"))
    project.environment |= {
        "HW_IOTDA_ENDPOINT": f"https://{SERVICE_NAME}",
        "HTTPS_PROXY": proxy.address,
        "NO_PROXY": "127.0.0.1,localhost",
    }
    return project


def sent(emulator: Emulator) -> list[str]:
    """Return the creations that the service received, in order."""
    return [request.operation for request in emulator.requests if request.operation in CREATIONS]


def created(emulator: Emulator) -> list[dict[str, Any]]:
    """Return the packages of the program that the service has."""
    return [package for package in emulator.packages if package["version"] == PACKAGE["version"]]


def test_one_green_run_creates_each_thing_once(project: Project, emulator: Emulator, proxy: Proxy) -> None:
    """If both responses are lost, the update succeeds with one task and one package, and a destroy ends both."""
    emulator.set_device("meter-0001", outcome="hang")
    cuts = [emulator.faults.add(operation=operation, accept=True, wire="drop") for operation in CREATIONS]

    printed = ok(project.up())

    assert [cut.hits for cut in cuts] == [1, 1]
    assert "exists already and is adopted: package " in printed
    assert re.search("exists already and is adopted: task(_i|I)d ", printed)
    assert sent(emulator) == list(CREATIONS)
    assert (len(created(emulator)), len(emulator.tasks)) == (1, 1)
    assert project.resources()["firmware"]["id"] == created(emulator)[0]["package_id"]
    assert project.resources()["rollout"]["id"] == emulator.tasks[0]["task_id"]
    assert proxy.asked

    ok(project.up("--expect-no-changes"))
    assert sent(emulator) == list(CREATIONS)

    ok(project.run("destroy", "--yes", "--skip-preview"))
    assert created(emulator) == []
    assert [task["status"] for task in emulator.tasks] == ["Stopped"]
