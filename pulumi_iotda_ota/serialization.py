"""Turns results of lookups into plain values with Python's names, the same for every interface."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.models import OtaPackage
    from pulumi_iotda_ota.lookup.devices import DeviceVersions
    from pulumi_iotda_ota.lookup.find import Found, FoundMany
    from pulumi_iotda_ota.lookup.paths import FoundPaths
    from pulumi_iotda_ota.lookup.tasks import FoundTask
    from pulumi_iotda_ota.selection.choose import Selection
    from pulumi_iotda_ota.selection.paths import UpgradePath

#: How many of the versions that lead to a target are returned.
MAX_MISSING = 100
_SKIPPED = ("package_id", "version", "rule", "reason")


def package_values(package: OtaPackage) -> dict[str, Any]:
    """Return the fields of a package that are set, with the upload time as RFC 3339 too."""
    location = package.file_location
    fields = {name: getattr(package, name) for name in package.__dataclass_fields__}
    fields |= {
        "support_source_versions": list(package.support_source_versions),
        "file_location": location.model_dump(mode="json", exclude_none=True) if location else None,
        "created_at": package.created_at,
    }
    return {name: value for name, value in fields.items() if value is not None}


def found_values(found: Found) -> dict[str, Any]:
    """Return the result of a lookup of one package."""
    return {**package_values(found.package), "id": found.id, **_skipped(found.selection)}


def listed_values(found: FoundMany) -> dict[str, Any]:
    """Return the result of a lookup of a list."""
    packages = (package_values(package) for package in found.packages)
    return {"packages": packages, "truncated": found.truncated, "id": found.id, **_skipped(found.selection)}


def paths_values(found: FoundPaths) -> dict[str, Any]:
    """Return the result of a lookup of paths."""
    return {
        "package": package_values(replace(found.target, file_location=None)),
        "paths": [path_values(path) for path in found.paths],
        "unreadable_records": found.unreadable_records,
        "id": found.id,
    }


def path_values(path: UpgradePath) -> dict[str, Any]:
    """Return one path."""
    fields = {
        "source_version": path.source_version,
        "reachable": path.reachable,
        "hops": [{"package_id": hop.package_id, "version": hop.version} for hop in path.hops],
        "needs_downgrade": path.needs_downgrade,
        "hops_needed": path.hops_needed or None,
        "nearest_version": path.nearest_version or None,
        "missing_versions": list(path.missing_versions[:MAX_MISSING]),
    }
    return {name: value for name, value in fields.items() if value is not None}


def device_versions_values(found: DeviceVersions) -> dict[str, Any]:
    """Return the result of a lookup of device versions, the most devices first."""
    counts = sorted(found.versions.items(), key=lambda item: (-item[1], item[0]))
    fields = {
        "total": found.total,
        "versions": [{"version": version, "devices": devices} for version, devices in counts],
        "unknown": found.unknown,
        "product_id": next(iter(found.product_ids), None),
        "method": found.method,
        "requests": found.requests,
        "unreadable_records": found.unreadable_records,
        "id": found.id,
    }
    return {name: value for name, value in fields.items() if value is not None}


def task_values(found: FoundTask) -> dict[str, Any]:
    """Return the result of a lookup of a task."""
    progress = found.task.task_progress
    names = ("task_id", "task_name", "task_type", "status", "create_time", "need_confirm", "task_mode", "package_ids")
    fields = {
        **{name: getattr(found.task, name) for name in names},
        "status_desc": found.task.status_desc or None,
        "progress": progress.model_dump() if progress else None,
        "failed_devices": [
            {name: text for name, text in vars(device).items() if text} for device in found.failed_devices
        ],
        "skipped_devices": [
            {"reason": record.reason, **({"target": record.id} if record.id else {})} for record in found.unreadable
        ],
        "id": found.id,
    }
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in fields.items() if value is not None
    }


def _skipped(selection: Selection) -> dict[str, Any]:
    return {
        "skipped": [{name: getattr(skipped, name) for name in _SKIPPED} for skipped in selection.skipped],
        "skipped_counts": dict(selection.skipped_counts),
    }
