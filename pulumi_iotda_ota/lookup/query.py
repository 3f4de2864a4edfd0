"""What a lookup was asked, checked as a whole before anything is sent. Sends nothing, chooses nothing."""

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
    """What get_ota_package was asked; made by :meth:`from_arguments`, which checks it."""

    policy: Policy
    package_id: str | None = None
    on_missing: str = "error"
    include_file_location: bool = False
    id: str = ""

    @classmethod
    def from_arguments(cls, values: Mapping[str, Any]) -> PackageLookup:
        """Return the checked lookup of one package.

        Args:
            values: the arguments by name, None for one that was not given.

        Raises:
            InputError: a value breaks its rule, or two do not go together; nothing was sent.
        """
        require_valid(schema.GET_OTA_PACKAGE, values)
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
    """What get_ota_packages was asked; made by :meth:`from_arguments`, which checks it."""

    policy: Policy
    max_items: int | None = None
    id: str = ""

    @classmethod
    def from_arguments(cls, values: Mapping[str, Any]) -> PackagesLookup:
        """Return the checked lookup of a list; see :meth:`PackageLookup.from_arguments`."""
        require_valid(schema.GET_OTA_PACKAGES, values)
        policy = _policy({"include_prereleases": True, **_given(values)})
        return cls(policy, values.get("max_items"), query_id("get_ota_packages", schema.GET_OTA_PACKAGES, values))


@dataclass(frozen=True)
class UpgradeTaskLookup:
    """What get_upgrade_task was asked; made by :meth:`from_arguments`, which checks it."""

    task_id: str
    id: str = ""

    @classmethod
    def from_arguments(cls, values: Mapping[str, Any]) -> UpgradeTaskLookup:
        """Return the checked lookup of a task; see :meth:`PackageLookup.from_arguments`."""
        require_valid(schema.GET_UPGRADE_TASK, values)
        return cls(values["task_id"], query_id("get_upgrade_task", schema.GET_UPGRADE_TASK, values))


def _policy(values: Mapping[str, Any]) -> Policy:
    _require_order(values)
    given = {name: value for name, value in _given(values).items() if name in Policy.__dataclass_fields__}
    given = {
        name: tuple(value) if isinstance(value, (list, set, frozenset)) else value for name, value in given.items()
    }
    given |= _window(given)
    policy = Policy(**given)
    # A rule that cannot be read is an error now, before any page is requested.
    rules_of(policy)
    reads = scheme(policy.version_scheme)
    if policy.version is not None:
        reads.key_of("version", policy.version)
    for version in policy.preferred_versions:
        reads.key_of("preferred_versions", version)
    return policy


def _window(given: Mapping[str, Any]) -> dict[str, str]:
    window = {name: parse_time(name, given[name]) for name in ("created_after", "created_before") if name in given}
    if len(window) > 1 and window["created_after"] >= window["created_before"]:
        raise InputError(
            f"{references.argument('created_after')} must be earlier than {references.argument('created_before')}",
            argument="created_after",
        )
    # The API's form has no part of a second.
    return {name: time.isoformat() if time.microsecond else api_time(time) for name, time in window.items()}


def _require_order(values: Mapping[str, Any]) -> None:
    if isinstance(values.get("preferred_versions"), (set, frozenset)):
        raise InputError(
            f"{references.argument('preferred_versions')} must be a list, because a set has no order",
            argument="preferred_versions",
        )


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _refuse_selection(values: Mapping[str, Any]) -> None:
    given = [
        argument.name
        for argument in schema.WORDS
        if argument.name != "package_id" and values.get(argument.name) not in (None, argument.default)
    ]
    if given:
        raise InputError(
            f"{references.argument('package_id')} excludes all other selection arguments, but "
            f"{' and '.join(map(references.argument, given))} {'is' if len(given) == 1 else 'are'} set",
            argument="package_id",
        )


def query_id(function: str, table: Iterable[schema.Argument], values: Mapping[str, Any]) -> str:
    """Return an id that is the same for the same query, at every run and in every process."""
    given = _asked(table, values)
    return hashlib.sha256(json.dumps([function, given], sort_keys=True).encode()).hexdigest()[:32]


def words(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the words of one lookup that count: those that are not given, or say what is so anyway, left out."""
    return _asked(schema.WORDS, values)


def _asked(table: Iterable[schema.Argument], values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        argument.name: _in_order(argument.name, value) if argument.type == "list of strings" else value
        for argument in table
        if (value := values.get(argument.name)) is not None and value != argument.default
    }


def _in_order(name: str, value: Iterable[str]) -> list[str]:
    """Return a list as it counts: only preferences have an order."""
    return list(value) if name == "preferred_versions" else sorted(value)
