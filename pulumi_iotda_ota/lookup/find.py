"""Looks packages up: requests the list, applies the selection, and fetches details. Knows nothing of Pulumi."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import repeat, takewhile
from typing import TYPE_CHECKING, Any

from pulumi_iotda_ota.iotda.errors import IotdaOtaError, ServiceError
from pulumi_iotda_ota.iotda.retry import Deadline
from pulumi_iotda_ota.lookup import error_messages
from pulumi_iotda_ota.selection.choose import MAX_SKIPPED, UNREADABLE, Selection, needs_all, select, spans
from pulumi_iotda_ota.selection.rules import EXACT, Keys
from pulumi_iotda_ota.selection.versions import about_unknown_word, release_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pulumi_iotda_ota.errors import PackageNotFound
    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.models import ListedPackage, OtaPackage, PackageQuery
    from pulumi_iotda_ota.lookup.query import PackageLookup, PackagesLookup
    from pulumi_iotda_ota.lookup.session import ListedPackages, Run
    from pulumi_iotda_ota.selection.choose import Tier
    from pulumi_iotda_ota.selection.policy import Policy

#: The fields that the rules of a selection read. The service cannot change any of them.
READ_BY_RULES = (*EXACT, "support_source_versions", "create_time")
# An empty list of source versions is the same as none.
_LEFT_OUT: tuple[object, ...] = (None, (), [])
_MOST_DETAILS = 50
_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")


@dataclass(frozen=True)
class Found:
    """The package that a lookup selected, and the packages that it skipped."""

    package: OtaPackage
    id: str
    selection: Selection = field(default_factory=Selection)
    listed: tuple[ListedPackage, ...] = ()


@dataclass(frozen=True)
class FoundMany:
    """The packages that a lookup selected, and the packages that it skipped."""

    packages: tuple[OtaPackage, ...]
    truncated: bool
    id: str
    selection: Selection


def find_packages(run: Run, connection: ResolvedConnection, lookup: PackagesLookup) -> FoundMany:
    """Return every package that matches, over all pages, or the first ``max_items`` of them.

    If the service's order is kept, the list is read up to the first package beyond ``max_items``. Skipped packages are
    then those before it.

    Raises:
        IotdaOtaError: the list could not be read to its end. There is no partial list.
    """
    deadline = Deadline.start(run.clock, connection.deadline)
    connection = run.completed(connection, deadline=deadline)
    policy, query = lookup.policy, _server_query(lookup.policy)
    if lookup.max_items is None or needs_all(policy):
        selection = select(run.packages(connection, query, deadline=deadline).packages, policy)
    else:
        first = partial(select, policy=policy, enough=lookup.max_items + 1)
        selection = run.some_packages(connection, query, first, key=lookup, deadline=deadline)
    _require_readable(policy, selection)
    matches = selection.packages
    kept = matches[: lookup.max_items]
    return FoundMany(tuple(kept), len(kept) < len(matches), lookup.id, selection)


def find_package(
    run: Run,
    connection: ResolvedConnection,
    lookup: PackageLookup,
    *,
    most_skipped: int = MAX_SKIPPED,
    deadline: Deadline | None = None,
) -> Found | None:
    """Return the one package that matches, or None if none does and ``on_missing`` is ``none``.

    Args:
        run: the memory of the run.
        connection: the connection to the service.
        lookup: the request.
        most_skipped: how many skipped packages are described. All of them are counted.
        deadline: the deadline, if the lookup is part of a longer operation.

    Raises:
        PackageNotFound: nothing matches.
        MultiplePackages: several packages match, and no argument says which one to take.
        IotdaOtaError: the list could not be read to its end.
    """
    # One deadline for all requests: the project, the pages, the details, and those that only an error needs.
    deadline = deadline or Deadline.start(run.clock, connection.deadline)
    context = _LookupContext(run, run.completed(connection, deadline=deadline), deadline)
    if lookup.package_id is not None:
        return _by_id(context, lookup.package_id, lookup)
    return _by_selection(context, lookup, most_skipped)


@dataclass(frozen=True)
class _LookupContext:
    """The connection and the deadline of one lookup."""

    run: Run
    connection: ResolvedConnection
    deadline: Deadline

    def package(self, package_id: str) -> OtaPackage | None:
        """Return a package with its file location, or None if it does not exist."""
        try:
            return self.run.package(self.connection, package_id, deadline=self.deadline)
        except ServiceError as error:
            if not error.is_not_found:
                raise
            return None

    def located(self, listed: OtaPackage) -> OtaPackage | None:
        """Return a listed package with its file location, or None if it was deleted since it was listed.

        Raises:
            ProtocolError: the detail contradicts the list; see :func:`held_to`.
        """
        detail = self.package(listed.package_id)
        return None if detail is None else held_to(listed, detail)


def _by_id(context: _LookupContext, package_id: str, lookup: PackageLookup) -> Found | None:
    package = context.package(package_id)
    if package is None:
        if lookup.on_missing == "none":
            return None
        raise error_messages.gone(package_id, context.connection)
    if not lookup.include_file_location:
        package = replace(package, file_location=None)
    return Found(package, lookup.id)


def _by_selection(context: _LookupContext, lookup: PackageLookup, most_skipped: int) -> Found | None:
    policy = lookup.policy
    listed = context.run.packages(context.connection, _server_query(policy), deadline=context.deadline)
    selection = select(listed.packages, policy, most_skipped=most_skipped)
    _require_readable(policy, selection)
    if policy.preferred_versions and not policy.allow_multiple_scopes and spans(selection.packages):
        # A preference chooses too, and never among packages of several scopes.
        raise error_messages.several_scopes(policy, selection.packages)
    chosen = _chosen(context, policy, selection)
    if chosen is None:
        if lookup.on_missing == "none":
            return None
        raise _nothing_matches(context, policy, selection, listed)
    if lookup.include_file_location and chosen.file_location is None:
        located = context.located(chosen)
        if located is None:
            raise error_messages.gone(chosen.package_id, context.connection)
        chosen = located
    return Found(chosen, lookup.id, selection, listed.packages)


def _chosen(context: _LookupContext, policy: Policy, selection: Selection) -> OtaPackage | None:
    """Return the package of the first tier that has one, and skip all packages of later tiers."""
    details = _Checksums(context, policy, selection)
    for number, tier in enumerate(selection.tiers):
        matches = details.signed(tier) if policy.require_checksum else tier.packages
        if matches:
            chosen = _the_one(policy, matches, selection)
            for other in (package for later in selection.tiers[number + 1 :] for package in later.packages):
                selection.skip(other, "preferred_versions", f"{tier.preferred} is preferred")
            return chosen
    return None


def _the_one(policy: Policy, matches: Sequence[OtaPackage], selection: Selection) -> OtaPackage:
    """Return the first match, if the lookup may choose."""
    chosen, *others = matches
    if others and not policy.may_choose:
        raise error_messages.several_match(policy, matches)
    if not _may_choose_among(policy, matches):
        raise error_messages.several_scopes(policy, matches)
    rule = "most_recent" if policy.most_recent else "highest_version"
    for other, reason in zip(others, _reasons(policy, chosen, others), strict=False):
        selection.skip(other, rule, reason)
    return chosen


def _reasons(policy: Policy, chosen: OtaPackage, others: Sequence[OtaPackage]) -> Iterator[str]:
    """Yield why each of the other matches is not the chosen one. Those that tie with it come first."""
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
    """Requests the checksums of candidates in order, one request each, and no more than necessary."""

    def __init__(self, context: _LookupContext, policy: Policy, selection: Selection) -> None:
        self._context = context
        self._policy = policy
        self._selection = selection
        self._requests = 0

    def signed(self, tier: Tier) -> list[OtaPackage]:
        """Return the packages of a tier with a SHA-256. If the first is enough, all after it are returned unread.

        Raises:
            IotdaOtaError: there are more candidates than details may be read.
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
        detail = self._context.located(candidate)
        if detail is not None and is_signed(detail):
            return detail
        reason = "deleted since it was listed" if detail is None else "without a SHA-256 checksum"
        self._selection.skip(candidate, "require_checksum", reason)
        return None


