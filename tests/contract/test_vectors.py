"""The published signing vectors, one folder each, byte for byte.

A folder holds the request, the canonical request, the string to sign and the signature. The signatures are those that
the vendor's SDKs publish in their own tests; the two stages before them follow from the algorithm's description and are
proven by the signature that they lead to.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

import pytest

from pulumi_iotda_ota.iotda.auth import signing

VECTORS = sorted(path.parent for path in Path(__file__).parent.glob("vectors/*/request.json"))


def _stages(request: dict[str, Any]) -> dict[str, str]:
    algorithm: signing.Algorithm = "derived" if request["region"] else "standard"
    scope = f"{request['date'][:8]}/{request['region']}/{request['service']}" if request["region"] else ""
    canonical = signing.canonical_request(
        request["method"],
        request["path"],
        query=[(name, value) for name, value in request["query"]],
        headers={**request["headers"], "X-Sdk-Date": request["date"]},
        body=request["body"].encode(),
    )
    text = signing.string_to_sign(canonical, algorithm=algorithm, date=request["date"], scope=scope)
    keys = {"access_key": request["access_key"], "secret_key": request["secret_key"]}
    proof = signing.signature(text, algorithm=algorithm, scope=scope, **keys)
    return {"canonical-request": canonical, "string-to-sign": text, "signature": proof}


def _request(folder: Path) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads((folder / "request.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("folder", VECTORS, ids=lambda folder: folder.name)
def test_each_stage_is_the_published_one(folder: Path) -> None:
    """Canonical request, string to sign and signature equal the vector; the first stage that differs is reported."""
    for stage, made in _stages(_request(folder)).items():
        expected = (folder / f"{stage}.txt").read_bytes().decode()
        assert made == expected, f"{folder.name}: the first stage that differs is {stage}"


@pytest.mark.parametrize("folder", VECTORS, ids=lambda folder: folder.name)
def test_sign_puts_the_published_signature_into_the_header(folder: Path) -> None:
    """The whole of ``sign`` leads to the same signature as its stages."""
    request = _request(folder)
    now = datetime.strptime(request["date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    headers = signing.sign(
        request["method"],
        request["path"],
        query=[(name, value) for name, value in request["query"]],
        headers=request["headers"],
        body=request["body"].encode(),
        access_key=request["access_key"],
        secret_key=request["secret_key"],
        now=now,
        algorithm="derived" if request["region"] else "standard",
        region=request["region"],
        service=request["service"],
    )

    assert headers["X-Sdk-Date"] == request["date"]
    assert headers["Authorization"].endswith(f"Signature={(folder / 'signature.txt').read_text()}")


def test_all_published_vectors_are_here() -> None:
    """None of the nineteen vectors has been lost."""
    assert len(VECTORS) == 19
