"""The errors of a lookup that can not answer: what was asked, what was seen, what came near, what to do.

Readable in the log of a pipeline: 80 columns, at most about 25 lines, and what is more than a few is counted. Sends
nothing.
"""

from __future__ import annotations

import textwrap
from bisect import bisect_right
from collections import Counter
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Any, TypeVar

from pulumi_iotda_ota.errors import MultiplePackages, PackageNotFound
from pulumi_iotda_ota.iotda.errors import TEXT_WIDTH, IotdaOtaError, ProtocolError
from pulumi_iotda_ota.iotda.models import UnreadableRecord
from pulumi_iotda_ota.iotda.sanitize import plural, sanitize
from pulumi_iotda_ota.selection.choose import UNREADABLE, spans
from pulumi_iotda_ota.selection.constraints import parse
from pulumi_iotda_ota.selection.keys import Keys
from pulumi_iotda_ota.selection.rules import rules_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pulumi_iotda_ota.iotda.auth.connection_model import ResolvedConnection
    from pulumi_iotda_ota.iotda.models import ListedPackage, OtaPackage
    from pulumi_iotda_ota.selection.choose import Selection, Skipped
    from pulumi_iotda_ota.selection.policy import Policy
    from pulumi_iotda_ota.selection.versions import Key

_MOST_LISTED = 5
_MOST_LINES = 12
_NEAREST = 3
_SHOWN = 40  # characters of one value
_SHOWN_EXPRESSION = 100  # of a pattern or a constraint
_VALUES = 4  # of a list of values
#: How a text begins that says why it is not known what came near.
NOT_KNOWN = "not known: "
_NEED_A_KEY = ("version_constraint", "include_prereleases")
_SCOPES = {"app_id": "app", "product_id": "product", "module_name": "module"}
T = TypeVar("T")
_ASKED = {
    "app_id": "resource space {}",
    "product_id": "product {}",
    "module_name": "module {}",
    "version": "version {}",
    "version_constraint": "version {}",
    "version_regex": "version matching {}",
    "preferred_versions": "rather {}",
    "source_versions": "for devices on {}",
    "created_after": "uploaded from {}",
    "created_before": "uploaded before {}",
    "require_checksum": "with a checksum",
}
# In the order of the rules.
_PASSED_OVER = {
    "package_type": "of another type",
    "app_id": "of another resource space",
    "product_id": "of another product",
    "version": "of another version",
    "module_name": "of another module",
    "created_after": "uploaded before {}",
    "created_before": "not uploaded before {}",
    "source_versions": "without support for {}",
    "allow_downgrade": "below what devices run",
    "version_regex": "not matching the pattern",
    "version_scheme": "no {} version{s}",
    "version_constraint": "outside {}",
    "include_prereleases": "prerelease{s}",
    "most_recent": "without an upload time that can be read",
    "require_checksum": "without a checksum",
    UNREADABLE: "that cannot be judged",
}
_ADVICE = {
    "version": "ask for one of these",
    "created_after": "widen the window",
    "created_before": "widen the window",
    "most_recent": "set highest_version=True in place of most_recent",
    "source_versions": "upgrade the devices in steps",
    "allow_downgrade": "set allow_downgrade=True",
    "version_regex": "correct the pattern",
    "version_scheme": 'use version_scheme="loose"',
    "version_constraint": "widen version_constraint",
    "include_prereleases": "set include_prereleases=True",
    "require_checksum": "upload it with its SHA-256",
}


def nothing_fits(
    policy: Policy, selection: Selection, requests: int, connection: ResolvedConnection, near: str
) -> PackageNotFound:
    """Return the error of a lookup that found nothing.

    Args:
        policy: what was asked.
        selection: what was passed over.
        requests: how many requests it took.
        connection: where it was looked.
        near: the versions that came near, see :func:`nearest` and :func:`neighbours`; empty where there is nothing.
    """
    counts = _counts(selection)
    passed = " · ".join(
        f"{count:,} {passed_over(policy, rule, count)}" for rule in _PASSED_OVER if (count := counts[rule])
    )
    counted = f"{plural(selection.looked_at, 'package')} ({plural(requests, 'request')})"
    advice = list(dict.fromkeys(_ADVICE[rule] for rule in reversed(_ADVICE) if counts[rule])) or [_ADVICE["version"]]
    facts = [
        ("asked for", described(policy)),
        ("looked at", _folded(f"{counted}{': ' if passed else ''}{passed}")),
        *(("not judged", _folded(str(record))) for record in selection.first_records[:1]),
        ("looked in", connection.described),
        ("nearest", _folded(near) or _nothing_near(policy)),
        (
            "what to do",
            ", ".join(
                [
                    *(advice if near and not near.startswith(NOT_KNOWN) else ()),
                    "upload a package",
                    "or check product, project and instance",
                ]
            ),
        ),
    ]
    return PackageNotFound("no OTA package fits", facts=facts)


