"""What a version constraint admits. ``constraints.py`` reads one."""

from __future__ import annotations

import operator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pulumi_iotda_ota.selection.versions import (
    about_unknown_word,
    begins_with_number,
    is_prerelease,
    is_prerelease_of,
    release_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi_iotda_ota.selection.versions import Key, Scheme

#: The operators that compare whole versions, and take any.
EXACT = ("", "=", "!=")


def _below(key: Key, bound: Key) -> bool:
    return key < bound and not is_prerelease_of(key, bound)


COMPARE: dict[str, Callable[[Key, Key], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": _below,
    "<=": operator.le,
}


class Comparison(NamedTuple):
    """A comparison with one version: of whole versions, or of their releases if they have unknown words."""

    operator: str
    bound: Key
    whole: bool


@dataclass(frozen=True)
class Term:
    """One term: its text, and the comparisons it stands for, all of which must be true."""

    text: str
    comparisons: tuple[Comparison, ...]

    @property
    def ordered(self) -> bool:
        """Return whether it compares by the order, which only versions that begin with a number have."""
        return any(comparison.operator not in EXACT for comparison in self.comparisons)

    def admits(self, key: Key, release: Key) -> bool:
        """Return whether a version with this key and this release is admitted."""
        # Loops, here and below: generators cost more than the comparisons, and every version comes through.
        for name, bound, whole in self.comparisons:  # noqa: SIM110
            if not COMPARE[name](key if whole else release, bound):
                return False
        return True


@dataclass(frozen=True)
class Constraint:
    """A version constraint, as ``constraints.parse`` returns it.

    ``str()`` returns it in one spelling, which reads as the same constraint.

    Attributes:
        text: the constraint as it was written.
        scheme: how versions are read.
        alternatives: the terms of each side of ``||``.
    """

    text: str = field(compare=False)
    scheme: Scheme
    alternatives: tuple[tuple[Term, ...], ...]

    def admits(self, version: str) -> bool:
        """Return whether a version fulfils the constraint.

        Raises:
            Unreadable: the scheme cannot read the version.
        """
        return self.admits_key(self.scheme.key(version))

    def admits_key(self, key: Key) -> bool:
        """Return whether the version of a key of this scheme fulfils the constraint."""
        return self._admits(key, release_of(key))

    def reason(self, key: Key) -> str | None:
        """Return why a version does not fulfil the constraint, or None if it does.

        The reason names an unknown word if the version would fulfil it without the word, or by the order alone.
        """
        release = release_of(key)
        if self._admits(key, release):
            return None
        if not begins_with_number(key) and any(term.ordered for terms in self.alternatives for term in terms):
            return f"outside {self.text}; it begins with no version number"
        mattered = release is not key and (self._admits(release, release) or self._admits(key, key))
        return f"outside {self.text}{about_unknown_word(key) if mattered else ''}"

    def _admits(self, key: Key, release: Key) -> bool:
        comparable = begins_with_number(key)
        for terms in self.alternatives:
            for term in terms:
                if (not comparable and term.ordered) or not term.admits(key, release):
                    break
            else:
                return True
        return False

    @property
    def names_prerelease(self) -> bool:
        """Return whether any version written in the constraint, also after ``!=``, is itself a prerelease."""
        return any(is_prerelease(bound) for bound in self.bounds)

    @property
    def bounds(self) -> list[Key]:
        """Return the versions that it compares with, in the order in which they are written."""
        terms = [term for terms in self.alternatives for term in terms]
        return [comparison.bound for term in terms for comparison in term.comparisons]

    def __str__(self) -> str:
        return " || ".join(", ".join(term.text for term in terms) for terms in self.alternatives)
