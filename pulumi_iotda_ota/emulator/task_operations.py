"""The operations on batch tasks: a request in, an answer out. What they do is in ``tasks.py``."""

from __future__ import annotations

from typing import Any

from pulumi_iotda_ota.emulator.campaign import FINAL, Task
from pulumi_iotda_ota.emulator.errors import ApiError
from pulumi_iotda_ota.emulator.messages import Reply, json_reply
from pulumi_iotda_ota.emulator.paging import cut_page, list_body, listed, parse_page, shown_as
from pulumi_iotda_ota.emulator.service import Call, Service, body_of, shaped
from pulumi_iotda_ota.emulator.shapes import TargetsBody, TaskBody, TaskQuery, TaskShowQuery

_STATUS_TEXT = {"Stopped": "The task is stopped.", "Fail": "All devices failed."}


def task_fields(service: Service, task: Task) -> dict[str, Any]:
    """Return a task as answers show it: without ``app_id``, the document under the key the switches say."""
    now = service.clock()
    status = task.status(now)
    shown = {
        **task.fields,
        "document": _document(task.fields["document"], service.switches.document_echo),
        "status": status,
        "status_desc": _STATUS_TEXT.get(status, ""),
        "task_progress": _progress(task.progress(now), counts_waiting=service.switches.waiting_counts),
    }
    if not service.switches.echo_targets:
        shown = {name: value for name, value in shown.items() if name not in {"targets", "targets_filter"}}
    return shown


def _progress(counts: dict[str, int], *, counts_waiting: bool) -> dict[str, int]:
    return counts if counts_waiting else {**counts, "waitting": 0}


def create_task(call: Call) -> Reply:
    """Answer CreateBatchTask."""
    task = call.service.add_task(body_of(TaskBody, call.request))
    return json_reply(201, task_fields(call.service, task))


def list_tasks(call: Call) -> Reply:
    """Answer ListBatchTasks."""
    query = shaped(TaskQuery, call.request.query)
    page = parse_page(call.request.query)
    call.service.require_space(query.app_id)
    now, switches = call.service.clock(), call.service.switches
    tasks = call.service.tasks.find(query.task_type, query.app_id, query.status, now)
    found, info = cut_page(listed(tasks, switches, now), page, switches)
    return json_reply(200, list_body("batchtasks", [task_fields(call.service, task) for task in found], info, switches))


def show_task(call: Call) -> Reply:
    """Answer ShowBatchTask: the task, and one page of its devices."""
    query = shaped(TaskShowQuery, call.request.query)
    page = parse_page(call.request.query)
    task = call.service.require_task(call.ids["task_id"])
    now = call.service.clock()
    devices = [
        subtask
        for subtask in task.visible(now)
        if query.target in (None, subtask.target)
        and (query.task_detail_status is None or subtask.status(now) == query.task_detail_status)
    ]
    switches = call.service.switches
    found, info = cut_page(devices, page, switches)
    details = list_body("task_details", [subtask.detail(now) for subtask in found], info, switches)
    return json_reply(200, {"batchtask": shown_as(task_fields(call.service, task), switches), **details})


def stop_task(call: Call) -> Reply:
    """Answer StopBatchTask."""
    task = _actionable(call.service, call.ids["task_id"])
    body = body_of(TargetsBody, call.request)
    return json_reply(200, {"targets": call.service.tasks.stop(task, body.targets, call.service.clock())})


def retry_task(call: Call) -> Reply:
    """Answer RetryBatchTask."""
    task = _actionable(call.service, call.ids["task_id"])
    body = body_of(TargetsBody, call.request)
    return json_reply(200, {"targets": call.service.tasks.retry(task, body.targets, call.service.clock())})


def confirm_task(call: Call) -> Reply:
    """Answer ConfirmBatchTask."""
    task = call.service.require_task(call.ids["task_id"])
    body = body_of(TargetsBody, call.request)
    return json_reply(200, {"targets": call.service.tasks.confirm(task, body.targets, call.service.clock())})


def delete_task(call: Call) -> Reply:
    """Answer DeleteBatchTask; only a finished task can be deleted."""
    now = call.service.clock()
    status = call.service.require_task(call.ids["task_id"]).status(now)
    if status not in FINAL:
        raise ApiError("task_state", f"It is {status}.")
    # What the devices reached stays true after the task is gone.
    call.service.tasks.settle(now)
    call.service.tasks.delete(call.ids["task_id"])
    return Reply(204)


def _actionable(service: Service, task_id: str) -> Task:
    task = service.require_task(task_id)
    if task.fields["task_type"] == "moduleUpgrade" and not service.switches.module_actions:
        raise ApiError("task_type", "It is a moduleUpgrade.")
    return task


def _document(sent: dict[str, Any], key: str) -> dict[str, Any]:
    if key == "as_sent":
        return sent
    ids = sent.get("package_ids") or [sent["package_id"]]
    return {"package_ids": ids} if key == "package_ids" else {"package_id": ids[0]}