def is_signed(package: OtaPackage) -> bool:
    """Return whether the location of a package's file has a SHA-256 checksum."""
    obs = package.file_location.obs_location if package.file_location else None
    return bool(obs and obs.sign_method in (None, "SHA256") and _SHA256.fullmatch(obs.sign or ""))


def _nothing_matches(
    context: _LookupContext, policy: Policy, selection: Selection, listed: ListedPackages
) -> PackageNotFound:
    """Return the error of a lookup without a match. It costs at most one request for the nearest versions."""
    if listed.packages or policy.version is None:
        near = error_messages.nearest(listed.packages, policy)
    else:
        query = _server_query(policy, version=None)
        try:
            others = context.run.first_packages(context.connection, query, deadline=context.deadline)
            near = error_messages.neighbours(policy, others)
        except IotdaOtaError as error:
            # The lookup has failed already, so this error is only a fact of that one.
            near = error_messages.Nearest(f"not known: {error.message.headline}")
    return error_messages.no_match(policy, selection, context.connection, near)


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


# The rules of a selection are applied to the list. They hold for a detail only if both agree in what the rules read.


def contradictions(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return the fields in which two descriptions of one package differ. A field that one leaves out agrees.

    Only fields that the rules of a selection read are compared.

    Args:
        before: the package as it was listed, pinned or locked.
        now: the package as the service describes it now.
    """
    known = [name for name in READ_BY_RULES if now.get(name) not in _LEFT_OUT and before.get(name) is not None]
    return [name for name in known if _comparable(name, before[name]) != _comparable(name, now[name])]


def held_to(listed: OtaPackage, detail: OtaPackage) -> OtaPackage:
    """Return a listed package with the file location of its detail.

    Raises:
        ProtocolError: the detail contradicts the list, so the rules that chose the package do not hold for it.
    """
    before, now = ({name: getattr(package, name) for name in READ_BY_RULES} for package in (listed, detail))
    if differing := contradictions(before, now):
        raise error_messages.contradicted(listed.package_id, before, now, differing)
    return replace(listed, file_location=detail.file_location)


def _comparable(name: str, value: Any) -> Any:
    """Return a field without its form: the order of a list, its repetitions, and the form of a time."""
    if name == "create_time":
        from pulumi_iotda_ota.iotda.models import read_service_time  # noqa: PLC0415  loaded with the first lookup

        # The documented form has whole seconds, other forms have parts of a second.
        time = read_service_time(value)
        return time.replace(microsecond=0) if time else value
    return sorted(set(value)) if isinstance(value, (list, tuple)) else value
