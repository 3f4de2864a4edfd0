"""The errors of a lookup: the request, what was found, the nearest packages, and the fix for this input.

An error fits the log of a pipeline: 80 columns and about 25 lines. Of long lists the first are named, the rest counted.
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
from pulumi_iotda_ota.selection.policy import Policy
from pulumi_iotda_ota.selection.rules import EXACT, Keys, rules_of

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
_LONGEST = 40  # characters of one value
_NEED_A_KEY = ("version_constraint", "include_prereleases")
_SCOPES = {"app_id": "app", "product_id": "product", "module_name": "module"}
# The lookup sets this itself.
_NOT_REQUESTED = ("order_by",)
T = TypeVar("T")


@dataclass(frozen=True)
class Nearest:
    """The packages that are nearest to a match.

    Attributes:
        text: their versions, each with the reason; empty if there is none.
        package: the first of them, or None.
        rules: the rules that the first one fails.
    """

    text: str
    package: OtaPackage | None = None
    rules: tuple[str, ...] = ()


def no_match(policy: Policy, selection: Selection, connection: ResolvedConnection, near: Nearest) -> PackageNotFound:
    """Return the error of a lookup without a match; see :func:`nearest` and :func:`neighbours` for ``near``."""
    facts = [
        ("requested", requested(policy)),
        ("found", _found(policy, selection)),
        *(("not judged", str(record)) for record in selection.first_records[:1]),
        ("endpoint", connection.described),
        *([("nearest", near.text)] if near.text else []),
        ("fix", _fix(policy, near)),
    ]
    return PackageNotFound("no OTA package matches", facts=facts)


def several_match(policy: Policy, packages: Sequence[OtaPackage]) -> MultiplePackages:
    """Return the error of a lookup with several matches and no argument that chooses."""
    choice = f"{argument('highest_version', True)} or {argument('most_recent', True)}"
    if spans(packages):
        return _several(policy, packages, f"set {_distinguishing(packages)}; then {choice}")
    exact = "" if policy.version else f"{argument('version')} to one of these, or "
    return _several(policy, packages, f"set {exact}{choice}")


def several_scopes(policy: Policy, packages: Sequence[OtaPackage]) -> MultiplePackages:
    """Return the error of a lookup with matches in several resource spaces, products or modules."""
    across = f"to choose across all of them: {argument('allow_multiple_scopes', True)}"
    return _several(policy, packages, f"set {_distinguishing(packages)}; {across}")


def _distinguishing(packages: Sequence[OtaPackage]) -> str:
    """Return the arguments that distinguish the packages. A single one is followed by its first values."""
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
    """Return the error of a lookup that would read the details of too many packages.

    Args:
        policy: the request.
        candidates: how many packages match all other rules.
        read: how many details were read.
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
    """Return the error of a lookup with ``strict_versions`` if a version or an upload time cannot be read.

    Args:
        policy: the request.
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
    """Return the error of a lookup with ``strict_versions`` if the list has records that cannot be judged."""
    facts = [
        ("requested", requested(policy)),
        ("found", str(first)),
        ("fix", f"correct or delete it on the service, or remove {argument('strict_versions')} to skip such records"),
    ]
    headline = f"{plural(count, 'record')} of the list cannot be judged, and {argument('strict_versions')} is set"
    return IotdaOtaError(headline, facts=facts)


def gone(package_id: str, connection: ResolvedConnection) -> PackageNotFound:
    """Return the error of a package id that does not exist."""
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
    """Return the arguments that differ from their default, with their values."""
    values = {item.name: getattr(policy, item.name) for item in fields(policy) if item.name not in _NOT_REQUESTED}
    return arguments({name: value for name, value in values.items() if value != getattr(_DEFAULTS, name)})


_DEFAULTS = Policy()


def _found(policy: Policy, selection: Selection) -> str:
    """Return how many packages there are, and how many each rule skipped."""
    if not selection.total:
        return f"no {policy.package_type or 'package'}{_of_filters(policy)}"
    skipped = ", ".join(
        f"{'not judged' if rule == UNREADABLE else argument(rule)} {count:,}{_without_time(selection, rule)}"
        for rule, count in selection.skipped_counts.most_common()
    )
    return f"{plural(selection.total, 'package')}, 0 match: {skipped}"


def _without_time(selection: Selection, rule: str) -> str:
    """Return how many of the packages that a rule skipped have no readable upload time."""
    count = selection.unreadable_counts[rule] if rule != "version_scheme" else 0
    return f" ({count:,} without a readable upload time)" if count else ""


def _of_filters(policy: Policy) -> str:
    nouns = {"product_id": "product", "app_id": "resource space", "version": "version"}
    filters = [noun for name, noun in nouns.items() if getattr(policy, name) is not None]
    return f" of this {' and '.join(filters)}" if filters else ""


# The fix concerns the rules that the nearest package fails, and no others.


def _fix(policy: Policy, near: Nearest) -> str:
    if near.package is None:
        filters = [argument(name) for name in EXACT if getattr(policy, name) is not None]
        names = [*filters, setting("project_id"), setting("instance_id")]
        return f"check {', '.join(names[:-1])} and {names[-1]}, or upload a package"
    package = near.package
    if len(near.rules) > _MOST_STEPS:
        return f"change {', '.join(map(argument, near.rules))} to match {_short(package.version)}, or upload a package"
    return "; ".join(_fix_of_rule(rule, package, policy) for rule in near.rules)


def _fix_of_rule(rule: str, package: OtaPackage, policy: Policy) -> str:
    """Return the step after which a rule does not skip a package any more."""
    version = _short(package.version)
    if rule in EXACT:
        value = getattr(package, rule)
        return f"set {argument(rule, value)}" if value else f"remove {argument(rule)}"
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
    """Return the step over a version between the devices and the package, or the package that is missing."""
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
    """Return the packages that fail the fewest rules, and why.

    They are taken from each rule in turn, the highest version first. A prerelease that only the default skips comes
    before them. Of packages that fail only the constraint, those next to its first bound are taken.
    """
    keys = Keys(policy.version_scheme)
    judged = (package for package in packages if not isinstance(package, UnreadableRecord))
    candidates = list(_candidates(judged, policy, keys))
    fewest = min((len(one.rules) for one in candidates), default=0)
    by_default = "include_prereleases" if policy.include_prereleases is None else ""
    nearer = (one for one in candidates if len(one.rules) == fewest)
    close = sorted(nearer, key=lambda one: (one.rules[0] == by_default, one.key), reverse=True)
    groups: dict[str, list[tuple[Key, _Candidate]]] = {}
    for one in close:
        groups.setdefault(one.rules[0], []).append((one.key, one))
    if "version_constraint" in groups:
        groups["version_constraint"] = _around(groups["version_constraint"], _bound(policy, keys))
    ordered = [one for _, one in _by_turns(groups.values())]
    if not ordered:
        return Nearest("")
    return Nearest(_joined(one.text for one in ordered), ordered[0].package, ordered[0].rules)


def neighbours(policy: Policy, others: Iterable[OtaPackage]) -> Nearest:
    """Return the versions next to an exact version that does not exist: two below it and one above."""
    keys = Keys(policy.version_scheme)
    readable = [(key, one) for one in others if (key := keys.find(one.version)) is not None]
    ordered = [one for _, one in _around(readable, keys.find(policy.version or ""))]
    if not ordered:
        return Nearest("")
    return Nearest(_joined(_short(one.version) for one in ordered), ordered[0], ("version",))


@dataclass(frozen=True)
class _Candidate:
    """A package with the rules that it fails, the reason of the first, and its key."""

    package: OtaPackage
    rules: tuple[str, ...]
    reason: str
    key: Key

    @property
    def text(self) -> str:
        return f"{_short(self.package.version)} ({_short(self.reason, 60)})"


def _candidates(packages: Iterable[OtaPackage], policy: Policy, keys: Keys) -> Iterator[_Candidate]:
    rules = rules_of(policy, keys)
    for package in packages:
        key = keys.find(package.version)
        # Rules that need a key are not applied to a version that cannot be read.
        applied = rules if key is not None else [rule for rule in rules if rule.argument not in _NEED_A_KEY]
        failed = [(rule.argument, reason) for rule in applied if (reason := rule.reason(package)) is not None]
        failed = failed or [("require_checksum", "without a checksum")]
        yield _Candidate(package, tuple(rule for rule, _ in failed), failed[0][1], key or ())


def _bound(policy: Policy, keys: Keys) -> Key | None:
    bounds = parse(policy.version_constraint or "*", keys.scheme).bounds
    return bounds[0] if bounds else None


def _around(versions: Iterable[tuple[Key, T]], bound: Key | None) -> list[tuple[Key, T]]:
    """Return the next two below a key and the next one above it, then the others below."""
    ordered = sorted(versions, key=lambda keyed: keyed[0])
    place = len(ordered) if bound is None else bisect_right([key for key, _ in ordered], bound)
    below = ordered[:place][::-1]
    return [*below[: _NEAREST - 1], *ordered[place : place + 1], *below[_NEAREST - 1 :]]


def _by_turns(groups: Iterable[list[T]]) -> Iterator[T]:
    """Yield the first item of every group, then the second ones, and so on."""
    return (one for turn in zip_longest(*groups) for one in turn if one is not None)


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(islice(dict.fromkeys(texts), _NEAREST))


def _short(text: object, limit: int = _LONGEST) -> str:
    safe = sanitize(text)
    return safe if len(safe) <= limit else f"{safe[: limit - 1]}…"


def _listed(packages: Sequence[OtaPackage]) -> str:
    """Return the first packages with the scopes in which they differ, and count the rest."""
    scopes = spans(packages)
    first = packages[:_MOST_LISTED]
    width = max(len(_short(one.version)) for one in first)
    lines: list[str] = []
    listed = 0
    for one in first:
        scope = "".join(f"  {_SCOPES[name]} {_short(getattr(one, name) or '-')}" for name in scopes)
        row = f"{_short(one.version):<{width}}  {_short(one.package_id)}{scope}  uploaded {_short(one.created_at[:10])}"
        wrapped = textwrap.wrap(row, TEXT_WIDTH, subsequent_indent="  ", break_on_hyphens=False)
        if len(lines) + len(wrapped) > _MOST_LINES:
            break
        lines += wrapped
        listed += 1
    rest = len(packages) - listed
    return "\n".join([*lines, *([f"… and {rest:,} more"] if rest else [])])
