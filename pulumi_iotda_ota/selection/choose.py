"""Applies a policy to packages: the ones that fit, and why the others do not. Sends nothing, writes no error text."""

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
#: What counts the records that no rule can judge, in the place of a rule.
UNREADABLE = "unreadable_record"
_FIRST_RECORDS = 3
_SCOPES = ("app_id", "product_id", "module_name")


@dataclass(frozen=True)
class Skipped:
    """A package that was skipped, and by which rule; ``unreadable`` if that rule could not read it."""

    package_id: str
    version: str
    rule: str
    reason: str
    unreadable: bool = False


@dataclass(frozen=True)
class Tier:
    """Packages that fit and are preferred alike, the first by ``order_by`` first.

    Attributes:
        preferred: the preferred version that they have, or empty.
        packages: one or more.
    """

    preferred: str
    packages: list[OtaPackage]


@dataclass
class Selection:
    """What fits, in order, and what was passed over.

    Attributes:
        tiers: those that fit: one tier for each preferred version that any of them has, then the others.
        looked_at: how many packages there were.
        skipped: the first :attr:`most_skipped` that were passed over, in the service's order.
        skipped_counts: how many each rule passed over.
        unreadable_counts: how many of them each rule skipped because it could not read a version or a time.
        first_unreadable: the first of these.
        first_records: the first three records that no rule can judge.
        most_skipped: how many are kept; all of them are counted.
    """

    tiers: list[Tier] = field(default_factory=list)
    looked_at: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    skipped_counts: Counter[str] = field(default_factory=Counter)
    unreadable_counts: Counter[str] = field(default_factory=Counter)
    first_unreadable: Skipped | None = None
    first_records: list[UnreadableRecord] = field(default_factory=list)
    most_skipped: int = MAX_SKIPPED

    @property
    def packages(self) -> list[OtaPackage]:
        """Return those that fit, the preferred ones first."""
        return [package for tier in self.tiers for package in tier.packages]

    def skip(self, package: OtaPackage, rule: str, reason: str, *, unreadable: bool = False) -> None:
        """Record one package that a rule skips.

        Args:
            package: the package.
            rule: the argument that the rule comes from.
            reason: what speaks against the package.
            unreadable: whether the rule could not read the version or the upload time.
        """
        self.skipped_counts[rule] += 1
        if unreadable:
            self.unreadable_counts[rule] += 1
            self.first_unreadable = self.first_unreadable or Skipped(
                package.package_id, package.version, rule, reason, unreadable=True
            )
        if len(self.skipped) < self.most_skipped:
            self.skipped.append(Skipped(package.package_id, package.version, rule, reason, unreadable))

    def skip_record(self, record: UnreadableRecord) -> None:
        """Record one record that no rule can judge."""
        self.skipped_counts[UNREADABLE] += 1
        if len(self.first_records) < _FIRST_RECORDS:
            self.first_records.append(record)
        if len(self.skipped) < self.most_skipped:
            self.skipped.append(Skipped(record.id, record.name, UNREADABLE, record.reason))


def needs_all(policy: Policy) -> bool:
    """Return whether the first that fit can not be told before all packages were looked at."""
    return bool(policy.order_by or policy.preferred_versions or policy.strict_versions)


def select(
    packages: Iterable[ListedPackage], policy: Policy, *, enough: int | None = None, most_skipped: int = MAX_SKIPPED
) -> Selection:
    """Return the packages that fit the policy, the preferred ones first.

    Preferred versions come first, in their order, then ``order_by``. Without it the service's order is kept: newest
    record first. Packages that tie keep it too. Each version is read once, so this is linear but for one sort.

    Args:
        packages: what there is, in the service's order; a record that cannot be judged is skipped.
        policy: what is preferred.
        enough: look no further once so many fit; only where the policy does not need all of them.
        most_skipped: how many of those that are passed over are kept with their reason.
    """
    keys = Keys(policy.version_scheme)
    selection, rules, fitting = Selection(most_skipped=most_skipped), rules_of(policy, keys), []
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
            fitting.append(package)
            if len(fitting) == enough:
                break
    selection.looked_at = len(fitting) + selection.skipped_counts.total()
    _order(fitting, policy, keys)
    selection.tiers = _tiers(fitting, policy, keys)
    return selection


def spans(packages: Sequence[OtaPackage]) -> dict[str, list[str]]:
    """Return the scopes in which the packages differ: the field's name and its values, in the packages' order."""
    values = {name: list(dict.fromkeys(getattr(package, name) or "" for package in packages)) for name in _SCOPES}
    return {name: found for name, found in values.items() if len(found) > 1}


def _order(packages: list[OtaPackage], policy: Policy, keys: Keys) -> None:
    # Stable sorts: what ties keeps the service's order, the newest record first.
    if policy.order_by == "version":
        packages.sort(key=lambda package: keys.key(package.version), reverse=True)
    elif policy.order_by == "create_time":
        packages.sort(key=keys.created, reverse=True)  # type: ignore[arg-type]  # the rules left out what has no time


def _tiers(packages: list[OtaPackage], policy: Policy, keys: Keys) -> list[Tier]:
    if not policy.preferred_versions:
        return [Tier("", packages)] if packages else []
    preferred = [(keys.scheme.key_of("preferred_versions", one), one) for one in policy.preferred_versions]
    # Of two preferred versions that tie, the first counts.
    tiers = {key: Tier(version, []) for key, version in reversed(preferred)}
    others = Tier("", [])
    for package in packages:
        tiers.get(keys.key(package.version), others).packages.append(package)
    ordered = [*(tiers[key] for key in dict.fromkeys(key for key, _ in preferred)), others]
    return [tier for tier in ordered if tier.packages]