def _counts(selection: Selection) -> Counter[str]:
    """Return the counts by rule; packages whose upload time cannot be read count as skipped by the order."""
    counts = Counter(selection.skipped_counts)
    for rule in ("created_after", "created_before"):
        unreadable = selection.unreadable_counts[rule]
        counts[rule] -= unreadable
        counts["most_recent"] += unreadable
    return counts


def several_fit(policy: Policy, packages: Sequence[OtaPackage]) -> MultiplePackages:
    """Return the error of a lookup that matches several packages and names no way to choose."""
    headline = f"{len(packages):,} OTA packages fit, and neither highest_version nor most_recent is set"
    choices = "set highest_version=True or most_recent=True"
    scopes = _spanned(packages)
    advice = f"give {scopes} (they span several), then {choices}" if scopes else f"give the exact version, or {choices}"
    return _several(policy, packages, headline, advice)


def several_scopes(policy: Policy, packages: Sequence[OtaPackage]) -> MultiplePackages:
    """Return the error of a lookup whose matches are in several resource spaces, products or modules."""
    scopes = _spanned(packages)
    headline = f"{len(packages):,} OTA packages fit, and they span several {scopes}"
    return _several(policy, packages, headline, f"give {scopes}, or allow_multiple_scopes=True")


def _spanned(packages: Sequence[OtaPackage]) -> str:
    return " and ".join(", ".join(spans(packages)).rsplit(", ", 1))


def _several(policy: Policy, packages: Sequence[OtaPackage], headline: str, advice: str) -> MultiplePackages:
    facts = [("asked for", described(policy)), ("found", _listed(packages)), ("what to do", advice)]
    return MultiplePackages(headline, packages=packages, facts=facts)


def too_many_details(policy: Policy, candidates: int, asked: int, signed: int) -> IotdaOtaError:
    """Return the error of a lookup that had to ask more packages for their checksums than it may.

    Args:
        policy: what was asked.
        candidates: how many packages fit but for the checksum.
        asked: how many of them were asked.
        signed: how many of these have one.
    """
    narrower = "narrow the selection"
    if not policy.may_choose:
        narrower += ", set highest_version=True or most_recent=True"
    facts = [
        ("asked for", described(policy)),
        ("looked at", f"{asked} of {candidates:,} packages that fit, one request each: {signed} with a checksum"),
        ("what to do", f"{narrower}, or upload a package with its SHA-256"),
    ]
    return IotdaOtaError(f"more than {asked} packages would have to be asked for their checksums", facts=facts)


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
    loose = versions and policy.version_scheme != "loose" and Keys("loose").find(first.version) is not None
    scheme = 'set version_scheme="loose", or ' if loose else ""
    facts = [
        ("asked for", described(policy)),
        ("first", _folded(f"{_short(first.version)}, package {_short(first.package_id)}: {sanitize(first.reason)}")),
        ("what to do", f"{scheme}leave strict_versions out to skip them"),
    ]
    return IotdaOtaError(f"{' and '.join(found)} cannot be read{read_as}", facts=facts)


def not_judged(policy: Policy, count: int, first: UnreadableRecord) -> IotdaOtaError:
    """Return the error of a lookup with ``strict_versions`` whose list has records that cannot be judged.

    Args:
        policy: what was asked.
        count: how many such records there are.
        first: the first of them.
    """
    facts = [
        ("asked for", described(policy)),
        ("first", _folded(str(first))),
        ("what to do", "correct or delete it on the service, or leave strict_versions out to skip such records"),
    ]
    headline = f"{plural(count, 'record')} of the list cannot be judged, and strict_versions is set"
    return IotdaOtaError(headline, facts=facts)


def gone(package_id: str, connection: ResolvedConnection) -> PackageNotFound:
    """Return the error of an id that is not there."""
    facts = [
        ("asked for", f"package_id {package_id}"),
        ("looked in", connection.described),
        ("what to do", "check the id, the project and the instance; a package that is deleted does not come back"),
    ]
    return PackageNotFound(f"there is no OTA package {package_id}", facts=facts)


def contradicted(
    package_id: str, before: Mapping[str, Any], now: Mapping[str, Any], differing: Iterable[str]
) -> ProtocolError:
    """Return the error of a package whose detail contradicts the list."""
    lines = (f"{name}: {_short(now[name])}, in the list {_short(before[name])}" for name in differing)
    facts = [
        ("differs", "\n".join(lines)),
        ("what to do", "run the command again; if the error stays, report the package to Huawei Cloud"),
    ]
    headline = f"two responses of the service about package {sanitize(package_id)} contradict each other"
    return ProtocolError(headline, facts=facts)


def described(policy: Policy) -> str:
    """Return in words what was asked, in lines that are narrow enough."""
    return _folded(", ".join([policy.package_type or "a package", *asked_words(policy, _ASKED)]), lines=8)


