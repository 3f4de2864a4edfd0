"""The identity of an upgrade task: its name, the body that creates it, and how a task compares. Sends nothing."""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.durations import api_time, parse_time
from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.iotda.references import argument, value
from pulumi_iotda_ota.iotda.sanitize import sanitize
from pulumi_iotda_ota.lifecycle.base import holds_unknown
from pulumi_iotda_ota.schema.argument import named

if TYPE_CHECKING:
    from pulumi_iotda_ota.iotda.models import BatchTask
    from pulumi_iotda_ota.lifecycle.base import Properties

#: A change of one of these needs a new task. A change of any other input only changes the stored state.
REPLACING_INPUTS = named(schema.UPGRADE_TASK, "replaces")
#: The service reads these when it creates a task, and never again.
_READ_ONCE = named(schema.UPGRADE_TASK, "once")

#: The final states. A task in any other state runs, also if the state is not documented.
ENDED = ("Success", "Fail", "PartialSuccess", "Stopped")

TASK_TYPES = {
    "softwarePackage": "softwareUpgrade",
    "firmwarePackage": "firmwareUpgrade",
    "modulePackage": "moduleUpgrade",
}

POLICY = ("retry_count", "retry_interval", "schedule_time")
_SETS = ("package_ids", "targets", "group_ids")
_LONGEST_NAME = 128
_DIGITS = 16


def identity_of(inputs: Properties) -> Properties:
    """Return the inputs that need a new task if they change. Lists without an order are sorted."""
    found = {name: inputs[name] for name in REPLACING_INPUTS if inputs.get(name) is not None}
    return {name: _as_set(value) if name in _SETS else value for name, value in found.items()}


def changed_inputs(olds: Properties, news: Properties) -> tuple[str, ...]:
    """Return the inputs in which two tasks differ. An input that is not known yet may differ, and counts.

    The service does not return every input of an imported task. The first value of such an input is not a difference.
    """
    unread = olds.get("unread_inputs") or ()
    unknown = {name for name in REPLACING_INPUTS if holds_unknown(news.get(name))}
    before = identity_of(olds)
    after = identity_of({name: value for name, value in news.items() if name not in unknown})
    compared = (name for name in REPLACING_INPUTS if name not in unread)
    return tuple(name for name in compared if name in unknown or before.get(name) != after.get(name))


def changed_once(olds: Properties, news: Properties) -> tuple[str, ...]:
    """Return the inputs that the service reads once and whose meaning has changed.

    An input that is not known yet is compared when it is known.
    """
    known = [name for name in _READ_ONCE if not holds_unknown(news.get(name))]
    return tuple(name for name in known if _meaning(name, olds.get(name)) != _meaning(name, news.get(name)))


def _meaning(name: str, value: Any) -> Any:
    if name == "need_confirm":
        return bool(value)
    if name == "schedule_time" and value is not None:
        with suppress(InputError):
            return api_time(parse_time(name, value))
    return value


def task_name(inputs: Properties) -> str:
    """Return the name of the task: equal inputs of one resource have an equal name on every machine.

    The service has no client token, so a later run finds the task of an interrupted run by its name. Every version of
    the API page allows letters, digits and ``_`` in a name. A long prefix is cut.
    """
    scope = inputs["scope"]
    identity = json.dumps([scope, identity_of(inputs)], sort_keys=True, ensure_ascii=True)
    digest = hashlib.sha256(identity.encode()).hexdigest()[:_DIGITS]
    prefix = inputs.get("task_name_prefix") or re.sub(r"[^A-Za-z0-9_]", "_", scope["name"])
    return f"{prefix[: _LONGEST_NAME - _DIGITS - 1]}_{digest}"


def is_named_alike(name: str, other: str) -> bool:
    """Return whether two names are of equal tasks. Their digits are equal, but the prefix can have changed.

    The name of an imported task does not end with such digits, so it is compared as a whole.
    """
    digits = _made_digits(name)
    return name == other or (digits != "" and digits == _made_digits(other))


