"""Applies a policy to packages: selects those that match, and notes why it skips the others."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pulumi_iotda_ota.iotda.models import UnreadableRecord
from pulumi_iotda_ota.selection.rules import Keys, rules_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pulumi_iotda_ota.iotda.models import ListedPackage, OtaPackage
    from pulumi_iotda_ota.selection.policy import Policy

MAX_SKIPPED = 100
#: Counts the records that cannot be judged, in the place of a rule.
UNREADABLE = "unreadable_record"
_FIRST_RECORDS = 3
_SCOPES = ("app_id", "product_id", "module_name")


@dataclass(frozen=True)
class Skipped:
    """A skipped package, and the rule that skipped it; ``unreadable`` if that rule could not read a field."""

    package_id: str
    version: str
    rule: str
    reason: str
    unreadable: bool = False


@dataclass(frozen=True)
class Tier:
    """Packages that match and are equally preferred, in the order of ``order_by``.

    Attributes:
        preferred: their preferred version, or empty.
        packages: one or more.
    """

    preferred: str
    packages: list[OtaPackage]


@dataclass
class Selection:
    """The packages that match, in order, and those that were skipped.

    Attributes:
        tiers: the matches: one tier for each preferred version that a package has, then the others.
        total: how many packages were judged or skipped.
        skipped: the first :attr:`most_skipped` skipped packages, in the service's order.
        skipped_counts: how many packages each rule skipped.
        unreadable_counts: how many of them each rule skipped because it could not read a version or a time.
        first_unreadable: the first of these.
        first_records: the first three records that cannot be judged.
        most_skipped: how many skipped packages are kept. All of them are counted.
    """

    tiers: list[Tier] = field(default_factory=list)
    total: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    skipped_counts: Counter[str] = field(default_factory=Counter)
    unreadable_counts: Counter[str] = field(default_factory=Counter)
    first_unreadable: Skipped | None = None
    first_records: list[UnreadableRecord] = field(default_factory=list)
    most_skipped: int = MAX_SKIPPED

    @property
    def packages(self) -> list[OtaPackage]:
        """Return the matches, the preferred ones first."""
        return [package for tier in self.tiers for package in tier.packages]

    def skip(self, package: OtaPackage, rule: str, reason: str, *, unreadable: bool = False) -> None:
        """Note a package that the rule of an argument skips; ``unreadable`` if the rule could not read a field."""
        self.skipped_counts[rule] += 1
        keeps = len(self.skipped) < self.most_skipped
        if not (keeps or unreadable):
            return
        skipped = Skipped(package.package_id, package.version, rule, reason, unreadable)
        if keeps:
            self.skipped.append(skipped)
        if unreadable:
            self.unreadable_counts[rule] += 1
            self.first_unreadable = self.first_unreadable or skipped

    def skip_record(self, record: UnreadableRecord) -> None:
        """Note a record that cannot be judged."""
        self.skipped_counts[UNREADABLE] += 1
        if len(self.first_records) < _FIRST_RECORDS:
            self.first_records.append(record)
        if len(self.skipped) < self.most_skipped:
            self.skipped.append(Skipped(record.id, record.name, UNREADABLE, record.reason))


def needs_all(policy: Policy) -> bool:
    """Return whether the first matches are known only after all packages were judged."""
    return bool(policy.order_by or policy.preferred_versions or policy.strict_versions)


def select(
    packages: Iterable[ListedPackage], policy: Policy, *, enough: int | None = None, most_skipped: int = MAX_SKIPPED
) -> Selection:
    """Return the packages that match a policy.

    Preferred versions come first, in their order, then ``order_by``. Without it, and among ties, the service's order is
    kept: newest record first. Each version is read once, so this is linear but for one sort.

    Args:
        packages: the packages in the service's order. A record that cannot be judged is skipped.
        policy: the rules.
        enough: stop after this many matches; only if the policy does not need all packages.
        most_skipped: how many skipped packages are kept with their reason.
    """
    keys = Keys(policy.version_scheme)
    selection, rules, matches = Selection(most_skipped=most_skipped), rules_of(policy, keys), []
    for package in packages:
        if isinstance(package, UnreadableRecord):
            selection.skip_record(package)
            continue
        for rule in rules:
            reason = rule.reason(package)
            if reason is not None:
                selection.skip(package, rule.argument, reason, unreadable=rule.reads)
                break
        else:
            matches.append(package)
            if len(matches) == enough:
                break
    selection.total = len(matches) + selection.skipped_counts.total()
    _order(matches, policy, keys)
    selection.tiers = _tiers(matches, policy, keys)
    return selection


def spans(packages: Sequence[OtaPackage]) -> dict[str, list[str]]:
    """Return the scopes in which packages differ: the name of the field, and its values in the packages' order."""
    values = {name: list(dict.fromkeys(getattr(package, name) or "" for package in packages)) for name in _SCOPES}
    return {name: found for name, found in values.items() if len(found) > 1}


def _order(packages: list[OtaPackage], policy: Policy, keys: Keys) -> None:
    # The sort is stable: ties keep the service's order, newest record first.
    if policy.order_by == "version":
        packages.sort(key=lambda package: keys.key(package.version), reverse=True)
    elif policy.order_by == "create_time":
        packages.sort(key=keys.created, reverse=True)  # type: ignore[arg-type]  # the rules skip packages without a readable time


def _tiers(packages: list[OtaPackage], policy: Policy, keys: Keys) -> list[Tier]:
    if not policy.preferred_versions:
        return [Tier("", packages)] if packages else []
    preferred = [(keys.scheme.key_of("preferred_versions", one), one) for one in policy.preferred_versions]
    # If two preferred versions tie, the first counts.
    tiers = {key: Tier(version, []) for key, version in reversed(preferred)}
    others = Tier("", [])
    for package in packages:
        tiers.get(keys.key(package.version), others).packages.append(package)
    ordered = [*(tiers[key] for key in dict.fromkeys(key for key, _ in preferred)), others]
    return [tier for tier in ordered if tier.packages]
