"""What must hold of the inputs of a package by themselves; nothing here asks the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.iotda import limits
from pulumi_iotda_ota.iotda.api.requests import TEXTS, problems_of_obs_location
from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.references import argument, field
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lifecycle.base import UNKNOWN, holds_unknown, known_problems
from pulumi_iotda_ota.lifecycle.ota_package.fields import described
from pulumi_iotda_ota.schema.validation import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pulumi_iotda_ota.lifecycle.base import Properties


def problems_of_package(inputs: Properties) -> list[Problem]:
    """Return everything that is wrong with the inputs; one that is not known yet is taken to be right."""
    found = known_problems(schema.OTA_PACKAGE, inputs)
    wrong = {problem.argument for problem in found}
    undecided = any(inputs.get(name) is UNKNOWN for name in ("package_type", "module_name"))
    if not wrong & {"package_type", "module_name"} and not undecided:
        module = limits.problem_of_module(inputs.get("package_type"), module="module_name" in inputs)
        found += [Problem("module_name", module)] if module else []
    for name, most in TEXTS.items():
        text = inputs.get(name)
        problem = limits.problem_of_length(text, most) if isinstance(text, str) else None
        found += [Problem(name, problem)] if problem else []
    return [*found, *_problems_of_object(inputs.get("obs_location"))]


def _problems_of_object(location: object) -> list[Problem]:
    if not isinstance(location, dict):
        return []  # not known yet, or told as what it is
    known = {name: value for name, value in location.items() if not holds_unknown(value)}
    problems = problems_of_obs_location(known, unknown=location.keys() - known.keys())
    return [Problem(f"obs_location.{sanitize(name, limit=40)}", problem) for name, problem in problems.items()]


def require_allowed(inputs: Properties, changed: Iterable[str]) -> None:
    """Refuse to replace a package only because of what is written about it, unless that is allowed.

    Args:
        inputs: what was given.
        changed: the texts that changed.

    Raises:
        InputError: ``allow_replace`` is not set.
    """
    texts = ", ".join(map(argument, changed))
    if not texts or inputs.get("allow_replace"):
        return
    facts = [
        ("found", described(inputs)),
        (
            "cause",
            (
                f"the service cannot change a package; a new one has another {field('package_id')}, and a task "
                "with another package is a new task"
            ),
        ),
        ("fix", f"restore {texts}, or set {argument('allow_replace', True)}"),
    ]
    raise InputError(f"a change of {texts} replaces the package", facts=facts)
