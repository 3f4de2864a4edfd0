"""The one meaning of "look up", for every door: the client asks, the selection chooses. Knows nothing of Pulumi."""

from __future__ import annotations

import difflib
import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota import arguments
from pulumi_iotda_ota.iotda.errors import (
    InputError,
    IotdaOtaError,
    MultiplePackages,
    PackageNotFound,
    ServiceError,
)
from pulumi_iotda_ota.iotda.retry import SYSTEM_CLOCK, Deadline
from pulumi_iotda_ota.iotda.text import printable
from pulumi_iotda_ota.selection.choose import Selection, select, spans
from pulumi_iotda_ota.selection.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pulumi_iotda_ota.iotda.connection import ResolvedConnection
    from pulumi_iotda_ota.iotda.models import OtaPackage, PackageQuery
    from pulumi_iotda_ota.run import Run, Walked

__all__ = ["Found", "FoundMany", "PackageLookup", "PackagesLookup", "find_package", "find_packages"]

_NOT_FOUND = 404
_MOST_LISTED = 5
_NEAREST = 3


@dataclass(frozen=True)
class PackageLookup:
    """What get_ota_package was asked; made by :meth:`from_arguments`, which checks it."""

    policy: Policy
    package_id: str | None = None
    on_missing: str = "error"
    with_file_location: bool = False
    id: str = ""

    @classmethod
    def from_arguments(cls, values: Mapping[str, Any]) -> PackageLookup:
        """Return the checked lookup of one package.

        Args:
            values: the arguments by name, None for one that was not given.

        Raises:
            InputError: a value breaks its rule, or two do not go together; nothing was sent.
        """
        arguments.require_valid(arguments.GET_OTA_PACKAGE, values)
        policy = _policy(values)
        if values.get("package_id") is not None:
            _refuse_selection_words(values)
        elif policy.package_type is None:
            rule = arguments.PACKAGE_TYPE.rule
            raise InputError(
                f"package_type is required: {rule.meaning if rule else ''}; or give package_id", argument="package_type"
            )
        elif policy.most_recent:
            _require_order(policy.order_by or "version", policy)
        return cls(
            policy=policy,
            package_id=values.get("package_id"),
            on_missing=values.get("on_missing") or "error",
            with_file_location=bool(values.get("with_file_location")),
            id=_query_id("get_ota_package", arguments.GET_OTA_PACKAGE, values),
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
        arguments.require_valid(arguments.GET_OTA_PACKAGES, values)
        policy = _policy(values)
        if policy.order_by is not None:
            _require_order(policy.order_by, policy)
        return cls(policy, values.get("max_items"), _query_id("get_ota_packages", arguments.GET_OTA_PACKAGES, values))


@dataclass(frozen=True)
class Found:
    """One package that was looked up, and what was passed over for it."""

    package: OtaPackage
    id: str
    selection: Selection = field(default_factory=Selection)
    requests: int = 1


@dataclass(frozen=True)
class FoundMany:
    """The packages that fit, and what was passed over."""

    packages: tuple[OtaPackage, ...]
    truncated: bool
    id: str
    selection: Selection


def find_packages(run: Run, connection: ResolvedConnection, lookup: PackagesLookup) -> FoundMany:
    """Return every package that fits, over all pages.

    Raises:
        IotdaOtaError: the service could not be asked to the end; there is never a partial list.
    """
    walked = run.packages(connection, _server_query(lookup.policy))
    selection = select(walked.packages, lookup.policy)
    kept = selection.packages[: lookup.max_items]
    return FoundMany(tuple(kept), len(kept) < len(selection.packages), lookup.id, selection)


def find_package(run: Run, connection: ResolvedConnection, lookup: PackageLookup) -> Found | None:
    """Return the one package that fits, or None where nothing does and ``on_missing`` is ``none``.

    Raises:
        PackageNotFound: nothing fits.
        MultiplePackages: more than one fits and nothing says which.
        IotdaOtaError: the service could not be asked to the end.
    """
    # One deadline for all that the lookup sends: the pages, the details, and what only an error needs.
    asked = _Asked(run, connection, Deadline.start(SYSTEM_CLOCK, connection.deadline))
    try:
        found = _by_id(asked, lookup) if lookup.package_id else _by_selection(asked, lookup)
    except PackageNotFound:
        if lookup.on_missing == "none":
            return None
        raise
    return found


@dataclass(frozen=True)
class _Asked:
    """Where one lookup asks, and until when."""

    run: Run
    connection: ResolvedConnection
    deadline: Deadline

    def packages(self, query: PackageQuery) -> Walked:
        return self.run.packages(self.connection, query, deadline=self.deadline)

    def first_packages(self, query: PackageQuery) -> tuple[OtaPackage, ...]:
        return self.run.first_packages(self.connection, query, deadline=self.deadline)

    def package(self, package_id: str) -> OtaPackage:
        return self.run.package(self.connection, package_id, deadline=self.deadline)


def _by_id(asked: _Asked, lookup: PackageLookup) -> Found:
    package = _show(asked, lookup.package_id or "")
    if not lookup.with_file_location:
        package = package.model_copy(update={"file_location": None})
    return Found(package, lookup.id)


def _by_selection(asked: _Asked, lookup: PackageLookup) -> Found:
    walked = asked.packages(_server_query(lookup.policy))
    selection = select(walked.packages, lookup.policy)
    if not selection.packages:
        if lookup.on_missing == "none":
            raise PackageNotFound("no OTA package fits")
        raise _not_found(asked, lookup.policy, selection, walked.requests)
    _require_one(lookup.policy, selection)
    chosen, *others = selection.packages
    for other in others:
        selection.skip(other, "order_by", f"comes after {chosen.version} by {lookup.policy.order_by or 'version'}")
    requests = walked.requests
    if lookup.with_file_location:
        detail = _show(asked, chosen.package_id)
        chosen, requests = chosen.model_copy(update={"file_location": detail.file_location}), requests + 1
    return Found(chosen, lookup.id, selection, requests)


def _show(asked: _Asked, package_id: str) -> OtaPackage:
    try:
        return asked.package(package_id)
    except ServiceError as error:
        if error.status != _NOT_FOUND:
            raise
        facts = [
            ("asked for", f"package_id {package_id}"),
            ("looked in", asked.connection.described),
            ("what to do", "check the id, the project and the instance; a package that is deleted does not come back"),
        ]
        raise PackageNotFound(f"there is no OTA package {package_id}", facts=facts) from error


def _require_one(policy: Policy, selection: Selection) -> None:
    """Refuse several packages where nothing says which of them, or where they are not comparable."""
    packages = selection.packages
    if len(packages) == 1:
        return
    spanned = spans(packages)
    if policy.most_recent and (policy.allow_unscoped or not spanned):
        return
    if policy.most_recent:
        headline = f"{len(packages)} OTA packages fit, and they span several {_joined(spanned, ' and ')}"
        advice = f"give {_joined(spanned, ' and ')}, or allow_unscoped=True"
    else:
        headline = f"{len(packages)} OTA packages fit, and most_recent is not set"
        advice = f"give {_joined(spanned, ' and ')}" if spanned else "give the exact version, or set most_recent=True"
    facts = [("asked for", _described(policy)), ("found", _listed(packages)), ("what to do", advice)]
    raise MultiplePackages(headline, packages=packages, facts=facts)


def _not_found(asked: _Asked, policy: Policy, selection: Selection, requests: int) -> PackageNotFound:
    passed = " · ".join(f"{count} of another {rule}" for rule, count in selection.skipped_counts.items())
    counted = f"{selection.looked_at} package{'s' * (selection.looked_at != 1)}"
    plural = "s" * (requests != 1)
    facts = [
        ("asked for", _described(policy)),
        ("looked at", f"{counted} ({requests} request{plural}){': ' if passed else ''}{passed}"),
        ("looked in", asked.connection.described),
        ("nearest", _nearest(asked, policy, selection)),
        ("what to do", "ask for one of these, upload the package, or check the product, project and instance"),
    ]
    return PackageNotFound("no OTA package fits", facts=[fact for fact in facts if fact[1]])


def _nearest(asked: _Asked, policy: Policy, selection: Selection) -> str:
    """Return the versions that came near, at the cost of at most one more request."""
    if policy.version is None:
        return ""
    versions = [skipped.version for skipped in selection.skipped]
    if not versions:
        try:
            others = asked.first_packages(_server_query(policy, version=None))
            versions = [package.version for package in others]
        except IotdaOtaError as error:
            # The search already failed; why the hint could not be had belongs beside it, not in its place.
            return f"not known: {error.headline}"
    if not versions:
        return f"nothing: there is no {policy.package_type} at all{' for this product' * bool(policy.product_id)}"
    near = difflib.get_close_matches(policy.version, dict.fromkeys(versions), n=_NEAREST, cutoff=0.0)
    return " · ".join(printable(version, limit=60) for version in near)


def _server_query(policy: Policy, **changes: Any) -> PackageQuery:
    from pulumi_iotda_ota.iotda.models import PackageQuery  # noqa: PLC0415  pydantic is loaded with the first lookup

    filters = {name: getattr(policy, name) for name in ("package_type", "app_id", "product_id", "version")}
    return PackageQuery(**{**filters, **changes})


def _policy(values: Mapping[str, Any]) -> Policy:
    given = {name: values[name] for name in Policy.__dataclass_fields__ if values.get(name) is not None}
    return Policy(**given)


def _refuse_selection_words(values: Mapping[str, Any]) -> None:
    apart = {"package_id", "on_missing", "with_file_location"}
    words = [
        argument.name
        for argument in arguments.GET_OTA_PACKAGE
        if argument.name not in apart and values.get(argument.name) not in (None, argument.default)
    ]
    if words:
        raise InputError(
            f"package_id goes with no selection argument, but {_joined(words, ' and ')} "
            f"{'is' if len(words) == 1 else 'are'} given too",
            argument="package_id",
        )


def _require_order(order_by: str, policy: Policy) -> None:
    if order_by == "version" and policy.version is None:
        raise InputError(
            'order_by="version" needs an exact version in this release; order_by="create_time" takes the newest upload',
            argument="order_by",
        )


def _query_id(function: str, table: Iterable[arguments.Argument], values: Mapping[str, Any]) -> str:
    given = {
        argument.name: value
        for argument in table
        if (value := values.get(argument.name)) is not None and value != argument.default
    }
    return hashlib.sha256(json.dumps([function, given], sort_keys=True).encode()).hexdigest()[:32]


def _described(policy: Policy) -> str:
    words = {"app_id": "resource space", "product_id": "product", "module_name": "module", "version": "version"}
    asked = [f"{word} {value}" for name, word in words.items() if (value := getattr(policy, name)) is not None]
    return ", ".join([policy.package_type or "", *asked])


def _listed(packages: list[OtaPackage]) -> str:
    def cell(text: str | None, limit: int = 40) -> str:
        return printable(text or "-", limit=limit)

    shown = packages[:_MOST_LISTED]
    width = max(len(cell(package.version)) for package in shown)
    lines = [
        f"{cell(package.version):<{width}}  package {cell(package.package_id)}  space {cell(package.app_id)}"
        f"  uploaded {cell(package.created_at[:10])}"
        for package in shown
    ]
    rest = len(packages) - len(shown)
    return "\n".join([*lines, *([f"… and {rest} more"] if rest else [])])


def _joined(names: Iterable[str], word: str) -> str:
    return word.join(names)
