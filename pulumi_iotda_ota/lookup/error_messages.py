"""The errors of a lookup: what was requested, found and nearest, and the fix for this input.

Readable in the log of a pipeline: 80 columns, at most about 25 lines; what is more than a few is counted. Sends
nothing.
"""

from __future__ import annotations

import textwrap
from bisect import bisect_right
from dataclasses import dataclass, fields
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Any, TypeVar

from pulumi_iotda_ota.errors import MultiplePackages, PackageNotFound
from pulumi_iotda_ota.iotda.errors import TEXT_WIDTH, IotdaOtaError, ProtocolError
from pulumi_iotda_ota.iotda.models import UnreadableRecord
from pulumi_iotda_ota.iotda.references import argument, arguments, field, setting
from pulumi_iotda_ota.iotda.sanitize import plural, sanitize
from pulumi_iotda_ota.message_rendering import find_hops
from pulumi_iotda_ota.selection.choose import UNREADABLE, spans
from pulumi_iotda_ota.selection.constraints import parse
from pulumi_iotda_ota.selection.keys import Keys
from pulumi_iotda_ota.selection.policy import Policy
from pulumi_iotda_ota.selection.rules import EXACT, rules_of

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.models import ListedPackage, OtaPackage
    from pulumi_iotda_ota.selection.choose import Selection, Skipped
    from pulumi_iotda_ota.selection.versions import Key

_MOST_LISTED = 5
_MOST_LINES = 12
_NEAREST = 3
_MOST_SUPPORTED = 3
_MOST_CHOICES = 2  # of a scope
_MOST_STEPS = 2  # of a fix
_SHOWN = 40  # characters of one value
_NEED_A_KEY = ("version_constraint", "include_prereleases")
_SCOPES = {"app_id": "app", "product_id": "product", "module_name": "module"}
# The lookup orders its matches by itself; this is no argument of it.
_NOT_REQUESTED = ("order_by",)
T = TypeVar("T")


@dataclass(frozen=True)
class Nearest:
    """The versions that are nearest to a match.

    Attributes:
        text: the versions, each with what speaks against it; empty if there is none.
        package: the first of them, or None.
        rules: the rules that this one does not match.
    """

    text: str
    package: OtaPackage | None = None
    rules: tuple[str, ...] = ()


def nothing_fits(
    policy: Policy, selection: Selection, connection: ResolvedConnection, near: Nearest
) -> PackageNotFound:
    """Return the error of a lookup that found nothing.

    Args:
        policy: what was requested.
        selection: what was skipped.
        connection: where it was searched.
        near: the nearest versions, see :func:`nearest` and :func:`neighbours`.
    """
    facts = [
        ("requested", requested(policy)),
        ("found", _found(policy, selection)),
        *(("not judged", str(record)) for record in selection.first_records[:1]),
        ("endpoint", connection.described),
        *([("nearest", near.text)] if near.text else []),
        ("fix", _fix(policy, near)),
    ]
    return PackageNotFound("no OTA package matches", facts=facts)


def several_fit(policy: Policy, packages: Sequence[OtaPackage]) -> MultiplePackages:
    """Return the error of a lookup that matches several packages and names no way to choose."""
    choice = f"{argument('highest_version', True)} or {argument('most_recent', True)}"
    if spans(packages):
        return _several(policy, packages, f"set {_spanned(packages)}; then {choice}")
    exact = "" if policy.version else f"{argument('version')} to one of these, or "
    return _several(policy, packages, f"set {exact}{choice}")


def several_scopes(policy: Policy, packages: Sequence[OtaPackage]) -> MultiplePackages:
    """Return the error of a lookup whose matches are in several resource spaces, products or modules."""
    across = f"to choose across all of them: {argument('allow_multiple_scopes', True)}"
    return _several(policy, packages, f"set {_spanned(packages)}; {across}")


def _spanned(packages: Sequence[OtaPackage]) -> str:
    """Return the arguments that tell the packages apart; one alone comes with its first values to choose from."""
    scopes = spans(packages)
    *others, last = map(argument, scopes)
    if others:
        return f"{', '.join(others)} and {last}"
    values = [_short(value) for value in next(iter(scopes.values())) if value]
    return f"{last} ({' or '.join(values[:_MOST_CHOICES])})"


