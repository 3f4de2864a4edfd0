"""The one meaning of "look up", for every door: the client asks, the selection chooses. Knows nothing of Pulumi."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import repeat, takewhile
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.errors import IotdaOtaError, ServiceError
from pulumi_iotda_ota.iotda.retry import Deadline
from pulumi_iotda_ota.lookup import error_messages
from pulumi_iotda_ota.lookup.details import held_to
from pulumi_iotda_ota.selection.choose import MAX_SKIPPED, UNREADABLE, Selection, needs_all, select, spans
from pulumi_iotda_ota.selection.keys import Keys
from pulumi_iotda_ota.selection.versions import about_unknown_word, release_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pulumi_iotda_ota.errors import PackageNotFound
    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.models import ListedPackage, OtaPackage, PackageQuery
    from pulumi_iotda_ota.lookup.query import PackageLookup, PackagesLookup
    from pulumi_iotda_ota.lookup.session import ListedPackages, Run
    from pulumi_iotda_ota.selection.choose import Tier
    from pulumi_iotda_ota.selection.policy import Policy

_MOST_DETAILS = 50
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


@dataclass(frozen=True)
class Found:
    """One package that was looked up, and what was passed over for it."""

    package: OtaPackage
    id: str
    selection: Selection = field(default_factory=Selection)
    listed: tuple[ListedPackage, ...] = ()


@dataclass(frozen=True)
class FoundMany:
    """The packages that fit, and what was passed over."""

    packages: tuple[OtaPackage, ...]
    truncated: bool
    id: str
    selection: Selection


def find_packages(run: Run, connection: ResolvedConnection, lookup: PackagesLookup) -> FoundMany:
    """Return every package that fits, over all pages, or the first ``max_items`` of them.

    Where the service's order is kept, the walk ends with the package that ``max_items`` leaves out: what was passed
    over is then told of the packages before it.

    Raises:
        IotdaOtaError: the service could not be asked to the end; there is never a partial list.
    """
    deadline = Deadline.start(run.clock, connection.deadline)
    connection = run.completed(connection, deadline=deadline)
    policy, query = lookup.policy, _server_query(lookup.policy)
    if lookup.max_items is None or needs_all(policy):
        selection = select(run.packages(connection, query, deadline=deadline).packages, policy)
    else:
        first = partial(select, policy=policy, enough=lookup.max_items + 1)
        selection = run.some_packages(connection, query, first, asked=lookup, deadline=deadline)
    _require_readable(policy, selection)
    fitting = selection.packages
    kept = fitting[: lookup.max_items]
    return FoundMany(tuple(kept), len(kept) < len(fitting), lookup.id, selection)


def find_package(
    run: Run,
    connection: ResolvedConnection,
    lookup: PackageLookup,
    *,
    most_skipped: int = MAX_SKIPPED,
    deadline: Deadline | None = None,
) -> Found | None:
    """Return the one package that fits, or None where nothing does and ``on_missing`` is ``none``.

    Args:
        run: its clients, and what it remembers.
        connection: where to ask.
        lookup: what was asked.
        most_skipped: how many of the packages that are passed over are told; all of them are counted.
        deadline: the bound of the lookup, if it is a part of a longer one.

    Raises:
        PackageNotFound: nothing fits.
        MultiplePackages: more than one fits and nothing says which.
        IotdaOtaError: the service could not be asked to the end.
    """
    # One deadline for all that the lookup sends: what IAM is asked, the pages, the details, what only an error needs.
    deadline = deadline or Deadline.start(run.clock, connection.deadline)
    asked = _LookupContext(run, run.completed(connection, deadline=deadline), deadline)
    if lookup.package_id is not None:
        return _by_id(asked, lookup.package_id, lookup)
    return _by_selection(asked, lookup, most_skipped)


@dataclass(frozen=True)
class _LookupContext:
    """Where one lookup asks, and until when."""

    run: Run
    connection: ResolvedConnection
    deadline: Deadline

    def packages(self, query: PackageQuery) -> ListedPackages:
        return self.run.packages(self.connection, query, deadline=self.deadline)

    def first_packages(self, query: PackageQuery) -> tuple[OtaPackage, ...]:
        return self.run.first_packages(self.connection, query, deadline=self.deadline)

    def package(self, package_id: str) -> OtaPackage | None:
        """Return a package with its file location, or None where it is not there."""
        try:
            return self.run.package(self.connection, package_id, deadline=self.deadline)
        except ServiceError as error:
            if not error.is_not_found:
                raise
            return None

    def located(self, listed: OtaPackage) -> OtaPackage | None:
        """Return a listed package with its file location, or None if it was deleted since it was listed.

        Raises:
            ProtocolError: the detail contradicts the list, so the rules that chose the package do not hold for it.
        """
        detail = self.package(listed.package_id)
        return None if detail is None else held_to(listed, detail)


def _by_id(asked: _LookupContext, package_id: str, lookup: PackageLookup) -> Found | None:
    package = asked.package(package_id)
    if package is None:
        if lookup.on_missing == "none":
            return None
        raise error_messages.gone(package_id, asked.connection)
    if not lookup.include_file_location:
        package = replace(package, file_location=None)
    return Found(package, lookup.id)


def _by_selection(asked: _LookupContext, lookup: PackageLookup, most_skipped: int) -> Found | None:
    policy = lookup.policy
    walked = asked.packages(_server_query(policy))
    selection = select(walked.packages, policy, most_skipped=most_skipped)
    _require_readable(policy, selection)
    if policy.preferred_versions and not policy.allow_multiple_scopes and spans(selection.packages):
        # A preference is a choice too: not one among packages that are not comparable.
        raise error_messages.several_scopes(policy, selection.packages)
    chosen = _chosen(asked, policy, selection)
    if chosen is None:
        if lookup.on_missing == "none":
            return None
        raise _nothing_fits(asked, policy, selection, walked)
    if lookup.include_file_location and chosen.file_location is None:
        chosen = _with_file(asked, chosen)
    return Found(chosen, lookup.id, selection, walked.packages)


def _chosen(asked: _LookupContext, policy: Policy, selection: Selection) -> OtaPackage | None:
    """Return the package of the first tier that has one; what it is preferred to is passed over."""
    details = _Checksums(asked, policy, selection)
    for number, tier in enumerate(selection.tiers):
        fitting = details.signed(tier) if policy.require_checksum else tier.packages
        if fitting:
            chosen = _the_one(policy, fitting, selection)
            for other in (package for later in selection.tiers[number + 1 :] for package in later.packages):
                selection.skip(other, "preferred_versions", f"{tier.preferred} is preferred")
            return chosen
    return None


def _the_one(policy: Policy, fitting: Sequence[OtaPackage], selection: Selection) -> OtaPackage:
    """Return the first of what fits, where the lookup may choose."""
    chosen, *others = fitting
    if others and not policy.may_choose:
        raise error_messages.several_fit(policy, fitting)
    if not _may_choose_among(policy, fitting):
        raise error_messages.several_scopes(policy, fitting)
    rule = "most_recent" if policy.most_recent else "highest_version"
    for other, reason in zip(others, _reasons(policy, chosen, others), strict=False):
        selection.skip(other, rule, reason)
    return chosen


def _reasons(policy: Policy, chosen: OtaPackage, others: Sequence[OtaPackage]) -> Iterator[str]:
    """Yield why each of the next packages is not the chosen one: first those that tie with it, then the others."""
    keys = Keys(policy.version_scheme)
    ties = f"ties with package {chosen.package_id}, an older record"
    if policy.most_recent:
        yield from (ties for _ in takewhile(lambda other: keys.created(other) == keys.created(chosen), others))
        yield from repeat(f"uploaded before {chosen.version}")
    lower, key = f"lower than {chosen.version}", keys.key(chosen.version)
    for other in map(keys.key, (package.version for package in others)):
        if release_of(other) != release_of(key):
            break
        yield ties if other == key else f"{lower}{about_unknown_word(other)}"
    yield from repeat(lower)


def _may_choose_among(policy: Policy, packages: Sequence[OtaPackage]) -> bool:
    return len(packages) == 1 or policy.allow_multiple_scopes or not spans(packages)


class _Checksums:
    """Asks candidates for their checksums, one request each, in order and no more than it must."""

    def __init__(self, asked: _LookupContext, policy: Policy, selection: Selection) -> None:
        self._asked = asked
        self._policy = policy
        self._selection = selection
        self._requests = 0

    def signed(self, tier: Tier) -> list[OtaPackage]:
        """Return those of a tier that carry a SHA-256; where the first is enough, it and all after it.

        Raises:
            IotdaOtaError: more candidates than may be asked.
        """
        found: list[OtaPackage] = []
        enough = self._policy.may_choose and _may_choose_among(self._policy, tier.packages)
        for number, candidate in enumerate(tier.packages):
            if enough and found:
                return [*found, *tier.packages[number:]]
            detail = self._detail(candidate, found)
            if detail is not None:
                found.append(detail)
        return found

    def _detail(self, candidate: OtaPackage, found: Sequence[OtaPackage]) -> OtaPackage | None:
        if self._requests == _MOST_DETAILS:
            raise error_messages.too_many_details(
                self._policy, len(self._selection.packages), _MOST_DETAILS, len(found)
            )
        self._requests += 1
        detail = self._asked.located(candidate)
        if detail is not None and is_signed(detail):
            return detail
        reason = "deleted since it was listed" if detail is None else "without a SHA-256 checksum"
        self._selection.skip(candidate, "require_checksum", reason)
        return None


def is_signed(package: OtaPackage) -> bool:
    """Return whether the location of a package's file has a SHA-256 checksum."""
    obs = package.file_location.obs_location if package.file_location else None
    return bool(obs and obs.sign_method in (None, "SHA256") and _SHA256.fullmatch(obs.sign or ""))


