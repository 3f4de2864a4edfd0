"""A change of each input of each resource does what the pages say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.lifecycle.completion import Completion
from pulumi_iotda_ota.lifecycle.confirmation import Confirmation
from pulumi_iotda_ota.lifecycle.ota_package.resource import Package
from pulumi_iotda_ota.lifecycle.pin import Pin
from pulumi_iotda_ota.lifecycle.upgrade_task.resource import UpgradeTask
from pulumi_iotda_ota.schema.argument import CONNECTION
from tests.support import resource_packages
from tests.support.resource_bench import SCOPE

if TYPE_CHECKING:
    from pulumi_iotda_ota.lifecycle.base import Created, Properties, ResourceContext
    from pulumi_iotda_ota.schema import Argument
    from tests.support.resource_bench import Bench

TABLES: dict[str, tuple[type[Any], tuple[Argument, ...]]] = {
    "OtaPackage": (Package, schema.OTA_PACKAGE),
    "OtaPackagePin": (Pin, schema.OTA_PACKAGE_PIN),
    "UpgradeTask": (UpgradeTask, schema.UPGRADE_TASK),
    "UpgradeTaskCompletion": (Completion, schema.UPGRADE_TASK_COMPLETION),
    "UpgradeTaskConfirmation": (Confirmation, schema.UPGRADE_TASK_CONFIRMATION),
}
EFFECTS = [
    (name, input_, change.effect if change else None)
    for name, (_, table) in TABLES.items()
    for input_, change in [*((argument.name, argument.change) for argument in table), ("connection", CONNECTION[name])]
]
METER: Properties = {"package_type": "firmwarePackage", "product_id": "meter", "highest_version": True}

# What makes another value of an input, beside what a resource is created with; more where one alone is not valid.
OTHER: dict[tuple[str, str], Properties] = {
    ("OtaPackage", "package_type"): {"package_type": "softwarePackage"},
    ("OtaPackage", "app_id"): {"app_id": "water"},
    ("OtaPackage", "product_id"): {"product_id": "gateway"},
    ("OtaPackage", "version"): {"version": "V8"},
    ("OtaPackage", "obs_location"): {"obs_location": {**resource_packages.OBJECT, "object_key": "meter/V8.bin"}},
    ("OtaPackage", "module_name"): {"package_type": "modulePackage", "module_name": "screen"},
    ("OtaPackage", "support_source_versions"): {"support_source_versions": ["V6"]},
    ("OtaPackage", "description"): {"description": "another"},
    ("OtaPackage", "custom_info"): {"custom_info": "another"},
    ("OtaPackage", "allow_replace"): {"allow_replace": True},
    ("OtaPackagePin", "package_type"): {"package_type": "softwarePackage"},
    ("OtaPackagePin", "app_id"): {"app_id": "energy"},
    ("OtaPackagePin", "product_id"): {"product_id": "other"},
    ("OtaPackagePin", "module_name"): {"package_type": "modulePackage", "module_name": "radio"},
    ("OtaPackagePin", "version"): {"version": "V1"},
    ("OtaPackagePin", "version_constraint"): {"version_constraint": "<=V1"},
    ("OtaPackagePin", "version_regex"): {"version_regex": "V1"},
    ("OtaPackagePin", "version_scheme"): {"version_scheme": "semver"},
    ("OtaPackagePin", "include_prereleases"): {"include_prereleases": True},
    ("OtaPackagePin", "preferred_versions"): {"preferred_versions": ["V1"]},
    ("OtaPackagePin", "source_versions"): {"source_versions": ["V1"]},
    ("OtaPackagePin", "allow_downgrade"): {"source_versions": ["V2"], "allow_downgrade": True},
    ("OtaPackagePin", "created_after"): {"created_after": "20260101T000000Z"},
    ("OtaPackagePin", "created_before"): {"created_before": "20260115T000000Z"},
    ("OtaPackagePin", "strict_versions"): {"strict_versions": True},
    ("OtaPackagePin", "package_id"): {**dict.fromkeys(METER), "package_id": "p1"},
    ("OtaPackagePin", "require_checksum"): {"require_checksum": True},
    ("OtaPackagePin", "highest_version"): {"highest_version": None, "version": "V1"},
    ("OtaPackagePin", "most_recent"): {"highest_version": None, "most_recent": True},
    ("OtaPackagePin", "allow_multiple_scopes"): {"allow_multiple_scopes": True},
    ("OtaPackagePin", "include_file_location"): {"include_file_location": True},
    ("OtaPackagePin", "triggers"): {"triggers": [2]},
    ("OtaPackagePin", "expected_package_id"): {"expected_package_id": "c4"},
    ("OtaPackagePin", "verify"): {"verify": True},
    ("UpgradeTask", "package_ids"): {"package_ids": ["p2"]},
    ("UpgradeTask", "targets"): {"targets": ["d1"]},
    ("UpgradeTask", "group_ids"): {"targets": None, "group_ids": ["few"]},
    ("UpgradeTask", "task_type"): {"task_type": "softwareUpgrade"},
    ("UpgradeTask", "app_id"): {"app_id": "energy"},
    ("UpgradeTask", "task_name_prefix"): {"task_name_prefix": "other"},
    ("UpgradeTask", "schedule_time"): {"schedule_time": "2026-11-23T00:00:00Z"},
    ("UpgradeTask", "retry_count"): {"retry_count": 3, "retry_interval": 5},
    ("UpgradeTask", "retry_interval"): {"retry_count": 2, "retry_interval": 6},
    ("UpgradeTask", "need_confirm"): {"need_confirm": True},
    ("UpgradeTask", "task_mode"): {"task_mode": "GATEWAY"},
    ("UpgradeTask", "task_ext_info"): {"task_ext_info": {"k": 1}},
    ("UpgradeTask", "triggers"): {"triggers": [2]},
    ("UpgradeTask", "on_destroy"): {"on_destroy": "retain"},
    ("UpgradeTask", "document_key"): {"document_key": "package_id"},
    ("UpgradeTask", "replace_running"): {"replace_running": True},
    ("UpgradeTask", "adopt_within"): {"adopt_within": "1h"},
    ("UpgradeTaskCompletion", "max_failed_devices"): {"max_failed_devices": 1},
    ("UpgradeTaskCompletion", "max_failed_percent"): {"max_failed_percent": 1},
    ("UpgradeTaskCompletion", "min_devices"): {"min_devices": 2},
    ("UpgradeTaskCompletion", "timeout"): {"timeout": "2h"},
    ("UpgradeTaskCompletion", "stop_when_exceeded"): {"stop_when_exceeded": True},
    ("UpgradeTaskCompletion", "retry_failed"): {"retry_failed": True},
    ("UpgradeTaskCompletion", "triggers"): {"triggers": [2]},
    ("UpgradeTaskConfirmation", "approved_package_ids"): {"approved_package_ids": ["p1", "p1"]},
}


@dataclass
class Resource:
    """A resource that exists, and what it was created with."""

    kind: type[Any]
    inputs: Properties
    created: Created

    def checked(self, context: ResourceContext, change: Properties) -> tuple[Properties, list[str]]:
        """Check other inputs, and return them and the arguments with a problem."""
        news = {name: value for name, value in {**self.inputs, **change}.items() if value is not None}
        checked = self.kind.check(context, self.created.outputs, news)
        return checked.inputs, [problem.argument for problem in checked.problems]


def task(bench: Bench, **fields: Any) -> str:
    """Put a task onto the service; return its id."""
    body = {"task_name": "n_1", "task_type": "firmwareUpgrade", "document": {"package_ids": ["p1"]}, "targets": ["d1"]}
    return bench.emulator.add_task(**{**body, **fields})


def existing(bench: Bench, name: str) -> Resource:
    """Create a resource as a program does."""
    confirmed = name == "UpgradeTaskConfirmation"
    inputs: Properties = {
        "OtaPackage": resource_packages.inputs(),
        "OtaPackagePin": METER,
        "UpgradeTask": {"package_ids": ["p1"], "targets": ["d1", "d2"], "scope": SCOPE},
        "UpgradeTaskCompletion": {"task_id": task(bench)},
        "UpgradeTaskConfirmation": {
            "task_id": task(bench, targets=["d3"], need_confirm=True) if confirmed else "",
            "approved_package_ids": ["p1"],
        },
    }[name]
    kind = TABLES[name][0]
    checked = kind.check(bench.context, {}, inputs)
    assert checked.problems == []
    return Resource(kind, inputs, kind.create(bench.context, checked.inputs))


def change_of(bench: Bench, name: str, input_: str) -> Properties:
    """Return another value of an input."""
    if input_ == "connection":
        return {"connection": {"deadline": 30}}
    if input_ == "task_id":
        return {"task_id": task(bench, need_confirm=name == "UpgradeTaskConfirmation", targets=["d9"])}
    return OTHER[name, input_]


def test_every_input_says_what_its_change_does() -> None:
    """Each input of each resource has an effect, and each input of the life cycle is in the table."""
    assert [input_ for _, input_, effect in EFFECTS if effect is None] == []
    for name, (kind, _) in TABLES.items():
        assert {input_ for known, input_, _ in EFFECTS if known == name} == {*kind.input_names} - {"scope"}


@pytest.mark.parametrize(("name", "input_", "effect"), [row for row in EFFECTS if row[1] != "lock"])
def test_a_change_does_what_the_page_says(bench: Bench, name: str, input_: str, effect: str) -> None:
    """A change of one input has the documented effect: on the plan, on the service, and in what is printed."""
    bench.emulator.add_package(package_id="c3", app_id="energy", product_id="other", version="V1")
    signed = {"file_location": {"obs_location": resource_packages.OBJECT}}
    bench.emulator.add_package(package_id="c4", app_id="energy", product_id="meter", version="3.0.0", **signed)
    resource = existing(bench, name)
    before = resource.created
    change = change_of(bench, name, input_)
    context = bench.context
    bench.warnings.clear()
    bench.emulator.forget_requests()
    news, problems = resource.checked(context, change)
    if effect in ("refused", "allowed"):
        assert problems == ([input_] if effect == "refused" else [""])
        if effect == "refused":
            return
        news, problems = resource.checked(context, {**change, "allow_replace": True})
    assert problems == []
    while_checked = bench.count()

    if effect in ("once", "replaces") and name == "UpgradeTask":
        with pytest.raises(InputError, match=input_):
            resource.kind.diff(context, before.id, before.outputs, news)
        bench.time.sleep(600)
    diff = resource.kind.diff(context, before.id, before.outputs, news)

    assert diff.changes
    assert (input_ in diff.replaces) is (effect in ("replaces", "allowed"))
    assert bool(bench.warnings) is (effect in ("once", "noted"))
    if diff.replaces:
        return
    state = resource.kind.update(context, before.id, before.outputs, news)
    assert state == {**state, **{field: value for field, value in change.items() if value is not None}}
    assert {request.method for request in bench.emulator.requests} <= {"GET", *(["POST"] if effect == "again" else [])}
    if effect == "again":
        assert bench.count() > 0
    elif input_ not in ("connection", "include_file_location") and name != "OtaPackagePin":
        assert (while_checked, bench.count()) == (0, 2 if effect == "once" else 0)