def _several(policy: Policy, packages: Sequence[OtaPackage], fix: str) -> MultiplePackages:
    facts = [("requested", requested(policy)), ("found", _listed(packages)), ("fix", fix)]
    return MultiplePackages(f"{len(packages):,} OTA packages match", packages=packages, facts=facts)


def too_many_details(policy: Policy, candidates: int, read: int, signed: int) -> IotdaOtaError:
    """Return the error of a lookup that would read the details of more packages than it may.

    Args:
        policy: what was requested.
        candidates: how many packages match but for the checksum.
        read: of how many of them the details were read.
        signed: how many of these have a checksum.
    """
    narrower = "narrow the selection"
    if not policy.may_choose:
        narrower += f", set {argument('highest_version', True)} or {argument('most_recent', True)}"
    facts = [
        ("requested", requested(policy)),
        ("found", f"{candidates:,} candidates; of the {read} that were read, {signed} have a checksum"),
        ("fix", f"{narrower}, or upload the package with its SHA-256 checksum"),
    ]
    headline = f"{argument('require_checksum')} would read the details of more than {read} packages"
    return IotdaOtaError(headline, facts=facts)


def unreadable(policy: Policy, counts: Counter[str], first: Skipped) -> IotdaOtaError:
    """Return the error of a strict lookup of which a rule cannot read a version or an upload time.

    Args:
        policy: what was requested.
        counts: how many packages each rule could not read.
        first: the first of them.
    """
    versions = counts["version_scheme"]
    times = sum(counts.values()) - versions
    found = [plural(count, what) for count, what in ((versions, "version"), (times, "upload time")) if count]
    read_as = "" if times else f" as {policy.version_scheme}"
    correct = _fix_of_scheme(policy, first.version) if versions else "correct the upload time on the service"
    facts = [
        ("requested", requested(policy)),
        ("found", f"{_short(first.version)}, package {_short(first.package_id)}: {sanitize(first.reason)}"),
        ("fix", f"{correct}; or remove {argument('strict_versions')} to skip it"),
    ]
    return IotdaOtaError(f"{' and '.join(found)} cannot be read{read_as}", facts=facts)


def not_judged(policy: Policy, count: int, first: UnreadableRecord) -> IotdaOtaError:
    """Return the error of a lookup with ``strict_versions`` whose list has records that cannot be judged.

    Args:
        policy: what was requested.
        count: how many such records there are.
        first: the first of them.
    """
    facts = [
        ("requested", requested(policy)),
        ("found", str(first)),
        ("fix", f"correct or delete it on the service, or remove {argument('strict_versions')} to skip such records"),
    ]
    headline = f"{plural(count, 'record')} of the list cannot be judged, and {argument('strict_versions')} is set"
    return IotdaOtaError(headline, facts=facts)


def gone(package_id: str, connection: ResolvedConnection) -> PackageNotFound:
    """Return the error of an id that does not exist."""
    facts = [
        ("requested", arguments({"package_id": package_id})),
        ("endpoint", connection.described),
        ("fix", f"check {argument('package_id')}, {setting('project_id')} and {setting('instance_id')}"),
    ]
    return PackageNotFound(f"there is no OTA package {sanitize(package_id)}", facts=facts)


def contradicted(
    package_id: str, before: Mapping[str, Any], now: Mapping[str, Any], differing: Iterable[str]
) -> ProtocolError:
    """Return the error of a package whose detail contradicts the list."""
    lines = (f"{field(name)}: {_short(now[name])}, in the list {_short(before[name])}" for name in differing)
    facts = [
        ("found", "\n".join(lines)),
        ("fix", "run it again; if the error stays, report the package to Huawei Cloud"),
    ]
    headline = f"two responses of the service about package {sanitize(package_id)} contradict each other"
    return ProtocolError(headline, facts=facts)


def requested(policy: Policy) -> str:
    """Return the arguments that were set, with their values, as a user can copy them."""
    given = {item.name: getattr(policy, item.name) for item in fields(policy) if item.name not in _NOT_REQUESTED}
    return arguments({name: value for name, value in given.items() if value != getattr(_DEFAULTS, name)})


_DEFAULTS = Policy()


def _found(policy: Policy, selection: Selection) -> str:
    """Return how many packages there are, and how many of them each rule skipped."""
    if not selection.looked_at:
        return f"no {policy.package_type or 'package'}{_of_filters(policy)}"
    skipped = ", ".join(
        f"{'not judged' if rule == UNREADABLE else argument(rule)} {count:,}{_without_time(selection, rule)}"
        for rule, count in selection.skipped_counts.most_common()
    )
    return f"{plural(selection.looked_at, 'package')}, 0 match: {skipped}"