def _with_file(asked: _LookupContext, chosen: OtaPackage) -> OtaPackage:
    located = asked.located(chosen)
    if located is None:
        raise error_messages.gone(chosen.package_id, asked.connection)
    return located


def _nothing_fits(
    asked: _LookupContext, policy: Policy, selection: Selection, walked: ListedPackages
) -> PackageNotFound:
    """Return the error, after at most one more request for the versions that came near."""
    if walked.packages or policy.version is None:
        near = error_messages.nearest(walked.packages, policy)
    else:
        try:
            others = asked.first_packages(_server_query(policy, version=None))
            near = error_messages.neighbours(policy, others)
        except IotdaOtaError as error:
            # The search already failed; why the hint could not be had belongs beside it, not in its place.
            near = error_messages.Nearest(f"not known: {error.message.headline}")
    return error_messages.nothing_fits(policy, selection, asked.connection, near)


def _require_readable(policy: Policy, selection: Selection) -> None:
    if not policy.strict_versions:
        return
    if selection.first_unreadable:
        raise error_messages.unreadable(policy, selection.unreadable_counts, selection.first_unreadable)
    if selection.first_records:
        raise error_messages.not_judged(policy, selection.skipped_counts[UNREADABLE], selection.first_records[0])


def _server_query(policy: Policy, **changes: Any) -> PackageQuery:
    from pulumi_iotda_ota.iotda.models import PackageQuery  # noqa: PLC0415  pydantic is loaded with the first lookup

    filters = {name: getattr(policy, name) for name in ("package_type", "app_id", "product_id", "version")}
    return PackageQuery(**{**filters, **changes})
