"""What must hold of the inputs of an upgrade task by themselves; nothing here asks the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.iotda import limits
from pulumi_iotda_ota.lifecycle.base import holds_unknown, known_problems
from pulumi_iotda_ota.schema.validation import Problem

if TYPE_CHECKING:
    from pulumi_iotda_ota.lifecycle.base import Properties


def problems_of_task(inputs: Properties) -> list[Problem]:
    """Return everything that is wrong with the inputs; one that is not known yet is taken to be right."""
    problems = known_problems(schema.UPGRADE_TASK, inputs)
    return [*problems, *_problems_of_several(inputs)]


def _problems_of_several(inputs: Properties) -> list[Problem]:
    """Return what is wrong with inputs together; one that is not known yet counts as given."""
    info, packages = inputs.get("task_ext_info"), inputs.get("package_ids")
    found = {
        "targets": limits.problem_of_devices(targets="targets" in inputs, group_ids="group_ids" in inputs),
        "retry_count": limits.problem_of_retries(count="retry_count" in inputs, interval="retry_interval" in inputs),
    }
    if inputs.get("document_key") == "package_id" and isinstance(packages, list) and len(packages) > 1:
        found["document_key"] = '"package_id" allows exactly one package'
    if isinstance(info, dict) and not holds_unknown(info):
        found["task_ext_info"] = limits.problem_of_task_ext_info(info)
    return [Problem(name, problem) for name, problem in found.items() if problem]
