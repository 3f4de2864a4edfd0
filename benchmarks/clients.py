"""The compared clients: this library, the vendor's SDK, and a bare loop over ``http.client``.

Each is a context manager that yields a function. The function reads all packages of one list, and returns their number.
Imports and connections that a program would share are made before.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Any

from pulumi_iotda_ota.iotda.auth.connection import resolve
from pulumi_iotda_ota.iotda.models import PackageQuery
from pulumi_iotda_ota.lookup.session import Run

#: From the port of the service to a function that reads the whole list, while its connections are open.
Client = Callable[[int], AbstractContextManager[Callable[[], int]]]
PROJECT = "bench"
PRODUCT = "64a1f0c2e4b0d9a1b2c3d4e5"


def settings(port: int) -> dict[str, str]:
    """Return the environment that leads a program to the service of the benchmarks."""
    return {
        "HW_IOTDA_ENDPOINT": f"http://127.0.0.1:{port}",
        "HW_REGION_NAME": "cn-north-4",
        "HW_PROJECT_ID": PROJECT,
        "HW_ACCESS_KEY": "AKBENCH",
        "HW_SECRET_KEY": "bench-secret-key",
        "NO_PROXY": "127.0.0.1",
    }


@contextmanager
def ours(port: int) -> Iterator[Callable[[], int]]:
    """Yield the walk of this library, as a lookup does it, over the connections of one program."""
    connection = resolve(None, config={}, environ=settings(port))
    query = PackageQuery("firmwarePackage", product_id=PRODUCT)
    with closing(Run(memo=False)) as run:
        yield lambda: len(run.packages(connection, query).packages)


@contextmanager
def bare(port: int) -> Iterator[Callable[[], int]]:
    """Yield a loop over ``http.client`` and ``json``: one connection, no signature, no validation."""
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def walk() -> int:
        found: list[Any] = []
        marker = "f" * 24
        while True:
            path = f"/v5/iot/{PROJECT}/ota-upgrades/packages?limit=50&marker={marker}&product_id={PRODUCT}"
            connection.request("GET", path, headers={"X-Auth-Token": "bench"})
            response = json.loads(connection.getresponse().read())
            found += response["packages"]
            if not response["packages"] or len(found) == response["page"]["count"]:
                return len(found)
            marker = response["page"]["marker"]

    with closing(connection):
        yield walk


@contextmanager
def sdk(port: int) -> Iterator[Callable[[], int]]:
    """Yield the loop that a program would write with the vendor's SDK for Python: page after page, by marker."""
    from huaweicloudsdkcore.auth.credentials import BasicCredentials  # noqa: PLC0415  only this benchmark needs it
    from huaweicloudsdkiotda.v5 import IoTDAClient, ListOtaPackageInfoRequest  # noqa: PLC0415

    client = (
        IoTDAClient.new_builder()
        .with_credentials(BasicCredentials("AKBENCH", "bench-secret-key", PROJECT))
        .with_endpoints([f"http://127.0.0.1:{port}"])
        .build()
    )

    def walk() -> int:
        found: list[Any] = []
        request = ListOtaPackageInfoRequest(package_type="firmwarePackage", product_id=PRODUCT, limit=50)
        while True:
            response = client.list_ota_package_info(request)
            found += response.packages
            if not response.packages or len(found) == response.page.count:
                return len(found)
            request.marker = response.page.marker

    yield walk
