"""Applies a policy to packages: the ones that fit, and why the others do not. Sends nothing, writes no error text."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pulumi_iotda_ota.iotda.models import OtaPackage
    from pulumi_iotda_ota.selection.policy import Policy

__all__ = ["MAX_SKIPPED", "Selection", "Skipped", "select", "spans"]

MAX_SKIPPED = 100
_SCOPES = ("app_id", "product_id", "module_name")
# The filters that the service applies too; each is checked again, so that a looser service can not widen an answer.
_EXACT = ("package_type", "app_id", "product_id", "version", "module_name")


@dataclass(frozen=True)
class Skipped:
    """A package that was passed over, and by which rule."""

    package_id: str
    version: str
    rule: str
    reason: str


@dataclass
class Selection:
    """What fits, in order, and what was passed over.

    Attributes:
        packages: those that fit, the preferred one first.
        looked_at: how many packages there were.
        skipped: the first :data:`MAX_SKIPPED` that were passed over, in the service's order.
        skipped_counts: how many each rule passed over.
    """

    packages: list[OtaPackage] = field(default_factory=list)
    looked_at: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    skipped_counts: Counter[str] = field(default_factory=Counter)

    def skip(self, package: OtaPackage, rule: str, reason: str) -> None:
        """Record one package that was passed over."""
        self.skipped_counts[rule] += 1
        if len(self.skipped) < MAX_SKIPPED:
            self.skipped.append(Skipped(package.package_id, package.version, rule, reason))


def select(packages: Iterable[OtaPackage], policy: Policy) -> Selection:
    """Return the packages that fit the policy, the preferred one first.

    Without ``order_by`` the service's order is kept: newest record first. Packages that tie keep it too.
    """
    selection = Selection()
    for package in packages:
        selection.looked_at += 1
        failed = next((name for name in _EXACT if not _fits(package, policy, name)), None)
        if failed is None:
            selection.packages.append(package)
        else:
            selection.skip(package, failed, f"{failed} is {getattr(package, failed) or 'not set'}")
    key = _order_key(policy)
    if key is not None:
        # A stable sort: equal keys keep the service's order.
        selection.packages.sort(key=key, reverse=True)
    return selection


def spans(packages: Sequence[OtaPackage]) -> dict[str, list[str]]:
    """Return the scopes in which the packages differ: the field's name and its values, in the packages' order."""
    values = {name: list(dict.fromkeys(getattr(package, name) or "" for package in packages)) for name in _SCOPES}
    return {name: found for name, found in values.items() if len(found) > 1}


def _fits(package: OtaPackage, policy: Policy, name: str) -> bool:
    wanted = getattr(policy, name)
    return wanted is None or getattr(package, name) == wanted


def _order_key(policy: Policy) -> Callable[[OtaPackage], str] | None:
    # The API's time form sorts as text. By version there is nothing to sort yet: a lookup takes that order only with an
    # exact version, where all that fits ties.
    return (lambda package: package.create_time) if policy.order_by == "create_time" else None