def _without_time(selection: Selection, rule: str) -> str:
    """Return how many of the packages that a rule skipped have no upload time that it can read."""
    count = selection.unreadable_counts[rule] if rule != "version_scheme" else 0
    return f" ({count:,} without a readable upload time)" if count else ""


def _of_filters(policy: Policy) -> str:
    words = {"product_id": "product", "app_id": "resource space", "version": "version"}
    given = [word for name, word in words.items() if getattr(policy, name) is not None]
    return f" of this {' and '.join(given)}" if given else ""


# The fix is that of the rules that the nearest package does not match, and of no others.


def _fix(policy: Policy, near: Nearest) -> str:
    if near.package is None:
        given = [name for name in EXACT if getattr(policy, name) is not None]
        names = [*map(argument, given), setting("project_id"), setting("instance_id")]
        return f"check {', '.join(names[:-1])} and {names[-1]}, or upload a package"
    package = near.package
    if len(near.rules) > _MOST_STEPS:
        return f"change {', '.join(map(argument, near.rules))} to match {_short(package.version)}, or upload a package"
    return "; ".join(_fix_of_rule(rule, package, policy) for rule in near.rules)


def _fix_of_rule(rule: str, package: OtaPackage, policy: Policy) -> str:
    """Return the step after which a rule no longer skips a package."""
    version = _short(package.version)
    if rule in EXACT:
        there = getattr(package, rule)
        return f"set {argument(rule, there)}" if there else f"remove {argument(rule)}"
    if rule == "source_versions":
        return _fix_of_sources(package, policy)
    if rule == "version_scheme":
        return _fix_of_scheme(policy, package.version)
    if rule in ("created_after", "created_before"):
        return _fix_of_window(rule, package, policy)
    steps = {
        "allow_downgrade": (
            "upload a package that is not older than the devices; "
            f"to accept the older {version}: {argument('allow_downgrade', True)}"
        ),
        "version_regex": f"change {argument('version_regex')} to match {version}",
        "version_constraint": f"change {argument('version_constraint')} to include {version}, or upload a package",
        "include_prereleases": f"set {argument('include_prereleases', True)} to allow {version}",
        "most_recent": f"set {argument('highest_version', True)} instead of {argument('most_recent')}",
        "require_checksum": f"upload {version} with its SHA-256 checksum",
    }
    return steps.get(rule, f"correct {version} on the service")


def _fix_of_sources(package: OtaPackage, policy: Policy) -> str:
    """Return the versions between the devices and the package that it supports, or that none is known."""
    keys = Keys(policy.version_scheme)
    running = max(filter(None, map(keys.find, policy.source_versions)), default=())
    between = [one for one in package.support_source_versions if (key := keys.find(one)) and key > running]
    if not between:
        return f"upload a package that supports {', '.join(map(_short, policy.source_versions[:_MOST_SUPPORTED]))}"
    first = " or ".join(map(_short, between[:_MOST_SUPPORTED]))
    return f"upgrade through {first} first:\n{find_hops(package.package_id, policy)}"


def _fix_of_window(rule: str, package: OtaPackage, policy: Policy) -> str:
    if Keys(policy.version_scheme).created(package) is None:
        return f"correct the upload time of {_short(package.version)} on the service"
    if rule == "created_after":
        return f"set {argument('created_after', package.created_at)} or earlier"
    return f"set {argument('created_before')} to a time after {package.created_at}"


def _fix_of_scheme(policy: Policy, version: str) -> str:
    if policy.version_scheme != "loose" and Keys("loose").find(version) is not None:
        return f"set {argument('version_scheme', 'loose')}"
    return "upload the package again with a version of letters, digits, _, - or ."


