"""Packages as values."""

from __future__ import annotations

from typing import Any

from pulumi_iotda_ota.iotda.models import OtaPackage


def package(**fields: Any) -> OtaPackage:
    """Return a package with defaults for what does not matter."""
    defaults = {
        "package_id": "p1",
        "app_id": "a1",
        "package_type": "firmwarePackage",
        "product_id": "meter",
        "version": "V1",
        "create_time": "20260101T000000Z",
    }
    return OtaPackage(**{**defaults, **fields})
