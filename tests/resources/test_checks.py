"""How often an argument is checked: once, however many layers it passes.

This module counts only arguments that no request has. The client checks each request too, for every caller.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from pulumi_iotda_ota import operations
from pulumi_iotda_ota.durations import DurationRule, TimeRule
from pulumi_iotda_ota.iotda.limits import Choice, Identifier, Number, Pattern
from pulumi_iotda_ota.lifecycle.cancellation import Waiting
from pulumi_iotda_ota.lifecycle.completion import Completion
from pulumi_iotda_ota.lifecycle.confirmation import Confirmation
from pulumi_iotda_ota.lifecycle.ota_package.resource import Package
from pulumi_iotda_ota.lifecycle.pin import Pin
from pulumi_iotda_ota.plugin.provider import Provider
from pulumi_iotda_ota.schema.registry import RESOURCES
from pulumi_iotda_ota.schema.validation import to_wire
from tests.support.plugin_process import urn
from tests.support.resource_packages import INPUTS

if TYPE_CHECKING:
    from tests.support.resource_bench import Bench

SELECTION: dict[str, Any] = {
    "package_type": "firmwarePackage",
    "preferred_versions": ["V1", "V2"],
    "source_versions": ["V0"],
    "created_before": "2026-11-01T00:00:00Z",
}
NOT_SENT = {name: value for name, value in SELECTION.items() if name != "package_type"}
TASK_ID = "5c8b1c2d3e4f5a6b7c8d9e0f"


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Return how often the rules of the tables have been applied to each value."""
    counts: Counter[str] = Counter()
    for rule in (Pattern, Identifier, Choice, Number, TimeRule, DurationRule):
        if "problem" in vars(rule):
            _count(monkeypatch, rule, counts)
    return counts


def _count(monkeypatch: pytest.MonkeyPatch, rule: Any, counts: Counter[str]) -> None:
    problem = rule.problem

    def counted(self: Any, value: object) -> Any:
        # An identifier applies the rule of its parent to the same value.
        counts[str(value)] += type(self) is rule
        return problem(self, value)

    monkeypatch.setattr(rule, "problem", counted)


def of(checks: Counter[str], values: dict[str, Any]) -> set[int]:
    """Return how often the values were checked."""
    leaves = [item for value in values.values() for item in (value if isinstance(value, list) else [value])]
    return {checks[str(leaf)] for leaf in leaves}


def test_a_lookup(bench: Bench, checks: Counter[str]) -> None:
    """Each argument of a function is checked once."""
    found = operations.get_package(bench.run, bench.context, SELECTION)

    assert found["package_id"] == "p1"
    assert of(checks, NOT_SENT) == {1}


def test_a_pin(bench: Bench, checks: Counter[str]) -> None:
    """Each argument of a pin is checked once, whether the pin selects its package or keeps it."""
    first = Pin.check(bench.context, {}, SELECTION).inputs
    assert first["package_id"] == "p1"
    assert of(checks, NOT_SENT) == {1}

    checks.clear()
    assert Pin.check(bench.context, first, SELECTION).inputs["package_id"] == "p1"
    assert of(checks, NOT_SENT) == {1}


def test_a_pin_of_the_plugin(bench: Bench, checks: Counter[str]) -> None:
    """The plugin checks no argument of a pin a second time."""
    provider = Provider(bench.environ, lambda *_: None, lambda *_: None, Waiting(bench.time.clock))
    news = to_wire(RESOURCES["OtaPackagePin"].fields, SELECTION)

    assert provider.check(urn("OtaPackagePin"), {}, news).problems == []
    assert of(checks, NOT_SENT) == {1}


def test_a_package(bench: Bench, checks: Counter[str]) -> None:
    """Each input of a package is checked once."""
    values = {"support_source_versions": INPUTS["support_source_versions"], **INPUTS["obs_location"]}

    assert Package.check(bench.context, {}, INPUTS).problems == []
    del values["region_name"]  # the region of the connection is the same
    assert of(checks, values) == {1}


def test_resources_that_own_nothing(bench: Bench, checks: Counter[str]) -> None:
    """Each input of a completion and of a confirmation is checked once."""
    completion = {"task_id": TASK_ID, "max_failed_devices": 3, "timeout": "17m"}
    confirmation = {"task_id": TASK_ID, "approved_package_ids": ["p1"]}

    for kind, values in ((Completion, completion), (Confirmation, confirmation)):
        checks.clear()
        assert kind.check(bench.context, {}, values).problems == []
        assert of(checks, values) == {1}
