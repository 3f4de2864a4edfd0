"""Rollouts through the plugin's process."""

from __future__ import annotations

LOCATION = {"regionName": "cn-north-4", "bucketName": "firmware", "objectKey": "meter/1.5.0.bin", "sign": "ab" * 32}


METER = {
    "packageType": "firmwarePackage",
    "appId": "energy",
    "productId": "smart-meter",
    "version": "V1.5.0",
    "obsLocation": LOCATION,
}
