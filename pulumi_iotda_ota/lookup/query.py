"""Makes lookups from arguments, and checks them before anything is sent."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota import schema
from pulumi_iotda_ota.durations import api_time, parse_time
from pulumi_iotda_ota.iotda import references
from pulumi_iotda_ota.iotda.errors import InputError
from pulumi_iotda_ota.schema.validation import require_valid
from pulumi_iotda_ota.selection.policy import Policy
from pulumi_iotda_ota.selection.rules import rules_of
from pulumi_iotda_ota.selection.versions import scheme

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True)
class PackageLookup:
    """A lookup of one package."""

    policy: Policy
    package_id: str | None = None
    on_missing: str = "error"
    include_file_location: bool = False
    id: str = ""

    @classmethod
    def from_arguments(cls, values: Mapping[str, Any]) -> PackageLookup:
        """Return the checked lookup of one package.

        Args:
            values: the arguments by name, None for one that is not set.

        Raises:
            InputError: a value breaks its rule, or two values exclude each other.
        """
        require_valid(schema.GET_OTA_PACKAGE, values)
        return cls.from_valid(values)

    @classmethod
    def from_valid(cls, values: Mapping[str, Any]) -> PackageLookup:
        """Return the lookup of arguments that each passed its own rule; see :meth:`from_arguments`.

        Raises:
            InputError: two of them exclude each other, or a rule of the selection cannot be read.
        """
        package_id = values.get("package_id")
        if package_id is not None:
            _refuse_selection(values)
        elif values.get("package_type") is None:
            rule = schema.PACKAGE_TYPE.rule
            raise InputError(
                f"{references.argument('package_type')} is required: {rule.meaning if rule else ''}; "
                f"or set {references.argument('package_id')}",
                argument="package_type",
            )
        if values.get("highest_version") and values.get("most_recent"):
            raise InputError(
                f"{references.argument('highest_version')} and {references.argument('most_recent')} exclude each "
                "other: set one of them",
                argument="most_recent",
            )
        policy = _policy(values)
        return cls(
            # Matches that an error lists are ordered too.
            policy=replace(policy, order_by="create_time" if policy.most_recent else "version"),
            package_id=package_id,
            on_missing=values.get("on_missing") or "error",
            include_file_location=bool(values.get("include_file_location")),
            id=query_id("get_ota_package", schema.GET_OTA_PACKAGE, values),
        )


@dataclass(frozen=True)
class PackagesLookup:
    """A lookup of a list."""

    policy: Policy
    max_items: int | None = None
    id: str = ""

    @classmethod
    def from_arguments(cls, values: Mapping[str, Any]) -> PackagesLookup:
        """Return the checked lookup of a list; see :meth:`PackageLookup.from_arguments`."""
        require_valid(schema.GET_OTA_PACKAGES, values)
        policy = _policy({"include_prereleases": True, **_without_none(values)})
        return cls(policy, values.get("max_items"), query_id("get_ota_packages", schema.GET_OTA_PACKAGES, values))


@dataclass(frozen=True)
class UpgradeTaskLookup:
    """A lookup of an upgrade task."""

    task_id: str
    id: str = ""

    @classmethod
    def from_arguments(cls, values: Mapping[str, Any]) -> UpgradeTaskLookup:
        """Return the checked lookup of a task; see :meth:`PackageLookup.from_arguments`."""
        require_valid(schema.GET_UPGRADE_TASK, values)
        return cls(values["task_id"], query_id("get_upgrade_task", schema.GET_UPGRADE_TASK, values))


def _policy(values: Mapping[str, Any]) -> Policy:
    _require_order(values)
    rules: dict[str, Any] = {
        name: tuple(value) if isinstance(value, (list, set, frozenset)) else value
        for name, value in _without_none(values).items()
        if name in Policy.__dataclass_fields__
    }
    policy = Policy(**{**rules, **_window(rules)})
    # A constraint or pattern that cannot be read is an error now, before any page is requested.
    rules_of(policy)
    reads = scheme(policy.version_scheme)
    if policy.version is not None:
        reads.key_of("version", policy.version)
    for version in policy.preferred_versions:
        reads.key_of("preferred_versions", version)
    return policy


def _window(rules: Mapping[str, Any]) -> dict[str, str]:
    window = {name: parse_time(name, rules[name]) for name in ("created_after", "created_before") if name in rules}
    if len(window) > 1 and window["created_after"] >= window["created_before"]:
        raise InputError(
            f"{references.argument('created_after')} must be earlier than {references.argument('created_before')}",
            argument="created_after",
        )
    # The API's form has no parts of a second.
    return {name: time.isoformat() if time.microsecond else api_time(time) for name, time in window.items()}


def _require_order(values: Mapping[str, Any]) -> None:
    if isinstance(values.get("preferred_versions"), (set, frozenset)):
        raise InputError(
            f"{references.argument('preferred_versions')} must be a list, because a set has no order",
            argument="preferred_versions",
        )


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _refuse_selection(values: Mapping[str, Any]) -> None:
    given = [
        argument.name
        for argument in schema.SELECTION
        if argument.name != "package_id" and values.get(argument.name) not in (None, argument.default)
    ]
    if given:
        raise InputError(
            f"{references.argument('package_id')} excludes all other selection arguments, but "
            f"{' and '.join(map(references.argument, given))} {'is' if len(given) == 1 else 'are'} set",
            argument="package_id",
        )


def query_id(function: str, table: Iterable[schema.Argument], values: Mapping[str, Any]) -> str:
    """Return an id that is the same for the same query in every run."""
    query = json.dumps([function, _set_arguments(table, values)], sort_keys=True)
    return hashlib.sha256(query.encode()).hexdigest()[:32]


def words(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the selection arguments of a lookup that are set and differ from their default."""
    return _set_arguments(schema.SELECTION, values)


def _set_arguments(table: Iterable[schema.Argument], values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        argument.name: _in_order(argument.name, value) if argument.type == "list of strings" else value
        for argument in table
        if (value := values.get(argument.name)) is not None and value != argument.default
    }


def _in_order(name: str, value: Iterable[str]) -> list[str]:
    """Return a list in a form that compares. Only preferences have an order."""
    return list(value) if name == "preferred_versions" else sorted(value)