def asked_words(policy: Policy, names: Iterable[str]) -> list[str]:
    """Return in words what was asked by some of the words of a selection; nothing for one that was not given."""
    return [_ASKED[name].format(value) for name in names if (value := _value(policy, name))]


def passed_over(policy: Policy, rule: str, count: int) -> str:
    """Return in words why packages were passed over by a rule that counts.

    Args:
        policy: what was asked.
        rule: the rule's argument, or what stands for it if no rule can judge a record.
        count: how many there are.
    """
    value = "" if rule == UNREADABLE else _value(policy, rule)
    return _PASSED_OVER[rule].format(value, s="s" * (count != 1))


def nearest(packages: Iterable[ListedPackage], policy: Policy) -> str:
    """Return the versions that came nearest, with what speaks against each.

    Those that break the fewest rules come first: of each rule the best, the highest version first. Of those that are
    only outside a constraint, the ones next to its first bound.
    """
    keys = Keys(policy.version_scheme)
    judged = (package for package in packages if not isinstance(package, UnreadableRecord))
    broken = list(_broken(judged, policy, keys))
    fewest = min((number for number, *_ in broken), default=0)
    close = sorted((one for one in broken if one[0] == fewest), key=lambda one: one[2], reverse=True)
    groups: dict[str, list[tuple[Key, str]]] = {}
    for _, rule, key, version, reason in close:
        groups.setdefault(rule, []).append((key, f"{_short(version)} ({_short(reason, 60)})"))
    if "version_constraint" in groups:
        groups["version_constraint"] = _around(groups["version_constraint"], _bound(policy, keys))
    return _joined(text for _, text in _by_turns(groups.values()))


def neighbours(policy: Policy, others: Iterable[OtaPackage]) -> str:
    """Return the versions next to an exact one that is not there: two below it and one above."""
    keys = Keys(policy.version_scheme)
    readable = [(key, _short(one.version)) for one in others if (key := keys.find(one.version)) is not None]
    bound = keys.find(policy.version or "")
    return _joined(text for _, text in _around(readable, bound))


def _broken(packages: Iterable[OtaPackage], policy: Policy, keys: Keys) -> Iterator[tuple[int, str, Key, str, str]]:
    """Yield for each package how many rules it breaks, the first of them, and what that says."""
    rules = rules_of(policy, keys)
    for package in packages:
        key = keys.find(package.version)
        # What can not be read breaks every rule that asks for a key; those are not asked.
        asked = rules if key is not None else [rule for rule in rules if rule.argument not in _NEED_A_KEY]
        said = [(rule.argument, reason) for rule in asked if (reason := rule.reason(package)) is not None]
        rule, reason = said[0] if said else ("require_checksum", "without a checksum")
        yield len(said), rule, key or (), package.version, reason


def _bound(policy: Policy, keys: Keys) -> Key | None:
    bounds = parse(policy.version_constraint or "*", keys.scheme).bounds
    return bounds[0] if bounds else None


def _around(versions: Iterable[tuple[Key, str]], bound: Key | None) -> list[tuple[Key, str]]:
    """Return the two next below a key and the one next above it, then those further below."""
    ordered = sorted(versions)
    place = len(ordered) if bound is None else bisect_right([key for key, _ in ordered], bound)
    below = ordered[:place][::-1]
    return [*below[: _NEAREST - 1], *ordered[place : place + 1], *below[_NEAREST - 1 :]]


def _by_turns(groups: Iterable[list[T]]) -> Iterator[T]:
    """Yield the first of every group, then the second of every group, and so on."""
    return (one for turn in zip_longest(*groups) for one in turn if one is not None)


def _joined(texts: Iterable[str]) -> str:
    return " · ".join(islice(dict.fromkeys(texts), _NEAREST))


def _nothing_near(policy: Policy) -> str:
    return f"nothing: no {policy.package_type} is there{' for this product' * bool(policy.product_id)}"


def _value(policy: Policy, name: str) -> str:
    value = getattr(policy, name)
    if isinstance(value, tuple):
        rest = len(value) - _VALUES
        shown = ", ".join(_short(one) for one in value[:_VALUES])
        return f"{shown} and {rest} more" if rest > 0 else shown
    expression = name in ("version_constraint", "version_regex")
    return _short(value or "", _SHOWN_EXPRESSION if expression else _SHOWN)


def _short(text: object, limit: int = _SHOWN) -> str:
    shown = sanitize(text)
    return shown if len(shown) <= limit else f"{shown[: limit - 1]}…"


def _folded(text: str, lines: int = 5) -> str:
    """Return text in a few lines that are narrow enough, long words broken; what is more is cut."""
    return "\n".join(textwrap.wrap(text, TEXT_WIDTH, break_on_hyphens=False, max_lines=lines, placeholder=" …"))


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