def nearest(packages: Iterable[ListedPackage], policy: Policy) -> Nearest:
    """Return the versions that came nearest, with what speaks against each.

    Those that break the fewest rules come first: of each rule the best, the highest version first. A prerelease that
    nothing but the default skips comes before them. Of those that are only outside a constraint, the ones next to its
    first bound.
    """
    keys = Keys(policy.version_scheme)
    judged = (package for package in packages if not isinstance(package, UnreadableRecord))
    broken = list(_broken(judged, policy, keys))
    fewest = min((len(one.rules) for one in broken), default=0)
    by_default = "include_prereleases" if policy.include_prereleases is None else ""
    nearer = (one for one in broken if len(one.rules) == fewest)
    close = sorted(nearer, key=lambda one: (one.rules[0] == by_default, one.key), reverse=True)
    groups: dict[str, list[tuple[Key, _Broken]]] = {}
    for one in close:
        groups.setdefault(one.rules[0], []).append((one.key, one))
    if "version_constraint" in groups:
        groups["version_constraint"] = _around(groups["version_constraint"], _bound(policy, keys))
    ordered = [one for _, one in _by_turns(groups.values())]
    if not ordered:
        return Nearest("")
    return Nearest(_joined(one.text for one in ordered), ordered[0].package, ordered[0].rules)


def neighbours(policy: Policy, others: Iterable[OtaPackage]) -> Nearest:
    """Return the versions next to an exact one that does not exist: two below it and one above."""
    keys = Keys(policy.version_scheme)
    readable = [(key, one) for one in others if (key := keys.find(one.version)) is not None]
    ordered = [one for _, one in _around(readable, keys.find(policy.version or ""))]
    if not ordered:
        return Nearest("")
    return Nearest(_joined(_short(one.version) for one in ordered), ordered[0], ("version",))


@dataclass(frozen=True)
class _Broken:
    """A package with the rules that it does not match, the first one's reason, and what sorts it."""

    package: OtaPackage
    rules: tuple[str, ...]
    reason: str
    key: Key

    @property
    def text(self) -> str:
        return f"{_short(self.package.version)} ({_short(self.reason, 60)})"


def _broken(packages: Iterable[OtaPackage], policy: Policy, keys: Keys) -> Iterator[_Broken]:
    rules = rules_of(policy, keys)
    for package in packages:
        key = keys.find(package.version)
        # A version that cannot be read breaks every rule that needs a key; those are not applied.
        applied = rules if key is not None else [rule for rule in rules if rule.argument not in _NEED_A_KEY]
        said = [(rule.argument, reason) for rule in applied if (reason := rule.reason(package)) is not None]
        said = said or [("require_checksum", "without a checksum")]
        yield _Broken(package, tuple(rule for rule, _ in said), said[0][1], key or ())


def _bound(policy: Policy, keys: Keys) -> Key | None:
    bounds = parse(policy.version_constraint or "*", keys.scheme).bounds
    return bounds[0] if bounds else None


def _around(versions: Iterable[tuple[Key, T]], bound: Key | None) -> list[tuple[Key, T]]:
    """Return the two next below a key and the one next above it, then those further below."""
    ordered = sorted(versions, key=lambda keyed: keyed[0])
    place = len(ordered) if bound is None else bisect_right([key for key, _ in ordered], bound)
    below = ordered[:place][::-1]
    return [*below[: _NEAREST - 1], *ordered[place : place + 1], *below[_NEAREST - 1 :]]


def _by_turns(groups: Iterable[list[T]]) -> Iterator[T]:
    """Yield the first of every group, then the second of every group, and so on."""
    return (one for turn in zip_longest(*groups) for one in turn if one is not None)


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(islice(dict.fromkeys(texts), _NEAREST))


def _short(text: object, limit: int = _SHOWN) -> str:
    shown = sanitize(text)
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


def _listed(packages: Sequence[OtaPackage]) -> str:
    """Return the first few packages, a line or so each, without the scopes that they all share, and count the rest."""
    scopes = spans(packages)
    shown = packages[:_MOST_LISTED]
    width = max(len(_short(one.version)) for one in shown)
    lines: list[str] = []
    listed = 0
    for one in shown:
        scope = "".join(f"  {_SCOPES[name]} {_short(getattr(one, name) or '-')}" for name in scopes)
        row = f"{_short(one.version):<{width}}  {_short(one.package_id)}{scope}  uploaded {_short(one.created_at[:10])}"
        wrapped = textwrap.wrap(row, TEXT_WIDTH, subsequent_indent="  ", break_on_hyphens=False)
        if len(lines) + len(wrapped) > _MOST_LINES:
            break
        lines += wrapped
        listed += 1
    rest = len(packages) - listed
    return "\n".join([*lines, *([f"… and {rest:,} more"] if rest else [])])
