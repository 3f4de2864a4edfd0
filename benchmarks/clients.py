"""The ways to make the same lookup that are compared: this library, the vendor's SDK, and the least there is.

Each gives a function that asks for every package of one list and returns how many there were. What a program would
import and build once is done before the function is called.
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

__all__ = ["Way", "bare", "ours", "sdk", "settings"]

#: Given the port of the service, gives what asks it for every package, while its connections are open.
Way = Callable[[int], AbstractContextManager[Callable[[], int]]]
PROJECT = "bench"
PRODUCT = "64a1f0c2e4b0d9a1b2c3d4e5"


def settings(port: int) -> dict[str, str]:
    """Return the environment in which a program asks the service of the benchmarks."""
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
    """Give this library's walk, as a lookup makes it, over the connections of one program."""
    connection = resolve(None, config={}, environ=settings(port))
    query = PackageQuery("firmwarePackage", product_id=PRODUCT)
    with closing(Run(memo=False)) as run:
        yield lambda: len(run.packages(connection, query).packages)


@contextmanager
def bare(port: int) -> Iterator[Callable[[], int]]:
    """Give a loop over ``http.client`` and ``json``: one connection, no signature, no check of what comes."""
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def walk() -> int:
        found: list[Any] = []
        marker = "f" * 24
        while True:
            path = f"/v5/iot/{PROJECT}/ota-upgrades/packages?limit=50&marker={marker}&product_id={PRODUCT}"
            connection.request("GET", path, headers={"X-Auth-Token": "bench"})
            answer = json.loads(connection.getresponse().read())
            found += answer["packages"]
            if not answer["packages"] or len(found) == answer["page"]["count"]:
                return len(found)
            marker = answer["page"]["marker"]

    with closing(connection):
        yield walk


@contextmanager
def sdk(port: int) -> Iterator[Callable[[], int]]:
    """Give the loop that a program writes with the vendor's SDK for Python: page after page, by marker."""
    from huaweicloudsdkcore.auth.credentials import BasicCredentials  # noqa: PLC0415  imported where it is measured
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
            answer = client.list_ota_package_info(request)
            found += answer.packages
            if not answer.packages or len(found) == answer.page.count:
                return len(found)
            request.marker = answer.page.marker

    yield walk
