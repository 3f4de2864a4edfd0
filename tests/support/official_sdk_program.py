"""A program with the vendor's SDK: settings as JSON on stdin, a scenario as its argument, the results as JSON."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkiotda import v5


def _client(settings: dict[str, Any]) -> Any:
    credentials = BasicCredentials(settings["access_key"], settings["secret_key"], settings["project_id"])
    if settings["derived"]:
        credentials.with_derived_predicate(lambda _: True)
    builder = v5.IoTDAClient.new_builder().with_credentials(credentials)
    return builder.with_region(Region(settings["region"], settings["endpoint"])).build()


def _walk(client: Any, **query: Any) -> list[Any]:
    found: list[Any] = []
    marker = None
    while True:
        request = v5.ListOtaPackageInfoRequest(limit=50, marker=marker, **query)
        page = client.list_ota_package_info(request)
        if not page.packages:
            return found
        found += page.packages
        marker = page.page.marker


def _meter(client: Any) -> str:
    query = {"package_type": "firmwarePackage", "product_id": "smart-meter", "version": "V1.4.10"}
    return str(_walk(client, **query)[0].package_id)


def packages(client: Any) -> dict[str, Any]:
    """List, show, create and delete packages."""
    listed = _walk(client, package_type="softwarePackage", product_id="gateway", app_id="energy")
    shown = client.show_ota_package(v5.ShowOtaPackageRequest(package_id=_meter(client)))
    location = v5.ObsLocation(region_name="cn-north-4", bucket_name="ota-packages", object_key="meter/V2.0.bin")
    body = v5.CreateOtaPackage(
        app_id="energy",
        package_type="firmwarePackage",
        product_id="smart-meter",
        version="V2.0",
        support_source_versions=["V1.4.10", "V1.4.11"],
        file_location=v5.FileLocation(obs_location=location),
    )
    created = client.create_ota_package(v5.CreateOtaPackageRequest(body=body))
    deleted = client.delete_ota_package(v5.DeleteOtaPackageRequest(package_id=created.package_id))
    try:
        client.show_ota_package(v5.ShowOtaPackageRequest(package_id=created.package_id))
    except ClientRequestException as exc:
        afterwards = {
            "status": exc.status_code,
            "error_code": exc.error_code,
            "has_request_id": bool(exc.request_id),
        }
    return {
        "listed": len(listed),
        "distinct": len({package.package_id for package in listed}),
        "read": {
            "version": shown.version,
            "sign_method": shown.file_location.obs_location.sign_method,
            "module_name": shown.module_name,
        },
        "created": {
            "status": created.status_code,
            "version": created.version,
            "sources": created.support_source_versions,
        },
        "deleted": deleted.status_code,
        "afterwards": afterwards,
    }


def _start(client: Any, name: str, **fields: Any) -> str:
    body = v5.CreateBatchTask(
        task_name=name, task_type="firmwareUpgrade", document={"package_ids": [_meter(client)]}, **fields
    )
    return str(client.create_batch_task(v5.CreateBatchTaskRequest(body=body)).task_id)


def _wait(client: Any, task_id: str, status: str) -> Any:
    deadline = time.monotonic() + 20
    while True:
        task = client.show_batch_task(v5.ShowBatchTaskRequest(task_id=task_id)).batchtask
        if task.status == status:
            return task
        if time.monotonic() > deadline:
            raise TimeoutError(f"{task_id} is {task.status}, not {status}")
        time.sleep(0.01)


def tasks(client: Any) -> dict[str, Any]:
    """Start, watch, list, stop and delete tasks."""
    first = _start(client, "sdk_first", targets_filter={"group_ids": ["canary"]})
    finished = _wait(client, first, "Success")
    schedule = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + 3600))
    policy = v5.TaskPolicy(schedule_time=schedule, retry_count=1, retry_interval=5)
    second = _start(client, "sdk_second", targets=["meter-0001"], task_policy=policy)
    listed = client.list_batch_tasks(v5.ListBatchTasksRequest(task_type="firmwareUpgrade"))
    try:
        client.delete_batch_task(v5.DeleteBatchTaskRequest(task_id=second))
    except ClientRequestException as exc:
        refused = exc.status_code
    stopped = client.stop_batch_task(v5.StopBatchTaskRequest(task_id=second, body=v5.BatchTargets()))
    _wait(client, second, "Stopped")
    deleted = [client.delete_batch_task(v5.DeleteBatchTaskRequest(task_id=task_id)) for task_id in (first, second)]
    return {
        "finished": {
            "status": finished.status,
            "total": finished.task_progress.total,
            "success": finished.task_progress.success,
        },
        "listed": [task.task_name for task in listed.batchtasks],
        "refused": refused,
        "stopped": [result.target for result in stopped.targets],
        "deleted": [answer.status_code for answer in deleted],
    }


def devices(client: Any) -> dict[str, Any]:
    """List and search devices, and list those of a group."""
    listed = client.list_devices(v5.ListDevicesRequest(product_id="smart-meter", limit=50))
    grouped = client.show_devices_in_group(v5.ShowDevicesInGroupRequest(group_id="canary", limit=50))
    sql = "select * from device where group_id = 'canary' order by marker desc limit 50"
    searched = client.search_devices(v5.SearchDevicesRequest(body=v5.SearchSql(sql=sql)))
    try:
        client.search_devices(v5.SearchDevicesRequest(body=v5.SearchSql(sql=sql)))
    except ClientRequestException as exc:
        throttled = exc.status_code
    return {
        "listed": [len(listed.devices), listed.page.count, listed.devices[0].fw_version],
        "grouped": sorted(device.device_id for device in grouped.devices),
        "searched": [[device.fw_version, len(device.marker), device.groups] for device in searched.devices],
        "throttled": throttled,
    }


def refused(client: Any) -> dict[str, Any]:
    """Be refused for the wrong signature."""
    try:
        _meter(client)
    except ClientRequestException as exc:
        return {"status": exc.status_code, "error_code": exc.error_code}
    return {}


if __name__ == "__main__":
    scenarios = {"packages": packages, "tasks": tasks, "devices": devices, "refused": refused}
    scenario = scenarios[sys.argv[1]]
    sys.stdout.write(json.dumps(scenario(_client(json.load(sys.stdin)))))
