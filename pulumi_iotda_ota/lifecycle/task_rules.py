"""What must hold of the inputs of an upgrade task by themselves; nothing here asks the service."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota import arguments
from pulumi_iotda_ota.arguments import Problem
from pulumi_iotda_ota.iotda import limits
from pulumi_iotda_ota.lifecycle.base import collecting, holds_unknown, known_problems
from pulumi_iotda_ota.lifecycle.durations import parse_duration, parse_time

if TYPE_CHECKING:
    from pulumi_iotda_ota.lifecycle.base import Properties

__all__ = ["problems_of_task"]

_PARSED = {"adopt_within": parse_duration, "schedule_time": parse_time}


def problems_of_task(inputs: Properties) -> list[Problem]:
    """Return everything that is wrong with the inputs; one that is not known yet is taken to be right."""
    problems = known_problems(arguments.UPGRADE_TASK, inputs)
    for name, parse in _PARSED.items():
        if name in inputs and not holds_unknown(inputs[name]):
            with collecting(problems):
                parse(name, inputs[name])
    return [*problems, *_problems_of_several(inputs)]


def _problems_of_several(inputs: Properties) -> list[Problem]:
    problems: list[Problem] = []
    if ("targets" in inputs) == ("group_ids" in inputs):
        problems.append(Problem("targets", "and group_ids: give exactly one of them"))
    if ("retry_count" in inputs) != ("retry_interval" in inputs):
        problems.append(Problem("retry_count", "and retry_interval go together: give both or none"))
    packages = inputs.get("package_ids")
    if inputs.get("document_key") == "package_id" and isinstance(packages, list) and len(packages) > 1:
        problems.append(Problem("document_key", "package_id takes exactly one package"))
    if _length_of(inputs.get("task_ext_info")) > limits.MAX_TASK_EXT_INFO:
        problems.append(Problem("task_ext_info", f"is longer than {limits.MAX_TASK_EXT_INFO} characters as JSON"))
    return problems


def _length_of(info: Any) -> int:
    if not isinstance(info, dict) or holds_unknown(info):
        return 0
    # As it is sent, and as iotda/task_body.py counts it.
    return len(json.dumps(info, ensure_ascii=False, separators=(",", ":")))