def is_of_one_prefix(name: str, other: str) -> bool:
    """Return whether :func:`task_name` made two names from one prefix, which usually is the resource's name."""
    made = _made_digits(name) != "" != _made_digits(other)
    return made and name[: -_DIGITS - 1] == other[: -_DIGITS - 1]


def shares_devices(task: BatchTask, inputs: Properties) -> bool:
    """Return whether a task has a device or a group of the inputs, as far as the service returns them."""
    found = (task.targets, (task.targets_filter or {}).get("group_ids"))
    wanted = (inputs.get("targets"), inputs.get("group_ids"))
    return any({*_as_set(has)} & {*_as_set(wants)} for has, wants in zip(found, wanted, strict=True))


def _made_digits(name: str) -> str:
    """Return the digits at the end of a name that :func:`task_name` made; empty for any other name."""
    made = re.fullmatch(rf".*_([0-9a-f]{{{_DIGITS}}})", name)
    return made[1] if made else ""


def new_task(inputs: Properties) -> Properties:
    """Return the body of CreateBatchTask."""
    body: dict[str, Any] = {
        "task_name": inputs["task_name"],
        "task_type": inputs["task_type"],
        "app_id": inputs.get("app_id"),
        "task_mode": inputs.get("task_mode"),
        "need_confirm": inputs.get("need_confirm"),
        "task_ext_info": inputs.get("task_ext_info"),
        "targets": _each_once(inputs.get("targets")),
        "document": _document(inputs),
        "task_policy": _policy(inputs),
    }
    if inputs.get("group_ids"):
        body["targets_filter"] = {"group_ids": _each_once(inputs["group_ids"])}
    return {name: value for name, value in body.items() if value is not None}


def disagreements(task: BatchTask, inputs: Properties) -> list[str]:
    """Return a description of each input that a task does not equal. A field that is not returned agrees."""
    policy = task.task_policy or {}
    wanted_policy = _policy(inputs) or {}
    compared = {
        "task_type": (task.task_type, inputs.get("task_type")),
        "package_ids": (_as_set(task.package_ids), _as_set(inputs.get("package_ids"))),
        "targets": (_as_set(task.targets), _as_set(inputs.get("targets"))),
        "group_ids": (_as_set((task.targets_filter or {}).get("group_ids")), _as_set(inputs.get("group_ids"))),
        "task_mode": (task.task_mode, inputs.get("task_mode")),
        **{name: (policy.get(name), wanted_policy.get(name)) for name in POLICY},
    }
    differing = [
        f"{argument(name)} is {_brief(found)}, not {_brief(wanted)}"
        for name, (found, wanted) in compared.items()
        if found and wanted and found != wanted
    ]
    if task.need_confirm is not None and task.need_confirm is not bool(inputs.get("need_confirm")):
        differing.append(
            f"{argument('need_confirm')} is {value(task.need_confirm)}, not {value(not task.need_confirm)}"
        )
    if task.task_ext_info and task.task_ext_info != (inputs.get("task_ext_info") or task.task_ext_info):
        differing.append(f"{argument('task_ext_info')} differs")  # its content can be private
    return differing


def _document(inputs: Properties) -> Properties:
    # Instances that know only the API page of 2025-04 and earlier need the other key.
    if inputs.get("document_key") == "package_id":
        return {"package_id": inputs["package_ids"][0]}
    return {"package_ids": _each_once(inputs["package_ids"])}


def _policy(inputs: Properties) -> Properties | None:
    policy = {name: inputs[name] for name in POLICY if inputs.get(name) is not None}
    if "schedule_time" in policy:
        policy["schedule_time"] = api_time(parse_time("schedule_time", inputs["schedule_time"]))
    return policy or None


def _as_set(values: Any) -> list[str]:
    # The service can return a value of any type.
    return sorted({str(value) for value in values}) if isinstance(values, (list, tuple)) else []


def _each_once(values: Any) -> list[str] | None:
    return None if values is None else list(dict.fromkeys(values))


def _brief(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True)
    text = sanitize(text)
    return text if len(text) <= 80 else f"{text[:80]}…"  # noqa: PLR2004  one line of an error
