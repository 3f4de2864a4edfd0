"""A bare HTTP caller for the emulator's own tests; it shares nothing with the client of this package."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from pulumi_iotda_ota.emulator.behavior import api_time
from pulumi_iotda_ota.emulator.signatures import (
    DERIVED,
    STANDARD,
    Authorization,
    canonical_request,
    expected_signature,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pulumi_iotda_ota.emulator import Emulator


@dataclass(frozen=True)
class Response:
    """One response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Return the body, read as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Return the error code of the body."""
        return str(self.json["error_code"])


class Caller:
    """Calls one emulator with a token, over one connection that is kept alive."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.headers = {"X-Auth-Token": emulator.issue_token()}
        self._connection = http.client.HTTPConnection(emulator.endpoint.removeprefix("http://"), timeout=10)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def raw(self, method: str, target: str, body: bytes | None = None, **headers: str) -> Response:
        """Send a request to any path."""
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        try:
            self._connection.request(method, target, body, sent)
            response = self._connection.getresponse()
            content = response.read()
        except BaseException:
            self._connection.close()
            raise
        if response.headers.get("Content-Encoding") == "gzip":
            content = gzip.decompress(content)
        return Response(response.status, dict(response.headers), content)

    def __call__(self, method: str, path: str, body: Any = None, **query: object) -> Response:
        """Send a request to a path of the API, below the project."""
        target = f"/v5/iot/{self.emulator.project_id}/{path}" + (f"?{urlencode(query)}" if query else "")
        if body is None:
            return self.raw(method, target)
        return self.raw(method, target, json.dumps(body).encode(), Content_Type="application/json")

    def packages(self, **query: object) -> Response:
        """List packages, by default firmware."""
        return self("GET", "ota-upgrades/packages", **{"package_type": "firmwarePackage", **query})

    def start(self, *targets: str, **fields: Any) -> str:
        """Create a task for the meter's V1.4.10 and return its id."""
        response = self("POST", "batchtasks", task_body(self.emulator, targets=list(targets), **fields))
        assert response.status == 201, response.body
        return str(response.json["task_id"])

    def task(self, task_id: str, **query: object) -> Any:
        """Show a task."""
        return self("GET", f"batchtasks/{task_id}", **query).json

    def status(self, task_id: str) -> str:
        """Return the state of a task."""
        return str(self.task(task_id)["batchtask"]["status"])

    def details(self, task_id: str) -> dict[str, str]:
        """Return the state of each device of a task."""
        return {detail["target"]: detail["status"] for detail in self.task(task_id, limit=50)["task_details"]}


@contextlib.contextmanager
def calling(emulator: Emulator) -> Iterator[Caller]:
    """Start an emulator and return a caller."""
    with emulator, contextlib.closing(Caller(emulator)) as caller:
        yield caller


def package_id_of(emulator: Emulator, product_id: str, version: str) -> str:
    """Return the id of a package."""
    found = [p for p in emulator.packages if (p["product_id"], p["version"]) == (product_id, version)]
    return str(found[0]["package_id"])


def package_body(**fields: Any) -> dict[str, Any]:
    """Return a body of CreateOtaPackage."""
    location = {"region_name": "cn-north-4", "bucket_name": "ota-packages", "object_key": "a/b.bin"}
    usual = {
        "app_id": "energy",
        "package_type": "firmwarePackage",
        "product_id": "smart-meter",
        "version": "V2.0",
        "file_location": {"obs_location": location},
    }
    return {name: value for name, value in {**usual, **fields}.items() if value is not None}


def task_body(emulator: Emulator, **fields: Any) -> dict[str, Any]:
    """Return a body of CreateBatchTask for the meter's V1.4.10."""
    usual = {
        "task_name": "rollout_1",
        "task_type": "firmwareUpgrade",
        "document": {"package_ids": [package_id_of(emulator, "smart-meter", "V1.4.10")]},
    }
    return {name: value for name, value in {**usual, **fields}.items() if value not in (None, [])}


def signed(
    emulator: Emulator,
    target: str,
    *,
    method: str = "GET",
    body: bytes = b"",
    algorithm: str = STANDARD,
    at: float | None = None,
    **changes: Any,
) -> dict[str, str]:
    """Return the headers of a signed request.

    ``changes`` may give ``access_key``, ``secret_key``, ``region``, ``service`` and further ``headers`` to sign.
    """
    date = api_time(time.time() if at is None else at)
    headers = {"X-Sdk-Date": date, "Host": emulator.endpoint.removeprefix("http://"), **changes.get("headers", {})}
    names = tuple(sorted(name.lower() for name in headers))
    access_key = changes.get("access_key", emulator.access_key)
    scope = ""
    if algorithm == DERIVED:
        scope = f"{date[:8]}/{changes.get('region', emulator.region)}/{changes.get('service', 'iotdm')}"
    lower = {name.lower(): value for name, value in headers.items()}
    canonical = canonical_request(method, target, lower, body, signed=names)
    unsigned = Authorization(algorithm, access_key, scope, names, "")
    signature = expected_signature(unsigned, changes.get("secret_key", emulator.secret_key), date, canonical)
    who = f"Credential={access_key}/{scope}" if scope else f"Access={access_key}"
    text = f"{algorithm} {who}, SignedHeaders={';'.join(names)}, Signature={signature}"
    return {**headers, "Authorization": text}


def list_target(emulator: Emulator, **query: str) -> str:
    """Return path and query of a list of packages."""
    text = urlencode({"package_type": "firmwarePackage", **query}, quote_via=quote)
    return f"/v5/iot/{emulator.project_id}/ota-upgrades/packages?{text}"
